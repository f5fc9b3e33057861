"""Measure the grid side by side: one process, joblib's own two, one Dask worker, two.

The same comparison runs on each in turn, A B C D A B C D …, after one warm-up; the clusters are up
before the clock starts. ``--store`` also writes the table into the book (``book/measured``).
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import dask
import joblib
from dask.distributed import Client, LocalCluster
from river import tree

from companion import Comparison, Online, compare, streams

STORED = Path(__file__).parents[2] / "book" / "measured" / "dask.md"
ROUNDS = 3
JOBS = 8


def work(**options: object) -> Comparison:
    """Compare eight online trees on fifty years of weather."""
    rivals = {
        f"tree {k}": Online(tree.HoeffdingAdaptiveTreeClassifier(grace_period=50 + 50 * k, seed=k))
        for k in range(JOBS)
    }
    return compare(streams.weather(), rivals, **options)


def on(client: Client) -> Callable[[], Comparison]:
    """Return the work, to be done on a cluster."""

    def there() -> Comparison:
        with joblib.parallel_config("dask", client=client):
            return work()

    return there


def measured() -> dict[str, list[float]]:
    """Return the seconds of each way, one a round."""
    with ExitStack() as stack:
        clients = {}
        for workers in (1, 2):
            cluster = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            )
            clients[workers] = stack.enter_context(Client(cluster, set_as_default=False))
        ways = {
            "one process": lambda: work(n_jobs=1),
            "joblib, 2 processes": lambda: work(n_jobs=2),
            "Dask, 1 worker": on(clients[1]),
            "Dask, 2 workers": on(clients[2]),
        }
        expected = str(work(n_jobs=1))
        for way in ways.values():
            assert str(way()) == expected, "every way must give the same table"
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                start = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - start)
    return seconds


def table(seconds: dict[str, list[float]]) -> str:
    """Return the figures as Markdown."""

    def ratio(a: str, b: str) -> float:
        pairs = zip(seconds[a], seconds[b], strict=True)
        return statistics.median(x / y for x, y in pairs)

    lines = ["| way | median seconds | times as fast as one process |", "|---|---:|---:|"]
    for name, values in seconds.items():
        speed = ratio("one process", name)
        lines.append(f"| {name} | {statistics.median(values):.1f} | {speed:.2f} |")
    rows = len(streams.weather())
    return "\n".join([
        *lines, "",
        f"{JOBS} runs of an online tree over {rows:,} rows each, {ROUNDS} rounds. Two Dask workers "
        f"are {ratio('Dask, 1 worker', 'Dask, 2 workers'):.2f} times as fast as one, and "
        f"{ratio('joblib, 2 processes', 'Dask, 2 workers'):.2f} times as fast as joblib's own two "
        f"processes. Measured with Dask {dask.__version__}, joblib {joblib.__version__} and Python "
        f"{platform.python_version()} on {os.cpu_count()} cores ({platform.system()} "
        f"{platform.machine()}), "
        f"which other work was using too: {busy()} processes were waiting or running on average.",
        "",
    ])  # fmt: skip


def busy() -> str:
    """Return the load average of the last five minutes."""
    return f"{os.getloadavg()[1]:.1f}"


def main() -> None:
    """Measure, print, and store if asked to."""
    text = table(measured())
    print(text)
    if "--store" in sys.argv:
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
