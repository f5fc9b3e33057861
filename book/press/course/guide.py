"""What the instructor's guide says of each chapter, read from the chapters themselves."""

from __future__ import annotations

from book.press import chapters
from book.press.chapters import ChapterFacts
from book.press.course import questions
from book.press.markdown import raw_html, table
from book.press.render import fill
from companion import claims


def goals(chapter: ChapterFacts) -> dict[str, str]:
    """Return what a student can do after a chapter, by number."""
    first = f"{chapter.number}."
    return {name: text for name, text in questions.outcomes().items() if name.startswith(first)}


def glance(chapter: ChapterFacts) -> str:
    """Return a chapter at a glance: minutes, claims with their verdicts, outcomes, figures."""
    return raw_html(fill(
        "course/templates/glance.html", chapter=chapter, claims=claims.CLAIMS,
        goals=goals(chapter), bank=questions.of_chapter(chapter.number),
        outcomes={r["claim"]: r["outcome"] for r in chapters.recorded(chapter.name)},
        figures=[(place, title) for place, title, _, _ in chapters.figures(chapter.name)],
    ))  # fmt: skip


def course_outcomes() -> str:
    """Return all outcomes, their claims and how many questions test them, as a Markdown table."""
    rows: list[list[object]] = []
    for chapter in chapters.in_order():
        tested = ", ".join(f"{{ref}}`{c} <claim-{c.lower()}>`" for c in chapter.claims)
        title = f"**[{chapter.title}](../notebooks/{chapter.name}.ipynb)**, claims {tested}"
        rows.append([f"**{chapter.number}**", title, ""])
        rows += [
            [name, text, sum(q.outcome == name for q in questions.bank())]
            for name, text in goals(chapter).items()
        ]
    return table("columns outcomes", "llr", ["No.", "Afterwards a student can", "Asked"], rows)
