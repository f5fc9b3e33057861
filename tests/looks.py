"""Looks at every page in a browser; two test files call it, so that two workers share the pages."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

from book.press import chapters
from book.press.checks import speed

Looks = dict[str, int]  # how often each was asked
PAGES = chapters.pages()
AXE = {"preload": False, "resultTypes": ["violations"]}  # twice as quick
# What of axe's rules depends on the colours; the others are asked in the light scheme alone.
OF_COLOUR = ["color-contrast", "link-in-text-block"]
COLOURS = AXE | {"runOnly": {"type": "rule", "values": OF_COLOUR}}
TIMES = 10  # a look is asked so often in a scheme, wherever it stands: most of the time goes there
# Marks what was asked often enough, and counts the looks of the rest. A look is all that these
# rules read: the letters' style, what lies behind them, and for a link whether there are
# more words around it than in it, and their colour.
COUNT_LOOKS = """([often, most]) => {
  const letters = ["color", "fontSize", "fontWeight", "fontStyle", "fontFamily", "textShadow",
    "textDecorationLine", "borderBottomWidth", "borderBottomStyle"];
  const behind = ["backgroundColor", "backgroundImage", "opacity", "filter", "mixBlendMode"];
  const plain = "rgba(0, 0, 0, 0),none,1,none,normal";
  const walk = (element, above, around) => {
    if (!element.checkVisibility()) return;
    const style = getComputedStyle(element);
    const back = behind.map((name) => style[name]).join();
    const under = back === plain ? above : `${above}/${back}`;
    const block = style.display.startsWith("inline") ? around : element;
    const words = [...element.childNodes].filter((node) => node.nodeType === 3)
      .map((node) => node.data.trim()).join("");
    if (words) {
      const link = element.tagName === "A" && [
        block.innerText.length > 2 * element.innerText.length, getComputedStyle(block).color];
      const look = [link, words.length === 1, ...letters.map((name) => style[name]), under].join();
      often[look] = (often[look] ?? 0) + 1;
      element.toggleAttribute("data-ask", often[look] <= most);
      element.toggleAttribute("data-again", often[look] > most);
    }
    for (const child of element.children) walk(child, under, block);
  };
  walk(document.body, "", document.body);
  axe.configure({rules: [
    {id: "color-contrast", selector: "[data-ask], input, select, textarea"},
    {id: "link-in-text-block", selector: "a[href]:not([data-again])"}]});
  return often;
}"""
# Tables that are cut in their box; raw data frames and the index may scroll.
CUT = """() => [...document.querySelectorAll(".bd-article table:not(.dataframe, .indextable)")]
  .filter((table) => {
    const box = table.closest(".pst-scrollable-table-container, .output, .cell_output");
    return box && table.offsetWidth > box.clientWidth + 1;
  }).map((table) => table.innerText.slice(0, 40))"""


DARK = "() => document.documentElement.dataset.theme === 'dark'"
ASK = "([where, options]) => axe.run(where, options)"
WHOLE = {"include": [["html"]]}
AROUND = {"exclude": [[".bd-article"]]}


def found_by_axe(
    page: Any, where: dict[str, Any], options: dict[str, Any], often: Looks
) -> list[str]:
    """Return what axe finds, and where; colours of looks that were asked often are not asked."""
    often.update(page.evaluate(COUNT_LOOKS, [often, TIMES]))
    return [
        f"{found['id']} ({found['impact']}): "
        + "; ".join(str(node["target"]) for node in found["nodes"][:3])
        for found in page.evaluate(ASK, [where, options])["violations"]
    ]


def problems_on_pages(site_url: str, browser: Any, width: int) -> list[str]:
    """Return console errors, failed or outside requests, sideways scroll and what axe finds.

    Each page is opened in the light scheme and turns dark where it stands, as at dusk. On a phone
    the dark article has the colours that it has on a desk, so that only what is around it is asked
    again. Where most of axe's time goes, a look is asked ten times, wherever it stands. Pages
    that weigh too much, or jump, are named too. Times are printed by `make speed`,
    not tested: they are the machine's as much as the page's.
    """
    phone = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="light", reduced_motion="reduce"
    )
    problems: list[str] = []
    light: Looks = {}
    dark: Looks = {}
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
        page.evaluate(AXE_SCRIPT)
        found = found_by_axe(page, WHOLE, AXE, light)
        problems.extend(f"{name}: {what}" for what in found)
        over = speed.too_much(name, speed.costs_of(page, sent))
        problems.extend(what for what in over if what.endswith(("bytes", "CLS")))
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(DARK)
        found = found_by_axe(page, AROUND if phone else WHOLE, COLOURS, dark)
        problems.extend(f"{name}, dark: {what}" for what in found)
        page.close()
    context.close()
    return problems
