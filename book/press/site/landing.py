"""The landing page: the cards of the chapters, the board of claims, the ways to take it along."""

from __future__ import annotations

import os

from book.press import chapters
from book.press.markdown import raw_html
from book.press.places import phone_picture
from book.press.render import fill
from book.press.site import figure_index, ledger
from companion import claims


def chapter_cards() -> str:
    """Return a card for each chapter, by part, as HTML: its first figure, minutes, verdicts."""
    pictures, verdicts = {}, {}
    for name in (chapter.name for chapter in chapters.in_order()):
        _, title, _, data = next(chapters.figures(name))
        narrow = phone_picture(data)
        if narrow.is_file():  # its letters are large enough for a card
            data = narrow.read_bytes()
        path, width, height = figure_index.thumbnail(data, f"{name}-1")
        pictures[name] = {"path": path, "width": width, "height": height, "title": title}
        kinds = [(one["claim"], ledger.kind(one["outcome"])) for one in chapters.recorded(name)]
        verdicts[name] = [(claim, kind, ledger.KINDS[kind]) for claim, kind in kinds]
    return raw_html(fill("site/templates/chapter_cards.html", chapters=chapters.in_order(),
                         pictures=pictures, verdicts=verdicts))  # fmt: skip


def claims_board() -> str:
    """Return the 21 claims as a board of cells, coloured and worded as the ledger has them."""
    verdicts = chapters.verdicts()
    cells = []
    for claim in claims.CLAIMS.values():
        records = verdicts.get(claim.id, [])
        words = "not yet tested"
        if records:
            only = records[0][1]["outcome"].replace(";", ",").split(",")[0]
            words = ledger.standing(records) if len(records) > 1 else only
        cells.append((claim, ledger.overall(records) if records else "open", words))
    return raw_html(fill("site/templates/claims_board.html", cells=cells))


def book_downloads() -> str:
    """Return the ways to take the book along; the PDF only where ``make pdf`` will print it."""
    ways = ['<a href="print.html">The whole book on one page</a>, to print or to keep']
    if os.environ.get("BOOK_PDF") == "1":
        ways.append('<a href="../static-vs-dynamic.pdf">The whole book as a PDF</a>')
    return raw_html(f"<ul>{''.join(f'<li>{way}</li>' for way in ways)}</ul>")
