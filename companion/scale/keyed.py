"""One key's rows at a time: what an engine that keeps state by key does with a PerKey.

A stream engine reads a *log*, brings the rows of each key together on one worker, and hands that
key's state in and out of its checkpoint. This module says what happens in between, and needs no
engine itself; :mod:`companion.scale.spark` plugs it into one.

Every row of the log is one of two things. A *question* has the features and no ``y``: it is
answered at once, and then waits. A *label* has ``y``, comes later, as a row of its own, and names
its question by ``row``: only then does the key's model learn. The log's own order (``seq``, such
as an offset in Kafka) decides what was known when, not the clock in ``time``.
"""

from __future__ import annotations

import copy
import math
import pickle
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from companion.evaluation import arrivals, fit_rows, fit_warmup, prepared_copy, start, warmup_rows
from companion.hybrids import PerKey
from companion.strategies import Strategy
from companion.stream import Stream, duration

LOG = ("seq", "key", "row", "time", "y")


class Memory(NamedTuple):
    """What the engine keeps of one key from one micro-batch to the next.

    Attributes
    ----------
    labels_seen : int
        Labels of this key that its model has learnt.
    layout : int
        Changes with the columns or with the kind of personal model; see :func:`layout_of`.
    model : bytes or None
        The personal model, pickled; None before its first label.
    waiting : bytes
        The questions whose labels have not come, pickled: time and features by row.

    Examples
    --------
    >>> Memory(0, 7, None, pickle.dumps({})).labels_seen
    0
    """

    labels_seen: int
    layout: int
    model: bytes | None
    waiting: bytes


class Answer(NamedTuple):
    """What comes out: the prediction for a question, or why a row was set aside.

    Examples
    --------
    >>> Answer("ann", 5, 2, 3.5, 1, None).prediction
    3.5
    """

    key: str | None
    seq: int | None
    row: int | None
    prediction: float | None
    labels_seen: int
    problem: str | None


@dataclass(frozen=True)
class FittedPerKey:
    """What history taught, ready to be sent to every worker; :func:`fit_per_key` makes it.

    Attributes
    ----------
    strategy : PerKey
        With the fitted shared model, without personal ones.
    features : tuple of str
    personal : dict of str to Memory
        The keys that history knew. They travel with the shared model, so keep that history to
        what one machine can hold; keys that are not in it start cold.
    layout : int

    Examples
    --------
    >>> from companion import Baseline, Static, streams
    >>> from sklearn.dummy import DummyRegressor
    >>> rivals = PerKey(Static(DummyRegressor()), Baseline("no-change"))
    >>> found = fit_per_key(rivals, streams.sleep_study(), warmup=36)
    >>> len(found.personal), found.features
    (18, ('day',))
    """

    strategy: PerKey
    features: tuple[str, ...]
    personal: Mapping[str, Memory]
    layout: int


def fit_per_key(
    strategy: PerKey,
    history: Stream,
    *,
    warmup: int | float | None = None,
    label_delay: int | str | np.ndarray = 0,
    seed: int | None = None,
) -> FittedPerKey:
    """Fit a PerKey on history, to be shipped to the engine.

    Parameters
    ----------
    strategy : PerKey
        It is copied first. Its shared part must be frozen, since every worker has its own copy.
    history : Stream
        With keys.
    warmup : int or float, optional
        Rows, or share of the rows, to learn from; all if not given.
    label_delay, seed
        As for :func:`companion.prequential`: with a warm-up, only the labels that have arrived by
        its end are used. History that is used whole is taken to have all its labels.

    Returns
    -------
    Learnt

    Raises
    ------
    TypeError
        If the strategy is no PerKey, or its shared part keeps learning.

    Examples
    --------
    >>> from companion import Online, Static, streams
    >>> from companion.lineups import online_line
    >>> from sklearn.linear_model import LinearRegression
    >>> strategy = PerKey(Static(LinearRegression()), Online(online_line(0)), after=5)
    >>> fit_per_key(strategy, streams.liver(), warmup=0.5).personal["1"].labels_seen
    2
    """
    if not isinstance(strategy, PerKey):
        raise TypeError(
            f"{type(strategy).__name__} has no model a key for the engine to keep; give a PerKey"
        )
    if not strategy.shared.frozen:
        raise TypeError(
            f"the shared {type(strategy.shared).__name__} keeps learning, and every worker would "
            "teach its own copy; share a Static"
        )
    if warmup is None:
        strategy = prepared_copy(strategy, history, seed)
        fit_rows(strategy, history, slice(None))
    else:
        cursor = start(strategy, history, warmup, label_delay, seed)
        fit_warmup(cursor)
        strategy = cursor.strategy
    layout = layout_of(strategy, history.features)
    personal = {
        str(key): Memory(strategy.counts[key], layout, pickle.dumps(model), pickle.dumps({}))
        for key, model in strategy.personal.items()
    }
    strategy.personal, strategy.counts = {}, {}
    return FittedPerKey(strategy, history.features, personal, layout)


def layout_of(strategy: PerKey, features: Sequence[str]) -> int:
    """Return a number that changes with the columns, or with the kind of personal model.

    A checkpoint outlives the program that wrote it. The number is stored with each key, so that
    a model never goes on with columns or settings that are not its own.

    Examples
    --------
    >>> from companion import Baseline, Static
    >>> from sklearn.dummy import DummyRegressor
    >>> strategy = PerKey(Static(DummyRegressor()), Baseline("no-change"))
    >>> layout_of(strategy, ("wind", "heat")) == layout_of(strategy, ("heat", "wind"))
    False
    """
    kind = type(strategy.pattern).__qualname__
    said = repr((tuple(features), kind, sorted(vars(strategy.pattern).items())))
    return zlib.crc32(re.sub(r" at 0x[0-9a-f]+", "", said).encode())


def log_columns(features: Sequence[str]) -> list[str]:
    """Return the names of the log's columns, in their order.

    Raises
    ------
    ValueError
        If a feature has the name of one of the log's own columns.

    Examples
    --------
    >>> log_columns(["wind"])
    ['seq', 'key', 'row', 'time', 'y', 'wind']
    """
    for name in features:
        if name in LOG:
            raise ValueError(f"the log has a column {name!r} of its own; rename that feature")
    return [*LOG, *features]


def log_of(
    stream: Stream, *, warmup: int | float = 0.2, label_delay: int | str | np.ndarray = 0
) -> Any:
    """Return a stream as the log that an engine would have read after the warm-up.

    Questions and labels stand in the order in which :func:`companion.prequential` asks and tells
    them. Rows of the warm-up whose labels come later stand first, since their features are needed.

    Parameters
    ----------
    stream : Stream
        With times and keys.
    warmup, label_delay
        As for :func:`companion.prequential`.

    Returns
    -------
    pandas.DataFrame
        Columns ``seq``, ``key``, ``row``, ``time``, ``y`` and the features.

    Raises
    ------
    ValueError
        If the stream has no times or no keys.

    Examples
    --------
    >>> from companion import streams
    >>> log = log_of(streams.sleep_study(), warmup=178, label_delay="1rows")
    >>> log[["seq", "row", "y"]].to_numpy().round().tolist()
    [[0.0, 178.0, nan], [1.0, 178.0, 369.0], [2.0, 179.0, nan]]
    """
    import pandas as pd

    if stream.time is None or stream.key is None:
        raise ValueError(f"stream {stream.name!r} needs times and keys to become a keyed log")
    names = log_columns(stream.features)
    n = len(stream)
    first = warmup_rows(warmup, n)
    order, known_from = arrivals(stream, label_delay)
    labels_seen = np.flatnonzero((known_from > first) & (known_from < n))
    asked = np.union1d(order[known_from > first], np.arange(first, n))
    rows = np.concatenate([asked, order[labels_seen]])
    moment = np.concatenate([asked, known_from[labels_seen]])
    is_label = np.arange(len(rows)) >= len(asked)
    place = np.lexsort((np.arange(len(rows)), ~is_label, moment))
    rows, moment, is_label = rows[place], moment[place], is_label[place]
    own = [
        np.arange(len(rows)),
        np.asarray(stream.key)[rows].astype(str),
        rows,
        stream.time[moment].astype("datetime64[us]"),
        np.where(is_label, stream.y[rows], np.nan),
    ]
    X = np.where(is_label[:, None], np.nan, stream.X[rows])
    return pd.DataFrame(dict(zip(names, [*own, *X.T], strict=True)))


class SetAside(ValueError):
    """A row that cannot be used, in one sentence.

    Examples
    --------
    >>> str(SetAside("the label nan is no number"))
    'the label nan is no number'
    """


def update_key(
    known: FittedPerKey,
    key: str | None,
    memory: Memory | None,
    rows: Iterable[Sequence[Any]],
    *,
    patience: str | None = None,
) -> tuple[Memory | None, list[Answer]]:
    """Take one key's new rows: answer the questions, learn the labels, set the rest aside.

    This is all that happens to a key in a micro-batch, and it needs no engine. Rows are taken in
    the log's order, whatever order they come in. A row that is broken, or on which a model raises,
    is set aside with one sentence, and the key goes on as if it had never come.

    Parameters
    ----------
    known : Learnt
    key : str or None
    memory : Memory or None
        What an earlier call returned; None for a key that is new to the engine.
    rows : iterable of sequences
        ``(seq, key, row, time, y, *features)``, with None for what is empty.
    patience : str, optional
        A duration such as ``"90D"``: questions that wait longer, by the rows' own time, are
        forgotten. Without it a question waits for ever.

    Returns
    -------
    Memory or None
        None if the key is empty.
    list of Answer
        One for each question and for each row that was set aside.

    Raises
    ------
    ValueError
        If the memory was made for other columns or another personal model, or cannot be read.

    Examples
    --------
    >>> from companion import Baseline, Static, streams
    >>> from sklearn.dummy import DummyRegressor
    >>> strategy = PerKey(Static(DummyRegressor(strategy="constant", constant=250)),
    ...                   Baseline("no-change"))
    >>> known = fit_per_key(strategy, streams.sleep_study(), warmup=18)
    >>> noon = np.datetime64("2024-01-01T12")
    >>> rows = [(0, "zoe", 7, noon, None, 2.0), (1, "zoe", 7, noon, 300.0, None),
    ...         (2, "zoe", 8, noon, None, 3.0), (3, "zoe", 9, noon, None, None)]
    >>> memory, answers = update_key(known, "zoe", None, rows)
    >>> [answer.prediction for answer in answers]
    [250.0, 300.0, None]
    >>> answers[2].problem
    "row 9: feature 'day' is empty; fill it in and send the row again"
    """
    memory = memory or known.personal.get(key)
    good, aside = sound_rows(known, key, rows, memory.labels_seen if memory else 0)
    while True:
        strategy, waiting = restored(known, key, memory)
        given: list[Answer] = []
        for place, row in enumerate(good):
            try:
                said = process_row(strategy, key, waiting, row)
            except Exception as error:  # the row is at fault or the model is; the key goes on
                aside.append(refused(row, strategy.counts.get(key, 0), error))
                del good[place]
                break
            if said is not None:
                given.append(Answer(key, row[0], row[2], said, strategy.counts.get(key, 0), None))
        else:
            break
    if key is None:
        return None, aside
    if patience is not None and good:
        oldest = max(nanoseconds(row[3]) for row in good) - int(
            duration(patience).astype("timedelta64[ns]").astype(int)
        )
        waiting = {row: kept for row, kept in waiting.items() if kept[0] >= oldest}
    own = strategy.personal.get(key)
    stored = None if own is None else pickle.dumps(own)
    new = Memory(strategy.counts.get(key, 0), known.layout, stored, pickle.dumps(waiting))
    return new, sorted([*given, *aside], key=lambda answer: (answer.seq is None, answer.seq))


def sound_rows(
    known: FittedPerKey, key: str | None, rows: Iterable[Sequence[Any]], labels_seen: int
) -> tuple[list[Sequence[Any]], list[Answer]]:
    """Return the sound rows in the log's order, and the broken ones as answers."""
    good, aside = [], []
    for row in rows:
        why = fault(row, key, known)
        if why:
            aside.append(refused(row, labels_seen, SetAside(why)))
        else:
            good.append(row)
    return sorted(good, key=lambda row: row[0]), aside


def fault(row: Sequence[Any], key: str | None, known: FittedPerKey) -> str:
    """Return what is wrong with a row and how to mend it, or nothing."""
    seq, _, number, time, y, *x = row
    empty = {"seq": seq, "key": key, "row": number, "time": time}
    for name, value in empty.items():
        if value is None or value != value:
            return f"{name} is empty; fill it in and send the row again"
    if y is not None:
        classes = known.strategy.classes if known.strategy.task == "classification" else 0
        if classes and y not in range(classes):
            return f"the label {y} is none of the codes 0 to {classes - 1}; send a code"
        return "" if math.isfinite(y) else f"the label {y} is no number; send it again"
    for name, value in zip(known.features, x, strict=True):
        if value is None:
            return f"feature {name!r} is empty; fill it in and send the row again"
        if not math.isfinite(value):
            return f"feature {name!r} is {value}, no number; mend it and send the row again"
    return ""


def refused(row: Sequence[Any], labels_seen: int, error: Exception) -> Answer:
    """Return the answer for a row that is set aside."""
    why = str(error) if isinstance(error, SetAside) else f"{type(error).__name__}: {error}"
    return Answer(
        row[1], row[0], row[2], None, labels_seen, f"row {row[2]}: {' '.join(why.split())}"
    )


def restored(
    known: FittedPerKey, key: str | None, memory: Memory | None
) -> tuple[PerKey, dict[int, tuple[int, tuple[float, ...]]]]:
    """Return the strategy with one key's model in it, and that key's waiting questions."""
    strategy = copy.copy(known.strategy)
    strategy.personal, strategy.counts = {}, {}
    if memory is None:
        return strategy, {}
    if memory.layout != known.layout:
        raise ValueError(
            f"the checkpoint's model of key {key!r} was made for other features or another "
            "personal model; go on with those, or replay the log into a new checkpoint"
        )
    try:
        waiting = pickle.loads(memory.waiting)
        if memory.model is not None:
            strategy.personal, strategy.counts = (
                {key: pickle.loads(memory.model)},
                {key: memory.labels_seen},
            )
    except Exception as error:
        raise ValueError(
            f"the checkpoint's model of key {key!r} cannot be read ({type(error).__name__}: "
            f"{error}); install the versions that wrote it, or replay the log"
        ) from error
    return strategy, waiting


def process_row(
    strategy: PerKey,
    key: str | None,
    waiting: dict[int, tuple[int, tuple[float, ...]]],
    row: Sequence[Any],
) -> float | None:
    """Answer a question, or learn a label; return the answer if there is one."""
    _, _, number, time, y, *x = row
    if y is None:
        if number in waiting:
            raise SetAside("this question waits already; a second copy is not asked")
        waiting[number] = (nanoseconds(time), tuple(x))
        X, extra = one_row(strategy, key, number, *waiting[number])
        said = float(strategy.predict(X, **extra)[0])
        if not math.isfinite(said):
            raise SetAside("the prediction is not finite; the model of this key has diverged")
        return said
    if number not in waiting:
        raise SetAside("no question waits for this label: told before, too old, or never asked")
    X, extra = one_row(strategy, key, number, *waiting.pop(number))
    code = int(y) if strategy.task == "classification" else y
    strategy.learn(X, np.array([code]), **extra)
    return None


def one_row(
    strategy: Strategy, key: str | None, number: int, time: int, x: Sequence[float]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return a row as a strategy takes it: features of shape (1, d), and what else it needs."""
    found = {
        "key": np.array([key]),
        "row": np.array([number]),
        "time": np.array([time], dtype="datetime64[ns]"),
    }
    return np.array([x], dtype=float), {name: found[name] for name in strategy.needs}


def nanoseconds(time: Any) -> int:
    """Return a time as nanoseconds since 1970, the smallest form in which it can wait."""
    return int(np.datetime64(time, "ns").astype(np.int64))
