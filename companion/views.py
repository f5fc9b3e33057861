"""What a model is shown: some columns only, and the label, its change, or its share of a column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.base

from companion.models import as_dicts, as_labels, check_weighs, last_step, weight_name
from companion.strategies import Online, Strategy


class View(sklearn.base.BaseEstimator):
    """A model that sees some columns, and may learn what the label is beside one of them.

    Parameters
    ----------
    model : scikit-learn estimator, or a model with ``partial_fit``
    columns : sequence of int
        The columns shown to the model.
    base : int, optional
        A column, such as the last known label: the model learns label minus this column, and the
        column is added to what it says.
    shares : sequence of int
        Columns in the label's unit. If there are any, they and the label are divided by the base
        instead, so that what was learnt of a small series holds for a large one. A base is taken
        for at least the smallest one above 0 of the first rows.
    weight : int, optional
        The column with how much each row counts; the model must take such weights. It learns them
        as shares of their mean in the first rows.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> X = np.array([[1.0, 10.0], [2.0, 20.0]])
    >>> View(DummyRegressor(), columns=[0], base=1).fit(X, np.array([11.0, 23.0])).predict(X)
    array([12., 22.])
    >>> View(DummyRegressor(), [0, 1], 1, [1]).fit(X, np.array([11.0, 26.0])).predict(X)
    array([12., 24.])
    """

    def __init__(
        self,
        model: Any,
        columns: Sequence[int],
        base: int | None = None,
        shares: Sequence[int] = (),
        weight: int | None = None,
    ) -> None:
        self.model, self.columns, self.base, self.shares = model, columns, base, shares
        self.weight = weight

    def __sklearn_tags__(self) -> Any:
        return sklearn.utils.get_tags(self.model)

    def fit(self, X: np.ndarray, y: np.ndarray) -> View:
        """Fit a fresh copy of the model."""
        self._start(X)
        self.fitted_.fit(self._shown(X), self._rest(X, y), **self._weights(X))
        return self

    def _start(self, X: np.ndarray) -> None:
        self.fitted_ = sklearn.base.clone(self.model)
        if self.shares:
            above = X[X[:, self.base] > 0, self.base]
            self.smallest_ = above.min() if len(above) else 1.0
        if self.weight is not None:
            self.usual_weight_ = X[:, self.weight].mean() or 1.0
            self.weight_name_ = weight_name(self.fitted_)

    def partial_fit(self, X: np.ndarray, y: np.ndarray, **classes: Any) -> View:
        """Show the model some more rows."""
        if not hasattr(self, "fitted_"):
            self._start(X)
        self.fitted_.partial_fit(self._shown(X), self._rest(X, y), **classes, **self._weights(X))
        return self

    def _weights(self, X: np.ndarray) -> dict[str, np.ndarray]:
        if self.weight is None:
            return {}
        return {self.weight_name_: X[:, self.weight] / self.usual_weight_}

    def _bases(self, X: np.ndarray) -> np.ndarray:
        return np.maximum(X[:, self.base], self.smallest_)

    def _shown(self, X: np.ndarray) -> np.ndarray:
        if self.shares:
            X = X.copy()
            X[:, self.shares] /= self._bases(X)[:, None]
        return X[:, self.columns]

    def _rest(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.base is None:
            return y
        return y / self._bases(X) if self.shares else y - X[:, self.base]

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return what the model says, in the label's unit."""
        said = self.fitted_.predict(self._shown(X))
        if self.base is None:
            return said
        return said * self._bases(X) if self.shares else said + X[:, self.base]

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return each class's probability, as the model does."""
        return self.fitted_.predict_proba(self._shown(X))

    @property
    def classes_(self) -> np.ndarray:
        """The classes that the model knows."""
        return self.fitted_.classes_


class ByRow(sklearn.base.BaseEstimator):
    """A River model behind scikit-learn's ``partial_fit`` and ``predict``.

    A number lies at most one range of the labels so far outside that range: no row can throw it.

    Examples
    --------
    >>> from river import dummy, stats
    >>> model = ByRow(dummy.StatisticRegressor(stats.Mean()))
    >>> model.partial_fit(np.zeros((2, 1)), np.array([1.0, 3.0])).predict(np.zeros((1, 1)))
    array([2.])
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def __sklearn_tags__(self) -> Any:
        from river.base import Classifier

        tags = super().__sklearn_tags__()
        is_classifier = isinstance(last_step(self.model), Classifier)
        tags.estimator_type = "classifier" if is_classifier else "regressor"
        if is_classifier:
            tags.classifier_tags = sklearn.utils.ClassifierTags()
        return tags

    def partial_fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        classes: Any = None,
        sample_weight: np.ndarray | None = None,
    ) -> ByRow:
        """Learn some rows, one by one."""
        if not hasattr(self, "learner_"):
            self.learner_ = self.model.clone()
            self.low_, self.high_ = np.inf, -np.inf
        if classes is not None:
            self.classes_ = np.asarray(classes)
        rows = zip(as_dicts(X, self._names(X)), y.tolist(), strict=True)
        if sample_weight is None:
            for x, label in rows:
                self.learner_.learn_one(x, label)
        else:
            check_weighs(self.learner_)
            for (x, label), weight in zip(rows, sample_weight.tolist(), strict=True):
                self.learner_.learn_one(x, label, w=weight)
        if len(y):
            self.low_, self.high_ = min(self.low_, y.min()), max(self.high_, y.max())
        self.newest_ = y[-1:] if len(y) else getattr(self, "newest_", np.zeros(1))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the model's answers; where it has none, the newest label."""
        said = [self.learner_.predict_one(x) for x in as_dicts(X, self._names(X))]
        answers = as_labels(said, self.newest_[0])
        if hasattr(self, "classes_"):
            return answers
        reach = self.high_ - self.low_
        return np.clip(answers, self.low_ - reach, self.high_ + reach)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return each class's probability, shape (n, classes)."""
        shares = [self.learner_.predict_proba_one(x) for x in as_dicts(X, self._names(X))]
        codes = self.classes_.tolist()
        return np.array([[share.get(code, 0.0) for code in codes] for share in shares])

    @staticmethod
    def _names(X: np.ndarray) -> list[str]:
        return [f"x{i}" for i in range(X.shape[1])]


class OnlineAfterFit(Online):
    """Online learning row by row, the warm-up learnt at once.

    Parameters
    ----------
    model : model with ``partial_fit``
    batch : int
        Labels collected before one ``partial_fit``, after the warm-up (1 is row by row).

    Examples
    --------
    >>> from companion.lines import FadingLine
    >>> strategy = OnlineAfterFit(FadingLine(ridge=1e-6))
    >>> strategy.fit(np.arange(9.0)[:, None], np.arange(9.0))
    >>> strategy.predict(np.array([[4.0]])).round(3), strategy.fits
    (array([4.]), 1)
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        """Learn the warm-up in one call."""
        batch, self.batch = self.batch, max(1, len(X))
        super().fit(X, y)
        self.batch = self.stable_for = batch


class Column(Strategy):
    """Repeats a column: memory is a prediction, such as the last known label.

    Parameters
    ----------
    columns : sequence of int
        One column; for three or more classes, one for each class, of which the largest counts.

    Examples
    --------
    >>> Column([1]).predict(np.array([[0.0, 5.0], [0.0, 7.0]]))
    array([5., 7.])
    """

    stable_for = math.inf
    frozen = True
    instant = True

    def __init__(self, columns: Sequence[int]) -> None:
        self.columns, self.classes = list(columns), 0

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Take the number of classes."""
        self.classes = classes

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        """Learn nothing; note how large the errors on the second half of the rows are."""
        half = slice(len(X) // 2, len(X))
        self.trial_loss = float(self.losses(y[half], self.predict(X[half])).mean())

    def losses(self, y: np.ndarray, said: np.ndarray) -> np.ndarray:
        """Return the loss of each row."""
        return np.abs(y - said) if not self.classes else (y != said).astype(float)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the column, or the class whose column is largest."""
        values = X[:, self.columns]
        if not self.classes:
            return values[:, 0].copy()
        if self.classes == 2:
            return (values[:, 0] > 0.5).astype(np.int64)
        return values.argmax(axis=1)

    def predict_proba(self, X: np.ndarray, classes: int, **extra: np.ndarray) -> np.ndarray:
        """Return the shares that the columns hold."""
        values = X[:, self.columns]
        return np.column_stack([1 - values[:, 0], values[:, 0]]) if classes == 2 else values
