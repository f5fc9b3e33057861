"""What scikit-learn's metrics lack: losses row by row, kappas of streams, windows, recovery.

Classes are codes 0, 1, …; a prediction of -1 (no answer yet) is wrong. Every function takes the
labels first and the predictions (or probabilities) second, and returns a float.
"""

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


def _against(right: float, chance: float) -> float:
    """Return how much of the way from a reference accuracy to 1 was gone (1 if both are 1)."""
    return float((right - chance) / (1 - chance)) if chance < 1 else float(right == 1)


def kappa_m(y: np.ndarray, p: np.ndarray) -> float:
    """Return kappa-M: accuracy beyond that of the majority class.

    References
    ----------
    Bifet et al. (2015), Efficient online evaluation of big data stream classifiers. KDD.

    Examples
    --------
    >>> kappa_m(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    0.0
    """
    y = np.asarray(y)
    majority = np.unique(y, return_counts=True)[1].max() / len(y)
    return _against(np.mean(y == np.asarray(p)), majority)


def kappa_temporal(y: np.ndarray, p: np.ndarray, before: int | None = None) -> float:
    """Return kappa-temporal: accuracy beyond that of no change (repeating the label before).

    Parameters
    ----------
    y, p : ndarray of int, shape (n,)
    before : int, optional
        The label before the first row; without it the first row counts as missed by no change.

    References
    ----------
    Žliobaitė et al. (2015), Evaluation methods and decision theory for classification of
    streaming data with temporal dependence. Machine Learning 98.

    Examples
    --------
    >>> round(kappa_temporal(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), before=0), 6)
    1.0
    """
    y = np.asarray(y)
    naive = np.concatenate([[-1 if before is None else before], y[:-1]])
    return _against(np.mean(y == np.asarray(p)), np.mean(y == naive))


def fading_mean(loss: np.ndarray, fade: float = 0.99) -> np.ndarray:
    """Return the fading mean of a loss: each older row counts ``fade`` times the next one.

    References
    ----------
    Gama, Sebastião and Rodrigues (2013), On evaluating stream learning algorithms. Machine
    Learning 90.

    Examples
    --------
    >>> fading_mean(np.array([1.0, 0.0]), fade=0.5).round(3)
    array([1.   , 0.333])
    """
    if not 0 < fade <= 1:
        raise ValueError(f"fade is {fade}; it must lie above 0 and at most at 1")
    out, top, bottom = np.empty(len(loss)), 0.0, 0.0
    for k, value in enumerate(np.asarray(loss).tolist()):
        top, bottom = value + fade * top, 1 + fade * bottom
        out[k] = top / bottom
    return out


def recovery_rows(
    loss: np.ndarray, drift: int, *, before: int = 100, window: int = 30, slack: float = 1.2
) -> int | None:
    """Return how many rows after a known drift the loss is back near its old level.

    Back means that the mean of ``window`` rows lies at or under ``slack`` times the mean of the
    ``before`` rows ahead of the drift.

    Parameters
    ----------
    loss : ndarray, shape (n,)
    drift : int
        Position in ``loss`` of the first row of the new world.
    before, window : int
        In rows.
    slack : float

    Returns
    -------
    int or None
        The rows from the drift to the end of the first such window; None if it never comes.

    Examples
    --------
    >>> loss = np.concatenate([np.ones(100), np.full(50, 5.0), np.ones(100)])
    >>> recovery_rows(loss, 100, window=10)
    60
    """
    loss = np.asarray(loss, float)
    if not 0 < drift < len(loss):
        raise ValueError(f"drift is at row {drift}; it must lie inside the {len(loss)} rows")
    target = slack * loss[max(0, drift - before) : drift].mean()
    after = rolling_mean(loss[drift:], window)
    back = np.flatnonzero(after <= target)
    return int(back[0]) + 1 if len(back) else None


LOSSES = {"regression": absolute_error, "classification": zero_one_error}
LOSS_NAMES = {"regression": "mean absolute error", "classification": "error rate"}


def rolling_mean(loss: np.ndarray, window: int) -> np.ndarray:
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
    >>> rolling_mean(np.array([1.0, 3.0, 5.0]), 2)
    array([nan,  2.,  4.])
    """
    if window < 1:
        raise ValueError(f"window is {window}; it must be at least 1 row")
    loss = np.asarray(loss, float)
    out = np.full(len(loss), np.nan)
    if len(loss) >= window:
        out[window - 1 :] = np.lib.stride_tricks.sliding_window_view(loss, window).mean(axis=1)
    return out


def mcnemar(loss_a: np.ndarray, loss_b: np.ndarray, fade: float = 1.0) -> tuple[float, float]:
    """Test whether two classifiers differ on the same rows, by the rows on which one is right.

    It asks less than the block bootstrap and takes the rows for independent, which on a stream
    they seldom are: prefer the bootstrap for a verdict, and this test, faded, to watch which of
    two models is ahead *now*.

    Parameters
    ----------
    loss_a, loss_b : ndarray of 0 and 1, shape (n,)
        0/1 errors in time order.
    fade : float
        Below 1, older rows count less: row ``n - k`` counts ``fade ** k`` times.

    Returns
    -------
    statistic : float
        Signed: above zero where ``b`` is right more often.
    p_value : float
        Two-sided, from the chi-squared distribution with one degree of freedom.

    References
    ----------
    Gama, Sebastião and Rodrigues (2013), On evaluating stream learning algorithms. Machine
    Learning 90.

    Examples
    --------
    >>> wrong = np.array([1.0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    >>> statistic, p_value = mcnemar(wrong, np.zeros(10))
    >>> statistic, round(p_value, 4)
    (8.0, 0.0047)
    """
    from scipy.stats import chi2

    a, b = np.asarray(loss_a), np.asarray(loss_b)
    if a.shape != b.shape:
        raise ValueError(f"losses of shapes {a.shape} and {b.shape} cannot be compared")
    if not 0 < fade <= 1:
        raise ValueError(f"fade is {fade}; it must lie above 0 and at most at 1")
    weights = fade ** np.arange(len(a) - 1, -1, -1)
    only_a, only_b = (weights * (a > b)).sum(), (weights * (b > a)).sum()
    if only_a + only_b == 0:
        return 0.0, 1.0
    statistic = (only_a - only_b) ** 2 / (only_a + only_b)
    return float(np.sign(only_a - only_b) * statistic), float(chi2.sf(statistic, 1))
