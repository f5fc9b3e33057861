"""The built site: every page says what it is, works by keyboard, and no link is dead."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

import book_site
import pytest
import yaml
from looks import PAGES

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "book" / "_config.yml").read_text())
CHAPTERS = [page for page in PAGES if re.match(r"notebooks/\d", page)]


class Page(HTMLParser):
    """Collect what the tests ask about a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.images: list[dict] = []
        self.headings = 0
        self.lang = self.description = self.title = ""
        self.in_title = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        found = dict(attrs)
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.images.append(found)
        if tag == "h1":
            self.headings += 1
        if tag == "html":
            self.lang = found.get("lang", "")
        if tag == "meta" and found.get("name") == "description":
            self.description = found.get("content", "")
        self.in_title = tag == "title"

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.title += data


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    return {page: Page(site / f"{page}.html") for page in PAGES}


def test_every_page_says_what_it_is(pages):
    for name, page in pages.items():
        assert page.headings == 1, name
        assert page.lang == "en", name
        assert page.title.strip(), name
        assert 20 < len(page.description) < 170, (name, page.description)
    assert len({page.description for page in pages.values()}) == len(pages)


def test_every_image_is_described(pages):
    for name, page in pages.items():
        for image in page.images:
            assert image.get("alt", "").strip(), (name, image.get("src", "")[:80])


def test_no_link_and_no_anchor_is_dead(site, pages):
    cache: dict[Path, Page] = {}
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, anchor = urldefrag(urljoin(f"/{name}.html", link))
            path = site / unquote(urlsplit(target).path).lstrip("/")
            assert path.exists(), (name, link)
            if anchor and path.suffix == ".html":
                if path not in cache:
                    cache[path] = Page(path)
                assert unquote(anchor) in cache[path].ids, (name, link)


def test_launch_buttons_lead_to_the_configured_repository(site):
    address = CONFIG["repository"]["url"].removeprefix("https://github.com/")
    for chapter in CHAPTERS:
        text = (site / f"{chapter}.html").read_text(encoding="utf-8")
        branch = CONFIG["repository"]["branch"]
        assert (
            f'href="https://mybinder.org/v2/gh/{address}/{branch}?urlpath=lab/tree/{chapter}.ipynb"'
        ) in text
        assert (
            f'href="https://colab.research.google.com/github/{address}/blob/{branch}/{chapter}.ipynb"'
        ) in text
        assert (ROOT / f"{chapter}.ipynb").is_file()


def test_ledger_lists_every_claim_and_every_verdict(site):
    from companion import claims

    html = (site / "book" / "claims.html").read_text(encoding="utf-8")
    text = " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split()).replace("’", "'")
    for claim in claims.CLAIMS.values():
        assert claim.text.replace("’", "'") in text, claim.id
    assert "Not yet tested" not in text
    for claim, records in book_site.verdicts().items():
        assert f'id="claim-{claim.lower()}"' in html
        for notebook, verdict in records:
            assert f"{notebook.stem}.html" in html
            assert verdict["outcome"].capitalize() in text
            for line in verdict["evidence"]:
                assert line in text


def test_every_claim_has_its_verdicts_and_they_are_what_the_notebook_shows():
    from companion import claims

    found = book_site.verdicts()
    assert list(claims.CLAIMS) == sorted(found, key=list(claims.CLAIMS).index)
    for claim in claims.CLAIMS.values():
        tested = [int(notebook.name[:2]) for notebook, _ in found[claim.id]]
        assert sorted(tested) == sorted(claim.chapters), claim.id
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for out in (out for cell in cells for out in cell.get("outputs", [])):
            if record := out.get("data", {}).get(claims.MIME):
                shown = "".join(out["data"]["text/plain"])
                said = [record["outcome"], record["would_change"], *record["evidence"]]
                assert all(line in shown for line in said), (path.name, record["claim"])


def test_every_data_card_is_whole(site):
    from companion import streams

    html = (site / "book" / "data.html").read_text(encoding="utf-8")
    for name, about in streams.cards().items():
        assert (site / "_images" / f"data-{name}.png").is_file()
        assert about["licence_url"] in html
        assert about["title"].replace("'", "’") in html
        for column in about["columns"]:
            assert f">{column}</span>" in html, (name, column)


def test_building_again_changes_no_page(site):
    """What is mended after a build must not be mended twice in the next, incremental one."""
    for path in book_site.site_pages(site):
        html = path.read_text(encoding="utf-8")
        assert book_site.finished(html, path, site) == html, path.name


@pytest.mark.browser
def test_chapter_works_by_keyboard(site_url, browser):
    """The moving figure moves, a quiz answer and a solution open: all without a mouse."""
    page = browser.new_page()
    page.goto(f"{site_url}{CHAPTERS[0]}.html")
    slider = page.locator(".companion-frames input[type=range]")
    before = page.locator(".companion-frames output").inner_text()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".companion-frames output").inner_text() != before
    assert page.locator(".companion-frames img:visible").count() == 1
    button = page.locator(".companion-frames button")
    button.focus()
    page.keyboard.press("Enter")
    assert button.inner_text() == "Pause"
    page.keyboard.press("Enter")
    assert button.inner_text() == "Play"
    answer = page.locator("details.answer").first
    answer.locator("summary").focus()
    page.keyboard.press("Enter")
    assert answer.get_attribute("open") is not None
    solution = page.locator("details.hide.above-input, details.hide").last
    solution.locator("summary").focus()
    page.keyboard.press("Enter")
    assert solution.get_attribute("open") is not None
    page.close()


def tab_to(page, wanted: str, limit: int = 400) -> None:
    """Press Tab until what the selector names has the focus, as a reader without a mouse does."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", wanted):
            return
    raise AssertionError(f"{limit} times Tab never led to {wanted} on {page.url}")


@pytest.mark.browser
def test_the_book_is_read_by_keyboard_alone(site_url, browser):
    """From the landing page into a chapter, its quiz, an exercise, its solution, and to search."""
    page = browser.new_page()
    page.goto(f"{site_url}book/index.html")
    tab_to(page, '.door a[href*="01_one_stream"], .door-read a')
    page.keyboard.press("Enter")
    page.wait_for_url("**/01_one_stream_two_models.html")
    tab_to(page, "details.answer summary")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    assert page.locator("details.answer[open]").count() == 1
    tab_to(page, "#exercise-1-warm-up details summary")
    page.keyboard.press("Enter")
    assert page.locator("#exercise-1-warm-up details[open]").count() >= 1
    tab_to(page, "#exercise-1-warm-up .cell details summary")
    page.keyboard.press("Enter")
    assert page.locator("#exercise-1-warm-up .cell details[open]").count() == 1
    page.keyboard.press("Control+k")
    page.keyboard.type("covariate shift")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=covariate+shift*")
    page.wait_for_selector("#search-results li a")
    tab_to(page, "#search-results li a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/03_how_models_age.html*")
    page.close()


@pytest.mark.browser
def test_answers_and_read_chapters_are_remembered(site_url, browser):
    """Both survive a reload, in this browser only; the landing page counts the chapters read."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site_url}{CHAPTERS[0]}.html")
    page.locator("details.answer summary").nth(1).click()
    button = page.get_by_role("button", name="Mark this chapter as read")
    button.focus()
    page.keyboard.press("Enter")
    page.reload()
    assert page.locator("details.answer").nth(1).get_attribute("open") is not None
    assert page.locator("details.answer").nth(0).get_attribute("open") is None
    page.get_by_role("button", name="start the quiz again").click()
    page.reload()
    assert page.locator("details.answer[open]").count() == 0
    page.goto(f"{site_url}book/index.html")
    assert f"1 of {len(CHAPTERS)} chapters" in page.locator("[data-progress]").inner_text()
    context.close()


QUERIES = {
    "frozen model wins on a shuffled world": 1, "calibration": 2, "covariate shift": 3,
    "train test period matrix": 3, "churn": 4, "bias and variance of a window": 4, "leak": 5,
    "deployment gate": 5, "retraining interval": 6, "warm start": 6, "learning rate": 7,
    "stochastic gradient descent": 7, "ADWIN": 8, "drift detector": 8, "cold start": 9,
    "shrinkage": 9, "poisoning": 10, "catastrophic forgetting": 10, "value at risk": 11,
    "volatility": 11, "glucose calibration": 12, "patient": 12, "control chart": 14,
    "Cohen's kappa": 14, "predictive maintenance": 13, "run to failure": 13, "hybrid": 15,
    "mean rank": 15, "champion challenger": 15, "rollback": 16, "shadow deployment": 16,
    "where it starts": 17, "alarm fatigue": 18, "multiple testing": 18,
    "checkpoint": 19, "idempotence": 19, "test-time adaptation": 20, "no free lunch": 21,
    "bring your own stream": 21,
}  # fmt: skip


@pytest.mark.browser
def test_search_finds_the_right_chapter_first(site_url, browser):
    page = browser.new_page()
    wrong = []
    for query, chapter in QUERIES.items():
        page.goto(f"{site_url}search.html?q={quote(query)}")
        page.wait_for_selector("#search-results li a", timeout=10_000)
        page.wait_for_timeout(300)
        first = page.locator("#search-results li > a").first.get_attribute("href")
        if f"notebooks/{chapter:02d}_" not in first:
            wrong.append(f"{query}: {first}")
    page.close()
    assert not wrong
