"""Watching: alarms and their measures, drift of inputs, spikes and jumps, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from companion import monitor


class Above:
    """A detector that fires at values above a limit, and counts what it has seen."""

    def __init__(self, limit: float) -> None:
        self.limit, self.seen, self.drift_detected = limit, 0, False

    def update(self, value: float) -> None:
        assert type(value) is float
        self.seen, self.drift_detected = self.seen + 1, value > self.limit

    def clone(self) -> Above:
        return Above(self.limit)


def test_alarms_are_the_rows_at_which_a_copy_of_the_detector_fires():
    detector = Above(4)
    assert monitor.alarms(np.array([5, 1, 4, 9, 7, 0]), detector) == [0, 3, 4]
    assert detector.seen == 0
    for only in ("update", "drift_detected"):
        half = type("Half", (), {only: None})
        with pytest.raises(TypeError, match="Half is no drift detector; give one of"):
            monitor.alarms(np.zeros(3), half())


def report_by_hand(found, drifts, rows, within):
    """Walk through the stream; each row belongs to the watch after a drift, or to none."""
    delays, false, outside, hit = [], 0, 0, set()
    for row in range(rows):
        before = [drift for drift in drifts if drift <= row]
        newest = max(before) if before else None
        watched = newest is not None and row - newest < within
        outside += not watched
        if row in found:
            if not watched:
                false += 1
            elif newest not in hit:
                hit.add(newest)
                delays.append(row - newest)
    delay = np.mean(delays) if delays else np.nan
    missed = 1 - len(hit) / len(drifts)
    between = outside / false if false else np.inf
    ratio = between / max(delay, 1) * (1 - missed) if delays else 0.0
    return len(hit), len(drifts) - len(hit), false, delay, missed, between, ratio


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("within", [1, 2, 30, 100, 400])
@pytest.mark.parametrize(
    ("found", "drifts"),
    [
        ([120, 130, 300], [100, 500]),
        ([100, 499, 500, 529, 530], [500, 100]),
        ([99, 150, 160, 190, 260], [100, 150, 700]),
        ([], [100, 500]),
        ([999], [100, 970]),
        ([120, 900, 950], [100]),
        ([100, 102], [100, 101]),
    ],
)
def test_alarms_are_judged_row_by_row(found, drifts, within):
    got = monitor.judge_alarms(found, drifts, 1000, within=within)
    expected = report_by_hand(found, drifts, 1000, within)
    fields = ("detected", "missed", "false", "delay", "missed_ratio", "between_false", "ratio")
    for name, value in zip(fields, expected, strict=True):
        assert getattr(got, name) == pytest.approx(value, nan_ok=True), name


def test_alarms_where_nothing_drifted_are_all_false():
    got = monitor.judge_alarms([5, 9], [], 100, within=10)
    assert (got.detected, got.missed, got.missed_ratio, got.false) == (0, 0, 0, 2)
    assert (got.between_false, got.ratio) == (50, 0) and np.isnan(got.delay)


def test_alarms_need_a_time_in_which_they_count():
    with pytest.raises(ValueError, match="within is 0"):
        monitor.judge_alarms([1], [1], 10, within=0)


# --- inputs ----------------------------------------------------------------------------------


def rows(n, seed, moved=0.0):
    return np.random.default_rng(seed).normal(size=(n, 3)) + [0.0, moved, 0.0]


def test_ks_looks_at_each_feature():
    old, new = rows(40, 0), rows(25, 1, 0.7)
    for correction in ("holm", "fdr", "none"):
        found = monitor.input_drift(old, new, ["a", "b", "c"], correction=correction)
        assert [one.feature for one in found] == ["a", "b", "c"]
        raw = [stats.ks_2samp(old[:, k], new[:, k]) for k in range(3)]
        assert [one.statistic for one in found] == [each.statistic for each in raw]
        assert [one.p_value for one in found] == [each.pvalue for each in raw]
        adjusted = monitor.adjust([each.pvalue for each in raw], correction)
        assert [one.adjusted for one in found] == adjusted
        assert [one.drifted for one in found] == [p < 0.05 for p in adjusted]
        assert all(type(one.statistic) is float and type(one.p_value) is float for one in found)
    usual = monitor.input_drift(old, new)
    assert [one.feature for one in usual] == ["x0", "x1", "x2"]
    assert [one.adjusted for one in usual] == monitor.adjust([e.pvalue for e in raw], "holm")
    for level in (usual[1].adjusted, np.nextafter(usual[1].adjusted, 1)):
        drifted = monitor.input_drift(old, new, level=level)[1].drifted
        assert drifted == (level > usual[1].adjusted)


def psi_by_hand(old, new, bins=10):
    """Return the index and the bins that have a row.

    Bins lie between the deciles; a decile that occurs twice is a value with a bin of its own.
    """
    deciles = [float(np.quantile(old, k / bins)) for k in range(1, bins)]
    edges = sorted(set(deciles))
    masses = [edge for edge in edges if deciles.count(edge) > 1]

    def bin_of(value):
        below = [edge for edge in edges if edge <= value]
        beyond = bool(below) and below[-1] in masses and value > below[-1]
        return len(below), beyond

    def part(was_rows, now_rows):
        was = (was_rows + 0.5) / (len(old) + 0.5 * count)
        now = (now_rows + 0.5) / (len(new) + 0.5 * count)
        return (now - was) * np.log(now / was)

    count = len(edges) + 1 + len(masses)
    was, now = [bin_of(value) for value in old], [bin_of(value) for value in new]
    used = {*was, *now}
    total = sum(part(was.count(name), now.count(name)) for name in used)
    return total + (count - len(used)) * part(0, 0), len(used)


@pytest.mark.parametrize("moved", [0.0, 0.3, 2.0])
def test_psi(moved):
    old, new = rows(60, 2), rows(45, 3, moved)
    old[:, 2], new[:, 2] = np.round(old[:, 2]), np.round(new[:, 2])  # many equal values
    found = monitor.input_drift(old, new, method="psi")
    for k, one in enumerate(found):
        index, used = psi_by_hand(old[:, k], new[:, k])
        chance = stats.chi2.sf(index * 60 * 45 / (60 + 45), used - 1)
        assert one.statistic == pytest.approx(index) and one.p_value == pytest.approx(chance)
        assert one.drifted == (one.statistic > 0.2 and one.adjusted < 0.05)
        assert type(one.statistic) is type(one.p_value) is float
    assert [one.adjusted for one in found] == monitor.adjust([one.p_value for one in found])
    assert found[1].drifted == (moved == 2.0)
    assert monitor.psi(old[:, 0], new[:, 0], bins=4) == pytest.approx(
        psi_by_hand(old[:, 0], new[:, 0], 4)[0]
    )


def test_psi_needs_both_a_large_index_and_more_than_chance():
    few = monitor.input_drift(rows(12, 0), rows(12, 1), method="psi")
    assert max(one.statistic for one in few) > 0.2 and not any(one.drifted for one in few)
    many = monitor.input_drift(rows(9000, 0), rows(9000, 1, 0.2), method="psi")[1]
    assert many.adjusted < 0.05 and many.statistic < 0.2 and not many.drifted
    for bins, old in ((1, np.ones(5)), (3, np.ones(0))):
        with pytest.raises(ValueError, match=f"^{bins} bins, {len(old)} and 5 rows"):
            monitor.psi(old, np.ones(5), bins)


@pytest.mark.slow
def test_a_classifier_tells_old_from_new_rows_of_which_there_are_as_many():
    """It learns on one half of the rows and is tried on the other."""
    old, new = rows(40, 4), rows(26, 5, 2.0)
    for seed in (0, 3):
        rng = np.random.default_rng(seed)
        X = np.r_[old[rng.permutation(40)[:26]], new[rng.permutation(26)]]
        y = np.r_[np.zeros(26), np.ones(26)]
        learn, test, known, truth = train_test_split(
            X, y, test_size=26, stratify=y, random_state=seed
        )
        forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=seed)
        right = int(np.sum(forest.fit(learn, known).predict(test) == truth))
        chance = sum(stats.binom.pmf(k, 26, 0.5) for k in range(right, 27))
        (one,) = monitor.input_drift(old, new, method="classifier", seed=seed)
        assert (one.feature, one.statistic) == ("all together", right / 26)
        assert one.p_value == pytest.approx(chance) and one.adjusted == one.p_value
        assert one.drifted and type(one.statistic) is float and type(one.p_value) is float
    usual = monitor.input_drift(old, new, method="classifier")
    assert usual == monitor.input_drift(old, new, method="classifier", seed=0)
    assert usual != monitor.input_drift(old, new, method="classifier", seed=3)


@pytest.mark.parametrize(
    ("old", "new", "options", "words"),
    [
        (np.zeros(20), np.zeros((20, 1)), {}, "old has 1 dimensions; give it 2"),
        (np.zeros((20, 1)), np.zeros(20), {}, "new has 1 dimensions; give it 2"),
        (np.zeros((20, 1)), np.zeros((20, 1)), {"features": ["a", "b"]}, "1 columns but 2 names"),
        (np.zeros((20, 1)), np.zeros((20, 1)), {"level": 0}, "level is 0"),
        (np.zeros((20, 1)), np.zeros((20, 1)), {"level": 1}, "level is 1"),
        (np.array([["a"]] * 20), np.zeros((20, 1)), {}, "old: these are no numbers"),
        (np.zeros((20, 1)), np.zeros((20, 2)), {}, "equal columns"),
        (np.zeros((9, 1)), np.zeros((20, 1)), {}, "at least 10 rows"),
        (np.zeros((20, 1)), np.zeros((9, 1)), {}, "at least 10 rows"),
        (np.zeros((20, 1)), np.zeros((20, 1)), {"method": "eye"}, "method is 'eye'"),
        (np.zeros((20, 1)), np.zeros((20, 1)), {"correction": "luck"}, "correction is 'luck'"),
    ],
)
def test_inputs_that_cannot_be_compared_are_refused(old, new, options, words):
    monitor.input_drift(np.zeros((10, 1)), np.zeros((10, 1)))
    with pytest.raises(ValueError, match=words):
        monitor.input_drift(old, new, **options)


def holm_by_hand(p):
    """Each p-value times those not smaller, itself included; never less than a smaller one's."""
    out, largest = {}, 0.0
    for step, k in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
        largest = max(largest, p[k] * (len(p) - step))
        out[k] = min(1.0, largest)
    return [out[k] for k in range(len(p))]


def fdr_by_hand(p):
    """Each p-value times count over rank; never more than a larger one's."""
    out, least = {}, 1.0
    for rank, k in sorted(enumerate(sorted(range(len(p)), key=lambda k: p[k]), 1), reverse=True):
        least = min(least, p[k] * len(p) / rank)
        out[k] = least
    return [out[k] for k in range(len(p))]


@pytest.mark.parametrize("p", [[0.01, 0.04], [0.04, 0.01, 0.03, 0.9], [0.5, 0.6, 0.02], [0.3]])
def test_p_values_are_adjusted_for_their_number(p):
    assert monitor.adjust(p) == pytest.approx(holm_by_hand(p))
    assert monitor.adjust(p, "holm") == monitor.adjust(p)
    assert monitor.adjust(p, "fdr") == pytest.approx(fdr_by_hand(p))
    assert monitor.adjust(p, "none") == p


# --- stable learning ----------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "factor"), [(3, 2.0), (4, 5.0), (8, 1.5), (1, 3.0)])
def test_spikes_are_measured_by_the_median_before_them(window, factor):
    loss = np.random.default_rng(0).exponential(size=80)
    loss[20:30] = 0.0
    expected = [
        t
        for t in range(window, 80)
        if loss[t] > factor * max(float(np.median(loss[t - window : t])), 1e-12)
    ]
    assert expected
    assert monitor.loss_spikes(loss, window, factor) == expected


def test_spikes_need_a_whole_window_before_them():
    assert monitor.loss_spikes(np.r_[np.ones(100), 5.0, 5.001]) == [101]
    assert monitor.loss_spikes(np.r_[np.ones(99), 9.0]) == []
    assert monitor.loss_spikes(np.r_[np.ones(100), 9.0]) == [100]
    assert monitor.loss_spikes(np.r_[1.0, 1.0, 9.0], window=2) == [2]
    assert monitor.loss_spikes(np.r_[1.0, 9.0], window=2) == []


@pytest.mark.parametrize("factor", [1.5, 3.0, 10.0])
def test_jumps_of_weights_are_measured_by_the_moves_before_them(factor):
    rng = np.random.default_rng(1)
    moves = rng.exponential(size=(40, 2))
    moves[[5, 10, 25]] *= 20
    weights = np.vstack([[0.0, 0.0], np.cumsum(moves, axis=0)])
    length = [float(np.hypot(*move)) for move in moves]
    expected = [k + 1 for k in range(10, 40) if length[k] > factor * float(np.median(length[:k]))]
    assert 11 in expected and 6 not in expected
    assert monitor.coefficient_jumps(weights, factor) == expected


def test_weights_that_never_moved_jump_at_the_first_move():
    weights = np.zeros((20, 1))
    weights[15:] = 1.0
    assert monitor.coefficient_jumps(weights) == [15]
    steady = np.cumsum(np.r_[np.ones(15), 10.0, 10.001, 1.0])[:, None]
    assert monitor.coefficient_jumps(steady) == [16]


def test_churn_is_the_share_of_rows_that_differ_by_more_than_is_put_up_with():
    one, two = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.5, 2.0, 9.0])
    assert monitor.churn(one, two) == 0.75
    assert monitor.churn(one, two, 0.5) == 0.5
    assert monitor.churn(one, two, tolerance=5) == 0
    assert monitor.churn([0, 1], [1, 1]) == 0.5
    with pytest.raises(ValueError, match=r"shapes \(4,\) and \(3,\) cannot be compared"):
        monitor.churn(one, two[:3])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: monitor.alarms(x, Above(9)), "values"),
        (lambda x: monitor.input_drift(x[:, None], np.ones((12, 1))), "old"),
        (lambda x: monitor.input_drift(np.ones((12, 1)), x[:, None]), "new"),
        (lambda x: monitor.psi(x, np.ones(12)), "old"),
        (lambda x: monitor.psi(np.ones(12), x), "new"),
        (lambda x: monitor.loss_spikes(x, 3), "loss"),
        (lambda x: monitor.coefficient_jumps(x[:, None]), "coefficients"),
        (lambda x: monitor.churn(x, np.ones(12)), "first"),
        (lambda x: monitor.churn(np.ones(12), x), "second"),
    ],
)
def test_a_hole_is_named_with_its_place(call, name, bad):
    x = np.ones(12)
    x[[4, 7]] = bad
    with pytest.raises(ValueError, match=rf"^{name}: row 4 holds .*{bad}"):
        call(x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: monitor.judge_alarms([5], [10], 10, within=3), "the drift at row 10 lies outside"),
        (lambda: monitor.judge_alarms([-1], [5], 10, within=3), "the alarm at row -1 lies outside"),
        (lambda: monitor.adjust([0.2, 1.2]), "between 0 and 1; one is 1.2"),
        (lambda: monitor.adjust([-0.1]), "between 0 and 1; one is -0.1"),
        (lambda: monitor.loss_spikes(np.ones(5), 0), "window is 0"),
        (lambda: monitor.churn([], []), "0 rows and tolerance 0.0"),
        (lambda: monitor.churn([1], [1], -1), "1 rows and tolerance -1"),
        (lambda: monitor.churn([1], [1], np.inf), "1 rows and tolerance inf"),
        (lambda: monitor.coefficient_jumps(np.ones(5)), "coefficients has 1 dimensions"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, words):
    monitor.judge_alarms([0, 9], [0, 9], 10, within=3)
    assert monitor.adjust([0.0, 1.0]) == [0, 1]
    with pytest.raises(ValueError, match=words):
        call()
