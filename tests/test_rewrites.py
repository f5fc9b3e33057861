"""A table that is written in another way is the same table.

``REWRITES=2000`` draws so many rewrites; ``make nightly`` does it.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from companion.streams import from_csv
from companion.streams.tables import BadInput, read_parts

CASES = int(os.environ.get("REWRITES", 120))
WORDS = ["a", "NA", "None", "0071", "71", "x;y", "q,r", 'say "so"', "two\nlines", "ü", " b ", "-"]
KEYS = ["1", "01", "NA", "ann"]
DATES = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%d %b %Y", "%B %d, %Y", "%Y%m%d"]
CLOCKS = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y, %I:%M:%S %p",
          "%Y-%m-%dT%H:%MZ", "offset", "unix-s", "unix-ms", "%Y%m%d%H%M%S"]  # fmt: skip


@st.composite
def tables(draw) -> dict[str, list]:
    """Draw a table: times, a key, numbers with gaps, flags, words, and a target."""
    rows = draw(st.integers(30, 50))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    step = timedelta(**draw(st.sampled_from([{"days": 1}, {"hours": 5}, {"minutes": 90}])))
    start = datetime(2023, 1, 1) + timedelta(days=int(rng.integers(700)))
    gaps = draw(st.sampled_from([0.0, 0.2, 0.6]))

    def holes(values: list) -> list:
        return [None if rng.random() < gaps else value for value in values]

    words = rng.choice(WORDS, 4, replace=False).tolist()
    count = draw(st.sampled_from([10, 10**5]))
    target = {
        "numbers": [round(float(v), 4) for v in rng.normal(size=rows) * 10 + 0.5],
        "counts": [int(v) for v in rng.integers(0, 4, rows)],
        "words": [words[int(v)] for v in rng.integers(0, 3, rows)],
    }[draw(st.sampled_from(["numbers", "counts", "words"]))]
    if len(set(target)) < 2:
        target = [*target[:-2], *((0, 1) if isinstance(target[0], int) else ("a", "b"))]
    return {
        "t": [start + k * step for k in range(rows)],
        "k": [KEYS[int(v)] for v in rng.integers(0, 3, rows)],
        "x": holes([float(v) for v in rng.normal(size=rows)]),
        "n": holes([int(v) * count for v in rng.integers(-50, 5000, rows)]),
        "f": holes([bool(v) for v in rng.integers(0, 2, rows)]),
        "w": holes([words[int(v)] for v in rng.integers(0, 4, rows)]),
        "y": [None if k % 9 == 4 and gaps else v for k, v in enumerate(target)],
    }


def times_as(form: str, times: list[datetime]) -> list[str]:
    """Write times in one format."""
    if form == "offset":
        zone = timezone(timedelta(hours=5, minutes=30))
        return [t.replace(tzinfo=UTC).astimezone(zone).isoformat() for t in times]
    if form.startswith("unix"):
        size = 1000 if form == "unix-ms" else 1
        return [str(int(t.replace(tzinfo=UTC).timestamp()) * size) for t in times]
    return [t.strftime(form) for t in times]


def number_as(style: str, value: float | int | None) -> str:
    """Write a number in one style; every digit is kept."""
    if value is None:
        return ""
    if style == "thousands":
        return f"{Decimal(repr(value)):,}" if "e" not in repr(value) else repr(value)
    if style == "commas":
        return repr(value).replace(".", ",")
    if style == "science" and isinstance(value, float):
        return f"{value:.17e}"
    return repr(value)


@st.composite
def rewrites(draw) -> dict:
    """Draw a way to write a table."""
    return {
        "kind": draw(st.sampled_from(["csv", "csv", "csv", "parquet"])),
        "date": draw(st.sampled_from(DATES)),
        "clock": draw(st.sampled_from(CLOCKS)),
        "mark": draw(st.sampled_from(",;\t|")),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
        "bom": draw(st.booleans()),
        "numbers": draw(st.sampled_from(["plain", "thousands", "commas", "science"])),
        "flags": draw(st.sampled_from([str, lambda v: str(v).upper(), lambda v: str(v).lower()])),
        "gap": draw(st.sampled_from(["", "", "NA", "NaN", "?"])),
        "index": draw(st.sampled_from([None, "", "Unnamed: 0"])),
        "blank": draw(st.sampled_from([0, 7])),
        "gz": draw(st.booleans()),
        "order": draw(st.permutations(["t", "k", "x", "n", "f", "w", "y"])),
        "rows": draw(st.integers(1, 60)),
    }


def write(table: dict[str, list], way: dict, folder: Path) -> Path:
    """Write a table in one way."""
    if way["kind"] == "parquet":
        typed = {"k": "str", "n": "Int64", "f": "boolean", "w": "str"}
        frame = pd.DataFrame({
            name: pd.array(table[name], typed[name]) if name in typed else table[name]
            for name in way["order"]
        })  # fmt: skip
        if isinstance(next(v for v in table["y"] if v is not None), int):
            frame["y"] = pd.array(table["y"], "Int64")
        frame = frame.set_index("t") if way["index"] == "" else frame
        frame.to_parquet(folder / "again.pq")
        return folder / "again.pq"
    whole_days = all(t.hour == t.minute == 0 for t in table["t"])
    numbers = way["numbers"]
    if numbers == "thousands" and way["mark"] == ";":
        numbers = "plain"  # there a comma parts the decimals
    cells = {
        "t": times_as(way["date"] if whole_days else way["clock"], table["t"]),
        "k": table["k"],
        "x": [number_as(numbers, v) or way["gap"] for v in table["x"]],
        "n": [number_as(numbers, v) or way["gap"] for v in table["n"]],
        "f": [way["gap"] if v is None else way["flags"](v) for v in table["f"]],
        "w": ["" if v is None else v for v in table["w"]],
        "y": ["" if v is None else str(v) for v in table["y"]],
    }
    if isinstance(next(v for v in table["y"] if v is not None), float):
        cells["y"] = [number_as(numbers, v) for v in table["y"]]
    heads = list(way["order"])
    rows = list(zip(*(cells[name] for name in heads), strict=True))
    if way["index"] is not None:
        heads, rows = [way["index"], *heads], [(k, *row) for k, row in enumerate(rows)]
    text = io.StringIO()
    out = csv.writer(text, delimiter=way["mark"], quoting=way["quoting"], lineterminator=way["end"])
    out.writerow(heads)
    for row, values in enumerate(rows):
        out.writerow(values)
        if way["blank"] and row % way["blank"] == 0:
            text.write(way["end"])
    data = text.getvalue().encode("utf-8-sig" if way["bom"] else "utf-8")
    path = folder / ("again.csv.gz" if way["gz"] else "again.csv")
    path.write_bytes(gzip.compress(data) if way["gz"] else data)
    return path


PLAIN = {"kind": "csv", "date": "%Y-%m-%d", "clock": "%Y-%m-%d %H:%M", "mark": ",",
         "quoting": csv.QUOTE_MINIMAL, "end": "\n", "bom": False, "numbers": "plain", "flags": str,
         "gap": "", "index": None, "blank": 0, "gz": False,
         "order": ["t", "k", "x", "n", "f", "w", "y"]}  # fmt: skip


def content(stream) -> dict:
    """Return what a stream holds, its features by name."""
    return {
        "features": dict(zip(stream.features, stream.X.T.tolist(), strict=True)),
        "y": stream.y.tolist(),
        "classes": stream.classes,
        "time": stream.time.tolist(),
        "key": stream.key.tolist(),
        "task": stream.task,
    }


@settings(
    max_examples=CASES, deadline=None, derandomize=CASES < 1000, print_blob=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(tables(), rewrites())
def test_a_table_written_in_another_way_is_the_same_stream(table, way):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            plain, _ = from_csv(write(table, PLAIN, folder), "y", time="t", key="k")
        except BadInput as error:  # the words are numbers but for one
            assert "column 'w'" in str(error) and "is no number (" in str(error)
            with pytest.raises(BadInput, match="column 'w': .* is no number|say which with"):
                from_csv(write(table, way, folder), "y", time="t", key="k")
            return
        again = write(table, way, folder)
        form = None
        try:
            stream, notes = from_csv(again, "y", time="t", key="k")
        except BadInput as error:  # all dates of the table fit both; the sentence says the format
            form = (
                way["date"] if "%H" not in str(error) and "%I" not in str(error) else way["clock"]
            )
            assert re.search(r"may be .* say which with --time-format", str(error))
            assert form in str(error)
            stream, notes = from_csv(again, "y", time="t", key="k", time_format=form)
        assert content(stream) == content(plain)
        remarks: list[str] = []
        options = {"time": "t", "key": "k", "time_format": form}
        parts = list(read_parts(again, "y", rows=way["rows"], notes=remarks, **options))
        assert remarks == notes
        assert np.concatenate([part.X for part in parts]).tolist() == stream.X.tolist()
        assert np.concatenate([part.y for part in parts]).tolist() == stream.y.tolist()
        assert np.concatenate([part.time for part in parts]).tolist() == stream.time.tolist()
        assert np.concatenate([part.key for part in parts]).tolist() == stream.key.tolist()
        assert {(part.features, part.classes) for part in parts} == {
            (stream.features, stream.classes)
        }
