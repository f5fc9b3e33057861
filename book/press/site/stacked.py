"""Wide tables: on a phone each of their rows stands as a block, its cells below each other."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from book.press.site import about

LETTER, AIR, PHONE = 7.2, 10, 328  # of a table on a phone: pixels a letter, a column; in all


def narrowest(heads: list[str], rows: list[list[str]]) -> float:
    """Return how many pixels a table needs at least, if no word of it is broken.

    >>> narrowest(["year", "mean error"], [["2011", "7"]])
    84.8
    """
    columns = zip(heads, *rows, strict=True)
    longest = [max(map(len, " ".join(cells).split()), default=0) for cells in columns]
    return round(LETTER * sum(longest) + AIR * len(longest), 1)


class Stack(SphinxPostTransform):
    """Name each cell of a table that is too wide for a phone by its column's head."""

    default_priority = 800

    def run(self, **_: Any) -> None:
        """Mark such tables; the style sheet shows the names on a phone alone."""
        for table in self.document.findall(nodes.table):
            lines = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
            texts = [[" ".join(cell.astext().split()) for cell in cells] for cells in lines]
            spans = any(len(cells) != len(texts[0]) for cells in texts[1:])
            if spans or not any(table.findall(nodes.thead)) or "card-table" in table["classes"]:
                continue
            if narrowest(texts[0], texts[1:]) <= PHONE:
                continue
            table["classes"].append("stacked")
            for cells in lines[1:]:
                for head, cell in zip(texts[0], cells, strict=True):
                    if head and cell.children and isinstance(cell[0], nodes.paragraph):
                        cell[0].insert(0, nodes.inline("", f"{head}: ", classes=["stacked-name"]))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_post_transform(Stack)
    return about()
