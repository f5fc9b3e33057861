"""The command line: a sensible run or one sentence, never a traceback, never half a report."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from companion.cli import main

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
    import re

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
        tables.append(
            [line for line in out.splitlines() if "linear" in line or "change" in line][:4]
        )
    assert tables[0] == tables[1]


@pytest.mark.parametrize("kind", ["text", "numbers", "booleans"])
def test_classes(kind, tmp_path, capsys):
    level = (good().y > good().y.median()).to_numpy()
    y = {"text": np.where(level, "high", "low"), "numbers": level * 2, "booleans": level}[kind]
    path = save(good(y=y), tmp_path / "data.csv")
    status, out, err = run("compare", path, "--target", "y", "--time", "t", capsys=capsys)
    assert status == 0, err
    assert "error rate" in out and "majority" in out


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
        answers.add(out.split("\n", 1)[1])
    assert len(answers) == 1


class Report(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.outside, self.alts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
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
    assert len(pd.read_csv(table)) == 5
    assert sorted(os.listdir(tmp_path)) == ["da<ta>.csv", "out.csv", "out.html"]


def test_streams_and_demo(capsys):
    status, out, err = run("streams", capsys=capsys)
    assert status == 0 and "bike_sharing" in out and "CC BY 4.0" in out
    status, out, err = run("demo", capsys=capsys)
    assert status == 0 and "online linear" in out and "clear of zero" in out


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
    assert "frozen linear, corrected per key" in out and "columns of 0 and 1" not in out


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


def test_prices_bring_advice(tmp_path, capsys):
    path = save(good(), tmp_path / "data.csv")
    options = ["--target", "y", "--quick", "--cost-of-error", "2", "--cost-of-update", "100"]
    status, out, err = run("compare", path, *options, capsys=capsys)
    assert status == 0, err
    assert "is the cheapest" in out


def test_a_long_run_tells_its_time_first_and_ctrl_c_keeps_what_is_finished(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40_000, 4)), columns=list("abcy"))
    path = save(frame, tmp_path / "big.csv")
    command = [sys.executable, "-m", "companion", "compare", path, "--target", "y", "--jobs", "1"]
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
    horizon = 50

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
        ("mine", 2, "write module:Class"),
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
