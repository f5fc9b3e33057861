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
    length; its mean is noted; the interval holds the middle ``level`` of the means.

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
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    block = min(n, block or block_length(d))
    totals = np.concatenate([[0.0], np.cumsum(d)])
    sums = totals[block:] - totals[:-block]
    blocks, rest = divmod(n, block)
    rng = np.random.default_rng(seed)
    means = sums[rng.integers(0, len(sums), size=(resamples, blocks))].sum(axis=1)
    if rest:
        starts = rng.integers(0, n - rest + 1, size=resamples)
        means = means + totals[starts + rest] - totals[starts]
    low, high = np.quantile(means / n, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
