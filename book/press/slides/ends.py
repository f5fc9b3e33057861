"""How a deck begins and ends: title and claims; what to do at home, and what comes next."""

from __future__ import annotations

import re
from html import escape

import nbformat

from book.press import chapters
from book.press.slides.cells import heading, markdown_cell
from book.press.slides.deck import Deck
from book.press.slides.words import MOST_WORDS, count, questions, sentences, words_of
from companion import claims


def add_title(deck: Deck, head: str) -> None:
    """Add the title and the claims; hook and objectives, from a chapter's first cell, to say."""
    chapter, texts = (
        deck.chapter,
        {claim: claims.CLAIMS[claim].text for claim in deck.chapter.claims},
    )
    listed = "".join(
        f'<li><span class="id">{claim}</span> <span>{escape(text)}</span></li>'
        for claim, text in texts.items()
    )
    hook, words = "", 6 + count(" ".join([chapter.title, *texts.values()]))
    for sentence in sentences(chapter.hook):
        if words + count(f"{hook} {sentence}") > MOST_WORDS:
            break
        hook = f"{hook} {sentence}".strip()
    where = f"Chapter {chapter.number} of {len(chapters.in_order())} · {chapter.part}"
    deck.section = "Claims under test"
    slide = deck.add("title", chapter.title, markdown_cell(
        f'<p class="number">{escape(where)}</p>\n<h1>{escape(chapter.title)}</h1>\n'
        f'<p class="hook">{escape(hook)}</p>\n'
        f"<ul>{listed}</ul>"
    ), level="slide")  # fmt: skip
    blocks = head.split("\n\n")[1:]
    slide.say = [words_of(text) for text in blocks if not text.startswith(("**", "- ", "1. "))]
    goals = re.findall(r"^\d\. (.*)$", head, re.M)
    slide.say += ["Afterwards they can " + " ".join(map(words_of, goals))]
    slide.ask = questions(slide.say)
    deck.section = ""


def add_end(deck: Deck, notebook: nbformat.NotebookNode) -> None:
    """Add what to do at home, and what comes next."""
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    kinds = re.findall(r"^### Exercise \d+ \((.*?)\)", text, re.M)
    mixed = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    address = f"../notebooks/{deck.chapter.name}.html"
    items = [f'<a href="{address}">The chapter</a>, with all its numbers',
             f'<a href="{address}#exercises">The exercises</a>: {mixed}']  # fmt: skip
    later = [chapter for chapter in chapters.in_order() if chapter.number > deck.chapter.number]
    for chapter in later[:1]:
        items.append(f'Next: <a href="{chapter.name}.html">{escape(chapter.title)}</a>')
    deck.section, deck.section_begins, deck.prose = "Exercises", True, []
    listed = "".join(f"<li>{item}</li>" for item in items)
    deck.add("end", "Now you", heading("Now you"), markdown_cell(f"<ul>{listed}</ul>"))
