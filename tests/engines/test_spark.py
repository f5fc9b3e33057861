"""PerKey on a real Spark, in real processes: equal to the single process, also after kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from companion import Baseline, Online, PerKey, Static, prequential, streams
from companion.lineups import online_line
from companion.scale.keyed import fit_per_key, log_of
from companion.scale.spark import answers, columns, local_session, states

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "book" / "examples" / "keys_on_spark.py"
VISITS = streams.liver()
FIRST = 500


@pytest.fixture(scope="module")
def spark():
    session = local_session(cores=2)
    yield session
    session.stop()


def write_log(log: pd.DataFrame, folder: Path, parts: int) -> list[Path]:
    """Write a log as files for a streaming reader, the rows of each shuffled."""
    folder.mkdir(parents=True)
    paths = []
    for part, rows in enumerate(np.array_split(np.arange(len(log)), parts)):
        mixed = np.random.default_rng(part).permutation(rows)
        paths.append(folder / f"{part:03d}.parquet")
        log.iloc[mixed].to_parquet(paths[-1], index=False)
        os.utime(paths[-1], (1e9 + part, 1e9 + part))  # the reader goes by the files' age
    return paths


def read_answers(spark, folder: Path) -> pd.DataFrame:
    """Return what was committed; Spark knows which files those are."""
    rows = spark.read.parquet(str(folder)).collect()
    return pd.DataFrame([row.asDict() for row in rows]).set_index("row").sort_index()


def assert_equal_for_every_key(found: pd.DataFrame, run, stream) -> None:
    scored = found.loc[run.first :]
    assert scored.index.tolist() == list(range(run.first, len(stream)))
    for key in np.unique(stream.key):
        own = np.flatnonzero(np.asarray(stream.key)[run.first :] == key)
        np.testing.assert_allclose(
            scored.prediction.to_numpy()[own], run.predictions[own], rtol=1e-9, atol=1e-9,
            err_msg=f"key {key}",
        )  # fmt: skip


def test_killed_in_the_middle_the_books_example_goes_on_from_its_checkpoint(spark, tmp_path):
    turbines = streams.wind_turbines().take(slice(0, 4_000))
    log = log_of(turbines, warmup=2_000, label_delay="6h")
    write_log(log, tmp_path / "log", parts=5)
    command = [sys.executable, str(EXAMPLE), str(tmp_path)]
    first = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    commits = tmp_path / "answers" / "_spark_metadata"
    deadline = time.monotonic() + 300
    while not (commits / "1").exists():
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    done = len(read_answers(spark, tmp_path / "answers"))
    assert 0 < done < len(turbines) - 2_000

    again = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr[-2000:]
    found = read_answers(spark, tmp_path / "answers")
    strategy = PerKey(Static(LinearRegression()), Online(online_line(0)), after=24)
    run = prequential(strategy, turbines, warmup=2_000, label_delay="6h")
    assert found.problem.isna().all()
    assert_equal_for_every_key(found, run, turbines)


def visits_strategy() -> PerKey:
    return PerKey(Static(LinearRegression()), Online(online_line(0)), after=3)


def ask(spark, folder: Path, known, **options) -> None:
    """Answer all that is in the folder's log."""
    log = spark.readStream.schema(columns(known.features)).option("maxFilesPerTrigger", 1)
    table = answers(log.parquet(str(folder / "log")), known, **options)
    query = (
        table.writeStream.format("parquet")
        .option("checkpointLocation", str(folder / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(folder / "answers"))
    )
    query.awaitTermination()


def poisoned(log: pd.DataFrame) -> pd.DataFrame:
    """Return rows that no model can use, in the middle of a log."""
    start = log.seq.iloc[len(log) // 3]
    bad = log[log.y.isna()].iloc[:4].copy()
    bad["seq"] = start + np.array([0.2, 0.4, 0.6, 0.8])
    bad["row"] = [900_001, 900_002, 900_003, 900_004]
    bad.loc[bad.index[0], "albumin"] = np.nan
    bad.loc[bad.index[1], "ast"] = np.inf
    bad.loc[bad.index[2], "key"] = None
    bad.loc[bad.index[3], "y"] = 1.0
    whole = pd.concat([log, bad]).sort_values("seq", kind="stable")
    return whole.assign(seq=np.arange(len(whole)))


@pytest.fixture(scope="module")
def hospital(spark, tmp_path_factory):
    """312 patients: poisoned rows in the log, and the query stopped and started again between."""
    folder = tmp_path_factory.mktemp("hospital")
    known = fit_per_key(visits_strategy(), VISITS, warmup=FIRST, label_delay="30D")
    log = poisoned(log_of(VISITS, warmup=FIRST, label_delay="30D"))
    later = write_log(log, folder / "log", parts=4)[2:]
    for path in later:
        shutil.move(path, folder / path.name)
    ask(spark, folder, known)
    halfway = len(read_answers(spark, folder / "answers"))
    for path in later:
        shutil.move(folder / path.name, path)
    ask(spark, folder, known)
    return folder, known, halfway


def test_every_patient_gets_what_the_single_process_gives_also_after_a_stop(spark, hospital):
    folder, _, halfway = hospital
    found = read_answers(spark, folder / "answers")
    assert FIRST < halfway < len(found)
    run = prequential(visits_strategy(), VISITS, warmup=FIRST, label_delay="30D")
    assert_equal_for_every_key(found[found.problem.isna()], run, VISITS)


def test_poisoned_rows_are_set_aside_with_one_sentence_and_the_query_goes_on(spark, hospital):
    found = read_answers(spark, hospital[0] / "answers")
    aside = found[found.problem.notna()]
    assert aside.prediction.isna().all()
    assert aside.problem.tolist() == [
        "row 900001: feature 'albumin' is empty; fill it in and send the row again",
        "row 900002: feature 'ast' is inf, no number; mend it and send the row again",
        "row 900003: key is empty; fill it in and send the row again",
        "row 900004: no question waits for this label: told before, too old, or never asked",
    ]


def test_the_checkpoint_tells_what_it_holds_of_each_key(spark, hospital):
    folder, known, _ = hospital
    kept = {row.key: row for row in states(spark, folder / "checkpoint").collect()}
    log = log_of(VISITS, warmup=FIRST, label_delay="30D")
    labels_seen = log[log.y.notna()].groupby("key").size()
    assert len(kept) == log.key.nunique()
    for key, row in kept.items():
        before = known.personal[key].labels_seen if key in known.personal else 0
        assert row.labels_seen == before + labels_seen.get(key, 0), key
        assert (row.model_bytes > 0) == (row.labels_seen > 0) and row.waiting_bytes > 0


def test_a_log_without_a_column_gets_one_sentence(spark, hospital):
    known = hospital[1]
    table = spark.createDataFrame([(1, "ann")], "seq BIGINT, key STRING")
    with pytest.raises(ValueError, match="the log has no column 'row', 'time', 'y', 'age', "):
        answers(table, known)


def test_no_java_gets_one_sentence(monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="Spark needs Java 17 or later, and none was found; "):
        local_session()


def test_a_checkpoint_of_another_model_stops_the_query_with_one_sentence(spark, hospital):
    folder = hospital[0]
    shutil.copy(folder / "log" / "003.parquet", folder / "log" / "004.parquet")
    other = PerKey(Static(LinearRegression()), Baseline("no-change"))
    with pytest.raises(Exception, match="was made for other features or another personal model"):
        ask(spark, folder, fit_per_key(other, VISITS, warmup=FIRST, label_delay="30D"))
