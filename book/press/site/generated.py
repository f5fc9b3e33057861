"""The parts of pages that are written from chapters, data and records: ``{name}`` blocks."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press import chapters
from book.press.course import downloads, guide, hub, inventory, question_pages
from book.press.files import digest
from book.press.site import (
    about,
    claims_map,
    conditions,
    cover,
    data_cards,
    figure_index,
    foretold,
    landing,
    launch,
    ledger,
    other_worlds,
    prices,
    stories,
)
from book.press.site.long_haul import long_haul

WRITERS = (
    cover.book_cover, landing.chapter_cards, landing.claims_board, landing.book_downloads,
    ledger.claims_ledger, claims_map.claims_map, conditions.claims_conditions,
    foretold.claims_foretold, other_worlds.claims_other_worlds, prices.price_the_verdict,
    launch.own_data_links, launch.assignment_links,
    data_cards.data_cards, stories.stream_stories, long_haul,
    figure_index.figure_index, downloads.slide_decks, downloads.course_downloads,
    downloads.bank_downloads, question_pages.bank_overview, question_pages.question_bank,
    inventory.concept_inventory, guide.course_outcomes, hub.hub_links, hub.hub_pattern,
    hub.tljh_commands, hub.stick_commands, hub.stick_install, hub.measured_notebooks,
)  # fmt: skip
GENERATED = {write.__name__.replace("_", "-"): write for write in WRITERS} | {
    f"chapter-{chapter.number:02d}": functools.partial(guide.glance, chapter)
    for chapter in chapters.in_order()
}

BLOCK = re.compile(r"```\{([a-z0-9-]+)\}\n```")


@functools.cache
def part(name: str) -> str:
    """Return a generated part; it is written once in a build."""
    return GENERATED[name]()


def with_parts(text: str) -> str:
    """Return a page's text with its generated parts in their places."""
    return BLOCK.sub(lambda found: part(found[1]) if found[1] in GENERATED else found[0], text)


def outdated(app: Sphinx, env: Any, *changes: set[str]) -> list[str]:
    """Name the pages that say something else than when they were read, whatever their dates."""
    env.said = getattr(env, "said", {})
    return [
        page
        for page, said in env.said.items()
        if page in env.found_docs and said_by(env, page) != said
    ]


def said_by(env: Any, page: str) -> str:
    """Return a name for what a page says: its source as it is parsed."""
    path = Path(env.doc2path(page))
    text = path.read_text(encoding="utf-8")
    return digest([], with_parts(text) if path.suffix == ".md" else text)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Write the parts into a page before it is parsed; remember what it says."""
    if not docname.startswith("notebooks/"):
        source[0] = with_parts(source[0])
    app.env.said[docname] = said_by(app.env, docname)


def merged(app: Sphinx, env: Any, pages: set[str], other: Any) -> None:
    """Take over what pages say that another process has read."""
    env.said |= {page: other.said[page] for page in pages}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("env-get-outdated", outdated)
    app.connect("source-read", on_source_read)
    app.connect("env-merge-info", merged)
    return about()
