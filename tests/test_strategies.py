"""Baselines, Static, Scheduled and Online, each parameter by a loop written out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from by_hand import drifting, in_blocks, one_by_one, said, started, taught
from river import dummy, linear_model, naive_bayes, stats
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion import Baseline, Online, Scheduled, Static, Strategy, prequential

WARMUP = 20


def agrees(strategy, stream, answers, *, warmup=WARMUP, fits=None, rows=None, events=()) -> None:
    """A run, and labels told in blocks of 1 and of 7, give what the loop gave."""
    run = prequential(strategy, stream, warmup=warmup)
    np.testing.assert_allclose(run.predictions, answers, rtol=1e-9, atol=1e-9)
    assert run.events == [(warmup, "fit"), *events]
    if fits is not None:
        assert (run.cost["fits"], run.cost["rows_learnt"]) == (fits, rows)
    one_by_one(strategy, stream, warmup)
    for size in (1, 7):
        left, given = in_blocks(strategy, stream, warmup, size)
        expected = [answers[row - warmup] for row in given]
        np.testing.assert_allclose(list(given.values()), expected, rtol=1e-9, atol=1e-9)
        labels = max(given) - warmup
        assert list(left.events) == [
            (row - warmup, what) for row, what in events if row - warmup <= labels
        ]
        if fits is not None and size == 1:
            assert (left.fits, left.rows_learnt) == (fits, rows)


# --- Baseline --------------------------------------------------------------------------------


def by_hand(kind: str, y: np.ndarray, t: int) -> float:
    """What a baseline says of row t."""
    if kind == "no-change":
        return y[t - 1]
    if kind == "rolling":
        return np.mean(y[t - 5 : t])
    if kind == "seasonal":
        return y[t - 5]
    if kind == "mean":
        return np.mean(y[:WARMUP])
    return np.bincount(y[:WARMUP]).argmax()


@pytest.mark.parametrize("kind", Baseline.KINDS)
def test_each_baseline_says_what_it_is_said_to_say(kind):
    stream = drifting(classes=3 if kind == "majority" else 0)
    rows = 5 if kind in ("rolling", "seasonal") else None
    answers = [by_hand(kind, stream.y, t) for t in range(WARMUP, len(stream))]
    agrees(Baseline(kind, rows=rows), stream, answers, fits=0, rows=0)


@pytest.mark.parametrize("kind", Baseline.KINDS)
def test_baselines_say_how_long_they_are_stable_and_what_they_need(kind):
    strategy = Baseline(kind, rows=1)
    for_ever = kind in ("mean", "majority")
    assert strategy.frozen == for_ever
    assert strategy.stable_for == (math.inf if for_ever else 1)
    assert strategy.needs == (("row",) if kind == "seasonal" else ())


def test_a_seasonal_baseline_gives_the_newest_label_for_a_phase_it_has_not_met():
    strategy = Baseline("seasonal", rows=10)
    strategy.fit(np.zeros((4, 1)), np.array([7.0, 8.0, 9.0, 6.0]), row=np.arange(4))
    asked = np.array([11, 4, 12, 10])
    assert strategy.predict(np.zeros((4, 1)), row=asked).tolist() == [8, 6, 9, 7]
    strategy.learn(np.zeros((2, 1)), np.array([1.0, 2.0]), row=np.array([4, 11]))
    assert strategy.predict(np.zeros((4, 1)), row=asked).tolist() == [2, 1, 9, 7]


def test_the_majority_of_classes_is_the_most_frequent_in_the_warmup():
    strategy = Baseline("majority")
    strategy.fit(np.zeros((6, 1)), np.array([5, 3, 3, 5, 3, 0]))
    assert strategy.predict(np.zeros((2, 1))).tolist() == [3, 3]
    for kind in ("no-change", "majority"):
        sure = Baseline(kind)
        sure.fit(np.zeros((3, 1)), np.array([2, 2, 2]))
        shares = sure.predict_proba(np.zeros((2, 1)), 4)
        assert shares.tolist() == [[0, 0, 1, 0], [0, 0, 1, 0]]


def test_a_seasonal_baseline_is_sure_of_the_class_of_its_season():
    strategy = Baseline("seasonal", rows=2)
    strategy.fit(np.zeros((2, 1)), np.array([0, 1]), row=np.arange(2))
    shares = strategy.predict_proba(np.zeros((2, 1)), 2, row=np.array([3, 4]))
    assert shares.tolist() == [[0, 1], [1, 0]]


def test_no_change_goes_on_from_the_last_label_of_a_block():
    strategy = Baseline("no-change")
    strategy.fit(np.zeros((1, 1)), np.array([5.0]))
    X, y = np.zeros((4, 1)), np.array([1.0, 2.0, 3.0, 4.0])
    answers = strategy.learn_and_predict(X, y, np.array([0, 2, 1]), np.array([1, 3, 3]))
    assert answers.tolist() == [1, 3, 2]
    assert strategy.predict(X[:2]).tolist() == [2, 2]


@pytest.mark.parametrize("kind", ["rolling", "seasonal"])
@pytest.mark.parametrize("rows", [None, 0])
def test_a_window_or_a_season_needs_a_row(kind, rows):
    Baseline(kind, rows=1)
    with pytest.raises(ValueError, match=f"{kind} baseline needs rows.*got {rows}"):
        Baseline(kind, rows=rows)
    with pytest.raises(ValueError, match="'weekly'; choose from no-change, mean, majority"):
        Baseline("weekly")


# --- Static ----------------------------------------------------------------------------------


def test_static_is_fitted_once():
    stream = drifting()
    model = LinearRegression().fit(stream.X[:WARMUP], stream.y[:WARMUP])
    answers = model.predict(stream.X[WARMUP:])
    agrees(Static(LinearRegression()), stream, answers, fits=1, rows=WARMUP)
    strategy = Static(LinearRegression())
    assert strategy.frozen and strategy.stable_for == math.inf and not strategy.starts_cold


@pytest.mark.parametrize("lacking", ["fit", "predict"])
@pytest.mark.parametrize("build", [Static, lambda model: Scheduled(model, every=1)])
def test_a_model_must_fit_and_predict(build, lacking):
    other = {"fit": "predict", "predict": "fit"}[lacking]
    half = type("Half", (), {other: None})()
    with pytest.raises(TypeError, match=f"(Static|Scheduled) cannot use Half: it has no {lacking}"):
        build(half)


# --- Scheduled -------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [None, 1, 12, 50])
@pytest.mark.parametrize("every", [1, 9, 10])
def test_scheduled_by_labels(every, window):
    stream = drifting()
    X, y = stream.X, stream.y
    answers, events, fits, rows = [], [], 0, 0
    for t in range(WARMUP, len(stream)):
        if (t - WARMUP) % every == 0:
            first = 0 if window is None else max(0, t - window)
            model = LinearRegression().fit(X[first:t], y[first:t])
            fits, rows = fits + 1, rows + t - first
            if t > WARMUP:
                events.append((t, "fit"))
        answers.append(model.predict(X[t : t + 1])[0])
    strategy = Scheduled(LinearRegression(), every=every, window=window)
    agrees(strategy, stream, answers, fits=fits, rows=rows, events=events)


def test_scheduled_counts_down_to_its_next_fit():
    strategy = Scheduled(DummyRegressor(), every=5)
    strategy.fit(np.zeros((2, 1)), np.zeros(2))
    assert strategy.stable_for == 5 and strategy.stable_until is None and strategy.needs == ()
    strategy.learn(np.zeros((3, 1)), np.zeros(3))
    assert strategy.stable_for == 2
    strategy.learn(np.zeros((2, 1)), np.zeros(2))
    assert (strategy.stable_for, strategy.fits, strategy.labels_seen) == (5, 2, 5)
    strategy.learn(np.zeros((11, 1)), np.zeros(11))
    assert (strategy.stable_for, strategy.fits, strategy.labels_seen) == (4, 4, 16)


@pytest.mark.parametrize("window", [None, 8])
def test_scheduled_by_the_calendar_keeps_its_beat_over_a_gap_in_time(window):
    """Fits are due 4, 8, 12 … days after the warm-up; rows come daily but for 11 silent days."""
    stream = drifting()
    day = np.arange(len(stream)) + 11 * (np.arange(len(stream)) >= 41)
    time = np.datetime64("2024-01-01", "ns") + day * np.timedelta64(1, "D")
    stream = type(stream)("gap", stream.X, stream.y, time=time)
    X, y = stream.X, stream.y
    answers, events, due, fits, rows = [], [], day[WARMUP - 1] + 4, 0, 0
    for t in range(WARMUP, len(stream)):
        if t == WARMUP or day[t - 1] >= due:
            while t > WARMUP and day[t - 1] >= due:
                due += 4
            first = 0 if window is None else t - window
            model = LinearRegression().fit(X[first:t], y[first:t])
            fits, rows = fits + 1, rows + t - first
            if t > WARMUP:
                events.append((t, "fit"))
        answers.append(model.predict(X[t : t + 1])[0])
    strategy = Scheduled(LinearRegression(), every="4D", window=window)
    assert strategy.needs == ("time",)
    agrees(strategy, stream, answers, fits=fits, rows=rows, events=events)
    fresh = started(strategy, stream, WARMUP)
    assert fresh.stable_until == time[WARMUP - 1] + np.timedelta64(4, "D")
    assert fresh.stable_for == math.inf


@pytest.mark.parametrize("pipeline", [False, True])
def test_scheduled_starts_warm_only_if_it_is_asked_to(pipeline):
    def model(warm):
        line = SGDRegressor(max_iter=1, tol=None, random_state=0, warm_start=warm)
        return make_pipeline(StandardScaler(), line) if pipeline else line

    stream = drifting()
    for warm in (True, False):
        answers, hand = [], model(warm)
        for t in range(WARMUP, len(stream)):
            if (t - WARMUP) % 10 == 0:
                hand.fit(stream.X[:t], stream.y[:t])
            answers.append(hand.predict(stream.X[t : t + 1])[0])
        given = model(False)
        strategy = Scheduled(given, every=10, warm=True) if warm else Scheduled(given, every=10)
        agrees(strategy, stream, answers, events=[(t, "fit") for t in range(30, 90, 10)])
        last = given[-1] if pipeline else given
        assert not last.warm_start  # the model that was given is left alone


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 0}, "every is 0"),
        ({"every": "often"}, "'often' is no duration"),
        ({"every": None}, "every is None"),
        ({"every": 1, "window": 0}, "window is 0"),
        ({"every": 1, "window": "all"}, "window is all"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Scheduled(DummyRegressor(), **options)
    with pytest.raises(
        TypeError, match="DummyRegressor cannot start warm.*no parameter warm_start"
    ):
        Scheduled(DummyRegressor(), every=1, warm=True)


def test_a_window_of_one_class_is_passed_over_and_counted_nowhere():
    X = np.arange(50.0)[:, None]
    y = np.r_[np.tile([0, 1], 10), np.zeros(20, int), np.tile([1, 0], 5)]
    strategy = Scheduled(LogisticRegression(), every=10, window=9)
    strategy.fit(X[:20], y[:20])
    strategy.learn(X[20:], y[20:])
    calm = "no fit: the window of 9 rows holds one class only"
    assert strategy.events == ((10, calm), (20, calm), (30, "fit"))
    assert (strategy.fits, strategy.rows_learnt, strategy.labels_seen) == (2, 18, 30)
    model = LogisticRegression().fit(X[41:], y[41:])
    np.testing.assert_array_equal(strategy.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="window of 20 rows holds one class only"):
        Scheduled(LogisticRegression(), every=10).fit(X[20:40], y[20:40])


# --- Online ----------------------------------------------------------------------------------


def test_online_teaches_a_river_model_row_by_row():
    stream = drifting()
    model, answers = taught(linear_model.LinearRegression(), stream, range(WARMUP)), []
    for t in range(WARMUP, len(stream)):
        answers.append(said(model, stream, t))
        model = taught(model, stream, [t])
    rows = len(stream) - 1  # the last label comes after the last answer
    agrees(Online(linear_model.LinearRegression()), stream, answers, fits=rows, rows=rows)


@pytest.mark.parametrize("batch", [1, 5, 8])
@pytest.mark.parametrize("classes", [0, 3])
def test_online_teaches_a_scikit_learn_model_in_batches(batch, classes):
    stream = drifting(classes=classes)
    X, y = stream.X, stream.y
    model = SGDClassifier(random_state=0) if classes else SGDRegressor(random_state=0)
    first, answers, waiting = {"classes": [0, 1, 2]} if classes else {}, [], []
    for start in range(0, WARMUP, batch):
        part = slice(start, min(start + batch, WARMUP))
        model.partial_fit(X[part], y[part], **first)
        first = {}
    for t in range(WARMUP, len(stream)):
        answers.append(model.predict(X[t : t + 1])[0])
        waiting.append(t)
        if len(waiting) == batch and t < len(stream) - 1:
            model.partial_fit(X[waiting], y[waiting])
            waiting = []
    pattern = SGDClassifier(random_state=0) if classes else SGDRegressor(random_state=0)
    strategy = Online(pattern, batch=batch)
    agrees(strategy, stream, answers)
    for size in (1, 7):  # labels that wait for their batch are counted as shown
        left, given = in_blocks(strategy, stream, WARMUP, size)
        told = max(given) - WARMUP
        assert left.rows_learnt == WARMUP + told
        assert left.fits == -(-WARMUP // batch) + told // batch


def test_online_says_after_how_many_labels_it_changes():
    strategy = Online(SGDRegressor(random_state=0), batch=4)
    assert strategy.stable_for == 4 and not strategy.starts_cold and not strategy.river
    strategy.fit(np.zeros((4, 1)), np.zeros(4))
    strategy.learn(np.zeros((3, 1)), np.zeros(3))
    assert (strategy.stable_for, strategy.fits) == (1, 1)
    strategy.learn(np.zeros((2, 1)), np.zeros(2))
    assert (strategy.stable_for, strategy.fits) == (3, 2)
    strategy.learn(np.zeros((3, 1)), np.zeros(3))
    assert (strategy.stable_for, strategy.fits) == (4, 3)
    river = Online(naive_bayes.GaussianNB())
    assert river.stable_for == 1 and river.starts_cold and river.river and not river.frozen


def test_online_without_a_stream_takes_the_classes_it_meets():
    strategy = Online(SGDClassifier(random_state=0))
    strategy.fit(np.array([[0.0], [1.0], [2.0]]), np.array([4, 2, 9]))
    assert strategy.model.classes_.tolist() == [2, 4, 9]
    strategy = Online(SGDClassifier(random_state=0))
    strategy.set_schema(("a",), 5)
    strategy.fit(np.array([[0.0], [1.0]]), np.array([4, 2]))
    assert strategy.model.classes_.tolist() == [0, 1, 2, 3, 4]


def test_names_of_columns_are_the_streams_unless_given():
    class Recorder(dummy.StatisticRegressor):
        def learn_one(self, x, y):
            self.names = list(x)
            super().learn_one(x, y)

        def predict_one(self, x):
            assert list(x) == self.names
            return super().predict_one(x)

    def names(strategy, schema=None):
        if schema:
            strategy.set_schema(schema, 0)
        strategy.fit(np.zeros((1, 2)), np.zeros(1))
        strategy.predict(np.zeros((1, 2)))
        return strategy.model.names

    assert names(Online(Recorder(stats.Mean()))) == ["x0", "x1"]
    assert names(Online(Recorder(stats.Mean())), ("speed", "heat")) == ["speed", "heat"]
    given = Online(Recorder(stats.Mean()), features=("a", "b"))
    assert names(given, ("speed", "heat")) == ["a", "b"]


def test_a_river_classifier_that_knows_nothing_says_minus_one():
    stream = drifting(classes=2)
    run = prequential(Online(naive_bayes.GaussianNB()), stream, warmup=0)
    assert run.predictions[0] == -1 and (run.predictions[1:] >= 0).all()
    assert run.loss[0] == 1


@pytest.mark.parametrize(
    ("model", "batch", "error", "words"),
    [
        (
            LinearRegression(),
            1,
            TypeError,
            "cannot use LinearRegression.*learn_one nor partial_fit",
        ),
        (SGDRegressor(), 0, ValueError, "batch is 0"),
        (naive_bayes.GaussianNB(), 2, ValueError, "batch is 2"),
        (type("Half", (), {"learn_one": None})(), 1, TypeError, "cannot use Half"),
        (type("Half", (), {"predict_one": None})(), 1, TypeError, "cannot use Half"),
    ],
)
def test_online_refuses_what_cannot_learn_in_parts(model, batch, error, words):
    with pytest.raises(error, match=words):
        Online(model, batch=batch)


# --- what all strategies share -----------------------------------------------------------------


class Newest(Strategy):
    """Says the newest label times ten, plus the row's number."""

    needs = ("row",)

    def fit(self, X, y, row):
        self.learn(X, y, row)

    def learn(self, X, y, row):
        assert len(X) == len(y) == len(row)
        self.newest = y[-1]
        self.note(f"learnt {row[-1]}")

    def predict(self, X, row):
        assert len(X) == len(row)
        return 10 * self.newest + row


def test_learn_and_predict_is_one_label_then_one_answer():
    strategy = Newest()
    rows = {"row": np.array([50, 51, 52])}
    strategy.fit(np.zeros((1, 1)), np.zeros(1), row=np.array([49]))
    answers = strategy.learn_and_predict(
        np.zeros((3, 1)), np.array([1.0, 2.0, 3.0]), np.array([2, 0]), np.array([1, 2]), **rows
    )
    assert answers.tolist() == [81, 62]
    assert strategy.events == ((0, "learnt 49"), (0, "learnt 52"), (0, "learnt 50"))


def test_a_note_bears_the_number_of_labels_seen():
    strategy = Static(DummyRegressor())
    assert strategy.events == ()
    strategy.note("a")
    strategy.labels_seen = 3
    strategy.note("b")
    assert strategy.events == ((0, "a"), (3, "b"))


def test_a_copy_is_untouched_and_seeded():
    strategy = Static(RandomForestRegressor(1))
    strategy.model.fit(np.zeros((2, 1)), np.zeros(2))
    twin = strategy.clone(5)
    assert twin.model.random_state == 5 and strategy.model.random_state is None
    assert not hasattr(twin.model, "estimators_")
    assert strategy.clone().model.random_state is None
    assert strategy.is_random and not Static(LinearRegression()).is_random
    assert not Baseline("mean").is_random
    baseline = Baseline("rolling", rows=2)
    baseline.labels = [1.0]
    other = baseline.clone(5)
    other.labels.append(2.0)
    assert baseline.labels == [1.0] and other.rows == 2


@pytest.mark.parametrize(
    "build",
    [
        lambda: Static(LinearRegression()),
        lambda: Scheduled(LinearRegression(), every=4, window=9),
        lambda: Scheduled(LinearRegression(), every="4D"),
        lambda: Online(linear_model.LinearRegression()),
        lambda: Online(SGDRegressor(random_state=0), batch=6),
        lambda: Baseline("seasonal", rows=7),
    ],
)
def test_a_copy_of_a_strategy_that_has_worked_begins_anew(build):
    stream = drifting()
    fresh = prequential(build(), stream, warmup=WARMUP)
    worked = in_blocks(build(), stream, WARMUP, 10)[0]
    again = prequential(worked, stream, warmup=WARMUP)
    np.testing.assert_array_equal(again.predictions, fresh.predictions)
    assert again.events == fresh.events
    for count in ("fits", "rows_learnt", "labels_used"):
        assert again.cost[count] == fresh.cost[count]


def test_probabilities_come_from_the_model_or_not_at_all():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 2, 2])
    strategy = Static(LogisticRegression())
    strategy.fit(X, y)
    shares = strategy.predict_proba(X, 4)
    np.testing.assert_allclose(shares[:, [0, 2]], strategy.model.predict_proba(X))
    assert (shares[:, [1, 3]] == 0).all()
    river = Online(naive_bayes.GaussianNB(), features=("a",))
    river.fit(X, y)
    expected = [river.model.predict_proba_one({"a": x}) for x in X[:, 0]]
    shares = river.predict_proba(X, 3)
    assert shares.tolist() == [[e[0], 0.0, e[2]] for e in expected]
    without = Static(DummyRegressor())
    without.fit(X, y)
    with pytest.raises(TypeError, match="Static gives no probabilities"):
        without.predict_proba(X, 3)
    with pytest.raises(TypeError, match="Newest gives no probabilities"):
        Newest().predict_proba(X, 3)


def test_what_a_strategy_of_ones_own_must_write():
    bare, X = Strategy(), np.zeros((1, 1))
    bare.learn(X, np.zeros(1))
    with pytest.raises(NotImplementedError):
        bare.fit(X, np.zeros(1))
    with pytest.raises(NotImplementedError):
        bare.predict(X)
    assert (bare.fits, bare.rows_learnt, bare.labels_seen, bare.stable_for) == (0, 0, 0, 1)
    assert not bare.frozen and not bare.starts_cold and bare.needs == () and not bare.is_random


def test_static_classifiers_give_classes():
    stream = drifting(classes=2)
    run = prequential(Static(DummyClassifier(strategy="most_frequent")), stream, warmup=WARMUP)
    assert set(run.predictions.tolist()) == {int(np.bincount(stream.y[:WARMUP]).argmax())}
