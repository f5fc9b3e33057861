"""Print what a reader waits for in the live book: seconds from a touch to the first new figure.

``python -m tests.benchmarks.live [TIMES] [CHAPTER ...]``, on a built site. First visit:
nothing kept in the browser. Later visit: another page of the same browser. Knob: one stop, once up.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from book.press.places import NOTEBOOKS
from book.press.site.browser import site_in_browser

PATIENCE = 300


def until(page: Any, beginning: str, start: float) -> float:
    """Return the seconds until the panel's status begins so."""
    while time.monotonic() - start < PATIENCE:
        text = page.locator("form.live .live-status").inner_text()
        if text.startswith(beginning):
            return time.monotonic() - start
        page.wait_for_timeout(5)
    raise SystemExit(f"{page.url}: the panel says {text!r}")


def visit(context: Any, address: str) -> tuple[float, float, str]:
    """Return the seconds to the first figure, those after one more stop, and the MB promised."""
    page = context.new_page()
    page.goto(address)
    size = page.locator(".live-cost").inner_text().split()[1]
    start = time.monotonic()
    page.get_by_role("button", name="Turn the knobs here").click()
    first = until(page, "In your world, with", start)
    field = page.locator("form.live input[type=range], form.live select").last
    start = time.monotonic()
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(index=1)
    else:
        field.focus()
        page.keyboard.press("ArrowLeft" if field.input_value() != "0" else "ArrowRight")
    turned = until(page, "In your world:", start)
    page.close()
    return first, turned, size


def main() -> None:
    """Print the table."""
    times, wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:]
    print(f"{'medians of ' + str(times) + ', seconds':32s}   MB  first  later   knob")
    with site_in_browser() as (browser, address):
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
            if wanted and path.stem[:2] not in wanted:
                continue
            firsts, laters, knobs = [], [], []
            for _ in range(times):
                context = browser.new_context()
                at = f"{address}/notebooks/{path.stem}.html"
                first, knob, size = visit(context, at)
                later, more, _ = visit(context, at)
                firsts, laters, knobs = [*firsts, first], [*laters, later], [*knobs, knob, more]
                context.close()
            cells = "".join(f"{statistics.median(some):7.2f}" for some in (firsts, laters, knobs))
            print(f"{path.stem:32s}{size:>5s}{cells}", flush=True)


if __name__ == "__main__":
    main()
