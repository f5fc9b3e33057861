"""Small promises of the pages: code fits a phone, print is whole, lost readers find the search."""

from __future__ import annotations

import io
import json
import re
import threading
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from PIL import Image, ImageStat

from book.press import chapters
from book.press.places import ROOT
from book.press.site import chapter_line, cover, ledger, serve
from book.press.site.outputs import singular

SIDES = ("top", "bottom", "left", "right")
SHOWN = ROOT / "companion" / "show"
FIRST = "notebooks/01_one_stream_two_models"


@pytest.mark.browser
def test_code_fits_a_phone(site_url, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    for name in (FIRST, "notebooks/16_a_hybrid_in_production"):
        page.goto(f"{site_url}{name}.html")
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        cut = page.evaluate("""[...document.querySelectorAll(".cell_input pre")]
            .filter((e) => e.scrollWidth > e.clientWidth + 1)
            .map((e) => e.textContent.slice(0, 60))""")
        assert cut == [], name
    context.close()


def test_no_summary_holds_a_paragraph(site):
    for path in site.rglob("*.html"):
        if path.relative_to(site).parts[0] == "lab":
            continue
        html = path.read_text(encoding="utf-8")
        for summary in re.findall(r"<summary\b.*?</summary>", html, re.S):
            assert "<p" not in summary.replace("<path", ""), (path.name, summary[:200])
            assert "Toggle hidden content" not in summary, path.name


@pytest.mark.browser
def test_folded_code_is_announced_by_its_words(site_url, browser):
    page = browser.new_page()
    page.goto(f"{site_url}{FIRST}.html")
    fold = page.locator("div.cell details.hide > summary").first
    assert fold.inner_text().strip().startswith("Show the code")
    fold.click()
    assert fold.inner_text().strip() == "Hide the code"
    page.close()


@pytest.mark.browser
def test_a_chapter_is_read_as_a_story_or_with_all_its_code(site_url, browser):
    """Long code is folded at first; the choice is remembered on the next chapter."""
    context = browser.new_context()
    context.add_init_script(  # what waits for a prediction is another test's
        "localStorage.setItem('static-vs-dynamic:predict', '{\"never\": true}')"
    )
    page = context.new_page()
    page.goto(f"{site_url}{FIRST}.html")
    inputs = page.locator(".bd-article .cell:not(.tag_solution) .cell_input:visible")
    every = page.locator(".bd-article .cell:not(.tag_solution) .cell_input").count()
    count = "all => all.map(e => e.textContent.trimEnd().split('\\n').length)"
    lines = inputs.locator("pre").evaluate_all(count)
    assert 0 < len(lines) < every and max(lines) <= 15
    page.get_by_role("button", name="Code: all of it").press("Enter")
    assert inputs.count() == every
    page.get_by_role("button", name="Story").press("Enter")
    assert inputs.count() == 0 and page.locator(".cell_output:visible").count() > 10
    page.goto(f"{site_url}notebooks/02_the_specialist.html")
    story = page.get_by_role("button", name="Story")
    assert inputs.count() == 0 and story.get_attribute("aria-pressed") == "true"
    page.emulate_media(media="print")
    assert inputs.count() > 10
    page.emulate_media(media="screen")
    story.click()
    page.reload()
    assert inputs.count() == page.locator(
        ".cell:not(.tag_solution, .tag_hide-input) .cell_input").count() > 0  # fmt: skip
    context.close()


@pytest.mark.browser
def test_long_code_is_printed_and_opens_without_scripts(site_url, site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}{FIRST}.html")
    fold = page.locator(".tag_long > details").first
    assert not page.locator(".code-switch").is_visible()
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    assert fold.locator("pre").is_visible()
    context.close()
    html = (site / "book" / "print.html").read_text(encoding="utf-8")
    assert "Show the code" not in html and "warm-up: learn 40 days" in html


@pytest.mark.browser
def test_the_guide_prints_on_one_page(site_url, browser):
    page = browser.new_page()
    page.goto(f"{site_url}book/guide.html")
    printed = page.pdf(format="A4", margin=dict.fromkeys(SIDES, "10mm"))
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1
    page.close()


@pytest.mark.browser
def test_print_holds_no_empty_boxes(site_url, browser):
    """In print a fold is open, or it is not there."""
    page = browser.new_page()
    page.goto(f"{site_url}{FIRST}.html")
    page.emulate_media(media="print")
    empty = page.evaluate("""[...document.querySelectorAll(".bd-article details")]
        .filter((e) => e.getBoundingClientRect().height > 0)
        .filter((e) => [...e.children].slice(1).every((inner) => !inner.checkVisibility(
            { contentVisibilityAuto: true, visibilityProperty: true })))
        .map((e) => e.className + ": " + e.textContent.trim().slice(0, 50))""")
    assert empty == []
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("base", ["", "a/long/path/"])
def test_a_lost_reader_finds_the_search_under_any_path(site, browser, base):
    class Below(serve.Handler):
        def translate_path(self, path: str) -> str:
            inner = path.removeprefix(f"/{base}")
            return super().translate_path("/" + inner.lstrip("/") if path.startswith(f"/{base}")
                                          else "/no/such/place")  # fmt: skip

    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Below, directory=str(site)))
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{serving.server_address[1]}/{base}"
    page = browser.new_page()
    for lost in ("gone.html", "notebooks/gone.html", "what/ever/this/is.html", "old/"):
        page.goto(root + lost)
        page.wait_for_function("goal => document.getElementById('search').href === goal",
                               arg=f"{root}search.html")  # fmt: skip
        assert page.locator("#search").get_attribute("href").endswith("search.html")
        assert page.evaluate("document.getElementById('home').href") == f"{root}index.html"
    page.close()
    serving.shutdown()


def test_every_chapter_says_how_long_it_runs_as_it_was_measured(site):
    for chapter in chapters.in_order():
        html = (site / "notebooks" / f"{chapter.name}.html").read_text(encoding="utf-8")
        measured = chapter_line.measured()[chapter.name]
        said = re.search(r"(\d+) seconds to run, (?:(\d+) in the lab|longer in a browser)", html)
        for seconds, kind in zip(said.groups(), ("seconds", "lab_seconds"), strict=True):
            assert (seconds is None) is (kind not in measured)
            if seconds:
                assert measured[kind] <= int(seconds) < measured[kind] + 5, chapter.name
        assert "half a minute" not in chapters.markdown_of(chapter.name).split("**You should")[0]


def test_the_labs_time_is_said_where_it_was_measured(monkeypatch):
    found = {"a": {"seconds": 9.6, "lab_seconds": 31.0}, "b": {"seconds": 9.6}}
    monkeypatch.setattr(chapter_line, "measured", lambda: found)
    assert chapter_line.running_time("a") == ", 10 seconds to run, 35 in the lab"
    assert chapter_line.running_time("b") == ", 10 seconds to run, longer in a browser"
    assert chapter_line.running_time("c") == ""


def test_one_is_singular_beside_every_slider(site):
    assert singular("1 days, 21 days, 1.1 days, 1 rows") == "1 day, 21 days, 1.1 days, 1 row"
    for path in (site / "notebooks").glob("*.html"):
        for figure in re.findall(r'<figure class="companion-frames".*?</script>',
                                 path.read_text(encoding="utf-8"), re.S):  # fmt: skip
            assert not re.search(r"(?<![\d.,])\b1 days\b", figure), path.name


POINTS = 9  # the smallest letters of any figure


def test_no_figure_asks_for_smaller_letters():
    code = [(name, "".join(cell["source"])) for name in chapter_names()
            for cell in chapters.cells(name) if cell["cell_type"] == "code"]  # fmt: skip
    code += [(str(path), path.read_text(encoding="utf-8")) for path in SHOWN.glob("*.py")]
    for name, text in code:
        for size in re.findall(r"""(?:font|label|title)(?:\.|_)?size\W{1,3}([\w.]+)""", text):
            assert float(size) >= POINTS, (name, size)


def chapter_names() -> list[str]:
    return [chapter.name for chapter in chapters.in_order()]


@pytest.mark.browser
def test_a_figure_opens_large_enough_to_read_on_a_phone(site_url, browser):
    """Its smallest letters are drawn at 11 pixels or more on a screen of 360."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    context.add_init_script("localStorage['static-vs-dynamic:predict'] = '{\"never\": true}'")
    page = context.new_page()
    for name in (FIRST, "notebooks/21_choosing"):
        page.goto(f"{site_url}{name}.html")
        links = page.locator(".figure-link")
        assert links.count() == page.locator(".bd-article .cell_output img").count() >= 4
        for link in links.all():
            link.focus()
            page.keyboard.press("Enter")
            large = page.locator("dialog.figure-large img")
            large.evaluate("image => image.decode()")
            dots = 120 if link.locator("xpath=ancestor::figure").count() else 144
            inches = large.evaluate("image => image.naturalWidth") / dots
            assert POINTS * large.bounding_box()["width"] / (72 * inches) >= 11, name
            page.keyboard.press("Escape")
            assert not large.is_visible()
            assert link.evaluate("link => link === document.activeElement")
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_are_as_light_or_dark_as_their_page(site_url, browser, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    for name in (FIRST, "book/figures"):
        page.goto(f"{site_url}{name}.html")
        figure = page.locator(".bd-article img").first
        figure.scroll_into_view_if_needed()
        figure.evaluate("image => image.decode()")
        drawn = Image.open(io.BytesIO(figure.screenshot())).convert("L")
        light = ImageStat.Stat(drawn).mean[0] / 255
        assert light > 0.7 if scheme == "light" else light < 0.35, (name, light)
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_cover_waits_for_a_guess_and_then_says_the_truth(site_url, browser, motion):
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion=motion)
    page = context.new_page()
    page.goto(f"{site_url}book/index.html")
    line = "document.querySelector('.cover.narrow path.online')"
    hidden = f"getComputedStyle({line}).strokeDashoffset"
    assert page.evaluate(hidden) == "1px" and page.get_by_role("status").inner_text() == ""
    page.get_by_role("button", name=f"The one that {cover.SAID['frozen']}").press("Enter")
    page.wait_for_timeout(100 if motion == "reduce" else 3500)  # the lines take 3 seconds
    assert float(page.evaluate(hidden).removesuffix("px")) == 0
    said = page.get_by_role("status").inner_text()
    assert said.startswith(f"You said: the one that {cover.SAID['frozen']}.")
    for error in cover.errors_of_second_year().values():
        assert f"{error:,.0f} rides a day" in said
    page.reload()
    assert page.get_by_role("status").inner_text() == said
    assert page.get_by_role("link", name="Start:").count() == 1
    context.close()


def test_each_card_shows_its_chapters_figure_and_verdicts(site):
    html = (site / "book" / "index.html").read_text(encoding="utf-8")
    for card in re.findall(r'<li value="\d+">.*?</li>', html, re.S):
        name = re.search(r"notebooks/(\w+)\.html", card)[1]
        assert f"_images/small/{name}-1.webp" in card
        for record in chapters.recorded(name):
            kind = ledger.kind(record["outcome"])
            assert f'outcome-{kind}">{record["claim"]} {ledger.KINDS[kind]}<' in card
    assert html.count('<li value="') == len(chapter_names())


@pytest.mark.browser
def test_printed_tables_keep_their_columns_on_a_phone(site_url, browser):
    """No row is wrapped; what is wider than the window scrolls, by keyboard too; prose wraps."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    for name in (FIRST, "notebooks/13_maintenance", "notebooks/21_choosing"):
        page.goto(f"{site_url}{name}.html")
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        boxes = page.evaluate("""[...document.querySelectorAll(".output pre")].map((e) => ({
            text: e.textContent.trim().slice(0, 60),
            wrapped: !e.querySelector(".said")
              && Math.round(e.scrollHeight / parseFloat(getComputedStyle(e).lineHeight))
                > e.textContent.trimEnd().split("\\n").length + 2,
            cut: e.scrollWidth > e.clientWidth + 1 && !(e.tabIndex === 0 && e.ariaLabel
              && getComputedStyle(e).overflowX === "auto"),
            said: [...e.querySelectorAll(".said")].every((one) =>
              one.getBoundingClientRect().right <= e.getBoundingClientRect().right),
            small: parseFloat(getComputedStyle(e).fontSize) < 11,
            scrolls: e.scrollWidth > e.clientWidth + 1,
        }))""")  # fmt: skip
        assert len(boxes) > 5 and any(box["scrolls"] for box in boxes), name
        bad = [b for b in boxes if b["wrapped"] or b["cut"] or not b["said"] or b["small"]]
        assert bad == [], name
    context.close()


@pytest.mark.browser
def test_only_what_scrolls_stops_the_tab_key(site_url, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site_url}notebooks/13_maintenance.html")
    box = page.locator(".cell_output .output pre[aria-label]:visible").first
    box.scroll_into_view_if_needed()
    state = "e => [e.scrollWidth > e.clientWidth, e.tabIndex === 0]"
    page.wait_for_timeout(200)
    assert box.evaluate(state) == [False, False]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(200)
    assert box.evaluate(state) == [True, True]
    page.close()


@pytest.mark.browser
def test_each_chapters_worksheet_prints_on_one_page(site_url, browser):
    page = browser.new_page()
    page.goto(f"{site_url}book/worksheets.html")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == len(chapters.in_order())
    for chapter in chapters.in_order():
        sheet = page.locator(f"#chapter-{chapter.number}")
        assert sheet.locator("tbody tr").count() == len(chapter.claims) > 0
        headings = sheet.locator("h3").all_inner_texts()
        assert any("Predict" in text for text in headings)
        assert sum(text.startswith("Exercise") for text in headings) == 2
    page.close()


def answers_file(name: str, *answers: tuple[str, str, bool], predicted: str | None = None) -> dict:
    rows = [{"question": question, "outcome": "1.1", "answer": letter, "right": right, "at": ""}
            for question, letter, right in answers]  # fmt: skip
    saved = {"format": "static-vs-dynamic quiz 1", "predicted": predicted, "answers": rows}
    text = json.dumps(saved)
    return {"name": name, "mimeType": "application/json", "buffer": text.encode()}


@pytest.mark.browser
def test_a_class_s_answers_are_joined_in_the_page(site_url, browser):
    page = browser.new_page()
    page.goto(f"{site_url}book/teach_questions.html")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_input_files("[data-class-answers] input", [
        answers_file("ada.json", ("q01-1", "B", False), ("q01-1", "A", True), ("q01-2", "A", True)),
        answers_file("ben.json", ("q01-1", "B", False), predicted="online line"),
        answers_file("eve.json", ("q01-1", "A", True), predicted="online line"),
        {"name": "cat.json", "mimeType": "application/json", "buffer": b"{ broken"},
    ])  # fmt: skip
    form = page.locator("[data-class-answers]")
    said = form.locator("[role=status]")
    page.wait_for_timeout(300)
    assert said.inner_text() == (
        "3 of 4 files read, 2 questions. Not files of saved answers: cat.json. "
        "Predicted on the cover: online line 2."
    )
    rows = [row.split("\t") for row in form.locator("tbody tr").all_inner_texts()]
    assert rows == [["Q01-1", "1.1", "1 of 3", "B, 2 of 3"], ["Q01-2", "1.1", "1 of 1", "none"]]
    assert [url for url in asked if not url.endswith("favicon.svg")] == []
    page.close()


@pytest.mark.browser
def test_answers_to_questions_that_the_book_does_not_have_are_listed_apart(site_url, browser):
    """An id of an older edition, one that the page has for something else, and no id at all."""
    page = browser.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(f"{site_url}book/teach_questions.html")
    page.set_input_files("[data-class-answers] input", [
        answers_file("ada.json", ("q99-1", "B", False), ("q01-1", "A", True)),
        answers_file("ben.json", ("q99-1", "B", False), ("the-questions", "C", False)),
        answers_file("eve.json", ("q99-1", "A", True), ("q01-1", "B", False)),
        answers_file("fay.json", (7, "A", True)),
        {"name": "gus.json", "mimeType": "application/json",
         "buffer": b'{"format": "static-vs-dynamic quiz 1", "answers": [null]}'},
    ])  # fmt: skip
    form = page.locator("[data-class-answers]")
    form.locator("tbody tr").first.wait_for()
    assert form.locator("[role=status]").inner_text() == (
        "3 of 5 files read, 3 questions, 2 of them unknown here (another edition of the book?). "
        "Not files of saved answers: fay.json, gus.json."
    )
    rows = [row.split("\t") for row in form.locator("tbody tr").all_inner_texts()]
    unknown = "unknown here"
    assert rows == [
        ["Q01-1", "1.1", "1 of 2", "B, 1 of 2"],
        ["the-questions", unknown, "0 of 1", "C, 1 of 1"],
        ["q99-1", unknown, "1 of 3", "B, 2 of 3"],
    ]
    links = form.locator("tbody a")
    assert links.count() == 1 and links.get_attribute("href") == "#q01-1"
    assert broken == []
    page.close()
