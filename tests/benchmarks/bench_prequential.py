"""Measure the package side by side with bare loops and peers, and print Markdown tables.

Each pair is timed in turn, A B B A …, after one warm-up; the tables show the median of the ratios
and their range, so that one noisy round decides nothing.
CapyMOA takes part if it is installed (``pip install capymoa`` and Java 17); it is no dependency.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import river
import sklearn
from river import evaluate, forest, linear_model, metrics, naive_bayes, preprocessing, tree
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, SGDClassifier

from companion import Online, Scheduled, Static, prequential, streams
from companion.lineups import online_line
from companion.rivals import race
from companion.scale.parts import prequential_in_parts
from companion.streams.tables import read_parts

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


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call, which others on the machine change little."""
    start = time.process_time()
    work()
    return time.process_time() - start


def ratio(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple:
    """Return the ratios of CPU seconds in order, and the median CPU seconds of both."""
    ours(), theirs()
    pairs = []
    for k in range(repeats):  # whoever comes second gains or loses by turns
        if k % 2:
            second = cpu_seconds(theirs)
            pairs.append((cpu_seconds(ours), second))
        else:
            pairs.append((cpu_seconds(ours), cpu_seconds(theirs)))
    return (
        sorted(a / b for a, b in pairs),
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

    return ratio(lambda: prequential(Online(river_model()), some, warmup=0), bare, 15)


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


def memory() -> None:
    """Print peak memory as a stream read from disk grows tenfold."""
    print("| strategy, stream from disk | rows | peak MB | µs a row |")
    print("|---|---|---|---|")
    for name, build in (
        ("Online, River line", lambda: Online(online_line(0))),
        ("Scheduled, every 5,000 on 20,000",
         lambda: Scheduled(LinearRegression(), every=5_000, window=20_000)),
    ):  # fmt: skip
        for rows in (40_000, 400_000):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "long.csv"
                write_table(path, rows)
                peak = peak_megabytes(lambda: run_from_disk(build(), path))  # noqa: B023
                took = seconds(lambda: run_from_disk(build(), path))  # noqa: B023
            print(f"| {name} | {rows:,} | {peak:.1f} | {1e6 * took / rows:.1f} |")


def write_table(path: Path, rows: int) -> None:
    """Write a CSV of random rows, part by part."""
    with path.open("w") as file:
        file.write("a,b,c,d,y\n")
        for start in range(0, rows, 10_000):
            part = np.random.default_rng(start).normal(size=(min(10_000, rows - start), 5))
            np.savetxt(file, part, fmt="%.5f", delimiter=",")


def run_from_disk(strategy: object, path: Path) -> float:
    """Return the mean loss of a strategy on a table read in parts."""
    parts = prequential_in_parts(strategy, read_parts(path, "y", rows=10_000), warmup=2_000)
    total, count = 0.0, 0
    for run in parts:
        total, count = total + run.loss.sum(), count + len(run.loss)
    return total / count


def peak_megabytes(work: Callable[[], object]) -> float:
    """Return the most memory that Python and NumPy held during a call."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def whole_comparison() -> None:
    """Print the seconds of the whole line-up on 45,000 rows of 8 features."""
    some = stream(45_000, columns=8, classes=True)
    took = seconds(lambda: race(some, n_jobs=-1))
    print(f"the whole line-up, 45,000 × 8: {took:.1f} s (≤ 180 s)")


def peers() -> None:
    """Print rows a second and accuracy of the same models in the companion, River and CapyMOA."""
    some = stream(10_000, classes=True)
    models = {
        "naive Bayes": (naive_bayes.GaussianNB, "NaiveBayes", {}, len(some)),
        "Hoeffding tree": (tree.HoeffdingTreeClassifier, "HoeffdingTree", {}, len(some)),
        "adaptive forest, 10 trees": (
            lambda: forest.ARFClassifier(n_models=10, seed=1),
            "AdaptiveRandomForestClassifier", {"ensemble_size": 10}, 5_000,
        ),
    }  # fmt: skip
    print("| model | companion, rows/s | River, rows/s | CapyMOA, rows/s | accuracies |")
    print("|---|---|---|---|---|")
    for name, (build, theirs, options, rows) in models.items():
        part = some.take(slice(0, rows))
        found: list[float] = []

        def ours(part: streams.Stream = part, build: Callable = build, found: list = found) -> None:
            run = prequential(Online(build()), part, warmup=0, measure_size=False)
            found[:] = [float((run.loss == 0).mean())]

        scored: list[float] = []

        def rivers(
            part: streams.Stream = part, build: Callable = build, scored: list = scored
        ) -> None:
            pairs = zip(
                (dict(zip(part.features, row, strict=True)) for row in part.X.tolist()),
                part.y.tolist(),
                strict=True,
            )
            metric = evaluate.progressive_val_score(pairs, build(), metrics.Accuracy())
            scored[:] = [metric.get()]

        _, a, b = ratio(ours, rivers, 3)
        third, moa = capymoa(part, theirs, options)
        print(
            f"| {name} | {rows / a:,.0f} | {rows / b:,.0f} | {third} | "
            f"{found[0]:.4f}, {scored[0]:.4f}{moa} |"
        )


def capymoa(part: streams.Stream, name: str, options: dict) -> tuple[str, str]:
    """Return CapyMOA's rows a second and accuracy, if it is here."""
    try:
        from capymoa import classifier
        from capymoa.evaluation import prequential_evaluation
        from capymoa.stream import NumpyStream
    except Exception as error:
        return f"not here ({type(error).__name__})", ""
    best, accuracy = float("inf"), 0.0
    for _ in range(3):
        data = NumpyStream(part.X, part.y, target_type="categorical")
        learner = getattr(classifier, name)(schema=data.get_schema(), **options)
        start = time.perf_counter()
        accuracy = prequential_evaluation(data, learner).running_mean.accuracy()
        best = min(best, time.perf_counter() - start)
    return f"{len(part) / best:,.0f}", f", {accuracy / 100:.4f}"


def main() -> None:
    """Print machine facts and the table."""
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, River {river.__version__}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}\n"
    )
    print("| what | promise | median ratio | range | CPU seconds | of the other |")
    print("|---|---|---|---|---|---|")
    for name, promise, work in BENCHES:
        rounds, ours, theirs = work()
        spread = f"{statistics.median(rounds):.3f} | {rounds[0]:.3f} to {rounds[-1]:.3f}"
        print(f"| {name} | {promise} | {spread} | {ours:.3f} | {theirs:.3f} |")
        sys.stdout.flush()
    print()
    memory()
    print()
    whole_comparison()
    print()
    peers()


if __name__ == "__main__":
    main()
