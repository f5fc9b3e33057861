"""Words for slides: sentences, questions, and how many of them a slide holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from book.press.markdown import line_html, unlinked

MOST_WORDS = 45
ASKS = re.compile(
    r"((And|But|Or|So) )?(\w+ ){0,2}(who|whose|what|which|how|when|where|why|will|would|does|do|"
    r"did|is|are|was|were|can|could|should|must|has|have|may)\b",
    re.I,
)


def words_of(markdown: str) -> str:
    """Return a paragraph for the notes: links become their words, other marks stay."""
    return unlinked(markdown).strip()


def inline(markdown: str) -> str:
    """Return a line of a chapter's Markdown, which may hold HTML, as HTML for a slide."""
    return line_html(markdown, html=True)


def sentences(text: str) -> list[str]:
    """Split a paragraph into its sentences.

    >>> sentences('Who wins, "as now"? Ben, or *no change*? Write.')
    ['Who wins, "as now"?', 'Ben, or *no change*?', 'Write.']
    """
    parts = re.split(r"(?<=[.?!]) (?=[A-Z*\"$`])|(?<=[.?!][\"”*]) (?=[A-Z*\"$`])", text)
    return [part for part in map(str.strip, parts) if part]


def asks(sentence: str) -> bool:
    """Tell whether a sentence ends as a question does."""
    return sentence.rstrip('*"”').endswith("?")


def questions(paragraphs: list[str]) -> list[str]:
    """Return the questions that stand in some prose."""
    return [line for text in paragraphs for line in sentences(text) if asks(line)]


def count(text: str) -> int:
    """Return the number of words; numbers are none.

    >>> count("two of 3 *words*")
    3
    """
    return len(re.findall(r"\S*[^\W\d_]\S*", text))


def in_lots(parts: list, most: int, text: Callable[[Any], str] = str) -> list[list]:
    """Divide sentences, in order, into lots of no more than so many words each.

    >>> in_lots(["One two.", "Three.", "Four."], 3)
    [['One two.', 'Three.'], ['Four.']]
    """
    lots: list[list] = []
    for sentence in parts:
        if lots and count(" ".join(map(text, [*lots[-1], sentence]))) <= most:
            lots[-1].append(sentence)
        else:
            lots.append([sentence])
    return lots


def joined(parts: list[str]) -> list[str]:
    """Join what does not ask to the question after it, and bare answers to the one before.

    >>> joined(["How much?", "The same, or more?", "It stops.", "Who wins?"])
    ['How much? The same, or more?', 'It stops. Who wins?']
    """
    whole, held = [], ""
    for sentence in parts:
        held = f"{held} {sentence}".strip()
        if not asks(sentence):
            continue
        led = ASKS.match(sentence) or sentence.startswith(("And", "But", "Then"))
        if whole and held == sentence and not led:
            whole[-1] += f" {sentence}"
        else:
            whole.append(held)
        held = ""
    return whole
