"""A reader's own table in the page: the command's answer, in a browser, and nothing leaves it.

``make test`` takes one sample through the page, ``make test-lab`` (``pytest --lab``) tries all.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import runpy
import shlex
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from looks import AXE
from test_lab import built  # noqa: F401  (a fixture)
from test_lab_runs import Watch, host  # noqa: F401  (a fixture)
from test_live_runs import Unplugged, WithHeaders, wait

from book.press.site import yours
from companion import comparison, streams
from companion.rivals import FOLLOWERS, race
from companion.strategies import Baseline
from companion.streams.description import description
from companion.streams.guess import guess_roles
from companion.streams.tables import read_table

ROOT = Path(__file__).parents[1]
DATA = ROOT / "companion" / "data"
BAD = ROOT / "tests" / "bad"
GLUE = ROOT / "book" / "_static" / "live" / "yours.py"
TEN_BAD = (
    "empty.csv", "heading_only.csv", "nineteen_rows.csv", "utf16.csv", "late_latin1.csv",
    "a_zip.csv", "short_row.csv", "open_quote.csv", "two_columns_alike.csv", "stray_mark.csv",
    "times_mixed.csv", "infinite_target.csv", "gzip_cut_short.csv.gz",
)  # fmt: skip
SLOW_COLUMNS = ("cpu_seconds", "model_bytes")
browser_test = pytest.mark.browser


# ---------------------------------------------------------------- without a browser


@pytest.fixture
def glue(tmp_path, monkeypatch):
    """What the worker runs, on this machine's Python, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(GLUE))

    def call(name: str, **asked):
        return json.loads(names[name](json.dumps(asked)))["outputs"]

    return types.SimpleNamespace(call=call, names=names["run"].__wrapped__.__globals__)


def small_table(rows: int = 80, seed: int = 0) -> str:
    """Return a table with odd names: Cyrillic, emoji, markup, quotation marks."""
    rng = np.random.default_rng(seed)
    head = 'день,"<b>тепло</b>","it\'s ""x"" 🍞",<script>hacked=1</script>'
    days = np.datetime64("2024-01-01") + np.arange(rows)
    lines = [
        f"{day},{rng.normal():.2f},{k % 7},{50 + k + rng.normal():.2f}"
        for k, day in enumerate(days)
    ]
    return "\n".join([head, *lines, ""])


def test_the_page_and_its_recipes_say_the_same(glue, tmp_path, pytestconfig):
    """The command line and the script that are given away print the page's table and answer.

    With --lab, other worlds too, which take three times as long.
    """
    file = "мой 'хлеб' 🍞.csv"
    Path(file).write_text(small_table(), encoding="utf-8")
    guess = glue.call("columns", file=file)
    roles = {name: guess[name] for name in ("target", "time", "key")}
    assert roles == {"target": "<script>hacked=1</script>", "time": "день", "key": None}
    glue.call("describe", file=file, newest=60, **roles)
    asked = {"quick": True, "delay": "2", "prices": {"cost_of_error": 2.0, "cost_of_update": 9.0}}
    said = glue.call("run", **asked)
    elsewhere = pytestconfig.getoption("--lab") and glue.call("worlds")
    recipe = glue.call("recipes", file=file, newest=60, **roles, **asked)
    Path("again.py").write_text(recipe["script"], encoding="utf-8")
    script = subprocess.run(
        [sys.executable, "again.py"], capture_output=True, text=True, encoding="utf-8"
    )
    assert script.returncode == 0, script.stderr
    table = "\n".join(comparison.text_lines(said["cells"]))
    assert script.stdout.partition("\n")[2] == "\n".join([table, *said["sentences"], ""])
    command = subprocess.run(
        recipe["command"].replace("companion compare", f"{sys.executable} -m companion compare"),
        shell=True, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert command.returncode == 0, command.stderr
    printed = command.stdout.splitlines()  # with a last column: the CPU time
    assert all(any(line.startswith(row) for line in printed) for row in table.splitlines())
    assert "\n".join(said["sentences"]) in command.stdout
    if elsewhere:
        panel = [*comparison.text_lines(elsewhere["cells"]), f"{elsewhere['title']}."]
        assert "\n".join(panel) in command.stdout
    assert Path("report.html").is_file()


def test_a_name_cannot_add_an_option_or_code(glue):
    asked = {"quick": True, "delay": "0", "prices": {}}
    recipe = glue.call("recipes", file="--jobs=9; rm x", target='-y" $(z)', **asked)
    assert recipe["command"].startswith("companion compare './--jobs=9; rm x' '--target=-y\" $(z)'")
    told = glue.call("recipes", file='a"""\nimport os', target="y\n", **asked)["script"]
    assert "\nimport os" not in told
    compile(told, "script", "exec")


def test_every_step_tells_what_is_done_so_far():
    bikes = streams.bike_sharing()
    lineup = {name: Baseline(name) for name in ("no-change", "mean")}
    seen = []
    result = comparison.compare(bikes, lineup, each=lambda so_far: seen.append(dict(so_far.runs)))
    assert [list(runs) for runs in seen] == [["no-change"], ["no-change", "mean"]]
    assert seen[-1] == result.runs


def test_the_page_is_told_of_each_strategy_and_goes_on_from_finished_runs(glue):
    Path("t.csv").write_text(small_table())
    guess = glue.call("columns", file="t.csv")
    glue.call("describe", file="t.csv", target=guess["target"], time=guess["time"])
    steps = []
    glue.names["step"] = lambda text: steps.append(json.loads(text))
    whole = glue.call("run", quick=True, delay="0", prices={})
    assert [len(step["done"]) for step in steps] == list(range(1, len(whole["names"]) + 1))
    assert any("cells" in step for step in steps[:3])
    kept = {path.name: path.stat().st_mtime_ns for path in Path("runs").glob("*.npz")}
    assert len(kept) == len(whole["names"])
    some = glue.call("run", quick=True, delay="0", prices={}, names=whole["names"][:4])
    assert {path.name: path.stat().st_mtime_ns for path in Path("runs").glob("*.npz")} == kept
    assert set(whole["names"][:4]) < {name for name, *_ in some["cells"]}


def test_the_page_marks_what_the_answer_says_changed(glue):
    rng = np.random.default_rng(0)
    y = np.r_[np.zeros(300), np.full(300, 40.0)] + rng.uniform(-1, 1, 600)
    Path("t.csv").write_text("y\n" + "\n".join(f"{value:.4f}" for value in y) + "\n")
    glue.call("describe", file="t.csv", target="y")
    names = ["mean so far", "no change"]
    said = glue.call("run", quick=True, delay="0", prices={}, names=names)
    rows = [f"row {row:,}" for row in said["changes"]]
    assert rows and all(row in " ".join(said["sentences"]) for row in rows[:4])
    assert any(300 <= row < 340 for row in said["changes"])


def test_costs_cross_where_the_page_says(glue):
    glue.call("columns", file=str(DATA / "bike_sharing.csv.gz"))
    glue.call("describe", file=str(DATA / "bike_sharing.csv.gz"), target="rides", time="date")
    costs = glue.call("run", quick=True, delay="0", prices={})["costs"]
    ends = {line["name"]: line["points"] for line in costs["lines"]}

    def cost(name, price):
        (_, low), (end, high) = ends[name]
        return low + (high - low) * price / end

    assert len(costs["cheapest"]) > 1 and costs["cheapest"][0][0] == 0
    for (_, before), (price, after) in zip(costs["cheapest"], costs["cheapest"][1:], strict=False):
        assert cost(before, price) == pytest.approx(cost(after, price))
        assert cost(after, 1.1 * price) <= min(cost(name, 1.1 * price) for name in ends) + 1e-9
    told = glue.call("answer_again", prices={"cost_of_update": 3.0})
    assert told == {"refused": "--cost-of-error is missing: other costs are weighed against it"}


@pytest.mark.parametrize("name", TEN_BAD)
def test_a_bad_table_gets_the_commands_sentence(glue, name):
    sentence, options = said_of(name)
    Path(name).write_bytes((BAD / name).read_bytes())
    guess = glue.call("columns", file=name)
    said = guess if "refused" in guess else glue.call("describe", file=name, **options)
    assert said == {"refused": sentence}


def said_of(name: str) -> tuple[str, dict[str, str]]:
    """Return the sentence that the corpus has for a bad table, and the columns that were asked."""
    with (BAD / "sentences.csv").open(encoding="utf-8", newline="") as file:
        (one,) = [row for row in csv.DictReader(file) if row["file"] == name]
    return one["sentence"], json.loads(one["options"])


@pytest.mark.parametrize(
    ("head", "rows", "expected"),
    [
        ("y,day,x", "{k}.5,2024-01-{d:02d},1", ("y", "day", None)),
        ("when,id,count", "{d:02d}.01.2024 {k}:00,{i},{k}", ("count", None, "id")),
        ("price,year", "{n},{y}", ("price", "year", None)),
        ("price,x", "{y},{k}.5", ("price", None, None)),
        ("year,amount", "{n},{n}", ("amount", None, None)),
        ("id,x,note", "{k},{k}.5,word {k}", ("x", None, None)),
        ("a,class", "{k},{i}", ("class", None, None)),
        (",x,y", "{k},{k}.5,{k}.5", ("y", None, None)),
    ],
)
def test_columns_are_guessed(tmp_path, head, rows, expected):
    """Read by their cells first: a column of numbers is a time only if its name says so."""
    cells = [rows.format(k=k, d=k % 28 + 1, i=k % 3, n=3000 + k, y=1950 + k) for k in range(30)]
    if head.startswith("when"):
        expected = ("count", guess_time(cells), "id")
    file = tmp_path / "t.csv"
    file.write_text("\n".join([head, *cells]))
    found = guess_roles(file)
    assert (found.target, found.time, found.key) == expected


def guess_time(cells: list[str]) -> str | None:
    """Hours past 23 are no time, so that the column is none either."""
    return None if any(int(cell.split()[1].split(":")[0]) > 23 for cell in cells) else "when"


def test_other_worlds_are_in_the_panel_and_the_report(glue):
    """Rows left out, from the losses; then other warm-ups, run when they are asked for."""
    Path("t.csv").write_text(small_table(), encoding="utf-8")
    guess = glue.call("columns", file="t.csv")
    roles = {"target": guess["target"], "time": guess["time"]}
    glue.call("describe", file="t.csv", **roles)
    asked = {"quick": True, "delay": "2", "prices": {}}
    panel = glue.call("run", **asked, names=["no change", "mean so far", "frozen linear"])["worlds"]
    assert len(panel["cells"]) == 6 and re.match(r"\d+ seconds", panel["takes"])
    steps = []
    glue.names["step"] = lambda text: steps.append(json.loads(text).get("world"))
    more = glue.call("worlds")
    glue.names.pop("step")
    assert more["cells"][:6] == panel["cells"] and more["takes"] is None
    assert [row[0] for row in more["cells"][6:]] == steps and len(steps) == 3
    assert "not run there" not in more["cells"][6]
    report = glue.call("take_away", what="report", prices={})
    assert all(f'<th scope="row">{world}</th>' in report for world in steps)
    assert " --worlds " in glue.call("recipes", file="t.csv", **roles, **asked)["command"]
    glue.call("run", **asked, names=["no change", "frozen linear"])
    assert " --worlds " not in glue.call("recipes", file="t.csv", **roles, **asked)["command"]


def test_what_is_saved_for_offline_use_is_all_there(built):  # noqa: F811
    """Every file by its bytes: Python and all that it is asked to load, up to the report."""
    site = built.parent
    about = json.loads((site / "_static" / "live" / "yours.json").read_text(encoding="utf-8"))
    files = {address.partition("?")[0]: size for address, size in about["files"]}
    for name, size in files.items():
        if name != "_static/live/yours.json":  # which holds this list
            assert (site / name).stat().st_size == size, name
    folder = site / "lab" / "static" / "pyodide"
    packages = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    for name in {*about["packages"], *about["later"], "pandas", "matplotlib", "pillow"}:
        assert f"lab/static/pyodide/{packages[name]['file_name']}" in files, name
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        assert f"lab/static/pyodide/{name}" in files
    for name in (*yours.FILES, "needed.py", *(file for file, _, _ in yours.SAMPLES)):
        assert f"_static/live/{name}" in files
    assert (site / yours.OFFLINE).read_bytes() == (GLUE.parent / yours.OFFLINE).read_bytes()


def test_the_page_is_where_it_is_promised(site):
    doors = (site / "book" / "index.html").read_text(encoding="utf-8")
    assert 'href="your_stream.html"' in doors
    for page in ("book/guide", "notebooks/21_choosing"):
        text = (site / f"{page}.html").read_text(encoding="utf-8")
        assert re.search(
            r'<a [^>]*href="[^"]*your_stream\.html"[^>]*>', text.partition("<article")[2]
        )


def test_a_site_without_its_lab_says_so(tmp_path):
    context = {"body": f"<h1>Yours</h1>{yours.PLACE}"}
    app = types.SimpleNamespace(outdir=str(tmp_path))
    yours.add_page(app, yours.PAGE, "", context, None)
    assert context["body"] == f"<h1>Yours</h1>{yours.WITHOUT}"


# ---------------------------------------------------------------- in a browser


STATUS, PROGRESS = "#yours-status", "#yours-progress"


def opened(context, base: str):
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(f"{base}book/your_stream.html")
    return page


def give(page, name: str, data: bytes, said: str = "is read") -> str:
    """Choose a file, as a reader does, and wait until the page has read it."""
    page.locator("#yours-file").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": data}
    )
    return wait(page, STATUS, f"^{re.escape(name)}.*{re.escape(said)}")


def answered(page) -> str:
    """Run the comparison, and wait for the answer."""
    page.get_by_role("button", name="Run the comparison").click()
    wait(page, PROGRESS, "^Done")
    return page.locator("#yours-words").inner_text()


def taken(page, what: str) -> str:
    with page.expect_download() as download:
        page.locator(f"[data-away={what}]").click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def axe(page) -> list:
    found = Axe().run(page, options=AXE).response["violations"]
    return [(one["id"], one["nodes"][0]["target"]) for one in found]


def same_table(page, result) -> None:
    """The page's CSV holds the numbers of a comparison on this machine."""
    mine = {row["strategy"]: row for row in csv.DictReader(io.StringIO(taken(page, "table")))}
    theirs = {row["strategy"]: row for row in result.table()}
    assert set(mine) == set(theirs)
    for name, row in theirs.items():
        for column, value in row.items():
            if isinstance(value, float) and not column.startswith(SLOW_COLUMNS):
                assert float(mine[name][column]) == pytest.approx(value, rel=1e-5, abs=1e-6), (
                    name, column,
                )  # fmt: skip


def natively(file: Path, quick: bool = True):
    guess = guess_roles(file)
    reading = read_table(file, guess.target, time=guess.time, key=guess.key)
    return reading, race(reading.stream, quick=quick)


@browser_test
def test_from_the_front_page_to_an_answer(built, host, browser, tmp_path):  # noqa: F811
    """By keyboard alone, in the dark, on a phone: the door, the made-up bakery, the answer."""
    base = host(WithHeaders)
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark", accept_downloads=True
    )
    watch = Watch(context, base)
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(f"{base}book/index.html")
    page.locator(".door-yours a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/your_stream.html")
    assert page.workers == []
    assert axe(page) == []
    page.get_by_role("button", name="Choose a table").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait(page, STATUS, "bakery.csv is read. This bakery is made up")
    wait(page, "#yours-takes", r"^\d+ strategies, about \d+ seconds")
    assert axe(page) == []
    reading, result = natively(yours.BAKERY)
    shown = page.locator("#yours-pairs tr").all_inner_texts()
    assert [re.split(r"\s", text, maxsplit=1) for text in shown] == list(
        map(list, description(reading))
    )
    assert page.locator("#yours-target svg").get_attribute("aria-label").startswith("sold over")
    page.locator("#yours-newest, #yours-quick").first.focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "yours-run"
    page.keyboard.press("Enter")
    wait(page, PROGRESS, "^Done: The smallest error has")
    assert page.locator("#yours-words p").first.inner_text().startswith("The smallest error has")
    same_table(page, result)
    first = page.locator("#yours-table tbody tr").first.inner_text().split("\t")
    assert [text.strip() for text in first] == result.cells()[1]
    page.get_by_role("button", name=re.compile("^Show all")).click()
    assert page.locator("#yours-table tbody tr:visible").count() == len(result.runs)
    link = page.locator("#yours-table th a").first.get_attribute("href")
    assert re.fullmatch(r"\.\./notebooks/\d\d_\w+\.html", link)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert axe(page) == []
    report = taken(page, "report")
    assert report.startswith("<!DOCTYPE html>") and "http" not in report.replace("http-equiv", "")
    assert len(page.workers) == 1
    context.close()
    assert watch.problems == []


@browser_test
def test_tables_good_and_bad(built, host, browser, tmp_path, pytestconfig):  # noqa: F811
    """The other samples, bad tables, odd names, a large table, offline: one page, one Python."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(WithHeaders)
    context = browser.new_context(accept_downloads=True)
    watch = Watch(context, base)
    page = opened(context, base)
    for sample in ("Bike rides", "Patients"):
        file = next(file for file, name, _ in yours.SAMPLES if name == sample)
        page.get_by_role("button", name=sample).click()
        wait(page, STATUS, f"^{re.escape(file)} is read")
        answered(page)
        same_table(page, natively(DATA / file)[1])
    for name in TEN_BAD:
        sentence, options = said_of(name)
        page.locator("#yours-file").set_input_files(BAD / name)
        wait(page, STATUS, f"^{re.escape(name)}[,:]? ")
        if page.locator("#yours-form").is_visible():
            for role in ("target", "time"):
                page.locator(f"#yours-form [name={role}]").select_option(f"={options[role]}")
        wait(page, STATUS, f"^{re.escape(sentence)}$")
        assert page.locator("#yours-run:enabled:visible").count() == 0
    give(page, "few.parquet", (BAD / "few_rows.parquet").read_bytes(), "usable rows are too few")
    give(page, "хлеб 🍞 <i>.csv", small_table().encode())
    words = answered(page)
    assert "<script>hacked=1</script>" in words
    assert "<b>тепло</b>" in page.locator("#yours-pairs").inner_text()
    assert page.locator(".yours i, .yours b, .yours script").count() == 0
    report = taken(page, "report")
    assert "<script" not in report and "&lt;script&gt;hacked=1" in report
    kinds = "\n".join(
        ["x,вид", *(f"{k % 9}.{k % 4},{('<b>да</b>', 'нет', '🍞')[k * k % 3]}" for k in range(90))]
    )
    context.set_offline(True)  # all that it needs is here by now
    give(page, "классы.csv", kinds.encode())
    assert "<b>да</b>" in page.locator("#yours-pairs").inner_text()
    answered(page)
    assert "&lt;b&gt;да&lt;/b&gt;" in taken(page, "report")
    page.get_by_text("Paste a table").click()
    page.locator("#yours-pasted").fill(small_table(seed=1))
    page.get_by_role("button", name="Read what is pasted").click()
    wait(page, STATUS, "^pasted.csv is read")
    answered(page)
    context.set_offline(False)
    rng = np.random.default_rng(0)
    big = "\n".join(["x,y", *(f"{a:.17f},{b:.17f}" for a, b in rng.normal(size=(60_000, 2)))])
    give(page, "big.csv", big.encode())
    cut = "only the newest 20,000 of 60,000 are compared"
    assert cut in page.locator("#yours-pairs").inner_text()
    assert page.evaluate("typeof hacked") == "undefined"
    assert len(page.workers) == 1
    assert axe(page) == []
    context.close()
    assert watch.problems == []


@browser_test
def test_stop_keeps_what_is_done(built, host, browser, pytestconfig):  # noqa: F811
    """And the page goes on: prices, another run, another table, a reload."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(WithHeaders)
    context = browser.new_context(accept_downloads=True)
    watch = Watch(context, base)
    page = opened(context, base)
    page.get_by_role("button", name="Bike rides").click()
    wait(page, STATUS, "is read")
    page.locator("#yours-quick").select_option("0")
    page.get_by_role("button", name="Run the comparison").click()
    wait(page, PROGRESS, r"^([4-9]|1\d) of \d+ strategies")
    assert page.locator("#yours-errors svg").count() == 1
    page.get_by_role("button", name="Stop").click()
    said = wait(page, PROGRESS, r"^Stopped with \d+ strategies done: The smallest error")
    done = int(re.search(r"\d+", said)[0])
    assert page.locator("#yours-table tbody tr").count() == done + len(FOLLOWERS)
    assert "no change" in taken(page, "table")
    page.get_by_text("Prices").click()
    page.locator("#yours-cost_of_error").fill("2")
    page.keyboard.press("Tab")
    wait(page, PROGRESS, "^At these prices: ")
    assert "cheapest" in page.locator("#yours-words").inner_text()
    page.locator("#yours-quick").select_option("1")
    answered(page)
    assert "--cost-of-error 2 --quick" in page.locator("#yours-command").inner_text()
    page.locator("#yours-delay").fill("never")
    page.get_by_role("button", name="Run the comparison").click()
    wait(page, PROGRESS, "^--label-delay: 'never' is no duration")
    page.locator("#yours-delay").fill("2D")
    answered(page)
    for _ in range(100):  # the browser takes a moment to end the one that was stopped
        if len(page.workers) == 1:
            break
        page.wait_for_timeout(50)
    assert len(page.workers) == 1
    page.reload()
    assert not page.locator("#yours-read").is_visible()
    assert page.workers == []
    context.close()
    assert watch.problems == []


@browser_test
def test_a_saved_page_runs_without_a_network(built, host, browser, pytestconfig):  # noqa: F811
    """Save, cut the network off, open anew, compare, take the report away; then remove it."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(Unplugged)
    context = browser.new_context(
        accept_downloads=True, viewport={"width": 390, "height": 800}, color_scheme="dark"
    )
    watch = Watch(context, base)
    page = opened(context, base)
    page.get_by_role("button", name="Save this page for offline use").click()
    wait(page, "#yours-kept", r"^Saving: [1-9]\d* of \d+ MB")
    wait(page, "#yours-kept", "^Saved: ")
    assert page.workers == [] and axe(page) == []
    page.close()
    assert watch.problems == []
    Unplugged.cut = True
    try:
        page = opened(context, base)
        wait(page, "#yours-kept", "^Saved: ")
        assert page.locator(".yours-open").evaluate("box => getComputedStyle(box).borderStyle") == (
            "dashed"
        )
        page.get_by_role("button", name="A bakery").click()
        wait(page, STATUS, "^bakery.csv is read")
        answered(page)
        assert taken(page, "report").startswith("<!DOCTYPE html>")
        assert "strategy" in taken(page, "table")
        with pytest.raises(Exception, match="ERR_"):  # the other pages are left alone
            context.new_page().goto(f"{base}book/guide.html")
        page.get_by_role("button", name="Remove the saved copy").click()
        wait(page, "#yours-keep", "^Save this page")
        assert page.evaluate("caches.keys()") == []
        with pytest.raises(Exception, match="ERR_"):
            page.reload()
    finally:
        Unplugged.cut = False
    context.close()


@browser_test
def test_what_is_too_large_is_said(built, host, browser, tmp_path, pytestconfig):  # noqa: F811
    """Too many bytes, packed or not; 20 MB of rows; and a table for which the memory is too small.

    Each time with the command line, which has no such limits; and the page goes on.
    """
    if not pytestconfig.getoption("--lab"):
        return
    base = host(WithHeaders)
    context = browser.new_context()
    watch = Watch(context, base)
    page = opened(context, base)
    large, packed = tmp_path / "it's large.csv", tmp_path / "packed.csv.gz"
    with large.open("wb") as file:
        file.truncate(120_000_000)
    packed.write_bytes(gzip.compress(bytes(120_000_000), 1))
    for path in (large, packed):
        page.locator("#yours-file").set_input_files(path)
        wait(page, STATUS, r": 120 MB are more than the page can hold \(100\); give fewer rows")
        command = page.locator(f"{STATUS} code").inner_text()
        assert shlex.split(command) == [
            "companion", "compare", path.name, "--target", "COLUMN", "--quick",
        ]  # fmt: skip
    assert page.workers == []
    times = np.datetime64("2024-01-01T00:00:00") + 60 * np.arange(620_000)
    rows = [f"{time},{k % 50},{k % 97}.{k % 10},{k % 101}.5" for k, time in enumerate(times)]
    long = "\n".join(["time,sensor,x,y", *rows]).encode()
    assert len(long) > 20e6
    give(page, "long.csv", long)
    assert "only the newest 20,000 of 620,000" in page.locator("#yours-pairs").inner_text()
    wait(page, "#yours-takes", "All rows on the command line")
    command = page.locator("#yours-takes code").inner_text()
    assert command.startswith("companion compare long.csv --target y --time time --key sensor")
    # as a table would that needs more than the 4 GB that there are
    script, begins = GLUE.read_text(encoding="utf-8"), "    global read\n"
    greedy = script.replace(begins, begins + "    [np.empty(2**30, np.uint8) for _ in range(5)]\n")
    assert greedy != script
    context.route("**/yours.py*", lambda route: route.fulfill(body=greedy))
    page.reload()
    page.locator("#yours-file").set_input_files(
        {"name": "t.csv", "mimeType": "text/csv", "buffer": small_table().encode()}
    )
    wait(page, STATUS, "^t.csv: this table has used up the page's memory; give fewer rows")
    assert not page.locator("#yours-read").is_visible()
    context.unroute("**/yours.py*")
    give(page, "t.csv", small_table().encode())
    context.close()
    assert watch.problems == []


@browser_test
def test_other_worlds_run_in_the_page(built, host, browser, pytestconfig):  # noqa: F811
    """They run when asked for, and can be stopped; the answer stays."""
    if not pytestconfig.getoption("--lab"):
        return
    base = host(WithHeaders)
    context = browser.new_context(accept_downloads=True, viewport={"width": 390, "height": 800})
    watch = Watch(context, base)
    page = opened(context, base)
    give(page, "t.csv", small_table().encode())
    words = answered(page)
    title = page.locator("#yours-worlds-title")
    assert re.match(r"In \d of 4 other worlds", title.inner_text())
    title.click()
    assert page.locator("#yours-worlds-table tbody tr").count() == 5
    page.get_by_role("button", name="Run other warm-ups").click()
    wait(page, "#yours-worlds-said", "^Running: warm-up of 10 %")
    page.locator("#yours-worlds-stop").click()
    wait(page, PROGRESS, "^Done: ")
    assert page.locator("#yours-title").inner_text() == "The answer"
    assert page.locator("#yours-words").inner_text() == words
    page.get_by_role("button", name="Run other warm-ups").click()
    said = wait(page, "#yours-worlds-said", r"^Done: In \d of 7 other worlds")
    rows = page.locator("#yours-worlds-table tbody tr").all_inner_texts()
    assert len(rows) == 8 and "warm-up of 30 %" in rows[6]
    assert page.locator("#yours-worlds-run").is_hidden()
    assert "--worlds" in page.locator("#yours-command").inner_text()
    report = taken(page, "report")
    assert said.removeprefix("Done: ").rstrip(".") in report and "warm-up of 30 %" in report
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(page) == []
    context.close()
    assert watch.problems == []
