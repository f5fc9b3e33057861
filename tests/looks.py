"""Looks at every page in a browser; two test files call it, so that two workers share the pages."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

from book.press import chapters
from book.press.checks import speed

PAGES = chapters.pages()
AXE = {"preload": False, "resultTypes": ["violations"]}  # twice as quick
# What of axe's rules depends on the colours; the others are asked in the light scheme alone.
COLOURS = AXE | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Tables that are cut in their box; raw data frames and the index may scroll.
CUT = """() => [...document.querySelectorAll(".bd-article table:not(.dataframe, .indextable)")]
  .filter((table) => {
    const box = table.closest(".pst-scrollable-table-container, .output, .cell_output");
    return box && table.offsetWidth > box.clientWidth + 1;
  }).map((table) => table.innerText.slice(0, 40))"""


def problems_on_pages(site_url: str, browser: Any, scheme: str, width: int) -> list[str]:
    """Return console errors, failed or outside requests, sideways scroll and what axe finds.

    In the light scheme also pages that weigh too much, or jump. Times are printed by `make speed`,
    not tested: they are the machine's as much as the page's.
    """
    light = scheme == "light"
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    problems: list[str] = []
    for name in PAGES:
        page = context.new_page()
        page.on(
            "console", lambda m, n=name: m.type == "error" and problems.append(f"{n}: {m.text}")
        )
        page.on("pageerror", lambda e, n=name: problems.append(f"{n}: {e}"))
        page.on(
            "response",
            lambda r, n=name: r.status < 400 or problems.append(f"{n}: {r.status} {r.url}"),
        )
        page.on("requestfailed", lambda r, n=name: problems.append(f"{n}: failed {r.url}"))
        page.on(
            "request",
            lambda r, n=name: (
                r.url.startswith((site_url, "data:", "blob:"))
                or problems.append(f"{n}: outside request {r.url}")
            ),
        )
        sent = speed.watch(page)
        page.goto(f"{site_url}{name}.html")  # and all that it loads; axe takes longer than the rest
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{name}: {wide} px wide on a screen of {width}")
        if width < 600:  # a table of ten columns may scroll on a desk
            problems.extend(f"{name}: a table is cut: {text!r}" for text in page.evaluate(CUT))
        for found in Axe().run(page, options=AXE if light else COLOURS).response["violations"]:
            where = "; ".join(str(node["target"]) for node in found["nodes"][:3])
            problems.append(f"{name}: {found['id']} ({found['impact']}): {where}")
        if light:
            over = speed.too_much(name, speed.costs_of(page, sent))
            problems.extend(what for what in over if what.endswith(("bytes", "CLS")))
        page.close()
    context.close()
    return problems
