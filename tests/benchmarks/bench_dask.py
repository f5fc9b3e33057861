"""Measure the grid side by side: one process, joblib's own two, one Dask worker, two.

The same comparison runs on each in turn, A B C D A B C D …, after one warm-up; the clusters are up
before the clock starts. On a machine that others use too, the clock says little; the CPU seconds of
the busiest process are what it would show if each process had a core to itself. ``--store`` also
writes the table into the book (``book/measured``).
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
import psutil
from dask.distributed import Client, LocalCluster
from river import tree

from companion import Comparison, Online, compare, streams

STORED = Path(__file__).parents[2] / "book" / "measured" / "dask.md"
ROUNDS = 3
JOBS = 6


def work(**options: object) -> Comparison:
    """Compare online trees on fifty years of weather."""
    rivals = {
        f"tree {k}": Online(tree.HoeffdingAdaptiveTreeClassifier(seed=k)) for k in range(JOBS)
    }
    return compare(streams.weather(), rivals, seeds=[0], **options)


def on(client: Client) -> Callable[[], Comparison]:
    """Return the work, to be done on a cluster."""

    def there() -> Comparison:
        with joblib.parallel_config("dask", client=client):
            return work()

    return there


def cpu_seconds() -> dict[int, float]:
    """Return the CPU seconds so far of this process and of each that it started."""
    mine = psutil.Process()
    return {p.pid: sum(p.cpu_times()[:2]) for p in [mine, *mine.children(recursive=True)]}


def took(way: Callable[[], Comparison]) -> tuple[float, float]:
    """Return the seconds that a way took, and the CPU seconds of its busiest process."""
    before, start = cpu_seconds(), time.perf_counter()
    way()
    seconds, after = time.perf_counter() - start, cpu_seconds()
    return seconds, max(cpu - before.get(pid, 0.0) for pid, cpu in after.items())


def measured() -> dict[str, list[tuple[float, float]]]:
    """Return what each way took, once a round."""
    with ExitStack() as stack:
        clients = {}
        for workers in (1, 2):
            cluster = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
            )
            clients[workers] = stack.enter_context(Client(cluster, set_as_default=False))
        ways = {
            "one process": lambda: work(n_jobs=1),
            "joblib, 2 processes": lambda: work(n_jobs=2),
            "Dask, 1 worker": on(clients[1]),
            "Dask, 2 workers": on(clients[2]),
        }
        tables = {str(way()) for way in ways.values()}
        assert len(tables) == 1, "every way must give the same table"
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                found[name].append(took(way))
    return found


def table(found: dict[str, list[tuple[float, float]]]) -> str:
    """Return the figures as Markdown."""

    def ratio(a: str, b: str, kind: int) -> str:
        """Return how much less b took than a, by the clock (0) or the busiest process (1)."""
        pairs = zip(found[a], found[b], strict=True)
        return f"{statistics.median(x[kind] / y[kind] for x, y in pairs):.2f}"

    one, two, own = "Dask, 1 worker", "Dask, 2 workers", "joblib, 2 processes"
    lines = [
        "| way | seconds by the clock | speed-up | CPU seconds of the busiest process | speed-up, "
        "a core for each |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, rounds in found.items():
        clock, cpu = (statistics.median(values) for values in zip(*rounds, strict=True))
        speeds = ratio("one process", name, 0), ratio("one process", name, 1)
        lines.append(f"| {name} | {clock:.1f} | {speeds[0]} | {cpu:.1f} | {speeds[1]} |")
    return "\n".join([
        *lines, "",
        f"Medians of {ROUNDS} rounds of {JOBS} runs, each an online tree over "
        f"{len(streams.weather()):,} rows. Two Dask workers against one: {ratio(one, two, 0)} "
        f"times as fast by the clock, {ratio(one, two, 1)} by the busiest process. Two "
        f"Dask workers against joblib's own two processes: {ratio(own, two, 0)} and "
        f"{ratio(own, two, 1)}. "
        f"Measured with Dask {dask.__version__}, joblib {joblib.__version__} and Python "
        f"{platform.python_version()} on {os.cpu_count()} cores ({platform.system()} "
        f"{platform.machine()}); {busy()} processes were waiting or running on average, the "
        "bench's own among them. The busiest process tells what the clock would say if each had a "
        "core to itself.",
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
