"""Every reader on bytes that nobody meant: what it should give, or one sentence.

Each reader gets noise, and good files of its own with a piece cut, changed or doubled.
``FUZZ=2000`` draws so many for each, as ``make nightly`` does; pytest prints cases and failures.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from book.press.course.assignments import assignments, read_submission
from book.press.course.gradebook import WRITTEN, read_written
from companion import Baseline, compare, streams
from companion.apps.command_line import label_delay
from companion.apps.serving import LabelService, web_app
from companion.comparison import load_comparison
from companion.files.alarms import Alarm, read_alarms, write_alarm
from companion.files.checkpoint import load, save
from companion.files.safe import load_model, save_model, unpickle
from companion.files.seal import seal, unseal
from companion.lineups import online_line
from companion.stream import duration
from companion.streams.book import DATA, read_card
from companion.streams.tables import from_csv, read_parts

CASES = int(os.environ.get("FUZZ", "100"))
BIKES = streams.bike_sharing()
KNOWN = assignments()
LAST = Baseline("no-change")
LAST.fit(np.zeros((1, 1)), np.array([5.0]))
SERVICE = TestClient(
    web_app(LabelService("sqlite://", LAST, ["heat"])), raise_server_exceptions=False
)
SERVICE.post("/predictions", json={"id": "a", "x": {"heat": 0.5}})


def in_file(suffix: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """Return a reader of bytes, given a reader of files."""

    def reader(data: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"fuzz{suffix}"
            path.write_bytes(data)
            path.chmod(0o600)
            return read(path)

    return reader


def written(suffix: str, write: Callable[[Path], Any]) -> bytes:
    """Return the bytes that a writer of files writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fuzz{suffix}"
        write(path)
        return path.read_bytes()


def files_of_a_comparison() -> dict[str, bytes]:
    """Return the files of a saved comparison."""
    with tempfile.TemporaryDirectory() as folder:
        compare(BIKES, {"mean": Baseline("mean")}).save(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


SAVED = files_of_a_comparison()
RUN = next(name for name in SAVED if name.endswith(".npz"))
with np.load(io.BytesIO(SAVED[RUN])) as kept:
    ARRAYS = dict(kept)
FACTS = str(ARRAYS.pop("about")).encode()


def with_file(name: str) -> Callable[[bytes], Any]:
    """Return a reader of a saved comparison one of whose files is given."""

    def reader(data: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            for file, held in {**SAVED, name: data}.items():
                (Path(folder) / file).write_bytes(held)
            found = load_comparison(folder, BIKES)
            str(found)  # what was read can be shown
            return found

    return reader


def run_facts(data: bytes) -> Any:
    """Read a saved comparison whose run says of itself what is given."""
    held = io.BytesIO()
    np.savez(held, about=np.array(data.decode("utf-8", "replace")), **ARRAYS)
    return with_file(RUN)(held.getvalue())


SKOPS = written(".s", lambda p: save_model(p, LinearRegression().fit([[0.0], [1.0]], [0, 1])))


def skops_schema(data: bytes) -> Any:
    """Read a scikit-learn model whose file is whole, but holds another description."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SKOPS)) as old, zipfile.ZipFile(held, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name == "schema.json" else old.read(name))
    return in_file(".skops", load_model)(held.getvalue())


def service(path: str) -> Callable[[bytes], Any]:
    """Return a reader of request bodies: it answers, or refuses in one sentence."""

    def reader(data: bytes) -> Any:
        answer = SERVICE.post(path, content=data, headers={"content-type": "application/json"})
        if answer.status_code == 200:
            return answer.json()
        assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
        raise ValueError(answer.json()["error"])

    return reader


def as_text(read: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """Return a reader of bytes, given a reader of text."""
    return lambda data: read(data.decode("utf-8", "replace"))


FRAME = pd.DataFrame({
    "t": pd.date_range("2024-01-01", periods=40), "x": np.arange(40.0) % 7, "k": ["a", "b"] * 20,
    "y": np.arange(40.0) * 1.5,
})  # fmt: skip
NUMBERS = FRAME.drop(columns="k").to_csv(index=False).encode()
TABLE = FRAME.to_csv(index=False).encode()
PARQUET = io.BytesIO()
FRAME.to_parquet(PARQUET)


TIMES = [
    "\n".join(["t,y", *(f"{one},{k}.5" for k, one in enumerate(column))]).encode()
    for column in (
        [f"{k + 1:02d}.{k % 2 + 1:02d}.2024 {k:02d}:30" for k in range(24)],
        [f"2024-W{k + 10}" for k in range(24)], [f"{k + 1} March 2024" for k in range(24)],
        [f"{k + 1} Jan 2024 1:05 PM" for k in range(24)], [f"{1.7e9 + k:.0f}" for k in range(24)],
        [f"2024-01-{k + 1:02d}T00:00:00.5+01:00" for k in range(24)],
    )
]  # fmt: skip


def parts(path: Path) -> Any:
    return list(read_parts(path, "y", time="t", rows=9))


def time_format(form: str) -> Any:
    """Read times in a format that is given."""
    rows = [f"2024-01-{k + 1:02d},{k}.5" for k in range(24)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_text("\n".join(["t,y", *rows]))
        return from_csv(path, "y", time="t", time_format=form)


def submission(path: Path) -> Any:
    """Read a notebook that a student handed in."""
    found = read_submission("ann", path, path.parent, KNOWN)
    if found.book is None:
        raise ValueError(found.why)
    return found


def marks(path: Path) -> Any:
    """Read the table in which a person marks, which ends the program in one sentence."""
    try:
        return read_written(path)
    except SystemExit as error:
        raise ValueError(str(error)) from None


def released(name: str) -> bytes:
    """Return a notebook as students get it."""
    return nbformat.writes(KNOWN[name].release()).encode()


READERS: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "CSV": (in_file(".csv", lambda path: from_csv(path, "y", time="t")), [TABLE]),
    "CSV in parts": (in_file(".csv", parts), [NUMBERS]),
    "Parquet": (in_file(".parquet", lambda path: from_csv(path, "y")), [PARQUET.getvalue()]),
    "checkpoint": (in_file(".ckpt", load), [written(".c", lambda p: save(p, Baseline("mean"), 3))]),
    "sealed checkpoint": (
        lambda data: in_file(".ckpt", load)(seal(data)),  # as if the key were lost
        [unseal(written(".c", lambda p: save(p, Baseline("mean"), 3, [1, "a"])), "c")],
    ),
    "sealed pickle": (lambda data: unpickle(seal(data), "p"), [
        pickle.dumps((Baseline("mean"), np.arange(3))), pickle.dumps(online_line(0)),
        pickle.dumps(LinearRegression().fit([[0.0], [1.0]], [0, 1]))]),
    "model": (in_file(".model", load_model), [written(".m", lambda p: save_model(p, LAST))]),
    "skops": (in_file(".skops", load_model), [SKOPS]),
    "what a skops says": (skops_schema, [zipfile.ZipFile(io.BytesIO(SKOPS)).read("schema.json")]),
    "comparison": (with_file("comparison.json"), [SAVED["comparison.json"]]),
    "saved run": (with_file(RUN), [SAVED[RUN]]),
    "what a run says": (run_facts, [FACTS]),
    "data card": (in_file(".toml", read_card), [(DATA / "liver.toml").read_bytes()]),
    "alarms": (in_file(".jsonl", read_alarms), [
        written(".j", lambda p: write_alarm(p, Alarm(1, "loss", 2.0, 1.0)))]),
    "duration": (as_text(duration), [b"2D", b"30min", b"99999999999W"]),
    "label delay": (as_text(label_delay), [b"5", b"2D", b"-3"]),
    "times": (in_file(".csv", lambda path: from_csv(path, "y", time="t")), TIMES),
    "time format": (as_text(time_format), [b"%Y-%m-%d", b"%d.%m.%Y", b"unix-s", b"year"]),
    "submission": (in_file(".ipynb", submission), [released("week1")]),
    "gradebook": (in_file(".csv", marks), [
        f"{','.join(WRITTEN)}\nann,week1,report,14,12,good\n".encode(),
        f"sep=;\n{';'.join(WRITTEN)}\nann;week1;report;14;12,5;gut\n".encode("utf-16")]),
    "question": (service("/predictions"), [b'{"id": "a", "x": {"heat": 0.5}}']),
    "label": (service("/labels"), [b'{"id": "a", "y": 0.5}']),
}  # fmt: skip
ODD = (
    b"\n", b'"', b"{", b"[" * 3000, b"9" * 400, b"1e999", b"-", b"null", b"\0", b"\xff", b"NaN",
    b",", "²".encode(), b"R", b"b", b".",
)  # fmt: skip
REFUSED = (b"99999999999W", b"-3", b"%d.%m.%Y", b"unix-s", b"year")
READS_ANYTHING = ("alarms",)  # torn lines are left out, and so no file is refused


def changed(good: bytes, seed: int, noise: bytes) -> bytes:
    """Return a good file with pieces cut, doubled, flipped or overwritten."""
    chance, data = random.Random(seed), bytearray(good)
    for _ in range(chance.choice([1, 1, 2, 5])):
        a, b = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        b = min(b, a + chance.choice([1, 4, 40]))
        what = chance.randrange(5)
        if what == 0:
            del data[a:b]
        elif what == 1:
            data[a:a] = data[a:b] * chance.choice([1, 3])
        elif what == 2 and a < len(data):
            data[a] ^= 1 << chance.randrange(8)
        elif what == 3:
            data[a : a + len(noise)] = noise
        else:
            data[a:a] = noise
    return bytes(data)


def is_sentence(error: ValueError) -> bool:
    """Whether an error is one line, and no longer than a person reads."""
    return len(str(error).splitlines()) == 1 and len(str(error)) < 700


def other_value(good: bytes, seed: int, value: Any) -> bytes:
    """Return a good file of JSON with another value somewhere; of others, some bytes changed."""
    try:
        whole = json.loads(good)
    except ValueError:
        return changed(good, seed, json.dumps(value).encode()[:12])
    chance, holder = random.Random(seed), [whole]
    inner: Any = holder
    while True:
        places = list(inner) if isinstance(inner, dict) else range(len(inner))
        place = chance.choice(list(places))
        if not (isinstance(inner[place], dict | list) and inner[place] and chance.random() < 0.85):
            break
        inner = inner[place]
    inner[place] = value
    return json.dumps(holder[0]).encode()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
    | st.sampled_from(["object", "list", "predict", "../../etc/passwd", "<b>", "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_each_reader_reads_what_it_should(name):
    read, good = READERS[name]
    for data in good:
        if data not in REFUSED:
            read(data)


@pytest.mark.parametrize("name", READERS)
def test_any_bytes_are_read_or_refused_in_one_sentence(name, record_property):
    read, good = READERS[name]
    counts = {"reader": name, "cases": 0, "read": 0, "refused": 0, "failures": 0}
    some, seeds = st.sampled_from(good), st.integers(0, 1 << 30)

    @settings(
        max_examples=CASES, deadline=None, derandomize=CASES < 1000, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        st.binary(max_size=300)
        | st.builds(changed, some, seeds, st.binary(max_size=12))
        | st.builds(changed, some, seeds, st.sampled_from(ODD))
        | st.builds(other_value, some, seeds, ANY_JSON)
    )
    def case(data: bytes) -> None:
        counts["cases"] += 1
        try:
            read(data)
        except ValueError as error:
            counts["failures"] += not is_sentence(error)
            assert is_sentence(error), error
            counts["refused"] += 1
        except BaseException:
            counts["failures"] += 1
            raise
        else:
            counts["read"] += 1

    try:
        case()
    finally:
        record_property("fuzz", counts)
    assert counts["cases"] >= CASES // 2  # hypothesis leaves out what it has drawn before
    assert counts["refused"] or name in READS_ANYTHING
