"""Serve the built site on 127.0.0.1, on the wanted port or the next free one."""

from __future__ import annotations

import argparse
import functools
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from book.press.places import HTML


class Handler(SimpleHTTPRequestHandler):
    """Serve files without a line for every request; fall back on the book's own 404 page."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer 404 with the book's page, other errors as usual."""
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.exists():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(404)
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


def main() -> None:
    """Read the port, say the address, serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8000")
    text = parser.parse_args().port
    if not text.isdigit() or not 0 <= int(text) < 65536:
        raise SystemExit(f"make: PORT is {text!r}; give a whole number from 0 to 65535")
    if not (HTML / "index.html").exists():
        raise SystemExit("make: there is no built site yet; run make site first")
    serving = server(int(text))
    port = serving.server_address[1]
    if int(text) not in (0, port):
        print(f"Port {text} is in use; taking {port}.")
    print(f"The book is at http://127.0.0.1:{port}/  (Ctrl-C ends it)")
    sys.stdout.flush()
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
