"""Test-then-train: what one strategy did on one stream, in time order."""

from __future__ import annotations

import pickle
import time as clock
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from companion.clock import duration
from companion.metrics import LOSSES
from companion.strategies import Strategy
from companion.stream import Stream

BLOCK = 4096


@dataclass(frozen=True)
class Run:
    """What one strategy did on one stream.

    Attributes
    ----------
    stream, strategy : str
        Names.
    first : int
        The first scored row; rows before it were the warm-up.
    y, predictions : ndarray, shape (n - first,)
        Labels and predictions of the scored rows.
    task : {"regression", "classification"}
    time : ndarray of datetime64 or None
        The scored rows' times.
    events : list of (int, str)
        Row before whose prediction something happened, and what.
    cost : dict
        ``fits`` (changes of the model), ``rows_learnt`` (rows it was shown), ``labels_used``,
        ``predictions``, ``model_bytes`` (at the end) and ``cpu_seconds``.
    probabilities : ndarray, shape (n - first, classes), or None
    seed : int or None

    Examples
    --------
    >>> run = Run("toy", "mean", 2, np.array([1.0, 4.0]), np.array([2.0, 2.0]))
    >>> run.loss
    array([1., 2.])
    """

    stream: str
    strategy: str
    first: int
    y: np.ndarray
    predictions: np.ndarray
    task: str = "regression"
    time: np.ndarray | None = None
    events: list[tuple[int, str]] = field(default_factory=list)
    cost: dict[str, float] = field(default_factory=dict)
    probabilities: np.ndarray | None = None
    seed: int | None = None

    @cached_property
    def loss(self) -> np.ndarray:
        """Absolute error (regression) or 0/1 error (classification) of each scored row."""
        return LOSSES[self.task](self.y, self.predictions)


class RunFailed(RuntimeError):
    """A model or strategy raised in mid-stream.

    Attributes
    ----------
    run : Run or None
        What was done before, whole and usable; None if nothing was predicted yet.

    Examples
    --------
    >>> str(RunFailed("Static failed at row 7 of 'toy': ValueError: too hot"))
    "Static failed at row 7 of 'toy': ValueError: too hot"
    """

    run: Run | None = None


def prequential(
    strategy: Strategy,
    stream: Stream,
    *,
    warmup: int | float = 0.2,
    label_delay: int | str | np.ndarray = 0,
    seed: int | None = None,
    name: str | None = None,
    probabilities: bool = False,
    weigh: bool = True,
) -> Run:
    """Evaluate a strategy by test-then-train: predict each row, then let its label arrive.

    Parameters
    ----------
    strategy : Strategy
        It is copied first, so the one you pass stays as it is.
    stream : Stream
    warmup : int or float
        Rows (int) or share of the stream (float below 1) to fit on before the first scored row.
    label_delay : int, str or ndarray
        When a label arrives: rows after its own row; a duration such as ``"2D"`` or ``"12h"``;
        or one arrival time for each row. With 0 or 1 it arrives before the next prediction. A
        label never counts before it has arrived, in the warm-up neither.
    seed : int, optional
        For a model that draws random numbers.
    name : str, optional
        The run's name; the strategy's class if not given.
    probabilities : bool
        For classification: keep each class's probability too; the prediction is the likeliest.
    weigh : bool
        Measure the model's size at the end, which takes a moment for a large forest.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the warm-up leaves nothing to score or has no labels, or a delay is negative.
    RunFailed
        If the model raises; the error holds the run up to there in its attribute ``run``.

    References
    ----------
    Dawid (1984), The prequential approach; Gama, Sebastião and Rodrigues (2013), On evaluating
    stream learning algorithms.

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> run = prequential(Baseline("no-change"), streams.bike_sharing(), warmup=0.2)
    >>> round(run.loss.mean())
    780
    """
    n = len(stream)
    first = warmup_rows(warmup, n)
    order, when = arrivals(stream, label_delay)
    strategy = prepared(strategy, stream, seed)
    known = told = int(np.searchsorted(when, first, side="right"))
    check_start(strategy, first, known)
    started = clock.process_time()
    answers: list[np.ndarray] = []

    def finish(end: int) -> Run:
        """Return the run over the rows before ``end``."""
        given = answers[0] if len(answers) == 1 else np.concatenate(answers)
        check_answers(given, strategy, first, end)
        rows = slice(first, first + len(given))
        happened = [(int(when[known + label - 1]), what) for label, what in strategy.events]
        return Run(
            stream=stream.name,
            strategy=name or type(strategy).__name__,
            first=first,
            y=stream.y[rows],
            predictions=given.argmax(axis=1) if probabilities else given,
            probabilities=given if probabilities else None,
            task=stream.task,
            time=None if stream.time is None else stream.time[rows],
            events=[(first, "fit"), *happened],
            cost={
                "fits": strategy.fits,
                "rows_learnt": strategy.rows_learnt,
                "labels_used": known if strategy.frozen else told,
                "predictions": len(given),
                "model_bytes": model_bytes(strategy) if weigh else -1,
                "cpu_seconds": clock.process_time() - started,
            },
            seed=seed,
        )

    try:
        head: Any = slice(0, known) if isinstance(label_delay, int) else order[:known]
        strategy.fit(stream.X[head], stream.y[head], **asked_for(strategy, stream, head))
        told = advance(
            strategy, stream, order, when, told, first, answers, probabilities=probabilities
        )
    except Exception as error:
        row = first + sum(map(len, answers))
        what = f"{name or type(strategy).__name__} failed at row {row:,} of {stream.name!r}"
        failed = RunFailed(f"{what}: {type(error).__name__}: {error}")
        failed.run = finish(row) if answers else None
        raise failed from error
    return finish(n)


def advance(
    strategy: Strategy,
    stream: Stream,
    order: np.ndarray,
    when: np.ndarray,
    told: int,
    t: int,
    answers: list[np.ndarray],
    *,
    probabilities: bool = False,
    offset: int = 0,
) -> int:
    """Go through the rows from ``t`` on: tell the labels that have arrived, predict, and so on.

    Parameters
    ----------
    strategy : Strategy
        Fitted; it is changed.
    stream : Stream
    order, when : ndarray
        As :func:`arrivals` returns them.
    told : int
        How many labels, in order of arrival, the strategy has been told.
    t : int
        First row to predict.
    answers : list of ndarray
        Predictions are added here, block by block.
    probabilities : bool
    offset : int
        Position of the stream's first row in a longer one.

    Returns
    -------
    int
        How many labels have been told in the end.
    """
    X, y, n = stream.X, stream.y, len(stream)

    def extra(rows: Any) -> dict[str, np.ndarray]:
        return asked_for(strategy, stream, rows, offset)

    latest = latest_times(stream, order) if strategy.due is not None else None
    row_by_row = strategy.horizon == 1 and not probabilities
    while t < n:
        arrived = int(np.searchsorted(when, t, side="right"))
        if arrived > told and not strategy.frozen:
            rows = order[told:arrived]
            strategy.learn(X[rows], y[rows], **extra(rows))
        told = arrived
        stop = block_end(strategy, when, latest, told, t, n)
        rows = slice(t, stop)
        if probabilities:
            answers.append(strategy.predict_proba(X[rows], len(stream.classes), **extra(rows)))
        else:
            answers.append(strategy.predict(X[rows], **extra(rows)))
        t = stop
        if row_by_row:
            t, told = one_by_one(strategy, X, y, order, when, t, told, answers, extra)
    return told


def asked_for(
    strategy: Strategy, stream: Stream, rows: Any, offset: int = 0
) -> dict[str, np.ndarray]:
    """Return what a strategy wants to know of some rows besides their features."""
    columns = {name: table_column(stream, name)[rows] for name in strategy.needs}
    return {name: part + offset if name == "row" else part for name, part in columns.items()}


def check_start(strategy: Strategy, first: int, known: int) -> None:
    """Refuse to start without a label, unless the strategy can."""
    if first and not known:
        raise ValueError(
            f"no label has arrived by the end of the warm-up (row {first}); "
            "make the warm-up longer or the label delay shorter"
        )
    if not first and not strategy.starts_cold:
        raise ValueError(
            f"{type(strategy).__name__} cannot start without a warm-up; "
            "give it at least 1 row (only River models can start cold)"
        )


def prepared(strategy: Strategy, stream: Stream, seed: int | None) -> Strategy:
    """Return an untouched copy of the strategy that fits the stream, or say why there is none."""
    for name in strategy.needs:
        if table_column(stream, name) is None:
            raise ValueError(
                f"{type(strategy).__name__} needs each row's {name}, "
                f"but stream {stream.name!r} has none; give the stream one"
            )
    strategy = strategy.fresh(seed)
    strategy.suit(stream.features, len(stream.classes))
    return strategy


def table_column(stream: Stream, name: str) -> np.ndarray:
    """Return each row's position, time or key."""
    return np.arange(len(stream)) if name == "row" else getattr(stream, name)


def model_bytes(strategy: Strategy) -> int:
    """Return the size of the strategy as it would be stored, in bytes (its pickle)."""
    try:
        return len(pickle.dumps(strategy))
    except Exception:  # a model that cannot be stored has no size to tell
        return -1


def check_answers(given: np.ndarray, strategy: Strategy, first: int, n: int) -> None:
    """Refuse predictions of the wrong number, or that are not finite."""
    name = type(strategy).__name__
    if given.shape[:1] != (n - first,):
        raise ValueError(
            f"{name} gave {given.shape} predictions for {n - first} rows; "
            "predict must return one value for each row"
        )
    if given.dtype.kind == "f" and not (np.isfinite(given.sum()) or np.isfinite(given).all()):
        row = first + int(np.argwhere(~np.isfinite(given))[0][0])
        raise ValueError(
            f"{name} diverged: its prediction for row {row} is not finite; "
            "standardise the features or lower the learning rate"
        )


def latest_times(stream: Stream, order: np.ndarray) -> np.ndarray:
    """Return, for each label in order of arrival, the latest row time told so far."""
    return np.maximum.accumulate(stream.time[order])


def block_end(
    strategy: Strategy,
    when: np.ndarray,
    latest: np.ndarray | None,
    told: int,
    t: int,
    n: int,
) -> int:
    """Return the first row after ``t`` whose prediction may differ from a model kept as it is."""
    last = told + strategy.horizon - 1
    if latest is not None:
        last = min(last, np.searchsorted(latest, strategy.due, side="left"))
    return n if last >= len(when) else max(t + 1, min(n, int(when[int(last)])))


def one_by_one(
    strategy: Strategy,
    X: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    when: np.ndarray,
    t: int,
    told: int,
    answers: list[np.ndarray],
    extra: Any,
) -> tuple[int, int]:
    """Run the steady part of a stream, where one label arrives before each prediction."""
    n = len(X)
    while t < n and told < len(when):
        steps = min(BLOCK, n - t, len(when) - told)
        steady = when[told : told + steps] == np.arange(t, t + steps)
        if not steady[0]:
            break
        steps = int(steady.argmin()) or steps
        later = when[told + steps] if told + steps < len(when) else n
        if later == t + steps - 1:  # a second label arrives with the last one
            steps -= 1
        if steps == 0:
            break
        learn = order[told : told + steps]
        low = int(learn.min())
        part = slice(low, t + steps)
        asked = np.arange(t, t + steps) - low
        found = strategy.learn_and_predict(X[part], y[part], learn - low, asked, **extra(part))
        answers.append(found)
        t, told = t + steps, told + steps
    return t, told


def warmup_rows(warmup: int | float, n: int) -> int:
    """Return the warm-up as a number of rows."""
    if not isinstance(warmup, Real):
        raise ValueError(f"warmup is {warmup!r}; give a number of rows, or a share below 1")
    share = isinstance(warmup, float)
    rows = int(warmup * n) if share else int(warmup)
    if rows < 0 or rows >= n or (share and warmup >= 1):
        raise ValueError(
            f"a warm-up of {warmup} leaves nothing to score in {n} rows; "
            f"give a share below 1 or a number of rows from 0 to {n - 1}"
        )
    return rows


def arrivals(stream: Stream, label_delay: int | str | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order in which labels arrive, and when.

    Returns
    -------
    order : ndarray of int, shape (n,)
        Rows by arrival; labels that arrive together keep their order in the stream.
    when : ndarray of int, shape (n,)
        For each of them, the first row before whose prediction it is known (n or more: after
        the end of the stream). It never falls.

    Examples
    --------
    >>> from companion import streams
    >>> arrivals(streams.bike_sharing().take(slice(0, 4)), 2)
    (array([0, 1, 2, 3]), array([2, 3, 4, 5]))
    """
    n = len(stream)
    if isinstance(label_delay, int | np.integer):
        if label_delay < 0:
            raise ValueError(f"label_delay is {label_delay}; a label cannot arrive before its row")
        late = max(1, int(label_delay))
        count = np.arange(n + late)
        return count[:n], count[late:]
    rows = np.arange(n)
    if stream.time is None:
        raise ValueError(
            f"label_delay is a time, but stream {stream.name!r} has no times; give a number of rows"
        )
    if isinstance(label_delay, str):
        moment = stream.time + duration(label_delay)
    else:
        moment = np.asarray(label_delay, dtype="datetime64[ns]")
        if moment.shape != rows.shape:
            raise ValueError(
                f"label_delay has shape {moment.shape}; give one arrival time for each of "
                f"{len(rows)} rows"
            )
        early = np.flatnonzero(moment < stream.time)
        if len(early):
            raise ValueError(f"label_delay: the label of row {early[0]} arrives before its row")
    arrival = np.maximum(np.searchsorted(stream.time, moment, side="left"), rows + 1)
    order = np.lexsort((rows, moment, arrival))
    return order, arrival[order]
