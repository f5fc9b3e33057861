"""What a published site needs beside its pages: sitemap, page for lost readers, headers, bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from book.press import address, chapters, policies
from book.press.course import bank, inventory
from book.press.site import about, when_built


def write_sitemap(site: Path) -> None:
    """Write the list of pages that search engines read, and where to find it."""
    # Not by sphinx-sitemap: it lists only the pages that a build has written anew.
    lines = [f"<url><loc>{address.site()}{page}.html</loc></url>" for page in chapters.pages()]
    body = "\n".join(lines)
    (site / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{body}\n</urlset>\n',
        encoding="utf-8",
    )
    (site / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {address.site()}sitemap.xml\n", encoding="utf-8"
    )


def on_config(app: Sphinx, config: Any) -> None:
    """Ask for the page that a server shows for an address that is not there."""
    # Not by sphinx-notfound-page: its links work below one path, the book below any.
    config.html_additional_pages["404"] = "404.html"


def on_page(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Give the page for lost readers what its template asks for."""
    if page == "404":
        context["root"] = urlsplit(address.site()).path
        context["policy"] = policies.meta(policies.SITE)


def write_files(site: Path) -> None:
    """Write the files into the built site."""
    write_sitemap(site)
    bank.write(site / bank.FOLDER)
    for name, text in inventory.files().items():
        folder = "book" if name.endswith(".html") else bank.FOLDER  # pages have a policy there
        (site / folder / name).write_text(text, encoding="utf-8")
    (site / "_headers").write_text(policies.headers(site), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", on_config, priority=100)
    app.connect("html-page-context", on_page)
    when_built(app, write_files)
    return about()
