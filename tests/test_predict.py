"""Predict first: what came out is folded until the reader has said something, or skips."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import AXE

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
FIRST = "notebooks/01_one_stream_two_models.html"
THIRD = "notebooks/03_how_models_age.html"
SHIFTS = """new PerformanceObserver(list => list.getEntries().forEach(one => { window.moved =
    (window.moved ?? 0) + one.value; })).observe({ type: "layout-shift", buffered: true })"""


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_what_is_folded_comes_after_the_question(chapter):
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    asked = next(k for k, cell in enumerate(cells)
                 if "> **Predict before you run.**" in "".join(cell["source"]))  # fmt: skip
    folded = [k for k, cell in enumerate(cells) if "predict" in cell["metadata"].get("tags", [])]
    assert folded and asked < folded[0]
    assert all(cells[k]["outputs"] for k in folded)


def test_every_chapter_asks_once_and_the_printed_book_never(site):
    for chapter in CHAPTERS:
        html = (site / "notebooks" / f"{chapter.stem}.html").read_text(encoding="utf-8")
        assert html.count('class="predict"') == 1
        form, output = html.index('class="predict"'), html.index("tag_predict")
        assert output < form < html.index("cell_output", output)
    assert 'class="predict"' not in (site / "book" / "print.html").read_text(encoding="utf-8")
    assert (site / "_static" / "predict.js").stat().st_size < 4000


@pytest.mark.browser
def test_what_stands_below_the_question_waits_with_the_answer(site_url, browser):
    """In every chapter: the rest of the section is not seen before, and is seen after."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    below = "document.querySelectorAll('.cell:has(.predict) ~ :not(section)')"
    rest = f"[...{below}].map(one => one.offsetHeight)"
    for chapter in CHAPTERS:
        page.goto(f"{site_url}notebooks/{chapter.stem}.html")
        heights = page.evaluate(rest)
        assert heights and not any(heights), chapter.stem
        page.get_by_label("Your prediction").press("Escape")
        assert any(page.evaluate(rest)), chapter.stem
        top = page.locator(".predict").bounding_box()["y"]
        assert 0 <= top < 400, f"{chapter.stem}: what was said is {top} px from the window's top"
    context.close()


@pytest.mark.browser
def test_words_by_keyboard_open_it_and_stay(site_url, browser):
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site_url}{THIRD}")
    outputs = page.locator(".tag_predict > .cell_output")
    words = page.get_by_label("Your prediction")
    assert not any(one.is_visible() for one in outputs.all())
    words.fill("all <b>rise</b>")
    words.press("Enter")
    said = page.locator(".predict [role=status]")
    assert said.inner_text() == "You said: “all <b>rise</b>”."
    assert all(one.is_visible() for one in outputs.all()) and not words.is_visible()
    assert page.evaluate("document.activeElement.matches('.tag_predict > .cell_output')")
    page.reload()
    assert outputs.first.is_visible() and "rise" in said.inner_text()
    page.get_by_role("button", name="Predict again").press("Enter")
    assert not outputs.first.is_visible()
    words.press("Escape")
    assert outputs.first.is_visible() and said.inner_text() == ""
    page.goto(f"{site_url}{FIRST}")
    assert not page.locator(".tag_predict > .cell_output").first.is_visible()
    page.get_by_role("button", name="Never fold").click()
    page.goto(f"{site_url}notebooks/02_the_specialist.html")
    assert page.locator(".tag_predict > .cell_output").first.is_visible()
    context.close()


@pytest.mark.browser
def test_a_curve_is_drawn_and_the_truth_over_it(site_url, browser):
    """By pointer and by keyboard; axe finds nothing, before and after; nothing jumps."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(SHIFTS)
    page.goto(f"{site_url}{FIRST}")
    curve, truth = page.locator(".predict svg"), page.locator(".predict-truth")
    curve.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate("window.moved ?? 0") < 0.001
    assert not truth.is_visible()
    box = curve.bounding_box()
    page.mouse.click(box["x"] + 0.94 * box["width"], box["y"] + 0.45 * box["height"])
    last = page.locator(".predict [type=range]").last
    drawn = int(last.input_value())
    assert 1500 < drawn < 2500
    last.press("ArrowRight")
    assert int(last.input_value()) == drawn + 50
    page.locator(".predict [type=range]").first.press("End")
    for _ in range(2):
        found = Axe().run(page, options=AXE).response["violations"]
        assert [(v["id"], v["nodes"][0]["target"]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator(".predict form").evaluate("form => form.requestSubmit()")
    assert truth.is_visible()
    said = page.locator(".predict [role=status]").inner_text()
    assert "You drew 4,000 for Oct 2011 (it was " in said and f"{drawn + 50:,} for Dec 2012" in said
    context.close()


@pytest.mark.browser
def test_nothing_is_folded_without_scripts_in_print_or_behind_a_link(site_url, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}{THIRD}")
    outputs = page.locator(".tag_predict > .cell_output")
    assert outputs.first.is_visible() and not page.locator(".predict").is_visible()
    context.close()
    page = browser.new_page()
    page.goto(f"{site_url}{THIRD}")
    outputs = page.locator(".tag_predict > .cell_output")
    page.emulate_media(media="print")
    assert outputs.first.is_visible() and not page.locator(".predict").is_visible()
    page.emulate_media(media="screen")
    outputs.first.evaluate("output => { output.firstElementChild.id = 'inside'; }")
    page.evaluate("location.hash = 'inside'")
    outputs.first.wait_for(state="visible")
    wrong = []
    page.on("pageerror", lambda error: wrong.append(error))
    page.goto(f"{site_url}{FIRST}#%E0%A4%A")  # no text in any encoding
    page.wait_for_load_state()
    assert not outputs.first.is_visible() and wrong == []
    page.close()
