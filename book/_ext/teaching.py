"""What the page for teachers offers: decks, and notebooks with and without solutions."""

from __future__ import annotations

from html import escape

import pages


def decks() -> str:
    """Return the decks as a table: to show, to print, to print with the speaker's notes."""
    rows = []
    for one in pages.chapters():
        deck, title = f"../slides/{one.name}.html", escape(one.title)
        name = f'<span class="visually-hidden">{title}: </span>'
        cells = [
            f'<a href="{deck}">{title}</a>',
            f'<a href="{deck}?print-pdf">{name}print</a>',
            f'<a href="{deck}?print-pdf&amp;showNotes=separate-page">{name}with notes</a>',
        ]
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{one.number}</th>{row}</tr>')
    head = "".join(
        f'<th scope="col">{word}</th>' for word in ("No.", "Slides", "To print", "Handout")
    )
    return pages.raw_html(
        f'<table class="decks"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def downloads() -> str:
    """Return the links to the archives of notebooks."""
    return pages.raw_html(
        '<ul><li><a href="../course/static-vs-dynamic-student.zip">The students’ notebooks</a> '
        "(zip): an empty cell for each solution, a link to it in the book, no outputs; and the six "
        "assignments as they are handed out.</li>"
        '<li><a href="../course/static-vs-dynamic-instructor.zip">The instructor’s notebooks</a> '
        "(zip): solutions unfolded, outputs stored, all slides; and the assignments with "
        "solutions, hidden tests and sample answers.</li></ul>"
    )
