"""Each check of a strategy finds who breaks its promise, and lets those pass who break another."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression

from companion import Baseline, Scheduled, Static, Strategy, check_strategy
from companion import checks as ours


class Mean(Strategy):
    """The mean of all labels so far: keeps every promise."""

    def fit(self, X, y):
        self.total, self.count = float(y.sum()), len(y)

    def learn(self, X, y):
        self.total, self.count = self.total + float(y.sum()), self.count + len(y)

    def predict(self, X):
        return np.full(len(X), self.total / self.count)


class Marks(Mean):
    """A copy of it writes into a list that it shares with the original."""

    def __init__(self):
        self.marks = []

    def clone(self, seed=None):
        return copy.copy(self)

    def fit(self, X, y):
        self.marks.append(len(y))
        super().fit(X, y)


class LateMarks(Marks):
    """Writes into the shared list only where labels of the warm-up are late."""

    def fit(self, X, y):
        if len(y) < 57:
            self.marks.append(len(y))
        Mean.fit(self, X, y)


class Hasty(Mean):
    """Says that it never changes, and changes."""

    stable_for = float("inf")


class AlmostTrue(Mean):
    """Says that it changes after two labels, and changes after each."""

    stable_for = 2


class SlowClock(Mean):
    """Says that it does not change for two days, and changes with each label."""

    needs, stable_for = ("time",), float("inf")

    def fit(self, X, y, time):
        super().fit(X, y)
        self.stable_until = time.max() + np.timedelta64(2, "D")

    def learn(self, X, y, time):
        super().learn(X, y)
        self.stable_until = time.max() + np.timedelta64(2, "D")

    def predict(self, X, time):
        return super().predict(X)


class Seer(Mean):
    """Looks at the whole table through the rows that it is given."""

    def __init__(self, ahead: int = 20) -> None:
        self.ahead = ahead

    def predict(self, X):
        table = X if X.base is None else X.base
        place = (X.ctypes.data - table.ctypes.data) // table.strides[0]
        later = np.minimum(place + np.arange(len(X)) + self.ahead, len(table) - 1)
        return super().predict(X) + table[later, 0]


class SeerOfLabels(Mean):
    """Looks at the whole column of labels through those that it is given."""

    def fit(self, X, y):
        self.labels = y if y.base is None else y.base
        super().fit(X, y)

    def predict(self, X):
        table = X if X.base is None else X.base
        place = (X.ctypes.data - table.ctypes.data) // table.strides[0]
        later = np.minimum(place + np.arange(len(X)) + 20, len(self.labels) - 1)
        return super().predict(X) + self.labels[later]


class Restless(Mean):
    """Draws from nowhere when it is given a seed."""

    def clone(self, seed=None):
        twin = copy.deepcopy(self)
        twin.shift = 0.0 if seed is None else float(np.random.default_rng().normal())
        return twin

    def predict(self, X):
        return super().predict(X) + self.shift


class Forgetful(Mean):
    """Loses its count when it is stored."""

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "count"}

    def __setstate__(self, state):
        vars(self).update(state)
        self.count = 1


class Leaky(Mean):
    """Keeps in an open function what it cannot store."""

    def __init__(self):
        self.how = lambda x: x


COPIES = ("the evaluation changed the strategy", "a copy that shares nothing")
BLOCKS = ("predicting a block differs from", "after which predictions may change")
AHEAD = ("changing later rows changed earlier", "labels that it cannot know yet")
SEEDS = ("two runs with the same seed differ", "to every random generator")
STORAGE = ("a pickled copy in mid-stream", "keep all state in plain attributes")
BREAKERS = [
    (ours.check_copies, Marks, COPIES),
    (ours.check_copies, LateMarks, COPIES),
    (ours.check_blocks, Hasty, BLOCKS),
    (ours.check_blocks, AlmostTrue, BLOCKS),
    (ours.check_blocks, SlowClock, BLOCKS),
    (ours.check_no_look_ahead, Seer, AHEAD),
    (ours.check_seeds, Restless, SEEDS),
    (ours.check_storage, Forgetful, STORAGE),
]


@pytest.mark.parametrize(("check", "build", "words"), BREAKERS)
def test_exactly_one_check_finds_each_broken_promise(check, build, words):
    stream, (begins, ends) = ours.toy_stream(), words
    for other in ours.CHECKS:
        if other is check:
            with pytest.raises(AssertionError, match=f"^{begins}.*{ends}$"):
                other(build, stream, 60)
        else:
            other(build, stream, 60)
    with pytest.raises(AssertionError, match=f"^{begins}.*{ends}$"):
        check_strategy(build)


class Diary(Mean):
    """Writes down which rows it is given, in which call."""

    pages: list = []

    def write(self, call, X):
        rows = [int(np.flatnonzero((ours.toy_stream().X == x).all(axis=1))[0]) for x in X]
        self.pages.append((call, rows))

    def fit(self, X, y):
        self.write("fit", X)
        super().fit(X, y)

    def learn(self, X, y):
        self.write("learn", X)
        super().learn(X, y)

    def predict(self, X):
        self.write("predict", X)
        return super().predict(X)


def test_the_check_of_storage_stores_in_mid_stream_and_goes_on_from_there():
    Diary.pages.clear()
    ours.check_storage(Diary, ours.toy_stream(), 60)
    later = list(range(85, 120))
    assert Diary.pages == [
        ("fit", list(range(60))),
        ("learn", list(range(60, 85))),
        *[("learn", later), ("predict", later)] * 2,
    ]


def test_what_cannot_be_stored_is_named():
    with pytest.raises(
        AssertionError, match="^the strategy cannot be stored .*no open files in it$"
    ):
        ours.check_copies(Leaky, ours.toy_stream(), 60)


def test_a_look_at_later_labels_is_found():
    with pytest.raises(AssertionError, match="cannot know yet"):
        ours.check_no_look_ahead(SeerOfLabels, ours.toy_stream(), 60)


@pytest.mark.parametrize("ahead", [1, 49])
def test_a_look_one_row_ahead_or_far_ahead_is_found(ahead):
    with pytest.raises(AssertionError, match="cannot know yet"):
        ours.check_no_look_ahead(lambda: Seer(ahead), ours.toy_stream(), 60)


def test_who_keeps_all_promises_is_told_so():
    kept = check_strategy(Mean)
    assert len(kept) == len(ours.CHECKS) == 5
    assert all(not sentence.startswith("Check") and sentence[-1] != "." for sentence in kept)
    names = [check.__name__ for check in ours.CHECKS]
    assert names == [
        "check_copies", "check_blocks", "check_no_look_ahead", "check_seeds", "check_storage",
    ]  # fmt: skip
    assert check_strategy(lambda: Static(DummyClassifier()), classes=4) == kept
    assert check_strategy(lambda: Static(LinearRegression()), warmup=30) == kept


class Asks(Static):
    """Checks which stream and which warm-up it is given."""

    def set_schema(self, features, classes):
        assert (features, classes) == (("x0", "x1", "x2"), 4)

    def fit(self, X, y):
        assert len(X) <= 45 and set(y.tolist()) <= {0, 1, 2, 3}
        super().fit(X, y)


class Counts(Static):
    """Checks that it is given most of the usual warm-up."""

    def fit(self, X, y):
        assert 50 < len(X) <= 60
        super().fit(X, y)


def test_classes_and_warmup_reach_the_checks():
    check_strategy(lambda: Asks(DummyClassifier()), classes=4, warmup=45)
    check_strategy(lambda: Counts(DummyRegressor()))


def test_the_toy_stream_drifts_has_gaps_in_time_and_three_keys():
    stream = ours.toy_stream()
    assert stream.X.shape == (160, 3) and stream.task == "regression" and stream.name == "toy"
    hours = np.diff(stream.time) // np.timedelta64(1, "h")
    assert hours.min() == 0 and 24 < hours.max() < 30
    assert set(stream.key.tolist()) == {"ann", "bob", "eve"}
    line = LinearRegression().fit(stream.X[:60], stream.y[:60])
    assert (
        line.score(stream.X[:60], stream.y[:60])
        > 0.5
        > 0
        > line.score(stream.X[-60:], stream.y[-60:])
    )
    again, other = ours.toy_stream(), ours.toy_stream(seed=1)
    assert (again.X == stream.X).all() and not (other.X == stream.X).any()
    for classes in (2, 3, 4):
        codes = ours.toy_stream(classes, rows=120)
        assert codes.task == "classification" and len(codes.classes) == classes
        assert np.bincount(codes.y).tolist() == [120 // classes] * classes
        assert len(set(codes.classes)) == classes


def test_delays_are_of_each_kind():
    stream = ours.toy_stream()
    none, rows, duration, times = ours.delays(stream)
    assert none == 0 and isinstance(rows, int) and rows > 1 and duration.endswith("h")
    assert (list(ours.delays(stream))[3] == times).all()
    wait = (times - stream.time) // np.timedelta64(1, "h")
    assert wait.min() >= 0 and wait.max() > 100 and (np.diff(times) < np.timedelta64(0)).any()


def test_predictions_are_the_same_but_for_the_last_bits():
    a = np.array([1.0, 2.0])
    assert ours.same(a, a + 1e-12) and not ours.same(a, a + 1e-6) and not ours.same(a, a[:1])
    assert ours.same(1e6 * a, 1e6 * a + 1e-5) and not ours.same(a - a, a - a + 1e-8)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Baseline("seasonal", rows=7),
        lambda: Scheduled(DummyRegressor(), every="2D"),
        lambda: Baseline("rolling", rows=3),
    ],
)
def test_the_books_own_pass(build):
    assert len(check_strategy(build)) == 5
