"""Headless Chromium, Playwright's own or the system's, and the built site in it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from book.press.site import serve

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


def start_browser(tool: Any) -> Any:
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


@contextlib.contextmanager
def site_in_browser() -> Iterator[tuple[Any, str]]:
    """Give a browser, and the address at which the built site is served to it."""
    from playwright.sync_api import sync_playwright

    serving = serve.server(0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    with sync_playwright() as tool:
        browser = start_browser(tool)
        yield browser, f"http://127.0.0.1:{serving.server_address[1]}"
        browser.close()
    serving.shutdown()
