"""Metrics on arrays: one number for a run, or one for each window of it."""

from __future__ import annotations

import numpy as np


def absolute_error(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return ``|y - p|`` for each row, in the label's unit.

    Examples
    --------
    >>> absolute_error(np.array([3.0, 5.0]), np.array([2.0, 9.0]))
    array([1., 4.])
    """
    return np.abs(np.asarray(y, float) - np.asarray(p, float))


def zero_one_error(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return 1.0 where the predicted class is wrong and 0.0 where it is right.

    Examples
    --------
    >>> zero_one_error(np.array([0, 1, 1]), np.array([0, 0, 1]))
    array([0., 1., 0.])
    """
    return (np.asarray(y) != np.asarray(p)).astype(float)


LOSSES = {"regression": absolute_error, "classification": zero_one_error}
LOSS_NAMES = {"regression": "mean absolute error", "classification": "error rate"}


def windowed(loss: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of the last ``window`` values at each row; NaN until there are enough.

    Parameters
    ----------
    loss : ndarray, shape (n,)
    window : int
        In rows, at least 1.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> windowed(np.array([1.0, 3.0, 5.0]), 2)
    array([nan,  2.,  4.])
    """
    if window < 1:
        raise ValueError(f"window is {window}; it must be at least 1 row")
    loss = np.asarray(loss, float)
    out = np.full(len(loss), np.nan)
    if len(loss) >= window:
        out[window - 1 :] = np.lib.stride_tricks.sliding_window_view(loss, window).mean(axis=1)
    return out


def block_length(d: np.ndarray) -> int:
    """Choose how many neighbouring rows a bootstrap must keep together.

    The rule: the first lag at which the autocorrelation of ``d`` is no longer clear of noise
    (below ``2 / sqrt(n)``), at least the cube root of ``n``, at most a quarter of ``n``. It is a
    plain form of the rule of Politis and White (2004), Econometric Reviews 23.

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
