"""The live book without a browser: knobs are whole, and their cell has all that it needs."""

from __future__ import annotations

import json
import re
import runpy
import sys
import types
from pathlib import Path

import outputs
import pytest
from test_lab import built  # noqa: F401  (a fixture)

from book.press import policies
from book.press.live import knobs, needed, packages
from book.press.site import live

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
sys.modules["needed"] = needed  # in the worker it stands beside the other file
CELLS = runpy.run_path(str(ROOT / "book" / "_static" / "live" / "cells.py"))
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def knob_cell(chapter: Path) -> dict:
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    return next(cell for cell in cells if "knob" in cell["metadata"].get("tags", []))


@every_chapter
def test_every_knob_is_whole(chapter):
    """Each knob of the code is on the panel, with a label, and it can stand where it stands."""
    one = knobs.turning(chapter)
    values = knobs.stored_values(one.cell)
    helpers = {"21_choosing": {"cells"}}.get(chapter.stem, set())  # computed from another knob
    assert [knob.name for knob in one.knobs] == [name for name in values if name not in helpers]
    for knob in one.knobs:
        assert len(knob.label) > 7, knob
        assert len(set(knob.sources)) == len(set(knob.shown)) == len(knob.sources) >= 2, knob
        assert not any("|" in words for words in knob.shown), knob
        if knob.kind == "slider":
            numbers = [float(s) for s in knob.sources if s.lstrip("-")[0].isdigit()]
            assert numbers == sorted(numbers), f"{knob.name}: a slider goes up"


@every_chapter
def test_what_the_text_asks_to_try_can_be_tried(chapter):
    """The values that the three things to try name stand on the panel."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    at = next(k for k, c in enumerate(cells) if "knob" in c["metadata"].get("tags", []))
    text = "".join(cells[at - 1]["source"])
    for knob in knobs.turning(chapter).knobs:
        for said in re.findall(rf"`knob_{knob.name}` to (−?[\d.]*\d)\b", text):
            wanted = said.replace("−", "-")
            assert any(knobs.same(wanted, source) for source in knob.sources), (knob.name, said)


@every_chapter
def test_a_knob_cell_shows_what_is_stored_after_what_it_needs_alone(chapter):
    one = knobs.turning(chapter)
    shown = json.loads(CELLS["turn"](one.before, one.cell, "{}"))
    wrong = [
        found
        for a, b in zip(
            outputs.texts(knob_cell(chapter)["outputs"]), outputs.texts(shown["outputs"]),
            strict=True,
        )
        for found in outputs.differences(a, b)
    ]  # fmt: skip
    assert wrong == []


TUNED = [path for path in CHAPTERS if knobs.turning(path).tuned]


@pytest.mark.parametrize("chapter", TUNED, ids=lambda path: path.stem)
def test_what_a_page_takes_as_found_is_what_the_chapter_finds(chapter):
    found, stored = knobs.search(chapter), knobs.turning(chapter).tuned
    assert found.keys() == stored.keys()
    assert all(outputs.differences(found[name], stored[name]) == [] for name in stored)


def test_what_was_found_is_not_searched_for_again():
    code = knobs.given("rates = range(9)\nrate = best(rates)\nprint(rate)", {"rate": "0.1"})
    assert needed.needed([code], "print(rate)") == "rate = 0.1"
    with pytest.raises(SyntaxError):  # a function has no source of its own
        knobs.literal([len])


def test_what_a_cell_needs_is_found_through_loops_functions_and_changes():
    earlier = [
        "import numpy as np\nfrom companion import plots, streams",
        "rate = 1\nrows = []\nfor k in range(3):\n    rows.append(k * rate)",
        "fig, ax = plots.figure('x')\nax.plot(rows)",
        "def mean():\n    return np.mean(rows) + late",
        "rate = 5\nlate = 2",
    ]
    found = needed.needed(earlier, "knob = 1\nfor k in (1, 2):\n    print(mean() * k)")
    assert found.split("\n") == [
        "import numpy as np", "rate = 1", "rows = []", "for k in range(3):",
        "    rows.append(k * rate)", "def mean():", "    return np.mean(rows) + late", "late = 2",
    ]  # fmt: skip


def cell_with(*stops, code="knob_rate = 0.1"):
    about = [{"name": "rate", "label": "how fast", "stops": list(stops)}]
    return {"source": code, "metadata": {"knobs": about}}


def test_a_knob_that_does_not_fit_its_code_is_refused():
    with pytest.raises(ValueError, match=r"ch: knob_rate is 0.1 in the code; let one stop"):
        knobs.read_knobs(cell_with(0.2, 0.3), "ch")
    with pytest.raises(ValueError, match="ch: the metadata names the knob rate, the code sets no"):
        knobs.read_knobs(cell_with(0.1, code="knob_speed = 0.1"), "ch")


def test_stops_are_words_and_code():
    assert knobs.source_of(["np.inf", "none"]) == ("np.inf", "none")
    (knob,) = knobs.read_knobs(cell_with('"<b>"', 0.1), "ch")
    assert "<b>" not in knobs.control(knob)


def test_numbers_alone_need_numpy_alone():
    assert packages.imported("import numpy") == {"numpy"}
    light = packages.imported("from companion import streams\nstreams.glucose()")
    assert light & {"sklearn", "scipy", "river", "matplotlib", "pandas"} == set()
    assert "sklearn" not in packages.imported("from companion import compare, claims")
    assert "joblib" in packages.imported("from companion import compare")
    assert "scipy" in packages.imported("from companion import claims")
    assert "sklearn" in packages.imported("from companion.lineups import online_line")


def test_an_error_in_a_cell_says_its_line_and_what_is_wrong():
    (error,) = CELLS["perform"]("x = 1\nprint(y)", {})["outputs"]
    assert error["evalue"] == "NameError: name 'y' is not defined"
    assert error["lines"] == ["line 2: print(y)"]
    (error,) = CELLS["perform"]("x = (1,\ny = 2", {})["outputs"]
    assert "SyntaxError" in error["evalue"] and error["lines"][0].startswith("line 1")
    printed, error = CELLS["perform"]("print('so far')\nraise SystemExit(3)", {})["outputs"]
    assert printed["text"] == "so far\n" and error["evalue"] == "SystemExit: 3"


def outputs_of(code: str) -> list:
    return CELLS["perform"](code, {"__name__": "__main__"})["outputs"]


def test_what_a_cell_ends_with_is_shown_as_a_notebook_does():
    model = "from sklearn.linear_model import Ridge\n"
    (shown,) = outputs_of(f"{model}Ridge(alpha=2)")
    assert shown["data"]["text/plain"] == "Ridge(alpha=2)" and "<" in shown["data"]["text/html"]
    plain = f"import sklearn\n{model}with sklearn.config_context(display='text'):\n    r = "
    assert outputs_of(f"{plain}Ridge()._repr_mimebundle_()\nr")[0]["data"]["text/plain"]
    (shown,) = outputs_of(f"{model}Ridge")
    assert shown["data"] == {"text/plain": "<class 'sklearn.linear_model._ridge.Ridge'>"}


def test_an_error_keeps_its_kind_and_all_of_its_words():
    (error,) = outputs_of("raise ValueError('first\\nsecond')")
    assert error["evalue"] == "ValueError: first\nsecond"
    (error,) = outputs_of("e = ValueError('what')\ne.add_note('a note')\nraise e")
    assert error["evalue"] == "ValueError: what"


def test_a_module_that_is_missing_is_named_however_a_library_says_so():
    polite = (
        "print('so far')\ntry:\n    import no_such.thing\nexcept ImportError{}:\n"
        "    raise ImportError('please install it'){}\n"
    )
    for end in ("print('so far')\nimport no_such.thing", polite.format(" as e", " from e"),
                polite.format("", " from None")):  # fmt: skip
        done = CELLS["perform"](end, {})
        assert done["missing"] == "no_such", end
        assert done["outputs"][0]["text"] == "so far\n" and "evalue" in done["outputs"][1]
    assert "missing" not in CELLS["perform"]("raise ImportError('no more')", {})
    asked = json.dumps([["S1", "what", "__import__('no_such')"]])
    assert json.loads(CELLS["turn"]("", "1", "{}", asked))["missing"] == "no_such"
    (*_, error) = json.loads(CELLS["turn"]("", "1", "{}", '[["S1", "what", "1 / 0"]]'))["outputs"]
    assert error["evalue"] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("written", "asked", "shown"),
    [
        ("xs = [1, 2]\nlast = xs.pop()", "print(xs)", "[1]"),
        ("a = b = []\nb.append(1)", "print(a)", "[1]"),
        ("def add(to):\n    to.append(1)\nxs = []\nadd(xs)", "print(xs)", "[1]"),
        ("from math import *", "print(sqrt(9))", "3.0"),
        ("exec('q = 3')", "print(q)", "3"),
        ("import random\nxs = [1, 2, 3]\nrandom.seed(0)\nrandom.shuffle(xs)", "print(xs)",
         "[1, 3, 2]"),
    ],
)  # fmt: skip
def test_all_of_a_cell_that_a_reader_has_written_counts(written, asked, shown):
    ran = CELLS["run"](json.dumps(["heavy = 1 / 0", written]), asked, "[1]")
    assert json.loads(ran)["outputs"][0]["text"] == f"{shown}\n"


def test_a_turn_does_not_touch_the_world_before_it():
    before, cell = "start = [1]", "knob_n = 2\nstart = start + [knob_n]\nprint(start)"
    turn = CELLS["turn"]
    said = [
        json.loads(turn(before, cell, json.dumps({"n": n})))["outputs"][0]["text"] for n in "37"
    ]
    assert said == ["[1, 3]\n", "[1, 7]\n"]


def test_a_cell_runs_after_what_it_needs_of_the_others():
    def run(earlier, code):
        return [out.get("text", out.get("evalue")) for out in
                json.loads(CELLS["run"](json.dumps(earlier), code))["outputs"]]  # fmt: skip

    cells = ["rows = [1]", "1 / 0", "rows.append(2)"]
    assert run(cells, "print(rows)") == ["[1, 2]\n"]  # the cell with an error is not needed
    assert run(cells, "rows.append(3)\nprint(rows)") == ["[1, 2, 3]\n"]
    assert run(cells, "rows.append(3)\nprint(rows)") == ["[1, 2, 3]\n"]
    assert run(["x = 1 / 0"], "x") == ["ZeroDivisionError: division by zero"]
    assert run(cells, "print(rows")[0].startswith("SyntaxError")


def test_an_error_in_a_cell_before_is_said_to_be_there():
    def error(earlier, code):
        (said,) = json.loads(CELLS["run"](json.dumps(earlier), code))["outputs"]
        return said

    wrong = error(["a = 1", "bikes ="], "a")
    assert wrong["cell"] == 1 and wrong["lines"] == ["line 1: bikes ="]
    assert wrong["evalue"].startswith("SyntaxError")
    assert "cell" not in error(["a = 1"], "bikes =")
    # Its line is not that of the code of all cells before, run in one go.
    assert error(["a = 1\nb = 0", "c = a / b"], "c")["lines"] == ["c = a / b"]


def test_figures_are_shown_without_a_warning():
    shown = outputs_of("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert [list(one["data"]) for one in shown] == [["image/png"]]


def test_every_chapters_page_has_its_panel(built, site):  # noqa: F811
    python = built / "static" / "pyodide"
    for chapter in CHAPTERS:
        html = (site / "notebooks" / f"{chapter.stem}.html").read_text(encoding="utf-8")
        panel = html.partition('<form class="live"')[2].partition("</form>")[0]
        one = knobs.turning(chapter)
        assert all(f'name="{knob.name}"' in panel for knob in one.knobs)
        size = packages.megabytes(live.packages_of(chapter.stem, live.knobs_import, python), python)
        assert f"Python, {size} MB once" in panel
        asked = json.loads((site / "_static" / "live" / f"{chapter.stem}.json").read_text())
        assert asked["cell"] == one.cell
    assert '<form class="live"' not in (site / "book" / "print.html").read_text(encoding="utf-8")


def test_the_worker_may_compile_webassembly_and_nothing_may_eval(site):
    lines = (site / "_headers").read_text().splitlines()
    rule = lines[lines.index(policies.LIVE_WORKER) + 1]
    assert "'wasm-unsafe-eval'" in rule and "'unsafe-eval'" not in rule
    assert "unsafe-eval" not in policies.SITE
    assert (site / policies.LIVE_WORKER.lstrip("/")).is_file()


def test_a_site_without_its_lab_has_no_panel(tmp_path):
    body = '<div class="cell tag_knob docutils container">' + live.OUTPUT
    assert live.CELL.search(body)
    context = {"body": body}
    app = types.SimpleNamespace(outdir=str(tmp_path))
    live.add_panel(app, f"notebooks/{CHAPTERS[0].stem}", "", context, None)
    assert context == {"body": body}


@pytest.mark.browser
def test_nothing_is_loaded_before_the_first_touch(built, site_url, browser):  # noqa: F811
    """And what the panel adds to a page is small."""
    for chapter in CHAPTERS[:1] + CHAPTERS[12:13]:
        context = browser.new_context()
        page, sizes = context.new_page(), {}
        page.on("response", lambda answer, sizes=sizes: sizes.update({answer.url: answer}))
        page.goto(f"{site_url}notebooks/{chapter.stem}.html#intercept_rate=0.3")
        page.wait_for_load_state("networkidle")
        page.locator("form.live select, form.live input").first.focus()
        ours = {url.partition("?")[0].rpartition("/")[2]: len(one.body())
                for url, one in list(sizes.items()) if "/live/" in url}  # fmt: skip
        assert sorted(ours) == ["page.mjs"]
        assert not [url for url in sizes if "/lab/" in url]
        html = page.content()
        own = len(html[html.index('<form class="live"') : html.index("</form>")])
        assert sum(ours.values()) + own < 15_000
        context.close()
