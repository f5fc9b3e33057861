"""The theme's style sheets, without the rules for what no page holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import tinycss2
from sphinx.application import Sphinx

from book.press.files import kept
from book.press.site import about, book_pages, when_built

CLASS = re.compile(r"\.(?!bs-)(-?[A-Za-z_][\w-]*)")  # Bootstrap's script puts "bs-…" together
OURS = ("book.css", "live", "copybutton.css")  # small, or for what scripts add


def classes_of(site: Path) -> set[str]:
    """Return each class on a page, and each word of a script, which may add such a class."""
    found: set[str] = set()
    for path in book_pages(site):
        text = path.read_text(encoding="utf-8")
        for names in set(re.findall(r'\bclass="([^"]*)"', text)):
            found.update(names.split())
        for script in re.findall(r"<script\b[^>]*>(.+?)</script>", text, re.S):
            if len(script) < 20_000:  # no moving figure's data
                found.update(re.findall(r"[\w-]+", script))
    for path in (site / "_static").rglob("*.*js"):
        if path.name != "fontawesome.js":  # no page loads it
            found.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return found


def without_unused(css: str, used: set[str]) -> str:
    """Return a style sheet without the selectors that name a class which nothing has.

    >>> without_unused(".a,.b .c{top:0}.d{left:0}@media print{.a{left:1px}.c{top:0}}", {"a", "b"})
    '.a{top:0}@media print{.a{left:1px}}'
    """
    kept = []
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            selectors = split(rule.prelude)
            some = [one for one in selectors if set(CLASS.findall(bare(one))) <= used]
            if some:
                kept.append(f"{','.join(some)}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = without_unused(tinycss2.serialize(rule.content), used)
            if inner:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}")
        else:
            kept.append(rule.serialize())
    return "".join(kept)


def split(prelude: list[Any]) -> list[str]:
    """Return the selectors of a rule; a comma in brackets parts none."""
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def bare(selector: str) -> str:
    """Return a selector without what it names in brackets: of :not(.a) or :is(.a, .b) none must be.

    >>> bare("p.a:not(.b):is(.c, :has(.d))[href='x.y']")
    'p.a:not:is'
    """
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", selector)) != selector:
        selector = shorter
    return selector


def shrink_styles(site: Path) -> None:
    """Cut the style sheets of the theme and of Sphinx's extensions; Sphinx copies them whole."""
    used = classes_of(site)
    for path in (site / "_static").rglob("*.css"):
        if path.relative_to(site / "_static").parts[0] not in OURS:
            path.write_bytes(shrunk(path.read_text(encoding="utf-8"), used))


def shrunk(css: str, used: set[str]) -> bytes:
    """Return a style sheet as :func:`without_unused` makes it; what was made before is kept."""
    names = set(CLASS.findall(css)) & used
    source = json.dumps([css, sorted(names)]).encode()
    return kept("styles", source, lambda: without_unused(css, names).encode())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    when_built(app, shrink_styles)
    return about()
