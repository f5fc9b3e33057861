"""The parts of pages that are written from chapters, data and records: ``{name}`` blocks."""

from __future__ import annotations

import functools
from typing import Any

from sphinx.application import Sphinx

from book.press import chapters
from book.press.course import downloads, guide, hub, inventory, question_pages
from book.press.site import (
    about,
    claims_map,
    cover,
    data_cards,
    figure_index,
    landing,
    ledger,
    prices,
    stories,
)
from book.press.site.long_haul import long_haul

WRITERS = (
    cover.book_cover, landing.chapter_cards, landing.claims_board, landing.book_downloads,
    ledger.claims_ledger, claims_map.claims_map, prices.price_the_verdict,
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


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Write the parts into a page before it is parsed."""
    for name, write in GENERATED.items() if not docname.startswith("notebooks/") else ():
        block = f"```{{{name}}}\n```"
        if block in source[0]:
            source[0] = source[0].replace(block, write())
            app.env.note_reread()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("source-read", on_source_read)
    return about()
