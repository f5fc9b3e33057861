"""Ask Lighthouse how quick a page is for a reader on a slow phone, and on a desk.

It comes from the npm registry, once, with what ``lighthouse_lock/package-lock.json`` names and no
more. The pages are served compressed, as hosts do.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from book.press.files import digest
from book.press.lab.fetch import CACHE
from book.press.site import serve
from book.press.site.browser import CHROMIUMS

LOCK = Path(__file__).with_name("lighthouse_lock")
SHOWN = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time",
         "cumulative-layout-shift")  # fmt: skip


class Compressed(serve.Handler):
    """The book's own server, with text compressed."""

    def do_GET(self) -> None:
        """Answer with a compressed file, if it is text."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".css", ".js", ".mjs", ".svg") or not path.is_file():
            return super().do_GET()
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def missing() -> str:
    """Say what must be installed before Lighthouse runs; "" if nothing."""
    gone = [name for name in ("node", "npm") if not shutil.which(name)]
    gone += [] if any(Path(path).exists() for path in CHROMIUMS) else ["Chromium or Chrome"]
    return f"Lighthouse needs {' and '.join(gone)}" if gone else ""


def lighthouse() -> Path:
    """Return the tool, installed into the cache if it is not there."""
    folder = CACHE / f"lighthouse-{digest(sorted(LOCK.iterdir()))[:8]}"
    tool = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not tool.exists():
        print("Installing Lighthouse with npm (about 150 MB) ...", flush=True)
        shutil.copytree(LOCK, folder, dirs_exist_ok=True)
        subprocess.run([shutil.which("npm"), "ci", "--silent", "--ignore-scripts", "--no-audit"],
                       cwd=folder, check=True)  # fmt: skip
    return tool


def scores(page: str) -> list[str]:
    """Return a line for a phone and one for a desk: the score of 100, and what it is made of.

    Lighthouse measures the machine, too: below an index of 1,000 or so its phone is slower than
    the one that the scores are meant for.
    """
    serving = serve.server(0, handler=Compressed)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    chromium = next(path for path in CHROMIUMS if Path(path).exists())
    lines = []
    for screen, options in (("phone", []), ("desk", ["--preset=desktop"])):
        done = subprocess.run(
            ["node", str(lighthouse()), f"http://127.0.0.1:{serving.server_address[1]}/{page}.html",
             "--only-categories=performance", "--output=json", "--quiet", *options,
             "--chrome-flags=--headless=new --no-sandbox --disable-gpu"],
            capture_output=True, text=True, env={**os.environ, "CHROME_PATH": chromium},
        )  # fmt: skip
        if done.returncode:
            lines.append(f"{screen}: Lighthouse failed: {done.stderr.strip()[-200:]}")
            continue
        said = json.loads(done.stdout)
        parts = [f"{said['audits'][name]['title']} {said['audits'][name]['displayValue']}"
                 for name in SHOWN]  # fmt: skip
        score = round(100 * said["categories"]["performance"]["score"])
        lines.append(
            f"{screen}: {score} of 100 ({', '.join(parts)}; the machine's "
            f"index {said['environment']['benchmarkIndex']:.0f})".replace("\xa0", " ")
        )
    serving.shutdown()
    return lines
