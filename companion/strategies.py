"""Strategies: how a model meets time.

A strategy is fitted once on the warm-up rows. From then on it is asked for predictions, and it
is told labels when they arrive. What it does with a label is all that tells it from the others.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from numbers import Real
from typing import Any

import numpy as np

from companion.models import (
    as_dicts,
    as_labels,
    class_probabilities,
    clone_model,
    must_have,
    probabilities_among,
    refit,
    say_among,
    seed_names,
    started_cold,
    started_warm,
)
from companion.stream import duration


class Strategy:
    """What every strategy can do. To write your own, subclass it and give it three methods.

    ``fit(X, y)`` takes the warm-up rows, ``predict(X)`` returns one prediction a row, and
    ``learn(X, y)`` takes labels in the order in which they arrive.

    Attributes
    ----------
    stable_for : float
        How many more labels can arrive before the predictions may change. ``inf`` means never,
        1 means after any label. It lets an evaluation predict whole blocks of rows at once and
        still get what a loop row by row would give.
    needs : tuple of str
        Names of what ``fit``, ``predict`` and ``learn`` also want, as keyword arguments:
        ``"row"`` (position in the stream), ``"time"``, ``"key"``.
    stable_until : datetime64 or None
        If given, the predictions cannot change before the label of a row at or after this time
        arrives. It serves strategies that follow the calendar.
    frozen : bool
        Whether labels change nothing; it is then never told any.
    starts_cold : bool
        Whether it can predict before it has seen a single label.
    instant : bool
        Whether it takes next to no time, so that no time limit stops it.
    fits, rows_learnt, told : int
        The work so far: changes of the model, rows it was shown, labels told since the warm-up.

    Examples
    --------
    A strategy of your own, checked by one call:

    >>> from companion import Strategy, check_strategy
    >>> class Slow(Strategy):
    ...     def fit(self, X, y):
    ...         self.value = y.mean()
    ...
    ...     def predict(self, X):
    ...         return np.full(len(X), self.value)
    ...
    ...     def learn(self, X, y):
    ...         for label in y:
    ...             self.value += 0.1 * (label - self.value)
    >>> slow = Slow()
    >>> slow.fit(np.zeros((2, 1)), np.array([1.0, 3.0]))
    >>> slow.learn(np.zeros((1, 1)), np.array([12.0]))
    >>> slow.predict(np.zeros((1, 1)))
    array([3.])
    """

    needs: tuple[str, ...] = ()
    stable_for: float = 1
    stable_until: Any = None
    frozen = False
    starts_cold = False
    instant = False
    fits = 0
    rows_learnt = 0
    labels_seen = 0
    events: tuple[tuple[int, str], ...] = ()

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        """Learn the warm-up rows: ``X`` of shape (n, d), ``y`` of shape (n,)."""
        raise NotImplementedError

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the predictions for ``X`` of shape (n, d), in shape (n,)."""
        raise NotImplementedError

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        """Take labels that have just arrived."""

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        """For each k: learn row ``learn[k]``, then predict row ``ask[k]``."""
        answers = []
        for learnt, asked in zip(learn.tolist(), ask.tolist(), strict=True):
            new, next_row = slice(learnt, learnt + 1), slice(asked, asked + 1)
            self.learn(X[new], y[new], **{name: values[new] for name, values in extra.items()})
            known = {name: values[next_row] for name, values in extra.items()}
            answers.append(self.predict(X[next_row], **known)[0])
        return np.array(answers)

    def note(self, what: str) -> None:
        """Write down that something happened after the label told last."""
        self.events = (*self.events, (self.labels_seen, what))

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Take what a stream knows before its first row: column names, number of classes."""

    def predict_proba(self, X: np.ndarray, classes: int, **extra: np.ndarray) -> np.ndarray:
        """Return each class's probability, in shape (n, classes)."""
        model = getattr(self, "model", None)
        if hasattr(model, "predict_proba") or hasattr(model, "predict_proba_one"):
            return class_probabilities(model, X, classes, getattr(self, "names", None))
        raise TypeError(f"{type(self).__name__} gives no probabilities; choose another model")

    def clone(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, its model seeded if it draws random numbers."""
        twin = copy.deepcopy(self)
        forget_work(twin)
        if hasattr(twin, "model"):
            twin.model = clone_model(twin.model, seed)
        return twin

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another result."""
        return hasattr(self, "model") and bool(seed_names(self.model))


def forget_work(strategy: Strategy) -> None:
    """Set a strategy's counters and events back to nothing."""
    for name in ("fits", "rows_learnt", "labels_seen", "events"):
        vars(strategy).pop(name, None)


class Baseline(Strategy):
    """The rivals that need no model. A comparison without them proves little.

    Parameters
    ----------
    kind : {"no-change", "mean", "majority", "rolling", "seasonal"}
        ``no-change`` repeats the newest label; ``mean`` and ``majority`` repeat the warm-up's
        mean or most frequent class; ``rolling`` gives the mean of the newest ``rows`` labels;
        ``seasonal`` the label ``rows`` rows ago (or the nearest multiple whose label is known).
    rows : int, optional
        The window or the season, in rows. ``rolling`` and ``seasonal`` need it.

    Examples
    --------
    >>> strategy = Baseline("no-change")
    >>> strategy.fit(np.zeros((2, 1)), np.array([3.0, 7.0]))
    >>> strategy.predict(np.zeros((2, 1)))
    array([7., 7.])
    """

    instant = True
    KINDS = ("no-change", "mean", "majority", "rolling", "seasonal")

    def __init__(self, kind: str, rows: int | None = None) -> None:
        if kind not in self.KINDS:
            raise ValueError(f"there is no baseline {kind!r}; choose from {', '.join(self.KINDS)}")
        if kind in ("rolling", "seasonal") and (rows is None or rows < 1):
            raise ValueError(f"the {kind} baseline needs rows, at least 1; it got {rows}")
        self.kind, self.rows = kind, rows
        self.frozen = kind in ("mean", "majority")
        self.stable_for = math.inf if self.frozen else 1
        self.needs = ("row",) if kind == "seasonal" else ()

    def fit(self, X: np.ndarray, y: np.ndarray, row: np.ndarray | None = None) -> None:
        if self.kind == "mean":
            self.value = y.mean()
        elif self.kind == "majority":
            values, counts = np.unique(y, return_counts=True)
            self.value = values[counts.argmax()]
        else:
            self.labels = deque(maxlen=self.rows if self.kind == "rolling" else 1)
            self.by_phase: dict[int, Any] = {}
            self.learn(X, y, row)

    def learn(self, X: np.ndarray, y: np.ndarray, row: np.ndarray | None = None) -> None:
        if self.kind == "seasonal":
            self.by_phase.update(zip((row % self.rows).tolist(), y.tolist(), strict=True))
        if self.stable_for == 1:
            self.labels.extend(y.tolist())

    def predict(self, X: np.ndarray, row: np.ndarray | None = None) -> np.ndarray:
        if self.kind == "seasonal":
            newest = self.labels[-1]
            return np.array([self.by_phase.get(r, newest) for r in (row % self.rows).tolist()])
        if self.kind in ("no-change", "rolling"):
            self.value = np.mean(self.labels) if self.kind == "rolling" else self.labels[-1]
        return np.full(len(X), self.value)

    def predict_proba(self, X: np.ndarray, classes: int, **extra: np.ndarray) -> np.ndarray:
        """Return probability 1 for the class that is predicted."""
        return np.eye(classes)[self.predict(X, **extra)]

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        if self.kind != "no-change":
            return super().learn_and_predict(X, y, learn, ask, **extra)
        self.labels.append(y[learn[-1]])
        return y[learn]


def one_class(rows: int) -> str:
    """Say that a fit was skipped: its window holds one class only, and the model wants two."""
    return f"no fit: the window of {rows} rows holds one class only"


class Static(Strategy):
    """Fit once on the warm-up, never again.

    Parameters
    ----------
    model : scikit-learn estimator or pipeline

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> strategy = Static(LinearRegression())
    >>> strategy.fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
    >>> strategy.predict(np.array([[3.0]]))
    array([6.])
    """

    stable_for = math.inf
    frozen = True

    def __init__(self, model: Any) -> None:
        self.model = must_have(model, "fit", "predict", what="Static")

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.model.fit(X, y)
        self.fits, self.rows_learnt = 1, len(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)


class Scheduled(Strategy):
    """Fit again after every ``every`` labels or every period, on the newest ``window`` rows.

    Parameters
    ----------
    model : scikit-learn estimator or pipeline
    every : int or str
        Labels between two fits, or a period such as ``"7D"`` on the rows' own clock: the fit
        comes with the first label of a row at or after the end of the period.
    window : int, optional
        Rows to fit on; all rows so far (an expanding window) if it is not given.
    warm : bool
        Start each fit from the one before (a warm start) instead of from nothing. The model must
        have the parameter ``warm_start``, and it must mean an update: boosting, forests and
        bagging only add members, and are refused. Where the window's classes are not those of
        the fit before, that fit starts cold.

    Notes
    -----
    If a window holds one class only and the model wants two, the old model stays, and the event
    says so.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> strategy = Scheduled(DummyRegressor(), every=2, window=2)
    >>> strategy.fit(np.zeros((2, 1)), np.array([1.0, 3.0]))
    >>> strategy.learn(np.zeros((2, 1)), np.array([5.0, 7.0]))
    >>> strategy.predict(np.zeros((1, 1)))
    array([6.])
    """

    def __init__(
        self, model: Any, every: int | str, window: int | None = None, *, warm: bool = False
    ) -> None:
        self.period = duration(every) if isinstance(every, str) else None
        if self.period is None and not (isinstance(every, Real) and every >= 1):
            raise ValueError(f"every is {every}; a schedule needs at least 1 label between fits")
        if window is not None and not (isinstance(window, Real) and window >= 1):
            raise ValueError(f"window is {window}; give at least 1 row, or None for all rows")
        self.model = started_cold(must_have(model, "fit", "predict", what="Scheduled"))
        self.every, self.window = every, window
        self.needs = () if self.period is None else ("time",)
        if warm:
            self.model = started_warm(model)

    def fit(self, X: np.ndarray, y: np.ndarray, time: np.ndarray | None = None) -> None:
        self.seen: list[tuple[np.ndarray, np.ndarray]] = [(X, y)]
        if self.period is not None:
            self.stable_until = time.max() + self.period
        if not self._refit():
            raise ValueError(one_class(len(y)))

    def predict(self, X: np.ndarray, time: np.ndarray | None = None) -> np.ndarray:
        return self.model.predict(X)

    def learn(self, X: np.ndarray, y: np.ndarray, time: np.ndarray | None = None) -> None:
        while len(X):
            count, ripe = self._until_fit(len(X), time)
            self.seen.append((X[:count], y[:count]))
            self.labels_seen += count
            if ripe:
                if self.period is not None:
                    periods = (time[count - 1] - self.stable_until) // self.period + 1
                    self.stable_until = self.stable_until + periods * self.period
                self.note("fit" if self._refit() else one_class(len(self.seen[0][1])))
            else:
                self.stable_for -= count
            X, y = X[count:], y[count:]
            time = None if time is None else time[count:]

    def _until_fit(self, n: int, time: np.ndarray | None) -> tuple[int, bool]:
        """Return how many of n labels to take before the next fit, and whether it is then due."""
        if self.period is None:
            return min(n, int(self.stable_for)), n >= self.stable_for
        late = np.flatnonzero(time >= self.stable_until)
        return (int(late[0]) + 1, True) if len(late) else (n, False)

    def _refit(self) -> bool:
        """Fit on the newest rows; return False if they hold one class and the model wants two."""
        X = np.concatenate([rows for rows, _ in self.seen])
        y = np.concatenate([labels for _, labels in self.seen])
        if self.window is not None:
            X, y = X[-self.window :], y[-self.window :]
        self.seen = [(X, y)]
        self.stable_for = self.every if self.period is None else math.inf
        model = refit(self.model, X, y)
        if model is None:
            return False
        self.model, self.fits, self.rows_learnt = model, self.fits + 1, self.rows_learnt + len(X)
        return True


class Online(Strategy):
    """Learn each label as it arrives.

    Parameters
    ----------
    model : River model or pipeline, or scikit-learn estimator with ``partial_fit``
    features : sequence of str, optional
        Names for the columns; River models take dicts. ``x0, x1, …`` if not given.
    batch : int
        For scikit-learn: labels collected before one ``partial_fit`` (1 is row by row).

    Notes
    -----
    A classifier never names a class of which it has not seen a row; a River classifier that has
    seen none says -1, which counts as wrong. Where a River regressor says None, the mean of the
    warm-up's labels stands (0 without a warm-up).

    Examples
    --------
    >>> from river import linear_model
    >>> strategy = Online(linear_model.LinearRegression())
    >>> strategy.fit(np.ones((5, 1)), np.ones(5))
    >>> bool(strategy.predict(np.ones((1, 1)))[0] > 0)
    True
    """

    def __init__(self, model: Any, features: Any = None, batch: int = 1) -> None:
        self.river = hasattr(model, "learn_one") and hasattr(model, "predict_one")
        if not self.river and not hasattr(model, "partial_fit"):
            raise TypeError(
                f"Online cannot use {type(model).__name__}: it has neither learn_one nor "
                "partial_fit; give it a River model, or a scikit-learn model that learns in parts"
            )
        if batch < 1 or (self.river and batch != 1):
            raise ValueError(f"batch is {batch}; it must be at least 1, and 1 for a River model")
        self.model, self.features, self.batch, self.classes = model, features, batch, 0
        self.unknown: float = -1
        self.classes_seen: set[int] = set()
        self.stable_for, self.starts_cold = batch, self.river

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Take the stream's column names, unless given, and its number of classes."""
        self.features, self.classes = self.features or features, classes

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.names = list(self.features or (f"x{i}" for i in range(X.shape[1])))
        if self.river:
            if not self.classes:  # said where a regressor says None: the mean of the warm-up
                self.unknown = float(y.mean()) if len(y) else 0.0
            self.learn(X, y)
            return
        from sklearn.base import is_classifier

        self.waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self.stable_for = self.batch
        codes = np.arange(self.classes) if self.classes else np.unique(y)
        classifies = is_classifier(self.model)
        first = {"classes": codes} if classifies else {}
        self.classes = len(codes) if classifies else 0
        self.classes_seen = set(y.tolist()) if classifies else set()
        for start in range(0, len(X), self.batch):
            rows = slice(start, start + self.batch)
            self.model.partial_fit(X[rows], y[rows], **first)
            first = {}
            self.fits += 1
        self.rows_learnt += len(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        if self.river:
            answers = [self.model.predict_one(x) for x in as_dicts(X, self.names)]
            return as_labels(answers, self.unknown)
        if self.is_unsure():
            return say_among(self.model, X, sorted(self.classes_seen))
        return self.model.predict(X)

    def is_unsure(self) -> bool:
        """Whether the model may name a class of which it has seen too little."""
        by_bayes = hasattr(self.model, "predict_joint_log_proba")
        return by_bayes or len(self.classes_seen) < self.classes

    def predict_proba(self, X: np.ndarray, classes: int, **extra: np.ndarray) -> np.ndarray:
        """Return each class's probability; a class not seen so far has none."""
        if self.river or not self.is_unsure():
            return super().predict_proba(X, classes, **extra)
        return probabilities_among(self.model, X, classes, sorted(self.classes_seen))

    def learn(self, X: np.ndarray, y: np.ndarray) -> None:
        self.rows_learnt += len(X)
        if self.river:
            self.fits += len(X)
            for x, label in zip(as_dicts(X, self.names), y.tolist(), strict=True):
                self.model.learn_one(x, label)
            return
        while len(X) >= self.stable_for:
            due = int(self.stable_for)
            parts = [*self.waiting, (X[:due], y[:due])]
            rows, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
            self.model.partial_fit(rows, labels)
            self.fits += 1
            if len(self.classes_seen) < self.classes:
                self.classes_seen.update(labels.tolist())
            self.waiting, self.stable_for = [], self.batch
            X, y = X[due:], y[due:]
        if len(X):
            self.waiting.append((X, y))
            self.stable_for -= len(X)

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        if not self.river:
            return super().learn_and_predict(X, y, learn, ask, **extra)
        rows, labels, answers = list(as_dicts(X, self.names)), y.tolist(), []
        learn_one, predict_one = self.model.learn_one, self.model.predict_one
        for learnt, asked in zip(learn.tolist(), ask.tolist(), strict=True):
            learn_one(rows[learnt], labels[learnt])
            answers.append(predict_one(rows[asked]))
        self.fits += len(learn)
        self.rows_learnt += len(learn)
        return as_labels(answers, self.unknown)
