"""A frozen model, and an online model of its errors."""

from __future__ import annotations

import numpy as np

from companion.hybrids.base import Hybrid, columns_for, row_slice, rows_of
from companion.strategies import Strategy


class Residual(Hybrid):
    """A main model and an online model of its errors, added up (regression).

    Parameters
    ----------
    main : Strategy
        Usually ``Static``.
    corrector : Strategy
        Usually ``Online``; it learns label minus main prediction.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from companion.strategies import Baseline, Static
    >>> strategy = Residual(Static(DummyRegressor()), Baseline("no-change"))
    >>> strategy.fit(np.zeros((2, 1)), np.array([1.0, 3.0]))
    >>> strategy.learn(np.zeros((1, 1)), np.array([7.0]))
    >>> strategy.predict(np.zeros((1, 1)))
    array([7.])
    """

    def __init__(self, main: Strategy, corrector: Strategy) -> None:
        self.main, self.corrector = main, corrector

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Refuse classes: errors of classes cannot be added up."""
        if classes:
            raise ValueError("Residual adds up numbers; for classes use Blend or PerKey")
        super().set_schema(features, classes)

    @property
    def stable_for(self) -> float:
        """The sooner of its parts' horizons."""
        return min(self.main.stable_for, self.corrector.stable_for)

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        own = columns_for(self.main, extra)
        self.main.fit(X, y, **own)
        rest = y - self.main.predict(X, **own)
        self.corrector.fit(X, rest, **columns_for(self.corrector, extra))

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        main = self.main.predict(X, **columns_for(self.main, extra))
        return main + self.corrector.predict(X, **columns_for(self.corrector, extra))

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        own, other = columns_for(self.main, extra), columns_for(self.corrector, extra)
        for k in range(len(X)):
            row = row_slice(k)
            rest = y[row] - self.main.predict(X[row], **rows_of(own, row))
            self.corrector.learn(X[row], rest, **rows_of(other, row))
            if not self.main.frozen:
                self.main.learn(X[row], y[row], **rows_of(own, row))

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        if not self.main.frozen:
            return super().learn_and_predict(X, y, learn, ask, **extra)
        main = self.main.predict(X, **columns_for(self.main, extra))
        other = columns_for(self.corrector, extra)
        return main[ask] + self.corrector.learn_and_predict(X, y - main, learn, ask, **other)
