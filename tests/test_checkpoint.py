"""Checkpoints: killed anywhere and resumed to the same digit; nothing damaged is accepted."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from river import drift
from sklearn.linear_model import LinearRegression, SGDRegressor

from companion import (
    Baseline,
    Blend,
    ChampionChallenger,
    Online,
    Paired,
    PerKey,
    Residual,
    Scheduled,
    Static,
    Strategy,
    Triggered,
    prequential,
    streams,
)
from companion.files import checkpoint as points
from companion.files.checkpoint import BadCheckpoint, load, save
from companion.files.safe import UnsafeFile
from companion.files.seal import seal, unseal
from companion.lineups import online_line
from companion.scale.parts import prequential_in_parts

LINE = LinearRegression()


class Mine(Strategy):
    def fit(self, X, y):
        self.value = y.mean()

    def predict(self, X):
        return np.full(len(X), self.value)


def cut(stream: streams.Stream, size: int = 100) -> list[streams.Stream]:
    return [stream.take(slice(k, k + size)) for k in range(0, len(stream), size)]


def keyed(rows: int = 600) -> streams.Stream:
    made = streams.simulate("abrupt", rows=rows, task="regression", seed=1)
    key = np.array(["ann", "bob", "eve"])[np.arange(rows) % 3]
    time = np.datetime64("2024-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "h")
    return streams.Stream("keyed", made.X, made.y, time=time, key=key)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
@pytest.mark.slow
def test_two_hundred_kills_leave_no_trace(tmp_path):
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "crash.py"), str(tmp_path), "200"],
        capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["kills"] >= 200
    for step in ("half written", "before sync", "after sync", "before rename", "after rename",
                 "folder", "any moment"):  # fmt: skip
        assert found[step] >= 5, found
    for fault in ("differing", "labels", "backwards", "parts left"):
        assert found[fault] == 0, found


@pytest.mark.parametrize(
    "strategy",
    [
        Baseline("no-change"), Baseline("rolling", rows=9), Baseline("seasonal", rows=24),
        Static(LINE), Scheduled(LINE, every=70, window=200), Scheduled(LINE, every="3D"),
        Online(online_line(0)), Online(SGDRegressor(random_state=0), batch=10),
        Triggered(LINE, drift.ADWIN(), window=100), Residual(Static(LINE), Online(online_line(0))),
        Blend({"a": Static(LINE), "b": Online(online_line(0))}),
        PerKey(Static(LINE), Online(online_line(0))), Paired(online_line(0), window=8),
        ChampionChallenger(Static(LINE), Static(LINE), every=90, window=90, shadow=50),
    ],
    ids=lambda s: type(s).__name__,
)  # fmt: skip
def test_every_strategy_resumes_as_if_nothing_had_happened(strategy, tmp_path):
    parts = cut(keyed())
    options = {"warmup": 80, "label_delay": "10h", "seed": 3}
    wanted = list(prequential_in_parts(strategy, parts, **options))
    got = []
    for stop in (2, 2, 9):
        runs = prequential_in_parts(strategy, parts, checkpoint=tmp_path / "c", **options)
        for count, run in enumerate(runs, 1):
            if count > stop:  # the crash: this part was handed out, and is not yet kept
                break
            got.append(run)
    assert [run.first for run in got] == [run.first for run in wanted]
    for one, two in zip(got, wanted, strict=True):
        assert (one.predictions == two.predictions).all()
        assert one.events == two.events
        machine = {"cpu_seconds": 0, "model_bytes": 0}  # pickle shares less after a reload
        assert one.cost | machine == two.cost | machine


def test_a_finished_run_gives_nothing_more(tmp_path):
    for wanted in (6, 0):
        runs = prequential_in_parts(
            Baseline("mean"), cut(keyed()), warmup=80, checkpoint=tmp_path / "c"
        )
        assert len(list(runs)) == wanted


@pytest.mark.parametrize(
    ("parts", "options"),
    [
        (cut(keyed(), 50), {}),
        (cut(streams.simulate(rows=600, task="regression", seed=1)), {}),
        (cut(keyed()), {"warmup": 81}),
        (cut(keyed()), {"label_delay": 3}),
    ],
    ids=["parts", "rows", "warm-up", "delay"],
)
def test_a_checkpoint_of_something_else_is_refused(parts, options, tmp_path):
    first = prequential_in_parts(
        Baseline("mean"), cut(keyed())[:3], warmup=80, checkpoint=tmp_path / "c"
    )
    assert len(list(first)) == 3
    with pytest.raises(BadCheckpoint, match="was made on other rows, parts or options"):
        list(prequential_in_parts(
            Baseline("mean"), parts, **{"warmup": 80, "checkpoint": tmp_path / "c", **options}
        ))  # fmt: skip


def test_a_strategy_of_ones_own_needs_ones_word(tmp_path):
    save(tmp_path / "c", Mine(), 1)
    mine = f"{Mine.__module__}.Mine"
    with pytest.raises(UnsafeFile, match=f"holds {mine}, which is not on the list"):
        load(tmp_path / "c")
    assert isinstance(load(tmp_path / "c", trust=[mine]).strategy, Mine)


def small(folder: Path) -> bytes:
    strategy = Baseline("no-change")
    strategy.fit(np.zeros((2, 1)), np.array([1.0, 3.0]))
    save(folder / "c", strategy, 7)
    return (folder / "c").read_bytes()


def refused(folder: Path, data: bytes) -> str:
    (folder / "c").write_bytes(data)
    with pytest.raises((BadCheckpoint, UnsafeFile)) as labels_seen:
        load(folder / "c")
    message = str(labels_seen.value)
    assert "\n" not in message and message.startswith(str(folder))
    return message


def test_no_cut_or_altered_file_is_accepted(tmp_path):
    data = small(tmp_path)
    for length in range(len(data)):
        refused(tmp_path, data[:length])
    for k in range(len(data)):
        refused(tmp_path, data[:k] + bytes([data[k] ^ 0x41]) + data[k + 1 :])
    refused(tmp_path, data + b"more")


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.binary(max_size=400), st.booleans(), st.integers(0, 1 << 30))
def test_no_bytes_get_through(noise, whole, where):
    with tempfile.TemporaryDirectory() as folder:
        data = small(Path(folder))
        where %= len(data)
        made = noise if whole else data[:where] + noise + data[where + len(noise) + 1 :]
        if made != data:
            refused(Path(folder), made)


def test_other_formats_and_versions_are_refused_with_a_sentence(tmp_path, monkeypatch):
    content = unseal(small(tmp_path), "c")
    for number in (b"0", b"1", b"12", b""):
        other = seal(content.replace(b"format 2", b"format " + number, 1))
        assert f"written in format {number.decode() or '?'}, and this companion reads format 2" in (
            refused(tmp_path, other)
        )
    assert "this is no checkpoint" in refused(tmp_path, seal(b"weights"))
    assert "it carries no seal" in refused(tmp_path, content)
    monkeypatch.setitem(points.MADE_WITH, "River", "0.11.0")
    older = small(tmp_path)
    monkeypatch.undo()
    assert "made with River 0.11.0, and here is 0." in refused(tmp_path, older)


def test_what_cannot_be_stored_is_named(tmp_path):
    strategy = Baseline("mean")
    strategy.secret = lambda: 0
    with pytest.raises(BadCheckpoint, match="the strategy cannot be stored"):
        save(tmp_path / "c", strategy, 0)
    assert list(tmp_path.iterdir()) == []


def still_good(folder: Path) -> None:
    assert load(folder / "c").position == 7
    assert [path.name for path in folder.iterdir()] == ["c"]


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path, monkeypatch):
    small(tmp_path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadCheckpoint, match=r"not written \(No space left on device\)"):
        save(tmp_path / "c", Baseline("mean"), 8)
    still_good(tmp_path)


def test_a_write_that_stops_half_way_leaves_the_last_good_checkpoint(tmp_path):
    resource = pytest.importorskip("resource")
    small(tmp_path)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, old[1]))
    try:
        with pytest.raises(BadCheckpoint, match=r"not written \(File too large\)"):
            save(tmp_path / "c", Baseline("mean"), 8, more=np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    still_good(tmp_path)


def test_a_folder_that_cannot_be_written_to_gives_a_sentence(monkeypatch):
    root = os.geteuid() == 0
    folder, keys = Path(tempfile.mkdtemp(dir="/tmp")), Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("COMPANION_KEY", str(keys / "key"))
    try:
        if root:  # to whom every folder is open
            os.chown(folder, 65534, 65534)
            os.chown(keys, 65534, 65534)
            os.seteuid(65534)
        small(folder)
        folder.chmod(0o555)
        with pytest.raises(BadCheckpoint, match=r"not written \(Permission denied\); the one befo"):
            save(folder / "c", Baseline("mean"), 8)
        still_good(folder)
        (folder / "c").chmod(0)
        with pytest.raises(BadCheckpoint, match=r"cannot be read \(Permission denied\)"):
            load(folder / "c")
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)
        shutil.rmtree(keys)
    with pytest.raises(BadCheckpoint, match="there is no folder"):
        save(folder / "c", Baseline("mean"), 8)


def test_the_whole_equals_the_parts_with_a_checkpoint(tmp_path):
    stream = keyed()
    strategy = Online(online_line(0))
    runs = prequential_in_parts(strategy, cut(stream), warmup=80, checkpoint=tmp_path / "c")
    parts = np.concatenate([run.predictions for run in runs])
    assert (parts == prequential(strategy, stream, warmup=80).predictions).all()
