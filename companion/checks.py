"""What every strategy promises, one check a promise, also for a strategy of your own."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from companion.evaluation import (
    fit_rows,
    learn_rows,
    predict_rows,
    prepared_copy,
    prequential,
    row_by_row,
)
from companion.strategies import Strategy
from companion.stream import Stream

Build = Callable[[], Strategy]


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


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether predictions are equal, but for the last bits of matrix products."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-9))


def require(holds: bool, sentence: str) -> None:
    """Say in one sentence what is broken, unless it holds."""
    if not holds:
        raise AssertionError(sentence)


def delays(stream: Stream) -> Iterator[Any]:
    """Yield one label delay of each kind: none, rows, a duration, a time for each label."""
    hours = np.random.default_rng(5).integers(0, 200, len(stream)).astype("timedelta64[h]")
    yield from (0, 5, "36h", stream.time + hours)


def check_copies(build: Build, stream: Stream, warmup: int) -> None:
    """Check that an evaluation leaves the strategy as it was.

    Raises
    ------
    AssertionError
        If the evaluation has changed it, or it cannot be stored.
    """
    strategy = build()
    try:
        before = pickle.dumps(strategy)
    except Exception as error:
        raise AssertionError(
            f"the strategy cannot be stored ({error}); "
            "keep no functions made on the spot and no open files in it"
        ) from None
    for delay in delays(stream):
        prequential(strategy, stream, warmup=warmup, label_delay=delay)
    require(
        pickle.dumps(strategy) == before,
        "the evaluation changed the strategy; clone() must return a copy that shares nothing",
    )


def check_blocks(build: Build, stream: Stream, warmup: int) -> None:
    """Check that blocks of rows get the predictions that single rows get.

    Raises
    ------
    AssertionError
        If ``stable_for`` or ``stable_until`` promises too much.
    """
    for delay in delays(stream):
        blocks = prequential(build(), stream, warmup=warmup, label_delay=delay).predictions
        require(
            same(blocks, row_by_row(build(), stream, warmup, delay)),
            "predicting a block differs from predicting row by row; "
            "stable_for must not be larger than the labels after which predictions may change",
        )


def check_no_look_ahead(build: Build, stream: Stream, warmup: int) -> None:
    """Check that the future never changes the past.

    Raises
    ------
    AssertionError
        If predictions change when later rows and labels do.
    """
    cut = len(stream) - 50
    mixed = cut + np.random.default_rng(1).permutation(len(stream) - cut)
    rows = np.r_[:cut, mixed]
    X = stream.X[rows].copy()
    X[cut:] *= 3
    other = replace(stream, X=X, y=stream.y[rows])
    was, now = (
        prequential(build(), each, warmup=warmup, label_delay=5).predictions[: cut - warmup]
        for each in (stream, other)
    )
    require(
        same(was, now),
        "changing later rows changed earlier predictions; "
        "the strategy uses rows or labels that it cannot know yet",
    )


def check_seeds(build: Build, stream: Stream, warmup: int) -> None:
    """Check that the same seed gives the same run.

    Raises
    ------
    AssertionError
        If two runs with one seed differ.
    """
    first, second = (
        prequential(build(), stream, warmup=warmup, seed=3).predictions for _ in range(2)
    )
    require(
        same(first, second),
        "two runs with the same seed differ; pass the seed to every random generator",
    )


def check_storage(build: Build, stream: Stream, warmup: int) -> None:
    """Check that a stored and loaded copy goes on alike.

    Raises
    ------
    AssertionError
        If a copy made by pickle in mid-stream predicts otherwise.
    """
    strategy = prepared_copy(build(), stream, None)
    fit_rows(strategy, stream, slice(0, warmup))
    learn_rows(strategy, stream, slice(warmup, warmup + 25))
    twin, later = pickle.loads(pickle.dumps(strategy)), slice(warmup + 25, len(stream) - 40)
    answers = []
    for each in (strategy, twin):
        learn_rows(each, stream, later)
        answers.append(predict_rows(each, stream, later))
    require(
        same(*answers),
        "a pickled copy in mid-stream predicts differently; keep all state in plain attributes",
    )


CHECKS = (check_copies, check_blocks, check_no_look_ahead, check_seeds, check_storage)


def check_strategy(build: Build, *, classes: int = 0, warmup: int = 60) -> list[str]:
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
    >>> for kept in check_strategy(lambda: Baseline("no-change")):
    ...     print(kept)
    an evaluation leaves the strategy as it was
    blocks of rows get the predictions that single rows get
    the future never changes the past
    the same seed gives the same run
    a stored and loaded copy goes on alike
    """
    stream, kept = toy_stream(classes), []
    for check in CHECKS:
        check(build, stream, warmup)
        kept.append(check.__doc__.splitlines()[0].removeprefix("Check that ").rstrip("."))
    return kept
