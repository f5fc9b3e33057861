"""Choose what of a chapter goes on slides, by rule.

A chapter's Markdown is prose, and prose does not belong on slides. What does belong there is found
by rule: the claims, each figure with its finding, the prediction as a poll, the key lines of code,
the knobs, the verdict with its evidence, some quiz questions, the summary. The prose becomes the
speaker's notes. The choice of code can be overruled in the cells' metadata: see ``choice.py``.
"""

from __future__ import annotations

import nbformat

from book.press import chapters
from book.press.slides.choice import marks
from book.press.slides.code import read_code
from book.press.slides.deck import Deck, Slide
from book.press.slides.ends import add_end, add_title
from book.press.slides.prose import read_prose


def slides_of(name: str, notebook: nbformat.NotebookNode) -> list[Slide]:
    """Return a chapter's slides."""
    deck, chosen = Deck(chapters.facts(name)), marks(notebook)
    first, *rest = notebook.cells
    add_title(deck, first.source)
    for n, cell in enumerate(rest, 1):
        if cell.cell_type == "markdown":
            read_prose(deck, cell.source)
        else:
            read_code(deck, notebook.cells, n, chosen.get(n, {}))
    add_end(deck, notebook)
    return deck.slides
