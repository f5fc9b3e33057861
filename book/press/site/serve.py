"""Serve the site on 127.0.0.1, on the wanted port or the next free one.

With ``--build`` it is built first, and served as soon as its pages are made.
"""

from __future__ import annotations

import argparse
import functools
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from book.press.places import HTML
from book.press.site import build

WAIT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Refresh" content="2">
<title>Still being made</title></head>
<body><p>This part of the book is still being made. It will show here by itself.</p></body></html>
"""


class Handler(SimpleHTTPRequestHandler):
    """Serve files without a line for every request; fall back on the book's own 404 page."""

    building = False  # then what is missing may still come

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer 404 with the book's page, other errors as usual."""
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.exists():
            super().send_error(code, message, explain)
            return
        body = WAIT.encode() if self.building else page.read_bytes()
        self.send_response(503 if self.building else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def server(
    port: int, folder: Path = HTML, tries: int = 100, handler: type[Handler] = Handler
) -> ThreadingHTTPServer:
    """Return a server on the first free port from ``port`` on (0: any free port)."""
    answer = functools.partial(handler, directory=str(folder))
    for candidate in range(port, min(port + tries, 65536)):
        try:
            return ThreadingHTTPServer(("127.0.0.1", candidate), answer)
        except PermissionError:
            raise SystemExit(
                f"make: port {candidate} needs administrator rights; choose one from 1024 on, "
                "for example: make book PORT=8000"
            ) from None
        except OSError:
            continue
    raise SystemExit(f"make: no port from {port} on is free; choose another: make book PORT=9000")


def main() -> int:
    """Read the port, build if asked to, say the address, serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8000")
    parser.add_argument("--build", action="store_true")
    asked = parser.parse_args()
    wanted = asked.port
    if not wanted.isdigit() or not 0 <= int(wanted) < 65536:
        raise SystemExit(f"make: PORT is {wanted!r}; give a whole number from 0 to 65535")
    if not asked.build and not (HTML / "index.html").exists():
        raise SystemExit("make: there is no built site yet; run make site first")
    serving = server(int(wanted))
    port = serving.server_address[1]
    until_stopped = threading.Thread(target=serving.serve_forever, daemon=True)

    def begin() -> None:
        if int(wanted) not in (0, port):
            print(f"Port {wanted} is in use; taking {port}.")
        print(f"The book is at http://127.0.0.1:{port}/  (Ctrl-C ends it)", flush=True)
        until_stopped.start()

    try:
        if asked.build:
            Handler.building = True
            if build.build(begin):
                return 1
            Handler.building = False
        else:
            begin()
        until_stopped.join()
    except KeyboardInterrupt:
        print()
    return 130 if Handler.building else 0  # stopped before all was made


if __name__ == "__main__":
    sys.exit(main())
