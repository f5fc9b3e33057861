"""The whole book on one page, without anything that moves, for printing and keeping."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from book.press import chapters, policies
from book.press.site import about, when_built

NOT_PRINTED = ("book/teach_questions",)  # its questions stand in the chapters, or in no book


def keep_article(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Keep what a page says, as the book on one page shows it, when the page is written."""
    if page in printed_pages():
        article = BeautifulSoup(context["body"], "html.parser")
        path = kept(app, page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one_page(article, page), encoding="utf-8")


def kept(app: Sphinx, page: str) -> Path:
    """Return where a page's article is kept: with what else Sphinx keeps of it."""
    return Path(app.doctreedir) / "printed" / f"{slug(page)}.html"


def write_print_page(app: Sphinx, site: Path) -> None:
    """Write the page, made of the articles of all pages."""
    text = app.builder.templates.render("print.html", {
        "policy": policies.meta(policies.SITE),
        "articles": {
            slug(page): kept(app, page).read_text(encoding="utf-8") for page in printed_pages()
        },
        "notebook_style": next((site / "_static").glob("mystnb.*css")).name,  # it holds a digest
    })  # fmt: skip
    (site / "book" / "print.html").write_text(text, encoding="utf-8")


def printed_pages() -> list[str]:
    """Return the pages that the book on one page holds."""
    return [page for page in chapters.pages() if page not in NOT_PRINTED]


def slug(page: str) -> str:
    """Return a page's name as it stands in an id.

    >>> slug("book/claims")
    'book-claims'
    """
    return page.replace("/", "-")


def one_page(article: Any, page: str) -> str:
    """Return an article fit to stand among others: own ids, links inside the one page."""
    to_use = "script, form, .yours, .headerlink, .controls, button, nav, progress"
    drawing = ".tag_hide-input:not(.tag_long) > details"
    for tag in article.select(f"{to_use}, {drawing}, .tag_long > details > summary"):
        tag.decompose()
    for tag in article.select("[id]"):
        tag["id"] = f"{slug(page)}--{tag['id']}"
    for tag in article.select(".tag_long > details"):
        tag.unwrap()
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


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", keep_article, priority=1000)  # when all others have been
    when_built(app, functools.partial(write_print_page, app))
    return about()
