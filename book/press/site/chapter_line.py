"""The line under a chapter's title: its place in the book, minutes, slides and quiz."""

from __future__ import annotations

import functools
import json
import math
from html import escape
from typing import Any

from sphinx.application import Sphinx

from book.press import chapters
from book.press.checks import measure
from book.press.course import questions
from book.press.site import about, ledger

SWITCH = (
    '<p class="code-switch" role="group" aria-label="How much code">'
    '<button type="button" class="book-button" data-code="story" aria-pressed="false">'
    "Story: no code</button>"
    '<button type="button" class="book-button" data-code="code" aria-pressed="false">'
    "Code: all of it</button></p>"
)


@functools.cache
def measured() -> dict[str, dict[str, float]]:
    """Return what was measured of each notebook, by ``make measure``."""
    return json.loads(measure.RECORD.read_text(encoding="utf-8"))["notebooks"]


def in_fives(seconds: float) -> int:
    """Return seconds rounded up to five.

    >>> in_fives(10.1)
    15
    """
    return 5 * math.ceil(seconds / 5)


def running_time(name: str) -> str:
    """Return how long a chapter's code takes, here and in the lab; "" if it was not measured."""
    found = measured().get(name)
    if not found:
        return ""
    lab = "longer in a browser"
    if "lab_seconds" in found:
        lab = f"{in_fives(found['lab_seconds'])} in the lab"
    return f", {in_fives(found['seconds'])} seconds to run, {lab}"


def place_chapter(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Write the line."""
    chapter = chapters.facts(page.removeprefix("notebooks/"))
    if chapter is None:
        return
    count = len(chapters.in_order())
    asked = [{"id": q.id, "outcome": q.outcome}
             for q in questions.of_chapter(chapter.number) if q.in_quiz]  # fmt: skip
    line = (
        f'<p class="chapter-line" data-chapter="{chapter.name}" '
        f'data-quiz="{escape(json.dumps(asked))}">'
        f"Chapter {chapter.number} of {count} · {chapter.part} · {chapter.minutes} minutes to "
        f"read{running_time(chapter.name)} · "
        f'<a href="../slides/{chapter.name}.html">Slides</a>'
        f'<progress value="{chapter.number}" max="{count}" aria-hidden="true"></progress></p>'
        f"\n{SWITCH}"
    )
    body = context["body"].replace("</h1>", f"</h1>\n{line}", 1)
    context["body"] = ledger.with_standing(body, chapter.name)
    app.add_js_file("quiz.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", place_chapter)
    return about()
