"""What a published site needs beside its pages: link cards, sitemap, 404, the book on one page."""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import cover
import policies
import yaml
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
CARD = "_static/card.png"
NOT_PRINTED = ("book/teach_questions",)  # its questions stand in the chapters, or in no book


def address() -> str:
    """Return the site's public address, as GitHub Pages derives it from the repository's.

    >>> address().startswith("https://") and address().endswith("/")
    True
    """
    config = yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))
    owner, name = urlsplit(config["repository"]["url"]).path.strip("/").split("/")
    return f"https://{owner}.github.io/{name}/"


def social_tags(page: str, title: str, description: str) -> str:
    """Return the tags by which other sites show a card for a link (Open Graph)."""
    shown = {
        "og:type": "website" if page == "book/index" else "article",
        "og:site_name": "Static vs. Dynamic AI Models",
        "og:title": title,
        "og:description": description,
        "og:url": f"{address()}{page}.html",
        "og:image": address() + CARD,
        "og:image:alt": cover.ALT,
    }
    tags = [
        f'<meta property="{name}" content="{escape(value, quote=True)}" />'
        for name, value in shown.items()
    ]
    return "\n".join([*tags, '<meta name="twitter:card" content="summary_large_image" />', ""])


def toc_pages() -> list[str]:
    """Return the book's pages in reading order."""
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    parts = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *parts]


def write_sitemap(site: Path) -> None:
    """Write the list of pages that search engines read, and where to find it."""
    lines = [f"<url><loc>{address()}{page}.html</loc></url>" for page in toc_pages()]
    body = "\n".join(lines)
    (site / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{body}\n</urlset>\n',
        encoding="utf-8",
    )
    (site / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {address()}sitemap.xml\n", encoding="utf-8"
    )


LOST = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8">{policy}<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Page not found: Static vs. Dynamic AI Models</title>
<meta name="description" content="There is no such page in the book. Here is the way back.">
<style>
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1rem;
  color: #1f2a37; background: #fbfaf7; }}
a {{ color: #00568a; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6e8eb; background: #171d26; }} a {{ color: #7cc4ee; }} }}
</style></head>
<body><main><h1>This page has moved, or never was</h1>
<p>The map in your link is yesterday’s. <a id="home" href="{root}index.html">Go to the book’s first page</a>,
or <a id="search" href="{root}search.html">search the book</a>.</p></main>
<script>
// The server may show this page at any depth: find the book's own folder.
const known = "{root}", path = location.pathname;
const root = location.hostname.endsWith(".github.io") ? known : path.replace(/(book|notebooks|slides|course)\\/[^/]*$/, "").replace(/[^/]*$/, "");
document.getElementById("home").href = root + "index.html";
document.getElementById("search").href = root + "search.html";
</script></body></html>
"""  # noqa: E501


def write_lost_page(site: Path) -> None:
    """Write the page that a server shows for an address that is not there."""
    root = urlsplit(address()).path
    (site / "404.html").write_text(
        LOST.format(root=root, policy=policies.meta(policies.SITE)), encoding="utf-8"
    )


def write_print_page(site: Path) -> None:
    """Write the whole book on one page, without anything that moves, for printing and keeping."""
    parts = []
    for page in printed_pages():
        html = (site / f"{page}.html").read_text(encoding="utf-8")
        article = BeautifulSoup(html, "html.parser").select_one("article.bd-article")
        parts.append(
            f'<section class="print-page" id="{slug(page)}">{one_page(article, page)}</section>'
        )
    notebook_style = next((site / "_static").glob("mystnb.*css")).name  # its name holds a digest
    head = (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"{policies.meta(policies.SITE)}"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Static vs. Dynamic AI Models: the whole book</title>"
        '<meta name="description" content="All chapters on one page, to print or to keep.">'
        '<meta name="robots" content="noindex">'
        '<link rel="stylesheet" href="../_static/styles/pydata-sphinx-theme.css">'
        '<link rel="stylesheet" href="../_static/styles/sphinx-book-theme.css">'
        '<link rel="stylesheet" href="../_static/pygments.css">'
        f'<link rel="stylesheet" href="../_static/{notebook_style}">'
        '<link rel="stylesheet" href="../_static/book.css">'
        '</head><body class="print-book"><main class="bd-article">'
    )
    text = head + "\n".join(parts) + "</main></body></html>"
    (site / "book" / "print.html").write_text(text, encoding="utf-8")


def printed_pages() -> list[str]:
    """Return the pages that the book on one page holds."""
    return [page for page in toc_pages() if page not in NOT_PRINTED]


def slug(page: str) -> str:
    """Return a page's name as it stands in an id.

    >>> slug("book/claims")
    'book-claims'
    """
    return page.replace("/", "-")


def one_page(article: Any, page: str) -> str:
    """Return an article fit to stand among others: own ids, links inside the one page."""
    drawing = ".tag_hide-input > details"
    for tag in article.select(f"script, .headerlink, .controls, button, nav, progress, {drawing}"):
        tag.decompose()
    for tag in article.select("[id]"):
        tag["id"] = f"{slug(page)}--{tag['id']}"
    for tag in article.select("details"):
        tag["open"] = ""
    for tag in article.select("[href], [src]"):
        name = "href" if tag.has_attr("href") else "src"
        if re.match(r"[a-z]+:", tag[name]):
            continue
        target, anchor = urldefrag(urljoin(f"/{page}.html", tag[name]))
        there = target.lstrip("/").removesuffix(".html")
        if name == "href" and there in printed_pages():
            tag[name] = f"#{slug(there)}--{anchor}" if anchor else f"#{slug(there)}"
        else:
            tag[name] = "../" + target.lstrip("/") + (f"#{anchor}" if anchor else "")
        if name == "src":
            tag["loading"] = "eager"
    return article.decode_contents()


def downloads() -> str:
    """Return the ways to take the book along; the PDF only where ``make pdf`` will print it."""
    ways = ['<a href="print.html">The whole book on one page</a>, to print or to keep']
    if os.environ.get("BOOK_PDF") == "1":
        ways.append('<a href="../static-vs-dynamic.pdf">The whole book as a PDF</a>')
    items = "".join(f"<li>{way}</li>" for way in ways)
    return f"```{{raw}} html\n<ul>{items}</ul>\n```"


def write_extras(app: Sphinx) -> None:
    """Write all of it into the built site."""
    site = Path(app.outdir)
    write_sitemap(site)
    write_lost_page(site)
    write_print_page(site)
    if not (site / CARD).exists():
        cover.card(site / CARD)
