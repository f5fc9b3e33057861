"""Count the book's words: the prose of each page and notebook that its contents list."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from book.press.chapters import in_order, pages
from book.press.markdown import unlinked
from book.press.places import ROOT

NOT_PROSE = re.compile(  # code, lines of directives, formulas, HTML tags
    r"^( *)(`{3,})(?!\{).*?^\1\2 *$|^ *(?:`{3,}|:{3,}|:[\w-]+:).*?$|\$\$.*?\$\$|<[^>]+>",
    re.M | re.S,
)


def words(markdown: str) -> int:
    """Return how many words a reader of this Markdown reads.

    >>> words("# A *good* [model](x.md#y)\\n```python\\nprint(1)\\n```\\nhas 2 parts. -- <br>")
    6
    """
    prose = unlinked(NOT_PROSE.sub(" ", markdown))
    return sum(any(letter.isalnum() for letter in word) for word in prose.split())


def of_page(path: Path) -> int:
    """Return the words of one page: its Markdown, or a notebook's cells of Markdown."""
    if path.suffix == ".md":
        return words(path.read_text(encoding="utf-8"))
    cells = nbformat.read(path, as_version=4).cells
    return sum(words(cell.source) for cell in cells if cell.cell_type == "markdown")


def main() -> None:
    """Print the words of each page of the book, of all chapters, and of all pages."""
    counts = {}
    for page in pages():
        path = ROOT / page
        counts[page] = of_page(next(path.with_suffix(s) for s in (".md", ".ipynb")
                                    if path.with_suffix(s).exists()))  # fmt: skip
        print(f"{counts[page]:7,d}  {page}")
    chapters = sum(counts[f"notebooks/{chapter.name}"] for chapter in in_order())
    print(f"{chapters:7,d}  the chapters\n{sum(counts.values()):7,d}  all pages")


if __name__ == "__main__":
    main()
