"""Print the whole book into one PDF with headless Chromium, beside the built site's pages."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import serve

PDF = serve.HTML / "static-vs-dynamic.pdf"
CHROMIUMS = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOW = (
    "no Chromium was found; run .venv/bin/python -m playwright install chromium, "
    "or install the package chromium (Debian: apt-get install chromium)"
)
FOOT = (
    '<div style="font-size:8px;width:100%;text-align:center;color:#555">'
    'Static vs. Dynamic AI Models · <span class="pageNumber"></span></div>'
)


def start_browser(tool: object) -> object:
    """Return headless Chromium, Playwright's own or the system's.

    Raises
    ------
    SystemExit
        If there is none; the message says how to get one.
    """
    from playwright.sync_api import Error

    for path in (None, *CHROMIUMS):
        if path and not Path(path).exists():
            continue
        try:
            return tool.chromium.launch(executable_path=path, args=FLAGS)
        except Error:
            continue
    raise SystemExit(f"make: {HOW}")


def main() -> int:
    """Print the page that holds the whole book."""
    from playwright.sync_api import sync_playwright

    serving = serve.server(0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    with sync_playwright() as tool:
        browser = start_browser(tool)
        page = browser.new_page()
        page.set_default_timeout(300_000)  # ms; hundreds of pictures, and a machine may be busy
        page.goto(f"http://127.0.0.1:{serving.server_address[1]}/book/print.html")
        page.wait_for_load_state("networkidle")
        page.pdf(
            path=PDF, format="A4", print_background=True, tagged=True, outline=True,
            display_header_footer=True, header_template="<span></span>", footer_template=FOOT,
            margin={"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
        )  # fmt: skip
        browser.close()
    serving.shutdown()
    print(f"The PDF is {PDF.relative_to(serve.HTML.parents[2])}, {PDF.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
