"""Slides of verdicts: the outcome, and its evidence in tables, each difference against zero."""

from __future__ import annotations

import itertools
from html import escape
from typing import Any

from book.press.slides.cells import HIGH, heading, markdown_cell
from book.press.slides.deck import Deck
from book.press.slides.words import MOST_WORDS, count
from companion import claims


def add_verdict(deck: Deck, record: dict[str, Any]) -> None:
    """Add the verdict on a claim, then its evidence."""
    claim, outcome = record["claim"], record["outcome"]
    items = [claims.Evidence(**item) for item in record["evidence"]]
    lead, _, rest = outcome.partition(" when ")
    words = f"{lead} when …" if rest else outcome
    more = f'\n<p class="when">… {escape(rest)}.</p>' if rest else ""
    says = record["heard"]
    split = [f"{says.count(kind)} {kind}" for kind in claims.WORDS if kind in says]
    slide = deck.add("verdict", f"The verdict on {claim}", markdown_cell(
        f'<h2><span class="id">{claim}</span> {escape(claims.CLAIMS[claim].text)}</h2>\n'
        f'<p class="outcome {outcome.split()[0]}">{escape(words.capitalize())}</p>{more}'
        f'\n<p class="tally">{len(items)} measurements: {", ".join(split)}</p>'
    ))  # fmt: skip
    if rest:
        slide.say.append("**The condition** is the author's reading of the pieces.")
    slide.say.append(f"**What would change it:** {record['would_change']}")
    tables = in_tables(items)
    words = iter(says)
    for k, rows in enumerate(tables, 1):
        title = f"{claim}: the evidence" + (f", {k} of {len(tables)}" if len(tables) > 1 else "")
        table = evidence_table(rows, list(itertools.islice(words, len(rows))))
        deck.add("evidence", title, heading(title), markdown_cell(table))


def in_tables(items: list[claims.Evidence]) -> list[list[claims.Evidence]]:
    """Divide evidence over as few slides as will hold it, as evenly as they can."""

    def fits(some: list[claims.Evidence]) -> bool:
        height = sum(24 + 35 * max(2, -(-len(item.what) // 27)) for item in some)
        words = sum(count(f"{item.what} {item.unit}") for item in some)
        return height <= HIGH - 70 and words <= MOST_WORDS - 4

    for wanted in range(1, len(items)):
        ends = [round(k * len(items) / wanted) for k in range(wanted + 1)]
        tables = [items[a:b] for a, b in itertools.pairwise(ends)]
        if all(map(fits, tables)):
            return tables
    return [[item] for item in items]


def evidence_table(items: list[claims.Evidence], says: list[str]) -> str:
    """Return evidence as a table, each item with its interval drawn against zero.

    What an item says is what it says when all are heard together.

    The items have units of their own, so each is drawn to its own scale: a picture of direction
    and of doubt, not of size.
    """
    rows = []
    for item, word in zip(items, says, strict=True):
        numbers = (item.value, item.low, item.high)
        scale = 112 / (max(map(abs, numbers)) or 1)
        at, a, b = (f"{125 + scale * x:.1f}" for x in numbers)
        value, low, high = item.shown()
        unit = f" {escape(item.unit)}" if item.unit else ""
        rows.append(
            f'<tr class="{word}"><th scope="row">{escape(item.what)}</th>'
            '<td><svg viewBox="0 0 250 40" aria-hidden="true">'
            '<line class="zero" x1="125" x2="125" y1="2" y2="38"/>'
            f'<line class="range" x1="{a}" x2="{b}" y1="20" y2="20"/>'
            f'<circle cx="{at}" cy="20" r="9"/></svg></td>'
            f"<td>{value}{unit}<br>({low} to {high})</td>"
            f'<td class="says">{word}</td></tr>'
        )
    head = (
        '<tr><th scope="col">Difference</th><th scope="col"><span class="unseen">Picture: </span>'
        'against ◂ ▸ for</th><th scope="col">and 95 % interval</th><th scope="col">speaks</th></tr>'
    )
    return f'<table class="evidence"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'
