"""The bootstrap's blocks and its interval, against loops written out by hand."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from book.press import chapters
from companion import Baseline, claims, compare
from companion.advice import answer
from companion.intervals import (
    block_bootstrap_interval,
    block_length,
    cluster_bootstrap_interval,
    lag_one,
    too_narrow,
)
from companion.stream import Stream


def length_by_hand(d) -> int:
    """The first lag, from the cube root of n on, whose autocorrelation is lost in noise."""
    n, m = len(d), sum(d) / len(d)
    lag = 1
    while lag**3 < n:
        lag += 1
    lag = min(lag, max(1, n // 4))
    power = sum((x - m) ** 2 for x in d)
    while lag < n // 4 and power:
        together = sum((d[k] - m) * (d[k + lag] - m) for k in range(n - lag))
        if abs(together / power) < 2 / n**0.5:
            break
        lag += 1
    return lag


def series(kind: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    if kind == "walk":
        return np.cumsum(rng.normal(size=n))
    if kind == "wave":  # its autocorrelation is far below zero at half a period
        return np.sin(2 * np.pi * np.arange(n) / 40) + 5.0
    if kind == "memory":
        return np.convolve(rng.normal(size=n + 15), np.ones(16), "valid") + 2.0
    return rng.normal(size=n)


@pytest.mark.parametrize("kind", ["noise", "walk", "wave", "memory"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 9, 27, 28, 64, 100, 216, 343, 400])
def test_block_length(kind, n):
    d = series(kind, n)
    assert block_length(d) == length_by_hand(d.tolist())


def test_block_length_of_what_never_changes_is_the_least():
    assert [block_length(np.full(n, 3.0)) for n in (1, 5, 8, 64, 65, 1000)] == [1, 1, 2, 4, 5, 10]
    assert block_length([1, 1, 1, 1]) == 1


def interval_by_hand(d, block, level, resamples, seed):
    """Draw blocks of rows, and one shorter block for the rest, and average each series."""
    n, rng, means = len(d), np.random.default_rng(seed), []
    starts = rng.integers(0, n - block + 1, size=(resamples, n // block))
    rest = n % block
    tails = rng.integers(0, n - rest + 1, size=resamples) if rest else np.zeros(resamples, int)
    for first, tail in zip(starts, tails, strict=True):
        rows = [row for start in first for row in range(start, start + block)]
        rows += list(range(tail, tail + rest))
        means.append(sum(d[row] for row in rows) / n)
    outside = (1 - level) / 2
    return np.quantile(means, outside), np.quantile(means, 1 - outside)


@pytest.mark.parametrize(
    ("n", "block"), [(30, 1), (30, 6), (31, 6), (35, 6), (12, 12), (12, 7), (1, 1)]
)
@pytest.mark.parametrize(("level", "resamples", "seed"), [(0.95, 50, 0), (0.5, 80, 3)])
def test_interval(n, block, level, resamples, seed):
    d = series("memory", n)
    got = block_bootstrap_interval(d, block=block, level=level, resamples=resamples, seed=seed)
    np.testing.assert_allclose(got, interval_by_hand(d, block, level, resamples, seed))
    assert all(type(value) is float for value in got)


def test_interval_without_options_is_that_of_95_percent_of_2000_means():
    d = series("memory", 50)
    usual = interval_by_hand(d, block_length(d), 0.95, 2000, 0)
    np.testing.assert_allclose(block_bootstrap_interval(d), usual)
    np.testing.assert_allclose(block_bootstrap_interval(d.astype(int).tolist()),
                               block_bootstrap_interval(d.astype(int)))  # fmt: skip


def test_a_block_longer_than_the_series_is_the_series():
    d = series("noise", 10)
    low, high = block_bootstrap_interval(d, block=99)
    assert low == pytest.approx(d.mean()) and high == pytest.approx(d.mean())


@pytest.mark.parametrize("level", [0, 1, 95])
def test_an_interval_needs_rows_and_a_level(level):
    with pytest.raises(ValueError, match=f"level is {level}"):
        block_bootstrap_interval(np.zeros(3), level=level)
    with pytest.raises(ValueError, match="no rows to resample"):
        block_bootstrap_interval(np.array([]))


def held(memory: float, rows: int, worlds: int = 500) -> float:
    """In how many of 100 worlds the interval holds the truth, if each row remembers the last."""
    rng, hits = np.random.default_rng(rows), 0
    for _ in range(worlds):
        d = lfilter([1], [1, -memory], rng.normal(size=rows + 300))[300:]
        low, high = block_bootstrap_interval(d, resamples=300)
        hits += low < 0 < high
    return 100 * hits / worlds


@pytest.mark.parametrize(
    ("memory", "rows", "held_truth", "warned"),
    [(0.5, 600, 90, False), (0.8, 600, 87, True), (0.95, 600, 81, True), (0.95, 5000, 89, False)],
)
def test_the_warning_stands_where_intervals_are_clearly_too_narrow(
    memory, rows, held_truth, warned
):
    assert held(memory, rows) == pytest.approx(held_truth, abs=1)  # as the docstring says
    assert bool(too_narrow(memory, rows)) == warned


def test_rows_that_are_much_alike_are_warned_of():
    d = lfilter([1], [1, -0.9], np.random.default_rng(0).normal(size=2000))
    by_hand = np.corrcoef(d[:-1], d[1:])[0, 1]
    assert lag_one(d) == pytest.approx(by_hand, abs=0.01) and lag_one(np.ones(5)) == 0
    assert "so 1,000 rows count as some 53: intervals of 95 %" in too_narrow(0.9, 1000)
    assert too_narrow(0.49, 100) == "" != too_narrow(0.51, 100)
    assert too_narrow(0.5, 301) == "" != too_narrow(0.5, 299)
    for y, warned in ((np.cumsum(d), True), (np.tile([1.0, 3.0], 1000), False)):
        rivals = {"no change": Baseline("no-change"), "mean so far": Baseline("mean")}
        result = compare(Stream("made", y[:, None], y), rivals)
        gap = result.loss("no change") - result.loss("mean so far")
        assert abs(result.difference("no change", "mean so far").lag_one) == abs(lag_one(gap))
        said = [one for one in answer(result) if one.startswith("Neighbouring rows' losses")]
        assert said == ([too_narrow(lag_one(gap), len(gap))] if warned else [])


def test_a_cluster_bootstrap_draws_whole_units():
    units = np.repeat(list("abcdefgh"), [1, 2, 3, 4, 5, 6, 7, 8])
    d = np.random.default_rng(0).normal(size=len(units)) + (units == "h")
    names, rng, means = np.unique(units), np.random.default_rng(3), []
    for pick in rng.integers(0, 8, (50, 8)):
        means.append(np.concatenate([d[units == names[k]] for k in pick]).mean())
    got = cluster_bootstrap_interval(d, units, resamples=50, seed=3, level=0.9)
    np.testing.assert_allclose(got, np.quantile(means, [0.05, 0.95]))


def test_a_cluster_bootstrap_refuses_fewer_than_six_units():
    five, six = np.arange(30) % 5, np.arange(30) % 6
    with pytest.raises(
        ValueError, match="units: 5 of them are too few .* at least 6, so show each"
    ):
        cluster_bootstrap_interval(np.arange(30.0), five)
    low, high = cluster_bootstrap_interval(np.arange(30.0), six)
    assert low < 14.5 < high
    with pytest.raises(ValueError, match="30 rows and units for 29"):
        cluster_bootstrap_interval(np.arange(30.0), six[1:])


def test_resampled_boards_have_nadeaus_and_bengios_variance():
    """Chapter 14: n / (n - 1) of the variance times (1 / n + tested / learnt), by Student's t."""
    code = ["".join(c["source"]) for c in chapters.cells("14_quality_control")]
    cell = next(source for source in code if "def reshuffled(" in source)
    space = {"np": np, "claims": claims, "replace": replace}
    start = cell.index("def reshuffled(")
    exec(re.split(r"\n(?=\S)", cell[start:])[0], space)
    values = np.random.default_rng(0).normal(1, 0.1, size=20)
    item = space["reshuffled"]("x", values, "u")
    error = np.sqrt((1 / 20 + 80 / 220) * values.var(ddof=1))
    half = stats.t.ppf(0.975, 19) * error
    np.testing.assert_allclose((item.low, item.high), (values.mean() - half, values.mean() + half))
