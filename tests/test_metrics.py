"""Metrics, monitoring and advice: equal to River and scikit-learn, and honest about doubt."""

from __future__ import annotations

import numpy as np
import pytest
from river import drift
from scipy import stats
from sklearn.linear_model import LinearRegression

from companion import Baseline, Scheduled, Static, compare, metrics, monitor, recommend, streams
from companion.comparison import load_comparison

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 500)
NUMBERS, GUESSES = RNG.normal(size=500), RNG.normal(size=500)


def share_right(y, p) -> float:
    return sum(a == b for a, b in zip(y.tolist(), p.tolist(), strict=True)) / len(y)


def way_gone(right: float, rival: float) -> float:
    """How much of the way from the rival's accuracy to 1 was gone."""
    return (right - rival) / (1 - rival)


@pytest.mark.parametrize("seed", range(4))
def test_kappas_measure_against_their_rivals(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 40)
    p = np.where(rng.random(40) < 0.6, y, rng.integers(-1, 3, 40))
    right = share_right(y, p)
    majority = max(y.tolist().count(code) for code in (0, 1, 2)) / 40
    assert metrics.kappa_m(y, p) == pytest.approx(way_gone(right, majority))
    repeats = sum(a == b for a, b in zip(y[1:].tolist(), y[:-1].tolist(), strict=True))
    assert metrics.kappa_temporal(y, p) == pytest.approx(way_gone(right, repeats / 40))
    for before in (0, 1, 2):
        rival = (repeats + (before == y[0])) / 40
        assert metrics.kappa_temporal(y, p, before) == pytest.approx(way_gone(right, rival))
    assert metrics.kappa_m(y, y) == metrics.kappa_temporal(y, y) == 1
    assert metrics.kappa_m(y.tolist(), p.tolist()) == metrics.kappa_m(y, p)
    assert type(metrics.kappa_m(y, p)) is type(metrics.kappa_temporal(y, p)) is float


def test_kappas_where_the_rival_makes_no_error():
    calm = np.zeros(5, int)
    assert metrics.kappa_m(calm, calm) == metrics.kappa_temporal(calm, calm, before=0) == 1
    wrong = np.array([0, 0, 0, 0, 1])
    assert metrics.kappa_m(calm, wrong) == metrics.kappa_temporal(calm, wrong, before=0) == 0
    assert metrics.kappa_temporal(calm, calm) == 1


def test_losses_row_by_row():
    assert metrics.absolute_error([3, 5.0], np.array([2.0, 9.0])).tolist() == [1, 4]
    assert metrics.zero_one_error([0, 1, 2], np.array([0, -1, 1])).tolist() == [0, 1, 1]
    assert metrics.zero_one_error([0, 1], [0, 1]).dtype == float
    assert metrics.LOSSES["regression"]([1], [3]).tolist() == [2]
    assert metrics.LOSSES["classification"]([1], [3]).tolist() == [1]


@pytest.mark.parametrize("fade", [0.5, 0.9, 1.0])
def test_the_fading_mean_equals_a_plain_loop(fade):
    loss = np.random.default_rng(1).random(50)
    for k in range(50):
        weights = [fade**age for age in range(k, -1, -1)]
        mean = sum(w * x for w, x in zip(weights, loss, strict=False)) / sum(weights)
        assert metrics.fading_mean(loss, fade)[k] == pytest.approx(mean)
    assert metrics.fading_mean([1, 0])[1] == pytest.approx(0.99 / 1.99)
    for wrong in (0, -0.1, 1.1):
        with pytest.raises(ValueError, match=f"fade is {wrong}"):
            metrics.fading_mean(loss, wrong)


@pytest.mark.parametrize("window", [1, 3, 20, 21])
def test_the_rolling_mean_equals_a_plain_loop(window):
    loss = np.random.default_rng(2).random(20)
    expected = [
        sum(loss[k + 1 - window : k + 1]) / window if k + 1 >= window else np.nan for k in range(20)
    ]
    np.testing.assert_allclose(metrics.rolling_mean(loss.tolist(), window), expected)
    halves = np.array([2048, 1], np.float16)  # between which half a number has no place
    assert metrics.rolling_mean(halves, 2)[1] == 1024.5
    with pytest.raises(ValueError, match="window is 0"):
        metrics.rolling_mean(loss, 0)


@pytest.mark.parametrize(("before", "window", "slack"), [(100, 30, 1.2), (20, 5, 1.5), (7, 1, 1.0)])
@pytest.mark.parametrize("at", [1, 40, 120])
def test_recovery_equals_a_plain_loop(before, window, slack, at):
    calm = np.random.default_rng(at).random(300)
    calm[at : at + 60] += np.linspace(3, 0, 60)
    target = slack * np.mean(calm[max(0, at - before) : at])
    found = None
    for end in range(at + window, 301):
        if np.mean(calm[end - window : end]) <= target:
            found = end - at
            break
    got = metrics.recovery_rows(calm, at, before=before, window=window, slack=slack)
    assert got == found
    if (before, window, slack) == (100, 30, 1.2):
        assert metrics.recovery_rows(calm.tolist(), at) == found


def test_recovery_that_never_comes_is_none():
    loss = np.r_[np.ones(100), np.full(100, 9.0)]
    assert metrics.recovery_rows(loss, 100) is None
    assert metrics.recovery_rows(np.ones(9), 8, window=1, slack=1) == 1
    halves = np.array([2048, 1, 1024.5], np.float32).astype(np.float16)
    assert metrics.recovery_rows(halves, 2, window=1, slack=1.0) == 1
    for row in (0, 200, -1):
        with pytest.raises(ValueError, match=f"drift is at row {row}; .* inside the 200 rows"):
            metrics.recovery_rows(loss, row)


@pytest.mark.parametrize("fade", [1.0, 0.95, 0.5])
def test_mcnemar_counts_rows_on_which_only_one_is_right(fade):
    a, b = (np.random.default_rng(3).random((2, 60)) < [[0.5], [0.3]]).astype(float)
    only_a = sum(fade ** (59 - k) for k in range(60) if a[k] > b[k])
    only_b = sum(fade ** (59 - k) for k in range(60) if b[k] > a[k])
    size = (only_a - only_b) ** 2 / (only_a + only_b)
    statistic, p_value = metrics.mcnemar(a, b, fade)
    assert statistic == pytest.approx(size if only_a > only_b else -size)
    assert p_value == pytest.approx(2 * stats.norm.sf(np.sqrt(size)))
    assert metrics.mcnemar(b, a, fade) == pytest.approx((-statistic, p_value))
    if fade == 1.0:
        assert metrics.mcnemar(a.tolist(), b.tolist()) == (statistic, p_value)


def test_mcnemar_is_level_when_nothing_differs_and_follows_the_newest_rows_when_faded():
    assert metrics.mcnemar(np.ones(50), np.ones(50)) == (0.0, 1.0)
    early, late = np.r_[np.ones(80), np.zeros(20)], np.r_[np.zeros(80), np.ones(20)]
    assert metrics.mcnemar(early, late)[0] > 0  # over all rows b was right more often
    assert metrics.mcnemar(early, late, fade=0.9)[0] < 0  # lately a is
    with pytest.raises(ValueError, match=r"shapes \(3,\) and \(4,\) cannot be compared"):
        metrics.mcnemar(np.ones(3), np.ones(4))
    for wrong in (0, 1.5):
        with pytest.raises(ValueError, match=f"fade is {wrong}"):
            metrics.mcnemar(early, late, wrong)


# --- monitoring ------------------------------------------------------------------------------


def test_detectors_are_judged_by_known_drifts():
    values = np.r_[RNG.normal(0, 1, 1000), RNG.normal(3, 1, 1000), RNG.normal(0, 1, 1000)]
    found = monitor.alarms(values, drift.ADWIN())
    report = monitor.judge_alarms(found, [1000, 2000], 3000, within=300)
    assert (report.detected, report.missed, report.missed_ratio) == (2, 0, 0)
    assert report.delay < 100
    silent = monitor.judge_alarms([], [1000, 2000], 3000, within=300)
    assert (silent.missed_ratio, silent.between_false, silent.ratio) == (1, np.inf, 0)
    noisy = monitor.judge_alarms(list(range(0, 3000, 100)), [1000], 3000, within=300)
    assert noisy.false == 27 and noisy.between_false == 100


@pytest.mark.slow
def test_false_alarms_are_paid_for_when_many_features_are_watched():
    """Forty features that do not drift, fifty times: without correction nearly always an alarm."""
    alarms = {"none": 0, "holm": 0, "fdr": 0}
    for seed in range(50):
        rng = np.random.default_rng(seed)
        old, new = rng.normal(size=(100, 40)), rng.normal(size=(100, 40))
        for correction in alarms:
            found = monitor.input_drift(old, new, correction=correction)
            alarms[correction] += any(one.drifted for one in found)
    assert alarms["none"] > 30
    assert alarms["holm"] <= alarms["fdr"] <= 7


@pytest.mark.parametrize("method", ["ks", "psi", "classifier"])
def test_input_drift_is_seen_without_labels_and_not_where_there_is_none(method):
    rng = np.random.default_rng(3)
    old, calm = rng.normal(size=(400, 3)), rng.normal(size=(400, 3))
    moved = calm + [0, 1.5, 0]
    assert not any(one.drifted for one in monitor.input_drift(old, calm, method=method))
    assert any(one.drifted for one in monitor.input_drift(old, moved, method=method))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: monitor.input_drift(np.zeros((20, 2)), np.zeros((20, 3))), "equal columns"),
        (lambda: monitor.input_drift(np.zeros((5, 2)), np.zeros((20, 2))), "at least 10 rows"),
        (lambda: monitor.input_drift(Y[:, None], Y[:, None], method="eye"), "choose 'ks'"),
        (lambda: monitor.adjust([0.1], "magic"), "choose 'holm'"),
        (lambda: monitor.judge_alarms([], [], 10, within=0), "within is 0"),
        (lambda: monitor.churn(Y, Y[:9]), "cannot be compared"),
        (lambda: metrics.fading_mean(NUMBERS, 0), "fade is 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# --- comparisons: advice, files, resuming --------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    return compare(
        streams.bike_sharing(),
        {
            "frozen": Static(LinearRegression()),
            "weekly": Scheduled(LinearRegression(), every=7, window=40),
            "monthly": Scheduled(LinearRegression(), every=30, window=40),
            "no change": Baseline("no-change"),
        },
    )


def test_advice_weighs_errors_against_updates(result):
    cheap = recommend(result, cost_of_error=1)
    assert cheap.best == "weekly"
    dear = recommend(result, cost_of_error=1, cost_of_update=1e6)
    assert dear.best == "no change"
    assert any("If a retraining cost more than" in line for line in cheap.sentences)


def test_break_even_is_where_costs_meet(result):
    line = next(
        s for s in recommend(result, cost_of_error=1).sentences if "no change would be" in s
    )
    price = float(line.split("more than ")[1].split(",")[0].replace(",", ""))
    text = line.split("more than ")[1].split(", no change")[0]
    price = float(text.replace(",", ""))
    costs = recommend(result, cost_of_error=1, cost_of_update=price).costs
    assert costs["weekly"] == pytest.approx(costs["no change"], rel=1e-3)


def test_advice_says_when_it_cannot_tell():
    rivals = {"last week": Baseline("rolling", rows=14), "no change": Baseline("no-change")}
    advice = recommend(compare(streams.bike_sharing(), rivals), cost_of_error=1)
    assert not advice.sure and "we cannot tell" in str(advice)


@pytest.mark.parametrize("price", [{"cost_of_error": 0}, {"cost_of_error": 1, "cost_of_row": -1}])
def test_prices_must_make_sense(result, price):
    with pytest.raises(ValueError, match="give a cost above zero"):
        recommend(result, **price)


def test_costs_are_given_per_thousand_rows(result):
    costs = result.costs("weekly")
    assert costs["retrainings"] == 83
    assert costs["retrainings_per_1000"] == pytest.approx(83 / 585 * 1000)
    assert costs["model_bytes"] > 100
    assert result.costs("frozen")["labels_used"] == 146


def test_a_comparison_can_be_saved_and_loaded(result, tmp_path):
    result.save(tmp_path)
    again = compare_loaded(tmp_path)
    assert str(again) == str(result)
    with pytest.raises(ValueError, match="of a stream 'bike_sharing'"):
        load_comparison(tmp_path, streams.bike_sharing().take(slice(0, 99)))
    with pytest.raises(ValueError, match="no saved comparison"):
        compare_loaded(tmp_path / "nowhere")


def compare_loaded(folder):
    return load_comparison(folder, streams.bike_sharing())


def test_the_table_leaves_as_a_frame_with_what_was_scored(result):
    frame = result.to_frame()
    assert frame["strategy"].tolist() == [row["strategy"] for row in result.table()]
    assert frame["score"].tolist() == [result.score(name) for name in frame["strategy"]]
    assert frame.attrs["reference"] == result.reference
    assert frame.attrs["what"] == str(result).splitlines()[0]


class Counting(Static):
    """Leaves a mark on disk for every run."""

    def __init__(self, mark):
        super().__init__(LinearRegression())
        self.mark = str(mark)

    def fit(self, X, y):
        with open(self.mark, "a") as file:
            file.write("x")
        super().fit(X, y)


def test_an_interrupted_comparison_goes_on_from_its_finished_runs(tmp_path):
    bikes, mark, folder = streams.bike_sharing(), tmp_path / "mark", tmp_path / "runs"
    rivals = {"counted": Counting(mark), "no change": Baseline("no-change")}
    one = compare(bikes, rivals, folder=folder)
    two = compare(bikes, rivals, folder=folder)
    assert mark.read_text() == "x"
    assert str(one) == str(two)
    compare(bikes, rivals, folder=folder, warmup=0.3)  # other options, another run
    assert mark.read_text() == "xx"


@pytest.mark.slow
def test_processes_give_the_same_answers(result):
    again = compare(
        streams.bike_sharing(),
        {"frozen": Static(LinearRegression()), "no change": Baseline("no-change")},
        n_jobs=2,
    )
    for name in again.runs:
        np.testing.assert_array_equal(again.loss(name), result.loss(name))
