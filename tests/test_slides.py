"""The decks: every slide fits, is read from afar, shows its pictures and says what to say."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import AXE

from book.press import chapters, policies
from book.press.slides import build as slides
from book.press.slides.choice import marks
from book.press.slides.read import slides_of
from book.press.upkeep import execute as runner

ROOT = Path(__file__).parents[1]
NAMES = [one.name for one in chapters.in_order()]
# Words that stand on a slide at most; a question comes with three answers, evidence in rows.
MOST, WORDS = 45, {"poll": 50, "quiz": 62, "evidence": 62, "table": 62, "verdict": 52}

# What a deck says of its slides, all of them, with all of their parts shown.
LOOK = """() => Reveal.getSlides().map((section) => {
  const {h, v} = Reveal.getIndices(section);
  Reveal.slide(h, v, 9);
  const slide = section.querySelector(".slide"), box = slide.getBoundingClientRect();
  const foot = slide.querySelector(".foot").getBoundingClientRect();
  const seen = (e) => !e.closest(".unseen, figcaption, svg, script, .katex");
  const about = (e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 30)}`;
  const out = [], small = [];
  for (const e of slide.querySelectorAll("*")) {
    if (!seen(e)) continue;
    const r = e.getBoundingClientRect();
    const low = e.closest(".foot") ? box.bottom : foot.top + 2;
    const wide = r.left < box.left - 1 || r.right > box.right + 1;
    if (r.width && (wide || r.top < box.top - 1 || r.bottom > low)) out.push(about(e));
    const cut = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
    if (cut && e.matches("pre, .slide, .code, table")) out.push("cut: " + about(e));
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const least = Object.entries({".foot": 20, pre: 21, ".moves": 26, "code, math": 25, "*": 28})
      .find(([where]) => e.closest(where))[1];
    if (own && parseFloat(getComputedStyle(e).fontSize) < least) small.push(about(e));
  }
  const copy = slide.cloneNode(true);
  copy.querySelectorAll("pre, .foot, .unseen, figcaption, script, svg, .moves, .tick")
    .forEach((e) => e.remove());
  copy.querySelectorAll("th, td, li, p, h1, h2, caption").forEach((e) => e.append(" "));
  return {
    kind: section.dataset.kind, out, small, title: slide.querySelector("h1, h2")?.textContent || "",
    words: (copy.textContent.match(/\\S*[^\\W\\d_]\\S*/gu) || []).length,
    images: [...slide.querySelectorAll("img")].map((i) => ({
      alt: i.alt, ready: i.complete && i.naturalWidth > 0, width: i.getBoundingClientRect().width,
      height: i.getBoundingClientRect().height,
    })),
    notes: section.querySelector("aside.notes").textContent,
  };
})"""


def restored(page: Any, address: str, printed: bool = False) -> None:
    """Open a deck and wait for it. (Waiting by an expression would break its security policy.)"""
    page.goto(address + ("?print-pdf" if printed else ""))
    there = "!!document.querySelector('.pdf-page')" if printed else "true"
    for _ in range(200):
        if page.evaluate(f"!!window.Reveal && Reveal.isReady() && {there}"):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{address} did not open")


@pytest.fixture(scope="module")
def decks(site_url: str, browser: Any) -> dict[str, tuple[list[dict], list[str]]]:
    """Open each deck once; return what it says of its slides, and what went wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    found = {}
    for name in NAMES:
        wrong: list[str] = []
        page = context.new_page()
        page.on("console", lambda m, w=wrong: m.type == "error" and w.append(m.text))
        page.on("pageerror", lambda e, w=wrong: w.append(str(e)))
        page.on("requestfailed", lambda r, w=wrong: w.append(f"failed: {r.url}"))
        page.on(
            "request",
            lambda r, w=wrong: (
                r.url.startswith((site_url, "data:")) or w.append(f"outside: {r.url}")
            ),
        )
        page.on("response", lambda r, w=wrong: r.status < 400 or w.append(f"{r.status} {r.url}"))
        restored(page, f"{site_url}slides/{name}.html")
        page.evaluate("Promise.all([...document.images].map((i) => i.decode()))")
        found[name] = page.evaluate(LOOK), wrong
        page.close()
    context.close()
    return found


@pytest.mark.browser
def test_every_deck_opens_without_a_fault(decks):
    assert {name: wrong for name, (_, wrong) in decks.items() if wrong} == {}


@pytest.mark.browser
def test_everything_fits_its_slide(decks):
    faults = [(name, one["title"], one["out"]) for name, (shown, _) in decks.items()
              for one in shown if one["out"]]  # fmt: skip
    assert faults == []


@pytest.mark.browser
def test_slides_are_read_from_the_back_of_a_room(decks):
    """Few words, large letters: 28 pixels at 1280 by 720; code may be smaller."""
    for name, (shown, _) in decks.items():
        for one in shown:
            assert one["small"] == [], (name, one["title"])
            most = WORDS.get(one["kind"], MOST)
            assert one["words"] <= most, (name, one["title"], one["words"])
            assert one["title"].strip(), (name, one["kind"])


@pytest.mark.browser
def test_every_figure_of_a_chapter_is_shown(decks):
    for name, (shown, _) in decks.items():
        images = [image for one in shown for image in one["images"]]
        for image in images:
            assert image["ready"] and image["width"] > 500 and image["height"] > 150, (name, image)
            assert image["alt"].strip(), name
        notebook = nbformat.read(slides.NOTEBOOKS / f"{name}.ipynb", as_version=4)
        skipped = [n for n, one in marks(notebook).items()
                   if one["slide_type"] == "skip"]  # fmt: skip
        moving = 0
        for n, cell in enumerate(notebook.cells):
            for out in cell.get("outputs", []) if n not in skipped else []:
                about = out.get("metadata", {}).get("image/png")
                assert not about or about["alt"] in {image["alt"] for image in images}, name
                moving += "companion-frames" in out.get("data", {}).get("text/html", "")
        assert moving == sum(one["kind"] == "moving" for one in shown), name


@pytest.mark.browser
def test_every_deck_has_its_parts_and_notes(decks):
    for name, (shown, _) in decks.items():
        kinds = [one["kind"] for one in shown]
        assert kinds[0] == "title" and kinds[-1] == "end", name
        assert {"figure", "moving", "poll", "code", "knobs", "evidence", "summary"} <= set(kinds)
        about = chapters.facts(name)
        assert kinds.count("verdict") == len(about.claims), name
        assert 2 <= kinds.count("quiz") <= 3, name
        assert 18 <= len(kinds) <= 42, (name, len(kinds))
        for one in shown:
            assert re.search(r"\d min", one["notes"]), (name, one["title"])
        said = [one["notes"] for one in shown if one["kind"] in ("figure", "moving")]
        assert all("In the picture:" in notes for notes in said), name
        assert "Ask:" in "".join(said) and "Say:" in "".join(said), name


@pytest.mark.browser
def test_axe_finds_nothing_on_any_slide(site_url, browser):
    """Printed, all slides of a deck stand on one page."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    found = []
    for name in NAMES:
        restored(page, f"{site_url}slides/{name}.html", printed=True)
        for one in Axe().run(page, options=AXE).response["violations"]:
            found.append((name, one["id"], one["impact"], one["nodes"][0]["target"]))
    page.close()
    assert found == []


@pytest.mark.browser
def test_a_deck_works_by_keyboard(site_url, browser):
    """On and back, moving figures, answers, the speaker's window: all without a mouse."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    restored(page, f"{site_url}slides/{NAMES[0]}.html")
    kind = "Reveal.getCurrentSlide().dataset.kind"
    seen = [page.evaluate(kind)]
    for _ in range(200):
        page.keyboard.press("PageDown")
        if page.evaluate(kind) == "moving" and seen[-1] != "moving":
            figure = page.locator("section.present .companion-frames")
            before = figure.locator("output").inner_text()
            page.keyboard.press("m")
            assert figure.locator("button").inner_text() == "Pause"
            slider = figure.locator("input")
            slider.focus()
            page.keyboard.press("ArrowRight")
            assert page.evaluate(kind) == "moving" and figure.locator("output").inner_text() != ""
            assert figure.locator("img:visible").count() == 1 and before
            assert figure.locator("button").inner_text() == "Play"
        if page.evaluate(kind) == "quiz" and seen[-1] != "quiz":
            tick = page.locator("section.present .tick:visible")
            assert tick.count() == 0
            page.keyboard.press("PageDown")
            tick.wait_for(timeout=5000)
        seen.append(page.evaluate(kind))
        if page.evaluate("Reveal.isLastSlide()"):
            break
    assert seen[-1] == "end" and "moving" in seen and "quiz" in seen
    page.keyboard.press("Home")
    assert page.evaluate(kind) == "title"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(kind) == "figure"
    with context.expect_page() as window:
        page.keyboard.press("s")
    speaker = window.value
    speaker.wait_for_selector("text=In the picture:")
    assert "3 min" in speaker.locator("body").inner_text()
    context.close()


@pytest.mark.browser
def test_a_deck_prints(site_url, browser):
    """A page for each state of each slide, figures standing still; with notes, a handout."""
    page = browser.new_page()
    address = f"{site_url}slides/{NAMES[0]}.html"
    restored(page, address)
    number, counts = page.evaluate("Reveal.getSlides().length"), []
    for more in ("?print-pdf", "?print-pdf&showNotes=separate-page"):
        restored(page, address + more)
        page.wait_for_selector(".pdf-page")
        assert page.locator(".moves:visible").count() == 0
        data = page.pdf(prefer_css_page_size=True, print_background=True)
        counts.append(data.count(b"/Type /Page\n"))
    assert number < counts[0] <= number + 10 and counts[1] >= counts[0] + number
    page.close()


def test_decks_and_chapters_link_to_each_other(site):
    for name in NAMES:
        chapter = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        deck = (site / "slides" / f"{name}.html").read_text(encoding="utf-8")
        assert f'href="../slides/{name}.html"' in chapter
        ids = set(re.findall(r'\bid="([^"]+)"', chapter))
        places = re.findall(rf'"\.\./notebooks/{name}\.html(?:#([^"]+))?"', deck)
        assert "exercises" in places and len(places) > 15
        assert {place for place in places if place} <= ids, name
    teach = (site / "book" / "teach.html").read_text(encoding="utf-8")
    assert all(f"../slides/{name}.html?print-pdf" in teach for name in NAMES)


def test_a_deck_loads_nothing_from_outside_and_says_so(site):
    """The policy is that of the other pages; reveal.js comes with its licence, unchanged."""
    chapter = (site / "notebooks" / f"{NAMES[0]}.html").read_text(encoding="utf-8")
    for name in NAMES:
        deck = (site / "slides" / f"{name}.html").read_text(encoding="utf-8")
        assert f'content="{policies.SITE}"' in deck
        assert not re.search(r'(src|href)="(https?:)?//', deck)
    assert policies.SITE in chapter
    folder = site / "slides" / "deck"
    assert "Permission is hereby granted" in (folder / "LICENSE.txt").read_text()
    for file, digest in REVEAL.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest, file


# reveal.js 6.0.2, as its makers publish it on npm.
REVEAL = {
    "reveal.js": "aa1bbbf2617b23a623b23612cb3c5bdb63de512e652bf20fcfa832b045d37844",
    "reveal.css": "615ee850cbbb98a0f688b60ed37b21819a3f54c9f3e6f20e33e63693ab74a0c0",
    "notes.js": "447c42f365876e41853de81453d0c53c580c5b2099132e8f61200de4a0ba2af3",
}


def test_a_deck_is_made_the_same_twice_and_only_when_need_be(tmp_path, monkeypatch):
    some = chapters.in_order()[:2]
    monkeypatch.setattr(chapters, "in_order", lambda: some)
    target, names = tmp_path / "html" / "slides", [one.name for one in some]
    assert slides.build(target) == names
    first = {name: (target / f"{name}.html").read_bytes() for name in names}
    assert slides.build(target) == []
    for name in names:
        (target / f"{name}.html").unlink()
    assert slides.build(target) == names
    assert first == {name: (target / f"{name}.html").read_bytes() for name in names}


def chapter(*cells: Any) -> Any:
    """Return chapter 1 with other cells after its first."""
    notebook = nbformat.read(slides.NOTEBOOKS / f"{NAMES[0]}.ipynb", as_version=4)
    notebook.cells = [notebook.cells[0], *cells]
    return notebook


def code(source: str, **slideshow: str) -> Any:
    metadata = {"slideshow": slideshow} if slideshow else {}
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def kinds(notebook: Any) -> list[str]:
    return [one.kind for one in slides_of(NAMES[0], notebook)]


def test_metadata_overrule_the_rule():
    idea, other = "def idea():\n    return 1", "def other():\n    return 2\n\n\nprint(3)"
    process_row = marks(chapter(code(idea), code(other)))
    assert process_row == {1: {"slide_type": "subslide"}}
    marked = chapter(code(idea), code(other, slide_type="slide", show="other", title="Ours"))
    found = slides_of(NAMES[0], marked)
    assert [one.title for one in found if one.kind == "code"] == ["Ours"]
    assert found[1].cells[1].source == "def other():\n    return 2"
    assert "code" not in kinds(chapter(code(idea, slide_type="skip")))
    with pytest.raises(SystemExit, match="nothing named 'gone'"):
        kinds(chapter(code(idea, slide_type="slide", show="gone")))
    with pytest.raises(SystemExit, match="too long for a slide"):
        kinds(chapter(code("x = 1\n" * 40, slide_type="slide")))


def test_marking_changes_no_code_and_no_human_choice(tmp_path):
    path = tmp_path / "01.ipynb"
    nbformat.write(chapter(code("def idea():\n    return 1"), code("y = 2")), path)
    before = runner.source_hash(nbformat.read(path, as_version=4))
    assert slides.mark(path)
    after = nbformat.read(path, as_version=4)
    assert runner.source_hash(after) == before
    assert after.cells[1].metadata["slideshow"] == {"slide_type": "subslide"}
    assert not slides.mark(path)
