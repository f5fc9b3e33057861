"""Broken files: each gets the sentence that stands in tests/bad/sentences.csv, and no traceback."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from book.press import address
from book.press.checks import notebooks as check_notebooks
from companion import streams
from companion.apps.grammar import main
from companion.comparison import load_comparison
from companion.files import checkpoint
from companion.files.safe import load_model
from companion.streams import book
from companion.streams.tables import BadInput, from_csv, read_parts
from tests import make_bad

BAD = Path(__file__).parent / "bad"
with (BAD / "sentences.csv").open(encoding="utf-8", newline="") as _file:
    WANTED = list(csv.DictReader(_file))


def said(reader: str, path: Path, options: dict) -> str:
    """Return what a reader says of a file, the file's place left out."""
    if reader == "table":
        words = [part for name, value in options.items() for part in (f"--{name}", value)]
        labels_seen = io.StringIO()
        with contextlib.redirect_stderr(labels_seen), contextlib.redirect_stdout(io.StringIO()):
            status = main(["compare", str(path), *words])
        assert status == 2, (status, labels_seen.getvalue())
        message = labels_seen.getvalue().removeprefix("companion: ").removesuffix("\n")
    elif reader == "notebook":
        (message,) = check_notebooks.problems(path)
    else:
        with pytest.raises(ValueError) as error:
            READERS[reader](path, options)
        message = str(error.value)
    assert "\n" not in message and "Traceback" not in message
    return message.replace(str(path), path.name).replace(str(path.parent), "FOLDER")


def read_checkpoint(path: Path, options: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:  # git keeps no permissions
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
        try:
            with make_bad.own_key():
                checkpoint.load(copy)
        except ValueError as error:
            raise ValueError(str(error).replace(str(copy), str(path))) from None


def read_comparison(path: Path, options: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(path, Path(folder) / "comparison.json")
        try:
            load_comparison(folder, streams.bike_sharing())
        except ValueError as error:
            raise ValueError(str(error).replace(folder, "FOLDER")) from None


def read_config(path: Path, options: dict) -> None:
    if path.suffix == ".yml":
        address.repository(path)
    else:
        book.read_card(path)


READERS = {
    "parts": lambda path, options: list(
        read_parts(path, **options, rows=10)
    ),
    "checkpoint": read_checkpoint,
    "model": lambda path, options: load_model(path),
    "comparison": read_comparison,
    "config": read_config,
}  # fmt: skip


@pytest.mark.parametrize("case", WANTED, ids=lambda case: case["file"])
def test_each_broken_file_gets_its_sentence(case):
    options = json.loads(case["options"])
    assert said(case["reader"], BAD / case["file"], options) == case["sentence"]


def test_the_corpus_is_whole():
    files = {path.name for path in BAD.iterdir()} - {"sentences.csv"}
    assert {case["file"] for case in WANTED} == files
    assert len(files) >= 60
    assert sum((BAD / name).stat().st_size for name in files) < 200_000


TOKENS = st.sampled_from([
    ",", ",", ",", "\n", "\n", "\r\n", '"', "'", ";", "\t", " ", "\0", "\ufeff", "\u202e", "é",
    "t", "x", "y", "0", "1", "-1", "2.5", "1e400", "-inf", "nan", "NA", "None", "True", "9" * 30,
    "0x1F", "1_000", "1,5", "2024-01-01", "2024-02-30", "0001-01-01", "9999-12-31", "12:00",
    "2024-01-01T00:00:00Z", "2024-01-01 00:00+05:30", "=cmd|' /C calc'!A0", "a" * 300,
])  # fmt: skip
SHAPELESS = st.lists(TOKENS, max_size=150).map("".join)
CELLS = st.sampled_from(
    ["", "0", "1", "2.5", "-3", "inf", "nan", "a", "b", "é", '"q,"', "2024-01-01", "1e400", "True"]
)
SHAPED = st.lists(
    st.tuples(st.dates().map(str) | CELLS, CELLS, CELLS), min_size=20, max_size=40
).map(lambda rows: "t,x,y\n" + "\n".join(map(",".join, rows)))
OPTIONS = st.fixed_dictionaries(
    {"time": st.sampled_from([None, "t"]), "key": st.sampled_from([None, None, "x"])}
)
QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def spoken(error: ValueError) -> None:
    """Check that a refusal is one sentence that names its file."""
    assert isinstance(error, BadInput), repr(error)
    assert str(error).count("\n") == 0 and "fuzz" in str(error)


@QUICK
@given(SHAPELESS | SHAPED, OPTIONS, st.sampled_from(["auto", "regression", "classification"]))
@example("t,x,y\n" + "0001-01-01,1,2\n" * 30, {"time": "t", "key": None}, "auto")
def test_any_text_is_a_stream_or_a_sentence(content, options, task):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.csv"
        path.write_text(content, encoding="utf-8", newline="")
        try:
            stream, _ = from_csv(path, "y", task=task, **options)
        except ValueError as error:
            spoken(error)
        else:
            assert len(stream) >= 20
        try:
            list(read_parts(path, "y", rows=7, **options))
        except ValueError as error:
            spoken(error)


@QUICK
@given(st.binary(max_size=600), st.sampled_from([".csv", ".csv.gz"]))
def test_any_bytes_are_a_stream_or_a_sentence(content, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fuzz{suffix}"
        path.write_bytes(content)
        for read in (from_csv, lambda *given: list(read_parts(*given))):
            with pytest.raises(ValueError) as error:
                read(path, "y")
            spoken(error.value)


@pytest.mark.slow
@settings(QUICK, max_examples=40)
@given(SHAPELESS | SHAPED, OPTIONS, st.sampled_from(["0", "3", "2D", "-1", "x", "1e9", "99999D"]))
def test_the_command_line_never_breaks(content, options, delay):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.csv"
        path.write_text(content, encoding="utf-8", newline="")
        words = [w for name, value in options.items() if value for w in (f"--{name}", value)]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
            try:
                status = main([
                    "compare", str(path), "--target", "y", "--quick", f"--label-delay={delay}",
                    "--runs", f"{folder}/runs", *words,
                ])  # fmt: skip
            except SystemExit as exit:
                status = exit.code
        assert (status, "Traceback" in err.getvalue()) in ((0, False), (2, False)), err.getvalue()


def test_memory_stays_bounded():
    """A small hostile file cannot make the readers hold much."""
    quotes = '"' * 50_000
    for content in (quotes, "x" * 200_000, "," * 2_000, "y\n" * 50_000, "y," * 1_000 + "\n1"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fuzz.csv"
            path.write_text(content, encoding="utf-8")
            tracemalloc.start()
            for read in (from_csv, lambda *given: list(read_parts(*given))):
                with pytest.raises(ValueError) as error:
                    read(path, "y")
                spoken(error.value)
                assert len(str(error.value)) < 1000
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 100e6, (content[:9], peak)
