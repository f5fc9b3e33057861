"""Open every page of the built site in headless Chromium and print what it costs the reader.

Bytes are what a page takes before its lazy figures, uncompressed. LCP is the time until the
largest thing is drawn, CLS how far things jump, TBT how long the page is deaf, in milliseconds.
"""

from __future__ import annotations

import sys
from typing import Any

from book.press import chapters
from book.press.checks import lighthouse
from book.press.site.browser import site_in_browser

LIMITS = {"bytes": 1_000_000, "LCP": 1000, "CLS": 0.05, "TBT": 200}
WATCH = """
window.speed = {LCP: 0, CLS: 0, TBT: 0};
const watch = (type, add) => new PerformanceObserver((list) => list.getEntries().forEach(add))
  .observe({type, buffered: true});
watch("largest-contentful-paint", (entry) => { window.speed.LCP = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) window.speed.CLS += entry.value; });
watch("longtask", (entry) => { window.speed.TBT += Math.max(0, entry.duration - 50); });
"""
LAZY = "[...document.querySelectorAll('img[loading=lazy]')].map((image) => image.src)"


def watch(page: Any) -> dict[str, Any]:
    """Watch a page that is going to be opened; return a dict that will hold what it was sent."""
    page.add_init_script(WATCH)
    sent: dict[str, Any] = {}
    page.on("response", lambda answer: sent.update({answer.url: answer}))
    return sent


def costs_of(page: Any, sent: dict[str, Any]) -> dict[str, float]:
    """Return a watched page's bytes, LCP, CLS and TBT so far."""
    costs, lazy = page.evaluate("window.speed"), set(page.evaluate(LAZY))
    costs["bytes"] = sum(len(answer.body()) for at, answer in list(sent.items()) if at not in lazy)
    return costs


def measure(browser: Any, url: str) -> dict[str, float]:
    """Return a page's costs, seen by a reader who comes for the first time."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sent = watch(page)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    costs = costs_of(page, sent)
    context.close()
    return costs


def too_much(page: str, costs: dict[str, float]) -> list[str]:
    """Say which limits a page is over; the limit in bytes is the chapters'."""
    heavy = [what for what, limit in LIMITS.items() if costs[what] > limit]
    return [f"{page}: {what}" for what in heavy if what != "bytes" or page.startswith("notebooks/")]


def main() -> int:
    """Print the table; exit 1 if a page takes too much or jumps."""
    over = []
    print(f"{'page':40s}{'kB':>8s}{'LCP ms':>8s}{'CLS':>7s}{'TBT ms':>8s}")
    with site_in_browser() as (browser, address):
        for page in chapters.pages():
            costs = measure(browser, f"{address}/{page}.html")
            print(f"{page:40s}{costs['bytes'] / 1000:8.0f}{costs['LCP']:8.0f}"
                  f"{costs['CLS']:7.3f}{costs['TBT']:8.0f}")  # fmt: skip
            over += too_much(page, costs)
    print("over a limit: " + ", ".join(over) if over else "every page is within all limits")
    for page in (f"notebooks/{chapters.in_order()[0].name}", "book/api_streams"):
        said = [lighthouse.missing()] if lighthouse.missing() else lighthouse.scores(page)
        print("\n".join(f"{page}, {line}" for line in said))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
