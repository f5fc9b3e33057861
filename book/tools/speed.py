"""Open every page of the built site in headless Chromium and print what it costs the reader.

Bytes are what a page takes before its lazy figures, uncompressed. LCP is the time until the
largest thing is drawn, CLS how far things jump, TBT how long the page is deaf, in milliseconds.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import pdf
import serve
import yaml

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


def pages() -> list[str]:
    """Return the book's pages in reading order."""
    toc = yaml.safe_load((serve.HTML.parents[1] / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]


def measure(browser: Any, url: str, width: int = 1280) -> dict[str, float]:
    """Return a page's bytes, LCP, CLS and TBT, seen by a reader who comes for the first time."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    context.add_init_script(WATCH)
    page, sizes = context.new_page(), {}
    page.on("response", lambda answer: sizes.update({answer.url: answer}))
    page.goto(url)
    page.wait_for_load_state("networkidle")
    found = page.evaluate("window.speed")
    lazy = set(page.evaluate(LAZY))
    found["bytes"] = sum(len(answer.body()) for at, answer in list(sizes.items()) if at not in lazy)
    context.close()
    return found


def too_much(page: str, found: dict[str, float]) -> list[str]:
    """Say which limits a page is over; the limit in bytes is the chapters'."""
    heavy = [what for what, limit in LIMITS.items() if found[what] > limit]
    return [f"{page}: {what}" for what in heavy if what != "bytes" or page.startswith("notebooks/")]


def main() -> int:
    """Print the table; exit 1 if a page takes too much or jumps."""
    from playwright.sync_api import sync_playwright

    serving = serve.server(0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    over = []
    print(f"{'page':40s}{'kB':>8s}{'LCP ms':>8s}{'CLS':>7s}{'TBT ms':>8s}")
    with sync_playwright() as tool:
        browser = pdf.start_browser(tool)
        for page in pages():
            found = measure(browser, f"http://127.0.0.1:{serving.server_address[1]}/{page}.html")
            print(f"{page:40s}{found['bytes'] / 1000:8.0f}{found['LCP']:8.0f}"
                  f"{found['CLS']:7.3f}{found['TBT']:8.0f}")  # fmt: skip
            over += too_much(page, found)
        browser.close()
    serving.shutdown()
    print("over a limit: " + ", ".join(over) if over else "every page is within all limits")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
