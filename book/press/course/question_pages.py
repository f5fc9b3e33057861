"""The question bank on the site: counted by chapter, and every question with its feedback."""

from __future__ import annotations

from collections import Counter

from book.press import chapters
from book.press.course import questions
from book.press.markdown import raw_html, table
from book.press.render import fill


def bank_overview() -> str:
    """Return how many questions each chapter has, by level, as a Markdown table."""
    rows = []
    for chapter in [*chapters.in_order(), None]:
        some = [q for q in questions.bank() if chapter is None or q.chapter == chapter.number]
        name = "**all**"
        if chapter:
            name = f"[{chapter.number}. {chapter.title}](#bank-{chapter.number})"
        levels = Counter(q.level for q in some)
        in_quiz = sum(q.in_quiz for q in some)
        rows.append([name, in_quiz, len(some) - in_quiz, *(levels[n] for n in questions.LEVELS)])
    head = ["Chapter", "in its quiz", "only here", "level 1", "2", "3"]
    return table("columns bank-counts", "lrrrrr", head, rows)


def question_bank() -> str:
    """Return the bank as Markdown: a filter that a script fills, then every question."""
    lines = [raw_html('<form class="bank-filter" data-bank-filter hidden></form>'), ""]
    for chapter in chapters.in_order():
        cards = fill(
            "course/templates/bank_cards.html", outcomes=questions.outcomes(),
            levels=questions.LEVELS, bank=questions.of_chapter(chapter.number),
        )  # fmt: skip
        lines += [f"(bank-{chapter.number})=", f"### {chapter.number}. {chapter.title}", "",
                  raw_html(cards), ""]  # fmt: skip
    return "\n".join(lines)
