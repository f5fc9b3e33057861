"""What a page says of itself in its head: a description, a link card, a security policy."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from book.press import address, policies
from book.press.site import about, cover, when_built

CARD = "_static/card.png"


def description(title: str, doctree: nodes.document | None) -> str:
    """Return a page's first sentence or two."""
    text = ""
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else ():
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            break
    text = text or f"{title}: Static vs. Dynamic AI Models"
    return text if len(text) <= 158 else text[:155].rsplit(" ", 1)[0] + " …"


def on_config(app: Sphinx, config: Any) -> None:
    """Say what is on all link cards (Open Graph): where the site is, and a picture."""
    config.ogp_site_url = address.site()
    config.ogp_site_name = "Static vs. Dynamic AI Models"
    config.ogp_image, config.ogp_image_alt = address.site() + CARD, cover.ALT
    config.ogp_custom_meta_tags = ['<meta name="twitter:card" content="summary_large_image" />']
    config.ogp_enable_meta_description = False  # its own would begin with headings and claims


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Add a page's description and policy to its head, and its own words to its link card."""
    text = escape(description(str(context.get("title", page)), doctree))
    if doctree is not None:
        kind = "website" if page == "book/index" else "article"
        own = {"og:type": kind, "og:description": text}
        context["meta"] = (context["meta"] or {}) | own
    tags = context.get("metatags", "")
    if 'name="description"' not in tags:
        tags += f'<meta name="description" content="{text}" />\n'
    context["metatags"] = f"{tags}{policies.meta(policies.SITE)}\n"


def put_card(site: Path) -> None:
    """Draw the picture on the card."""
    if not (site / CARD).exists():
        cover.card(site / CARD)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", on_config, priority=100)
    app.connect("html-page-context", describe, priority=400)  # before the cards are written
    when_built(app, put_card)
    return about()
