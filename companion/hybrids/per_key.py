"""One shared model, and a small online model for each key."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from companion.hybrids.base import Hybrid, columns_for, row_slice, rows_of
from companion.strategies import Strategy


def rows_by_key(keys: np.ndarray) -> dict[Any, list[int]]:
    """Return the rows of each key, the keys in the order of their first rows.

    >>> rows_by_key(np.array(["bob", "ann", "bob"]))
    {'bob': [0, 2], 'ann': [1]}
    """
    found: dict[Any, list[int]] = {}
    for k, key in enumerate(keys.tolist()):
        found.setdefault(key, []).append(k)
    return found


def rest_of(y: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return what was missed, without the last bits of the numbers it comes from.

    A linear model's last bits hang on how many rows it answers at once. A personal model that
    starts with two equal labels would take them for a spread, and divide by it.

    >>> first, second = rest_of(np.array([0.3, 0.3]), np.array([0.1, 0.1 + 1e-16]))
    >>> 0.3 - 0.1 == 0.3 - (0.1 + 1e-16), first == second
    (False, np.True_)
    """
    unit = np.exp2(np.frexp(np.abs(y) + np.abs(said))[1] - 40.0)
    return np.round((y - said) / unit) * unit


class PerKey(Hybrid):
    """One shared model, and a small online model for each patient, machine or user.

    For numbers the personal model learns what the shared one gets wrong, and the two are added.
    For classes the personal model takes over once it has seen enough labels of its key.

    Parameters
    ----------
    shared : Strategy
        Usually ``Static``.
    personal : Strategy
        The pattern of the personal models, usually ``Online``; each key gets a copy of its own.
    after : int
        Labels of a key before its personal model counts (a cold start is left to the shared one).

    Examples
    --------
    >>> from companion.strategies import Baseline, Static
    >>> from sklearn.dummy import DummyRegressor
    >>> strategy = PerKey(Static(DummyRegressor()), Baseline("no-change"), after=1)
    >>> strategy.fit(np.zeros((2, 1)), np.array([1.0, 3.0]), key=np.array(["ann", "bob"]))
    >>> strategy.predict(np.zeros((3, 1)), key=np.array(["ann", "bob", "eve"]))
    array([1., 3., 2.])
    """

    def __init__(self, shared: Strategy, personal: Strategy, after: int = 1) -> None:
        if after < 1:
            raise ValueError(f"after is {after}; a personal model needs at least 1 label")
        self.shared, self.pattern, self.after = shared, personal, after
        self._forget()

    @property
    def needs(self) -> tuple[str, ...]:
        """The key, and what the parts need."""
        return tuple(dict.fromkeys(["key", *super().needs]))

    @property
    def fits(self) -> int:
        """Changes of the shared and of all personal models."""
        return self.shared.fits + sum(model.fits for model in self.personal.values())

    @property
    def rows_learnt(self) -> int:
        """Rows shown to the shared and to all personal models."""
        return self.shared.rows_learnt + sum(model.rows_learnt for model in self.personal.values())

    def _forget(self) -> None:
        self.personal: dict[Any, Strategy] = {}
        self.counts: dict[Any, int] = {}

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        self._forget()
        self.shared.fit(X, y, **columns_for(self.shared, extra))
        self._personal(X, y, extra)

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        out = self.shared.predict(X, **columns_for(self.shared, extra))
        own = columns_for(self.pattern, extra)
        for key, rows in rows_by_key(extra["key"]).items():
            if self.counts.get(key, 0) >= self.after:
                said = self.personal[key].predict(X[rows], **rows_of(own, rows))
                if self.task == "regression":
                    out[rows] = out[rows] + said
                else:
                    out[rows] = np.where(said >= 0, said, out[rows])
        return out

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        if self.shared.frozen:
            self._personal(X, y, extra)
            return
        for row in map(row_slice, range(len(X))):
            self._personal(X[row], y[row], rows_of(extra, row))
            own = columns_for(self.shared, rows_of(extra, row))
            self.shared.learn(X[row], y[row], **own)

    def _personal(self, X: np.ndarray, y: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        rest = y
        if self.task == "regression":
            rest = rest_of(y, self.shared.predict(X, **columns_for(self.shared, extra)))
        self._tell(X, rest, extra)

    def _tell(self, X: np.ndarray, rest: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        own = columns_for(self.pattern, extra)
        for key, rows in rows_by_key(extra["key"]).items():
            given = X[rows], rest[rows]
            if key in self.personal:
                self.personal[key].learn(*given, **rows_of(own, rows))
            else:
                self.personal[key] = copy.deepcopy(self.pattern)
                self.personal[key].fit(*given, **rows_of(own, rows))
            self.counts[key] = self.counts.get(key, 0) + len(rows)

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        if not self.shared.frozen or self.task != "regression":
            return super().learn_and_predict(X, y, learn, ask, **extra)
        shared = self.shared.predict(X, **columns_for(self.shared, extra))
        rest, out, keys = rest_of(y, shared), shared[ask], extra["key"].tolist()
        for k, (learnt, asked) in enumerate(zip(learn.tolist(), ask.tolist(), strict=True)):
            row, wanted = row_slice(learnt), row_slice(asked)
            self._tell(X[row], rest[row], rows_of(extra, row))
            key = keys[asked]
            if self.counts.get(key, 0) >= self.after:
                own = rows_of(columns_for(self.pattern, extra), wanted)
                out[k] += self.personal[key].predict(X[wanted], **own)[0]
        return out
