"""Streams read in parts: equal to the whole, memory that stays flat, one sentence on bad input."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from companion import Scheduled, prequential
from companion.scale.parts import prequential_in_parts
from companion.streams.tables import BadInput, from_csv, read_parts


def table(rows: int, folder, **columns) -> str:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=list("aby")).assign(**columns)
    frame.to_csv(folder / "data.csv", index=False)
    return folder / "data.csv"


def test_parts_are_the_whole(tmp_path):
    day = pd.date_range("2024-01-01", periods=1000, freq="h")
    who = np.where(np.arange(1000) % 3, "ann", "bob")
    path = table(1000, tmp_path, t=day, who=who)
    whole, _ = from_csv(path, "y", time="t", key="who")
    parts = list(read_parts(path, "y", time="t", key="who", rows=333))
    assert [len(part) for part in parts] == [333, 333, 333, 1]
    for name in ("X", "y", "time", "key"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (joined == getattr(whole, name)).all()
    strategy = Scheduled(LinearRegression(), every="3D", window=100)
    runs = list(prequential_in_parts(strategy, parts, warmup=100, label_delay="12h"))
    one = prequential(strategy, whole, warmup=100, label_delay="12h")
    assert np.allclose(np.concatenate([run.predictions for run in runs]), one.predictions)


def test_gaps_are_filled_with_the_last_value_also_across_parts(tmp_path):
    path = table(20, tmp_path, a=[1.0] * 9 + [5.0] + [None] * 3 + [2.0] * 7)
    parts = read_parts(path, "y", rows=10)
    assert np.concatenate([part.X[:, 0] for part in parts]).tolist()[8:14] == [1, 5, 5, 5, 5, 2]


def test_memory_does_not_grow_with_the_stream(tmp_path):
    peaks = []
    for rows in (20_000, 100_000):
        path = table(rows, tmp_path)
        strategy = Scheduled(LinearRegression(), every=1000, window=2000)
        tracemalloc.start()
        parts = read_parts(path, "y", rows=5000)
        total = sum(len(run.y) for run in prequential_in_parts(strategy, parts, warmup=500))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total == rows - 500
    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"a": ["1"] * 29 + ["x"]}, {}, "line 31, column 'a': 'x' is no number"),
        ({"y": [k + 0.5 for k in range(29)] + ["NA"]}, {}, "line 31, column 'y': 'NA' is no num"),
        ({"y": [None] * 30}, {}, "0 usable rows are too few"),
        ({"a": [1.0] * 20 + [np.inf] * 10}, {}, "line 22, column 'a': the value is infinite"),
        ({"t": ["2024-01-02"] * 15 + ["2024-01-01"] * 15}, {"time": "t"},
         "line 17, column 't': '2024-01-01' is before the line above"),
        ({"t": ["2024-01-02"] * 29 + ["soon"]}, {"time": "t"},
         "line 31, column 't': holds 'soon', which is no time"),
        ({"y": ["no"] * 20 + ["yes"] * 10}, {"classes": ["no"]},
         "line 22, column 'y': 'yes' is not among the classes no; name it too"),
        ({}, {"key": "who"}, "there is no key column 'who'"),
    ],
)  # fmt: skip
def test_bad_parts_get_one_sentence(columns, options, words, tmp_path):
    path = table(30, tmp_path, **columns)
    with pytest.raises(BadInput, match=words):
        list(read_parts(path, "y", rows=12, **options))


def test_other_bad_files_get_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="there is no such file"):
        list(read_parts(tmp_path / "none.csv", "y"))
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("a,y\n1,2\n1,2,3\n")
    with pytest.raises(BadInput, match="rows do not fit the heading"):
        list(read_parts(ragged, "y"))
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(BadInput, match="the file is empty"):
        list(read_parts(empty, "y"))


def test_parts_of_different_tables_are_refused(tmp_path):
    path = table(30, tmp_path)
    one = list(read_parts(path, "y"))[0]
    two = list(read_parts(path, "a"))[0]
    strategy = Scheduled(LinearRegression(), every=10)
    with pytest.raises(ValueError, match="other columns or classes"):
        list(prequential_in_parts(strategy, [one, two], warmup=10))
