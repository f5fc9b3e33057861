"""Refit when a drift detector fires."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from companion.metrics import LOSSES
from companion.models import must_have, refit, started_cold
from companion.strategies import Strategy, one_class


class Triggered(Strategy):
    """Fit again when a drift detector fires.

    Parameters
    ----------
    model : scikit-learn estimator or pipeline
    detector : River drift detector
        Any with ``update`` and ``drift_detected``, such as ``river.drift.ADWIN()``.
    window : int
        Newest labelled rows to fit on.
    watch : {"loss", "inputs"}
        What the detector sees: the loss of each label that arrives, or each feature of each
        labelled row (one detector a feature).
    wait : int
        Labels between an alarm and the fit: at least so many rows of the new world are in the
        window (a minimum window).
    cooldown : int
        Labels after a fit in which the detectors rest.

    References
    ----------
    Gama et al. (2014), A survey on concept drift adaptation. ACM Computing Surveys 46.

    Examples
    --------
    >>> from river import drift
    >>> from sklearn.dummy import DummyRegressor
    >>> strategy = Triggered(DummyRegressor(), drift.PageHinkley(min_instances=5), window=20)
    >>> strategy.fit(np.zeros((50, 1)), np.zeros(50))
    >>> strategy.learn(np.zeros((60, 1)), np.repeat([0.0, 9.0], 30))
    >>> bool(strategy.predict(np.zeros((1, 1)))[0] > 2), strategy.events[0][1]
    (True, 'alarm')
    """

    def __init__(
        self,
        model: Any,
        detector: Any,
        window: int,
        *,
        watch: str = "loss",
        wait: int = 0,
        cooldown: int = 0,
    ) -> None:
        if not hasattr(detector, "update") or not hasattr(detector, "drift_detected"):
            raise TypeError(
                f"{type(detector).__name__} is no drift detector: it has no update and "
                "drift_detected; give one of river.drift"
            )
        if watch not in ("loss", "inputs"):
            raise ValueError(f"watch is {watch!r}; choose 'loss' or 'inputs'")
        if window < 1 or wait < 0 or cooldown < 0:
            raise ValueError(
                f"window {window}, wait {wait}, cooldown {cooldown}: "
                "the window needs at least 1 row, the others at least 0"
            )
        self.model = started_cold(must_have(model, "fit", "predict", what="Triggered"))
        self.detector, self.window, self.watch = detector, window, watch
        self.wait, self.cooldown, self.task = wait, cooldown, "regression"

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Take the kind of task: it decides which loss is watched."""
        self.task = "classification" if classes else "regression"

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.newest = deque(zip(X, y, strict=True), maxlen=self.window)
        self.model.fit(X, y)
        self.fits, self.rows_learnt = 1, len(X)
        self.rest, self.countdown = 0, None
        self._watch_anew(X.shape[1])

    def _watch_anew(self, columns: int) -> None:
        count = 1 if self.watch == "loss" else columns
        self.detectors = [self.detector.clone() for _ in range(count)]

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)

    def learn(self, X: np.ndarray, y: np.ndarray) -> None:
        answers = self.model.predict(X) if len(X) else None
        for k in range(len(X)):
            if self._take_label(X[k], y[k], answers[k]):
                answers[k + 1 :] = self.model.predict(X[k + 1 :]) if k + 1 < len(X) else []

    def _take_label(self, x: np.ndarray, y: Any, answer: Any) -> bool:
        """Take one label; return whether the model was fitted again."""
        self.labels_seen += 1
        self.newest.append((x, y))
        if self.countdown is None:
            self._look(x, LOSSES[self.task](np.array([y]), np.array([answer]))[0])
        if self.countdown == 0:
            rows, labels = zip(*self.newest, strict=True)
            model = refit(self.model, np.array(rows), np.array(labels))
            self.rest, self.countdown = self.cooldown, None
            self._watch_anew(len(x))
            if model is None:
                self.note(one_class(len(rows)))
                return False
            self.model = model
            self.fits, self.rows_learnt = self.fits + 1, self.rows_learnt + len(rows)
            self.note("fit")
            return True
        if self.countdown is not None:
            self.countdown -= 1
        return False

    def _look(self, x: np.ndarray, loss: float) -> None:
        if self.rest:
            self.rest -= 1
            return
        seen = [loss] if self.watch == "loss" else x.tolist()
        for detector, value in zip(self.detectors, seen, strict=True):
            detector.update(float(value))
        if any(detector.drift_detected for detector in self.detectors):
            self.note("alarm")
            self.countdown = self.wait

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        known = self.model.predict(X)
        answers = known[ask]
        for k, row in enumerate(learn.tolist()):
            if self._take_label(X[row], y[row], known[row]):
                known = self.model.predict(X)
                answers[k:] = known[ask[k:]]
        return answers
