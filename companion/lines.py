"""Lines that learn row by row and cannot fall over.

Both keep weighted sums of squares and products instead of taking steps of a chosen size. Old rows
fade at a half-life. Every solution is a ridge regression in which each column counts in units of
its own spread, so that neither a column that never changes nor one with huge numbers can throw it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

FAR = 8.0  # spreads from the mean at which a feature is cut off


class Sums:
    """Faded sums over rows: of 1, of each column, and of all products of two columns.

    Examples
    --------
    >>> sums = Sums(np.zeros(1), fade=1.0)
    >>> sums.add(np.array([[1.0], [3.0]]), np.ones(2))
    >>> sums.mean.tolist(), sums.spread.tolist()
    ([2.0], [1.0])
    """

    def __init__(self, centre: np.ndarray, fade: float) -> None:
        self.centre, self.fade = centre, fade
        self.products = np.zeros((len(centre) + 1, len(centre) + 1))

    def add(self, X: np.ndarray, weights: np.ndarray) -> None:
        """Fade all sums and add rows."""
        with_one = self.with_one(X)
        self.products *= self.fade ** len(X)
        self.products += (with_one.T * weights) @ with_one
        count = self.products[0, 0]
        self.mean = self.products[0, 1:] / count
        variance = np.diagonal(self.products)[1:] / count - self.mean**2
        self.spread = np.sqrt(np.maximum(variance, 0))
        size = np.abs(self.mean) + np.abs(self.centre)
        self.dead = self.spread <= 1e-9 * size + 1e-300
        self.spread[self.dead] = 1.0

    def with_one(self, X: np.ndarray) -> np.ndarray:
        """Return the rows about the centre, after a column of ones."""
        out = np.ones((len(X), X.shape[1] + 1))
        np.subtract(X, self.centre, out=out[:, 1:])
        return out

    def cut(self, X: np.ndarray, dead_reach: float = 0.0) -> np.ndarray:
        """Return the rows with what lies far from the mean cut off.

        A dead column says nothing, so a prediction takes it for its mean. What is learnt reaches
        further: the row in which it changes for the first time brings it to life.
        """
        reach = np.where(self.dead, dead_reach, FAR * self.spread)
        middle = self.mean + self.centre
        return np.minimum(np.maximum(X, middle - reach), middle + reach)


def fading(half_life: float | None) -> float:
    """Return by how much a row fades with each newer one."""
    return 1.0 if half_life is None else 0.5 ** (1 / half_life)


def ages(fade: float, rows: int) -> np.ndarray:
    """Return the weight of each of some rows once all have come."""
    return fade ** np.arange(rows - 1, -1, -1)


class FadingLine(RegressorMixin, BaseEstimator):
    """Least squares after every row (recursive least squares), old rows fading.

    Parameters
    ----------
    half_life : float, optional
        Rows after which a row counts half; no fading if not given.
    ridge : float
        How strongly coefficients are held near zero, in rows.
    robust : bool
        Weigh a row down as its error grows beyond half the usual error, which leads to the
        median instead of the mean.

    Notes
    -----
    A prediction lies at most one range of the labels outside that range.

    Examples
    --------
    >>> X = np.arange(20.0)[:, None]
    >>> line = FadingLine(ridge=1e-6).fit(X, 2 * X[:, 0] + 1)
    >>> line.predict(np.array([[10.0]])).round(3)
    array([21.])
    >>> line.partial_fit(np.array([[20.0]]), np.array([41.0])).predict(np.array([[21.0]])).round(3)
    array([43.])
    """

    def __init__(
        self, half_life: float | None = None, ridge: float = 1.0, robust: bool = False
    ) -> None:
        self.half_life, self.ridge, self.robust = half_life, ridge, robust

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> FadingLine:
        """Forget everything and learn some rows."""
        given = np.ones(len(y)) if sample_weight is None else sample_weight
        self.sums_ = Sums(X.mean(axis=0), fading(self.half_life))
        self.label_products_ = np.zeros(X.shape[1] + 1)
        self.low_, self.high_, self.usual_error_ = float(y.min()), float(y.max()), 0.0
        weights = given
        for _ in range(5 if self.robust else 1):
            self.sums_.products[:] = 0
            self.label_products_[:] = 0
            self._add(X, y, weights * ages(self.sums_.fade, len(y)))
            errors = np.abs(y - self.predict(X))
            self.usual_error_ = float(errors.mean())
            weights = given * self._weights(errors)
        return self

    def partial_fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> FadingLine:
        """Learn some more rows."""
        if not hasattr(self, "sums_"):
            return self.fit(X, y, sample_weight)
        errors = np.abs(y - self.predict(X))
        age = ages(self.sums_.fade, len(y)) * (1.0 if sample_weight is None else sample_weight)
        for error in errors.tolist():
            self.usual_error_ += 0.02 * (error - self.usual_error_)
        self.low_, self.high_ = min(self.low_, y.min()), max(self.high_, y.max())
        self._add(self.sums_.cut(X, np.inf), y, self._weights(errors) * age)
        return self

    def _weights(self, errors: np.ndarray) -> np.ndarray:
        if not self.robust or self.usual_error_ == 0:
            return np.ones(len(errors))
        small = 0.5 * self.usual_error_
        return small / np.maximum(errors, small)

    def _add(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> None:
        self.sums_.add(X, weights)
        self.label_products_ *= self.sums_.fade ** len(y)
        self.label_products_ += (self.sums_.with_one(X).T * weights) @ y
        self.coef_ = None

    def _solve(self) -> None:
        sums, count = self.sums_, self.sums_.products[0, 0]
        covariance = sums.products[1:, 1:] / count - np.outer(sums.mean, sums.mean)
        correlation = covariance / np.outer(sums.spread, sums.spread)
        correlation.flat[:: len(correlation) + 1] += self.ridge / count + 1e-9
        level = self.label_products_[0] / count
        with_label = (self.label_products_[1:] / count - sums.mean * level) / sums.spread
        with_label[sums.dead] = 0.0
        self.coef_ = np.linalg.solve(correlation, with_label) / sums.spread
        self.intercept_ = level - sums.mean @ self.coef_ - sums.centre @ self.coef_

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the line's value for each row, shape (n,)."""
        if self.coef_ is None:
            self._solve()
        said = self.sums_.cut(X) @ self.coef_ + self.intercept_
        reach = self.high_ - self.low_
        return np.minimum(np.maximum(said, self.low_ - reach), self.high_ + reach)


class FadingLogit(ClassifierMixin, BaseEstimator):
    """Logistic regression for two or more classes, a Newton step with every call.

    Parameters
    ----------
    half_life : float, optional
        Rows after which a row counts half; no fading if not given.
    ridge : float
        How strongly coefficients are held near zero, in rows.

    References
    ----------
    Böhning (1992), Multinomial logistic regression algorithm. Annals of the Institute of
    Statistical Mathematics 44.

    Examples
    --------
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> FadingLogit().fit(X, np.array([0, 0, 1, 1])).predict(X)
    array([0, 0, 1, 1])
    """

    def __init__(self, half_life: float | None = None, ridge: float = 1.0) -> None:
        self.half_life, self.ridge = half_life, ridge

    def partial_fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        classes: Any = None,
        sample_weight: np.ndarray | None = None,
    ) -> FadingLogit:
        """Learn some rows; the first call must name all classes, or hold a row of each."""
        given = np.ones(len(y)) if sample_weight is None else sample_weight
        if not hasattr(self, "classes_"):
            classes = np.unique(y) if classes is None else np.asarray(classes)
            return self._start(X, y, classes, given)
        if len(y):
            self._step(X, np.searchsorted(self.classes_, y), given)
        return self

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> FadingLogit:
        """Forget everything and learn some rows."""
        given = np.ones(len(y)) if sample_weight is None else sample_weight
        return self._start(X, y, np.unique(y), given)

    def _start(
        self, X: np.ndarray, y: np.ndarray, classes: np.ndarray, given: np.ndarray
    ) -> FadingLogit:
        from sklearn.linear_model import LogisticRegression

        self.classes_ = classes
        self.sums_ = Sums(X.mean(axis=0), fading(self.half_life))
        age = ages(self.sums_.fade, len(y)) * given
        self.sums_.add(X, age)
        self.weights_ = np.zeros((X.shape[1] + 1, len(classes)))
        seen = np.unique(y)
        if len(seen) > 1:
            Z = (self.sums_.cut(X) - self.sums_.centre - self.sums_.mean) / self.sums_.spread
            line = LogisticRegression(C=1 / self.ridge, max_iter=300).fit(Z, y, sample_weight=age)
            coef, level = line.coef_, line.intercept_
            if len(seen) == 2:
                coef, level = np.vstack([-coef, coef]) / 2, np.array([-level[0], level[0]]) / 2
            where = np.searchsorted(classes, seen)
            coef = coef / self.sums_.spread
            self.weights_[0] = level.min() - 5
            self.weights_[1:, where] = coef.T
            self.weights_[0, where] = level - coef @ self.sums_.mean
        else:
            self.weights_[0] = np.where(classes == seen[0], 3.0, -3.0)
        shares = self.predict_proba(X)
        self.curves_ = self._curves(self.sums_.cut(X), age * self._curve(shares))
        return self

    def _curves(self, X: np.ndarray, weights: np.ndarray) -> np.ndarray:
        with_one = self.sums_.with_one(X)
        return (with_one.T * weights) @ with_one

    @staticmethod
    def _curve(shares: np.ndarray) -> np.ndarray:
        return np.maximum((1 - (shares**2).sum(axis=1)) / 2, 0.02)

    def _step(self, X: np.ndarray, codes: np.ndarray, given: np.ndarray) -> None:
        shares = self.predict_proba(X)
        X, weights = self.sums_.cut(X, np.inf), given * ages(self.sums_.fade, len(X))
        self.sums_.add(X, weights)
        self.curves_ *= self.sums_.fade ** len(X)
        self.curves_ += self._curves(X, weights * self._curve(shares))
        held = self.curves_.copy()
        held.flat[:: len(held) + 1] += self.ridge * np.r_[0.01, self.sums_.spread**2]
        wrong = np.eye(len(self.classes_))[codes] - shares
        gradient = self.sums_.with_one(X).T @ (wrong * weights[:, None])
        self.weights_ += np.linalg.solve(held, gradient)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return each class's probability, shape (n, classes)."""
        scores = self.sums_.with_one(self.sums_.cut(X)) @ self.weights_
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the likeliest class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
