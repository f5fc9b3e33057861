"""What the tests of values share: a small stream, and a strategy led over it in blocks."""

from __future__ import annotations

import copy

import numpy as np

from companion.stream import Stream


def drifting(n: int = 90, classes: int = 0, seed: int = 0) -> Stream:
    """Two columns, a slope that turns round half-way, a day a row, three keys of which one is late.

    Columns are no smaller than 0, so that sums of them grow.
    """
    rng = np.random.default_rng(seed)
    X = rng.exponential(size=(n, 2))
    turn = np.where(np.arange(n) < n // 2, 1.0, -1.0)
    score = turn * (3 * X[:, 0] - X[:, 1]) + 0.2 * rng.normal(size=n)
    time = np.datetime64("2024-01-01", "ns") + np.arange(n) * np.timedelta64(1, "D")
    key = np.array(["ann", "bob", "eve"])[rng.integers(0, 2, n) + (np.arange(n) > n // 2)]
    if not classes:
        return Stream("small", X, score, time=time, key=key)
    codes = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    names = tuple("abc"[:classes])
    return Stream("small", X, codes, task="classification", classes=names, time=time, key=key)


def loss_of(stream: Stream, label: float, answer: float) -> float:
    """Absolute error, or 1 for a wrong class."""
    return abs(label - answer) if stream.task == "regression" else float(label != answer)


def columns_of(strategy, stream: Stream, rows: slice) -> dict[str, np.ndarray]:
    """What a strategy needs to know of some rows besides their features."""
    given = {"row": np.arange(len(stream)), "time": stream.time, "key": stream.key}
    return {name: given[name][rows] for name in strategy.needs}


def started(strategy, stream: Stream, warmup: int):
    """Return a copy that knows the stream's columns and has learnt the warm-up."""
    strategy = strategy.clone()
    strategy.set_schema(stream.features, len(stream.classes))
    rows = slice(0, warmup)
    strategy.fit(stream.X[rows], stream.y[rows], **columns_of(strategy, stream, rows))
    return strategy


def in_blocks(strategy, stream: Stream, warmup: int, size: int) -> tuple[object, dict[int, float]]:
    """Learn labels ``size`` at a time; return the strategy and its answer for the row after each.

    The answers are by row: labels that come together must leave the strategy as labels do that
    come one after the other.
    """
    strategy, answers = started(strategy, stream, warmup), {}
    for first in range(warmup, len(stream) - size, size):
        rows, after = slice(first, first + size), slice(first + size, first + size + 1)
        strategy.learn(stream.X[rows], stream.y[rows], **columns_of(strategy, stream, rows))
        extra = columns_of(strategy, stream, after)
        answers[first + size] = strategy.predict(stream.X[after], **extra)[0]
    return strategy, answers


def one_by_one(strategy, stream: Stream, warmup: int) -> None:
    """Check that many steps in one call give what as many calls give, in whatever order.

    Labels come mixed, and rows are asked for that need not be those just learnt.
    """
    learn = warmup + np.random.default_rng(3).permutation(18)
    ahead = np.repeat([1, 2, 0, 5, 1, 1], 3)  # how many steps later the row is learnt
    ask = learn[(np.arange(18) + ahead) % 18]
    whole, single = (started(strategy, stream, warmup) for _ in range(2))
    extra = columns_of(strategy, stream, slice(None))
    got = whole.learn_and_predict(stream.X, stream.y, learn, ask, **extra)
    expected = []
    for told, asked in zip(learn.tolist(), ask.tolist(), strict=True):
        row, other = slice(told, told + 1), slice(asked, asked + 1)
        single.learn(stream.X[row], stream.y[row], **columns_of(strategy, stream, row))
        answer = single.predict(stream.X[other], **columns_of(strategy, stream, other))
        expected.append(answer[0])
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
    counters = [(s.fits, s.rows_learnt, s.labels_seen, s.events) for s in (whole, single)]
    assert counters[0] == counters[1]


def taught(model, stream: Stream, rows):
    """Return a copy of a River model that has learnt some rows."""
    model = copy.deepcopy(model)
    for row in rows:
        model.learn_one(dict(zip(stream.features, stream.X[row], strict=True)), stream.y[row])
    return model


def said(model, stream: Stream, row: int):
    """Return what a River model says of a row."""
    return model.predict_one(dict(zip(stream.features, stream.X[row], strict=True)))
