"""Strategies made of others: triggered retraining, and what joins frozen and dynamic parts.

A hybrid composes strategies. It knows nothing of data sets.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from companion.metrics import LOSSES, block_bootstrap_interval
from companion.models import must_have
from companion.strategies import Online, Strategy


def for_member(member: Strategy, extra: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what this member needs of what the whole was given."""
    return {name: extra[name] for name in member.needs}


def part_of(extra: Mapping[str, np.ndarray], rows: Any) -> dict[str, np.ndarray]:
    """Return some rows of everything that was given."""
    return {name: values[rows] for name, values in extra.items()}


def one(k: int) -> slice:
    """Return row k as a slice of one row."""
    return slice(k, k + 1)


class Hybrid(Strategy):
    """What strategies made of others share: they are copied, seeded and counted together."""

    def members(self) -> list[Strategy]:
        """Return the parts."""
        return [value for value in vars(self).values() if isinstance(value, Strategy)]

    def fresh(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, each part seeded."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Strategy):
                setattr(twin, name, value.fresh(seed))
            elif isinstance(value, dict | list):
                setattr(twin, name, copy.deepcopy(value))
        return twin

    def suit(self, features: tuple[str, ...], classes: int) -> None:
        """Tell every part what the stream knows."""
        self.task = "classification" if classes else "regression"
        self.classes = classes
        for member in self.members():
            member.suit(features, classes)

    @property
    def needs(self) -> tuple[str, ...]:
        """What the parts need."""
        return tuple(dict.fromkeys(name for part in self.members() for name in part.needs))

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another result."""
        return any(member.is_random for member in self.members())

    @property
    def fits(self) -> int:
        """Changes of all parts."""
        return sum(member.fits for member in self.members())

    @property
    def rows_learnt(self) -> int:
        """Rows shown to all parts."""
        return sum(member.rows_learnt for member in self.members())

    def losses(self, y: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return the loss of each row."""
        return LOSSES[getattr(self, "task", "regression")](y, answers)


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
        self.model = must_have(model, "fit", "predict", what="Triggered")
        self.detector, self.window, self.watch = detector, window, watch
        self.wait, self.cooldown, self.task = wait, cooldown, "regression"

    def suit(self, features: tuple[str, ...], classes: int) -> None:
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
            if self._told(X[k], y[k], answers[k]):
                answers[k + 1 :] = self.model.predict(X[k + 1 :]) if k + 1 < len(X) else []

    def _told(self, x: np.ndarray, y: Any, answer: Any) -> bool:
        """Take one label; return whether the model was fitted again."""
        self.told += 1
        self.newest.append((x, y))
        if self.countdown is None:
            self._look(x, LOSSES[self.task](np.array([y]), np.array([answer]))[0])
        if self.countdown == 0:
            rows, labels = zip(*self.newest, strict=True)
            self.model.fit(np.array(rows), np.array(labels))
            self.fits, self.rows_learnt = self.fits + 1, self.rows_learnt + len(rows)
            self.rest, self.countdown = self.cooldown, None
            self._watch_anew(len(x))
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
            if self._told(X[row], y[row], known[row]):
                known = self.model.predict(X)
                answers[k:] = known[ask[k:]]
        return answers


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

    def suit(self, features: tuple[str, ...], classes: int) -> None:
        """Refuse classes: errors of classes cannot be added up."""
        if classes:
            raise ValueError("Residual adds up numbers; for classes use Blend or PerKey")
        super().suit(features, classes)

    @property
    def horizon(self) -> float:
        """The sooner of its parts' horizons."""
        return min(self.main.horizon, self.corrector.horizon)

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        own = for_member(self.main, extra)
        self.main.fit(X, y, **own)
        rest = y - self.main.predict(X, **own)
        self.corrector.fit(X, rest, **for_member(self.corrector, extra))

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        main = self.main.predict(X, **for_member(self.main, extra))
        return main + self.corrector.predict(X, **for_member(self.corrector, extra))

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        own, other = for_member(self.main, extra), for_member(self.corrector, extra)
        for k in range(len(X)):
            row = one(k)
            rest = y[row] - self.main.predict(X[row], **part_of(own, row))
            self.corrector.learn(X[row], rest, **part_of(other, row))
            if not self.main.frozen:
                self.main.learn(X[row], y[row], **part_of(own, row))

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        if not self.main.frozen:
            return super().learn_and_predict(X, y, learn, ask, **extra)
        main = self.main.predict(X, **for_member(self.main, extra))
        other = for_member(self.corrector, extra)
        return main[ask] + self.corrector.learn_and_predict(X, y - main, learn, ask, **other)


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
        self.parts, self.rate, self.share = dict(members), rate, share
        self.task, self.classes = "regression", 0

    def members(self) -> list[Strategy]:
        """Return the experts."""
        return list(self.parts.values())

    def fresh(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, each expert seeded."""
        parts = {name: member.fresh(seed) for name, member in self.parts.items()}
        return Blend(parts, self.rate, self.share)

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for member in self.members():
            member.fit(X, y, **for_member(member, extra))
        self.weights = np.full(len(self.parts), 1 / len(self.parts))
        self.total = self.count = 0.0

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        given = [part.predict(X, **for_member(part, extra)) for part in self.members()]
        return self._mix(np.column_stack(given), self.weights[None])

    def _mix(self, given: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Average numbers, or let classes be voted for; one row a prediction, one column a part."""
        if self.task == "regression":
            return (given * weights).sum(axis=1)
        votes = np.zeros((len(given), max(self.classes, int(given.max()) + 1)))
        spread = np.broadcast_to(weights, given.shape)
        for column in range(given.shape[1]):
            known = given[:, column] >= 0
            votes[np.flatnonzero(known), given[known, column]] += spread[known, column]
        return votes.argmax(axis=1)

    def _weigh(self, losses: np.ndarray) -> None:
        self.total, self.count = self.total + losses.mean(), self.count + 1
        scale = self.total / self.count or 1.0
        self.weights = self.weights * np.exp(-self.rate * (losses - losses.min()) / scale)
        self.weights /= self.weights.sum()
        self.weights = (1 - self.share) * self.weights + self.share / len(self.weights)

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for k in range(len(X)):
            row = one(k)
            losses = []
            for part in self.members():
                own = part_of(for_member(part, extra), row)
                losses.append(self.losses(y[row], part.predict(X[row], **own))[0])
                if not part.frozen:
                    part.learn(X[row], y[row], **own)
            self._weigh(np.array(losses))

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        before, after = [], []
        for part in self.members():
            was, will = before_and_after(part, X, y, learn, ask, for_member(part, extra))
            before.append(self.losses(y[learn], was))
            after.append(will)
        weights = np.empty((len(learn), len(self.parts)))
        for k, losses in enumerate(np.column_stack(before)):
            self._weigh(losses)
            weights[k] = self.weights
        return self._mix(np.column_stack(after), weights)


def before_and_after(
    part: Strategy,
    X: np.ndarray,
    y: np.ndarray,
    learn: np.ndarray,
    ask: np.ndarray,
    extra: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """For each k: what a part says of row ``learn[k]`` before it learns it, and of ``ask[k]``."""
    if part.frozen:
        known = part.predict(X, **extra)
        return known[learn], known[ask]
    before, after = [], []
    for k, (told, asked) in enumerate(zip(learn.tolist(), ask.tolist(), strict=True)):
        rows, wanted = one(told), one(asked)
        if k and ask[k - 1] == told:
            before.append(after[-1])
        else:
            before.append(part.predict(X[rows], **part_of(extra, rows))[0])
        part.learn(X[rows], y[rows], **part_of(extra, rows))
        after.append(part.predict(X[wanted], **part_of(extra, wanted))[0])
    return np.array(before), np.array(after)


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
        self.of: dict[Any, Strategy] = {}
        self.counts: dict[Any, int] = {}
        self.task = "regression"

    @property
    def needs(self) -> tuple[str, ...]:
        """The key, and what the parts need."""
        return tuple(dict.fromkeys(["key", *super().needs]))

    @property
    def fits(self) -> int:
        """Changes of the shared and of all personal models."""
        return self.shared.fits + sum(part.fits for part in self.of.values())

    @property
    def rows_learnt(self) -> int:
        """Rows shown to the shared and to all personal models."""
        return self.shared.rows_learnt + sum(part.rows_learnt for part in self.of.values())

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        self.shared.fit(X, y, **for_member(self.shared, extra))
        self._personal(X, y, extra)

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        out = self.shared.predict(X, **for_member(self.shared, extra))
        keys = extra["key"]
        for key in dict.fromkeys(keys.tolist()):
            if self.counts.get(key, 0) >= self.after:
                rows = np.flatnonzero(keys == key)
                own = part_of(for_member(self.pattern, extra), rows)
                said = self.of[key].predict(X[rows], **own)
                if self.task == "regression":
                    out[rows] = out[rows] + said
                else:
                    out[rows] = np.where(said >= 0, said, out[rows])
        return out

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        for k in range(len(X)):
            row = one(k)
            self._personal(X[row], y[row], part_of(extra, row))
            if not self.shared.frozen:
                own = for_member(self.shared, part_of(extra, row))
                self.shared.learn(X[row], y[row], **own)

    def _personal(self, X: np.ndarray, y: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        rest = y
        if self.task == "regression":
            rest = y - self.shared.predict(X, **for_member(self.shared, extra))
        self._tell(X, rest, extra)

    def _tell(self, X: np.ndarray, rest: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        keys = extra["key"]
        for key in dict.fromkeys(keys.tolist()):
            rows = np.flatnonzero(keys == key)
            own = part_of(for_member(self.pattern, extra), rows)
            if key in self.of:
                self.of[key].learn(X[rows], rest[rows], **own)
            else:
                self.of[key] = copy.deepcopy(self.pattern)
                self.of[key].fit(X[rows], rest[rows], **own)
            self.counts[key] = self.counts.get(key, 0) + len(rows)

    def learn_and_predict(
        self, X: np.ndarray, y: np.ndarray, learn: np.ndarray, ask: np.ndarray, **extra: np.ndarray
    ) -> np.ndarray:
        if not self.shared.frozen or self.task != "regression":
            return super().learn_and_predict(X, y, learn, ask, **extra)
        shared = self.shared.predict(X, **for_member(self.shared, extra))
        rest, out, keys = y - shared, shared[ask], extra["key"].tolist()
        for k, (told, asked) in enumerate(zip(learn.tolist(), ask.tolist(), strict=True)):
            row, wanted = one(told), one(asked)
            self._tell(X[row], rest[row], part_of(extra, row))
            key = keys[asked]
            if self.counts.get(key, 0) >= self.after:
                own = part_of(for_member(self.pattern, extra), wanted)
                out[k] += self.of[key].predict(X[wanted], **own)[0]
        return out


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
        self.window, self.threshold, self.task = window, threshold, "regression"
        self.relearnt = 0

    @property
    def rows_learnt(self) -> int:
        """Rows shown to both, the reactive learner's repetitions included."""
        return self.stable.rows_learnt + self.relearnt

    @property
    def fits(self) -> int:
        """Changes of both learners."""
        return self.stable.fits + self.relearnt

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.blank = copy.deepcopy(self.reactive)
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
            row = one(k)
            self.told += 1
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
        self.rival: Strategy | None = None
        self.gone, self.task = [0, 0], "regression"

    @property
    def needs(self) -> tuple[str, ...]:
        """What champion and challengers need."""
        return tuple(dict.fromkeys([*self.champion.needs, *self.pattern.needs]))

    @property
    def horizon(self) -> float:
        """Labels to the next decision, or to the champion's own next change."""
        left = self.left + (self.shadow if self.phase == "waiting" else 0)
        return min(left, self.champion.horizon)

    def members(self) -> list[Strategy]:
        """Return those in office or in the shadow; retired ones are counted apart."""
        return [part for part in (self.champion, self.rival) if part is not None]

    @property
    def fits(self) -> int:
        """Changes of all, retired ones included."""
        return self.gone[0] + sum(part.fits for part in self.members())

    @property
    def rows_learnt(self) -> int:
        """Rows shown to all, retired ones included."""
        return self.gone[1] + sum(part.rows_learnt for part in self.members())

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another result."""
        return self.champion.is_random or self.pattern.is_random

    def suit(self, features: tuple[str, ...], classes: int) -> None:
        """Tell champion and pattern what the stream knows."""
        super().suit(features, classes)
        self.pattern.suit(features, classes)

    def fit(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        self.champion.fit(X, y, **for_member(self.champion, extra))
        self.seen = [(X, y, extra)]
        self._enter("waiting", self.every)

    def _enter(self, phase: str, labels: int) -> None:
        self.phase, self.left = phase, labels
        self.pairs: list[np.ndarray] = []

    def predict(self, X: np.ndarray, **extra: np.ndarray) -> np.ndarray:
        return self.champion.predict(X, **for_member(self.champion, extra))

    def learn(self, X: np.ndarray, y: np.ndarray, **extra: np.ndarray) -> None:
        start = 0
        while start < len(X):
            step = min(self.left, len(X) - start)
            if any(not part.frozen for part in self.members()):
                step = 1
            rows = slice(start, start + step)
            self._take(X[rows], y[rows], part_of(extra, rows))
            start += step

    def _take(self, X: np.ndarray, y: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        losses = []
        for part in self.members():
            own = for_member(part, extra)
            losses.append(self.losses(y, part.predict(X, **own)))
            if not part.frozen:
                part.learn(X, y, **own)
        if self.rival is not None:
            self.pairs.append(losses[1] - losses[0])
        self.seen.append((X, y, extra))
        self.told, self.left = self.told + len(X), self.left - len(X)
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
        self.rival = copy.deepcopy(self.pattern)
        self.rival.fit(X, y, **for_member(self.rival, extra))
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
