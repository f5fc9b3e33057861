"""Slides from a chapter's code cells: figures, tables, verdicts, knobs, and the chosen code."""

from __future__ import annotations

import re

import nbformat

from book.press.slides.cells import (
    HIGH,
    excerpt,
    few_lines,
    heading,
    html_alone,
    markdown_cell,
    printed,
    printed_cell,
    shown,
    tags,
)  # fmt: skip
from book.press.slides.deck import Deck
from book.press.slides.evidence import add_verdict
from book.press.slides.pictures import (
    picture_cell,
    picture_of,
    rows_of_panels,
    too_small,
    without_title,
)  # fmt: skip
from book.press.slides.words import MOST_WORDS, count, inline, sentences
from companion import claims


def read_code(
    deck: Deck, cells: list[nbformat.NotebookNode], n: int, chosen: dict[str, str]
) -> None:
    """Take figures, tables, verdicts and chosen code from a code cell, the n-th of all cells."""
    if chosen.get("slide_type") == "skip":
        return
    cell, title = cells[n], chosen.get("title") or deck.place
    html = shown(cell, "text/html")
    records = [out.data[claims.MIME] for out in cell.outputs if claims.MIME in out.get("data", {})]
    if records:
        for record in records:
            add_verdict(deck, record)
    elif shown(cell, "image/png"):
        add_figures(deck, cell)
    elif "companion-frames" in html:
        name = re.search(r'aria-label="([^"]*)"', html)[1].lower()
        seen = re.search(r"<figcaption>(.*?)</figcaption>", html, re.S)[1]
        moving = f"Moving figure: {name}"
        deck.add("moving", moving, heading(moving, unseen=True), html_alone(cell), seen=seen)
    elif "knob" in tags(cell):
        add_knobs(deck, cell)
    elif "companion-table" in html and (chosen.get("show") == "output" or not deck.has_table):
        deck.has_table = True
        pad = min(14, (HIGH / (2 + html.count("<tr>")) - 37) / 2)
        deck.add("table", title, heading(title), html_alone(cell), style=f"--pad: {pad:.0f}px")
    elif chosen.get("show") == "output":
        add_output(deck, cell, title)
    elif chosen:
        add_code(deck, cell, chosen.get("show", ""), title)
    elif deck.section == "When the other side wins" and deck.section_begins:
        if prints_last_of_section(cells, n):
            add_output(deck, cell, title)


def prints_last_of_section(cells: list[nbformat.NotebookNode], n: int) -> bool:
    """Tell whether a cell printed some, and no figure or table follows it in its section."""
    for later in cells[n + 1 :]:
        if later.cell_type == "markdown" and re.search(r"^## ", later.source, re.M):
            break
        if re.search("image/png|companion-frames|companion-table", str(later.get("outputs"))):
            return False
    return bool(printed(cells[n]))


def add_figures(deck: Deck, cell: nbformat.NotebookNode) -> None:
    """Add figures with their findings; where words would be small, their rows once more, larger."""
    for out in cell.outputs:
        if "image/png" not in out.get("data", {}):
            continue
        about = out.metadata["image/png"]
        picture = without_title(picture_of(out))
        deck.add("figure", about["title"], heading(about["title"]),
                 picture_cell(picture, about["alt"]), seen=about["alt"])  # fmt: skip
        if too_small(picture):
            rows = zip(("upper", "lower"), rows_of_panels(picture), strict=False)
            for name, row in rows:
                alt = f"The {name} row of the same picture, larger. {about['alt']}"
                deck.add("zoom", about["title"], heading(about["title"]),
                         picture_cell(row, alt), seen=f"The {name} row, larger.")  # fmt: skip


def add_code(deck: Deck, cell: nbformat.NotebookNode, show: str, title: str) -> None:
    """Add the lines that matter; what they print comes with the next key."""
    source = excerpt(cell.source, show) if show else cell.source
    text = "" if source.startswith(("def ", "class ")) and show else few_lines(cell)
    parts = [heading(title), nbformat.v4.new_code_cell(source)]
    if text:
        parts.append(printed_cell(text, "fragment"))
    deck.add_code("code", title, parts, *filter(None, (source, text)))


def add_output(deck: Deck, cell: nbformat.NotebookNode, title: str) -> None:
    """Add what a cell printed."""
    text = printed(cell) or shown(cell, "text/plain")
    deck.add_code("output", title, [heading(title), printed_cell(text)], text)


def add_knobs(deck: Deck, cell: nbformat.NotebookNode) -> None:
    """Add the numbers to turn, live."""
    lines = cell.source.split("\n\n")[0].rstrip()
    title = "Turn the knobs"
    tries = [line for text in deck.prose for line in re.findall(r"^\d\. (.*)$", text, re.M)]
    short = [sentences(line)[0] for line in tries]
    parts = [heading(title), nbformat.v4.new_code_cell(lines)]
    if short and count(" ".join(short)) <= MOST_WORDS:
        listed = "".join(f"<li>{inline(line)}</li>" for line in short)
        parts.append(markdown_cell(f"<ol>{listed}</ol>"))
    deck.add_code("knobs", title, parts, lines)
