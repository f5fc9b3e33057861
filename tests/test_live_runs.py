"""Knobs turn and cells run in the chapters' own pages, in a browser as a reader would.

``make test`` takes the first chapter through, ``make test-lab`` (``pytest --lab``) takes all.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import outputs
import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import AXE
from test_lab import built  # noqa: F401  (a fixture)
from test_lab_runs import CHAPTERS, Counting, Watch, host  # noqa: F401  (a fixture)
from test_live import CELLS, knob_cell

from book.press import policies
from book.press.live import knobs

ROOT = Path(__file__).parents[1]
PATIENCE = 180  # seconds; a busy machine is slow
pytestmark = pytest.mark.browser


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take one chapter, or all with --lab."""
    if "chapter" in metafunc.fixturenames:
        chosen = CHAPTERS if metafunc.config.getoption("--lab") else CHAPTERS[:1]
        metafunc.parametrize("chapter", chosen, ids=lambda path: path.stem)


class WithHeaders(Counting):
    """As a host that sends the book's policies as headers."""

    def end_headers(self) -> None:
        policy = (
            policies.LIVE if self.path.partition("?")[0].endswith(policies.LIVE_WORKER) else None
        )
        if "/notebooks/" in self.path or "/book/your_stream" in self.path:
            policy = policies.SITE
        if policy:
            self.send_header("Content-Security-Policy", policy)
        super().end_headers()


def wait(page, selector: str, pattern: str) -> str:
    """Wait until a text fits; the pages' policy forbids Playwright's own way, which evaluates."""
    text = ""
    for _ in range(PATIENCE * 20):
        text = page.locator(selector).first.inner_text()
        if re.search(pattern, text):
            return text
        page.wait_for_timeout(50)
    raise AssertionError(f"{selector} is {text!r}, not {pattern!r}")


STATUS = "form.live .live-status"


def stored_text(page) -> str:
    return page.locator(".tag_knob > .cell_output").inner_text()


def turned_text(page) -> str:
    return page.locator(".tag_knob .live-world .live-shown").inner_text()


def natively(one: knobs.Turning, sources: dict[str, str]) -> tuple[str, list[str]]:
    """Return what the knob cell shows on this machine's Python, and what it says of claims."""
    turn = CELLS["turn"]
    with contextlib.redirect_stdout(io.StringIO()):
        done = json.loads(turn(one.before, one.cell, json.dumps(sources), json.dumps(one.evidence)))
    outputs = done["outputs"]
    weighed = outputs.pop()["data"][CELLS["EVIDENCE"]]["mine"] if one.evidence else []
    shown = [
        out.get("text") or out["data"].get("text/html") or out["data"]["text/plain"]
        for out in outputs
    ]
    said = [f"Claim {piece['claim']}. {piece['line']}." for piece in weighed]
    return " ".join(map(words, shown)), said


def words(html: str) -> str:
    """Return a text without tags and white space, so that a table and its picture are equal."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def known(chapter: Path) -> dict:
    """Return how far a chapter's knob cell may be off in the browser."""
    code = "".join(knob_cell(chapter)["source"])
    listed = [one for one in outputs.KNOWN
              if one["notebook"] == chapter.stem and code.startswith(one["cell"])]  # fmt: skip
    return {key: one[key] for one in listed for key in ("largest", "words") if key in one}


def test_knobs_turn_in_the_page(built, host, browser, chapter, record_property):  # noqa: F811
    base = host(WithHeaders)
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    watch = Watch(context, base)
    page = context.new_page()
    one = knobs.turning(chapter)
    page.goto(f"{base}notebooks/{chapter.stem}.html")
    page.wait_for_load_state("networkidle")
    said = int(re.search(r"(\d+) MB", page.locator(".live-cost").inner_text())[1])
    WithHeaders.sent = 0
    page.get_by_role("button", name="Turn the knobs here").click()
    wait(page, STATUS, "^In your world, with the book’s values")
    assert (
        outputs.differences(words(stored_text(page)), words(turned_text(page)), **known(chapter))
        == []
    )
    assert abs(WithHeaders.sent / 1e6 - said) < 1, f"a first touch loads {Counting.sent / 1e6} MB"
    # the last knob that is no switch, one stop on, then the one before it as well
    sources = {}
    for knob in [k for k in one.knobs if k.kind != "switch"][:-3:-1]:
        stop = turn_on(page, knob)
        sources[knob.name] = knob.sources[stop]
        told = f"{knob.label}: {knob.shown[stop]} (book: {knob.shown[knob.stored]})"
        wait(page, ".live-world", re.escape(told))
        assert page.locator(STATUS).inner_text().startswith("In your world:")
        expected, said = natively(one, sources)
        assert outputs.differences(expected, words(turned_text(page)), **known(chapter)) == []
        mine = [text.partition(" In the book: ")[0]
                for text in page.locator("ul.live-claims li").all_inner_texts()]  # fmt: skip
        assert len(mine) == len(said)
        assert outputs.differences("\n".join(said), "\n".join(mine), **known(chapter)) == []
    assert len(sources) == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(v["id"], v["nodes"][0]["target"]) for v in found] == []
    link = page.url
    page.get_by_role("button", name="Book’s values").click()
    wait(page, STATUS, "^In your world, with the book’s values")
    assert "#" not in page.url
    assert len(page.workers) == 1
    again = context.new_page()
    again.goto(link)
    wait(again, STATUS, "^This link has set the knobs")
    assert again.locator(f"#live-{knob.name}").input_value() == str(stop)
    context.close()
    assert watch.problems == []


def turn_on(page, knob: knobs.Knob) -> int:
    """Turn a knob by one stop, a slider by keyboard; return the stop."""
    step = 1 if knob.stored + 1 < len(knob.sources) else -1
    field = page.locator(f"#live-{knob.name}")
    if knob.kind == "choice":
        field.select_option(str(knob.stored + step))
    else:
        field.focus()
        page.keyboard.press("ArrowUp" if step > 0 else "ArrowDown")
    return knob.stored + step


def test_a_claim_turns_in_another_world_and_no_worker_is_left_behind(built, host, browser):  # noqa: F811
    """A month without counts: what the numbers say of a claim changes, and the page says so."""
    base = host(WithHeaders)
    context = browser.new_context()
    watch = Watch(context, base)
    page = context.new_page()
    page.goto(f"{base}notebooks/{CHAPTERS[0].stem}.html#label_delay=60")
    page.get_by_role("button", name="Turn the knobs here").click()
    text = wait(page, STATUS, "^In your world: ")
    assert "Claim S2: error of the frozen line minus the refit line is unclear; in the book it " \
           "speaks for the claim." in text  # fmt: skip
    turned = page.locator(".live-turns").inner_text()
    assert "unclear. In the book: " in turned and turned.endswith("speaks for the claim.")
    page.get_by_role("button", name="Book’s values").click()
    wait(page, STATUS, "^In your world, with the book’s values")
    assert page.locator(".live-turns").count() == page.locator(".live-was").count() == 0
    page.evaluate("() => { location.hash = 'label_delay=60'; }")  # a link, while Python is up
    wait(page, STATUS, "^In your world: Claim S2")
    page.evaluate("() => { location.hash = 'label_delay=7'; }")
    page.evaluate("() => { location.hash = 'label_delay=8.25'; }")
    wait(page, STATUS, "^This link asks for what the knobs do not have: label_delay=8.25")
    page.go_back()
    page.go_back()
    page.go_back()
    wait(page, STATUS, "^In your world, with the book’s values")
    for _ in range(2):
        page.goto(f"{base}notebooks/{CHAPTERS[1].stem}.html")
        assert page.workers == []
        page.wait_for_load_state("networkidle")  # who leaves earlier ends the icon's request
        page.go_back()
        wait(page, ".live-cost", "MB once|^$")
        page.locator("#live-warmup").press("ArrowUp")
        wait(page, ".live-world", "share of the days")
        assert len(page.workers) == 1
    context.close()
    assert watch.problems == []


def test_cells_are_edited_and_run(built, host, browser):  # noqa: F811
    """An error is readable and the page lives on; a loop without end is stopped; an answer runs."""
    base = host(WithHeaders)
    context = browser.new_context()
    watch = Watch(context, base)
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"{base}notebooks/{CHAPTERS[0].stem}.html")
    cell = page.locator(".bd-article .cell", has_text="def ben(rate").first
    stored = cell.locator(".cell_output").inner_text()
    cell.locator("summary").click()  # more than 15 lines: it is folded
    cell.get_by_role("button", name="Edit and run").click()
    code = cell.locator("textarea")
    whole = code.input_value()
    assert (
        whole
        == next(
            c for c in map("".join, sources(CHAPTERS[0])) if c.startswith("def ben(rate")
        ).rstrip("\n")
        + "\n"
    )
    page.keyboard.press("Control+Enter")
    wait(page, ".cell_input .live-status", "^Done; what it shows is below")
    assert outputs.differences(stored, cell.locator(".live-shown").inner_text()) == []
    assert not cell.locator(".cell_output").is_visible()
    code.fill("len(bikes) / 0")
    page.keyboard.press("Control+Enter")
    wait(page, ".cell_input .live-status", "^An error: ZeroDivisionError: division by zero")
    assert "line 1: len(bikes) / 0" in cell.locator(".live-error").inner_text()
    code.fill("while True:\n    pass")
    page.keyboard.press("Control+Enter")
    wait(page, ".cell_input .live-status", "^Running …")
    cell.get_by_role("button", name="Stop").click()
    wait(page, ".cell_input .live-status", "^Stopped")
    assert page.evaluate("document.activeElement.textContent") == "Run (Ctrl+Enter)"
    assert cell.locator(".live-shown").count() == 0  # it was of other code
    for _ in range(100):  # the browser takes a moment to end it
        if not page.workers:
            break
        page.wait_for_timeout(50)
    assert page.workers == []
    deep = "import sys\nsys.setrecursionlimit(10**6)\ndef f(n):\n    return f(n + 1)\nf(0)"
    code.fill(deep)  # which Python in a browser does not survive
    page.keyboard.press("Control+Enter")
    wait(page, ".cell_input .live-status", "^Not run: ")
    assert "fatal" in watch.problems[0]  # Pyodide's own words; whatever else goes wrong comes later
    watch.problems.clear()
    code.fill("print(len(bikes))")
    page.keyboard.press("Control+Enter")
    wait(page, ".cell_input .live-shown", "^731")
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(v["id"], v["nodes"][0]["target"]) for v in found] == []
    cell.get_by_role("button", name="Book’s code and output").click()
    assert cell.locator(".cell_output").inner_text() == stored
    page.get_by_role("button", name="Answer here").first.click()
    # What is typed before the field is there goes nowhere.
    page.wait_for_function("document.activeElement.matches('textarea')")
    page.keyboard.press("Control+End")
    page.keyboard.type("print('mine', warmup)")
    page.keyboard.press("Control+Enter")
    wait(page, ".live-world .live-shown", r"No answer yet\.\s+mine 146")
    cell.get_by_role("button", name="Edit and run").click()
    code.fill("while True:\n    pass")
    page.keyboard.press("Control+Enter")
    wait(page, ".cell_input .live-status", "^Running …")
    cell.get_by_role("button", name="Book’s code and output").click()  # nothing comes late
    for _ in range(100):
        if not page.workers:
            break
        page.wait_for_timeout(50)
    assert page.workers == [] and cell.locator(".cell_output").inner_text() == stored
    context.close()
    assert watch.problems == []


def test_a_finger_that_scrolls_turns_no_knob(built, host, browser):  # noqa: F811
    base = host(WithHeaders)
    context = browser.new_context(viewport={"width": 390, "height": 740}, has_touch=True)
    page = context.new_page()
    page.goto(f"{base}notebooks/{CHAPTERS[0].stem}.html")
    page.wait_for_load_state("networkidle")
    slider = page.locator("form.live input[type=range]").first
    devtools = context.new_cdp_session(page)

    def middle() -> tuple[float, float]:
        slider.evaluate("(slider) => slider.scrollIntoView({block: 'center', behavior: 'instant'})")
        page.wait_for_timeout(300)
        box = slider.bounding_box()
        return box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2

    def touch(kind: str, **point: float) -> None:
        points = [point] if point else []
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    (x, y), value = middle(), slider.input_value()
    height = page.evaluate("scrollY")
    touch("touchStart", x=x, y=y)
    for k in range(15):
        touch("touchMove", x=x, y=y - 15 * k)
    touch("touchEnd")
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") > height + 100
    assert slider.input_value() == value and "#" not in page.url and page.workers == []
    x, y = middle()
    touch("touchStart", x=x, y=y)
    for k in range(5):
        touch("touchMove", x=x - 6 * k, y=y)
    touch("touchEnd")
    wait(page, STATUS, "^Python is starting")
    assert slider.input_value() != value and "#" in page.url
    context.close()


def test_what_did_not_arrive_is_asked_for_again(built, host, browser):  # noqa: F811
    base = host(WithHeaders)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{base}notebooks/{CHAPTERS[0].stem}.html")
    page.wait_for_load_state("networkidle")
    for what, said in [
        ("**/live/work.mjs*", "^What turns the knobs could not be fetched"),
        (f"**/live/{CHAPTERS[0].stem}.json*", "^Python could not run here: Failed to fetch"),
        ("**/river-*.whl*", "^Python could not run here: river could not be fetched"),
    ]:
        context.route(what, lambda route: route.abort())
        page.get_by_role("button", name="Turn the knobs here").click()
        wait(page, STATUS, said)
        assert page.locator(".live-world").is_hidden()
        context.unroute(what)
    page.get_by_role("button", name="Turn the knobs here").click()
    wait(page, STATUS, "^In your world, with the book’s values")
    page.evaluate("() => { location.hash = 'label_delay=60&rate=fast&speed=3'; }")
    text = wait(page, STATUS, "In your world: ")
    odd = "This link asks for what the knobs do not have: rate=fast, speed=3. "
    assert text.startswith(odd) and "#label_delay=60" in page.url
    context.close()


def test_a_long_turn_is_stopped_and_the_knobs_turn_again(built, host, browser, pytestconfig):  # noqa: F811
    """Chapter 13 computes for seconds at a turn, so that only ``--lab`` waits for it."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(WithHeaders)
    context = browser.new_context()
    watch = Watch(context, base)
    page = context.new_page()
    chapter = next(path for path in CHAPTERS if path.stem.startswith("13"))
    page.goto(f"{base}notebooks/{chapter.stem}.html")
    page.get_by_role("button", name="Turn the knobs here").click()
    wait(page, STATUS, "^In your world, with the book’s values")
    slider = page.locator("form.live input[type=range]").last
    slider.press("ArrowLeft")
    wait(page, STATUS, "^Running …")
    page.locator("form.live").get_by_role("button", name="Stop").click()
    wait(page, STATUS, "^Stopped. Turn a knob to begin again")
    for _ in range(100):  # the browser takes a moment to end it
        if not page.workers:
            break
        page.wait_for_timeout(50)
    assert page.workers == []
    assert "with the book’s values" in page.locator(".live-world").inner_text()
    slider.press("ArrowRight")
    wait(page, STATUS, "^In your world, with the book’s values")
    context.close()
    assert watch.problems == []


class Unplugged(WithHeaders):
    """A server that can be cut off, and whose pages the browser does not keep by itself."""

    cut = False

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_GET(self) -> None:
        if type(self).cut:
            self.close_connection = True
            self.connection.close()
        else:
            super().do_GET()


KEEP, KEPT = "[data-keep]", "[data-keep] + [role=status]"


def test_saved_chapters_run_without_a_network(built, host, browser):  # noqa: F811
    """Save two, cut the network off, reload, turn; take one away, and the other still runs."""
    base = host(Unplugged)
    context = browser.new_context(viewport={"width": 360, "height": 740})
    watch = Watch(context, base)
    page = context.new_page()
    chapters = [f"{base}notebooks/{CHAPTERS[k].stem}.html" for k in (0, 8)]
    for chapter in chapters:
        page.goto(chapter)
        wait(page, KEEP, r"^Save this page for offline use \(\d+ MB\)")
        assert page.evaluate("caches.keys()") == [] or chapter != chapters[0]
        page.locator(KEEP).click()
        wait(page, KEPT, "^Saved: ")
        assert page.workers == []
    assert watch.problems == []
    kept = page.evaluate("caches.keys()")
    assert len([name for name in kept if name.startswith("python ")]) == 1 and len(kept) == 3
    Unplugged.cut = True
    try:
        for chapter in chapters:
            page.goto(chapter)
            wait(page, KEPT, "^Saved: ")
            assert page.evaluate(
                "[...document.images].every(image => !image.complete || image.naturalWidth > 0)"
            )
            page.get_by_role("button", name="Turn the knobs here").click()
            wait(page, STATUS, "^In your world, with the book’s values")
            page.reload()
        with pytest.raises(Exception, match="ERR_"):  # the other pages are left alone
            context.new_page().goto(f"{base}notebooks/{CHAPTERS[1].stem}.html")
        page.locator(KEEP).click()
        wait(page, KEEP, "^Save this page")
        page.goto(chapters[0])
        page.locator("form.live select, form.live input").first.focus()
        page.get_by_role("button", name="Turn the knobs here").click()
        wait(page, STATUS, "^In your world, with the book’s values")
        page.locator(KEEP).click()
        wait(page, KEEP, "^Save this page")
        assert page.evaluate("caches.keys()") == []
        with pytest.raises(Exception, match="ERR_"):
            page.reload()
    finally:
        Unplugged.cut = False
    context.close()


def sources(chapter: Path) -> list[list[str]]:
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    return [cell["source"] for cell in cells if cell["cell_type"] == "code"]
