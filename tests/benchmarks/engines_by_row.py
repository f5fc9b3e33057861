"""The same models, row by row, in River, Vowpal Wabbit and CapyMOA: CPU seconds and errors.

Each engine tests and then trains on the same rows in its own loop, in turn, after one round that
is thrown away (Java compiles in it). Vowpal Wabbit and CapyMOA are no dependencies: pip fetches
them into a temporary folder. CapyMOA needs Java 17.

    python tests/benchmarks/engines_by_row.py    # writes engines.csv, which the book's page shows
"""

from __future__ import annotations

import csv
import os
import site
import statistics
import subprocess
import sys
import tempfile
import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from river import forest, linear_model, optim, preprocessing, tree

from companion import streams
from companion.models import as_dicts
from companion.stream import Stream

TABLE = Path(__file__).parent / "engines.csv"
ROWS, ROUNDS = 2_000, 3
FETCHED = ("capymoa", "vowpalwabbit", "jpype1", "deprecated", "wrapt", "seaborn", "cloudpickle")


def fetch() -> None:
    """Make the two engines importable, behind all that is installed."""
    folder = Path(tempfile.gettempdir()) / "companion-engines-data"
    if not (folder / "capymoa").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        subprocess.run([*command, str(folder), *FETCHED], check=True)
    site.addsitedir(str(folder))


def river_model(model: str, numbers: bool, seed: int) -> Any:
    """Return a model of River."""
    if model == "line":
        scale = preprocessing.StandardScaler()
        if not numbers:
            return scale | linear_model.LogisticRegression()
        line = linear_model.LinearRegression(optim.SGD(0.01), intercept_lr=0.03)
        return scale | preprocessing.TargetStandardScaler(line)
    if model == "Hoeffding tree":
        return tree.HoeffdingTreeRegressor() if numbers else tree.HoeffdingTreeClassifier()
    kind = forest.ARFRegressor if numbers else forest.ARFClassifier
    return kind(n_models=10, seed=seed)


def by_river(model: str, stream: Stream, seed: int) -> np.ndarray:
    """Return River's answers, each given before its label was seen."""
    learner, said = river_model(model, stream.task == "regression", seed), []
    rows = as_dicts(stream.X, list(stream.features))
    for x, y in zip(rows, stream.y.tolist(), strict=True):
        said.append(learner.predict_one(x))
        learner.learn_one(x, y)
    return np.array([0 if each is None else each for each in said], float)


def by_wabbit(model: str, stream: Stream, seed: int) -> np.ndarray:
    """Return Vowpal Wabbit's answers; its line scales features and rates by itself."""
    from vowpalwabbit import Workspace

    numbers, said = stream.task == "regression", []
    wabbit = Workspace("--quiet" if numbers else "--quiet --loss_function logistic")
    rows = zip(stream.X.tolist(), stream.y.tolist(), strict=True)
    for x, y in rows:
        features = " ".join(f"{name}:{value!r}" for name, value in enumerate(x))
        example = wabbit.example(f"{y if numbers else 2 * y - 1} | {features}")
        said.append(wabbit.predict(example))
        wabbit.learn(example)
        wabbit.finish_example(example)
    wabbit.finish()
    return np.array(said) if numbers else (np.array(said) > 0).astype(float)


def by_capymoa(model: str, stream: Stream, seed: int) -> np.ndarray:
    """Return CapyMOA's answers, from its own test-then-train loop."""
    from capymoa import classifier, regressor
    from capymoa.evaluation import prequential_evaluation
    from capymoa.stream import NumpyStream

    numbers = stream.task == "regression"
    kind = "numeric" if numbers else "categorical"
    rows = NumpyStream(stream.X, stream.y, target_type=kind)
    names = {
        ("Hoeffding tree", False): (classifier.HoeffdingTree, {}),
        ("Hoeffding tree", True): (regressor.FIMTDD, {}),
        ("adaptive forest", False): (
            classifier.AdaptiveRandomForestClassifier,
            {"ensemble_size": 10, "random_seed": seed},
        ),
        ("adaptive forest", True): (
            regressor.AdaptiveRandomForestRegressor,
            {"ensemble_size": 10, "random_seed": seed},
        ),
    }
    build, options = names[model, numbers]
    learner = build(schema=rows.get_schema(), **options)
    run = prequential_evaluation(rows, learner, store_predictions=True)
    return np.array([0 if each is None else each for each in run.predictions()], float)


ENGINES: dict[str, Callable[[str, Stream, int], np.ndarray]] = {
    "River": by_river, "Vowpal Wabbit": by_wabbit, "CapyMOA": by_capymoa,
}  # fmt: skip
MODELS = {
    "line": ("River", "Vowpal Wabbit"),
    "Hoeffding tree": ("River", "CapyMOA"),
    "adaptive forest": ("River", "CapyMOA"),
}


def error(stream: Stream, said: np.ndarray) -> float:
    """Return the mean absolute error, or the share of wrong classes."""
    wrong = np.abs(stream.y - said) if stream.task == "regression" else stream.y != said
    return float(wrong.mean())


def measure(model: str, stream: Stream) -> list[dict[str, Any]]:
    """Return one row of the table for each engine that has the model."""
    seconds: dict[str, list[float]] = {engine: [] for engine in MODELS[model]}
    errors: dict[str, list[float]] = {engine: [] for engine in MODELS[model]}
    for seed in range(ROUNDS + 1):
        for engine in MODELS[model]:
            began = clock.process_time()
            said = ENGINES[engine](model, stream, seed)
            took = clock.process_time() - began
            if seed:  # the first round warms up
                seconds[engine].append(took)
                errors[engine].append(error(stream, said))
    what = "mean absolute error" if stream.task == "regression" else "error rate"
    return [
        {
            "model": model,
            "stream": f"{stream.name}, {what}",
            "engine": engine,
            "CPU seconds": spread(seconds[engine], ".2f"),
            "River takes so many times as long": spread(
                [a / b for a, b in zip(seconds["River"], seconds[engine], strict=True)], ".1f"
            ),
            "error": spread(errors[engine], ".4g"),
        }
        for engine in MODELS[model]
    ]


def spread(values: list[float], form: str) -> str:
    """Return the median, and the range if there is one to see.

    Examples
    --------
    >>> spread([3.0, 1.0, 2.0], ".1f"), spread([2.0, 2.0, 2.0], ".4g")
    ('2.0 (1.0 to 3.0)', '2')
    """
    middle, low, high = (
        format(each, form) for each in (statistics.median(values), min(values), max(values))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def newest(name: str) -> Stream:
    """Return the newest rows of one of the book's streams."""
    whole = streams.load(name)
    return whole.take(slice(len(whole) - ROWS, len(whole)), name)


def main() -> int:
    """Measure all, print the table, and write it."""
    fetch()
    rows: list[dict[str, Any]] = []
    for name in ("weather", "wind_turbines"):
        stream = newest(name)
        for model in MODELS:
            found = measure(model, stream)
            rows += found
            for row in found:
                print(*row.values(), sep=" | ", flush=True)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
