"""Cells of a chapter and of its slides: what they print and show, and excerpts of their code."""

from __future__ import annotations

import ast
import re
import textwrap
from html import escape

import nbformat

from book.press.site.outputs import valid
from book.press.slides.words import words_of

WIDE, HIGH, LEAST_CODE, BEST_CODE = 1172, 560, 21, 34  # pixels on a slide of 1280 by 720


def markdown_cell(text: str) -> nbformat.NotebookNode:
    """Return a Markdown cell."""
    return nbformat.v4.new_markdown_cell(text)


def output_alone(cell: nbformat.NotebookNode, kind: str = "-") -> nbformat.NotebookNode:
    """Let a cell show its output alone."""
    cell.metadata["transient"] = {"remove_source": True}
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def printed_cell(text: str, kind: str = "-") -> nbformat.NotebookNode:
    """Return a cell that shows text as if it had printed it."""
    output = nbformat.v4.new_output("stream", name="stdout", text=text)
    return output_alone(nbformat.v4.new_code_cell("", outputs=[output]), kind)


def heading(title: str, unseen: bool = False) -> nbformat.NotebookNode:
    """Return a slide's title as a cell."""
    if unseen:
        return markdown_cell(f'<h2 class="unseen">{escape(title)}</h2>')
    return markdown_cell(f"## {words_of(title)}")


def printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed."""
    return "".join(out.text for out in cell.get("outputs", []) if out.output_type == "stream")


def shown(cell: nbformat.NotebookNode, kind: str) -> str:
    """Return what a cell shows, as data of one kind."""
    return "".join(out.get("data", {}).get(kind, "") for out in cell.get("outputs", []))


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def html_alone(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a cell with its HTML alone."""
    new = nbformat.v4.new_code_cell("")
    for out in cell.outputs:
        if "text/html" in out.get("data", {}):
            # reveal.js has controls of its own.
            data = {"text/html": valid(out.data["text/html"].replace('"controls"', '"moves"'))}
            new.outputs.append(nbformat.v4.new_output("display_data", data))
    return output_alone(new)


def excerpt(source: str, name: str) -> str:
    """Return a function or class of a cell by its name, or a paragraph of it by its first words.

    >>> excerpt("x = 1\\ndef f():\\n    return 2\\nf()", "f")
    'def f():\\n    return 2'
    >>> excerpt("x = 1\\n\\ny = 2\\nprint(y)\\n\\nz = 3", "y =")
    'y = 2\\nprint(y)'
    """
    for node in ast.parse(source).body:
        if getattr(node, "name", None) == name:
            return ast.get_source_segment(source, node)
    for paragraph in re.split(r"\n\n+", source):
        if paragraph.strip().startswith(name):
            return textwrap.dedent(paragraph)
    raise SystemExit(f"slides: nothing named {name!r} in a cell that is to show it")


def code_size(*texts: str) -> int:
    """Return the size at which code and output fit a slide, in pixels."""
    lines = [line for text in texts for line in text.rstrip().splitlines()]
    wide = WIDE / (0.602 * max(map(len, lines)))
    high = (HIGH - 40 * len(texts)) / (1.32 * len(lines))
    return int(min(BEST_CODE, wide, high))


def few_lines(cell: nbformat.NotebookNode) -> str:
    """Return a cell's printed output if it is short enough to stand below its code."""
    text = printed(cell)
    return text if len(text.splitlines()) <= 4 else ""
