"""A strategy that is chosen among several by test-then-train inside the warm-up."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from companion.evaluation import extend, run_rows, start
from companion.hybrids.base import Hybrid, columns_for, rows_of
from companion.memory import WEIGHT
from companion.strategies import Strategy
from companion.stream import Stream

Settings = Mapping[str, Strategy]
PARTS = 8  # of a trial, after each of which it may stop


class Tuned(Hybrid):
    """One of several strategies, chosen by test-then-train on the second half of the warm-up.

    The trials come in three rounds: what the model sees, with the first way to learn; the other
    ways, with what it was best to see; and what the model sees, with the best of the other ways.
    So their number is the same whatever they show. They use no rows but those of the fit. A trial
    is a race: losses only add up, so one that has lost more than the best of its round in all can
    no longer win, and stops.

    Parameters
    ----------
    choices : dict of str to dict of str to Strategy
        For each thing to see, a strategy for each way to learn; all have the same ways.
    late : int
        Rows after which a label arrives in the trials.
    most : int
        The trials use at most so many of the newest rows.

    Attributes
    ----------
    choice : str
        What was chosen, after ``fit``.
    trials : dict of (str, str) to float
        The mean loss of each trial, by what was seen and how it was learnt; infinite if it failed
        or stopped.

    Examples
    --------
    >>> from companion.strategies import Baseline
    >>> rolling = {f"{rows} labels": Baseline("rolling", rows=rows) for rows in (1, 50)}
    >>> strategy = Tuned({"labels": rolling})
    >>> strategy.fit(np.zeros((100, 1)), np.arange(100.0))
    >>> strategy.choice, strategy.events[0][1]
    ('labels, 1 labels', 'labels, 1 labels: best of 2 tried')
    """

    def __init__(self, choices: Mapping[str, Settings], late: int = 1, most: int = 10_000) -> None:
        self.choices, self.late, self.most = {k: dict(v) for k, v in choices.items()}, late, most
        self.features: tuple[str, ...] = ()
        self.classes = 0
        self.seed: int | None = None

    def members(self) -> list[Strategy]:
        """Return what was chosen; before the fit, all choices."""
        if hasattr(self, "chosen"):
            return [self.chosen]
        return [strategy for ways in self.choices.values() for strategy in ways.values()]

    def clone(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy; the trials and the choice use the seed."""
        twin = copy.copy(self)
        twin.choices = {
            seen: {how: strategy.clone(seed) for how, strategy in ways.items()}
            for seen, ways in self.choices.items()
        }
        twin.__dict__.pop("chosen", None)
        twin.seed = seed
        return twin

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Tell every choice what the stream knows."""
        super().set_schema(features, classes)
        self.features = features

    @property
    def stable_for(self) -> float:
        """As the chosen strategy."""
        return self.chosen.stable_for

    @property
    def frozen(self) -> bool:
        """Whether the chosen strategy is frozen."""
        return hasattr(self, "chosen") and self.chosen.frozen

    @property
    def events(self) -> tuple[tuple[int, str], ...]:
        """The choice, then what the chosen strategy noted."""
        if not hasattr(self, "chosen"):
            return ()
        tried = f"{self.choice}: best of {len(self.trials)} tried"
        return ((0, tried), *self.chosen.events)

    @property
    def trial_loss(self) -> float:
        """The mean loss of the choice in its trial."""
        return min(self.trials.values())

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        rows = slice(max(0, len(X) - self.most), len(X))
        trial_stream = Stream(
            "warm-up", X[rows], y[rows], self.features,
            "classification" if self.classes else "regression",
            key=extra["key"][rows] if "key" in extra else None,
            classes=tuple(map(str, range(self.classes))),
            weight=X[rows, self.features.index(WEIGHT)] if WEIGHT in self.features else None,
        )  # fmt: skip
        self.trials: dict[tuple[str, str], float] = {}
        first_way, *other_ways = next(iter(self.choices.values()))
        seen, _ = self._best([(seen, first_way) for seen in self.choices], trial_stream)
        if other_ways:
            _, way = self._best([(seen, way) for way in other_ways], trial_stream)
            self._best([(seen, way) for seen in self.choices], trial_stream)
        seen, way = min(self.trials, key=self.trials.__getitem__)
        self.choice, self.chosen = f"{seen}, {way}", self.choices[seen][way].clone(self.seed)
        self.chosen.set_schema(self.features, self.classes)
        self.chosen.fit(X, y, **columns_for(self.chosen, extra))

    def _best(self, candidates: list[tuple[str, str]], rows: Stream) -> tuple[str, str]:
        best = np.inf
        for seen, way in candidates:
            if (seen, way) not in self.trials:
                strategy = self.choices[seen][way]
                self.trials[seen, way] = trial_loss(strategy, rows, self.late, self.seed, best)
            best = min(best, self.trials[seen, way])
        return min(candidates, key=self.trials.__getitem__)

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        return self.chosen.predict(X, **columns_for(self.chosen, extra))

    def predict_proba(self, X: np.ndarray, classes: int, **extra: np.ndarray) -> np.ndarray:
        """Return each class's probability, as the chosen strategy does."""
        return self.chosen.predict_proba(X, classes, **columns_for(self.chosen, extra))

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        self.chosen.learn(X, y, **columns_for(self.chosen, extra))

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        own = columns_for(self.chosen, rows_of(extra, slice(None)))
        return self.chosen.learn_and_predict(X, y, learn, ask, **own)


def trial_loss(
    strategy: Strategy, rows: Stream, late: int, seed: int | None, best: float = np.inf
) -> float:
    """Return the mean loss on the second half of some rows; infinite if the strategy fails.

    Infinite, too, as soon as it must become larger than the best one's.
    """
    half, total = len(rows) // 2, 0.0
    weights = rows.weight if rows.weight is not None else np.ones(len(rows))
    weights = weights[half:] / weights[half:].mean()
    edges = np.unique(np.linspace(half, len(rows), PARTS + 1).astype(int))
    losses = np.empty(len(rows) - half)
    try:
        cursor = start(strategy, rows.take(slice(0, edges[1])), half, f"{late}rows", seed)
        for begin, end in pairwise(edges.tolist()):
            if begin > half:
                extend(cursor, rows.take(slice(begin, end)))
            scored = slice(begin - half, end - half)
            run = run_rows(cursor, "trial", measure_size=False)
            losses[scored] = run.loss * weights[scored]
            total += losses[scored].sum()
            if total > best * len(losses) * (1 + 1e-9):
                return float("inf")
    except Exception:  # a trial that fails is a trial that is lost
        return float("inf")
    return float(losses.mean())
