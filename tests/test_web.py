"""What a published site needs beside its pages: link cards, sitemap, 404, the book on one page."""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from html import unescape
from xml.etree import ElementTree

import nbformat
import pytest

from book.press import address, chapters
from book.press.places import NOTEBOOKS
from book.press.site import landing, print_page


def test_every_page_carries_a_link_card(site):
    for page in chapters.pages():
        html = (site / f"{page}.html").read_text(encoding="utf-8")
        found = re.findall(r'<meta property="(og:[a-z:_]+)" content="([^"]*)"', html)
        tags = {name: unescape(text) for name, text in found}
        about = re.search(r'<meta name="description" content="([^"]*)"', html)[1]
        assert tags["og:url"] == f"{address.site()}{page}.html"
        assert tags["og:title"] and "<" not in tags["og:title"] and tags["og:image:alt"]
        assert len(about) > 20 and tags["og:description"] == unescape(about)
        assert tags["og:type"] == ("website" if page == "book/index" else "article")
        assert (site / tags["og:image"].removeprefix(address.site())).is_file()


def test_the_sitemap_lists_every_page(site):
    root = ElementTree.parse(site / "sitemap.xml").getroot()
    found = [url[0].text for url in root]
    assert found == [f"{address.site()}{page}.html" for page in chapters.pages()]
    assert f"Sitemap: {address.site()}sitemap.xml" in (site / "robots.txt").read_text()


def test_an_address_that_is_not_there_gets_the_books_own_page(site_url):
    with pytest.raises(urllib.error.HTTPError) as lost:
        urllib.request.urlopen(f"{site_url}notebooks/99_none.html")
    assert lost.value.code == 404
    assert "yesterday’s" in lost.value.read().decode()


@pytest.mark.browser
def test_the_lost_page_leads_home_from_any_depth(site_url, browser):
    page = browser.new_page()
    for where in ("none.html", "notebooks/99_none.html", "book/none.html"):
        page.goto(site_url + where)
        # The page asks the server where the book begins.
        right = "right => document.querySelector('#home').href === right"
        page.wait_for_function(right, arg=f"{site_url}index.html")
    page.close()


def test_the_whole_book_stands_on_one_page(site):
    html = (site / "book" / "print.html").read_text(encoding="utf-8")
    for page in print_page.printed_pages():
        assert f'id="{print_page.slug(page)}"' in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    shown = re.findall(r"<pre>(.*?)</pre>", html, re.S)
    code = {"".join(unescape(re.sub(r"<[^>]+>", "", text)).split()) for text in shown}
    for chapter in chapters.in_order():
        notebook = nbformat.read(NOTEBOOKS / f"{chapter.name}.ipynb", as_version=4)
        solutions = [c.source for c in notebook.cells if "solution" in c.metadata.get("tags", ())]
        assert solutions and {"".join(source.split()) for source in solutions} <= code, chapter.name
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links <= set(ids), links - set(ids)
    assert "<script" not in html and "<details open" in html
    for style in re.findall(r'<link rel="stylesheet" href="([^"]+)"', html):
        file, _, _ = style.partition("?")
        assert (site / "book" / file).resolve().is_file(), style
    for picture in re.findall(r'<img[^>]* src="([^"]+)"', html):
        assert picture.startswith("data:") or (site / "book" / picture).resolve().is_file()


@pytest.mark.browser
def test_the_whole_book_is_printed(site, browser):
    import subprocess

    from book.press.site import pdf

    done = subprocess.run([sys.executable, "-m", pdf.__name__], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    data = pdf.PDF.read_bytes()
    pdf.PDF.unlink()
    assert data.startswith(b"%PDF") and data.count(b"/Type /Page\n") > 10 * len(chapters.in_order())


def test_the_landing_page_offers_the_pdf_only_where_it_is_made(monkeypatch):
    monkeypatch.delenv("BOOK_PDF", raising=False)
    assert "print.html" in landing.book_downloads() and ".pdf" not in landing.book_downloads()
    monkeypatch.setenv("BOOK_PDF", "1")
    assert "static-vs-dynamic.pdf" in landing.book_downloads()
