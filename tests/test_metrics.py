"""Metrics, monitoring and advice: equal to River and scikit-learn, and honest about doubt."""

from __future__ import annotations

import json

import numpy as np
import pytest
from river import drift
from river import metrics as river
from sklearn import metrics as sk
from sklearn.linear_model import LinearRegression

from companion import Baseline, Scheduled, Static, compare, metrics, monitor, recommend, streams

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 500)
P = np.where(RNG.random(500) < 0.6, Y, RNG.integers(0, 3, 500))
PROBABILITIES = RNG.dirichlet(np.ones(3), 500)
BINARY, SCORES = Y % 2, RNG.random(500)
NUMBERS, GUESSES = RNG.normal(size=500), RNG.normal(size=500)


def by_river(metric, y, p):
    for one, two in zip(y.tolist(), p.tolist(), strict=True):
        metric.update(one, two)
    return metric.get()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: metrics.accuracy(Y, P), lambda: by_river(river.Accuracy(), Y, P)),
        (lambda: metrics.accuracy(Y, P), lambda: sk.accuracy_score(Y, P)),
        (
            lambda: metrics.balanced_accuracy(Y, P),
            lambda: by_river(river.BalancedAccuracy(), Y, P),
        ),
        (lambda: metrics.kappa(Y, P), lambda: by_river(river.CohenKappa(), Y, P)),
        (lambda: metrics.kappa(Y, P), lambda: sk.cohen_kappa_score(Y, P)),
        (lambda: metrics.f1(BINARY, P % 2), lambda: by_river(river.F1(), BINARY, P % 2)),
        (lambda: metrics.auc(BINARY, SCORES), lambda: sk.roc_auc_score(BINARY, SCORES)),
        (
            lambda: metrics.log_loss(Y, PROBABILITIES),
            lambda: sk.log_loss(Y, PROBABILITIES),
        ),
        (
            lambda: metrics.brier(BINARY, np.column_stack([1 - SCORES, SCORES])),
            lambda: sk.brier_score_loss(BINARY, SCORES),
        ),
        (lambda: metrics.mae(NUMBERS, GUESSES), lambda: by_river(river.MAE(), NUMBERS, GUESSES)),
        (lambda: metrics.rmse(NUMBERS, GUESSES), lambda: by_river(river.RMSE(), NUMBERS, GUESSES)),
        (
            lambda: metrics.pinball(NUMBERS, GUESSES, 0.9),
            lambda: sk.mean_pinball_loss(NUMBERS, GUESSES, alpha=0.9),
        ),
    ],
)
def test_equal_to_river_and_scikit_learn(ours, theirs):
    assert ours() == pytest.approx(theirs(), abs=1e-9)


def test_kappas_measure_against_their_rivals():
    majority = np.full(500, np.bincount(Y).argmax())
    assert metrics.kappa_m(Y, majority) == 0
    no_change = np.concatenate([[Y[0]], Y[:-1]])
    assert metrics.kappa_temporal(Y, no_change, before=int(Y[0])) == 0
    assert metrics.kappa_m(Y, Y) == metrics.kappa_temporal(Y, Y) == metrics.kappa(Y, Y) == 1
    assert metrics.kappa_m(Y, P) == pytest.approx(
        (np.mean(Y == P) - np.bincount(Y).max() / 500) / (1 - np.bincount(Y).max() / 500)
    )


def test_fading_and_cumulative_means_equal_plain_loops():
    loss = RNG.random(50)
    for k in range(50):
        weights = 0.9 ** np.arange(k, -1, -1)
        assert metrics.faded(loss, 0.9)[k] == pytest.approx(
            np.average(loss[: k + 1], weights=weights)
        )
        assert metrics.cumulative(loss)[k] == pytest.approx(loss[: k + 1].mean())


def test_calibration_table_counts_every_row():
    table = metrics.calibration_table(BINARY, SCORES)
    assert sum(row["rows"] for row in table) == 500
    assert all(k / 10 <= row["said"] <= (k + 1) / 10 for k, row in enumerate(table))


def test_recovery_that_never_comes_is_none():
    loss = np.r_[np.ones(100), np.full(100, 9.0)]
    assert metrics.recovery_rows(loss, 100) is None
    with pytest.raises(ValueError, match="inside the 200 rows"):
        metrics.recovery_rows(loss, 200)


def test_mcnemar_is_level_when_nothing_differs_and_follows_the_newest_rows_when_faded():
    assert metrics.mcnemar(np.ones(50), np.ones(50)) == (0.0, 1.0)
    early, late = np.r_[np.ones(80), np.zeros(20)], np.r_[np.zeros(80), np.ones(20)]
    assert metrics.mcnemar(early, late)[0] > 0  # over all rows b was right more often
    assert metrics.mcnemar(early, late, fade=0.9)[0] < 0  # lately a is
    with pytest.raises(ValueError, match="cannot be compared"):
        metrics.mcnemar(np.ones(3), np.ones(4))


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
        (lambda: metrics.pinball(NUMBERS, GUESSES, 1), "between 0 and 1"),
        (lambda: metrics.faded(NUMBERS, 0), "fade is 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_alarm_log_survives_a_line_cut_short(tmp_path):
    path = tmp_path / "alarms.jsonl"
    one, two = monitor.Alarm(7, "loss", 9.5, 5.0), monitor.Alarm(90, "x1 drifted", 0.4, 0.2)
    monitor.write_alarm(path, one)
    monitor.write_alarm(path, two)
    assert monitor.read_alarms(path) == [one, two]
    path.write_bytes(path.read_bytes()[:-10])
    assert monitor.read_alarms(path) == [one]


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
    with pytest.raises(ValueError, match="made on 'bike_sharing'"):
        from companion.compare import load_comparison

        load_comparison(tmp_path, streams.bike_sharing().take(slice(0, 99)))
    with pytest.raises(ValueError, match="no saved comparison"):
        compare_loaded(tmp_path / "nowhere")


def compare_loaded(folder):
    from companion.compare import load_comparison

    return load_comparison(folder, streams.bike_sharing())


def test_exports(result, tmp_path):
    import pandas as pd

    assert json.loads(result.to_json())["table"][0]["strategy"] == "weekly"
    result.to_parquet(tmp_path / "t.parquet")
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == 4
    latex = result.to_latex()
    assert latex.startswith(r"\begin{tabular}{lrrr}") and r"95 \% interval" in latex


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


def test_processes_give_the_same_answers(result):
    again = compare(
        streams.bike_sharing(),
        {"frozen": Static(LinearRegression()), "no change": Baseline("no-change")},
        n_jobs=2,
    )
    for name in again.runs:
        np.testing.assert_array_equal(again.loss(name), result.loss(name))
