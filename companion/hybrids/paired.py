"""A stable learner and a reactive one."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from companion.hybrids.base import Hybrid, row_slice
from companion.strategies import Online


class Paired(Hybrid):
    """A stable learner that remembers all, and a reactive one that remembers only the newest rows.

    The stable learner gives the predictions. When, among the newest ``window`` labels, the
    reactive one was right (or nearer) and the stable one wrong (or further off) more often than
    ``threshold``, the reactive one takes its place.

    Parameters
    ----------
    model : River model or pipeline
    window : int
        Rows that the reactive learner remembers; it learns them anew at every label.
    threshold : float
        Share of the window at which the learners are swapped.

    References
    ----------
    Bach and Maloof (2008), Paired learners for concept drift. IEEE International Conference on
    Data Mining.

    Examples
    --------
    >>> from river import dummy, stats
    >>> strategy = Paired(dummy.StatisticRegressor(stats.Mean()), window=4, threshold=0.5)
    >>> strategy.fit(np.zeros((50, 1)), np.zeros(50))
    >>> strategy.learn(np.zeros((8, 1)), np.full(8, 6.0))
    >>> bool(strategy.predict(np.zeros((1, 1)))[0] > 5)
    True
    """

    def __init__(self, model: Any, window: int = 12, threshold: float = 0.5) -> None:
        if window < 2 or not 0 < threshold <= 1:
            raise ValueError(
                f"window {window} must be at least 2 and threshold {threshold} between 0 and 1"
            )
        self.stable, self.reactive = Online(model), Online(model)
        if not self.stable.river:
            raise TypeError(f"Paired cannot use {type(model).__name__}; give it a River model")
        self.window, self.threshold, self.relearnt = window, threshold, 0

    @property
    def rows_learnt(self) -> int:
        """Rows shown to both, the reactive learner's repetitions included."""
        return self.stable.rows_learnt + self.relearnt

    @property
    def fits(self) -> int:
        """Changes of both learners."""
        return self.stable.fits + self.relearnt

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.blank, self.relearnt = copy.deepcopy(self.reactive), 0
        self.stable.fit(X, y)
        self.X, self.y = X[-self.window :], y[-self.window :]
        self.beaten: list[bool] = []
        self._relearn()

    def _relearn(self) -> None:
        self.reactive = copy.deepcopy(self.blank)
        self.reactive.fit(self.X, self.y)
        self.relearnt += len(self.X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.stable.predict(X)

    def learn(self, X: np.ndarray, y: np.ndarray) -> None:
        for k in range(len(X)):
            row = row_slice(k)
            self.labels_seen += 1
            old = self.losses(y[row], self.stable.predict(X[row]))[0]
            new = self.losses(y[row], self.reactive.predict(X[row]))[0]
            self.beaten = [*self.beaten, bool(new < old)][-self.window :]
            self.stable.learn(X[row], y[row])
            self.X = np.concatenate([self.X, X[row]])[-self.window :]
            self.y = np.concatenate([self.y, y[row]])[-self.window :]
            self._relearn()
            full = len(self.beaten) == self.window
            if full and sum(self.beaten) > self.threshold * self.window:
                self.stable.model = copy.deepcopy(self.reactive.model)
                self.beaten = []
                self.note("swap")
