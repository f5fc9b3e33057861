"""Slides from a chapter's Markdown: the prediction as a poll, quiz questions, the summary."""

from __future__ import annotations

import re

from book.press.course.questions import questions_in
from book.press.slides.cells import heading, markdown_cell
from book.press.slides.deck import Deck
from book.press.slides.words import (
    MOST_WORDS,
    asks,
    count,
    in_lots,
    inline,
    joined,
    sentences,
    words_of,
)  # fmt: skip

CLICKERS = 3


def read_prose(deck: Deck, text: str) -> None:
    """Take headings, the prediction and paragraphs from a Markdown cell."""
    for block in re.split(r"\n\n+", text.strip()):
        title = re.match(r"(##+) (.*)", block)
        if title:
            level, name = title.groups()
            if name == "Quiz":
                add_quiz(deck, text)
            deck.give_prose()
            deck.subsection = words_of(name) if len(level) > 2 else ""
            if len(level) == 2:
                deck.section, deck.section_begins = words_of(name), True
            deck.heading_since = True
        elif block.startswith("> **Predict before you run.**"):
            add_poll(deck, " ".join(line.lstrip("> ") for line in block.splitlines()))
        elif deck.section == "Summary" and not block.startswith("**"):
            add_summary(deck, block)
        elif deck.section not in ("Quiz", "Exercises", "Summary"):
            if not block.startswith(("> **Derivation", "<", "|", "```")):
                deck.prose.append(words_of(block))


def add_poll(deck: Deck, text: str) -> None:
    """Add the prediction: first the situation, then the questions, both short enough to read."""
    parts = sentences(words_of(text.removeprefix("**Predict before you run.**").strip()))
    asked = [k for k, sentence in enumerate(parts) if asks(sentence)]
    begin, end = asked[0], asked[-1] + 1
    before, after = parts[:begin], parts[end:]
    if count(" ".join(before)) < 4:  # "Three questions."
        before = []
    most, numbered = MOST_WORDS - 4, list(enumerate(joined(parts[begin:end]), 1))
    if count(" ".join(parts[:end])) <= most:
        blocks = [paragraph(before) + question_list(numbered)]
    else:
        blocks = [paragraph(lot) for lot in in_lots(before, most)]
        blocks += [
            question_list(lot) for lot in in_lots(numbered, most + 5, text=lambda pair: pair[1])
        ]
    deck.give_prose()
    deck.heading_since = True
    title = "Predict before you run"
    for block in blocks:
        slide = deck.add("poll", title, heading(title), markdown_cell(block), minutes=1)
    slide.minutes = 2 if len(blocks) > 1 else 3
    slide.say += after
    slide.ask = ["Everybody writes down an answer before anybody speaks. Then show of hands."]
    deck.heading_since = True  # what follows leads on, it does not explain the poll


def paragraph(parts: list[str]) -> str:
    """Return sentences as a paragraph; nothing, if there are none."""
    return f"<p>{inline(' '.join(parts))}</p>" if parts else ""


def question_list(numbered: list[tuple[int, str]]) -> str:
    """Return numbered questions as a list that goes on from the slide before."""
    items = "".join(f"<li>{inline(text)}</li>" for _, text in numbered)
    return f'<ol start="{numbered[0][0]}">{items}</ol>'


def add_quiz(deck: Deck, text: str) -> None:
    """Add the shortest questions as clickers: the answer comes with the next key."""
    sizes = []
    for k, (asked, answers) in enumerate(questions_in(text)):
        words = count(words_of(asked)) + sum(count(answer.text) + 1 for answer in answers)
        sizes.append((words, k, words_of(asked), answers))
    deck.begin("Quiz")
    for _, _, asked, answers in sorted(sorted(sizes)[:CLICKERS], key=lambda row: row[1]):
        items, notes = [], []
        for letter, answer in zip("ABCDEFGH", answers, strict=False):
            tick = '<span class="fragment tick" data-fragment-index="0">right</span>'
            item = '<li class="fragment right" data-fragment-index="0">' if answer.right else "<li>"
            item += f"<b>{letter}</b> <span>{inline(answer.text)}</span>"
            items.append(item + (tick if answer.right else "") + "</li>")
            notes.append(f"**{letter}.** {words_of(answer.feedback)}")
        slide = deck.add("quiz", asked, heading(asked),
                         markdown_cell(f"<ol>{''.join(items)}</ol>"))  # fmt: skip
        slide.say = notes
        slide.ask = ["Show of hands, letter by letter. One voice for each answer, then the key."]
    deck.prose = []


def add_summary(deck: Deck, text: str) -> None:
    """Add the summary, sentence by sentence."""
    deck.prose = []
    lines = sentences(words_of(text))
    for k, line in enumerate(lines, 1):
        title = f"Summary, {k} of {len(lines)}"
        deck.add("summary", title, heading(title, unseen=True), markdown_cell(line))
