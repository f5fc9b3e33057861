"""What the site's pages may load, as a meta tag in each and as a file of headers for the server."""

from __future__ import annotations

from pathlib import Path

SITE = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'"
)
# The lab's pages and workers run WebAssembly. JupyterLab compiles its settings' schemas, and the
# kernel imports Pyodide, by eval. A notebook's figures and downloads are data: and blob: addresses.
LAB = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'"
)
# The live book's worker takes its policy from its own answer: WebAssembly, and no eval.
LIVE = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'"
LIVE_WORKER = "/_static/live/worker.mjs"
NOTE = """\
# Netlify and Cloudflare Pages read this file. Elsewhere the pages' own meta tags say the same;
# to send headers from another server, copy the values below. No two policies may meet on one
# page, since a browser obeys both, so the folders are listed one by one.
"""


def meta(policy: str) -> str:
    """Return a policy as a meta tag."""
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}" />'


def headers(site: Path) -> str:
    """Return the file of headers for a built site."""
    pages = [path.name for path in sorted(site.glob("*.html"))]
    top = ["/", *(f"/{name}" for page in pages for name in (page, page.removesuffix(".html")))]
    lines = [NOTE, "/*", "  X-Content-Type-Options: nosniff", "  Referrer-Policy: same-origin"]
    for place in [*top, "/book/*", "/notebooks/*"]:
        lines += [place, f"  Content-Security-Policy: {SITE}; frame-ancestors 'self'"]
    lines += ["/lab/*", f"  Content-Security-Policy: {LAB}; frame-ancestors 'self'"]
    lines += [LIVE_WORKER, f"  Content-Security-Policy: {LIVE}"]
    return "\n".join([*lines, ""])
