"""The command line: a sensible run or one sentence, never a traceback, never half a report."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from companion import Baseline
from companion.apps.grammar import main
from companion.comparison import Comparison, compare, html_table
from companion.show import plots
from companion.show.plots import errors_over_time, literal
from companion.show.report import csv_text, page
from companion.stream import Stream

ROWS = 120


def good(**columns) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    t = pd.date_range("2024-01-01", periods=ROWS)
    x = rng.normal(size=ROWS)
    frame = pd.DataFrame(
        {"t": t, "x": x, "y": 3 * x + np.arange(ROWS) / 20 + rng.normal(size=ROWS)}
    )
    return frame.assign(**columns)


def save(frame: pd.DataFrame, path) -> str:
    frame.to_csv(path, index=False)
    return str(path)


def run(*argv, capsys):
    status = main([str(a) for a in argv])
    out = capsys.readouterr()
    assert "Traceback" not in out.out + out.err
    return status, out.out, out.err


def lines(*rows: str) -> bytes:
    return ("\n".join(rows) + "\n").encode()


MANY = [f"2024-01-{d:02d},{d % 5},{d * 1.5}" for d in range(1, 29)]
BAD = {
    "missing file": (None, "y", "there is no such file"),
    "empty file": (b"", "y", "the file is empty"),
    "blank lines only": (b"\n\n\n", "y", "no heading row"),
    "header only": (lines("t,x,y"), "y", "0 usable rows are too few"),
    "one row": (lines("t,x,y", MANY[0]), "y", "1 usable rows are too few"),
    "one class": (lines("t,x,y", *["2024-01-01,1,a"] * 30), "y", "only one class"),
    "constant target": (lines("t,x,y", *["2024-01-01,1,5.5"] * 30), "y", "nothing to predict"),
    "no such target": (lines("t,x,yield", *MANY), "yeild", "did you mean 'yield'"),
    "no such time": (lines("when,x,y", *MANY), "y", "no time column 't'"),
    "unparsable time": (
        lines("t,x,y", *MANY[:20], "someday,1,2", *MANY[20:]), "y",
        "line 22, column 't': holds 'someday', which is no time",
    ),
    "empty time": (lines("t,x,y", *MANY[:20], ",1,2", *MANY[20:]), "y", "line 22.*is empty"),
    "numbers as times": (lines("t,x,y", *(f"{d},1,{d}" for d in range(30))), "y", "plain numbers"),
    "duplicate names": (lines("t,x,x,y", *(r + ",1" for r in MANY)), "y", "two columns are called"),
    "not UTF-8": (lines("t,x,y", *MANY) + b"2024-02-01,\xff\xfe,3\n", "y", "is not UTF-8"),
    "infinite": (
        lines("t,x,y", *MANY, "2024-02-01,inf,3"), "y",
        "line 30, column 'x': the value is infinite",
    ),
    "infinite target": (
        lines("t,x,y", *MANY, "2024-02-01,1,-inf"), "y",
        "line 30, column 'y': the value is infinite",
    ),
    "ragged": (lines("t,x,y", *MANY, "2024-02-01,1,2,3,4"), "y", "rows do not fit the heading"),
    "too many classes": (
        lines("t,x,y", *(f"2024-01-01,1,name{d}" for d in range(80))), "y", "too many classes",
    ),
    "target is time": (lines("t,x,y", *MANY), "t", "cannot be both target and time"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_sentence(name, tmp_path, capsys):
    content, target, words = BAD[name]
    path, report = tmp_path / "data.csv", tmp_path / "report.html"
    if content is not None:
        path.write_bytes(content)
    status, out, err = run(
        "compare", path, "--target", target, "--time", "t", "--report", report, capsys=capsys
    )
    assert status == 2
    assert err.startswith("companion: ") and err.count("\n") == 1
    assert "data.csv" in err
    assert re.search(words, err), err
    assert sorted(p.name for p in tmp_path.iterdir()) == (
        ["data.csv"] if content is not None else []
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--label-delay", "-3"], "cannot arrive before"),
        (["--label-delay", "soon"], "no duration"),
        (["--warmup", "1.5"], "share of the rows"),
        (["--report", "nowhere/out.html"], "there is no folder"),
        (["--report", "."], "this is a folder"),
        (["--label-delay", "100"], "no label has arrived"),
    ],
)
def test_bad_options_get_one_sentence(options, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = save(good(), tmp_path / "data.csv")
    status, out, err = run("compare", path, "--target", "y", "--time", "t", *options, capsys=capsys)
    assert (status, err.count("\n")) == (2, 1)
    assert words in err
    assert os.listdir(tmp_path) == ["data.csv"]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.sample(frac=1, random_state=0), "not in time order; they were sorted"),
        (lambda f: f.assign(same=1), "'same' never changes"),
        (lambda f: f.assign(empty=np.nan), "'empty' is empty"),
        (lambda f: f.assign(x=f.x.where(f.index % 9 > 0)), "gaps were filled"),
        (lambda f: f.assign(y=f.y.where(f.index % 9 > 0)), "rows without a target"),
        (lambda f: f.assign(sky=np.where(f.index % 3, "grey", "blue")), "became 2 columns"),
        (lambda f: f.assign(who=[f"id{k}" for k in f.index]), "more than 20 different values"),
        (lambda f: f[["t", "y"]], "no usable feature"),
    ],
)
def test_every_change_to_the_data_is_noted(change, note, tmp_path, capsys):
    path = save(change(good()), tmp_path / "data.csv")
    status, out, err = run(
        "compare", path, "--target", "y", "--time", "t", "--quick", capsys=capsys
    )
    assert status == 0, err
    assert note in out
    assert "frozen linear" in out


def test_sorting_gives_the_same_answer_as_sorted_rows(tmp_path, capsys):
    one = save(good(), tmp_path / "a.csv")
    two = save(good().sample(frac=1, random_state=1), tmp_path / "b.csv")
    tables = []
    for path in (one, two):
        out = run("compare", path, "--target", "y", "--time", "t", "--quick", capsys=capsys)[1]
        lines = [line for line in out.splitlines() if "linear" in line or "change" in line]
        tables.append([re.sub(r"\S+ CPU s$", "", line) for line in lines[:4]])
    assert tables[0] == tables[1]


@pytest.mark.parametrize("kind", ["text", "numbers", "booleans"])
def test_classes(kind, tmp_path, capsys):
    level = (good().y > good().y.median()).to_numpy()
    y = {"text": np.where(level, "high", "low"), "numbers": level * 2, "booleans": level}[kind]
    path = save(good(y=y), tmp_path / "data.csv")
    status, out, err = run("compare", path, "--target", "y", "--time", "t", capsys=capsys)
    assert status == 0, err
    assert "error rate" in out and "majority so far" in out and "boosting" in out


def test_other_formats_and_names(tmp_path, capsys):
    frame = good().rename(columns={"y": "größe", "x": "温度"})
    save(frame, tmp_path / "a.csv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    frame.to_parquet(tmp_path / "a.parquet")
    answers = set()
    for name in ("a.csv", "a.csv.gz", "a.parquet"):
        status, out, err = run(
            "compare", tmp_path / name, "--target", "größe", "--time", "t", "--quick",
            "--label-delay", "2D", capsys=capsys,
        )  # fmt: skip
        assert status == 0, err
        lines = [re.sub(r" +[\d,.]+ CPU s$", "", line) for line in out.splitlines()]
        answers.add("\n".join(line for line in lines if not line.startswith("a.")))
    assert len(answers) == 1


class Report(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.outside, self.alts, self.attributes = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
            self.attributes.add(key)
            if key in ("src", "href") and not value.startswith("data:"):
                self.outside.append(value)
            if key == "alt":
                self.alts.append(value)


def test_report_is_whole_and_needs_nothing(tmp_path, capsys):
    path = save(good(same=1), tmp_path / "da<ta>.csv")
    report, table = tmp_path / "out.html", tmp_path / "out.csv"
    status, out, err = run(
        "compare", path, "--target", "y", "--time", "t", "--quick", "--report", report, "--save",
        table, capsys=capsys,
    )  # fmt: skip
    assert status == 0, err
    text = report.read_text(encoding="utf-8")
    page = Report(text)
    assert not page.outside and all(page.alts) and page.tags.count("h1") == 1
    assert "da&lt;ta&gt;.csv" in text and "<ta>" not in text
    assert "never changes" in text
    assert len(pd.read_csv(table)) == 21  # 6 without a model, 11 lines, 4 that listen to others
    assert sorted(os.listdir(tmp_path)) == ["da<ta>.csv", "out.csv", "out.html"]


def test_streams_and_demo(capsys):
    status, out, err = run("streams", capsys=capsys)
    assert status == 0 and "bike_sharing" in out and "CC BY 4.0" in out
    status, out, err = run("demo", capsys=capsys)
    assert status == 0 and "online linear" in out and "beats the best guess without a model" in out


def test_the_installed_command_answers_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "companion", "compare", "nothing.csv", "--target", "y"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "companion: nothing.csv: there is no such file; check the name and the folder\n"
    )


@pytest.mark.parametrize("argv", [["--help"], ["compare", "--help"]])
def test_help_has_examples(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 0
    assert "companion compare sales.csv --target sold" in capsys.readouterr().out


def test_a_key_column_is_no_feature_and_brings_personal_models(tmp_path, capsys):
    path = save(good(who=np.where(np.arange(ROWS) % 2, "ann", "bob")), tmp_path / "data.csv")
    options = ["--target", "y", "--time", "t", "--key", "who"]
    status, out, err = run("compare", path, *options, capsys=capsys)
    assert status == 0, err
    assert "frozen boosting, corrected per key" in out and "no change per key" in out
    assert "columns of 0 and 1" not in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--key", "whom"], "no key column 'whom'"),
        (["--key", "x", "--time", "x"], "cannot be both time and key"),
        (["--key", "who"], "line 7, column 'who': the key is empty"),
        (["--cost-of-update", "3"], "--cost-of-error is missing"),
        (["--cost-of-error", "-3"], "give a cost above zero"),
        (["--cost-of-error", "nan"], "give a cost above zero"),
        (["--runs", "data.csv"], "finished runs cannot be kept there"),
        (["--warmup", "0.001"], "it leaves fewer than 2 of"),
        (["--budget", "soon"], "--budget: 'soon' is no duration"),
        (["--budget", "0s"], "give a time above zero"),
        (["--model", "mine"], "write module:name"),
        (["--metric", "recall"], "--metric recall: the target holds numbers, which can be judged"),
        (["--metric", "rmse", "--cost-of-error", "2"], "prices are for units of error"),
        (["--model", "nowhere:Model"], "nowhere: the module cannot be imported"),
    ],
)
def test_more_bad_options_get_one_sentence(options, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    who = np.where(np.arange(ROWS) == 5, None, "ann")
    path = save(good(who=who), tmp_path / "data.csv")
    status, out, err = run("compare", path, "--target", "y", *options, capsys=capsys)
    assert (status, err.count("\n")) == (2, 1)
    assert words in err
    assert os.listdir(tmp_path) == ["data.csv"]


def test_a_budget_and_a_model_of_ones_own(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("from sklearn.linear_model import Ridge\n")
    path = save(good(), tmp_path / "data.csv")
    options = ["--target", "y", "--budget", "10min", "--quick", "--model", "mine:Ridge"]
    status, out, err = run("compare", path, *options, capsys=capsys)
    assert status == 0, err
    assert "refit Ridge, all rows" in out and "Set an alarm" in out
    tried = {
        line.split("  ")[0]: int(line.split()[-2])
        for line in out.splitlines() if line.endswith(" tried")
    }  # fmt: skip
    lines = [f"{way} linear" for way in ("frozen", "triggered", "online")]
    assert len({tried[name] for name in [*lines, "refit linear, window"]}) == 1
    assert tried["refit Ridge, all rows"] > 1


def printed_rows(out: str) -> dict[str, float]:
    """Return the error of each strategy in the first table that was printed."""
    rows = re.findall(r"(?m)^(.+?) {2,}([\d,.]+) .* CPU s$", out)
    return {name: float(error.replace(",", "")) for name, error in rows}


@pytest.mark.parametrize(
    ("metric", "by_hand"),
    [
        ("mae", lambda y, p, before: np.abs(y - p).mean()),
        ("rmse", lambda y, p, before: ((y - p) ** 2).mean()),
        ("mase", lambda y, p, before: np.abs(y - p).mean() / np.abs(np.diff(before)).mean()),
        ("bias", lambda y, p, before: abs((p - y).mean())),
    ],
)
def test_a_metric_for_numbers_is_what_its_formula_says(metric, by_hand, tmp_path, capsys):
    frame = good()
    path = save(frame, tmp_path / "data.csv")
    options = ["--target", "y", "--quick", "--metric", metric]
    status, out, err = run("compare", path, *options, capsys=capsys)
    assert status == 0, err
    y = frame["y"].to_numpy(float)
    first = int(0.2 * len(y))
    right = by_hand(y[first:], y[first - 1 : -1], y[:first])
    assert printed_rows(out)["no change"] == pytest.approx(
        right, rel=4e-3, abs=5e-3 if metric == "bias" else 0
    )
    assert "Judged by" in out and re.search("Set an alarm at a (mean|size)", out)


@pytest.mark.parametrize(
    "metric", ["error", "balanced", "recall", "log-loss", "pr-area", "calibration"]
)
def test_a_metric_for_classes_is_what_its_formula_says(metric, tmp_path, capsys):
    frame = good(y=np.where(np.random.default_rng(1).random(len(good())) < 0.3, "yes", "no"))
    path = save(frame, tmp_path / "data.csv")
    options = ["--target", "y", "--quick", "--metric", metric]
    status, out, err = run("compare", path, *options, capsys=capsys)
    assert status == 0, err
    true = (frame["y"] == "yes").to_numpy()
    first = int(0.2 * len(true))
    y, p = true[first:], true[first - 1 : -1]
    misses = {kind: (p[y == kind] != kind).mean() for kind in (False, True)}
    right = {
        "error": (y != p).mean(), "balanced": (misses[False] + misses[True]) / 2,
        "recall": misses[y.mean() < 0.5], "log-loss": (y != p).mean() * -np.log(1e-9),
        "pr-area": 1 - average_precision_score(y, p), "calibration": (y != p).mean(),
    }[metric]  # fmt: skip
    assert printed_rows(out)["no change"] == pytest.approx(right, rel=2e-3, abs=6e-4)
    of_probabilities = metric in ("log-loss", "pr-area", "calibration")
    assert ("blend of all: left out" in out) == of_probabilities
    assert ("names a class, it is sure to" in out) == of_probabilities


def test_prices_bring_advice(tmp_path, capsys):
    path = save(good(), tmp_path / "data.csv")
    options = ["--target", "y", "--quick", "--cost-of-error", "2", "--cost-of-update", "100"]
    status, out, err = run("compare", path, *options, capsys=capsys)
    assert status == 0, err
    assert "is the cheapest" in out


@pytest.mark.slow
def test_a_long_run_tells_its_time_first_and_ctrl_c_keeps_what_is_finished(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40_000, 4)), columns=list("abcy"))
    path = save(frame, tmp_path / "big.csv")
    command = [sys.executable, "-m", "companion", "compare", path, "--target", "y", "--jobs", "1"]
    command.append("--quick")
    folder = tmp_path / "big.csv.runs"
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    for _ in range(600):
        if len(list(folder.glob("*.npz"))) >= 3:
            break
        time.sleep(0.1)
    first.send_signal(signal.SIGINT)
    said = first.communicate(timeout=60)[1]
    assert first.returncode == 130, said
    assert "40,000 rows, 9 strategies: about" in said
    kept = len(list(folder.glob("*.npz")))
    assert f"stopped; {kept} of 9 runs are finished and kept in big.csv.runs" in said
    times = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    command += ["--runs", str(folder)]
    second = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert all(path.stat().st_mtime_ns == then for path, then in times.items())
    assert len(list(folder.glob("*.npz"))) == 9


STRATEGY = """
import numpy as np
from companion import Strategy

class Last(Strategy):
    def fit(self, X, y):
        self.value = y[-1]
    def predict(self, X):
        return np.full(len(X), self.value)
    def learn(self, X, y):
        if len(y):
            self.value = y[-1]

class TooLong(Last):
    stable_for = 50

class Broken(Last):
    def predict(self, X):
        raise KeyError("lost")
"""


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("mine:Last", 0, "Last on 2 classes: kept: the future never changes the past"),
        ("mine:TooLong", 1, "broken: predicting a block differs from predicting row by row"),
        ("mine:Broken", 1, "broken: RunFailed"),
        ("mine", 2, "write module:name"),
        ("mine:Lost", 2, "there is no 'Lost' in this module"),
        ("yours:Last", 2, "yours: the module cannot be imported"),
    ],
)
def test_check_tries_a_strategy_of_ones_own(name, status, words, tmp_path):
    (tmp_path / "mine.py").write_text(STRATEGY)
    command = [sys.executable, "-m", "companion", "check", name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert words in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_columns_of_lists_are_left_out_with_a_note(tmp_path, capsys):
    path = tmp_path / "data.parquet"
    good(lists=[[k, k] for k in range(ROWS)]).to_parquet(path)
    status, out, err = run("compare", path, "--target", "y", "--quick", capsys=capsys)
    assert status == 0, err
    assert "'lists' holds lists or the like and was left out" in out


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_reader_who_has_seen_enough_is_no_fault():
    command = [sys.executable, "-m", "companion", "streams"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        done.stdout.close()
        assert done.stderr.read() == b""
    assert done.returncode == 0


def outputs(tmp_path, monkeypatch, *words: str) -> tuple[int, str, bytes]:
    """Run a quick comparison; return the status, what was said, and the table as it is then."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "data.csv"
    if not path.exists():
        save(good(), path)
    before = path.read_bytes()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
        status = main(["compare", "data.csv", "--target", "y", "--quick", *words])
    assert path.read_bytes() == before
    return status, err.getvalue(), out.getvalue()


@pytest.mark.parametrize("option", ["--save", "--report"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("data.csv", "this is the table itself"),
        ("./data.csv", "this is the table itself"),
        ("link.csv", "this is the table itself"),
        ("hard.csv", "this is the table itself"),
        ("/dev/null", "this is a device or a pipe"),
        ("to_device", "this is a device or a pipe"),
        ("pipe", "this is a device or a pipe"),
        ("folder", "this is a folder"),
        ("data.csv.runs", "is for finished runs"),
        ("data.csv/out.csv", "there is no folder data.csv"),
        ("n" * 300, "no file can be written there"),
    ],
)
def test_no_output_spoils_what_is_there(option, name, words, tmp_path, monkeypatch):
    save(good(), tmp_path / "data.csv")
    (tmp_path / "link.csv").symlink_to("data.csv")
    os.link(tmp_path / "data.csv", tmp_path / "hard.csv")
    (tmp_path / "to_device").symlink_to("/dev/null")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    device, before = os.stat("/dev/null").st_rdev, sorted(os.listdir(tmp_path))
    status, err, _ = outputs(tmp_path, monkeypatch, option, name)
    assert (status, err.count("\n")) == (2, 1) and words in err
    assert os.stat("/dev/null").st_rdev == device and sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("two", ["out", "./out", "folder/../out"])
def test_the_report_and_the_table_are_two_files(two, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    status, err, _ = outputs(tmp_path, monkeypatch, "--report", "out", "--save", two)
    assert status == 2 and "the report, the table and the script cannot be the same file" in err
    assert sorted(os.listdir(tmp_path)) == ["data.csv", "folder"]


def test_a_file_that_is_there_is_replaced_whole(tmp_path, monkeypatch):
    (tmp_path / "out.csv").write_text("old")
    assert outputs(tmp_path, monkeypatch, "--save", "out.csv")[0] == 0
    assert (tmp_path / "out.csv").read_text().startswith('"strategy","score"')


@pytest.mark.parametrize(
    ("delay", "words"),
    [
        ("²", "'²' is no duration"),
        ("٣", "'٣' is no duration"),
        ("99999999999999999999D", "longer than 292 years"),
        ("9" * 5000, "no label of 120 rows would ever arrive"),
        ("2000000000", "no label of 120 rows would ever arrive"),
        ("120", "no label of 120 rows would ever arrive"),
        ("90000D", "no label has arrived"),
        ("1e3", "is no duration"),
        ("", "is no duration"),
        ("-0", "cannot arrive before"),
        ("2 D D", "is no duration"),
        ("nan", "is no duration"),
    ],
)
def test_each_odd_delay_gets_one_sentence(delay, words, tmp_path, monkeypatch):
    status, err, _ = outputs(tmp_path, monkeypatch, "--time", "t", f"--label-delay={delay}")
    assert (status, err.count("\n")) == (2, 1) and words in err and len(err) < 6000
    assert os.listdir(tmp_path) == ["data.csv"]


NAMES = st.text(
    st.sampled_from([*"$$$$\\{}_^%&#~<>\"'=+-@|`", "é", "温", "\t", "a", "b", " ", "\u202e", "🚲"])
    | st.characters(codec="utf-8", exclude_characters="\r\n\x00"),
    min_size=1, max_size=30,
)  # fmt: skip


def named(target: str, who: str) -> Comparison:
    stream = Stream("a <b> $x$", np.arange(60.0).reshape(30, 2), np.arange(30.0) % 7, unit=target)
    return compare(stream, {who: Baseline("mean"), "frozen": Baseline("no-change")})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(NAMES, NAMES)
@example("US$ or C$", "$x$ and $y$")
@example(r"\$\frac{", "<script>alert(1)</script>")
@example("rides", 'x" onerror="alert(1)')
@example("<script>alert(2)</script>", "mean")
def test_every_name_is_drawn_and_written_as_it_stands(target, who):
    if not who.strip() or not target.strip():
        return
    result = named(target, who)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font does not have
        text = page(result, [f"{target} {who}"], [("note", target)])
    assert not re.search(r"<script|<b>", text)
    parsed = Report(text)
    assert set(parsed.tags) <= {
        "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "div", "table",
        "caption", "thead", "tbody", "tr", "th", "td", "img", "ul", "li", "dl", "dt", "dd",
        "details", "summary",
    }  # fmt: skip
    assert parsed.attributes <= {
        "lang", "charset", "name", "content", "class", "tabindex", "role", "aria-label", "scope",
        "src", "alt",
    }  # fmt: skip
    drawn = errors_over_time(result, 5, title=who).axes[0]
    shown = {drawn.get_title(loc="left"), *(note.get_text() for note in drawn.texts)}
    assert literal(who) in shown


@pytest.mark.parametrize(
    ("odd", "written"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x07\x9b", r"\x07\x9b"),
        ("\u202e", r"\u202e"),
        ("\x08", r"\x08"),
    ],
)
def test_no_name_steers_the_terminal(odd, written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = good(kind=np.where(np.arange(ROWS) % 3, f"a{odd}b", "c")).rename(
        columns={"y": f"y{odd}"}
    )
    save(frame, tmp_path / f"{odd}.csv")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
        options = ["--target", f"y{odd}", "--time", "t", "--quick", "--save", f"{odd}.out"]
        assert main(["compare", f"{odd}.csv", *options]) == 0
        assert main(["compare", f"{odd}\n.csv", "--target", "y"]) == 2
        assert main(["compare", f"{odd}.csv", "--target", f"z{odd}"]) == 2
    assert odd not in out.getvalue() + err.getvalue()
    assert out.getvalue().count(written) > 3 and err.getvalue().count("\n") == 2


def test_no_cell_of_a_table_is_html():
    text = html_table([["<a>", "<b>"], ["<c>", "<d>"]], caption="<e>", notes=["<f>"])
    assert not re.search("<[a-f]>", text)
    assert all(f"&lt;{letter}&gt;" in text for letter in "abcdef")


def test_names_are_text_in_latex_too():
    frame = named("rides", r"50% & $x_1$ \input{secret}").to_frame()
    text = frame[["strategy", "score"]].to_latex(escape=True)
    assert r"50\% \& \$x\_1\$ \textbackslash input\{secret\}" in text


class Shouts(Baseline):
    """Fails, and its error is HTML."""

    def predict(self, X, **extra):
        raise RuntimeError("<script>alert(1)</script>")


def test_what_a_strategy_says_as_it_fails_is_no_html():
    stream = Stream("s", np.arange(60.0).reshape(30, 2), np.arange(30.0) % 7)
    result = compare(stream, {"mean": Baseline("mean"), "loud": Shouts("mean")})
    assert "<script>" in result.failures["loud"]
    for text in (page(result, [], []), result._repr_html_()):
        assert "<script" not in text and "&lt;script&gt;alert(1)" in text


def test_dollars_are_drawn_as_dollars():
    drawn = [plots.image(errors_over_time(named("rides", who), 5, title="t")) for who in (
        "a$b$c", "aXbXc")]  # fmt: skip
    assert drawn[0] != drawn[1]
    fig, _ = plots.figure(r"$x$ and \frac$", x="$", y="$$")
    assert plots.image(fig) and plots.show(fig, "x").title == r"$x$ and \frac$"
    fig, axes = plots.panels("$a$", ["$b$", "$\\c$"], x="$x$", y="$y$")
    plots.heat(axes[0], np.eye(2), ["$r$", "$$"], ["$c$", "$\\d$"])
    assert plots.image(fig)


RUNS = [
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1+1",
    "|cmd",
    "%0A=1",
    "\ufeff=1",
    "\r\n=1",
]


@pytest.mark.parametrize("name", RUNS)
def test_no_cell_is_a_formula(name):
    frame = named("rides", name).to_frame()
    text = csv_text(frame.rename(columns={"seeds": name}))
    rows = list(csv.reader(io.StringIO(text)))
    line = "'" + " ".join(name.splitlines())
    assert line in rows[0]
    assert line in [row[0] for row in rows[1:]]
    assert all(cell.lstrip()[:1] not in tuple("=+@|%") for row in rows for cell in row)
    assert pd.read_csv(io.StringIO(text))["score"].tolist() == frame["score"].tolist()
