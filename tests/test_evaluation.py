"""Test-then-train, row by row: which label is known when, what it cost, what a crash leaves."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from by_hand import drifting
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from companion import Baseline, Run, RunFailed, Scheduled, Static, Strategy, prequential
from companion import evaluation as ours
from companion.scale.parts import prequential_in_parts
from companion.stream import Stream

N, WARMUP = 60, 12
HOUR = np.timedelta64(1, "h")


def numbered(n: int = N, times: str = "shared", start: int = 0) -> Stream:
    """Row k has feature k and label 1000 + k; times in hours, some shared, or every hour."""
    hours = np.arange(n)
    if times == "shared":
        hours = np.cumsum(np.random.default_rng(0).integers(0, 3, n))
    time = None if times == "none" else np.datetime64("2024-01-01", "ns") + hours * HOUR
    rows = np.arange(float(n)) + start
    return Stream("numbered", rows[:, None], 1000 + rows, time=time, unit="points")


def own_times(stream: Stream) -> np.ndarray:
    """An arrival time of its own for each label, so that late rows overtake early ones."""
    return stream.time + np.random.default_rng(4).integers(0, 20, len(stream)) * HOUR


DELAYS = [0, 1, 2, 7, "0rows", "1row", "5 rows", "0h", "3h", "20h", "own"]


def delay_of(kind, stream: Stream):
    return own_times(stream) if isinstance(kind, str) and kind == "own" else kind


def known_by_hand(stream: Stream, kind) -> list[tuple[int, int]]:
    """Return (first row before whose prediction the label is known, row), in order of arrival."""
    n, out = len(stream), []
    hours = None if stream.time is None else (stream.time - stream.time[0]) // HOUR
    for row in range(n):
        rows_late, arrives = 1, -1
        if isinstance(kind, int) or "row" in kind:
            rows_late = max(1, int(str(kind).replace("rows", "").replace("row", "")))
        elif kind == "own":
            arrives = (own_times(stream)[row] - stream.time[0]) // HOUR
        else:
            arrives = hours[row] + {"0h": 0, "3h": 3, "20h": 20}[kind]
        first = row + rows_late
        while first < n and hours is not None and "row" not in str(kind) and (
            hours[first] <= hours[row] or hours[first] < arrives
        ):  # fmt: skip
            first += 1
        out.append((min(first, n + 1) if first >= n else first, arrives, row))
    return [(first, row) for first, _, row in sorted(out)]


WITH_TIMES = [(times, kind) for times in ("shared", "hourly") for kind in DELAYS]
WITHOUT_TIMES = [("none", kind) for kind in DELAYS if isinstance(kind, int) or "row" in kind]


@pytest.mark.parametrize(("times", "kind"), [*WITH_TIMES, *WITHOUT_TIMES])
def test_each_label_is_known_from_its_row_on(kind, times):
    stream = numbered(times=times)
    order, known_from = ours.arrivals(stream, delay_of(kind, stream))
    expected = known_by_hand(stream, kind)
    inside = [pair for pair in zip(known_from.tolist(), order.tolist(), strict=True) if pair[0] < N]
    assert inside == [pair for pair in expected if pair[0] < N]
    assert sorted(order.tolist()) == list(range(N))
    assert (np.diff(known_from) >= 0).all()


@pytest.mark.parametrize(
    ("delay", "words"),
    [
        (-1, "label_delay is -1; a label cannot arrive before its row"),
        ("soon", "'soon' is no duration"),
        (np.full(3, np.datetime64("2024-01-01")), r"label_delay has shape \(3,\).* 60 rows"),
        ("early", "the label of row 7 arrives before its row"),
    ],
)
def test_delays_that_make_no_sense(delay, words):
    stream = numbered()
    if isinstance(delay, str) and delay == "early":
        delay = stream.time.copy()
        delay[[7, 30]] -= HOUR
    with pytest.raises(ValueError, match=words):
        ours.arrivals(stream, delay)


@pytest.mark.parametrize("delay", ["3h", numbered().time])
def test_a_time_needs_times(delay):
    with pytest.raises(ValueError, match="'numbered' has no times; give a number of rows"):
        ours.arrivals(numbered(times="none"), delay)


def test_a_label_may_come_with_its_own_row_and_no_sooner():
    stream = numbered(times="hourly")
    order, known_from = ours.arrivals(stream, stream.time)
    assert order.tolist() == list(range(N)) and known_from.tolist() == list(range(1, N + 1))
    assert ours.arrivals(stream, np.int64(3))[1].tolist() == list(range(3, N + 3))
    assert (ours.arrivals(stream, 10**12)[1] > N).all()
    assert (ours.arrivals(stream, "100000D")[1] >= N).all()


# --- what a strategy knows when it is asked ----------------------------------------------------


class Memory(Strategy):
    """Answers with a number that tells which labels it has seen, and in which order.

    It takes them into account only after every ``every`` labels; it notes each time that it does.
    """

    needs = ("row",)

    def __init__(self, every: int = 1, *, frozen: bool = False) -> None:
        self.every, self.frozen = every, frozen
        self.stable_for = math.inf if frozen else every

    def fit(self, X, y, row):
        self.waiting, self.place, self.fits = 0.0, 0, 1
        self.add(X, y, row)
        self.sum = self.waiting

    def add(self, X, y, row):
        assert (X[:, 0] == row).all() and (y == 1000 + row).all()
        for k in row.tolist():
            self.place += 1
            self.waiting += self.place * k
        self.rows_learnt += len(row)

    def learn(self, X, y, row):
        assert not self.frozen
        for k in range(len(row)):
            self.add(X[k : k + 1], y[k : k + 1], row[k : k + 1])
            self.labels_seen += 1
            if self.labels_seen % self.every == 0:
                self.sum, self.fits = self.waiting, self.fits + 1
                self.note("fit")
        self.stable_for = self.every - self.labels_seen % self.every

    def predict(self, X, row):
        assert (X[:, 0] == row).all()
        return self.sum + 1e-3 * row


def memory_by_hand(stream, kind, warmup, every, frozen=False):
    """Return the answers, the events and the number of labels that had come when it was over."""
    known = known_by_hand(stream, kind)
    seen = [row for first, row in known if first <= warmup]
    count, fitted = len(seen), list(seen)
    answers, events = [], []
    for t in range(warmup, len(stream)):
        if not frozen:
            for first, row in known[len(seen) :]:
                if first > t:
                    break
                seen.append(row)
                if (len(seen) - count) % every == 0:
                    fitted = list(seen)
                    events.append((t, "fit"))
        answers.append(sum((k + 1) * row for k, row in enumerate(fitted)) + 1e-3 * t)
    return answers, events, count, len(seen)


@pytest.mark.parametrize(("every", "block"), [(1, 4096), (1, 5), (2, 4096), (6, 4096), (50, 4096)])
@pytest.mark.parametrize(("times", "kind"), [*WITH_TIMES, *WITHOUT_TIMES])
def test_no_label_is_early_late_lost_told_twice_or_out_of_order(
    kind, times, every, block, monkeypatch
):
    stream = numbered(times=times)
    monkeypatch.setattr(ours, "BLOCK", block)
    warmup = 20 if kind == "own" else (35 if kind == "20h" else WARMUP)
    answers, events, count, seen = memory_by_hand(stream, kind, warmup, every)
    delay = delay_of(kind, stream)
    run = prequential(Memory(every), stream, warmup=warmup, label_delay=delay)
    np.testing.assert_allclose(run.predictions, answers, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        ours.row_by_row(Memory(every), stream, warmup, delay), answers, rtol=0, atol=1e-6
    )
    assert run.events == [(warmup, "fit"), *events]
    # In the last block of rows no label is told any more, for no answer hangs on it.
    used = run.cost["labels_used"]
    assert seen - every < used <= seen and run.cost["rows_learnt"] == used
    assert run.cost["fits"] == 1 + len(events)


@pytest.mark.parametrize("kind", [0, 7, "3h", "own"])
def test_a_frozen_strategy_is_told_nothing(kind):
    stream = numbered()
    warmup = 20
    answers, _, count, _ = memory_by_hand(stream, kind, warmup, 1, frozen=True)
    run = prequential(
        Memory(frozen=True), stream, warmup=warmup, label_delay=delay_of(kind, stream)
    )
    np.testing.assert_allclose(run.predictions, answers, rtol=0, atol=1e-6)
    assert run.cost["labels_used"] == run.cost["rows_learnt"] == count
    assert run.events == [(warmup, "fit")]


@pytest.mark.parametrize("kind", [0, 3, "0rows", "3h"])
@pytest.mark.parametrize("every", [1, 6])
@pytest.mark.parametrize("ends", [[30, 60], [13, 14, 15, 40, 60], [20, 35, 50, 60]])
def test_a_stream_in_parts_knows_its_rows_by_their_place_in_the_whole(kind, every, ends):
    stream = numbered()
    answers, events, count, seen = memory_by_hand(stream, kind, WARMUP, every)
    parts = (stream.take(slice(a, b)) for a, b in zip([0, *ends], ends, strict=False))
    runs = list(prequential_in_parts(Memory(every), parts, warmup=WARMUP, label_delay=kind))
    got = np.concatenate([run.predictions for run in runs])
    np.testing.assert_allclose(got, answers, rtol=0, atol=1e-6)
    assert [run.first for run in runs] == [WARMUP, *ends[:-1]]
    happened = [event for run in runs for event in run.events]
    assert happened == [(WARMUP, "fit"), *events]
    assert [run.cost["predictions"] for run in runs] == [len(run.y) for run in runs]
    used = runs[-1].cost["labels_used"]
    assert seen - every < used <= seen and runs[-1].cost["rows_learnt"] == used
    times = [run.cost["cpu_seconds"] for run in runs]
    assert times == sorted(times) and times[0] > 0


def test_parts_must_be_cut_from_one_table():
    part = numbered(20)
    for other in (
        replace(numbered(20, start=20), features=("other",)),
        replace(numbered(20), y=np.zeros(20, int), task="classification", classes=("a",)),
    ):
        parts = [part, replace(other, time=other.time + 1000 * HOUR)]
        with pytest.raises(ValueError, match="'numbered' has other columns or classes"):
            list(prequential_in_parts(Memory(), parts, warmup=WARMUP))


class Calls(Static):
    """Counts in how many calls it is asked, and how many rows each has."""

    def clone(self, seed=None):
        self.asked = []
        return self

    def predict(self, X):
        self.asked.append(len(X))
        return super().predict(X)


def test_rows_between_two_changes_of_the_model_are_asked_for_at_once():
    stream = numbered(times="none")
    strategy = Calls(DummyRegressor())
    prequential(strategy, stream, warmup=WARMUP)
    assert strategy.asked == [N - WARMUP]

    class Changing(Calls):
        frozen, stable_for = False, 10

        def learn(self, X, y):
            self.stable_for = (self.stable_for - len(X)) or 10

    strategy = Changing(DummyRegressor())
    prequential(strategy, stream, warmup=WARMUP)
    assert strategy.asked == [10, 10, 10, 10, 8]
    strategy = Changing(DummyRegressor())
    prequential(strategy, stream, warmup=WARMUP, label_delay=4)
    assert strategy.asked == [10, 10, 10, 10, 8]  # a label a row, whichever

    class Steps(Baseline):
        def clone(self, seed=None):
            self.asked = []
            return self

        def learn_and_predict(self, X, y, learn, ask, **extra):
            self.asked.append(len(learn))
            return super().learn_and_predict(X, y, learn, ask, **extra)

    strategy = Steps("no-change")
    prequential(strategy, numbered(9000, "none"), warmup=10)
    assert strategy.asked == [4096, 4096, 797]


def test_the_plain_loop_asks_for_one_row_at_a_time():
    strategy = Calls(DummyRegressor())
    ours.row_by_row(strategy, numbered(), WARMUP)
    assert strategy.asked == [1] * (N - WARMUP)


@pytest.mark.parametrize("kind", [0, 7, "0rows", "3h", "20h"])
def test_a_strategy_by_the_calendar_changes_with_the_label_of_the_day(kind):
    """Fits are due every 12 hours; the first label of a row at or after that time brings it."""
    stream = numbered()
    warmup = 35 if kind == "20h" else 20
    known = known_by_hand(stream, kind)
    hours = ((stream.time - stream.time[0]) // HOUR).tolist()
    seen = [row for first, row in known if first <= warmup]
    due = max(hours[row] for row in seen) + 12
    model, answers, events = np.mean([1000 + row for row in seen]), [], []
    for t in range(warmup, N):
        for first, row in known[len(seen) :]:
            if first > t:
                break
            seen.append(row)
            if hours[row] >= due:
                while hours[row] >= due:
                    due += 12
                model = np.mean([1000 + row for row in seen])
                events.append((t, "fit"))
        answers.append(model)
    run = prequential(
        Scheduled(DummyRegressor(), every="12h"), stream, warmup=warmup, label_delay=kind
    )
    np.testing.assert_allclose(run.predictions, answers)
    assert run.events == [(warmup, "fit"), *events] and events


# --- warm-up -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("warmup", "rows"), [(1, 1), (59, 59), (0.5, 30), (0.99, 59), (0.02, 1), (np.int64(7), 7)]
)
def test_the_warmup_is_a_number_of_rows_or_a_share(warmup, rows):
    run = prequential(Baseline("mean"), numbered(), warmup=warmup)
    assert run.first == rows and len(run.y) == N - rows
    assert (run.predictions == 1000 + (rows - 1) / 2).all() or run.cost["labels_used"] < rows


def test_a_fifth_is_the_usual_warmup():
    assert prequential(Baseline("mean"), numbered()).first == 12


@pytest.mark.parametrize("warmup", [60, 61, -1, 1.0, 2.5, -0.5])
def test_a_warmup_must_leave_something_to_score(warmup):
    words = f"a warm-up of {warmup} leaves nothing to score in 60 rows"
    with pytest.raises(ValueError, match=words):
        prequential(Baseline("mean"), numbered(), warmup=warmup)


def test_a_warmup_must_be_a_number_and_have_a_label():
    with pytest.raises(ValueError, match="warmup is 'long'; give a number of rows"):
        prequential(Baseline("mean"), numbered(), warmup="long")
    with pytest.raises(ValueError, match=r"by the end of the warm-up \(row 5\)"):
        prequential(Baseline("mean"), numbered(times="none"), warmup=5, label_delay=6)
    run = prequential(Baseline("mean"), numbered(times="none"), warmup=5, label_delay=5)
    assert run.predictions[0] == 1000 and run.cost["labels_used"] == 1
    with pytest.raises(ValueError, match="Baseline cannot start without a warm-up"):
        prequential(Baseline("mean"), numbered(), warmup=0)


def test_a_warmup_of_one_class_is_named_only_where_that_is_the_fault():
    y = np.r_[np.zeros(30, int), np.ones(30, int)]
    X = np.arange(60.0)[:, None]
    stream = Stream("one", X, y, task="classification", classes=("no", "yes"))
    words = "failed at row 20 of 'one': ValueError: the 20 labels known in the warm-up are all of"
    with pytest.raises(RunFailed, match=words) as caught:
        prequential(Static(LogisticRegression()), stream, warmup=20)
    assert caught.value.run is None

    class Refuses(LinearRegression):
        def fit(self, X, y):
            raise ValueError("no thanks")

    for other in (stream, numbered()):
        with pytest.raises(RunFailed, match="no thanks" if other.task != stream.task else "one cl"):
            prequential(Static(Refuses()), other, warmup=20)
    with pytest.raises(RunFailed, match="no thanks"):
        prequential(Static(Refuses()), stream, warmup=40)


# --- what a run holds --------------------------------------------------------------------------


def test_a_run_says_what_it_was():
    stream = numbered()
    run = prequential(Static(DummyRegressor()), stream, warmup=WARMUP, seed=4)
    assert (run.stream, run.strategy, run.first, run.task, run.seed) == (
        "numbered", "Static", WARMUP, "regression", 4,
    )  # fmt: skip
    assert (run.y == stream.y[WARMUP:]).all() and (run.time == stream.time[WARMUP:]).all()
    assert run.probabilities is None
    assert prequential(Static(DummyRegressor()), stream, name="plain").strategy == "plain"
    assert prequential(Baseline("mean"), numbered(times="none")).time is None
    np.testing.assert_allclose(run.loss, np.abs(run.y - run.predictions))
    wrong = Run("s", "t", 0, np.array([0, 1, 2]), np.array([0, 2, 2]), task="classification")
    assert wrong.loss.tolist() == [0, 1, 0]
    assert Run("s", "t", 0, np.zeros(1), np.zeros(1)).events == []


def test_costs_hold_size_and_seconds():
    strategy = Static(DummyRegressor())
    run = prequential(strategy, numbered(), warmup=WARMUP)
    strategy.fit(numbered().X[:11], numbered().y[:11])
    assert abs(run.cost["model_bytes"] - len(pickle.dumps(strategy))) < 50
    assert 0 < run.cost["cpu_seconds"] < 60
    assert run.cost["predictions"] == N - WARMUP
    light = prequential(strategy, numbered(), warmup=WARMUP, measure_size=False)
    assert light.cost["model_bytes"] == -1

    class Unstorable(Static):
        def fit(self, X, y):
            super().fit(X, y)
            self.door = lambda: None

    assert prequential(Unstorable(DummyRegressor()), numbered()).cost["model_bytes"] == -1


class Slow(Static):
    """Takes a while, once when it is fitted and once when it is asked."""

    def fit(self, X, y):
        super().fit(X, y)
        self.work()

    def predict(self, X):
        self.work()
        return super().predict(X)

    def work(self):
        from time import process_time

        end = process_time() + 0.03
        while process_time() < end:
            pass


def test_seconds_are_those_of_fitting_and_predicting():
    run = prequential(Slow(DummyRegressor()), numbered())
    assert 0.06 <= run.cost["cpu_seconds"] < 0.5


@pytest.mark.parametrize("kind", [0, 5])
def test_probabilities_name_the_likeliest_class(kind):
    stream = drifting(60, classes=3)
    prior = DummyClassifier(strategy="prior")
    strategy = Scheduled(prior, every=10, window=10)
    run = prequential(strategy, stream, warmup=20, label_delay=kind, probabilities=True)
    late, fitted, shares = max(1, kind), None, []
    for t in range(20, 60):
        last = t - late
        if (t - 20) % 10 == 0:
            fitted = np.bincount(stream.y[last - 9 : last + 1], minlength=3) / 10
        shares.append(fitted)
    np.testing.assert_allclose(run.probabilities, shares)
    assert run.predictions.tolist() == np.argmax(shares, axis=1).tolist()
    assert run.probabilities.shape == (40, 3)
    newest = prequential(Baseline("no-change"), stream, warmup=20, probabilities=True)
    assert newest.probabilities.tolist() == np.eye(3)[stream.y[19:-1]].tolist()


class Bad(Static):
    """Answers with something else than one finite number a row."""

    def __init__(self, what):
        super().__init__(DummyRegressor())
        self.what = what

    def predict(self, X):
        return self.what(X)


def spoilt(X, value):
    out = X[:, 0].copy()
    out[X[:, 0] >= 33] = value
    return out


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda X: np.zeros(len(X) - 1), r"Bad gave \(47,\) predictions for 48 rows"),
        (lambda X: np.zeros(len(X) + 1), r"Bad gave \(49,\) predictions for 48 rows"),
        (lambda X: spoilt(X, np.nan), "Bad diverged: its prediction for row 33 is not finite"),
        (lambda X: spoilt(X, np.inf), "Bad diverged: its prediction for row 33 is not finite"),
    ],
)
def test_answers_are_one_finite_number_a_row(what, words):
    with pytest.raises(ValueError, match=words):
        prequential(Bad(what), numbered(), warmup=WARMUP)


@pytest.mark.filterwarnings("ignore:overflow")
def test_numbers_whose_sum_is_too_large_are_finite_all_the_same():
    run = prequential(Bad(lambda X: np.full(len(X), 1e308)), numbered(), warmup=WARMUP)
    assert (run.predictions == 1e308).all()


# --- a strategy that fails ---------------------------------------------------------------------


class Fails(Memory):
    """Raises when it has seen so many labels."""

    def __init__(self, at: int, every: int = 1) -> None:
        super().__init__(every)
        self.at = at

    def learn(self, X, y, row):
        super().learn(X, y, row)
        if self.labels_seen >= self.at:
            raise OverflowError("too much")


def test_what_was_done_before_a_failure_is_kept():
    stream = numbered(times="hourly")
    answers, events, _, _ = memory_by_hand(stream, 0, WARMUP, 5)
    words = "mine failed at row 32 of 'numbered': OverflowError: too much"
    with pytest.raises(RunFailed, match=f"^{words}$") as caught:
        prequential(Fails(20, every=5), stream, warmup=WARMUP, name="mine", seed=2)
    run = caught.value.run
    np.testing.assert_allclose(run.predictions, answers[:20])
    assert (run.y == stream.y[WARMUP:32]).all() and (run.time == stream.time[WARMUP:32]).all()
    assert (run.strategy, run.seed, run.first) == ("mine", 2, WARMUP)
    assert run.events[:4] == [(WARMUP, "fit"), *events[:3]]
    assert run.cost["predictions"] == 20 and run.cost["cpu_seconds"] > 0
    assert isinstance(caught.value.__cause__, OverflowError)


def test_a_failure_before_the_first_answer_leaves_no_run():
    class NeverFits(Static):
        def fit(self, X, y):
            raise OverflowError("no")

    with pytest.raises(RunFailed, match="NeverFits failed at row 12 .*OverflowError: no") as caught:
        prequential(NeverFits(DummyRegressor()), numbered(), warmup=WARMUP)
    assert caught.value.run is None


def test_a_failure_in_a_later_part_names_the_row_of_the_whole():
    stream = numbered(times="hourly")
    parts = (stream.take(slice(a, a + 20)) for a in (0, 20, 40))
    runs = prequential_in_parts(Fails(20, every=5), parts, warmup=WARMUP)
    assert len(next(runs).y) == 8
    with pytest.raises(RunFailed, match="Fails failed at row 32 of 'numbered'") as caught:
        next(runs)
    assert caught.value.run.first == 20 and len(caught.value.run.y) == 12


@pytest.mark.parametrize(("name", "lacking"), [("time", "time"), ("key", "key")])
def test_a_stream_must_have_what_a_strategy_needs(name, lacking):
    class Needs(Static):
        needs = (name,)

    with pytest.raises(
        ValueError, match=f"Needs needs each row's {lacking}, but stream 'numbered'"
    ):
        prequential(Needs(DummyRegressor()), numbered(times="none"), warmup=WARMUP)


def test_a_strategy_gets_the_columns_it_needs():
    stream = drifting(40)

    class Needs(Static):
        needs = ("time", "key", "row")

        def fit(self, X, y, time, key, row):
            assert (time == stream.time[:20]).all() and (key == stream.key[:20]).all()
            assert row.tolist() == list(range(20))
            super().fit(X, y)

        def predict(self, X, time, key, row):
            assert (time == stream.time[row]).all() and (key == stream.key[row]).all()
            assert (X == stream.X[row]).all()
            return super().predict(X)

    prequential(Needs(DummyRegressor()), stream, warmup=20)
    ours.row_by_row(Needs(DummyRegressor()), stream, 20)


def test_an_evaluation_works_on_a_copy_that_knows_the_schema():
    class Asked(Static):
        def set_schema(self, features, classes):
            self.schema = (features, classes)

        def fit(self, X, y):
            assert self.schema == (("x0", "x1"), 3)
            super().fit(X, y)

    strategy = Asked(DummyClassifier())
    prequential(strategy, drifting(40, classes=3), warmup=20)
    assert not hasattr(strategy, "schema") and strategy.fits == 0
    seeded = Static(DummyClassifier(strategy="uniform"))
    run, again, other = (
        prequential(seeded, drifting(60, classes=3), warmup=20, seed=seed).predictions.tolist()
        for seed in (1, 1, 2)
    )
    assert run == again != other
