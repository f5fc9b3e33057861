"""Lines that learn row by row: they equal least squares, forget, and do not fall over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression

from companion import prequential, streams
from companion.checks import check_strategy
from companion.lines import FadingLine, FadingLogit, Sums
from companion.rivals import rivals
from companion.stream import Stream
from companion.views import OnlineAfterFit, View


def rows(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1, 100, 0.01] + [0, 5_000, 0]
    return X, X @ [2.0, 0.03, 50.0] + 7 + 0.1 * rng.normal(size=n)


@pytest.mark.parametrize("together", [1, 7])
def test_row_by_row_is_least_squares_on_all_rows(together):
    X, y = rows()
    line = FadingLine(ridge=0, robust=False).fit(X[:50], y[:50])
    for k in range(50, 400, together):
        line.partial_fit(X[k : k + together], y[k : k + together])
    right = LinearRegression().fit(X, y).predict(X[:20])
    assert line.predict(X[:20]) == pytest.approx(right, abs=1e-5)


def test_fading_is_weighted_least_squares():
    X, y = rows()
    line = FadingLine(half_life=40, ridge=0, robust=False).fit(X[:100], y[:100])
    for k in range(100, 400):
        line.partial_fit(X[k : k + 1], y[k : k + 1])
    weights = 0.5 ** (np.arange(399, -1, -1) / 40)
    right = LinearRegression().fit(X, y, sample_weight=weights).predict(X[:20])
    assert line.predict(X[:20]) == pytest.approx(right, abs=1e-5)


def test_a_robust_line_goes_through_the_middle_and_not_through_the_mean():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 1))
    y = 3 * X[:, 0] + np.where(rng.random(2_000) < 0.2, 60.0, 0) + 0.1 * rng.normal(size=2_000)
    ends = {robust: FadingLine(robust=robust).fit(X[:500], y[:500]) for robust in (True, False)}
    for line in ends.values():
        for k in range(500, 2_000):
            line.partial_fit(X[k : k + 1], y[k : k + 1])
    assert ends[True].predict(np.zeros((1, 1)))[0] < 4
    assert ends[False].predict(np.zeros((1, 1)))[0] > 9


def hard(kind: str, classes: int) -> Stream:
    """Return a stream on which plain stochastic gradient descent falls over."""
    rng = np.random.default_rng(1)
    n = 1_500
    X = rng.normal(size=(n, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=n)
    match kind:
        case "a nearly constant column":
            X[:, 1] = 2_015 + (np.arange(n) > 700)
        case "a rare indicator":
            X[:, 1] = 0
            X[[900, 1_200], 1] = 1
        case "a column that never changes in the warm-up, then runs away":
            X[:, 1] = np.where(np.arange(n) < 800, 1e6, 1e6 + 1e5 * np.arange(n))
        case "two equal columns":
            X[:, 1] = X[:, 0]
        case "huge and tiny columns":
            X *= [1e-9, 1e9, 1e12]
        case "one wild reading":
            X[800, 0] = 1e9
    if classes:
        y = np.digitize(y, np.quantile(y, np.arange(1, classes) / classes))
        names = tuple(map(str, range(classes)))
        return Stream(kind, X, y, task="classification", classes=names)
    return Stream(kind, X, y)


KINDS = [
    "a nearly constant column", "a rare indicator", "two equal columns", "huge and tiny columns",
    "a column that never changes in the warm-up, then runs away", "one wild reading",
]  # fmt: skip


@pytest.mark.parametrize("half_life", [None, 30])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_it_does_not_fall_over(kind, classes, half_life):
    model = FadingLogit(half_life) if classes else FadingLine(half_life)
    run = prequential(OnlineAfterFit(model), hard(kind, classes))
    chance = 1 - 1 / classes if classes else 0.8
    assert run.loss[-500:].mean() < 0.6 * chance


@pytest.mark.parametrize("classes", [0, 2])
def test_a_column_that_changes_for_the_first_time_is_learnt(classes):
    rng = np.random.default_rng(0)
    switch = np.r_[np.zeros(300), rng.integers(0, 2, 300)]
    X = np.column_stack([rng.normal(size=600), switch])
    y = switch.astype(int) if classes else 5 * switch + 0.1 * rng.normal(size=600)
    names = ("off", "on")[:classes]
    task = "classification" if classes else "regression"
    if classes:
        y[:300] = rng.integers(0, 2, 300)
    stream = Stream("switch", X, y, task=task, classes=names)
    model = FadingLogit(100) if classes else FadingLine(100)
    run = prequential(OnlineAfterFit(model), stream, warmup=200)
    assert run.loss[-100:].mean() < 0.2


def test_a_prediction_stays_within_reach_of_the_labels():
    line = FadingLine(ridge=0).fit(np.arange(10.0)[:, None], np.arange(10.0))
    line.sums_.spread[:] = 1e12  # were nothing cut off
    assert line.predict(np.array([[1e9], [-1e9]])).tolist() == [18.0, -9.0]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_logit_row_by_row_comes_near_the_likeliest_line(classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3_000, 2))
    y = (X @ rng.normal(size=(2, classes)) + rng.gumbel(size=(3_000, classes))).argmax(axis=1)
    logit = FadingLogit().fit(X[:100], y[:100])
    for k in range(100, 3_000):
        logit.partial_fit(X[k : k + 1], y[k : k + 1])
    right = LogisticRegression().fit(X, y).predict_proba(X)
    assert np.abs(logit.predict_proba(X) - right).mean() < 0.02


def test_a_logit_forgets_a_rule_that_turns_round():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 2))
    score = X[:, 0] * np.where(np.arange(2_000) < 1_000, 1, -1) + 0.5 * rng.normal(size=2_000)
    y = (score > 0).astype(int)
    turned = Stream("turned", X, y, task="classification", classes=("no", "yes"))
    after = {
        life: prequential(OnlineAfterFit(FadingLogit(life)), turned, warmup=900)
        .loss[100:400]
        .mean()
        for life in (None, 50)
    }
    assert after[50] < after[None] - 0.1, after


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_it_keeps_what_every_strategy_promises(classes):
    kind = FadingLogit if classes else FadingLine
    model = View(kind(20), [0, 2], base=None if classes else 1)
    assert len(check_strategy(lambda: OnlineAfterFit(model), classes=classes)) == 5


def test_a_class_that_comes_late_is_learnt():
    X = np.r_[np.random.default_rng(0).normal(size=(300, 1)), np.full((100, 1), 9.0)]
    y = np.r_[(X[:300, 0] > 0).astype(int), np.full(100, 2)]
    stream = Stream("late", X, y, task="classification", classes=("a", "b", "c"))
    run = prequential(OnlineAfterFit(FadingLogit()), stream, warmup=100)
    assert run.loss[-50:].mean() == 0


def test_on_the_bikes_it_is_about_as_good_as_a_line_refitted_every_day():
    run = prequential(OnlineAfterFit(FadingLine(half_life=20)), streams.bike_sharing())
    assert run.loss.mean() < 620


def test_sums_name_dead_columns():
    sums = Sums(np.zeros(2), 1.0)
    sums.add(np.array([[1e6, 1.0], [1e6, 2.0]]), np.ones(2))
    assert sums.dead.tolist() == [True, False]


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("weighed", [False, True])
def test_rows_learnt_at_once_leave_the_sums_that_they_leave_one_by_one(classes, weighed):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    score = X @ rng.normal(size=(3, max(classes, 1)))
    y = score.argmax(axis=1) if classes == 3 else score[:, 0] > 0 if classes else score[:, 0]
    y = y.astype(int) if classes else y + 0.3 * rng.normal(size=600)
    weights = rng.uniform(0.5, 2, 600) if weighed else None
    kind, said = FadingLogit(100) if classes else FadingLine(100), []
    for step in (1, 4):
        model = clone(kind).fit(X[:200], y[:200], sample_weight=None if weights is None else
                                weights[:200])  # fmt: skip
        for k in range(200, 600, step):
            rows = slice(k, k + step)
            given = {} if weights is None else {"sample_weight": weights[rows]}
            model.partial_fit(X[rows], y[rows], **given)
        said.append(model.predict_proba(X) if classes else model.predict(X))
        said.append(model.sums_.products)
    assert said[3] == pytest.approx(said[1])
    assert np.abs(said[2] - said[0]).mean() < 0.02


def test_on_a_wide_table_lines_learn_a_few_rows_at_once_and_say_so():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 40))
    stream = Stream("wide", X, X @ rng.normal(size=40))
    for width, together in ((5, 1), (40, 2)):
        narrow = replace(stream, X=X[:, :width], features=stream.features[:width])
        lineup = rivals(narrow, quick=True)
        (ways, *_) = lineup["online linear"].choices.values()
        assert {strategy.batch for strategy in ways.values()} == {together}
        assert all(("2 rows at once" in how) == (together == 2) for how in ways)
