"""What the page for teachers offers: decks, archives of notebooks, the question bank's files."""

from __future__ import annotations

from book.press import chapters
from book.press.course.bank import FILES, FOLDER
from book.press.markdown import raw_html
from book.press.render import fill


def slide_decks() -> str:
    """Return the decks as a table: to show, to print, to print with the speaker's notes."""
    return raw_html(fill("course/templates/slide_decks.html", chapters=chapters.in_order()))


def course_downloads() -> str:
    """Return the links to the archives of notebooks."""
    return raw_html(
        '<ul><li><a href="../course/static-vs-dynamic-student.zip">The students’ notebooks</a> '
        "(zip): an empty cell for each solution, a link to it in the book, no outputs; and the six "
        "assignments as they are handed out.</li>"
        '<li><a href="../course/static-vs-dynamic-instructor.zip">The instructor’s notebooks</a> '
        "(zip): solutions unfolded, outputs stored, all slides; and the assignments with "
        "solutions, hidden tests and sample answers.</li></ul>"
    )


def bank_downloads() -> str:
    """Return the two files of the question bank as links."""
    items = "".join(
        f'<li><a href="../{FOLDER}/{FILES[kind]}" download>{words}</a></li>'
        for kind, words in (
            ("moodle", "The bank for Moodle (Moodle XML)"),
            ("qti", "The bank for other systems (QTI 2.1, a zip file)"),
        )
    )
    return raw_html(f"<ul>{items}</ul>")
