"""A worksheet for each chapter, one A4 page: what to predict, what came out, two exercises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press import chapters, policies
from book.press.markdown import blocks_html, line_html, unlinked
from book.press.render import fill
from book.press.site import about, when_built

CLAIM = re.compile(r"^- \*\*([A-Z]\d)\.\*\* (.*)$", re.M)
PREDICT = re.compile(r"^> \*\*Predict before you run\.\*\* ?(.*(?:\n>.*)*)", re.M)
EXERCISE = re.compile(r"^### (Exercise [12] [^\n]*)\n\n(.*?)(?=\n\n\*\*Check)", re.M | re.S)


def sheet(chapter: chapters.ChapterFacts) -> dict[str, Any]:
    """Return what stands on a chapter's worksheet, as HTML."""
    text = chapters.markdown_of(chapter.name)
    predict = [part.replace("\n>", "\n") for part in PREDICT.findall(text)]
    return {
        "number": chapter.number, "title": chapter.title, "hook": line_html(chapter.hook),
        "claims": [(name, line_html(words)) for name, words in CLAIM.findall(text)],
        "predict": [blocks_html(unlinked(part)) for part in predict],
        "exercises": [(title, blocks_html(unlinked(words)))
                      for title, words in EXERCISE.findall(text)],
    }  # fmt: skip


def write_worksheets(site: Path) -> None:
    """Write the page that holds all of them; each is printed on a page of its own."""
    html = fill("site/templates/worksheets.html", policy=policies.meta(policies.SITE),
                sheets=[sheet(chapter) for chapter in chapters.in_order()])  # fmt: skip
    (site / "book" / "worksheets.html").write_text(html, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    when_built(app, write_worksheets)
    return about()
