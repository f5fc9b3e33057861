"""Every parameter of every hybrid, against loops written out by hand."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from by_hand import drifting, in_blocks, loss_of, one_by_one, said, started, taught
from river import dummy, linear_model, naive_bayes, optim, stats
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDRegressor
from sklearn.tree import DecisionTreeClassifier

from companion import (
    Baseline,
    Blend,
    ChampionChallenger,
    Online,
    Paired,
    PerKey,
    Residual,
    Scheduled,
    Static,
    Strategy,
    Triggered,
    prequential,
)
from companion.intervals import block_bootstrap_interval
from companion.stream import Stream

WARMUP = 20


@dataclass
class Hand:
    """What a loop written out by hand found."""

    answers: list = field(default_factory=list)
    events: list = field(default_factory=list)
    fits: int = 0
    rows: int = 0


def agrees(
    strategy: Strategy, stream: Stream, hand: Hand, warmup: int = WARMUP, unseen: int = 0
) -> None:
    """Answers, events and counters are the loop's, label by label and in blocks of labels.

    Labels that come in an evaluation's last block of rows are not told, for no answer hangs on
    them any more: of what happens there (the last ``unseen`` labels) it knows nothing.
    """
    run = prequential(strategy, stream, warmup=warmup)
    np.testing.assert_allclose(run.predictions, hand.answers, rtol=1e-9, atol=1e-9)
    late = len(stream) - unseen
    known = len(run.events) - 1 if unseen else len(hand.events)
    assert run.events == [(warmup, "fit"), *hand.events[:known]]
    assert all(row > late for row, _ in hand.events[known:])
    if not unseen:
        assert (run.cost["fits"], run.cost["rows_learnt"]) == (hand.fits, hand.rows)
    one_by_one(strategy, stream, warmup)
    for size in (1, 7):
        left, answers = in_blocks(strategy, stream, warmup, size)
        expected = [hand.answers[row - warmup] for row in answers]
        np.testing.assert_allclose(list(answers.values()), expected, rtol=1e-9, atol=1e-9)
        labels = max(answers) - warmup
        done = [(row - warmup, what) for row, what in hand.events if row - warmup <= labels]
        assert list(left.events) == done
        if size == 1:
            assert (left.fits, left.rows_learnt) == (hand.fits, hand.rows)


def mean_model():
    return dummy.StatisticRegressor(stats.Mean())


def line():
    return linear_model.LinearRegression(optimizer=optim.SGD(0.02), intercept_lr=0.05)


# --- Triggered -------------------------------------------------------------------------------


class Sum:
    """A drift detector that fires when all that it has seen adds up to more than a limit."""

    def __init__(self, limit: float) -> None:
        self.limit, self.total, self.drift_detected = limit, 0.0, False

    def update(self, value: float) -> None:
        self.total += value
        self.drift_detected = self.total > self.limit

    def clone(self) -> Sum:
        return Sum(self.limit)


def triggered_by_hand(stream, model, limit, window, watch, wait, cooldown) -> Hand:
    X, y = stream.X, stream.y
    hand = Hand(fits=1, rows=WARMUP)
    model.fit(X[:WARMUP], y[:WARMUP])
    sums, resting, fit_at = 0.0, 0, None
    for t in range(WARMUP, len(stream)):
        answer = model.predict(X[t : t + 1])[0]
        hand.answers.append(answer)
        if t == len(stream) - 1:  # its label comes after the last answer
            break
        if fit_at is None and resting:
            resting -= 1
        elif fit_at is None:
            sums = sums + (loss_of(stream, y[t], answer) if watch == "loss" else X[t])
            if np.max(sums) > limit:
                fit_at = t + wait
                hand.events.append((t + 1, "alarm"))
        if fit_at == t:
            first = max(0, t + 1 - window)
            model.fit(X[first : t + 1], y[first : t + 1])
            hand.events.append((t + 1, "fit"))
            hand.fits, hand.rows = hand.fits + 1, hand.rows + t + 1 - first
            sums, resting, fit_at = 0.0, cooldown, None
    return hand


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("watch", ["loss", "inputs"])
@pytest.mark.parametrize(
    ("window", "wait", "cooldown"), [(9, 0, 0), (25, 4, 0), (9, 0, 6), (9, 1, 5)]
)
def test_triggered(window, wait, cooldown, watch, classes):
    stream = drifting(classes=classes)
    model = LogisticRegression() if classes else LinearRegression()
    limit = 12.0 if watch == "inputs" or not classes else 2.0
    hand = triggered_by_hand(stream, model, limit, window, watch, wait, cooldown)
    assert sum(what == "fit" for _, what in hand.events) > 1
    strategy = Triggered(model, Sum(limit), window, watch=watch, wait=wait, cooldown=cooldown)
    agrees(strategy, stream, hand)


@pytest.mark.parametrize("column", [0, 1])
def test_triggered_by_inputs_watches_each_column_apart(column):
    """Any one column can ring the alarm, and what two columns add up to cannot."""
    strategy = Triggered(DummyRegressor(), Sum(10.0), 5, watch="inputs")
    strategy.fit(np.zeros((5, 2)), np.zeros(5))
    strategy.learn(np.full((9, 2), 1.0), np.zeros(9))
    assert strategy.events == ()
    moved = np.zeros((1, 2))
    moved[0, column] = 2.0
    strategy.learn(moved, np.zeros(1))
    assert [what for _, what in strategy.events] == ["alarm", "fit"]


def test_triggered_watches_labels_not_inputs_unless_asked():
    strategy = Triggered(LinearRegression(), Sum(10.0), 5)
    strategy.fit(np.zeros((5, 2)), np.zeros(5))
    strategy.learn(np.full((9, 2), 100.0), np.zeros(9))
    assert strategy.events == ()
    strategy.learn(np.zeros((0, 2)), np.zeros(0))
    assert strategy.labels_seen == 9


@pytest.mark.parametrize("wrong", [{"window": 0}, {"wait": -1}, {"cooldown": -1}])
def test_triggered_takes_the_least_numbers_and_refuses_lower_ones(wrong):
    options = {"window": 1, "wait": 0, "cooldown": 0}
    least = Triggered(DummyRegressor(), Sum(1.0), **options)
    usual = Triggered(DummyRegressor(), Sum(1.0), 1)
    assert (usual.watch, usual.wait, usual.cooldown) == ("loss", least.wait, least.cooldown)
    with pytest.raises(ValueError, match=" ".join(f"{k} {v}" for k, v in wrong.items())):
        Triggered(DummyRegressor(), Sum(1.0), **{**options, **wrong})


def test_triggered_needs_a_detector_a_model_and_something_to_watch():
    with pytest.raises(ValueError, match="watch is 'sky'; choose 'loss' or 'inputs'"):
        Triggered(DummyRegressor(), Sum(1.0), 5, watch="sky")

    class OnlyUpdates:
        update = None

    class OnlyFires:
        drift_detected = False

    for detector in (OnlyUpdates(), OnlyFires()):
        with pytest.raises(TypeError, match=f"{type(detector).__name__} is no drift detector"):
            Triggered(DummyRegressor(), detector, 5)
    for lacking in ("fit", "predict"):
        other = {"fit": "predict", "predict": "fit"}[lacking]
        model = type("Half", (), {other: None})()
        with pytest.raises(TypeError, match=f"Triggered cannot use Half.*{lacking}"):
            Triggered(model, Sum(1.0), 5)


# --- Residual --------------------------------------------------------------------------------


def test_residual_adds_the_mean_of_the_newest_errors():
    stream = drifting()
    X, y = stream.X, stream.y
    main = LinearRegression().fit(X[:WARMUP], y[:WARMUP])
    errors = (y[:WARMUP] - main.predict(X[:WARMUP])).tolist()
    hand = Hand(fits=1, rows=WARMUP)
    for t in range(WARMUP, len(stream)):
        known = main.predict(X[t : t + 1])[0]
        hand.answers.append(known + np.mean(errors[-4:]))
        errors.append(y[t] - known)
    agrees(Residual(Static(LinearRegression()), Baseline("rolling", rows=4)), stream, hand)


def test_residual_of_a_moving_main_learns_the_error_made_before_the_label():
    """The main model is refitted by the calendar, the corrector follows the season."""
    stream = drifting()
    X, y = stream.X, stream.y
    model = LinearRegression().fit(X[WARMUP - 12 : WARMUP], y[WARMUP - 12 : WARMUP])
    errors = (y[:WARMUP] - model.predict(X[:WARMUP])).tolist()
    hand = Hand(fits=1, rows=12)
    due = stream.time[WARMUP - 1] + np.timedelta64(10, "D")
    for t in range(WARMUP, len(stream)):
        known = model.predict(X[t : t + 1])[0]
        hand.answers.append(known + errors[t - 7])
        errors.append(y[t] - known)
        if stream.time[t] >= due and t < len(stream) - 1:
            model = LinearRegression().fit(X[t - 11 : t + 1], y[t - 11 : t + 1])
            hand.fits, hand.rows, due = hand.fits + 1, hand.rows + 12, due + np.timedelta64(10, "D")
    main = Scheduled(LinearRegression(), every="10D", window=12)
    agrees(Residual(main, Baseline("seasonal", rows=7)), stream, hand)


def test_residual_counts_both_and_is_stable_as_long_as_both_are():
    strategy = Residual(Static(DummyRegressor()), Online(mean_model()))
    strategy.fit(np.zeros((6, 1)), np.arange(6.0))
    strategy.learn(np.zeros((4, 1)), np.zeros(4))
    assert (strategy.fits, strategy.rows_learnt) == (1 + 10, 6 + 10)
    slow, slower = (Scheduled(DummyRegressor(), every=k) for k in (5, 8))
    for one, two in ((slow, slower), (slower, slow)):
        both = Residual(one, two)
        both.fit(np.zeros((6, 1)), np.arange(6.0))
        assert both.stable_for == 5
        both.learn(np.zeros((2, 1)), np.zeros(2))
        assert both.stable_for == 3
    assert Residual(Static(DummyRegressor()), Baseline("mean")).stable_for == math.inf


def test_residual_refuses_classes_and_hands_the_columns_names_on():
    strategy = Residual(Static(DummyRegressor()), Online(mean_model()))
    with pytest.raises(
        ValueError, match="^Residual adds up numbers; for classes use Blend or PerKey$"
    ):
        strategy.set_schema(("a",), 2)
    strategy.set_schema(("a",), 0)
    assert strategy.corrector.features == ("a",)


# --- Blend -----------------------------------------------------------------------------------


class Weights:
    """The weights of a blend, one label after the other."""

    def __init__(self, members: int, rate: float, share: float) -> None:
        self.now, self.rate, self.share = np.full(members, 1 / members), rate, share
        self.means: list[float] = []

    def follow(self, losses: list[float]) -> None:
        self.means.append(np.mean(losses))
        scale = np.mean(self.means) or 1.0
        raised = [
            w * math.exp(-self.rate * x / scale) for w, x in zip(self.now, losses, strict=True)
        ]
        even = 1 / len(losses)
        self.now = np.array(
            [(1 - self.share) * w / sum(raised) + self.share * even for w in raised]
        )


@pytest.mark.parametrize(("rate", "share"), [(0.5, 0.01), (2.0, 0.2), (1.0, 0.0)])
def test_blend_of_numbers(rate, share):
    stream = drifting()
    X, y = stream.X, stream.y
    model = LinearRegression().fit(X[:WARMUP], y[:WARMUP])
    hand, weights = Hand(fits=1, rows=WARMUP), Weights(3, rate, share)
    for t in range(WARMUP, len(stream)):
        answers = [model.predict(X[t : t + 1])[0], y[t - 1], y[t - 3]]
        hand.answers.append(float(np.dot(weights.now, answers)))
        weights.follow([abs(y[t] - answer) for answer in answers])
    parts = {
        "frozen": Static(LinearRegression()),
        "newest": Baseline("no-change"),
        "season": Baseline("seasonal", rows=3),
    }
    strategy = Blend(parts, rate=rate, share=share)
    agrees(strategy, stream, hand)
    if (rate, share) == (0.5, 0.01):
        agrees(Blend(parts), stream, hand)
    left = in_blocks(strategy, stream, WARMUP, 1)[0]
    last = Weights(3, rate, share)
    for t in range(WARMUP, len(stream) - 1):
        known = [model.predict(X[t : t + 1])[0], y[t - 1], y[t - 3]]
        last.follow([abs(y[t] - answer) for answer in known])
    np.testing.assert_allclose(left.weights, last.now)


class Silent(Strategy):
    """A classifier that gives one class in rows whose first column is above a limit, else none."""

    frozen, stable_for = True, math.inf

    def __init__(self, code: int, limit: float) -> None:
        self.code, self.limit = code, limit

    def fit(self, X, y):
        pass

    def predict(self, X):
        return np.where(X[:, 0] > self.limit, self.code, -1)


def test_blend_of_classes_lets_the_weights_vote_and_passes_over_who_has_no_answer():
    stream = drifting(classes=3)
    X, y = stream.X, stream.y
    hand, weights = Hand(), Weights(4, 0.5, 0.01)
    for t in range(WARMUP, len(stream)):
        answers = [1 if X[t, 0] > 0.5 else -1, y[t - 1], 2, 0 if X[t, 0] > 0.1 else -1]
        votes = [
            sum(w for w, a in zip(weights.now, answers, strict=True) if a == c) for c in (0, 1, 2)
        ]
        hand.answers.append(int(np.argmax(votes)))
        weights.follow([float(y[t] != answer) for answer in answers])
    parts = {
        "one": Silent(1, 0.5),
        "newest": Baseline("no-change"),
        "two": Silent(2, -1.0),
        "nil": Silent(0, 0.1),
    }
    assert set(hand.answers) == {0, 1, 2}
    agrees(Blend(parts), stream, hand)


def test_a_blend_in_which_nobody_answers_still_gives_a_class():
    strategy = Blend({"a": Silent(1, 9.0), "b": Silent(2, 9.0)})
    strategy.set_schema(("x0",), 3)
    strategy.fit(np.zeros((2, 1)), np.array([0, 1]))
    assert strategy.predict(np.zeros((2, 1))).tolist() == [0, 0]


def test_a_blend_without_any_error_keeps_its_weights():
    strategy = Blend({"a": Baseline("mean"), "b": Baseline("no-change")}, share=0)
    strategy.fit(np.zeros((2, 1)), np.ones(2))
    strategy.learn(np.zeros((3, 1)), np.ones(3))
    assert strategy.weights.tolist() == [0.5, 0.5]


def test_a_blend_with_a_very_high_rate_follows_the_leader():
    strategy = Blend({"a": Baseline("mean"), "b": Baseline("no-change")}, rate=1e4, share=0)
    strategy.fit(np.zeros((2, 1)), np.array([0.0, 2.0]))
    strategy.learn(np.zeros((1, 1)), np.array([4.0]))
    assert strategy.weights.tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"share": -0.1}, {"share": 1}])
def test_blend_refuses_what_is_no_rate_or_share(wrong):
    parts = {"a": Baseline("mean"), "b": Baseline("no-change")}
    Blend(parts, rate=0.01, share=0)
    with pytest.raises(ValueError, match=" ".join(f"{k} {v}" for k, v in wrong.items())):
        Blend(parts, **wrong)
    with pytest.raises(ValueError, match="^a blend needs at least 2 members$"):
        Blend({"a": Baseline("mean")})


def test_blend_counts_all_its_members():
    strategy = Blend({"a": Static(DummyRegressor()), "b": Online(mean_model())})
    strategy.fit(np.zeros((6, 1)), np.arange(6.0))
    strategy.learn(np.zeros((4, 1)), np.zeros(4))
    assert (strategy.fits, strategy.rows_learnt) == (1 + 10, 6 + 10)


# --- PerKey ----------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 4])
@pytest.mark.parametrize("moving", [False, True])
def test_per_key_of_numbers_adds_what_the_shared_model_gets_wrong(after, moving):
    stream = drifting()
    X, y, keys = stream.X, stream.y, stream.key.tolist()
    model = LinearRegression().fit(X[:WARMUP], y[:WARMUP])
    rest = (y[:WARMUP] - model.predict(X[:WARMUP])).tolist()
    errors = {key: [r for r, k in zip(rest, keys, strict=False) if k == key] for key in set(keys)}
    hand = Hand(fits=1, rows=WARMUP)
    for t in range(WARMUP, len(stream)):
        known, own = model.predict(X[t : t + 1])[0], errors[keys[t]]
        hand.answers.append(known + (np.mean(own[-3:]) if len(own) >= after else 0.0))
        own.append(y[t] - known)
        if moving and (t + 1 - WARMUP) % 10 == 0 and t < len(stream) - 1:
            model = LinearRegression().fit(X[: t + 1], y[: t + 1])
            hand.fits, hand.rows = hand.fits + 1, hand.rows + t + 1
    shared = Scheduled(LinearRegression(), every=10) if moving else Static(LinearRegression())
    agrees(PerKey(shared, Baseline("rolling", rows=3), after=after), stream, hand)


@pytest.mark.parametrize("after", [1, 4])
def test_per_key_of_classes_lets_the_personal_model_take_over(after):
    stream = drifting(classes=3)
    X, y, keys = stream.X, stream.y, stream.key.tolist()
    model = LogisticRegression().fit(X[:WARMUP], y[:WARMUP])
    own: dict = {key: [t for t in range(WARMUP) if keys[t] == key] for key in set(keys)}
    labels = len(stream) - 1  # the last one comes after the last answer
    hand = Hand(fits=1 + labels, rows=WARMUP + labels)
    for t in range(WARMUP, len(stream)):
        rows = own[keys[t]]
        personal = said(taught(naive_bayes.GaussianNB(), stream, rows), stream, t) if rows else None
        hand.answers.append(personal if len(rows) >= after else model.predict(X[t : t + 1])[0])
        rows.append(t)
    strategy = PerKey(Static(LogisticRegression()), Online(naive_bayes.GaussianNB()), after=after)
    agrees(strategy, stream, hand)


def test_per_key_answers_each_row_of_a_block_by_its_own_key():
    strategy = PerKey(Static(DummyRegressor()), Baseline("no-change"), after=2)
    keys = np.array(["ann", "bob", "ann", "bob", "cat"])
    strategy.fit(np.zeros((5, 1)), np.array([1.0, 2.0, 11.0, -4.0, 5.0]), key=keys)
    asked = np.array(["eve", "bob", "cat", "ann", "bob"])
    assert strategy.predict(np.zeros((5, 1)), key=asked).tolist() == [3, -4, 3, 11, -4]
    strategy.learn(np.zeros((3, 1)), np.array([9.0, 8.0, 7.0]), key=np.array(["cat", "eve", "bob"]))
    assert strategy.predict(np.zeros((5, 1)), key=asked).tolist() == [3, 7, 9, 11, 7]
    assert strategy.counts == {"ann": 2, "bob": 3, "cat": 2, "eve": 1}


def test_per_key_of_classes_keeps_the_shared_answer_where_the_personal_model_has_none():
    strategy = PerKey(Static(DummyClassifier(strategy="most_frequent")), Silent(2, 0.5))
    strategy.set_schema(("x0",), 3)
    strategy.fit(np.zeros((3, 1)), np.array([0, 1, 1]), key=np.array(["a", "a", "a"]))
    keys = np.array(["a", "a", "b"])
    assert strategy.predict(np.array([[0.0], [1.0], [1.0]]), key=keys).tolist() == [1, 2, 1]
    first = PerKey(Static(DummyClassifier(strategy="most_frequent")), Silent(0, 0.5))
    first.set_schema(("x0",), 3)
    first.fit(np.zeros((3, 1)), np.array([0, 1, 1]), key=np.array(["a", "a", "a"]))
    assert first.predict(np.array([[1.0]]), key=np.array(["a"])).tolist() == [0]


def test_per_key_hands_on_what_its_parts_need():
    """The season is counted in rows of the stream, not in rows of the key."""
    stream = drifting()
    X, y, keys = stream.X, stream.y, stream.key.tolist()
    model = DummyRegressor().fit(X[WARMUP - 5 : WARMUP], y[WARMUP - 5 : WARMUP])
    errors: dict = {key: {} for key in set(keys)}
    newest: dict = {}
    hand = Hand(fits=1, rows=5)

    def learn(t, known):
        errors[keys[t]][t % 5] = newest[keys[t]] = y[t] - known

    for t in range(WARMUP):
        learn(t, model.predict(X[:1])[0])
    due = stream.time[WARMUP - 1] + np.timedelta64(9, "D")
    for t in range(WARMUP, len(stream)):
        known = model.predict(X[:1])[0]
        own = errors[keys[t]]
        hand.answers.append(known + own.get(t % 5, newest.get(keys[t], 0.0)))
        learn(t, known)
        if stream.time[t] >= due and t < len(stream) - 1:
            model = DummyRegressor().fit(X[t - 4 : t + 1], y[t - 4 : t + 1])
            hand.fits, hand.rows, due = hand.fits + 1, hand.rows + 5, due + np.timedelta64(9, "D")
    shared = Scheduled(DummyRegressor(), every="9D", window=5)
    strategy = PerKey(shared, Baseline("seasonal", rows=5))
    assert set(strategy.needs) == {"key", "time", "row"}
    agrees(strategy, stream, hand)
    frozen = PerKey(Static(DummyRegressor()), Baseline("seasonal", rows=5))
    run = prequential(frozen, stream, warmup=WARMUP)
    answers = list(in_blocks(frozen, stream, WARMUP, 1)[1].values())
    np.testing.assert_allclose(run.predictions[1:], answers)


def test_per_key_needs_one_label_at_least():
    PerKey(Static(DummyRegressor()), Baseline("no-change"), after=1)
    with pytest.raises(ValueError, match="after is 0"):
        PerKey(Static(DummyRegressor()), Baseline("no-change"), after=0)


# --- Paired ----------------------------------------------------------------------------------


def paired_by_hand(stream, model, window, threshold, warmup) -> Hand:
    stable = taught(model, stream, range(warmup))
    recent = list(range(warmup))[-window:]
    reactive = taught(model, stream, recent)
    hand, beaten = Hand(rows=warmup + len(recent)), []
    for t in range(warmup, len(stream)):
        old, new = (said(each, stream, t) for each in (stable, reactive))
        hand.answers.append(old)
        if t == len(stream) - 1:
            break
        beaten.append(loss_of(stream, stream.y[t], new) < loss_of(stream, stream.y[t], old))
        beaten = beaten[-window:]
        stable, recent = taught(stable, stream, [t]), [*recent, t][-window:]
        reactive = taught(model, stream, recent)
        hand.rows += 1 + len(recent)
        if len(beaten) == window and sum(beaten) / window > threshold:
            stable, beaten = copy.deepcopy(reactive), []
            hand.events.append((t + 1, "swap"))
    hand.fits = hand.rows
    return hand


@pytest.mark.parametrize(
    ("window", "threshold", "warmup"),
    [(6, 0.5, 20), (6, 0.34, 20), (10, 0.6, 20), (4, 0.75, 20), (2, 0.5, 20), (8, 0.5, 3)],
)
def test_paired_of_numbers(window, threshold, warmup):
    stream = drifting()
    hand = paired_by_hand(stream, line(), window, threshold, warmup)
    assert hand.events
    agrees(Paired(line(), window, threshold), stream, hand, warmup)


def test_paired_of_classes_counts_rows_that_only_the_reactive_one_gets_right():
    stream = drifting(140, classes=2)
    hand = paired_by_hand(stream, naive_bayes.GaussianNB(), 12, 0.2, WARMUP)
    assert hand.events
    agrees(Paired(naive_bayes.GaussianNB(), threshold=0.2), stream, hand)
    with_default = paired_by_hand(stream, naive_bayes.GaussianNB(), 12, 0.5, WARMUP)
    agrees(Paired(naive_bayes.GaussianNB()), stream, with_default)


def test_paired_swaps_only_above_the_threshold_and_forgets_who_was_beaten():
    """Half of four labels beaten is not more than half; after a swap the count begins anew."""
    strategy = Paired(mean_model(), window=4, threshold=0.5)
    strategy.fit(np.zeros((50, 1)), np.zeros(50))
    strategy.learn(np.zeros((4, 1)), np.array([0.0, 6.0, 6.0, 0.0]))
    assert strategy.events == ()
    strategy.learn(np.zeros((7, 1)), np.full(7, 6.0))
    assert strategy.events == ((6, "swap"), (11, "swap"))
    assert strategy.beaten == []


@pytest.mark.parametrize(("window", "threshold"), [(1, 0.5), (4, 0.0), (4, 1.1)])
def test_paired_refuses_what_is_no_window_or_threshold(window, threshold):
    Paired(mean_model(), 2, 1)
    with pytest.raises(TypeError, match="Paired cannot use SGDRegressor; give it a River model"):
        Paired(SGDRegressor())
    with pytest.raises(ValueError, match=f"window {window} .*threshold {threshold}"):
        Paired(mean_model(), window, threshold)


# --- ChampionChallenger ----------------------------------------------------------------------


class Fitted:
    """A scikit-learn model that is fitted on rows and learns no more."""

    def __init__(self, stream, model, rows):
        self.stream, self.model, self.rows = stream, copy.deepcopy(model), len(rows)
        self.model.fit(stream.X[rows], stream.y[rows])
        self.fits = 1

    def says(self, t):
        return self.model.predict(self.stream.X[t : t + 1])[0]

    def learns(self, t):
        pass


class Taught:
    """A River model that goes on learning."""

    def __init__(self, stream, model, rows):
        self.stream, self.model = stream, taught(model, stream, rows)
        self.rows = self.fits = len(rows)

    def says(self, t):
        return said(self.model, self.stream, t)

    def learns(self, t):
        self.model = taught(self.model, self.stream, [t])
        self.rows, self.fits = self.rows + 1, self.fits + 1


def champion_by_hand(stream, champion, challenger, every, window, shadow, level) -> Hand:
    hand, everyone = Hand(), [champion]
    rival, phase, left, gaps = None, "waiting", every, []
    for t in range(WARMUP, len(stream)):
        hand.answers.append(champion.says(t))
        if t == len(stream) - 1:
            break
        if rival is not None:
            theirs = loss_of(stream, stream.y[t], rival.says(t))
            gaps.append(theirs - loss_of(stream, stream.y[t], champion.says(t)))
        for each in (champion, rival):
            if each is not None:
                each.learns(t)
        left -= 1
        if left:
            continue
        if phase == "waiting":
            rival = challenger(np.arange(t + 1)[-window:])
            if rival is None:  # its window holds one class only
                calm = f"no fit: the window of {window} rows holds one class only"
                hand.events.append((t + 1, calm))
                left = every
                continue
            everyone.append(rival)
            hand.events.append((t + 1, "challenger"))
            phase, left, gaps = "shadow", shadow, []
            continue
        better = block_bootstrap_interval(np.array(gaps), level=level, resamples=500)[1] < 0
        if better:
            champion, rival = rival, champion
        if phase == "shadow" and better:
            hand.events.append((t + 1, "promoted"))
            phase, left, gaps = "probation", shadow, []
            continue
        if better or phase == "shadow":
            hand.events.append((t + 1, "rolled back" if phase == "probation" else "refused"))
        rival, phase, left = None, "waiting", every
    hand.fits, hand.rows = sum(e.fits for e in everyone), sum(e.rows for e in everyone)
    return hand


@pytest.mark.parametrize("classes", [0, 2])
@pytest.mark.parametrize(
    ("every", "window", "shadow", "level"),
    [(10, 15, 8, 0.9), (7, 9, 12, 0.5), (5, 30, 4, 0.2), (12, 6, 5, 0.99), (1, 5, 1, 0.5)],
)
def test_champion(every, window, shadow, level, classes):
    stream = drifting(200, classes=classes, seed=1)
    model = DecisionTreeClassifier(max_depth=2, random_state=0) if classes else LinearRegression()
    hand = champion_by_hand(
        stream,
        Fitted(stream, model, np.arange(WARMUP)),
        lambda rows: Fitted(stream, model, rows),
        every, window, shadow, level,
    )  # fmt: skip
    strategy = ChampionChallenger(
        Static(model), Static(model), every=every, window=window, shadow=shadow, level=level
    )
    agrees(strategy, stream, hand, unseen=every + shadow)


def test_a_challenger_whose_window_holds_one_class_is_passed_over():
    stream = drifting(200, classes=2, seed=1)
    y = stream.y.copy()
    y[60:110] = 0
    stream = replace(stream, y=y)
    model = LogisticRegression()

    def challenger(rows):
        return Fitted(stream, model, rows) if len(set(y[rows].tolist())) > 1 else None

    hand = champion_by_hand(
        stream, Fitted(stream, model, np.arange(WARMUP)), challenger, 7, 9, 8, 0.5
    )
    told = [what for _, what in hand.events]
    assert told.count("no fit: the window of 9 rows holds one class only") > 1
    assert {"challenger", "promoted", "refused"} <= set(told)
    assert "challenger" in told[: told.index("no fit: the window of 9 rows holds one class only")]
    strategy = ChampionChallenger(
        Static(model), Static(model), every=7, window=9, shadow=8, level=0.5
    )
    agrees(strategy, stream, hand, unseen=15)


class Sulks(Static):
    """A challenger that can never be fitted."""

    def fit(self, X, y):
        raise ValueError("too hot")


@pytest.mark.parametrize(
    ("labels", "passed"),
    [
        (np.zeros(10, int), True),  # one class: many a model cannot be fitted on it
        (np.arange(10) % 2, False),  # two classes: the fault is another
        (np.zeros(10), False),  # numbers are no classes, however alike
    ],
)
def test_only_one_class_excuses_a_challenger_that_cannot_be_fitted(labels, passed):
    X = np.zeros((10, 1))
    strategy = ChampionChallenger(
        Static(DummyClassifier()), Sulks(DummyClassifier()), every=10, window=10, shadow=5
    )
    strategy.fit(X, labels)
    if not passed:
        with pytest.raises(ValueError, match="too hot"):
            strategy.learn(X, labels)
        return
    strategy.learn(X, labels)
    strategy.learn(X[:9], labels[:9])
    calm = "no fit: the window of 10 rows holds one class only"
    assert strategy.events == ((10, calm),)
    strategy.learn(X[:1], labels[:1])  # it waits as long as before, and tries again
    assert strategy.events == ((10, calm), (20, calm)) and strategy.rival is None
    assert (strategy.fits, strategy.rows_learnt) == (1, 10)


@pytest.mark.parametrize("online", ["champion", "challenger", "both"])
def test_champion_and_challengers_that_learn_on(online):
    stream = drifting(200, seed=2)
    first, later = (who in (online, "champion" if online == "both" else "") or online == "both"
                    for who in ("champion", "challenger"))  # fmt: skip

    def one(learns, rows):
        return (Taught if learns else Fitted)(
            stream, line() if learns else LinearRegression(), rows
        )

    def ours(learns):
        return Online(line()) if learns else Static(LinearRegression())

    hand = champion_by_hand(
        stream, one(first, np.arange(WARMUP)), lambda rows: one(later, rows), 10, 25, 9, 0.6
    )
    assert {"promoted", "refused"} <= {what for _, what in hand.events}
    strategy = ChampionChallenger(
        ours(first), ours(later), every=10, window=25, shadow=9, level=0.6
    )
    agrees(strategy, stream, hand, unseen=19)


def test_champion_tells_all_four_kinds_of_event():
    """Only then do the loops above check each of them."""
    stream = drifting(200, seed=1)
    told = set()
    for every, window, shadow, level in ((10, 15, 8, 0.9), (7, 9, 12, 0.5), (5, 30, 4, 0.2)):
        strategy = ChampionChallenger(
            Static(LinearRegression()), Static(LinearRegression()),
            every=every, window=window, shadow=shadow, level=level,
        )  # fmt: skip
        told |= {what for _, what in prequential(strategy, stream, warmup=WARMUP).events}
    assert told == {"fit", "challenger", "promoted", "refused", "rolled back"}


def test_the_gates_interval_has_the_level_0_9_unless_asked():
    mean = Static(DummyRegressor())
    assert ChampionChallenger(mean, mean, every=1, window=1, shadow=1).level == 0.9


def test_challengers_get_what_they_need_of_each_row():
    """A challenger that follows the season beats the mean, and then answers by the season."""
    rows = np.arange(120)
    y = (rows % 7).astype(float)
    time = np.datetime64("2024-01-01") + rows
    stream = Stream("week", np.zeros((120, 1)), y, time=time)
    for champion in (Static(DummyRegressor()), Scheduled(DummyRegressor(), every="300D")):
        strategy = ChampionChallenger(
            champion, Baseline("seasonal", rows=7), every=10, window=15, shadow=10
        )
        assert set(strategy.needs) == {"row", *champion.needs}
        run = prequential(strategy, stream, warmup=20)
        assert run.events[:3] == [(20, "fit"), (30, "challenger"), (40, "promoted")]
        assert (run.predictions[:20] == y[:20].mean()).all()
        np.testing.assert_array_equal(run.predictions[20:], y[40:])


def test_those_that_learn_are_compared_label_by_label_also_in_a_block():
    """Labels alternate: repeating the newest is always wrong by 1, the mean of two by a half."""
    newest, both = Baseline("no-change"), Baseline("rolling", rows=2)
    strategy = ChampionChallenger(newest, both, every=4, window=4, shadow=8)
    strategy.fit(np.zeros((4, 1)), np.array([0.0, 1.0, 0.0, 1.0]))
    strategy.learn(np.zeros((12, 1)), np.tile([0.0, 1.0], 6))
    assert strategy.events == ((4, "challenger"), (12, "promoted"))


def test_a_champion_is_stable_to_the_end_of_the_shadow():
    mean = Static(DummyRegressor())
    strategy = ChampionChallenger(mean, mean, every=10, window=5, shadow=4)
    strategy.fit(np.zeros((5, 1)), np.zeros(5))
    assert strategy.stable_for == 14
    strategy.learn(np.zeros((3, 1)), np.zeros(3))
    assert strategy.stable_for == 11
    strategy.learn(np.zeros((9, 1)), np.zeros(9))
    assert strategy.stable_for == 2
    moving = Scheduled(DummyRegressor(), every=6)
    strategy = ChampionChallenger(moving, mean, every=10, window=5, shadow=4)
    strategy.fit(np.zeros((5, 1)), np.zeros(5))
    assert strategy.stable_for == 6


@pytest.mark.parametrize("wrong", ["every", "window", "shadow"])
def test_champion_needs_a_label_of_each(wrong):
    mean, least = Static(DummyRegressor()), {"every": 1, "window": 1, "shadow": 1}
    ChampionChallenger(mean, mean, **least)
    with pytest.raises(ValueError, match=f"{wrong} 0"):
        ChampionChallenger(mean, mean, **{**least, wrong: 0})


# --- what all hybrids share ------------------------------------------------------------------


def forest():
    return RandomForestRegressor(2)


@pytest.mark.parametrize(
    ("build", "models"),
    [
        (
            lambda: Residual(Static(forest()), Static(forest())),
            lambda s: [s.main.model, s.corrector.model],
        ),
        (
            lambda: Blend({"a": Static(forest()), "b": Static(forest())}, rate=3, share=0.3),
            lambda s: [member.model for member in s.members()],
        ),
        (
            lambda: PerKey(Static(forest()), Static(forest()), after=7),
            lambda s: [s.shared.model, s.pattern.model],
        ),
        (
            lambda: ChampionChallenger(
                Static(forest()), Static(forest()), every=1, window=2, shadow=3, level=0.4
            ),
            lambda s: [s.champion.model, s.pattern.model],
        ),
    ],
)
def test_a_copy_of_a_hybrid_seeds_every_part_and_shares_nothing(build, models):
    strategy = build()
    assert strategy.is_random
    twin = strategy.clone(7)
    assert [model.random_state for model in models(twin)] == [7, 7]
    assert [model.random_state for model in models(strategy)] == [None, None]
    assert models(strategy.clone())[0].random_state is None
    for name, value in vars(strategy).items():
        if isinstance(value, dict | list):
            assert getattr(twin, name) is not value
        elif not isinstance(value, Strategy):
            assert getattr(twin, name) == value


@pytest.mark.parametrize(("first", "second"), [(forest, DummyRegressor), (DummyRegressor, forest)])
def test_a_hybrid_is_random_if_any_part_is(first, second):
    def both(one, two):
        return [
            Residual(Static(one()), Static(two())),
            Blend({"a": Static(one()), "b": Static(two())}),
            PerKey(Static(one()), Static(two())),
            ChampionChallenger(Static(one()), Static(two()), every=1, window=1, shadow=1),
        ]

    assert all(strategy.is_random for strategy in both(first, second))
    assert not any(strategy.is_random for strategy in both(DummyRegressor, DummyRegressor))


def test_every_part_learns_the_columns_names_and_the_classes():
    def online():
        return Online(naive_bayes.GaussianNB())

    champion = ChampionChallenger(online(), online(), every=1, window=1, shadow=1)
    blend, per_key = Blend({"a": online(), "b": online()}), PerKey(online(), online())
    paired = Paired(naive_bayes.GaussianNB())
    parts = [
        (champion, [champion.champion, champion.pattern]),
        (blend, blend.members()),
        (per_key, [per_key.shared, per_key.pattern]),
        (paired, [paired.stable, paired.reactive]),
    ]
    for strategy, members in parts:
        strategy.set_schema(("speed", "heat"), 3)
        assert [(part.features, part.classes) for part in members] == [(("speed", "heat"), 3)] * 2
        assert (strategy.task, strategy.classes) == ("classification", 3)
        strategy.set_schema(("speed", "heat"), 0)
        assert strategy.task == "regression"


def test_names_of_columns_reach_river_models_in_a_hybrid():
    stream = drifting()
    named = Stream("named", stream.X, stream.y, features=("speed", "heat"))

    class Namesake(linear_model.LinearRegression):
        """Learns only from rows whose columns have the stream's names."""

        def learn_one(self, x, y):
            assert list(x) == ["speed", "heat"]
            super().learn_one(x, y)

    for strategy in (
        Blend({"a": Online(Namesake()), "b": Baseline("mean")}),
        Residual(Static(LinearRegression()), Online(Namesake())),
        Paired(Namesake(), window=3),
    ):
        prequential(strategy, named, warmup=WARMUP)


class ByRow(Strategy):
    """Says ten times the number of the row."""

    frozen, stable_for, needs = True, math.inf, ("row",)

    def fit(self, X, y, row):
        pass

    def predict(self, X, row):
        return 10.0 * row


def test_every_part_gets_the_columns_it_needs_in_each_call():
    """The label is ten times the row, plus its place in the week."""
    n = 60
    rows = np.arange(n)
    y = 10.0 * rows + rows % 7
    stream = Stream("week", np.zeros((n, 1)), y, key=np.full(n, "ann"))
    for strategy in (
        Residual(ByRow(), Baseline("seasonal", rows=7)),
        PerKey(ByRow(), Baseline("seasonal", rows=7)),
    ):
        one_by_one(strategy, stream, WARMUP)
        run = prequential(strategy, stream, warmup=WARMUP)
        np.testing.assert_allclose(run.predictions, y[WARMUP:])
    experts = {"row": ByRow(), "week": Baseline("seasonal", rows=7)}
    one_by_one(Blend(experts), stream, WARMUP)
    run = prequential(Blend(experts, rate=1e3, share=0), stream, warmup=WARMUP)
    np.testing.assert_allclose(run.predictions[1:], 10.0 * rows[WARMUP + 1 :])


@pytest.mark.parametrize(
    "build",
    [
        lambda: Triggered(LinearRegression(), Sum(12.0), 9),
        lambda: Residual(Static(LinearRegression()), Online(line())),
        lambda: Blend({"a": Static(LinearRegression()), "b": Online(line())}),
        lambda: PerKey(Static(LinearRegression()), Baseline("no-change"), after=3),
        lambda: Paired(line(), 6, 0.34),
        lambda: ChampionChallenger(
            Static(LinearRegression()), Static(LinearRegression()), every=9, window=9, shadow=5
        ),
    ],
)
def test_a_copy_of_a_hybrid_that_has_worked_begins_anew(build):
    stream = drifting()
    fresh = prequential(build(), stream, warmup=WARMUP)
    worked = in_blocks(build(), stream, WARMUP, 9)[0]
    again = prequential(worked, stream, warmup=WARMUP)
    np.testing.assert_array_equal(again.predictions, fresh.predictions)
    assert again.events == fresh.events
    for count in ("fits", "rows_learnt", "labels_used"):
        assert again.cost[count] == fresh.cost[count]


def test_a_hybrid_that_has_done_nothing_counts_nothing():
    mean = Static(DummyRegressor())
    for strategy in (
        Residual(mean, mean),
        Blend({"a": mean, "b": mean}),
        PerKey(mean, mean),
        Paired(line()),
        ChampionChallenger(mean, mean, every=1, window=1, shadow=1),
        Triggered(DummyRegressor(), Sum(1.0), 1),
    ):
        assert (strategy.fits, strategy.rows_learnt, strategy.labels_seen) == (0, 0, 0)
        assert strategy.events == ()


def test_the_parts_of_a_started_hybrid_are_not_those_it_was_given():
    frozen = Static(LinearRegression())
    for strategy in (
        Residual(frozen, Baseline("no-change")),
        Blend({"a": frozen, "b": Baseline("no-change")}),
        PerKey(frozen, Baseline("no-change")),
    ):
        started(strategy, drifting(), WARMUP)
        assert not hasattr(frozen.model, "coef_")
