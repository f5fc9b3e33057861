"""The bootstrap's blocks and its interval, against loops written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from companion.intervals import block_bootstrap_interval, block_length


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
