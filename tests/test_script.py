"""The script that runs a comparison's winner on says what the comparison said, row by row."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion.apps import script
from companion.apps.grammar import main
from companion.memory import usual_memory, with_memory
from companion.rivals import race, rivals
from companion.streams.tables import read_table

ROWS, WARMUP = 150, 40
MEMORY = {"season": "7D", "calendar": ("week",)}


def written(folder: Path, kind: str) -> Path:
    """Write a table of numbers or of classes, by key or not."""
    rng = np.random.default_rng(5)
    y = np.cumsum(rng.normal(size=ROWS)) + 10
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=ROWS)})
    frame["x"] = np.r_[y[1:], 0] + rng.normal(size=ROWS)
    frame["shop"] = np.where(np.arange(ROWS) % 3, "007", "7")
    frame["colour"] = rng.choice(["red", "blue"], ROWS)
    frame["y"] = np.where(y > np.median(y), "up", "down") if kind == "classes" else y.round(3)
    frame.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def as_module(path: Path):
    spec = importlib.util.spec_from_file_location("winner", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NUMBERS = [
    "no change per key", "frozen linear", "refit linear, window", "triggered linear",
    "online linear", "refit mine, all rows", "blend of all", "line over all",
    "frozen boosting, corrected per key", "online tree",
]  # fmt: skip
CLASSES = ["majority so far", "online linear", "refit boosting, window", "blend of all"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Return for numbers and classes the table, the comparison, and what was compared."""
    made = {}
    for kind in ("numbers", "classes"):
        table = written(tmp_path_factory.mktemp(kind), kind)
        columns = {"time": "day", "key": "shop" if kind == "numbers" else None}
        mine = make_pipeline(ColumnTransformer([("x", StandardScaler(), [0])]), Ridge(2.0))
        own = {"mine": mine} if kind == "numbers" else {}
        setting = {"warmup": WARMUP, "label_delay": 2, "own": own}
        stream = usual_memory(read_table(table, "y", **columns).stream, WARMUP, 2)
        lineup = rivals(stream, **setting)
        wanted = NUMBERS if kind == "numbers" else CLASSES
        few = {name: each for name, each in lineup.items() if name in {*wanted, "frozen linear"}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("companion.rivals.rivals", lambda *_, few=few, **__: few)
            result = race(read_table(table, "y", **columns).stream, **setting)
        made[kind] = table, columns, result, few
    return made


@pytest.mark.parametrize(
    ("kind", "name"),
    [("numbers", name) for name in NUMBERS] + [("classes", name) for name in CLASSES],
)
def test_the_script_goes_on_as_the_comparison_did(kind, name, compared, tmp_path, monkeypatch):
    table, columns, result, lineup = compared[kind]
    monkeypatch.setattr(script, "PART", 50)
    rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    here = tmp_path / "table.csv"
    text = script.winner_script(
        result, lineup, name, path=tmp_path / "winner.py", file=str(here), target="y",
        columns=columns, memory=MEMORY, label_delay=2,
    )  # fmt: skip
    (tmp_path / "winner.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for until in (110, 131):  # the second call goes on from the first one's checkpoint
        without = [line.rsplit(",", 1)[0] + ",\n" for line in rows[until + 1 : until + 4]]
        here.write_text("".join([*rows[: until + 1], *without]), encoding="utf-8")
        said = as_module(tmp_path / "winner.py").predict()
        wanted = result.runs[name][0].predictions[until - WARMUP]
        if kind == "classes":
            assert said[0] == result.stream.classes[wanted]
        else:
            assert said[0] == pytest.approx(wanted, rel=1e-9)
        assert len(said) == 3 and (tmp_path / "winner.checkpoint").exists()


def test_the_script_rings_and_refuses_a_table_that_is_read_otherwise(
    compared, tmp_path, monkeypatch, capsys
):
    table, columns, result, lineup = compared["numbers"]
    text = script.winner_script(
        result, lineup, "online linear", path=tmp_path / "winner.py", file=str(table), target="y",
        columns=columns, memory=MEMORY, label_delay=2,
    )  # fmt: skip
    (tmp_path / "winner.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    winner = as_module(tmp_path / "winner.py")
    winner.LEVEL = 1e9
    winner.predict()
    assert "ALARM" not in capsys.readouterr().out
    winner.LEVEL = 1e-9
    winner.predict()
    assert "ALARM: the mean error of the newest 30 rows is" in capsys.readouterr().out
    winner.FEATURES = winner.FEATURES[1:]
    with pytest.raises(SystemExit, match="its columns are read otherwise than before"):
        winner.predict()


def test_the_command_writes_a_script_that_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = written(tmp_path, "numbers")
    options = ["--target", "y", "--time", "day", "--quick", "--script", "winner.py"]
    assert main(["compare", table.name, *options]) == 0
    assert "Written: winner.py" in capsys.readouterr().out
    with table.open("a", encoding="utf-8") as file:
        file.write("2024-05-30,3.5,007,red,\n")
    done = subprocess.run([sys.executable, "winner.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert abs(float(done.stdout.split()[-1])) < 100


def test_memory_is_that_of_the_comparison(compared):
    stream = compared["numbers"][2].stream
    plain = replace(stream, X=stream.X[:, :3], features=stream.features[:3], name=stream.name)
    again = with_memory(plain, 2, **MEMORY)
    assert again.features == stream.features and (again.X == stream.X).all()
