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


DARK = "() => document.documentElement.dataset.theme === 'dark'"
ASK_AGAIN = "([where, options]) => axe.run(where, options)"  # it is in the page already
AROUND = {"exclude": [[".bd-article"]]}


def problems_on_pages(site_url: str, browser: Any, width: int) -> list[str]:
    """Return console errors, failed or outside requests, sideways scroll and what axe finds.

    Each page is opened in the light scheme and turns dark where it stands, as at dusk. On a phone
    the dark article has the colours that it has on a desk, so that only what is around it is asked
    again. Pages that weigh too much, or jump, are named too. Times are printed by `make speed`,
    not tested: they are the machine's as much as the page's.
    """
    phone = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="light", reduced_motion="reduce"
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
        if phone:  # a table of ten columns may scroll on a desk
            problems.extend(f"{name}: a table is cut: {text!r}" for text in page.evaluate(CUT))
        found = Axe().run(page, options=AXE).response["violations"]
        problems.extend(f"{name}: {what}" for what in in_words(found))
        over = speed.too_much(name, speed.costs_of(page, sent))
        problems.extend(what for what in over if what.endswith(("bytes", "CLS")))
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(DARK)
        dark = page.evaluate(ASK_AGAIN, [AROUND if phone else {"include": [["html"]]}, COLOURS])
        problems.extend(f"{name}, dark: {what}" for what in in_words(dark["violations"]))
        page.close()
    context.close()
    return problems


def in_words(violations: list[dict[str, Any]]) -> list[str]:
    """Say what axe found, and where."""
    return [
        f"{found['id']} ({found['impact']}): "
        + "; ".join(str(node["target"]) for node in found["nodes"][:3])
        for found in violations
    ]
