"""Measure the package against bare loops, side by side in one run, and print a Markdown table.

Each pair is timed in turn, A B A B …, after one warm-up; the table shows the median of the ratios.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import river
import sklearn
from river import evaluate, linear_model, metrics, preprocessing
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, SGDClassifier

from companion import Online, Scheduled, Static, prequential, streams

RNG = np.random.default_rng(0)


def stream(rows: int, columns: int = 10, classes: bool = False) -> streams.Stream:
    """Return a stream of random rows with a linear rule and noise."""
    X = RNG.normal(size=(rows, columns))
    y = X @ RNG.normal(size=columns) + RNG.normal(size=rows)
    if classes:
        return streams.Stream("bench", X, y > 0, task="classification", classes=("a", "b"))
    return streams.Stream("bench", X, y)


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple:
    """Return the median ratio and the median seconds of both."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return (
        statistics.median(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def static(model: object) -> tuple:
    """Compare Static on a million rows with one call of predict."""
    big = stream(1_000_000)

    def bare() -> None:
        fitted = model.fit(big.X[:20_000], big.y[:20_000])
        fitted.predict(big.X[20_000:])

    return ratio(lambda: prequential(Static(model), big, warmup=20_000), bare, 7)


def scheduled() -> tuple:
    """Compare Scheduled with the loop that one would write by hand."""
    some = stream(50_000)

    def bare() -> None:
        answers = np.empty(len(some))
        for start in range(5_000, len(some), 500):
            known = slice(start - 5_000, start)
            fitted = LinearRegression().fit(some.X[known], some.y[known])
            answers[start : start + 500] = fitted.predict(some.X[start : start + 500])

    strategy = Scheduled(LinearRegression(), every=500, window=5_000)
    return ratio(lambda: prequential(strategy, some, warmup=5_000), bare, 7)


def river_model() -> object:
    """Return River's logistic regression on standardised features."""
    return preprocessing.StandardScaler() | linear_model.LogisticRegression()


def online() -> tuple:
    """Compare Online with the bare loop over the same arrays."""
    some = stream(20_000, classes=True)

    def bare() -> None:
        model, answers = river_model(), []
        for row, label in zip(some.X.tolist(), some.y.tolist(), strict=True):
            x = dict(zip(some.features, row, strict=True))
            answers.append(model.predict_one(x))
            model.learn_one(x, label)

    return ratio(lambda: prequential(Online(river_model()), some, warmup=0), bare, 9)


def against_river() -> tuple:
    """Compare Online with River's own prequential evaluation of the same model."""
    some = stream(20_000, classes=True)

    def theirs() -> None:
        rows = (dict(zip(some.features, row, strict=True)) for row in some.X.tolist())
        pairs = zip(rows, some.y.tolist(), strict=True)
        evaluate.progressive_val_score(pairs, river_model(), metrics.Accuracy())

    return ratio(lambda: prequential(Online(river_model()), some, warmup=0), theirs, 5)


def batches() -> tuple:
    """Compare mini-batches of 100 with learning row by row."""
    some = stream(5_000, classes=True)
    model = SGDClassifier(random_state=0)
    return ratio(
        lambda: prequential(Online(model, batch=100), some, warmup=100),
        lambda: prequential(Online(model), some, warmup=100),
        3,
    )


BENCHES = [
    ("Static, boosting, 1,000,000 rows / one predict", "≤ 1.2",
     lambda: static(HistGradientBoostingRegressor(max_iter=20, random_state=0))),
    ("Static, linear, 1,000,000 rows / one predict", "≤ 1.2", lambda: static(LinearRegression())),
    ("Scheduled / the loop by hand", "≤ 1.1", scheduled),
    ("Online, River model / the bare loop", "≤ 1.05", online),
    ("Online, River model / River's progressive_val_score", "≤ 1", against_river),
    ("Online, SGD in batches of 100 / row by row", "≤ 0.05", batches),
]  # fmt: skip


def main() -> None:
    """Print machine facts and the table."""
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, River {river.__version__}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}\n"
    )
    print("| what | promise | ratio | seconds | seconds of the other |")
    print("|---|---|---|---|---|")
    for name, promise, work in BENCHES:
        got, ours, theirs = work()
        print(f"| {name} | {promise} | {got:.3f} | {ours:.3f} | {theirs:.3f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
