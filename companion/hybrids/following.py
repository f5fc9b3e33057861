"""Those that listen to others: to whoever did best lately, or to a line over all their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from companion.evaluation import Run, arrivals
from companion.hybrids.base import Hybrid, columns_for, row_slice, rows_of
from companion.lines import FadingLine
from companion.metrics import LOSSES
from companion.strategies import Strategy
from companion.stream import Stream

PRIOR = 0.5  # the warm-up's losses count as if they were half of all that is remembered
FIRST_LABELS = 30  # from which a line over the answers is begun
HEARD = 12  # members at most that such a line weighs


class Ranking:
    """The faded mean losses of some members, and the weights that follow from them.

    Parameters
    ----------
    first : sequence of float
        Each member's loss in the warm-up; NaN if nobody knows.
    half_life : float
        In labels.
    sharpness : float
        A weight is the faded loss to the power of minus this; infinite: only the best counts.

    Examples
    --------
    >>> ranking = Ranking([1.0, 2.0], half_life=10, sharpness=np.inf)
    >>> ranking.weights()
    array([1., 0.])
    """

    def __init__(self, first: Sequence[float], half_life: float, sharpness: float) -> None:
        known = np.asarray(first, float)
        known[~np.isfinite(known)] = 2 * np.max(known[np.isfinite(known)], initial=0.5)
        self.fade, self.sharpness = 0.5 ** (1 / half_life), sharpness
        self.count = PRIOR / (1 - self.fade)
        self.totals = known * self.count

    def learn(self, given: np.ndarray, label: float, losses: np.ndarray) -> None:
        """Take the members' losses on one label."""
        self.totals = self.fade * self.totals + losses
        self.count = self.fade * self.count + 1

    def say(self, given: np.ndarray, classes: int) -> float:
        """Return the members' answers on one row, mixed."""
        return mixed(given, self.weights(), classes)

    def weights(self) -> np.ndarray:
        """Return the members' weights, which add up to 1."""
        if np.isinf(self.sharpness):
            return np.eye(len(self.totals))[self.totals.argmin()]
        least = self.totals.min()
        if least <= 0:
            best = (self.totals <= 0).astype(float)
            return best / best.sum()
        weights = (least / self.totals) ** self.sharpness
        return weights / weights.sum()


class Stack:
    """A line over the answers of some members, learnt label by label: what each adds to the rest.

    It learns the error of their blend from how far each lies from it, and is held near no
    correction. Of many members it weighs those that did best in the warm-up.

    Parameters
    ----------
    first : sequence of float
        Each member's loss in the warm-up; NaN if nobody knows.
    half_life : float
        In labels, of the line and of the blend.
    sharpness : float
        Of the blend.

    References
    ----------
    Wolpert (1992), Stacked generalization. Neural Networks 5.

    Examples
    --------
    One member is always 4 too low, the other one 2 too high:

    >>> stack = Stack([1.0, 1.0], half_life=100, sharpness=10)
    >>> for label in np.arange(100.0) % 7:
    ...     stack.learn(label + np.array([-4.0, 2.0]), label, np.array([4.0, 2.0]))
    >>> round(stack.say(np.array([1.0, 7.0]), classes=0), 1)
    5.0
    """

    def __init__(self, first: Sequence[float], half_life: float, sharpness: float) -> None:
        known = np.nan_to_num(np.asarray(first, float), nan=np.inf, posinf=np.inf)
        self.heard = np.sort(np.argsort(known, kind="stable")[:HEARD])
        self.blend = Ranking([first[k] for k in self.heard], half_life, sharpness)
        self.line = FadingLine(half_life, ridge=10, robust=True)
        self.waiting: list[tuple[np.ndarray, float]] = []
        self.started = False

    def _split(self, given: np.ndarray) -> tuple[float, np.ndarray]:
        blend = float(given[self.heard] @ self.blend.weights())
        return blend, given[self.heard] - blend

    def learn(self, given: np.ndarray, label: float, losses: np.ndarray) -> None:
        """Take the members' answers on one row, its label, and their losses."""
        blend, apart = self._split(given)
        self.blend.learn(given[self.heard], label, losses[self.heard])
        if self.started:
            self.line.partial_fit(apart[None], np.array([label - blend]))
            return
        self.waiting.append((apart, label - blend))
        if len(self.waiting) >= max(FIRST_LABELS, 3 * len(self.heard)):
            rows, errors = zip(*self.waiting, strict=True)
            self.line.fit(np.array(rows), np.array(errors))
            self.started, self.waiting = True, []

    def say(self, given: np.ndarray, classes: int) -> float:
        """Return the blend of the answers on one row, corrected."""
        blend, apart = self._split(given)
        return blend + float(self.line.predict(apart[None])[0]) if self.started else blend


def head_over(
    first: Sequence[float],
    half_life: float = 100,
    sharpness: float = np.inf,
    stacked: bool = False,
) -> Ranking | Stack:
    """Return what weighs some members' answers; see :class:`Following`."""
    return (Stack if stacked else Ranking)(first, half_life, sharpness)


def mixed(given: np.ndarray, weights: np.ndarray, classes: int) -> float:
    """Return the weighted mean of numbers, or the class with the most weight behind it."""
    if not classes:
        return float(given @ weights)
    heard = given >= 0
    return int(np.bincount(given[heard].astype(int), weights[heard], classes).argmax())


class Following(Hybrid):
    """Several strategies, heard by how well each did lately.

    Each member's answer is kept until its label arrives, and its loss is that of the answer that
    it gave. The losses of the warm-up's trials are where it starts.

    Parameters
    ----------
    members : dict of str to Strategy
    half_life : float
        Labels after which a loss counts half.
    sharpness : float
        Infinite follows the best alone; 10 weighs a member whose faded loss is a tenth larger
        than the best one's at about 0.4 of it.
    stacked : bool
        Correct the blend by a line over the members' answers (:class:`Stack`); numbers only.
    first : sequence of float, optional
        Each member's loss in trials, where it starts; else what the members say of their own.

    References
    ----------
    Gama, Sebastião and Rodrigues (2013), On evaluating stream learning algorithms. Machine
    Learning 90 (fading losses).

    Examples
    --------
    >>> from companion.strategies import Baseline
    >>> both = {"mean": Baseline("mean"), "newest": Baseline("no-change")}
    >>> strategy = Following(both, half_life=5)
    >>> strategy.fit(np.zeros((4, 1)), np.array([0.0, 0.0, 0.0, 8.0]), row=np.arange(4))
    >>> rows = np.arange(4, 13)
    >>> _ = strategy.predict(np.zeros((9, 1)), row=rows)
    >>> strategy.learn(np.zeros((9, 1)), np.full(9, 8.0), row=rows)
    >>> strategy.predict(np.zeros((1, 1)), row=np.array([13]))
    array([8.])
    """

    def __init__(
        self,
        members: Mapping[str, Strategy],
        half_life: float = 100,
        sharpness: float = np.inf,
        stacked: bool = False,
        first: Sequence[float] | None = None,
    ) -> None:
        if len(members) < 2:
            raise ValueError("following needs at least 2 members")
        if half_life <= 0 or sharpness <= 0:
            raise ValueError(
                f"half_life {half_life} and sharpness {sharpness} must be above 0; change them"
            )
        self.experts, self.half_life, self.sharpness = dict(members), half_life, sharpness
        self.stacked, self.first = stacked, first
        self.classes = 0

    def members(self) -> list[Strategy]:
        """Return those that are heard."""
        return list(self.experts.values())

    @property
    def needs(self) -> tuple[str, ...]:
        """The row, and what the members need."""
        return tuple(dict.fromkeys(["row", *super().needs]))

    def clone(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, each member seeded."""
        experts = {name: member.clone(seed) for name, member in self.experts.items()}
        return Following(experts, self.half_life, self.sharpness, self.stacked, self.first)

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for member in self.members():
            member.fit(X, y, **columns_for(member, extra))
        first = self.first or [getattr(each, "trial_loss", np.nan) for each in self.members()]
        self.head = head_over(first, self.half_life, self.sharpness, self.stacked)
        self.said: dict[int, np.ndarray] = {}

    def _answers(self, X: np.ndarray, extra: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.column_stack(
            [member.predict(X, **columns_for(member, extra)) for member in self.members()]
        )

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        given = self._answers(X, extra)
        self.said.update(zip(extra["row"].tolist(), given, strict=True))
        return np.array([self.head.say(row, self.classes) for row in given])

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for k in range(len(X)):
            row = row_slice(k)
            own = rows_of(extra, row)
            given = self.said.pop(int(extra["row"][k]), None)
            if given is not None:  # rows of the warm-up were never asked for
                losses = self.losses(np.repeat(y[row], len(given)), given)
                self.head.learn(given, y[k], losses)
            for member in self.members():
                if not member.frozen:
                    member.learn(X[row], y[row], **columns_for(member, own))


def follow_runs(
    runs: Mapping[str, Run],
    first: Sequence[float],
    stream: Stream,
    label_delay: int | str | np.ndarray,
    name: str,
    **how: Any,
) -> Run:
    """Return the run of :class:`Following` over members whose runs are at hand, without a model.

    Parameters
    ----------
    runs : dict of str to Run
        The members' runs on the stream, all from the same first row.
    first : sequence of float
        Each member's loss in the warm-up's trials; NaN if there is none.
    stream, label_delay
        As the runs were made with.
    name : str
    how
        ``half_life``, ``sharpness`` and ``stacked``, as for :class:`Following`.

    Examples
    --------
    >>> from companion import Baseline, prequential, streams
    >>> bikes = streams.bike_sharing()
    >>> runs = {kind: prequential(Baseline(kind), bikes) for kind in ("mean", "no-change")}
    >>> round(follow_runs(runs, [np.nan, np.nan], bikes, 0, "following").loss.mean())
    784
    """
    members = list(runs.values())
    given = np.column_stack([run.predictions for run in members])
    start, y, classes = members[0].first, members[0].y, len(stream.classes)
    losses = np.column_stack([LOSSES[stream.task](y, run.predictions) for run in members])
    order, known_from = arrivals(stream, label_delay)
    late = order >= start  # labels of scored rows; the others were known or are never scored
    order, known_from = order[late] - start, known_from[late]
    head = head_over(first, **how)
    seen, out = 0, np.empty(len(y))
    for row in range(len(y)):
        while seen < len(order) and known_from[seen] <= row + start:
            head.learn(given[order[seen]], y[order[seen]], losses[order[seen]])
            seen += 1
        out[row] = head.say(given[row], classes)
    costs: dict[str, Any] = {
        what: float(sum(run.cost[what] for run in members))
        for what in ("fits", "rows_learnt", "model_bytes", "cpu_seconds")
    }
    costs["labels_used"] = max(run.cost["labels_used"] for run in members)
    costs["predictions"] = len(y)
    refits = sorted(event for run in members for event in run.events[1:] if event[1] == "fit")
    return replace(
        members[0],
        strategy=name,
        predictions=out.astype(members[0].predictions.dtype if not classes else np.int64),
        probabilities=None,
        events=[(start, "fit"), *refits],
        cost=costs,
    )
