"""The few pieces of HTML that tables, verdicts and reports share."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def table(cells: Sequence[Sequence[str]], *, caption: str, notes: Sequence[str] = ()) -> str:
    """Return an accessible table: the first row holds headings, the first column row headings.

    Examples
    --------
    >>> table([["who", "error"], ["frozen", "3"]], caption="Errors")[:29]
    '<table class="companion-table'
    """
    head, *body = cells
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    rows = []
    for first, *rest in body:
        values = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        rows.append(f'<tr><th scope="row">{escape(first)}</th>{values}</tr>')
    return (
        f'<table class="companion-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        + "".join(f"<p>{escape(note)}</p>" for note in notes)
    )
