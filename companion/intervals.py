"""Intervals: how far a mean could be off, when neighbouring rows resemble each other."""

from __future__ import annotations

import numpy as np


def block_length(d: np.ndarray) -> int:
    """Choose how many neighbouring rows a bootstrap must keep together.

    The rule: the first lag at which the autocorrelation of ``d`` is no longer clear of noise
    (below ``2 / sqrt(n)``), at least the cube root of ``n``, at most a quarter of ``n``. The rule
    of Politis and White (2004; corrected by Patton, Politis and White, 2009, Econometric
    Reviews 28) is finer: it estimates the spectrum.

    Examples
    --------
    >>> block_length(np.random.default_rng(0).normal(size=1000))
    10
    """
    d = np.asarray(d, float)
    n = len(d)
    longest = max(1, n // 4)
    least = min(longest, int(np.ceil(n ** (1 / 3))))
    centred = d - d.mean()
    power = centred @ centred
    if power == 0:
        return least
    for lag in range(least, longest):
        if abs(centred[:-lag] @ centred[lag:]) / power < 2 / np.sqrt(n):
            return lag
    return longest


ALIKE, ENOUGH = 0.5, 100  # lag-1 autocorrelation, and effective rows below which to warn
FEWEST = 6  # units that a cluster bootstrap needs


def lag_one(d: np.ndarray) -> float:
    """Return how much neighbouring rows are alike: the autocorrelation from row to row.

    Examples
    --------
    >>> round(lag_one(np.cumsum(np.random.default_rng(0).normal(size=1000))), 1)
    1.0
    """
    centred = np.asarray(d, float) - np.mean(d)
    power = centred @ centred
    return float(centred[:-1] @ centred[1:] / power) if power else 0.0


def too_narrow(lag_one: float, rows: int) -> str:
    """Return a sentence of warning where rows are so much alike that too few are left, or nothing.

    Rows that remember the last one count as ``(1 - lag_one) / (1 + lag_one)`` rows each. In a
    simulation (AR(1), 500 worlds; it is among the tests) 95 % intervals of 600 rows held the truth
    in 90 of 100 worlds at a lag-1 autocorrelation of 0.5, where 200 rows are left; in 87 at 0.8,
    where 67 are; and in 81 at 0.95, where 15 are. Of 5,000 rows at 0.95, in 89.

    Examples
    --------
    >>> too_narrow(0.8, 5000)
    ''
    >>> too_narrow(0.95, 600).partition(":")[0]
    "Neighbouring rows' losses are much alike, so 600 rows count as some 15"
    """
    left = rows * (1 - lag_one) / (1 + lag_one)
    if lag_one < ALIKE or left >= ENOUGH:
        return ""
    return (
        f"Neighbouring rows' losses are much alike, so {rows:,} rows count as some {left:.0f}: "
        "intervals of 95 % then hold the truth in some 70 to 90 cases of 100."
    )


def block_bootstrap_interval(
    d: np.ndarray,
    *,
    level: float = 0.95,
    block: int | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return an interval for the mean of a series whose neighbours resemble each other.

    Blocks of consecutive rows are drawn with replacement until they fill a series of the same
    length; its mean is noted; the interval holds the middle ``level`` of the means. Where
    neighbours are very much alike it is too narrow: ask :func:`too_narrow`.

    Parameters
    ----------
    d : ndarray, shape (n,)
        For two strategies on the same rows: the difference of their losses (a paired comparison).
    level : float
    block : int, optional
        Rows kept together; :func:`block_length` chooses if it is not given.
    resamples : int
    seed : int

    Returns
    -------
    (low, high) : tuple of float

    References
    ----------
    Künsch (1989), The jackknife and the bootstrap for general stationary observations.
    The Annals of Statistics 17.

    Examples
    --------
    >>> d = np.random.default_rng(0).normal(loc=1.0, size=400)
    >>> low, high = block_bootstrap_interval(d)
    >>> bool(low < 1.0 < high)
    True
    """
    d = np.asarray(d, float)
    n = len(d)
    if n == 0:
        raise ValueError("there are no rows to resample; score at least one row")
    block = min(n, block or block_length(d))
    totals = np.concatenate([[0.0], np.cumsum(d)])
    sums = totals[block:] - totals[:-block]
    blocks, rest = divmod(n, block)
    rng = np.random.default_rng(seed)
    means = sums[rng.integers(0, len(sums), size=(resamples, blocks))].sum(axis=1)
    if rest:
        starts = rng.integers(0, n - rest + 1, size=resamples)
        means = means + totals[starts + rest] - totals[starts]
    return middle(means / n, level)


def middle(means: np.ndarray, level: float) -> tuple[float, float]:
    """Return the interval that holds the middle ``level`` of some means.

    Examples
    --------
    >>> middle(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def cluster_bootstrap_interval(
    d: np.ndarray, units: np.ndarray, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Return an interval for the mean over rows that come in independent units, such as people.

    Whole units are drawn with replacement, as many as there are; the mean of all their rows is
    noted; the interval holds the middle ``level`` of the means.

    Parameters
    ----------
    d : ndarray, shape (n,)
    units : ndarray, shape (n,)
        The unit of each row; at least six different ones.
    level : float
    resamples : int
    seed : int

    Returns
    -------
    (low, high) : tuple of float

    References
    ----------
    Field and Welsh (2007), Bootstrapping clustered data. Journal of the Royal Statistical Society
    B 69.

    Examples
    --------
    >>> people = np.repeat(np.arange(8), 5)
    >>> low, high = cluster_bootstrap_interval(people % 2.0, people)
    >>> low < 0.5 < high
    True
    """
    d, (who, index) = np.asarray(d, float), np.unique(units, return_inverse=True)
    if len(index) != len(d):
        raise ValueError(f"there are {len(d)} rows and units for {len(index)}; give each its unit")
    if len(who) < FEWEST:
        raise ValueError(
            f"units: {len(who)} of them are too few to be drawn from; an interval needs at least "
            f"{FEWEST}, so show each unit by itself"
        )
    sums, sizes = np.bincount(index, d), np.bincount(index)
    pick = np.random.default_rng(seed).integers(0, len(who), (resamples, len(who)))
    return middle(sums[pick].sum(axis=1) / sizes[pick].sum(axis=1), level)
