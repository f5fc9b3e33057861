"""How long `companion compare` says it will take, against how long it takes, on five sizes.

Run it with ``python -m tests.benchmarks.estimate``; a ratio of 1 is a true estimate.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

from companion.apps.timing import expected_seconds
from companion.rivals import race
from companion.stream import Stream

SIZES = (("classes", 8, 20_000), ("classes", 8, 60_000), ("numbers", 8, 45_000),
         ("numbers", 40, 30_000), ("classes", 3, 150_000))  # fmt: skip


def turning(task: str, columns: int, rows: int) -> Stream:
    """Return a stream whose rule turns slowly."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    y = X[:, 0] + X[:, 1] * np.linspace(1, -1, rows) + rng.normal(size=rows)
    if task == "numbers":
        return Stream("turning", X, y)
    codes = (y > 0).astype(int)
    return Stream("turning", X, codes, task="classification", classes=("no", "yes"))


def main() -> None:
    """Print one line for each size."""
    warnings.simplefilter("ignore")
    print("task     columns     rows    said    took  ratio")
    for task, columns, rows in SIZES:
        stream = turning(task, columns, rows)
        said, _ = expected_seconds(stream, {"warmup": 0.2, "label_delay": 0}, 1)
        started = time.perf_counter()
        race(stream)
        took = time.perf_counter() - started
        print(
            f"{task:8s}{columns:8d}{rows:9,d}{said:7.1f}s{took:7.1f}s{took / said:7.2f}", flush=True
        )


if __name__ == "__main__":
    main()
