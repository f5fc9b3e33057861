"""Every chapter runs in the lab: on its Python under Node, and in a browser as a student would.

``make test`` takes the first chapter through, ``make test-lab`` (``pytest --lab``) takes all.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import outputs
import pytest
from conftest import IN_CI
from test_lab import built  # noqa: F401  (a fixture)

from book.press import policies
from book.press.course.assignments import SOURCES
from book.press.lab.build import CAPSTONE
from book.press.lab.node import run_in_node
from book.press.site import serve

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
OWN_DATA = ROOT / "notebooks" / "your_own_data.ipynb"
READY = "document.querySelector('#book-lab p')?.textContent.startsWith('Python is ready')"
CELLS = "window.jupyterapp.shell.currentWidget.context.model.toJSON().cells"
PATIENCE = 600_000  # ms; a busy machine is slow


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take one chapter and one assignment, or everything with --lab."""
    every = metafunc.config.getoption("--lab")
    chapters = CHAPTERS if every else CHAPTERS[:1]
    others = [OWN_DATA, *sorted(CAPSTONE.glob("*.ipynb"))]
    weeks = sorted(SOURCES.glob("*.ipynb"))
    chosen = {
        "chapter": chapters, "notebook": chapters + others if every else chapters,
        "week": weeks if every else weeks[:1],
    }  # fmt: skip
    for name in chosen.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, chosen[name], ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def run_under_node(built: Path, notebook: Path) -> dict:  # noqa: F811
    """Run a notebook on the lab's Python; return what its cells showed, and the seconds."""
    node = shutil.which("node")
    if not node:
        how = "no Node was found; install Node 20 or later (Debian: apt-get install nodejs)"
        pytest.fail(how) if IN_CI else pytest.skip(how)
    return run_in_node(node, built / "static" / "pyodide", notebook)


def test_the_text_outputs_are_the_stored_ones(built, notebook, record_property):  # noqa: F811
    found = run_under_node(built, notebook)
    record_property("lab", {"chapter": notebook.stem, "Node": found["run"]})
    shown = [cell["outputs"] for cell in found["cells"]]
    assert outputs.compare(notebook.stem, code_cells(notebook), shown) == []


def test_an_assignment_can_be_solved_in_the_lab(built, week):  # noqa: F811
    """Solved, it passes its tests; as it lies there, it stops at the first answer to be given."""
    released = built / "files" / "assignments" / week.name
    for path, failures in ((week, 0), (released, 1)):
        cells = run_under_node(built, path)["cells"]
        failed = [out for cell in cells for out in cell["outputs"] if "evalue" in out]
        assert len(failed) == failures, failed
    assert "NotImplementedError" in failed[0]["evalue"]


class Watch:
    """Everything that a clean visit does not do, and what a visit loads."""

    def __init__(self, context, base: str) -> None:
        self.problems: list[str] = []
        context.on("request", lambda r: self.inside(r.url, base))
        context.on("response", lambda r: r.status < 400 or self.add(f"{r.status} {r.url}"))
        context.on("requestfailed", lambda r: self.add(f"failed {r.url} {r.failure}"))
        context.on("console", lambda m: m.type == "error" and self.add(f"console: {m.text}"))
        context.on("weberror", lambda e: self.add(f"error: {e.error}"))

    def add(self, what: str) -> None:
        self.problems.append(what[:300])

    def inside(self, url: str, base: str) -> None:
        # JupyterLite's service worker answers this one itself, so it reaches no server.
        beat = url.endswith("/api/service-worker-heartbeat")
        if not url.startswith((base, "data:", "blob:")) and not beat:
            self.add(f"outside request: {url}")


class Counting(serve.Handler):
    """The book's own server, counting the bytes it sends."""

    sent = 0

    def copyfile(self, source, outputfile) -> None:
        data = source.read()
        type(self).sent += len(data)
        outputfile.write(data)


class WithHeaders(Counting):
    """As a host that sends the lab's headers, and isolates its pages from others."""

    def end_headers(self) -> None:
        if "/lab/" in self.path:
            self.send_header("Content-Security-Policy", policies.LAB)
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


@pytest.fixture
def host(site, tmp_path) -> Iterator:
    """Serve the site from a path below the host, as GitHub Pages does; with a handler's ways."""
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "book").symlink_to(site, target_is_directory=True)
    servers = []

    def start(handler: type) -> str:
        serving = serve.server(0, tmp_path, handler=handler)
        servers.append(serving)
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{serving.server_address[1]}/some/book/"

    yield start
    for serving in servers:
        serving.shutdown()
        serving.server_close()


def open_lab(context, base: str, chapter: Path):
    """Go from the chapter's page to the lab by its button."""
    page = context.new_page()
    page.goto(f"{base}{chapter.relative_to(ROOT).with_suffix('.html').as_posix()}")
    page.locator(".dropdown-launch-buttons button").click()
    with context.expect_page() as restored:
        page.get_by_role("link", name="In your browser").click()
    page.close()
    restored.value.wait_for_function(READY, timeout=PATIENCE, polling=500)
    return restored.value


def run_all(page) -> None:
    """Press Run all and wait until every cell has run."""
    page.get_by_role("button", name="Run all", exact=True).click()
    page.wait_for_function(
        f"{CELLS}.every(c => c.cell_type != 'code' || c.execution_count) && {READY}",
        timeout=PATIENCE, polling=500,
    )  # fmt: skip


@pytest.mark.browser
def test_a_chapter_runs_from_its_page(built, host, browser, chapter, record_property):  # noqa: F811
    base = host(Counting)
    context = browser.new_context()
    watch = Watch(context, base)
    Counting.sent = 0
    start = time.monotonic()
    page = open_lab(context, base, chapter)
    ready, loaded = time.monotonic(), Counting.sent
    run_all(page)
    record_property("lab", {
        "chapter": chapter.stem, "ready": ready - start, "Run all": time.monotonic() - ready,
    })  # fmt: skip
    cells = [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]
    solved = ["solution" in cell["metadata"].get("tags", []) for cell in code_cells(chapter)]
    # A student finds an empty cell for each solution; under Node, the solutions run too.
    assert [cell["source"].startswith("# Your answer") for cell in cells] == solved
    shown = [cell["outputs"] for cell, one in zip(cells, solved, strict=True) if not one]
    stored = [cell for cell, one in zip(code_cells(chapter), solved, strict=True) if not one]
    assert outputs.compare(chapter.stem, stored, shown) == []
    pictures = sum("image/png" in out.get("data", {}) for cell in stored for out in cell["outputs"])
    assert page.locator(".jp-OutputArea-output img[alt]").count() >= pictures
    assert page.locator(".companion-frames .controls input").count() >= 1
    links = page.eval_on_selector_all(".jp-RenderedMarkdown a[href]", "all => all.map(a => a.href)")
    assert any(link.startswith(f"{base}book/glossary.html#") for link in links)
    ways = [link for link in links if link.startswith(f"{base}notebooks/{chapter.stem}.html#ex")]
    assert len(ways) == sum(solved)
    megabytes = json.loads((built / "about.json").read_text())["megabytes"]
    assert abs(loaded / 1e6 - megabytes) < 0.05 * megabytes, f"a first visit loads {loaded / 1e6}"
    context.close()
    assert watch.problems == []


@pytest.mark.browser
def test_a_student_changes_a_chapter_and_starts_over(built, host, browser):  # noqa: F811
    """Quiz by keyboard, a file of one's own, a change that outlives a reload, and a fresh start."""
    base = host(Counting)
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    watch = Watch(context, base)
    page = open_lab(context, base, CHAPTERS[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    answer = page.locator("details.answer").first
    answer.locator("summary").focus()
    page.keyboard.press("Enter")
    assert answer.get_attribute("open") is not None
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Add a file").click()
    mine = {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"a file of my own"}
    chosen.value.set_files([mine])
    page.get_by_text("“mine.csv” lies beside this notebook").wait_for()
    knob = page.locator(".jp-CodeCell", has_text="knob_").first
    knob.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("print(6 * 7000, open('mine.csv').read())")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    printed = "42000 a file of my own"
    page.wait_for_function(
        f"JSON.stringify({CELLS}.map(c => c.outputs)).includes('{printed}')", timeout=PATIENCE
    )
    page.wait_for_function(
        "!window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=60_000
    )
    page.wait_for_function(READY, timeout=PATIENCE, polling=500)  # or a request is cut off
    page.reload()
    page.wait_for_function(READY, timeout=PATIENCE, polling=500)
    mine = "6 * 7000"
    assert mine in page.evaluate(f"JSON.stringify({CELLS})")
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.get_by_role("button", name="Start over").click()
    page.wait_for_function(READY, timeout=PATIENCE, polling=500)
    assert mine not in page.evaluate(f"JSON.stringify({CELLS})")
    assert page.get_by_role("link", name="Back to the chapter").get_attribute("href") == (
        f"{base}notebooks/{CHAPTERS[0].stem}.html"
    )
    context.close()
    assert watch.problems == []


SHOP = "when,warmth,sales\n" + "".join(
    f"2024-{1 + k // 28:02d}-{1 + k % 28:02d},{k % 7},{100 + 9 * (k % 7) + k % 5}\n"
    for k in range(224)
)


@pytest.mark.browser
def test_a_table_of_ones_own_is_compared_in_the_lab(built, host, browser):  # noqa: F811
    """From the page on how to run the book: choose a file, name it in a cell, read the answer."""
    base = host(Counting)
    context = browser.new_context()
    watch = Watch(context, base)
    page = context.new_page()
    page.goto(f"{base}book/run.html")
    page.get_by_role("link", name="in your browser", exact=True).click()
    page.wait_for_function(READY, timeout=PATIENCE, polling=500)
    assert page.get_by_role("link", name="Back to the book").get_attribute("href") == (
        f"{base}book/your_stream.html"
    )
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Add a file").click()
    mine = {"name": "shop.csv", "mimeType": "text/csv", "buffer": SHOP.encode()}
    chosen.value.set_files([mine])
    page.get_by_text("“shop.csv” lies beside this notebook").wait_for()
    page.locator(".cm-line", has_text='file = "bakery.csv"').click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+Home")
    page.keyboard.type('file = "shop.csv"')
    run_all(page)
    shown = page.evaluate(f"JSON.stringify({CELLS}.map(c => c.outputs))")
    assert "columns: when, warmth, sales" in shown and "rows      224" in shown
    assert "The smallest error has" in shown
    context.close()
    assert watch.problems == []


@pytest.mark.browser
def test_a_capstone_finds_its_data_in_the_lab(built, host, browser, pytestconfig):  # noqa: F811
    """The packed file comes unharmed: the notebook compares its sha256."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(Counting)
    context = browser.new_context()
    watch = Watch(context, base)
    page = open_lab(context, base, CAPSTONE / "flights.ipynb")
    run_all(page)
    shown = page.evaluate(f"JSON.stringify({CELLS}.map(c => c.outputs))")
    assert "licence: CC0" in shown and '"output_type":"error"' not in shown
    assert page.get_by_role("link", name="Back to the book").get_attribute("href") == (
        f"{base}notebooks/capstone/flights.html"
    )
    context.close()
    assert watch.problems == []


@pytest.mark.browser
def test_the_lab_obeys_its_policy_as_headers(built, host, browser, pytestconfig):  # noqa: F811
    """Where a host sends the policy for the workers too, and isolates its pages from others."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(WithHeaders)
    context = browser.new_context()
    watch = Watch(context, base)
    page = open_lab(context, base, CHAPTERS[0])
    assert page.evaluate("typeof SharedArrayBuffer") == "function"  # the host does isolate
    run_all(page)
    context.close()
    assert watch.problems == []
