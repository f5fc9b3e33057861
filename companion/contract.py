"""What every strategy promises, checked by one call, also for a strategy of your own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from companion.prequential import arrivals, prequential, table_column
from companion.strategies import Strategy
from companion.stream import Stream


def toy_stream(classes: int = 0, rows: int = 160, seed: int = 0) -> Stream:
    """Return a small drifting stream with times and keys, for checks.

    Examples
    --------
    >>> toy_stream(classes=2)
    Stream 'toy': 160 rows × 3 features, classification
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3))
    score = X @ rng.normal(size=3) * np.linspace(1, -1, rows) + 0.3 * rng.normal(size=rows)
    hours = np.cumsum(rng.integers(0, 30, rows)).astype("timedelta64[h]")
    time = np.datetime64("2024-01-01T00", "ns") + hours
    key = rng.choice(["ann", "bob", "eve"], size=rows)
    if not classes:
        return Stream("toy", X, score, time=time, key=key)
    codes = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    names = tuple(f"class {k}" for k in range(classes))
    return Stream("toy", X, codes, task="classification", classes=names, time=time, key=key)


def row_by_row(strategy: Strategy, stream: Stream, warmup: int, label_delay: Any = 0) -> np.ndarray:
    """Return the predictions of the plain loop: one label, one row at a time.

    It is slow and simple; :func:`companion.prequential` must give the same.

    Examples
    --------
    >>> from companion import Baseline
    >>> stream = toy_stream(rows=20)
    >>> row_by_row(Baseline("no-change"), stream, warmup=10)[:3] == stream.y[9:12]
    array([ True,  True,  True])
    """
    order, when = arrivals(stream, label_delay)
    strategy = copy.deepcopy(strategy)
    strategy.suit(stream.features, len(stream.classes))

    def extra(rows: Any) -> dict[str, np.ndarray]:
        return {name: table_column(stream, name)[rows] for name in strategy.needs}

    head = order[when <= warmup]
    strategy.fit(stream.X[head], stream.y[head], **extra(head))
    told, answers = len(head), []
    for t in range(warmup, len(stream)):
        while told < len(when) and when[told] <= t:
            row = order[told : told + 1]
            strategy.learn(stream.X[row], stream.y[row], **extra(row))
            told += 1
        asked = slice(t, t + 1)
        answers.append(strategy.predict(stream.X[asked], **extra(asked))[0])
    return np.array(answers)


def same(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether predictions are equal, but for the last bits of matrix products."""
    return one.shape == two.shape and bool(np.allclose(one, two, rtol=1e-9, atol=1e-9))


def check_strategy(
    build: Callable[[], Strategy], *, classes: int = 0, warmup: int = 60
) -> list[str]:
    """Check what every strategy promises.

    Parameters
    ----------
    build : callable
        Returns a new strategy; a class that needs no arguments will do.
    classes : int
        0 checks on numbers, 2 or more on that many classes.
    warmup : int
        Rows to fit on, of 160.

    Returns
    -------
    list of str
        What was kept.

    Raises
    ------
    AssertionError
        One sentence on the first promise that is broken.

    Examples
    --------
    >>> from companion import Baseline
    >>> len(check_strategy(lambda: Baseline("no-change")))
    5
    """
    stream, kept = toy_stream(classes), []
    hours = np.random.default_rng(5).integers(0, 200, len(stream)).astype("timedelta64[h]")

    def promise(holds: bool, kept_words: str, broken: str) -> None:
        if not holds:
            raise AssertionError(broken)
        kept.append(kept_words)

    strategy = build()
    try:
        before = pickle.dumps(strategy)
    except Exception as error:
        raise AssertionError(
            f"the strategy cannot be stored ({error}); "
            "keep no functions made on the spot and no open files in it"
        ) from None
    runs = {
        delay: prequential(strategy, stream, warmup=warmup, label_delay=delay).predictions
        for delay in (0, 5, "36h")
    }
    promise(
        pickle.dumps(strategy) == before,
        "an evaluation leaves the strategy as it was",
        "the evaluation changed the strategy; fresh() must return a copy that shares nothing",
    )
    runs["late"] = prequential(
        strategy, stream, warmup=warmup, label_delay=stream.time + hours
    ).predictions
    delays = {0: 0, 5: 5, "36h": "36h", "late": stream.time + hours}
    promise(
        all(
            same(runs[name], row_by_row(build().fresh(), stream, warmup, delay))
            for name, delay in delays.items()
        ),
        "blocks of rows get the predictions that single rows get",
        "predicting a block differs from predicting row by row; "
        "horizon must not be larger than the labels after which predictions may change",
    )
    cut = 110
    mixed = cut + np.random.default_rng(1).permutation(len(stream) - cut)
    rows = np.r_[:cut, mixed]
    X, y = stream.X[rows].copy(), stream.y[rows]
    X[cut:] *= 3
    other = Stream(
        "other", X, y, task=stream.task, classes=stream.classes, time=stream.time, key=stream.key
    )
    changed = prequential(build(), other, warmup=warmup, label_delay=5).predictions
    promise(
        same(runs[5][: cut - warmup], changed[: cut - warmup]),
        "the future never changes the past",
        "changing later rows changed earlier predictions; "
        "the strategy uses rows or labels that it cannot know yet",
    )
    seeds = [prequential(build(), stream, warmup=warmup, seed=3).predictions for _ in range(2)]
    promise(
        same(*seeds),
        "the same seed gives the same run",
        "two runs with the same seed differ; pass the seed to every random generator",
    )
    promise(
        goes_on_alike(build().fresh(), stream, warmup),
        "a stored and loaded copy goes on alike",
        "a pickled copy in mid-stream predicts differently; keep all state in plain attributes",
    )
    return kept


def goes_on_alike(strategy: Strategy, stream: Stream, warmup: int) -> bool:
    """Whether a copy made by pickle in mid-stream predicts as the original does."""
    strategy.suit(stream.features, len(stream.classes))

    def extra(rows: slice) -> dict[str, np.ndarray]:
        return {name: table_column(stream, name)[rows] for name in strategy.needs}

    head, some, more = slice(0, warmup), slice(warmup, warmup + 25), slice(warmup + 25, 120)
    strategy.fit(stream.X[head], stream.y[head], **extra(head))
    strategy.learn(stream.X[some], stream.y[some], **extra(some))
    twin = pickle.loads(pickle.dumps(strategy))
    answers = []
    for each in (strategy, twin):
        each.learn(stream.X[more], stream.y[more], **extra(more))
        answers.append(each.predict(stream.X[more], **extra(more)))
    return same(*answers)
