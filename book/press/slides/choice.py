"""Which code of a chapter goes on slides: by rule, or by a human's word in the cells' metadata.

The rule can be overruled for a code cell in its metadata, under ``slideshow``:

- ``slide_type``: ``skip`` leaves the cell out, ``slide`` or ``subslide`` takes it in.
- ``show``: what to show instead of all of the cell: a function by its name, lines up to an empty
  one by how they begin, or ``output``.
- ``title``: the slide's title, where a section's heading will not do.

``python -m book.press.slides.build --mark`` writes the rule's choice into notebooks that have none,
to be changed there.
"""

from __future__ import annotations

import ast
import re

import nbformat

from book.press.slides.cells import code_size, excerpt, few_lines, tags


def choice(cell: nbformat.NotebookNode) -> dict[str, str]:
    """Return what a human chose for a cell; empty if nothing."""
    slideshow = cell.metadata.get("slideshow", {})
    return {} if slideshow.get("slide_type") in (None, "", "-") else dict(slideshow)


def key_code(cells: list[nbformat.NotebookNode]) -> tuple[int, str] | None:
    """Return the cell that builds the idea from nothing, and the function of it that fits a slide.

    It is the first with a function, before the experiment; an empty name means all of the cell.
    """
    for n, cell in enumerate(cells):
        if cell.cell_type == "markdown" and re.search(r"^## The experiment", cell.source, re.M):
            return None
        if cell.cell_type != "code" or {"hide-input", "knob", "solution"} & set(tags(cell)):
            continue
        if choice(cell).get("slide_type") == "skip":
            continue
        names = [node.name for node in ast.parse(plain_python(cell.source)).body
                 if isinstance(node, ast.FunctionDef | ast.ClassDef)]  # fmt: skip
        if not names:
            continue
        if code_size(*filter(None, (cell.source, few_lines(cell)))) >= 24:
            return n, ""
        for name in names:
            if code_size(excerpt(cell.source, name)) >= 24:
                return n, name
    return None


def plain_python(source: str) -> str:
    """Return a cell without the lines that only IPython reads."""
    return re.sub(r"^(\s*)%pip .*$", r"\1pass", source, flags=re.M)


def marks(notebook: nbformat.NotebookNode) -> dict[int, dict[str, str]]:
    """Return the choices that stand, by the number of the cell: a human's, or the rule's."""
    cells = notebook.cells
    chosen = {n: choice(cell) for n, cell in enumerate(cells) if choice(cell)}
    chosen |= {
        n: {"slide_type": "skip"} for n, cell in enumerate(cells) if "solution" in tags(cell)
    }
    taken = [n for n, mark in chosen.items() if mark["slide_type"] != "skip"]
    if not any(cells[n].cell_type == "code" for n in taken) and (key := key_code(cells)):
        n, name = key
        chosen[n] = {"slide_type": "subslide"} | ({"show": name} if name else {})
    return chosen
