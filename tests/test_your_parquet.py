"""Parquet in the page: what is read there is what pyarrow reads for the command line.

The page's reader runs under Node on all types, codecs and encodings, and once in a browser.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import runpy
import shutil
import subprocess
import sys
import types
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import IN_CI
from pyarrow import parquet
from test_lab import built  # noqa: F401  (a fixture)
from test_lab_runs import Watch, host  # noqa: F401  (a fixture)
from test_live_runs import wait
from test_your_stream import (
    BAD,
    STATUS,
    WithHeaders,
    answered,
    axe,
    give,
    glue,  # noqa: F401  (a fixture)
    opened,
    said_of,
    same_table,
    small_table,
    taken,
)

from book.press.lab import vendored
from companion.comparison import text_lines
from companion.rivals import race
from companion.streams import rows
from companion.streams.bad_input import BadInput
from companion.streams.description import description
from companion.streams.guess import guess_roles
from companion.streams.tables import read_table

ROOT = Path(__file__).parents[1]
READER = ROOT / "book" / "_static" / "live" / "parquet.py"
ROWS = 60
DAY = date(2020, 1, 1)
SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def test_what_others_wrote_is_unchanged_and_nothing_more():
    """Each file has the sha256 that is listed, so that the packages' own integrity can be held."""
    listed = {vendored.LISTED}
    for package in vendored.packages():
        for name, sha256 in package["files"].items():
            path = vendored.folder_of(package) / name
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, path
            listed.add(path)
        about = json.loads((vendored.folder_of(package) / "package.json").read_text())
        assert (about["name"], about["version"]) == (package["name"], package["version"])
        assert about["license"] == "MIT" and "LICENSE" in package["files"]
    assert {path for path in vendored.FOLDER.rglob("*") if path.is_file()} == listed


# ---------------------------------------------------------------- the page's reader, under Node


class Bytes(bytes):
    """As an array of JavaScript looks in the page's Python."""

    def to_bytes(self) -> bytes:
        return bytes(self)


@pytest.fixture
def page(monkeypatch):
    """The page's reader: its JavaScript under Node, its Python on this machine."""
    node = shutil.which("node")
    if not node:
        how = "no Node was found; install Node 20 or later (Debian: apt-get install nodejs)"
        pytest.fail(how) if IN_CI else pytest.skip(how)
    seen = {}

    def look(path: str) -> str:
        done = subprocess.run(
            [node, str(ROOT / "tests" / "parquet_in_node.mjs"), path],
            capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        seen.update(json.loads(done.stdout))
        return seen["about"]

    def column(place: int, group: int) -> object:
        got = seen["columns"][place][group]
        return got if isinstance(got, str) else [Bytes(base64.b64decode(part)) for part in got]

    monkeypatch.setitem(
        sys.modules, "parquet_bytes", types.SimpleNamespace(look=look, column=column)
    )
    return types.SimpleNamespace(**runpy.run_path(str(READER)))


def in_the_page(page, monkeypatch, read):
    """Return what a function gives where the page's reader takes pyarrow's place."""
    with monkeypatch.context() as patched:
        patched.setattr(rows, "parquet_table", page.table)
        return read()


def whole(path: Path):
    source = rows.open_table(path)
    return source, rows.whole_block(source)


def same_cells(page, monkeypatch, path: Path) -> None:
    """Every cell, every type and every name is as pyarrow has it."""
    source, block = whole(path)
    mine, found = in_the_page(page, monkeypatch, lambda: whole(path))
    assert (mine.columns, mine.unnamed) == (source.columns, source.unnamed)
    assert mine.row_numbers == source.row_numbers
    for name in source.columns:
        cells, other = block.columns[name], found.columns[name]
        assert other.kind == cells.kind, name
        if cells.kind == "other":
            assert other.values.isna().tolist() == cells.values.isna().tolist(), name
            continue
        assert other.written() == cells.written(), name
        if cells.kind in ("number", "flag", "duration"):
            assert np.array_equal(other.numbers(), cells.numbers(), equal_nan=True), name
        if cells.kind == "time":
            assert other.values.dtype == cells.values.dtype, name


def gappy(value) -> list:
    return [None if k % 7 == 5 else value(k) for k in range(ROWS)]


def moments(unit: str, zone: str | None) -> pa.Array:
    return pa.array(
        gappy(lambda k: 10**9 * SECOND[unit] + 12_345 * k - 7), pa.timestamp(unit, zone)
    )


def every_type() -> pa.Table:
    whole_numbers = {
        f"{sign}int{bits}": pa.array(
            gappy(lambda k, sign=sign: 2 * k if sign else k - 30), getattr(pa, f"{sign}int{bits}")()
        )
        for sign in ("", "u") for bits in (8, 16, 32, 64)
    }  # fmt: skip
    times = {
        f"at {unit} {zone}": moments(unit, zone)
        for unit in SECOND for zone in (None, "UTC", "America/New_York", "+01:30")
    }  # fmt: skip
    lengths = {
        f"lasts {unit}": pa.array(gappy(lambda k: 1_234_567 * k - 9), pa.duration(unit))
        for unit in SECOND
    }
    return pa.table({
        **whole_numbers,
        **times,
        **lengths,
        "large": pa.array(gappy(lambda k: 2**63 + k), pa.uint64()),
        "small": pa.array(gappy(lambda k: -(2**62) - k)),
        "uint32, large": pa.array(gappy(lambda k: 2**32 - 1 - k), pa.uint32()),
        "without gaps": pa.array(range(ROWS)),
        "half": pa.array(gappy(lambda k: np.float16(k / 8))),
        "single": pa.array(gappy(lambda k: k / 3), pa.float32()),
        "double": pa.array(gappy(lambda k: k / 3)),
        "flag": pa.array(gappy(lambda k: k % 3 == 0)),
        "text": pa.array(gappy(lambda k: "äö 🍞"[: k % 5])),
        "large text": pa.array(gappy(str), pa.large_string()),
        "bytes": pa.array(gappy(lambda k: b"\xff%d" % k)),
        "as many bytes": pa.array(gappy(lambda k: b"ab%02d" % k), pa.binary(4)),
        "category": pa.array(gappy(lambda k: "12"[k % 2])).dictionary_encode(),
        "day": pa.array(gappy(lambda k: DAY + timedelta(k - 20_000))),
        "day in ms": pa.array(gappy(lambda k: DAY + timedelta(k)), pa.date64()),
        "clock ms": pa.array(gappy(lambda k: 61_001 * k), pa.time32("ms")),
        "clock us": pa.array(gappy(lambda k: 61_000_001 * k), pa.time64("us")),
        "decimal": pa.array(gappy(lambda k: Decimal(k - 30).scaleb(-2))),
        "short": pa.array(gappy(lambda k: Decimal(k).scaleb(-10)), pa.decimal128(12, 10)),
        "long": pa.array(gappy(lambda k: Decimal(10**37 + k).scaleb(-9)), pa.decimal128(38, 9)),
        "longer": pa.array(gappy(lambda k: Decimal(k - 10**60)), pa.decimal256(70, 2)),
        "null": pa.nulls(ROWS),
        "only gaps": pa.array([None] * ROWS, pa.float64()),
        "list": pa.array(gappy(lambda k: [k] * (k % 3))),
        "struct": pa.array(gappy(lambda k: {"a": k, "b": None})),
        "map": pa.array(gappy(lambda k: [("a", k)]), pa.map_(pa.string(), pa.int64())),
        "lists of lists": pa.array(gappy(lambda k: [[k], [], None])),
    })  # fmt: skip


@pytest.mark.parametrize(
    "way",
    [
        *({"compression": codec} for codec in ("none", "snappy", "gzip", "zstd", "lz4")),
        *({"data_page_version": "2.0", "compression": codec} for codec in ("snappy", "gzip")),
        {"use_dictionary": False},
        {"row_group_size": 11},
        {"data_page_size": 100, "write_batch_size": 5, "row_group_size": 40},
        {"store_schema": False},
        {"use_deprecated_int96_timestamps": True},
        {"store_decimal_as_integer": True},
    ],
    ids=str,
)
def test_every_type_is_read_as_pyarrow_reads_it(page, monkeypatch, tmp_path, way):
    parquet.write_table(every_type(), tmp_path / "a.parquet", **way)
    same_cells(page, monkeypatch, tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("encoding", "columns"),
    [
        ("DELTA_BINARY_PACKED", ["int32", "int64", "small", "at us UTC"]),
        ("BYTE_STREAM_SPLIT", ["int32", "int64", "single", "double"]),
        ("DELTA_LENGTH_BYTE_ARRAY", ["text"]),
        ("DELTA_BYTE_ARRAY", ["text"]),
    ],
)
def test_every_encoding_is_read(page, monkeypatch, tmp_path, encoding, columns):
    parquet.write_table(
        every_type().select(columns), tmp_path / "a.parquet",
        use_dictionary=False, column_encoding=dict.fromkeys(columns, encoding),
    )  # fmt: skip
    same_cells(page, monkeypatch, tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("kind", "old", "last", "read"),
    [
        ("INT32", "UINT_16", 65_535, 65_535),
        ("INT32", "UINT_32", -1, 2**32 - 1),
        ("INT64", "UINT_64", -1, 2**64 - 1),
        ("INT32", "INT_8", -128, -128),
        ("INT64", "TIMESTAMP_MILLIS", 1, pd.Timestamp(1_000_000)),
        ("INT64", "TIMESTAMP_MICROS", 1, pd.Timestamp(1000)),
        ("INT32", "DECIMAL", -5, Decimal("-0.05")),
    ],
)
def test_the_older_names_of_types_are_known(page, kind, old, last, read):
    """As other writers have them; pyarrow writes the newer ones, too."""
    values = np.array([0, last], "<i4" if kind == "INT32" else "<i8")
    one = {"type": kind, "converted_type": old, "scale": 2, "nested": False, "arrow": {}}
    found = page.typed(one, values.tobytes(), np.zeros(0, int), np.array([True, False]))
    assert pd.isna(found[0]) and found[1] == read


def sales(count: int = ROWS) -> pd.DataFrame:
    """Return a table as pandas' users have it."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "stock": pd.array([None if k % 9 == 4 else k % 13 for k in range(count)], "Int64"),
        "open": pd.array([None if k % 11 == 4 else k % 3 > 0 for k in range(count)], "boolean"),
        "shop": pd.Categorical([f"shop {k % 3}" for k in range(count)]),
        "grade": pd.Categorical([k % 4 for k in range(count)]),
        "price": [Decimal(k % 17 + 100).scaleb(-2) for k in range(count)],
        "since": pd.to_timedelta(rng.integers(1, 100, count), unit="min"),
        "paid": [DAY + timedelta(k // 3) for k in range(count)],
        "warmth": np.where(rng.random(count) < 0.1, np.nan, rng.normal(size=count)),
        "sold": 50 + np.arange(count) + rng.normal(size=count),
    }, index=pd.date_range("2024-01-01", periods=count, tz="Europe/Rome", name="at"))  # fmt: skip


@pytest.mark.parametrize("kind", ["times", "two", "count", "shuffled", "none"])
def test_an_index_and_categories_are_read_as_pandas_wrote_them(page, monkeypatch, tmp_path, kind):
    frame = sales()
    if kind == "two":
        frame = frame.set_index("shop", append=True)
    if kind == "count":
        frame = frame.reset_index().set_axis(pd.RangeIndex(5, 5 + ROWS, name="n"))
    if kind in ("shuffled", "none"):
        frame = frame.reset_index()
        frame = frame.sample(frac=1, random_state=0) if kind == "shuffled" else frame
    path = tmp_path / "a.parquet"
    frame.to_parquet(path, row_group_size=25)
    same_cells(page, monkeypatch, path)
    reading = read_table(path, "sold", time="at")
    mine = in_the_page(page, monkeypatch, lambda: read_table(path, "sold", time="at"))
    assert description(mine) == description(reading)
    assert mine.stream.features == reading.stream.features
    assert np.array_equal(mine.stream.X, reading.stream.X)
    assert in_the_page(page, monkeypatch, lambda: guess_roles(path)) == guess_roles(path)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.parquet")), ids=lambda path: path.name)
def test_a_bad_file_gets_the_commands_sentence(page, monkeypatch, path):
    """Of bytes that make no sense, pyarrow and the page each tell what they stumbled over."""
    sentence, options = said_of(path.name)
    monkeypatch.chdir(BAD)
    with pytest.raises(BadInput) as raised:
        in_the_page(page, monkeypatch, lambda: read_table(path.name, **options))
    if path.name in ("foot_only.parquet", "middle_zeroed.parquet"):
        sentence = re.sub(r"\(.*\)", "", sentence)
        assert re.sub(r"\(.*\)", "", str(raised.value)) == sentence
    else:
        assert str(raised.value) == sentence


def test_what_the_page_cannot_unpack_names_the_column(page, monkeypatch, tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(
        every_type().select(["double", "text"]),
        path,
        compression={"double": "none", "text": "brotli"},
    )
    with pytest.raises(BadInput, match="a.parquet, column 'text': it is packed with BROTLI, which"):
        in_the_page(page, monkeypatch, lambda: whole(path))
    assert len(whole(path)[1]) == ROWS


def test_damaged_bytes_name_the_column(page, monkeypatch, tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(every_type().select(["double"]), path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[4:14] = bytes(10)  # the first page's heading
    path.write_bytes(data)
    with pytest.raises(
        BadInput, match="column 'double': it cannot be read .*; save the file again"
    ):
        in_the_page(page, monkeypatch, lambda: whole(path))


def test_an_encrypted_file_is_refused(page, monkeypatch, tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PARE" + bytes(100) + b"PARE")
    for read in (whole, lambda path: in_the_page(page, monkeypatch, lambda: whole(path))):
        with pytest.raises(BadInput, match="a.parquet: this Parquet file is encrypted; save it wi"):
            read(path)
    with pytest.raises(BadInput, match="column 'x': it is encrypted; save the file without"):
        page.check({"where": "a.parquet, column 'x'", "encrypted": True})


def test_more_cells_than_the_page_holds_are_too_many(page, glue, monkeypatch):  # noqa: F811
    """A small file may hold very many rows; and memory may end while they are read."""
    parquet.write_table(pa.table({"y": np.arange(1000.0), "x": np.arange(1000) % 7}), "a.parquet")
    monkeypatch.setattr(rows, "parquet_table", page.table)
    assert glue.call("describe", file="a.parquet", target="y")["rows"] == 1000
    monkeypatch.setitem(page.table.__globals__, "MOST_CELLS", 1999)
    said = glue.call("columns", file="a.parquet")
    assert said["memory"] and "too large for the page's memory" in said["refused"]
    monkeypatch.setitem(page.table.__globals__, "MOST_CELLS", 2000)
    monkeypatch.setattr(
        sys.modules["parquet_bytes"], "column", lambda *at: "failed: Array buffer allocation failed"
    )
    assert glue.call("columns", file="a.parquet")["memory"]


# ---------------------------------------------------------------- in a browser


@pytest.mark.browser
def test_a_parquet_table_gets_the_commands_answer(built, host, browser, tmp_path):  # noqa: F811
    """What reads it is loaded with the first such file; the script that is given away agrees."""
    base = host(WithHeaders)
    context = browser.new_context(accept_downloads=True, viewport={"width": 390, "height": 800})
    watch = Watch(context, base)
    loaded = []
    context.on("request", lambda request: loaded.append(request.url))
    page = opened(context, base)
    give(page, "t.csv", small_table().encode())
    assert not [url for url in loaded if "parquet" in url]
    file = tmp_path / "мой 'хлеб'.parquet"
    sales(120).to_parquet(file, compression="zstd", row_group_size=50)
    give(page, file.name, file.read_bytes())
    assert axe(page) == []
    scripts = {url.removeprefix(base).partition("?")[0] for url in loaded if "parquet" in url}
    wanted = {path.relative_to(ROOT / "book").as_posix() for path in vendored.scripts()}
    assert scripts == {*wanted, "_static/live/parquet.mjs", "_static/live/parquet.py"}
    guess = guess_roles(file)
    assert (guess.target, guess.time, guess.key) == ("price", "paid", "shop")
    reading = read_table(file, guess.target, time=guess.time, key=guess.key)
    shown = page.locator("#yours-pairs tr").all_inner_texts()
    assert [re.split(r"[\t\n]+", text, maxsplit=1) for text in shown] == list(
        map(list, description(reading))
    )
    answered(page)
    result = race(reading.stream, quick=True)
    same_table(page, result)
    (tmp_path / "again.py").write_text(taken(page, "script"), encoding="utf-8")
    again = subprocess.run(
        [sys.executable, "again.py"], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
    )
    assert again.returncode == 0, again.stderr
    assert "\n".join(text_lines(result.cells())) in again.stdout
    command = page.locator("#yours-command").inner_text()
    assert command.startswith("companion compare 'мой '\"'\"'хлеб'\"'\"'.parquet' --target price")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    parquet.write_table(every_type().select(["text"]), tmp_path / "b.pq", compression="brotli")
    give(page, "b.pq", (tmp_path / "b.pq").read_bytes(), "column 'text': it is packed with BROTLI")
    sentence, _ = said_of("text.parquet")
    page.locator("#yours-file").set_input_files(BAD / "text.parquet")
    wait(page, STATUS, f"^{re.escape(sentence)}$")
    context.close()
    assert watch.problems == []
