"""Measure keyed state in Spark: how cost grows with keys and with rows, and what 10⁸ keys would be.

In each micro-batch every key gets so many questions, and the labels of those of the batch before.
CPU seconds are those of Java and of all Python workers. The first micro-batch starts the workers
and is left out. ``--store`` also writes the tables into the book (``book/measured``).
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from sklearn.linear_model import LinearRegression

from companion import Online, PerKey, Static
from companion.lineups import online_line
from companion.scale.keyed import Answer, FittedPerKey, Memory, fit_per_key, update_key
from companion.scale.spark import ANSWER, KeyState, Shipped, answers, columns, local_session, states
from companion.stream import Stream

STORED = Path(__file__).parents[2] / "book" / "measured"
FEATURES = ("a", "b", "c", "d", "e")
SIZES = [(100, 1), (1_000, 1), (10_000, 1), (1_000, 10), (100, 100)]
BATCHES = 4
HOUR = np.datetime64("2024-01-01T00", "us")


@dataclass(frozen=True)
class Cost:
    """What one micro-batch took (medians), and what a key's state takes."""

    keys: int
    rows: int
    seconds: float
    cpu: float
    model_bytes: float
    waiting_bytes: float


def known() -> FittedPerKey:
    """Return a shared line fitted on history, and the pattern of the personal ones."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, len(FEATURES)))
    y = X @ np.arange(len(FEATURES)) + rng.normal(size=500)
    history = Stream("history", X, y, features=FEATURES, key=np.repeat("old", 500))
    strategy = PerKey(Static(LinearRegression()), Online(online_line(0)), after=5)
    return fit_per_key(strategy, history)


def batches(keys: int, each: int) -> Iterator[pd.DataFrame]:
    """Yield the log, micro-batch by micro-batch: labels of the last one, then new questions."""
    rng = np.random.default_rng(1)
    names = np.char.add("key ", np.arange(keys).astype(str))
    for batch in range(BATCHES):
        n = keys * each
        row = batch * n + np.arange(n)
        time = HOUR + np.timedelta64(batch, "h")
        asked = {"key": np.tile(names, each), "row": row, "time": time, "y": np.nan}
        features = dict(zip(FEATURES, rng.normal(size=(len(FEATURES), n)), strict=True))
        parts = [pd.DataFrame(asked | features)]
        if batch:
            labels_seen = {"key": np.tile(names, each), "row": row - n, "time": time}
            parts.insert(0, pd.DataFrame(labels_seen | {"y": rng.normal(size=n)}))
        log = pd.concat(parts, ignore_index=True).reindex(columns=[*asked, *FEATURES])
        log.insert(0, "seq", 2 * n * batch + np.arange(len(log)))
        yield log.sample(frac=1, random_state=batch)


def cpu_seconds() -> float:
    """Return the CPU seconds of Java and of all Python workers so far."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


class InFrames(KeyState):
    """The same state behind Spark's other interface, which hands rows over as pandas frames."""

    def handleInputRows(self, key: tuple, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:
        """Yield the answers as a frame."""
        frame = pd.concat(list(rows)).astype(object)
        before = self.memory.get()
        memory, given = update_key(
            self.shipped.value,
            key[0],
            None if before is None else Memory(*before),
            frame.where(frame.notna(), None).itertuples(index=False, name=None),
        )
        self.memory.update(tuple(memory))
        yield pd.DataFrame(given, columns=Answer._fields)


def in_frames(log: Any, model: FittedPerKey) -> Any:
    """Return the streaming table of answers, by way of pandas frames."""
    shipped = Shipped(log.sparkSession.sparkContext.broadcast(model))
    keyed = log.select("seq", "key", "row", "time", "y", *FEATURES).groupBy("key")
    return keyed.transformWithStateInPandas(InFrames(shipped, None), ANSWER, "Append", "None")


def spark_cost(session: Any, keys: int, each: int, way: Any = answers) -> Cost:
    """Run the log through Spark, one file a micro-batch; return the median micro-batch's cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log").mkdir()
        reader = session.readStream.schema(columns(FEATURES)).parquet(str(folder / "log"))
        writing = way(reader, known()).writeStream.format("parquet")
        writing = writing.option("checkpointLocation", str(folder / "checkpoint"))
        seconds, cpu = [], []
        query = writing.start(str(folder / "answers"))
        for batch, log in enumerate(batches(keys, each)):
            part = folder / f"{batch}.part"
            log.to_parquet(part, index=False)
            before, start = cpu_seconds(), time.perf_counter()
            part.rename(folder / "log" / f"{batch}.parquet")
            query.processAllAvailable()
            seconds.append(time.perf_counter() - start)
            cpu.append(cpu_seconds() - before)
        query.stop()
        means = states(session, folder / "checkpoint").agg(
            {"key": "count", "model_bytes": "avg", "waiting_bytes": "avg"}
        ).collect()[0]  # fmt: skip
        assert means["count(key)"] == keys
        return Cost(
            keys,
            len(log),
            statistics.median(seconds[1:]),
            statistics.median(cpu[1:]),
            means["avg(model_bytes)"],
            means["avg(waiting_bytes)"],
        )


def bare_cost(keys: int, each: int) -> float:
    """Return the CPU seconds of the same micro-batch in one process, with no engine."""
    model, kept, took = known(), {}, []
    for log in batches(keys, each):
        rows = log.astype(object).where(log.notna(), None).itertuples(index=False, name=None)
        groups: dict[str, list] = {}
        for row in rows:
            groups.setdefault(row[1], []).append(row)
        start = time.process_time()
        for key, own in groups.items():
            kept[key], _ = update_key(model, key, kept.get(key), own)
        took.append(time.process_time() - start)
    return statistics.median(took[1:])


def growth(costs: list[Cost], bare: list[float]) -> str:
    """Return how cost grows with keys and rows, as Markdown."""
    lines = [
        "| keys | rows in a micro-batch | seconds | CPU seconds | of these in the companion | "
        "model, bytes a key | waiting, bytes a key |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cost, own in zip(costs, bare, strict=True):
        lines.append(
            f"| {cost.keys:,} | {cost.rows:,} | {cost.seconds:.1f} | {cost.cpu:.1f} | {own:.1f} | "
            f"{cost.model_bytes:,.0f} | {cost.waiting_bytes:,.0f} |"
        )
    return "\n".join([*lines, ""])


def fitted(costs: list[Cost]) -> tuple[float, float, float]:
    """Return CPU seconds a micro-batch, a key and a row, by non-negative least squares."""
    from scipy.optimize import nnls

    A = np.array([[1.0, cost.keys, cost.rows] for cost in costs])
    b = np.array([cost.cpu for cost in costs])
    scale = 1 / b  # every line of the table counts alike
    fixed, per_key, per_row = nnls(A * scale[:, None], b * scale)[0]
    return float(fixed), float(per_key), float(per_row)


def estimate(costs: list[Cost], keys: int = 10**8, headroom: float = 2.0) -> str:
    """Return what an hour of very many keys would take, on paper, as Markdown."""
    fixed, per_key, per_row = fitted(costs)
    busiest = max(costs, key=lambda cost: cost.keys)
    rows = 2 * keys
    hours = (per_key * keys + per_row * rows) / 3600
    size = keys * (busiest.model_bytes + busiest.waiting_bytes)
    lines = [
        "| quantity | figure | how it comes about |",
        "|---|---:|---|",
        f"| CPU a key | {1e6 * per_key:,.0f} µs | fitted to the table above: state in, state out |",
        f"| CPU a row | {1e6 * per_row:,.0f} µs | fitted to the table above: predict or learn |",
        f"| CPU a micro-batch | {fixed:.1f} s | fitted: planning, commit; does not grow |",
        f"| keys | {keys:,} | assumed |",
        f"| rows an hour | {rows:,} | assumed: one question and one label a key and hour |",
        "| micro-batches an hour | 1 | assumed; twelve would cost the keys' share up to twelve "
        "times, but only for keys that have rows in each |",
        f"| work an hour | {hours:,.0f} core hours | keys × CPU a key + rows × CPU a row |",
        f"| cores | {headroom * hours:,.0f} | assumed: {headroom:g} times the work, to catch up "
        "after a stop and to bear uneven keys |",
        f"| state | {size / 1e9:,.0f} GB | keys × bytes a key of the table's largest run, before "
        "RocksDB compresses it |",
        f"| state, each core | {size / 1e9 / (headroom * hours):,.1f} GB | state ÷ cores |",
        f"| written to the checkpoint | {size / 1e6 / 3600:,.0f} MB a second | every key changes "
        "once an hour, and a changed key is written whole |",
        "",
    ]
    return "\n".join(lines)


def interfaces(rows: Cost, frames: Cost) -> str:
    """Return Spark's two Python interfaces side by side, as Markdown."""
    return (
        f"Spark has two interfaces for keyed state in Python. For {rows.keys:,} keys with "
        f"{rows.rows:,} rows, plain rows (`transformWithState`) took {rows.cpu:.1f} CPU seconds a "
        f"micro-batch, and pandas frames (`transformWithStateInPandas`) {frames.cpu:.1f}, "
        f"{frames.cpu / rows.cpu:.1f} times as much. The companion uses rows.\n"
    )


def alone(costs: list[Cost], bare: list[float]) -> str:
    """Return what one process does without any engine, as Markdown."""
    cost, own = max(zip(costs, bare, strict=True), key=lambda pair: pair[0].keys)
    row = own / cost.rows
    size = cost.model_bytes + cost.waiting_bytes
    return (
        f"One process without any engine, which stores each key's state after every second row of "
        f"it, needed {1e6 * row:,.0f} µs of CPU a row: {3600 / row / 1e6:,.0f} million rows an "
        f"hour. A million keys take {size * 1e6 / 1e9:,.1f} GB in this form.\n"
    )


def machine() -> str:
    """Return where and with what this was measured."""
    import pyspark

    return (
        f"Medians of {BATCHES - 1} micro-batches, PySpark {pyspark.__version__} in local mode, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores ({platform.system()} "
        f"{platform.machine()}), which other work was using too ({os.getloadavg()[1]:.1f} "
        "processes were waiting or running on average): read the CPU seconds rather than the "
        "seconds.\n"
    )


def main() -> None:
    """Measure, print, and store if asked to."""
    try:
        session = local_session()
    except RuntimeError as error:
        print(f"bench_spark: {error}")
        return
    costs = [spark_cost(session, *size) for size in SIZES]
    frames = spark_cost(session, *SIZES[2], way=in_frames)
    session.stop()
    bare = [bare_cost(*size) for size in SIZES]
    pages = {
        "spark.md": growth(costs, bare) + "\n" + machine(),
        "spark-alone.md": alone(costs, bare),
        "spark-interfaces.md": interfaces(costs[2], frames),
        "spark-estimate.md": estimate(costs),
    }
    for name, text in pages.items():
        print(text)
        if "--store" in sys.argv:
            STORED.mkdir(exist_ok=True)
            (STORED / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
