"""What cells print, on a page: tables keep their columns and scroll, sentences wrap."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

from book.press.site import about

PRINTED = re.compile(
    r'(<div class="output (?:stream|text_plain) highlight-myst-ansi notranslate">'
    r'<div class="highlight"><pre)>(?:<span></span>)?(.*?)(?=</pre>)', re.S,
)  # fmt: skip
FITS = 40  # letters in the line of a narrow phone
COLUMNS = re.compile(r"^ |\S {2,}")


def in_columns(line: str) -> bool:
    """Tell whether a printed line may line up with another, so that it must not wrap.

    >>> in_columns("On many days Ada is closer."), in_columns("a  1."), in_columns("a 1")
    (False, True, True)
    """
    return bool(COLUMNS.search(line)) or not line.endswith((".", "?", "!", ":"))


def scrolling(html: str) -> str:
    """Mark what a cell printed: its sentences, and the boxes that a phone must scroll.

    >>> box = '<div class="output stream highlight-myst-ansi notranslate"><div class="highlight">'
    >>> scrolling(box + "<pre><span></span>It is so.\\na  b</pre>").removeprefix(box)
    '<pre><span class="said">It is so.</span>\\na  b</pre>'
    >>> scrolling(box + "<pre>ten days</pre>").removeprefix(box)
    '<pre><span class="said">ten days</span></pre>'
    >>> scrolling(box + f"<pre>{'a  ' * 30}</pre>").removeprefix(box)[:54]
    '<pre tabindex="0" role="group" aria-label="Printed tab'
    """

    def mark(found: re.Match) -> str:
        lines = found[2].split("\n")
        table = any(COLUMNS.search(line) for line in lines)
        keep = [not line or table and in_columns(line) for line in lines]
        wide = any(len(line) > FITS for line, kept in zip(lines, keep, strict=True) if kept)
        text = "\n".join(line if kept else f'<span class="said">{line}</span>'
                         for line, kept in zip(lines, keep, strict=True))  # fmt: skip
        reach = ' tabindex="0" role="group" aria-label="Printed table"' if wide else ""
        return f"{found[1]}{reach}>{text}"

    return PRINTED.sub(mark, html)


def on_page(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Mark what a chapter's cells have printed."""
    if page.startswith("notebooks/"):
        context["body"] = scrolling(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", on_page)
    return about()
