"""Strategies: how a model meets time.

A strategy is fitted once on the warm-up rows. From then on it is asked for predictions, and it
is told labels when they arrive. What it does with a label is all that tells it from the others.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from typing import Any

import numpy as np
import sklearn.base


class Strategy:
    """What every strategy can do. To write your own, subclass it and give it three methods.

    ``fit(X, y)`` takes the warm-up rows, ``predict(X)`` returns one prediction a row, and
    ``learn(X, y)`` takes labels in the order in which they arrive.

    Attributes
    ----------
    horizon : float
        How many more labels can arrive before the predictions may change. ``inf`` means never,
        1 means after any label. It lets an evaluation predict whole blocks of rows at once and
        still get what a loop row by row would give.
    needs : tuple of str
        Names of what ``fit``, ``predict`` and ``learn`` also want, as keyword arguments:
        ``"row"`` is each row's position in the stream.
    starts_cold : bool
        Whether it can predict before it has seen a single label.
    fits, rows_learnt : int
        The work done so far: changes of the model, and rows it was shown.
    """

    needs: tuple[str, ...] = ()
    horizon: float = 1
    starts_cold = False
    fits = 0
    rows_learnt = 0

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        """Learn the warm-up rows: ``X`` of shape (n, d), ``y`` of shape (n,)."""
        raise NotImplementedError

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the predictions for ``X`` of shape (n, d), in shape (n,)."""
        raise NotImplementedError

    def learn(self, X: np.ndarray, y: np.ndarray) -> None:
        """Take labels that have just arrived."""

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray
    ) -> np.ndarray:
        """For each k: learn row ``learn[k]``, then predict row ``ask[k]``."""
        answers = []
        for told, asked in zip(learn.tolist(), ask.tolist(), strict=True):
            self.learn(X[told : told + 1], y[told : told + 1])
            answers.append(self.predict(X[asked : asked + 1])[0])
        return np.array(answers)

    def fresh(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, its model seeded if it draws random numbers."""
        twin = copy.deepcopy(self)
        if hasattr(twin, "model"):
            twin.model = fresh_model(twin.model, seed)
        return twin

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another result."""
        return hasattr(self, "model") and bool(seed_names(self.model))


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

    KINDS = ("no-change", "mean", "majority", "rolling", "seasonal")

    def __init__(self, kind: str, rows: int | None = None) -> None:
        if kind not in self.KINDS:
            raise ValueError(f"there is no baseline {kind!r}; choose from {', '.join(self.KINDS)}")
        if kind in ("rolling", "seasonal") and (rows is None or rows < 1):
            raise ValueError(f"the {kind} baseline needs rows, at least 1; it got {rows}")
        self.kind, self.rows = kind, rows
        self.horizon = math.inf if kind in ("mean", "majority") else 1
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
        if self.horizon == 1:
            self.labels.extend(y.tolist())

    def predict(self, X: np.ndarray, row: np.ndarray | None = None) -> np.ndarray:
        if self.kind == "seasonal":
            newest = self.labels[-1]
            return np.array([self.by_phase.get(r, newest) for r in (row % self.rows).tolist()])
        if self.kind in ("no-change", "rolling"):
            self.value = np.mean(self.labels) if self.kind == "rolling" else self.labels[-1]
        return np.full(len(X), self.value)

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray
    ) -> np.ndarray:
        if self.kind != "no-change":
            return super().learn_and_predict(X, y, learn, ask)
        self.labels.append(y[learn[-1]])
        return y[learn]


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

    horizon = math.inf

    def __init__(self, model: Any) -> None:
        self.model = must_have(model, "fit", "predict", what="Static")

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.model.fit(X, y)
        self.fits, self.rows_learnt = 1, len(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)


class Scheduled(Strategy):
    """Fit again from scratch after every ``every`` labels, on the newest ``window`` rows.

    Parameters
    ----------
    model : scikit-learn estimator or pipeline
    every : int
        Labels between two fits.
    window : int, optional
        Rows to fit on; all rows so far (an expanding window) if it is not given.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> strategy = Scheduled(DummyRegressor(), every=2, window=2)
    >>> strategy.fit(np.zeros((2, 1)), np.array([1.0, 3.0]))
    >>> strategy.learn(np.zeros((2, 1)), np.array([5.0, 7.0]))
    >>> strategy.predict(np.zeros((1, 1)))
    array([6.])
    """

    def __init__(self, model: Any, every: int, window: int | None = None) -> None:
        if every < 1:
            raise ValueError(f"every is {every}; a schedule needs at least 1 label between fits")
        if window is not None and window < 1:
            raise ValueError(f"window is {window}; give at least 1 row, or None for all rows")
        self.model = must_have(model, "fit", "predict", what="Scheduled")
        self.every, self.window = every, window

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.seen: list[tuple[np.ndarray, np.ndarray]] = [(X, y)]
        self._refit()

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)

    def learn(self, X: np.ndarray, y: np.ndarray) -> None:
        while len(X) >= self.horizon:
            due = int(self.horizon)
            self.seen.append((X[:due], y[:due]))
            self._refit()
            X, y = X[due:], y[due:]
        if len(X):
            self.seen.append((X, y))
            self.horizon -= len(X)

    def _refit(self) -> None:
        X = np.concatenate([part for part, _ in self.seen])
        y = np.concatenate([part for _, part in self.seen])
        if self.window is not None:
            X, y = X[-self.window :], y[-self.window :]
        self.seen = [(X, y)]
        self.model.fit(X, y)
        self.fits += 1
        self.rows_learnt += len(X)
        self.horizon = self.every


class Online(Strategy):
    """Learn each label as it arrives.

    Parameters
    ----------
    model : River model or pipeline, or scikit-learn estimator with ``partial_fit``
    features : sequence of str, optional
        Names for the columns; River models take dicts. ``x0, x1, …`` if not given.
    batch : int
        For scikit-learn: labels collected before one ``partial_fit`` (1 is row by row).

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
        self.model, self.features, self.batch = model, features, batch
        self.horizon, self.starts_cold = batch, self.river

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.names = list(self.features or (f"x{i}" for i in range(X.shape[1])))
        if self.river:
            self.learn(X, y)
            return
        self.waiting: list[tuple[np.ndarray, np.ndarray]] = []
        is_classifier = sklearn.base.is_classifier(self.model)
        first = {"classes": np.unique(y)} if is_classifier else {}
        for start in range(0, len(X), self.batch):
            part = slice(start, start + self.batch)
            self.model.partial_fit(X[part], y[part], **first)
            first = {}
            self.fits += 1
        self.rows_learnt += len(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        if not self.river:
            return self.model.predict(X)
        return as_labels([self.model.predict_one(x) for x in as_dicts(X, self.names)])

    def learn(self, X: np.ndarray, y: np.ndarray) -> None:
        self.rows_learnt += len(X)
        if self.river:
            self.fits += len(X)
            for x, label in zip(as_dicts(X, self.names), y.tolist(), strict=True):
                self.model.learn_one(x, label)
            return
        while len(X) >= self.horizon:
            due = int(self.horizon)
            parts = [*self.waiting, (X[:due], y[:due])]
            self.model.partial_fit(*(np.concatenate(column) for column in zip(*parts, strict=True)))
            self.fits += 1
            self.waiting, self.horizon = [], self.batch
            X, y = X[due:], y[due:]
        if len(X):
            self.waiting.append((X, y))
            self.horizon -= len(X)

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray
    ) -> np.ndarray:
        if not self.river:
            return super().learn_and_predict(X, y, learn, ask)
        rows, labels, answers = list(as_dicts(X, self.names)), y.tolist(), []
        for told, asked in zip(learn.tolist(), ask.tolist(), strict=True):
            self.model.learn_one(rows[told], labels[told])
            answers.append(self.model.predict_one(rows[asked]))
        self.fits += len(learn)
        self.rows_learnt += len(learn)
        return as_labels(answers)


def as_dicts(X: np.ndarray, names: list[str]) -> Any:
    """Yield each row as the dict that River wants."""
    return (dict(zip(names, row, strict=False)) for row in X.tolist())


def as_labels(answers: list[Any]) -> np.ndarray:
    """Turn River's answers into an array; a classifier that has seen nothing says -1."""
    return np.array([-1 if answer is None else answer for answer in answers])


def must_have(model: Any, *methods: str, what: str) -> Any:
    """Return the model, or say which method it lacks."""
    for method in methods:
        if not hasattr(model, method):
            raise TypeError(
                f"{what} cannot use {type(model).__name__}: it has no {method}; "
                "give it a scikit-learn estimator or pipeline"
            )
    return model


def seed_names(model: Any) -> list[str]:
    """Return the names of a model's parameters that hold a seed."""
    if hasattr(model, "get_params"):
        return [n for n in model.get_params() if n.split("__")[-1] == "random_state"]
    steps = getattr(model, "steps", None)
    last = list(steps.values())[-1] if steps else model
    return ["seed"] if hasattr(last, "seed") else []


def fresh_model(model: Any, seed: int | None) -> Any:
    """Return an unfitted copy of a model, with the seed set wherever it takes one."""
    names = seed_names(model) if seed is not None else []
    if hasattr(model, "get_params"):
        return sklearn.base.clone(model).set_params(**dict.fromkeys(names, seed))
    if not hasattr(model, "clone"):
        return copy.deepcopy(model)
    if not names:
        return model.clone()
    steps = getattr(model, "steps", None)
    if steps:
        return model.clone({list(steps)[-1]: {"seed": seed}})
    return model.clone({"seed": seed})
