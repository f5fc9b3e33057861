"""Test-then-train: equal to River and scikit-learn, blind to the future, quick without cheating."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import drift, evaluate, linear_model, metrics, naive_bayes, optim, preprocessing
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier, SGDRegressor

from companion import (
    Baseline,
    Blend,
    ChampionChallenger,
    Online,
    Paired,
    PerKey,
    Residual,
    RunFailed,
    Scheduled,
    Static,
    Strategy,
    Triggered,
    prequential,
    streams,
)
from companion.checks import check_strategy, row_by_row, same, toy_stream
from companion.evaluation import arrivals
from companion.scale.parts import prequential_in_parts
from companion.streams import Stream

LONG = pytest.mark.slow  # the contributor's loop tries some delays, `make test` all
DELAYS = [0, 1, *(pytest.param(delay, marks=LONG) for delay in (2, 5, 17, "36h")), "arrivals"]
PARTS = [0, "36h", *(pytest.param(delay, marks=LONG) for delay in (1, 7, "20D"))]


def make(n=160, classes=0, seed=0) -> streams.Stream:
    return toy_stream(classes, n, seed)


def delay_of(kind, stream: streams.Stream):
    """Turn a name into a label delay; "arrivals" is a time of its own for each label."""
    if kind != "arrivals":
        return kind
    hours = np.random.default_rng(5).integers(0, 200, len(stream)).astype("timedelta64[h]")
    return stream.time + hours


def line():
    model = linear_model.LinearRegression(optimizer=optim.SGD(0.01), intercept_lr=0.05)
    return preprocessing.StandardScaler() | model


def sensitive():
    return drift.PageHinkley(min_instances=4, delta=0.001, threshold=1.5)


REGRESSION = {
    "no change": lambda: Baseline("no-change"),
    "mean": lambda: Baseline("mean"),
    "rolling": lambda: Baseline("rolling", rows=5),
    "seasonal": lambda: Baseline("seasonal", rows=7),
    "static": lambda: Static(LinearRegression()),
    "sliding": lambda: Scheduled(LinearRegression(), every=9, window=20),
    "expanding": lambda: Scheduled(LinearRegression(), every=13),
    "every row": lambda: Scheduled(LinearRegression(), every=1, window=30),
    "river": lambda: Online(line()),
    "partial_fit": lambda: Online(SGDRegressor(random_state=0)),
    "mini-batch": lambda: Online(SGDRegressor(random_state=0), batch=8),
    "by calendar": lambda: Scheduled(LinearRegression(), every="9D", window=30),
    "triggered": lambda: Triggered(LinearRegression(), sensitive(), window=25, cooldown=5),
    "triggered late": lambda: Triggered(LinearRegression(), sensitive(), window=25, wait=7),
    "triggered by inputs": lambda: Triggered(
        LinearRegression(), sensitive(), window=25, watch="inputs", wait=2, cooldown=20
    ),
    "residual": lambda: Residual(Static(LinearRegression()), Online(line())),
    "residual of moving": lambda: Residual(
        Scheduled(LinearRegression(), every=11, window=30), Baseline("rolling", rows=4)
    ),
    "blend": lambda: Blend(
        {
            "frozen": Static(LinearRegression()),
            "online": Online(line()),
            "week": Baseline("seasonal", rows=7),
        }
    ),
    "per key": lambda: PerKey(Static(LinearRegression()), Online(line()), after=3),
    "per key of moving": lambda: PerKey(
        Scheduled(LinearRegression(), every=20), Baseline("rolling", rows=3)
    ),
    "paired": lambda: Paired(line(), window=6, threshold=0.4),
    "champion": lambda: ChampionChallenger(
        Static(LinearRegression()),
        Static(LinearRegression()),
        every=10,
        window=15,
        shadow=8,
        level=0.2,
    ),
    "online champion": lambda: ChampionChallenger(
        Static(LinearRegression()), Online(line()), every=10, window=15, shadow=8, level=0.2
    ),
}
CLASSIFICATION = {
    "majority": lambda: Baseline("majority"),
    "no change": lambda: Baseline("no-change"),
    "static": lambda: Static(LogisticRegression()),
    "river": lambda: Online(naive_bayes.GaussianNB()),
    "partial_fit": lambda: Online(SGDClassifier(random_state=0), batch=4),
    "triggered": lambda: Triggered(
        LogisticRegression(), drift.binary.DDM(warm_start=5, drift_threshold=1), window=25
    ),
    "blend": lambda: Blend(
        {
            "frozen": Static(LogisticRegression()),
            "online": Online(naive_bayes.GaussianNB()),
        }
    ),
    "per key": lambda: PerKey(
        Static(LogisticRegression()), Online(naive_bayes.GaussianNB()), after=4
    ),
    "paired": lambda: Paired(naive_bayes.GaussianNB(), window=8, threshold=0.3),
    "champion": lambda: ChampionChallenger(
        Static(LogisticRegression()),
        Static(LogisticRegression()),
        every=10,
        window=30,
        shadow=12,
        level=0.2,
    ),
}
ALL = [(name, build, 0) for name, build in REGRESSION.items()]
ALL += [(name, build, 3) for name, build in CLASSIFICATION.items()]
IDS = [f"{name}-{classes or 'regression'}" for name, _, classes in ALL]


@pytest.mark.parametrize("kind", DELAYS)
@pytest.mark.parametrize(("name", "build", "classes"), ALL, ids=IDS)
def test_block_prediction_equals_the_plain_loop(name, build, classes, kind):
    stream = make(classes=classes)
    delay = delay_of(kind, stream)
    run = prequential(build(), stream, warmup=40, label_delay=delay)
    assert same(run.predictions, row_by_row(build(), stream, 40, delay))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    which=st.sampled_from(range(len(ALL))),
    delay=st.integers(0, 60),
    warmup=st.integers(30, 90),
    seed=st.integers(0, 1000),
    cut=st.integers(95, 150),
)
def test_the_future_never_changes_the_past(which, delay, warmup, seed, cut):
    """Whatever happens to rows and labels from `cut` on, earlier predictions stay as they are."""
    name, build, classes = ALL[which]
    warmup = max(warmup, delay + 12)
    stream = make(classes=classes, seed=seed)
    rng = np.random.default_rng(seed)
    X, y = stream.X.copy(), stream.y.copy()
    mixed = cut + rng.permutation(len(stream) - cut)
    X[cut:], y[cut:] = X[mixed] * 3, y[mixed]
    other = streams.Stream(
        "other", X, y, task=stream.task, classes=stream.classes, time=stream.time, key=stream.key
    )
    one = prequential(build(), stream, warmup=warmup, label_delay=delay).predictions
    two = prequential(build(), other, warmup=warmup, label_delay=delay).predictions
    assert same(one[: cut - warmup], two[: cut - warmup])


class Spy(Strategy):
    """Notes which labels it has seen whenever it is asked; column 0 of X is the row's number."""

    def __init__(self, stable_for: float = 1) -> None:
        self.stable_for, self.seen, self.asked = stable_for, [], {}

    def fit(self, X, y):
        self.seen = y.astype(int).tolist()

    def learn(self, X, y):
        self.seen += y.astype(int).tolist()

    def predict(self, X):
        for row in X[:, 0].astype(int).tolist():
            self.asked[row] = list(self.seen)
        return np.zeros(len(X))

    def clone(self, seed=None):
        return self


class Cheat(Spy):
    """Claims that nothing changes for ten labels, yet learns at once what it is not yet told."""

    def predict(self, X):
        self.seen += X[:, 0].astype(int).tolist()
        return super().predict(X)


def numbered(n=120) -> streams.Stream:
    rows = np.arange(float(n))
    stream = make(n)
    return streams.Stream("numbered", rows[:, None], rows, time=stream.time)


def leaks(spy: Spy, stream, kind) -> list[tuple[int, int]]:
    delay = delay_of(kind, stream)
    prequential(spy, stream, warmup=30, label_delay=delay)
    order, when = arrivals(stream, delay)
    arrival = dict(zip(order.tolist(), when.tolist(), strict=True))
    early = [(t, row) for t, seen in spy.asked.items() for row in seen if arrival[row] > t]
    assert sorted(spy.asked) == list(range(30, len(stream)))
    return early


@pytest.mark.parametrize("kind", DELAYS)
def test_no_label_is_used_before_it_arrives(kind):
    spy = Spy()
    stream = numbered()
    assert leaks(spy, stream, kind) == []
    order, when = arrivals(stream, delay_of(kind, stream))
    for t, seen in spy.asked.items():  # nor is one that has arrived held back or told twice
        assert seen == order[when <= t].tolist()


def test_the_leak_test_catches_a_cheat():
    assert leaks(Cheat(), numbered(), 5)


@pytest.mark.parametrize("delay", [0, 1, 2, 7, 50])
def test_online_equals_river_regression(delay):
    bikes = streams.bike_sharing()
    run = prequential(Online(line()), bikes, warmup=0, label_delay=delay)
    rows = [dict(zip(bikes.features, row, strict=True)) for row in bikes.X.tolist()]
    dataset = list(zip(rows, bikes.y.tolist(), strict=True))
    steps = evaluate.iter_progressive_val_score(
        dataset, line(), metrics.MAE(), delay=delay or None, yield_predictions=True
    )
    answers = [step["Prediction"] for step in steps]
    np.testing.assert_array_equal(run.predictions, answers)


@pytest.mark.parametrize("delay", [0, 3])
def test_online_equals_river_classification(delay):
    stream = make(400, classes=3)
    run = prequential(Online(naive_bayes.GaussianNB()), stream, warmup=0, label_delay=delay)
    rows = [dict(zip(stream.features, row, strict=True)) for row in stream.X.tolist()]
    metric = metrics.Accuracy()
    steps = list(
        evaluate.iter_progressive_val_score(
            list(zip(rows, stream.y.tolist(), strict=True)),
            naive_bayes.GaussianNB(),
            metric,
            delay=delay or None,
            yield_predictions=True,
        )
    )
    answers = [-1 if step["Prediction"] is None else step["Prediction"] for step in steps]
    np.testing.assert_array_equal(run.predictions, answers)


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_static_equals_a_hand_written_loop(delay):
    bikes = streams.bike_sharing()
    known = 146 if delay == 0 else 147 - delay
    model = LinearRegression().fit(bikes.X[:known], bikes.y[:known])
    run = prequential(Static(LinearRegression()), bikes, warmup=146, label_delay=delay)
    np.testing.assert_array_equal(run.predictions, model.predict(bikes.X[146:]))


@pytest.mark.parametrize("window", [60, None])
@pytest.mark.parametrize("delay", [0, 4])
def test_scheduled_equals_a_hand_written_loop(window, delay):
    bikes = streams.bike_sharing()
    late = max(0, delay - 1)
    run = prequential(
        Scheduled(LinearRegression(), every=30, window=window), bikes, warmup=200, label_delay=delay
    )
    answers = np.empty(len(bikes))
    for start in range(200, len(bikes), 30):
        known = start - late
        first = 0 if window is None else known - window
        model = LinearRegression().fit(bikes.X[first:known], bikes.y[first:known])
        answers[start : start + 30] = model.predict(bikes.X[start : start + 30])
    np.testing.assert_array_equal(run.predictions, answers[200:])
    assert run.cost["fits"] == len(range(200, len(bikes), 30))


def test_partial_fit_equals_a_hand_written_loop():
    stream = make(classes=3)
    run = prequential(Online(SGDClassifier(random_state=0), batch=10), stream, warmup=50)
    model, answers = SGDClassifier(random_state=0), []
    for start in range(0, 50, 10):
        part = slice(start, start + 10)
        model.partial_fit(stream.X[part], stream.y[part], classes=[0, 1, 2])
    for start in range(50, len(stream), 10):
        part = slice(start, start + 10)
        answers.append(model.predict(stream.X[part]))
        model.partial_fit(stream.X[part], stream.y[part])
    np.testing.assert_array_equal(run.predictions, np.concatenate(answers))


def test_same_seed_same_run_and_the_strategy_stays_untouched():
    stream = make()
    strategy = Scheduled(RandomForestRegressor(5), every=40)
    runs = [prequential(strategy, stream, warmup=40, seed=s).predictions for s in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()
    assert not hasattr(strategy, "seen")
    assert strategy.model.random_state is None


@pytest.mark.parametrize(("name", "build", "classes"), ALL, ids=IDS)
def test_every_strategy_keeps_the_contract(name, build, classes):
    assert len(check_strategy(build, classes=classes)) == 5


class Hasty(Static):
    """Says that it never changes, and changes."""

    frozen = False

    def learn(self, X, y):
        self.model.fit(X, y)


class Unstorable(Static):
    """Holds what cannot be stored."""

    def __init__(self, model):
        super().__init__(model)
        self.how = lambda x: x


class Shared(Static):
    """Fits the very model that it was given."""

    def clone(self, seed=None):
        return self


class Restless(Static):
    """Draws numbers from nowhere."""

    def predict(self, X):
        return self.model.predict(X) + np.random.default_rng().normal(size=len(X))


class Peeking(Static):
    """Looks at all the rows it is asked for before it answers the first."""

    def predict(self, X):
        return self.model.predict(X) + X.mean()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Hasty(LinearRegression()), "stable_for must not be larger"),
        (lambda: Unstorable(LinearRegression()), "cannot be stored"),
        (lambda: Shared(LinearRegression()), "the evaluation changed the strategy"),
        (lambda: Restless(LinearRegression()), "row by row"),
        (lambda: Peeking(LinearRegression()), "row by row"),
    ],
)
def test_the_contract_catches_who_breaks_it(build, words):
    with pytest.raises(AssertionError, match=words):
        check_strategy(build)


def test_a_champion_refuses_the_worse_and_rolls_back_the_disappointing():
    """Truth is 0, then 5 for a while, then 0 again: the promoted challenger must go back."""
    champion = ChampionChallenger(
        Static(DummyRegressor()), Static(DummyRegressor()), every=10, window=10, shadow=20
    )
    champion.fit(np.zeros((30, 1)), np.zeros(30))
    labels = np.r_[np.full(30, 5.0), np.zeros(20)]
    champion.learn(np.zeros((50, 1)), labels)
    assert [what for _, what in champion.events] == ["challenger", "promoted", "rolled back"]
    assert champion.predict(np.zeros((1, 1)))[0] == 0
    champion.learn(np.zeros((10, 1)), np.full(10, 9.0))  # a bad window for the next challenger
    champion.learn(np.zeros((20, 1)), np.zeros(20))
    assert [what for _, what in champion.events][3:] == ["challenger", "refused"]
    assert champion.predict(np.zeros((1, 1)))[0] == 0


@pytest.mark.parametrize(
    ("build", "classes", "words"),
    [
        (lambda: PerKey(Static(LinearRegression()), Online(line())), 0, "needs each row's key"),
        (lambda: Scheduled(LinearRegression(), every="7D"), 0, "needs each row's time"),
        (lambda: Residual(Static(LogisticRegression()), Online(line())), 2, "use Blend or PerKey"),
    ],
)
def test_a_strategy_that_does_not_fit_the_stream_says_why(build, classes, words):
    toy = make(classes=classes)
    bare = streams.Stream("bare", toy.X, toy.y, task=toy.task, classes=toy.classes)
    with pytest.raises(ValueError, match=words):
        prequential(build(), bare, warmup=40)


@pytest.mark.parametrize(
    ("build", "kind", "words"),
    [
        (lambda: Triggered(LinearRegression(), object(), 10), TypeError, "no drift detector"),
        (lambda: Triggered(LinearRegression(), sensitive(), 0), ValueError, "window 0"),
        (
            lambda: Triggered(LinearRegression(), sensitive(), 9, watch="sky"),
            ValueError, "choose 'loss' or 'inputs'",
        ),
        (lambda: Scheduled(LinearRegression(), 5, warm=True), TypeError, "cannot start warm"),
        (lambda: Blend({"a": Baseline("mean")}), ValueError, "at least 2 members"),
        (
            lambda: Blend({"a": Baseline("mean"), "b": Baseline("mean")}, rate=0),
            ValueError, "rate 0",
        ),
        (lambda: PerKey(Baseline("mean"), Online(line()), after=0), ValueError, "after is 0"),
        (lambda: Paired(line(), window=1), ValueError, "window 1"),
        (lambda: Paired(SGDRegressor()), TypeError, "give it a River model"),
        (
            lambda: ChampionChallenger(
                Baseline("mean"), Baseline("mean"), every=0, window=5, shadow=5
            ),
            ValueError, "every 0",
        ),
    ],
)  # fmt: skip
def test_a_bad_hybrid_gets_one_sentence(build, kind, words):
    with pytest.raises(kind, match=words):
        build()


def test_warm_start_goes_on_from_the_last_fit():
    stream = make()
    model = SGDRegressor(max_iter=1, tol=None, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warm = prequential(Scheduled(model, every=10, warm=True), stream, warmup=40)
        cold = prequential(Scheduled(model, every=10), stream, warmup=40)
        hand = SGDRegressor(max_iter=1, tol=None, random_state=0, warm_start=True)
        answers = []
        for start in range(40, 160, 10):
            hand.fit(stream.X[:start], stream.y[:start])
            answers.append(hand.predict(stream.X[start : start + 10]))
    assert same(warm.predictions, np.concatenate(answers))
    assert not same(warm.predictions, cold.predictions)


def test_schedule_by_calendar_equals_a_hand_written_loop():
    bikes = streams.bike_sharing()
    run = prequential(Scheduled(LinearRegression(), every="30D"), bikes, warmup=200)
    answers = []
    due = bikes.time[199] + np.timedelta64(30, "D")
    model = LinearRegression().fit(bikes.X[:200], bikes.y[:200])
    for t in range(200, 731):
        if bikes.time[t - 1] >= due:
            model = LinearRegression().fit(bikes.X[:t], bikes.y[:t])
            due += np.timedelta64(30, "D")
        answers.append(model.predict(bikes.X[t : t + 1])[0])
    assert same(run.predictions, np.array(answers))
    assert len(run.events) == 18


@pytest.mark.parametrize(
    "build",
    [
        lambda: Static(LogisticRegression()),
        lambda: Scheduled(LogisticRegression(), every=20),
        lambda: Online(naive_bayes.GaussianNB()),
        lambda: Baseline("majority"),
        lambda: Baseline("no-change"),
    ],
)
def test_probabilities_agree_with_predictions(build):
    stream = make(classes=3)
    plain = prequential(build(), stream, warmup=40)
    run = prequential(build(), stream, warmup=40, probabilities=True)
    assert run.probabilities.shape == (120, 3)
    np.testing.assert_allclose(run.probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(run.predictions, plain.predictions)


def test_costs_and_events_are_kept():
    bikes = streams.bike_sharing()
    run = prequential(Scheduled(LinearRegression(), every=100, window=50), bikes, warmup=231)
    assert run.events == [(row, "fit") for row in range(231, 731, 100)]
    assert (run.cost["fits"], run.cost["rows_learnt"]) == (5, 250)
    assert run.cost["predictions"] == 500
    assert prequential(Static(LinearRegression()), bikes, warmup=100).cost["labels_used"] == 100


class Broken(Static):
    def predict(self, X):
        return np.full(len(X), np.nan)


class Short(Static):
    def predict(self, X):
        return np.zeros(3)


@pytest.mark.parametrize(
    ("build", "options", "words"),
    [
        (lambda: Static(LinearRegression()), {"warmup": 1.0}, "a number of rows"),
        (lambda: Static(LinearRegression()), {"warmup": 160}, "leaves nothing to score"),
        (lambda: Static(LinearRegression()), {"warmup": -1}, "leaves nothing to score"),
        (lambda: Static(LinearRegression()), {"warmup": 0}, "cannot start without a warm-up"),
        (lambda: Static(LinearRegression()), {"label_delay": -2}, "cannot arrive before its row"),
        (lambda: Static(LinearRegression()), {"label_delay": "soon"}, "no duration"),
        (lambda: Static(LinearRegression()), {"label_delay": 150}, "no label has arrived"),
        (lambda: Static(LinearRegression()), {"label_delay": np.zeros(3, int)}, "arrival time"),
        (lambda: Broken(LinearRegression()), {}, "not finite"),
        (lambda: Short(LinearRegression()), {}, "one value for each row"),
    ],
)
def test_bad_input_gets_one_sentence(build, options, words):
    with pytest.raises(ValueError, match=words):
        prequential(build(), make(), **{"warmup": 40, **options})


def test_time_delays_need_times():
    bikes = streams.bike_sharing().take(np.arange(100))
    with pytest.raises(ValueError, match="has no times"):
        prequential(Baseline("no-change"), bikes, label_delay="2D")


def test_a_label_cannot_arrive_before_its_row():
    bikes = streams.bike_sharing()
    with pytest.raises(ValueError, match="label of row 0 arrives before its row"):
        prequential(Baseline("no-change"), bikes, label_delay=bikes.time - np.timedelta64(1, "D"))


class RaisesLater(LinearRegression):
    """Predicts four times, then fails."""

    def fit(self, X, y):
        self.fitted = getattr(self, "fitted", 0) + 1
        if self.fitted > 4:
            raise OverflowError("out of range")
        return super().fit(X, y)


def test_a_model_that_raises_in_the_middle_loses_nothing_done_before():
    strategy = Scheduled(RaisesLater(), every=10)
    stream = toy_stream()
    words = r"late failed at row 100 of 'toy': OverflowError: out of range"
    with pytest.raises(RunFailed, match=words) as caught:
        prequential(strategy, stream, warmup=60, name="late")
    part = caught.value.run
    whole = prequential(Scheduled(LinearRegression(), every=10), stream, warmup=60)
    assert len(part.y) == len(part.predictions) == 40
    assert np.array_equal(part.predictions, whole.predictions[:40])


@pytest.mark.parametrize(
    "build",
    [
        lambda: Static(LogisticRegression()),
        lambda: Scheduled(LogisticRegression(), every=20, window=60),
        lambda: Triggered(LogisticRegression(), drift.ADWIN(), window=60),
        lambda: Online(SGDClassifier(loss="log_loss", random_state=0)),
        lambda: Online(linear_model.SoftmaxRegression()),
        lambda: Baseline("no-change"),
    ],
)
@pytest.mark.parametrize("probabilities", [False, True])
def test_a_class_that_first_appears_late_is_no_accident(build, probabilities):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    X[:, 1] = 1.0  # a feature that never changes, too
    y = (X[:, 0] > 0).astype(int)
    y[120:][X[120:, 0] > 1] = 2
    stream = Stream("late", X, y, task="classification", classes=("a", "b", "c"))
    run = prequential(build(), stream, warmup=60, probabilities=probabilities)
    assert set(run.predictions.tolist()) <= {0, 1, 2}
    if probabilities:
        assert run.probabilities.shape == (140, 3)
        assert np.allclose(run.probabilities.sum(axis=1), 1)


def test_a_key_never_seen_gets_the_shared_model():
    stream = toy_stream()
    keys = np.where(np.arange(len(stream)) < 100, "ann", "new")
    stream = replace(stream, key=keys)
    alone = prequential(Static(LinearRegression()), stream, warmup=60)
    both = prequential(
        PerKey(Static(LinearRegression()), Baseline("no-change"), after=3), stream, warmup=60
    )
    assert np.array_equal(both.predictions[40:43], alone.predictions[40:43])
    assert not np.array_equal(both.predictions[43:], alone.predictions[43:])


@pytest.mark.parametrize("delay", PARTS)
@pytest.mark.parametrize(("name", "build", "classes"), ALL, ids=IDS)
def test_a_stream_in_parts_gives_the_same_as_the_whole(name, build, classes, delay):
    stream = make(160, classes)
    whole = prequential(build(), stream, warmup=60, label_delay=delay, seed=3)
    ends = [0, 70, 75, 76, 140, 160]
    parts = (stream.take(slice(a, b)) for a, b in zip(ends, ends[1:], strict=False))
    runs = list(prequential_in_parts(build(), parts, warmup=60, label_delay=delay, seed=3))
    assert same(np.concatenate([run.predictions for run in runs]), whole.predictions)
    assert [run.first for run in runs] == [60, 70, 75, 76, 140]
    assert [event for run in runs for event in run.events] == whole.events
    for cost in ("fits", "rows_learnt", "labels_used"):
        assert runs[-1].cost[cost] == whole.cost[cost], cost
