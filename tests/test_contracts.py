"""Monitors, delays and models that are given what they cannot take: one behaviour each."""

from __future__ import annotations

import numpy as np
import pytest
from river import drift, linear_model, neighbors, optim
from scipy.stats import binomtest
from sklearn.ensemble import (
    BaggingRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion import (
    Baseline,
    ChampionChallenger,
    Online,
    Scheduled,
    Static,
    Triggered,
    compare,
    monitor,
    prequential,
)
from companion.evaluation import RunFailed, arrivals
from companion.files.alarms import Alarm, read_alarms, write_alarm
from companion.lineups import table_lineup
from companion.stream import Stream

RNG = np.random.default_rng(0)
HOLE = np.array([1.0, 2.0, np.nan, 4.0] * 10)


def days(n, each=1):
    start = np.datetime64("2024-01-01", "ns")
    return start + (np.arange(n) // each).astype("timedelta64[D]")


# --- monitors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda x: monitor.alarms(x, drift.ADWIN()),
        lambda x: monitor.input_drift(x[:, None], x[:, None]),
        lambda x: monitor.input_drift(np.ones((40, 1)), x[:, None], method="psi"),
        lambda x: monitor.input_drift(np.ones((40, 1)), x[:, None], method="classifier"),
        lambda x: monitor.psi(x, x),
        lambda x: monitor.loss_spikes(x, window=5),
        lambda x: monitor.coefficient_jumps(x[:, None]),
        lambda x: monitor.churn(x, x),
    ],
)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_hole_blinds_no_monitor(call, bad):
    with pytest.raises(ValueError, match="row 2 holds .*no finite number"):
        call(np.where(np.isnan(HOLE), bad, HOLE))


@pytest.mark.parametrize(
    ("old", "new", "drifted"),
    [
        (RNG.random(1000) < 0.05, RNG.random(1000) < 0.3, True),
        (RNG.random(1000) < 0.3, RNG.random(1000) < 0.05, True),
        (RNG.random(1000) < 0.05, RNG.random(1000) < 0.05, False),
        (np.full(100, 3.0), np.full(100, 4.0), True),
        (np.full(100, 3.0), np.full(100, 2.0), True),
        (np.full(100, 3.0), np.full(100, 3.0), False),
        (RNG.integers(0, 3, 900), RNG.integers(1, 4, 900), True),
        (RNG.integers(0, 3, 900), RNG.integers(0, 3, 900), False),
        (  # mostly zeros: the share of the others grows
            (RNG.random(1000) < 0.05) * RNG.random(1000),
            (RNG.random(1000) < 0.4) * RNG.random(1000),
            True,
        ),
        (RNG.normal(size=1000), RNG.normal(size=1000), False),
    ],
)
def test_psi_sees_flags_constants_and_codes_move(old, new, drifted):
    (found,) = monitor.input_drift(
        np.asarray(old, float)[:, None], np.asarray(new, float)[:, None], method="psi"
    )
    assert found.drifted == drifted, found.statistic


@pytest.mark.slow
def test_the_classifier_rings_no_more_often_than_it_says():
    rings = 0
    for seed in range(150):
        rng = np.random.default_rng(5000 + seed)
        old, new = rng.normal(size=(60, 2)), rng.normal(size=(60, 2))
        rings += monitor.input_drift(old, new, method="classifier", seed=seed)[0].drifted
    assert binomtest(rings, 150, 0.05, alternative="greater").pvalue > 0.05, rings


def test_no_drifts_and_no_alarms_can_be_judged():
    silent = monitor.judge_alarms([], [], 100, within=10)
    assert (silent.detected, silent.missed, silent.false, silent.between_false) == (0, 0, 0, np.inf)
    assert monitor.judge_alarms([5, 9], [], 100, within=10).false == 2


def test_an_alarm_behind_a_torn_line_is_not_lost(tmp_path):
    path = tmp_path / "alarms.jsonl"
    first, torn, later = Alarm(7, "loss", 9.5, 5.0), Alarm(8, "x", 1, 0), Alarm(90, "x1", 0.4, 0.2)
    write_alarm(path, first)
    write_alarm(path, torn)
    for cut in (1, 2, 10, 30):
        whole = path.read_bytes()
        path.write_bytes(whole[:-cut])
        kept = [first, torn] if cut == 1 else [first]
        assert read_alarms(path) == kept
        write_alarm(path, later)
        assert read_alarms(path) == [*kept, later]
        path.write_bytes(whole)
    glued = whole[:-10] + whole[: whole.index(b"\n") + 1]  # by a writer that looked at nothing
    path.write_bytes(glued)
    assert read_alarms(path) == [first, first]


# --- delays and shared times -----------------------------------------------------------------


@pytest.mark.parametrize("delay", ["90000D", "106751D", 2_000_000_000, "2000000000rows"])
def test_a_delay_beyond_the_end_never_comes_round_again(delay):
    stream = Stream("s", np.zeros((50, 1)), np.arange(50.0), time=days(50))
    assert (arrivals(stream, delay)[1] >= 50).all()
    with pytest.raises(ValueError, match="no label has arrived"):
        prequential(Baseline("no-change"), stream, label_delay=delay)


def test_rows_of_one_time_do_not_know_each_others_labels():
    """Twenty rows a day whose label is the day's own number: repeating it is peeking."""
    y = np.repeat(RNG.normal(size=30), 20)
    stream = Stream("shops", np.zeros((600, 1)), y, time=days(600, each=20))
    honest = prequential(Baseline("no-change"), stream)
    assert (honest.predictions == y[99:580:20].repeat(20)[-480:]).all()
    for delay in (1, 5, "0D", "1D", stream.time):
        assert (prequential(Baseline("no-change"), stream, label_delay=delay).loss > 0).all()
    peeking = prequential(Baseline("no-change"), stream, label_delay="0rows")
    assert (peeking.loss == 0).mean() == pytest.approx(19 / 20)
    without_times = Stream("shops", np.zeros((600, 1)), y)
    assert (prequential(Baseline("no-change"), without_times).loss == peeking.loss).all()


# --- models ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingRegressor(),
        GradientBoostingClassifier(),
        RandomForestClassifier(),
        BaggingRegressor(),
        make_pipeline(StandardScaler(), RandomForestClassifier()),
        BaggingRegressor(SGDRegressor()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_warm_start_that_is_no_update_is_refused(model):
    with pytest.raises(TypeError, match="adds members and never changes those it has"):
        Scheduled(model, every=10, warm=True)


def bursts(rows=400, hole=slice(200, 260)):
    X = np.random.default_rng(1).normal(size=(rows, 2))
    y = (X[:, 0] > 0).astype(int)
    y[hole] = 0
    return Stream("bursts", X, y, task="classification", classes=("no", "yes"))


@pytest.mark.parametrize(
    "strategy",
    [
        Scheduled(LogisticRegression(), every=20, window=20),
        ChampionChallenger(
            Static(LogisticRegression()),
            Static(LogisticRegression()),
            every=20,
            window=20,
            shadow=5,
        ),
        Triggered(
            LogisticRegression(),
            drift.PageHinkley(min_instances=5, threshold=0.1),
            window=20,
            wait=20,
        ),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_a_window_of_one_class_keeps_the_old_model_and_says_so(strategy):
    stream = bursts()
    if isinstance(strategy, Triggered):  # a change that is nothing but one class
        stream = Stream(
            "turn", stream.X, np.where(np.arange(400) < 150, stream.y, 1), task=stream.task,
            classes=stream.classes,
        )  # fmt: skip
    run = prequential(strategy, stream, warmup=100)
    skipped = [row for row, what in run.events if "holds one class only" in what]
    assert skipped and len(run.predictions) == 300
    assert not {row for row, what in run.events if what == "fit"} & set(skipped)


def test_the_model_kept_is_whole():
    """A pipeline whose scaler has been fitted anew and whose classifier has not is neither."""
    X = np.r_[RNG.normal(size=(40, 1)), 50 + RNG.normal(size=(20, 1))]
    y = np.r_[(X[:40, 0] > 0).astype(int), np.zeros(20, int)]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scheduled, frozen = Scheduled(model, every=20, window=20), Static(model)
    for strategy in (scheduled, frozen):
        strategy.fit(X[:40], y[:40])
    scheduled.learn(X[40:], y[40:])
    grid = np.linspace(-3, 60, 50)[:, None]
    assert (scheduled.predict(grid) == Static(model).model.fit(X[:40], y[:40]).predict(grid)).all()
    assert scheduled.fits == 1


def test_a_warm_up_of_one_class_is_named():
    stream = bursts(hole=slice(0, 120))
    with pytest.raises(RunFailed, match="the 100 labels known in the warm-up are all of one class"):
        prequential(Static(LogisticRegression()), stream, warmup=100)


@pytest.mark.parametrize("goes", [False, True])
def test_a_class_that_is_new_to_a_warm_model_starts_it_cold(goes):
    X = RNG.normal(size=(300, 2))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    late = slice(150, None) if goes else slice(0, 150)
    y[late] = np.minimum(y[late], 1)
    stream = Stream("s", X, y, task="classification", classes=("a", "b", "c"))
    warm = Scheduled(LogisticRegression(), every=50, window=50, warm=True)
    cold = Scheduled(LogisticRegression(), every=50, window=50)
    one, two = (prequential(each, stream, warmup=100) for each in (warm, cold))
    assert one.cost["fits"] == two.cost["fits"] == 4
    assert np.mean(one.predictions == two.predictions) > 0.97
    assert (2 in one.predictions[60:]) != goes or goes


@pytest.mark.parametrize(
    "model",
    [GaussianNB(), BernoulliNB(), SGDClassifier(random_state=0)],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("seen", [1, 2])
def test_no_class_is_named_before_it_was_seen(model, seen):
    x = 3 * RNG.normal(size=200)
    X, y = np.column_stack([x, x - 1.5, x + 1.5]), np.digitize(x, [-1.5, 1.5])
    y[:120] = np.minimum(y[:120], seen - 1)
    stream = Stream("s", X, y, task="classification", classes=("a", "b", "c"))
    run = prequential(Online(model), stream, warmup=60)
    new = int(np.flatnonzero(run.y > seen - 1)[0])
    assert set(run.predictions[: new + 1].tolist()) <= set(range(seen))
    assert isinstance(model, BernoulliNB) or 2 in run.predictions[new + 1 :]
    if seen == 2:
        assert np.mean(run.predictions[:new] == run.y[:new]) > 0.6


class Silent(neighbors.KNNRegressor):
    """A River regressor that says nothing until it has seen ten rows."""

    def predict_one(self, x):
        self.rows = getattr(self, "rows", 0) + 1
        return None if self.rows <= 10 else super().predict_one(x)


def test_where_a_regressor_says_none_the_mean_of_the_warm_up_stands():
    stream = Stream("s", RNG.normal(size=(40, 1)), RNG.normal(1000, 5, 40))
    run = prequential(Online(Silent()), stream, warmup=20)
    assert (run.predictions[:10] == stream.y[:20].mean()).all()
    assert (run.predictions > 900).all()
    assert (prequential(Online(Silent()), stream, warmup=0).predictions[:10] == 0).all()


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(5, warm_start=True, random_state=0),
        make_pipeline(StandardScaler(), RandomForestClassifier(5, warm_start=True, random_state=0)),
    ],
    ids=["forest", "in a pipeline"],
)
@pytest.mark.parametrize("way", [Scheduled, Triggered], ids=["scheduled", "triggered"])
def test_a_model_that_brings_its_own_warm_start_is_fitted_from_nothing(model, way):
    X = RNG.normal(size=(400, 2))
    y = np.where(np.arange(400) < 200, X[:, 0] > 0, X[:, 0] <= 0).astype(int)
    stream = Stream("turn", X, y, task="classification", classes=("a", "b"))
    if way is Scheduled:
        strategy = Scheduled(model, every=50, window=50)
    else:
        strategy = Triggered(model, drift.ADWIN(), window=40, wait=40)
    assert prequential(strategy, stream, warmup=60, seed=0).loss[-60:].mean() < 0.4


@pytest.mark.parametrize("model", [GridSearchCV(Lasso(), {"alpha": [1, 2]})])
def test_a_warm_start_inside_a_model_that_copies_is_refused(model):
    with pytest.raises(TypeError, match="fits copies of the model inside it"):
        Scheduled(model, every=20, warm=True)


@pytest.mark.parametrize("model", [GaussianNB(), BernoulliNB(), ComplementNB()])
def test_a_class_not_seen_has_no_probability(model):
    X = np.abs(RNG.normal(size=(200, 3)))
    y = (X[:, 0] > 0.6).astype(int)
    y[150:] = 2
    stream = Stream("s", X, y, task="classification", classes=("a", "b", "c"))
    run = prequential(Online(model), stream, warmup=30, probabilities=True)
    before = run.probabilities[:120]
    assert np.isfinite(run.probabilities).all() and (before[:, 2] == 0).all()
    assert before.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    "strategy", [Online(linear_model.LinearRegression()), Static(LinearRegression())]
)
def test_a_regressor_on_classes_is_named(strategy):
    X = RNG.normal(size=(100, 2))
    stream = Stream("s", X, (X[:, 0] > 0).astype(int), task="classification", classes=("a", "b"))
    with pytest.raises(ValueError, match="none of the class codes 0 to 1; give it a classifier"):
        prequential(strategy, stream)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"y": [np.nan, 1, 0, 1], "task": "classification"}, "not a finite number in row 0"),
        ({"y": [0.5, 1.7, 0, 1], "task": "classification"}, "label 0.5 of row 0 is no class code"),
        ({"y": [5, 1, 0, 1], "task": "classification", "classes": ("a", "b")}, "from 0 to 1"),
        ({"y": [-1, 1, 0, 1], "task": "classification"}, "label -1 of row 0"),
        ({"task": "klass"}, "the task is 'klass'"),
        (
            {"time": np.array(["2024", "NaT", "2024", "2024"], "datetime64[ns]")},
            "row 1 has no time",
        ),
        ({"time": [2001, 2002, 2003, 2004]}, "the times are plain numbers"),
        ({"features": ("a", "a")}, "two features are called 'a'"),
        ({"key": np.array(["x", None, "y", "z"], object)}, "row 1 has no key"),
    ],
)
def test_a_stream_that_makes_no_sense_is_refused(options, words):
    given = {"name": "s", "X": np.zeros((4, 2)), "y": np.zeros(4)} | options
    with pytest.raises(ValueError, match=words):
        Stream(**given)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: monitor.input_drift(np.ones((20, 3)), np.ones((20, 3)), ["a", "b"]), "2 names"),
        (lambda: monitor.input_drift(np.ones((20, 1)), np.ones((20, 1)), level=5), "level is 5"),
        (lambda: monitor.psi([1.0] * 9, [1.0] * 9, bins=1), "give 2 bins"),
        (lambda: monitor.psi([1.0], []), "1 row, or more"),
        (lambda: monitor.psi(np.ones((2, 2)), np.ones(2)), "old has 2 dimensions"),
        (lambda: monitor.adjust([0.1, np.nan]), "no finite number"),
        (lambda: monitor.adjust([2.0, -1.0]), "between 0 and 1"),
        (lambda: monitor.loss_spikes(np.ones(5), window=0), "window is 0"),
        (lambda: monitor.churn([], []), "give rows"),
        (lambda: monitor.churn([1.0], [2.0], tolerance=np.nan), "tolerance nan"),
        (lambda: monitor.churn(["a"], ["b"]), "these are no numbers"),
        (lambda: monitor.coefficient_jumps(np.ones(30)), "give it 2"),
        (
            lambda: monitor.judge_alarms([5000], [], 1000, within=5),
            "alarm at row 5000 lies outside",
        ),
        (
            lambda: monitor.judge_alarms([], [1000], 1000, within=5),
            "drift at row 1000 lies outside",
        ),
    ],
)
def test_a_monitor_that_is_asked_nonsense_says_so(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_alarms_are_judged_in_any_order():
    assert monitor.judge_alarms([140, 120], [100], 1000, within=50).delay == 20


def test_psi_rings_no_more_often_than_it_says_where_rows_are_few():
    for n, m in ((500, 30), (500, 10), (100, 100)):
        rings = sum(
            monitor.input_drift(RNG.normal(size=(n, 1)), RNG.normal(size=(m, 1)), method="psi")[
                0
            ].drifted
            for _ in range(200)
        )
        assert binomtest(rings, 200, 0.05, alternative="greater").pvalue > 0.01, (n, m, rings)


@pytest.mark.parametrize("delay", [2.5, float("nan"), None])
def test_a_delay_that_is_none_is_named(delay):
    with pytest.raises(ValueError, match="give whole rows, a duration"):
        prequential(Baseline("no-change"), bursts(), label_delay=delay)


def hard(kind):
    rng = np.random.default_rng(3)
    x = rng.normal(size=3000)
    odd = (rng.random(3000) < 0.002) * 1.0 if kind == "rare" else np.repeat([2020.0, 2021.0], 1500)
    y = 10 * x + 3 * odd + rng.normal(size=3000)
    return Stream(kind, np.column_stack([odd, x]), y)


@pytest.mark.parametrize("kind", ["rare", "year"])
def test_the_usual_online_line_is_thrown_by_no_row(kind):
    stream = hard(kind)
    usual = table_lineup(stream, quick=True)["online linear"]
    loss = prequential(usual, stream).loss
    assert loss.mean() < 2 and loss.max() < 40


def test_a_run_that_diverged_is_said_to_have_and_comes_last():
    stream = hard("year")
    wild = Online(linear_model.LinearRegression(optim.SGD(1e-4), intercept_lr=1e-4))
    result = compare(
        stream, {"wild": wild, "no change": Baseline("no-change")}, reference="no change"
    )
    row = result.diverged("wild")
    first = result.runs["wild"][0].first
    assert abs(result.loss("wild")[row - first]) > 1000 * np.ptp(stream.y)
    assert (result.loss("wild")[: row - first] <= 1000 * np.ptp(stream.y)).all()
    assert result.ranked() == ["no change", "wild"] and result.diverged("no change") is None
    assert f"diverged at row {row:,}" in str(result)
    assert result.table()[1]["diverged"] == row
