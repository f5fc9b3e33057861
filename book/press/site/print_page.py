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
TO_USE = {"script", "form", "button", "nav", "progress"}
CODE = re.compile(r"(?<=<pre>)<span></span>.*?(?=</pre>)", re.S)  # highlighted; stays as it is


def keep_article(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Keep what a page says, as the book on one page shows it, when the page is written."""
    if page in printed_pages():
        path = kept(app, page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one_page(context["body"], page), encoding="utf-8")


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


def classes(tag: Any) -> set[str]:
    """Return the classes of a part."""
    return set(tag.get("class", "").split())


def not_printed(tag: Any) -> bool:
    """Tell whether a part is there to be used, or is the code that draws a figure."""
    above = classes(tag.parent) if tag.parent is not None else set()
    if tag.name == "details":
        return "tag_hide-input" in above and "tag_long" not in above
    if tag.name == "summary":  # the fold round long code is gone by now
        return "tag_long" in above
    return bool({"headerlink", "controls", "predict", "yours"} & classes(tag)) or tag.name in TO_USE


def one_page(body: str, page: str) -> str:
    """Return an article fit to stand among others: own ids, links inside the one page."""
    code = CODE.findall(body)  # three in four tags of the book
    rest = CODE.sub("<code-here></code-here>", body)
    article = BeautifulSoup(rest, "html.parser", multi_valued_attributes=None)
    for number, tag in enumerate(article.find_all("code-here")):
        tag.name = f"code-{number}"
    for tag in article.find_all(True):  # once through it: a page has thousands of tags
        if tag.decomposed:
            continue
        if not_printed(tag):
            tag.decompose()
            continue
        if "id" in tag.attrs:
            tag["id"] = f"{slug(page)}--{tag['id']}"
        if tag.name == "details" and "tag_long" in classes(tag.parent):
            tag.unwrap()
            continue
        if tag.name == "details":
            tag["open"] = ""
        name = next((name for name in ("href", "src") if name in tag.attrs), None)
        if name is None or re.match(r"[a-z]+:", tag[name]):
            continue
        target, anchor = urldefrag(urljoin(f"/{page}.html", tag[name]))
        there = target.lstrip("/").removesuffix(".html")
        if name == "href" and there in printed_pages():
            tag[name] = f"#{slug(there)}--{anchor}" if anchor else f"#{slug(there)}"
        else:
            tag[name] = "../" + target.lstrip("/") + (f"#{anchor}" if anchor else "")
        if name == "src":
            tag["loading"] = "eager"
    text = article.decode_contents()
    return re.sub(r"<code-(\d+)></code-\1>", lambda found: code[int(found[1])], text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", keep_article, priority=1000)  # when all others have been
    when_built(app, functools.partial(write_print_page, app))
    return about()
