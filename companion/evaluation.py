"""Test-then-train: what one strategy did on one stream, in time order.

The plain loop comes first: it says what an evaluation *means*. What follows gives the same
predictions, quicker: rows between two changes of a model are predicted in one block.
"""

from __future__ import annotations

import pickle
import re
import time as clock
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from companion.metrics import LOSSES
from companion.strategies import Strategy
from companion.stream import Stream, duration

BLOCK = 4096
COSTS = ("fits", "rows_learnt", "labels_used", "model_bytes", "cpu_seconds")  # of every run


def row_by_row(
    strategy: Strategy, stream: Stream, warmup: int, label_delay: int | str | np.ndarray = 0
) -> np.ndarray:
    """Evaluate by the plain loop: learn the labels that have arrived, then predict one row.

    Parameters
    ----------
    strategy : Strategy
        It is copied first.
    stream : Stream
    warmup : int
        Rows to fit on.
    label_delay : int, str or ndarray
        As for :func:`prequential`.

    Returns
    -------
    ndarray, shape (len(stream) - warmup,)
        One prediction for each row after the warm-up.

    Examples
    --------
    It gives what River's own loop gives:

    >>> from companion import Online, streams
    >>> from river import evaluate, linear_model, metrics
    >>> toy = streams.simulate(rows=300, task="regression")
    >>> ours = row_by_row(Online(linear_model.LinearRegression()), toy, warmup=0)
    >>> pairs = [(dict(zip(toy.features, x)), y) for x, y in zip(toy.X.tolist(), toy.y.tolist())]
    >>> steps = evaluate.iter_progressive_val_score(
    ...     pairs, linear_model.LinearRegression(), metrics.MAE(), yield_predictions=True
    ... )
    >>> [step["Prediction"] for step in steps] == ours.tolist()
    True
    """
    strategy = prepared_copy(strategy, stream, None)
    order, known_from = arrivals(stream, label_delay)
    seen = int((known_from <= warmup).sum())
    fit_rows(strategy, stream, order[:seen])
    predictions = []
    for row in range(warmup, len(stream)):
        while seen < len(order) and known_from[seen] <= row:
            learn_rows(strategy, stream, order[seen : seen + 1])
            seen += 1
        predictions.append(predict_rows(strategy, stream, slice(row, row + 1))[0])
    return np.array(predictions)


def fit_rows(strategy: Strategy, rows: Stream, which: Any) -> None:
    """Fit a strategy on some rows."""
    strategy.fit(rows.X[which], rows.y[which], **extra_columns(strategy, rows, which))


def learn_rows(strategy: Strategy, rows: Stream, which: Any, start: int = 0) -> None:
    """Tell a strategy the labels of some rows."""
    strategy.learn(rows.X[which], rows.y[which], **extra_columns(strategy, rows, which, start))


def predict_rows(strategy: Strategy, rows: Stream, which: Any, start: int = 0) -> np.ndarray:
    """Ask a strategy for the predictions of some rows."""
    return strategy.predict(rows.X[which], **extra_columns(strategy, rows, which, start))


def extra_columns(
    strategy: Strategy, rows: Stream, which: Any, start: int = 0
) -> dict[str, np.ndarray]:
    """Return what a strategy needs to know of some rows besides their features.

    ``start`` is the position of the first of ``rows`` in the whole stream.
    """
    if not strategy.needs:
        return {}
    return {
        name: np.arange(len(rows))[which] + start if name == "row" else getattr(rows, name)[which]
        for name in strategy.needs
    }


def prepared_copy(strategy: Strategy, stream: Stream, seed: int | None) -> Strategy:
    """Return an untouched copy of the strategy that fits the stream, or say why there is none."""
    for name in strategy.needs:
        if name != "row" and getattr(stream, name) is None:
            raise ValueError(
                f"{type(strategy).__name__} needs each row's {name}, "
                f"but stream {stream.name!r} has none; give the stream one"
            )
    strategy = strategy.clone(seed)
    strategy.set_schema(stream.features, len(stream.classes))
    return strategy


def arrivals(stream: Stream, label_delay: int | str | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order in which labels arrive, and from which row on each is known.

    Rows that share a time do not know each other's labels, unless the delay is written in rows,
    as ``"0rows"``.

    Returns
    -------
    order : ndarray of int, shape (n,)
        Rows by arrival; labels that arrive together keep their order in the stream.
    known_from : ndarray of int, shape (n,)
        For each of them, the first row before whose prediction it is known (n or more: after
        the end of the stream). It never falls.

    Examples
    --------
    >>> from companion import streams
    >>> arrivals(streams.bike_sharing().take(slice(0, 4)), 2)
    (array([0, 1, 2, 3]), array([2, 3, 4, 5]))
    >>> days = np.array(["2024-01-01", "2024-01-01", "2024-01-02"], "datetime64[ns]")
    >>> shops = Stream("shops", np.zeros((3, 1)), np.zeros(3), time=days)
    >>> arrivals(shops, 0)[1], arrivals(shops, "0rows")[1]
    (array([2, 2, 3]), array([1, 2, 3]))
    """
    rows = np.arange(len(stream))
    in_rows = isinstance(label_delay, str) and re.fullmatch(r"\s*([0-9]+)\s*rows?\s*", label_delay)
    late = int(in_rows[1]) if in_rows else label_delay
    if isinstance(late, int | np.integer):
        if late < 0:
            raise ValueError(f"label_delay is {late}; a label cannot arrive before its row")
        known_from = rows + min(max(1, int(late)), len(rows) + 1)
        if stream.time is not None and not in_rows:
            known_from = np.maximum(known_from, next_times(stream))
        return rows, known_from
    if late is None or isinstance(late, float):
        raise ValueError(
            f"label_delay is {late}; give whole rows, a duration such as '2D', or arrival times"
        )
    if stream.time is None:
        raise ValueError(
            f"label_delay is a time, but stream {stream.name!r} has no times; give a number of rows"
        )
    if isinstance(late, str):
        never = np.datetime64(np.iinfo(np.int64).max, "ns")
        wait = duration(late).astype("timedelta64[ns]")
        moment = np.where(stream.time < never - wait, stream.time + wait, never)
    else:
        moment = np.asarray(late, dtype="datetime64[ns]")
        if moment.shape != rows.shape:
            raise ValueError(
                f"label_delay has shape {moment.shape}; give one arrival time for each of "
                f"{len(rows)} rows"
            )
        early = np.flatnonzero(moment < stream.time)
        if len(early):
            raise ValueError(f"label_delay: the label of row {early[0]} arrives before its row")
    known_from = np.maximum(np.searchsorted(stream.time, moment, side="left"), next_times(stream))
    order = np.lexsort((rows, moment, known_from))
    return order, known_from[order]


def next_times(stream: Stream) -> np.ndarray:
    """Return, for each row, the first row with a later time."""
    return np.searchsorted(stream.time, stream.time, side="right")


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
        ``predictions``, ``model_bytes`` (at the end) and ``cpu_seconds``; ``trial_loss``, the mean
        loss in trials on the warm-up, if there were any.
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
    measure_size: bool = True,
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
        label never counts before it has arrived, in the warm-up neither; and rows that share a
        time do not know each other's labels, unless the delay is written in rows: ``"0rows"``.
    seed : int, optional
        For a model that draws random numbers.
    name : str, optional
        The run's name; the strategy's class if not given.
    probabilities : bool
        For classification: keep each class's probability too; the prediction is the likeliest.
    measure_size : bool
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
    cursor = start(strategy, stream, warmup, label_delay, seed)
    return run_rows(
        cursor, name or type(strategy).__name__, probabilities, measure_size=measure_size
    )


@dataclass
class Cursor:
    """Where an evaluation stands, between two rows of a stream.

    Whole streams, streams in parts and checkpoints all go through it. Positions count from the
    first row in hand, unless they are said to be of the whole stream.

    Attributes
    ----------
    strategy : Strategy
    rows : Stream
        The rows in hand: those to predict, and those whose labels have not arrived.
    label_delay : int, str or ndarray
    seed : int or None
    next_row : int
        The next row to predict.
    order, known_from : ndarray of int
        As :func:`arrivals` returns them.
    labels_seen : int
        How many labels, in order of arrival, the strategy has seen or could have seen.
    warmup_labels : int
        How many of them it was fitted on.
    first_row : int
        The position of the first row in hand in the whole stream.
    events_seen : int
        How many of the strategy's events stand in runs already returned.
    cpu_seconds : float
    """

    strategy: Strategy
    rows: Stream
    label_delay: int | str | np.ndarray
    seed: int | None
    next_row: int
    order: np.ndarray
    known_from: np.ndarray
    labels_seen: int
    warmup_labels: int
    first_row: int = 0
    events_seen: int = 0
    cpu_seconds: float = 0.0
    fitted: bool = False


def start(
    strategy: Strategy,
    stream: Stream,
    warmup: int | float,
    label_delay: int | str | np.ndarray,
    seed: int | None,
) -> Cursor:
    """Return a cursor at the end of the warm-up, with a copy of the strategy that is not fitted.

    Raises
    ------
    ValueError
        If the warm-up leaves nothing to score or has no labels, or a delay is negative.
    """
    first = warmup_rows(warmup, len(stream))
    order, known_from = arrivals(stream, label_delay)
    strategy = prepared_copy(strategy, stream, seed)
    known = int(np.searchsorted(known_from, first, side="right"))
    check_start(strategy, first, known)
    return Cursor(strategy, stream, label_delay, seed, first, order, known_from, known, known)


def extend(cursor: Cursor, rows: Stream) -> None:
    """Take further rows in hand, and let go of those whose labels have been seen."""
    cursor.first_row += cursor.labels_seen
    late = cursor.rows.take(slice(cursor.labels_seen, len(cursor.rows)))
    cursor.rows, cursor.next_row, cursor.labels_seen = joined(late, rows), len(late), 0
    cursor.order, cursor.known_from = arrivals(cursor.rows, cursor.label_delay)


def joined(early: Stream, late: Stream) -> Stream:
    """Return two neighbouring parts of a stream as one."""
    if early.features != late.features or early.classes != late.classes:
        raise ValueError(
            f"a part of stream {late.name!r} has other columns or classes than the one before; "
            "cut all parts from one table"
        )
    both = {
        name: (getattr(early, name), getattr(late, name))
        for name in ("X", "y", "time", "key", "weight")
    }
    return replace(
        late, **{k: None if pair[0] is None else np.concatenate(pair) for k, pair in both.items()}
    )


def run_rows(
    cursor: Cursor, name: str, probabilities: bool = False, *, measure_size: bool = True
) -> Run:
    """Predict all rows in hand, each before its label is seen, and move the cursor behind them.

    Raises
    ------
    RunFailed
        If the model raises; the error holds the run up to there in its attribute ``run``.
    """
    answers: list[np.ndarray] = []
    first, began = cursor.next_row, clock.process_time()
    events = [] if cursor.fitted else [(first, "fit")]
    try:
        if not cursor.fitted:
            fit_warmup(cursor)
        advance(cursor, answers, probabilities)
    except Exception as error:
        row = cursor.first_row + cursor.next_row
        what = f"{name} failed at row {row:,} of {cursor.rows.name!r}"
        failed = RunFailed(f"{what}: {type(error).__name__}: {error}")
        cursor.cpu_seconds += clock.process_time() - began
        if answers:
            failed.run = run_of(cursor, first, answers, events, name, probabilities, measure_size)
        raise failed from error
    cursor.cpu_seconds += clock.process_time() - began
    return run_of(cursor, first, answers, events, name, probabilities, measure_size)


def fit_warmup(cursor: Cursor) -> None:
    """Fit on the rows of the warm-up whose labels have arrived."""
    known = cursor.warmup_labels
    labelled = in_one_piece(cursor.order[:known])
    try:
        fit_rows(cursor.strategy, cursor.rows, labelled)
    except ValueError as error:
        if cursor.rows.task == "classification" and len(set(cursor.rows.y[labelled].tolist())) == 1:
            raise ValueError(
                f"the {known} labels known in the warm-up are all of one class, and the model "
                "wants two; make the warm-up longer"
            ) from error
        raise
    cursor.fitted = True


def in_one_piece(rows: np.ndarray) -> slice | np.ndarray:
    """Return neighbouring rows in their order as a slice, which copies nothing."""
    low, high = (int(rows[0]), int(rows[-1])) if len(rows) else (0, -1)
    neighbours = high - low == len(rows) - 1 and bool((np.diff(rows) == 1).all())
    return slice(low, high + 1) if neighbours else rows


def advance(cursor: Cursor, answers: list[np.ndarray], probabilities: bool = False) -> None:
    """Go through the rows: learn the labels that have arrived, predict a block, and so on.

    Predictions are added to ``answers``, block by block.
    """
    strategy, rows, start = cursor.strategy, cursor.rows, cursor.first_row
    latest = None
    if strategy.stable_until is not None:  # the latest row time among the labels seen so far
        latest = np.maximum.accumulate(rows.time[cursor.order])
    one_a_row = strategy.stable_for == 1 and not probabilities
    while cursor.next_row < len(rows):
        arrived = int(np.searchsorted(cursor.known_from, cursor.next_row, side="right"))
        if arrived > cursor.labels_seen and not strategy.frozen:
            learn_rows(strategy, rows, cursor.order[cursor.labels_seen : arrived], start)
        cursor.labels_seen = arrived
        block = slice(cursor.next_row, block_end(cursor, latest))
        if probabilities:
            extra = extra_columns(strategy, rows, block, start)
            answers.append(strategy.predict_proba(rows.X[block], len(rows.classes), **extra))
        else:
            answers.append(predict_rows(strategy, rows, block, start))
        cursor.next_row = block.stop
        if one_a_row:
            advance_steadily(cursor, answers)


def block_end(cursor: Cursor, latest: np.ndarray | None) -> int:
    """Return the first row behind the cursor whose prediction may need a model that has changed."""
    strategy, known_from, n = cursor.strategy, cursor.known_from, len(cursor.rows)
    last = cursor.labels_seen + strategy.stable_for - 1
    if latest is not None:
        last = min(last, np.searchsorted(latest, strategy.stable_until, side="left"))
    if last >= len(known_from):
        return n
    return max(cursor.next_row + 1, min(n, int(known_from[int(last)])))


def advance_steadily(cursor: Cursor, answers: list[np.ndarray]) -> None:
    """Go on as long as exactly one label arrives before each row, in few calls."""
    rows, order, known_from = cursor.rows, cursor.order, cursor.known_from
    n, labels = len(rows), len(known_from)
    while cursor.next_row < n and cursor.labels_seen < labels:
        row, seen = cursor.next_row, cursor.labels_seen
        steps = min(BLOCK, n - row, labels - seen)
        steady = known_from[seen : seen + steps] == np.arange(row, row + steps)
        if not steady[0]:
            break
        steps = int(steady.argmin()) or steps
        later = known_from[seen + steps] if seen + steps < labels else n
        if later == row + steps - 1:  # a second label arrives with the last one
            steps -= 1
        if steps == 0:
            break
        learn = order[seen : seen + steps]
        low = int(learn.min())
        here = slice(low, row + steps)
        extra = extra_columns(cursor.strategy, rows, here, cursor.first_row)
        ask = np.arange(row, row + steps) - low
        answers.append(
            cursor.strategy.learn_and_predict(rows.X[here], rows.y[here], learn - low, ask, **extra)
        )
        cursor.next_row, cursor.labels_seen = row + steps, seen + steps


def run_of(
    cursor: Cursor,
    first: int,
    answers: list[np.ndarray],
    events: list[tuple[int, str]],
    name: str,
    probabilities: bool,
    measure_size: bool,
) -> Run:
    """Return the run over the rows from ``first`` on that have been answered."""
    given = answers[0] if len(answers) == 1 else np.concatenate(answers)
    strategy, rows, start = cursor.strategy, cursor.rows, cursor.first_row
    check_answers(given, strategy, start + first, start + cursor.next_row)
    if not probabilities:
        check_kind(given, strategy, rows, start + first)
    scored = slice(first, first + len(given))
    label = cursor.warmup_labels - start  # of the first label after the warm-up
    events = events + [
        (int(cursor.known_from[label + number - 1]), what)
        for number, what in strategy.events[cursor.events_seen :]
    ]
    cursor.events_seen = len(strategy.events)
    since = 0 if strategy.frozen else start + cursor.labels_seen - cursor.warmup_labels
    return Run(
        stream=rows.name,
        strategy=name,
        first=start + first,
        y=rows.y[scored],
        predictions=given.argmax(axis=1) if probabilities else given,
        probabilities=given if probabilities else None,
        task=rows.task,
        time=None if rows.time is None else rows.time[scored],
        events=[(start + row, what) for row, what in events],
        cost={
            "fits": strategy.fits,
            "rows_learnt": strategy.rows_learnt,
            "labels_used": cursor.warmup_labels + since,
            "predictions": len(given),
            "model_bytes": model_bytes(strategy) if measure_size else -1,
            "cpu_seconds": cursor.cpu_seconds,
            **({"trial_loss": strategy.trial_loss} if hasattr(strategy, "trial_loss") else {}),
        },
        seed=cursor.seed,
    )


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


def check_kind(given: np.ndarray, strategy: Strategy, rows: Stream, first: int) -> None:
    """Refuse answers that are no class codes where classes are asked for, or no numbers."""
    name = type(strategy).__name__
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{name} answers {given.flat[0]!r}, which is no number")
    if rows.task == "classification":
        classes = max(len(rows.classes), int(rows.y.max()) + 1)
        wrong = ~np.isin(given, np.arange(-1, classes))
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"{name} answers {given[row]:g} for row {first + row}, which is none of the class "
                f"codes 0 to {classes - 1}; give it a classifier"
            )


def model_bytes(strategy: Strategy) -> int:
    """Return the size of the strategy as it would be stored, in bytes (its pickle)."""
    try:
        return len(pickle.dumps(strategy))
    except Exception:  # a model that cannot be stored has no size to tell
        return -1


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
