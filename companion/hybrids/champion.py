"""A champion answers; challengers prove themselves in its shadow."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np

from companion.hybrids.base import Hybrid, columns_for, rows_of
from companion.intervals import block_bootstrap_interval
from companion.strategies import Strategy, one_class


class ChampionChallenger(Hybrid):
    """A champion answers; challengers must prove themselves in its shadow before they may.

    After every ``every`` labels a challenger is fitted on the newest ``window`` rows. For
    ``shadow`` labels both predict, and only the champion's answers count. At the gate the
    challenger is promoted if it made the smaller errors and the interval of the difference is
    clear of zero. For another ``shadow`` labels the old champion is kept: if it turns out clearly
    better, the swap is rolled back.

    Parameters
    ----------
    champion, challenger : Strategy
        ``challenger`` is the pattern; each challenger is a fresh copy of it.
    every, window, shadow : int
        In labels.
    level : float
        Of the gate's interval.

    Examples
    --------
    >>> from companion.strategies import Static
    >>> from sklearn.dummy import DummyRegressor
    >>> mean = Static(DummyRegressor())
    >>> strategy = ChampionChallenger(mean, mean, every=10, window=10, shadow=10)
    >>> strategy.fit(np.zeros((20, 1)), np.zeros(20))
    >>> strategy.learn(np.zeros((25, 1)), np.full(25, 5.0))
    >>> strategy.predict(np.zeros((1, 1))), strategy.events
    (array([5.]), ((10, 'challenger'), (20, 'promoted')))
    """

    def __init__(
        self,
        champion: Strategy,
        challenger: Strategy,
        *,
        every: int,
        window: int,
        shadow: int,
        level: float = 0.9,
    ) -> None:
        if min(every, window, shadow) < 1:
            raise ValueError(
                f"every {every}, window {window}, shadow {shadow}: each needs at least 1 label"
            )
        self.champion, self.pattern = champion, challenger
        self.every, self.window, self.shadow, self.level = every, window, shadow, level
        self._forget()

    @property
    def needs(self) -> tuple[str, ...]:
        """What champion and challengers need, one that waits to be called back included."""
        return tuple(dict.fromkeys([*super().needs, *self.pattern.needs]))

    @property
    def stable_for(self) -> float:
        """Labels to the next decision, or to the champion's own next change."""
        left = self.left + (self.shadow if self.phase == "waiting" else 0)
        return min(left, self.champion.stable_for)

    def members(self) -> list[Strategy]:
        """Return those in office or in the shadow; retired ones are counted apart."""
        return [member for member in (self.champion, self.rival) if member is not None]

    @property
    def fits(self) -> int:
        """Changes of all, retired ones included."""
        return self.gone[0] + sum(member.fits for member in self.members())

    @property
    def rows_learnt(self) -> int:
        """Rows shown to all, retired ones included."""
        return self.gone[1] + sum(member.rows_learnt for member in self.members())

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another result."""
        return self.champion.is_random or self.pattern.is_random

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Tell champion and pattern what the stream knows."""
        super().set_schema(features, classes)
        self.pattern.set_schema(features, classes)

    def _forget(self) -> None:
        self.rival: Strategy | None = None
        self.gone = [0, 0]

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        self._forget()
        self.champion.fit(X, y, **columns_for(self.champion, extra))
        self.seen = [(X, y, extra)]
        self._enter("waiting", self.every)

    def _enter(self, phase: str, labels: int) -> None:
        self.phase, self.left = phase, labels
        self.pairs: list[np.ndarray] = []

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        return self.champion.predict(X, **columns_for(self.champion, extra))

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        start = 0
        while start < len(X):
            step = min(self.left, len(X) - start)
            if any(not member.frozen for member in self.members()):
                step = 1
            rows = slice(start, start + step)
            self._take(X[rows], y[rows], rows_of(extra, rows))
            start += step

    def _take(self, X: np.ndarray, y: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        losses = []
        for member in self.members():
            own = columns_for(member, extra)
            losses.append(self.losses(y, member.predict(X, **own)))
            if not member.frozen:
                member.learn(X, y, **own)
        if self.rival is not None:
            self.pairs.append(losses[1] - losses[0])
        self.seen.append((X, y, extra))
        self.labels_seen, self.left = self.labels_seen + len(X), self.left - len(X)
        if self.left == 0:
            {"waiting": self._challenge, "shadow": self._gate, "probation": self._confirm}[
                self.phase
            ]()

    def _newest(self) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Return the newest window of rows, and forget the older ones."""
        X, y = (np.concatenate([seen[i] for seen in self.seen])[-self.window :] for i in (0, 1))
        extra = {
            name: np.concatenate([seen[2][name] for seen in self.seen])[-self.window :]
            for name in self.needs
        }
        self.seen = [(X, y, extra)]
        return X, y, extra

    def _challenge(self) -> None:
        X, y, extra = self._newest()
        rival = copy.deepcopy(self.pattern)
        try:
            rival.fit(X, y, **columns_for(rival, extra))
        except ValueError:
            if y.dtype.kind != "i" or len(np.unique(y)) > 1:
                raise
            self.note(one_class(len(y)))
            self._enter("waiting", self.every)
            return
        self.rival = rival
        self.note("challenger")
        self._enter("shadow", self.shadow)

    def _rival_wins(self) -> bool:
        """Whether the rival's errors are smaller, the interval clear of zero."""
        gap = np.concatenate(self.pairs)
        return block_bootstrap_interval(gap, level=self.level, resamples=500)[1] < 0

    def _gate(self) -> None:
        if self._rival_wins():
            self.champion, self.rival = self.rival, self.champion
            self.note("promoted")
            self._enter("probation", self.shadow)
        else:
            self.note("refused")
            self._dismiss()

    def _confirm(self) -> None:
        if self._rival_wins():
            self.champion, self.rival = self.rival, self.champion
            self.note("rolled back")
        self._dismiss()

    def _dismiss(self) -> None:
        self.gone = [self.gone[0] + self.rival.fits, self.gone[1] + self.rival.rows_learnt]
        self.rival = None
        self._enter("waiting", self.every)
