"""Pages that are drawn at once: one style sheet, scripts that wait, no elements for nothing."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press.files import digest
from book.press.site import about, book_pages, when_built

SHEETS = ("basic.css", "styles/pydata-sphinx-theme.css", "pygments.css",
          "styles/sphinx-book-theme.css", "togglebutton.css", "copybutton.css", "mystnb.*.css",
          "sphinx-design.min.css", "live/live.css", "live/yours.css", "book.css")  # fmt: skip
LINK = re.compile(r'<link[^>]*href="([^"]*)_static/[^"]*\.css[^"]*"[^>]*>\s*')
OPTIONS = re.compile(r'<script src="[^"]*_static/documentation_options\.js[^"]*"></script>')
BLOCKING = re.compile(r"<script (?![^>]*\b(?:defer|async|type)\b)(?=[^>]*\bsrc=)")
TOKEN = re.compile(r'<span class="(\w{1,3})">([^<]*)</span>')
TOGGLE = '<summary><span class="toctree-toggle"'  # of the menu: the theme gives it no name
# The theme reads and writes by turns, once for each of hundreds of boxes; book.js does it at once.
BOXES = (
    'document.querySelectorAll(["pre",".nboutput > .output_area",".cell_output > .output",'
    '".jp-RenderedHTMLCommon",".pst-scrollable-table-container"].join(", "))'
)


def one_sheet(static: Path) -> str:
    """Return the style sheets in their order, with addresses as seen from their common folder."""
    parts = []
    for path in [path for name in SHEETS for path in static.glob(name)]:
        folder = path.parent.relative_to(static).as_posix()
        css = path.read_text(encoding="utf-8")
        parts.append(re.sub(r"url\(([\"']?)(?=\.)", rf"url(\1{folder}/", css))
    return "\n".join(parts)


def plain_tokens(css: str) -> set[str]:
    """Return the kinds of code that look like the code around them, in both colour schemes.

    >>> sorted(plain_tokens('.highlight { color: #111 } .highlight .n { color: #111 } '
    ...                     '.highlight .k { color: #222 } .highlight .w { color: #111 }'))
    ['n', 'w']
    """
    base = set(re.findall(r"\.highlight \{[^}]*?[; {]color: (#\w+)", css))
    looks: dict[str, set[str]] = {}
    for kind, look in re.findall(r"\.highlight \.(\w+) \{([^}]*)\}", css):
        looks.setdefault(kind, set()).add(look.strip())
    plain = {f"color: {colour}" for colour in base}
    return {kind for kind, seen in looks.items() if seen <= plain}


def lighter(html: str, plain: set[str], edition: str, options: str) -> str:
    """Return a page that asks for one style sheet, and whose scripts let it be drawn first.

    >>> lighter('<link href="../_static/a.css"><link href="../_static/b.css"><script src="c.js">',
    ...         set(), "1", "")
    '<link rel="stylesheet" href="../_static/all.css?v=1"><script defer src="c.js">'
    """
    links = list(LINK.finditer(html))
    if not links:
        return html
    sheet = f'<link rel="stylesheet" href="{links[0][1]}_static/all.css?v={edition}">'
    head, rest = html[: links[0].start()], html[links[0].start() :]
    html = OPTIONS.sub(f"<script>{options}</script>", head + sheet + LINK.sub("", rest))
    html = BLOCKING.sub("<script defer ", html)
    html = html.replace(TOGGLE, TOGGLE.replace(">", ' aria-label="Pages below">', 1))
    return TOKEN.sub(lambda token: token[2] if token[1] in plain else token[0], html)


def make_light(site: Path) -> None:
    """Write the one style sheet, and each page anew; a page done before stays as it is."""
    static = site / "_static"
    sheet = static / "all.css"
    sheet.write_text(one_sheet(static), encoding="utf-8")
    options = (static / "documentation_options.js").read_text(encoding="utf-8").strip()
    plain = plain_tokens((static / "pygments.css").read_text(encoding="utf-8"))
    make = partial(lighter, plain=plain, edition=digest([sheet])[:8], options=options)
    for path in book_pages(site):
        html = path.read_text(encoding="utf-8")
        if (made := make(html)) != html:
            path.write_text(made, encoding="utf-8")
    script = static / "scripts" / "pydata-sphinx-theme.js"
    source = script.read_text(encoding="utf-8")
    if BOXES not in source and "[].forEach" not in source:
        raise ValueError(f"{script.name}: the theme's loop over boxes that scroll is not there; "
                         "see how the new theme makes them reachable by keyboard")  # fmt: skip
    script.write_text(source.replace(BOXES, "[]"), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    when_built(app, make_light, priority=900)  # the theme writes the colours of code at 500
    return about()
