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


def sentence(line: str) -> bool:
    """Tell whether a printed line is prose: it ends so, and lines up with no other.

    >>> sentence("On many days Ada is closer."), sentence("a  1.")
    (True, False)
    """
    return line.endswith((".", "?", "!", ":")) and not re.search(r"^ |\S {2,}", line)


def scrolling(html: str) -> str:
    """Mark what a cell printed: its sentences, and the boxes that a phone must scroll.

    >>> box = '<div class="output stream highlight-myst-ansi notranslate"><div class="highlight">'
    >>> scrolling(box + "<pre><span></span>It is so.\\na  b</pre>").removeprefix(box)
    '<pre><span class="said">It is so.</span>\\na  b</pre>'
    >>> scrolling(box + f"<pre>{'a ' * 30}</pre>").removeprefix(box)[:54]
    '<pre tabindex="0" role="group" aria-label="Printed tab'
    """

    def mark(found: re.Match) -> str:
        lines = found[2].split("\n")
        wide = any(len(line) > FITS and not sentence(line) for line in lines)
        text = "\n".join(f'<span class="said">{line}</span>' if sentence(line) else line
                         for line in lines)  # fmt: skip
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
