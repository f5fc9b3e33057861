"""Several strategies, weighted by how well they did lately."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from companion.hybrids.base import Hybrid, columns_for, row_slice, rows_of
from companion.strategies import Strategy


class Blend(Hybrid):
    """Several strategies, weighted by how well they did lately.

    Each label multiplies a member's weight by ``exp(-rate * loss / scale)``, where the scale is
    the mean loss of all members so far; then a small share of all weight is spread evenly, so
    that no member is ever out for good (the fixed share of Herbster and Warmuth). For classes the
    weights vote.

    Parameters
    ----------
    members : dict of str to Strategy
    rate : float
        How sharply the weights follow the losses.
    share : float
        The part of all weight that is spread evenly after each label.

    References
    ----------
    Herbster and Warmuth (1998), Tracking the best expert. Machine Learning 32.

    Examples
    --------
    >>> from companion.strategies import Baseline
    >>> both = Blend({"mean": Baseline("mean"), "newest": Baseline("no-change")}, rate=5)
    >>> both.fit(np.zeros((4, 1)), np.array([0.0, 0.0, 0.0, 8.0]))
    >>> both.learn(np.zeros((3, 1)), np.array([8.0, 8.0, 8.0]))
    >>> bool(both.predict(np.zeros((1, 1)))[0] > 7.5)
    True
    """

    def __init__(
        self, members: Mapping[str, Strategy], rate: float = 0.5, share: float = 0.01
    ) -> None:
        if len(members) < 2:
            raise ValueError("a blend needs at least 2 members")
        if rate <= 0 or not 0 <= share < 1:
            raise ValueError(
                f"rate {rate} must be above 0 and share {share} from 0 to below 1; change them"
            )
        self.experts, self.rate, self.share = dict(members), rate, share
        self.task, self.classes = "regression", 0

    def members(self) -> list[Strategy]:
        """Return the experts."""
        return list(self.experts.values())

    def clone(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, each expert seeded."""
        experts = {name: member.clone(seed) for name, member in self.experts.items()}
        return Blend(experts, self.rate, self.share)

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for member in self.members():
            member.fit(X, y, **columns_for(member, extra))
        self.weights = np.full(len(self.experts), 1 / len(self.experts))
        self.total = self.count = 0.0

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        given = [expert.predict(X, **columns_for(expert, extra)) for expert in self.members()]
        return self._mix(np.column_stack(given), self.weights[None])

    def _mix(self, given: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Average numbers, or let classes be voted for; one row a prediction."""
        if self.task == "regression":
            return (given * weights).sum(axis=1)
        votes = np.zeros((len(given), max(self.classes, int(given.max()) + 1)))
        spread = np.broadcast_to(weights, given.shape)
        for column in range(given.shape[1]):
            known = given[:, column] >= 0
            votes[np.flatnonzero(known), given[known, column]] += spread[known, column]
        return votes.argmax(axis=1)

    def _update_weights(self, losses: np.ndarray) -> None:
        self.total, self.count = self.total + losses.mean(), self.count + 1
        scale = self.total / self.count or 1.0
        self.weights = self.weights * np.exp(-self.rate * (losses - losses.min()) / scale)
        self.weights /= self.weights.sum()
        self.weights = (1 - self.share) * self.weights + self.share / len(self.weights)

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for k in range(len(X)):
            row = row_slice(k)
            losses = []
            for expert in self.members():
                own = rows_of(columns_for(expert, extra), row)
                losses.append(self.losses(y[row], expert.predict(X[row], **own))[0])
                if not expert.frozen:
                    expert.learn(X[row], y[row], **own)
            self._update_weights(np.array(losses))

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        before, after = [], []
        for expert in self.members():
            was, will = before_and_after(expert, X, y, learn, ask, columns_for(expert, extra))
            before.append(self.losses(y[learn], was))
            after.append(will)
        weights = np.empty((len(learn), len(self.experts)))
        for k, losses in enumerate(np.column_stack(before)):
            self._update_weights(losses)
            weights[k] = self.weights
        return self._mix(np.column_stack(after), weights)


def before_and_after(
    expert: Strategy,
    X: np.ndarray,
    y: np.ndarray,
    learn: np.ndarray,
    ask: np.ndarray,
    extra: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """For each k: what is said of row ``learn[k]`` before it is learnt, and then of ``ask[k]``."""
    if expert.frozen:
        known = expert.predict(X, **extra)
        return known[learn], known[ask]
    before, after = [], []
    for k, (learnt, asked) in enumerate(zip(learn.tolist(), ask.tolist(), strict=True)):
        rows, wanted = row_slice(learnt), row_slice(asked)
        if k and ask[k - 1] == learnt:
            before.append(after[-1])
        else:
            before.append(expert.predict(X[rows], **rows_of(extra, rows))[0])
        expert.learn(X[rows], y[rows], **rows_of(extra, rows))
        after.append(expert.predict(X[wanted], **rows_of(extra, wanted))[0])
    return np.array(before), np.array(after)
