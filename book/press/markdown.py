"""Markdown: made HTML, stripped of links and marks, and written for the site's pages."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from html import escape

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin


@functools.cache
def renderer(html: bool, mathml: bool) -> MarkdownIt:
    """Return what makes HTML of Markdown; formulas become MathML, or TeX in backslash brackets."""

    def formula(latex: str, how: dict[str, bool]) -> str:
        if mathml:
            return convert(latex, display="block" if how["display_mode"] else "inline")
        return escape(f"\\({latex}\\)")

    parser = MarkdownIt("commonmark", {"html": html, "typographer": True})
    parser.enable(["table", "smartquotes"])
    parser.use(dollarmath_plugin, double_inline=True, renderer=formula)
    if not html:  # what is exported holds formulas without a span around each
        parser.renderer.rules["math_inline"] = lambda tokens, index, *_: formula(
            tokens[index].content, {"display_mode": False}
        )
    return parser


def blocks_html(markdown: str) -> str:
    """Return Markdown, which may hold HTML, as HTML."""
    return renderer(html=True, mathml=True).render(markdown)


def line_html(markdown: str, *, html: bool = False, mathml: bool = True) -> str:
    r"""Return a line of Markdown as HTML, without a paragraph around it, links as plain words.

    >>> line_html("Why *no change*?")
    'Why <em>no change</em>?'
    >>> line_html("near $3/n$", mathml=False)
    'near \\(3/n\\)'
    """
    return renderer(html, mathml).renderInline(unlinked(markdown)).strip()


def unlinked(markdown: str) -> str:
    """Return Markdown whose links became their words; other marks stay.

    >>> unlinked("a *good* [model](x.md#y)")
    'a *good* model'
    """
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown)


def plain_text(markdown: str) -> str:
    """Return Markdown as plain text: links become their words, marks go.

    >>> plain_text("a *good* [model](x.md#y)")
    'a good model'
    """
    return re.sub(r"[*`$]", "", unlinked(markdown))


def raw_html(html: str) -> str:
    """Return HTML as a block that the site's Markdown leaves alone."""
    return f"```{{raw}} html\n{html}\n```"


def shell(*lines: str) -> str:
    """Return lines to type as a block of code."""
    return "\n".join(["```sh", *lines, "```"])


def table(kind: str, align: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of one class for the style sheet; ``align`` has an l or r for each column.

    >>> print(table("plain", "lr", ["Who", "Error"], [["frozen", 3]]))
    :::{table}
    :class: plain
    <BLANKLINE>
    | Who | Error |
    |---|---:|
    | frozen | 3 |
    :::
    <BLANKLINE>
    """
    rule = "".join({"l": "---|", "r": "---:|"}[side] for side in align)
    body = [f"| {' | '.join(map(str, cells))} |" for cells in (head, *rows)]
    lines = [":::{table}", f":class: {kind}", "", body[0], f"|{rule}", *body[1:], ":::", ""]
    return "\n".join(lines)
