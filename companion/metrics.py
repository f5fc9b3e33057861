"""Metrics on arrays: one number for a run, or one for each window of it.

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


def accuracy(y: np.ndarray, p: np.ndarray) -> float:
    """Return the share of right answers.

    Examples
    --------
    >>> accuracy(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))
    0.75
    """
    return float(np.mean(np.asarray(y) == np.asarray(p)))


def balanced_accuracy(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean, over the classes that occur, of the share of each that was recognised.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    0.5
    """
    y, p = np.asarray(y), np.asarray(p)
    return float(np.mean([np.mean(p[y == code] == code) for code in np.unique(y)]))


def _against(right: float, chance: float) -> float:
    """Return how much of the way from a reference accuracy to 1 was gone (1 if both are 1)."""
    return float((right - chance) / (1 - chance)) if chance < 1 else float(right == 1)


def kappa(y: np.ndarray, p: np.ndarray) -> float:
    """Return Cohen's kappa: accuracy beyond what guessing with the same shares would give.

    Examples
    --------
    >>> kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    0.5
    """
    y, p = np.asarray(y), np.asarray(p)
    chance = sum(np.mean(y == code) * np.mean(p == code) for code in np.unique(y))
    return _against(accuracy(y, p), chance)


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
    counts = np.unique(np.asarray(y), return_counts=True)[1]
    return _against(accuracy(y, p), counts.max() / counts.sum())


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
    return _against(accuracy(y, p), accuracy(y, naive))


def f1(y: np.ndarray, p: np.ndarray, positive: int = 1) -> float:
    """Return the F1 score of one class: the harmonic mean of precision and recall.

    Examples
    --------
    >>> round(f1(np.array([1, 1, 0]), np.array([1, 0, 0])), 3)
    0.667
    """
    y, p = np.asarray(y) == positive, np.asarray(p) == positive
    size = y.sum() + p.sum()
    return float(2 * (y & p).sum() / size) if size else 0.0


def auc(y: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the ROC curve, for labels 0 and 1 and scores of class 1.

    Examples
    --------
    >>> auc(np.array([0, 1, 1]), np.array([0.1, 0.8, 0.4]))
    1.0
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, scores))


def log_loss(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean of minus the logarithm of the probability given to what came.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    probabilities : ndarray, shape (n, classes)

    Examples
    --------
    >>> round(log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])), 4)
    0.6931
    """
    from sklearn import metrics

    codes = np.arange(np.shape(probabilities)[1])
    return float(metrics.log_loss(y, probabilities, labels=codes))


def brier(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the Brier score: the mean squared distance of the probabilities from what came.

    For two classes this is the mean of ``(p - y)²``; for more, of the sum over the classes.

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability. Monthly Weather
    Review 78.

    Examples
    --------
    >>> brier(np.array([1, 0]), np.array([[0.0, 1.0], [0.5, 0.5]]))
    0.125
    """
    probabilities = np.asarray(probabilities, float)
    came = np.eye(probabilities.shape[1])[np.asarray(y)]
    total = ((probabilities - came) ** 2).sum(axis=1).mean()
    return float(total / 2 if probabilities.shape[1] == 2 else total)


def mae(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean absolute error, in the label's unit.

    Examples
    --------
    >>> mae(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    1.5
    """
    return float(absolute_error(y, p).mean())


def rmse(y: np.ndarray, p: np.ndarray) -> float:
    """Return the root of the mean squared error, in the label's unit.

    Examples
    --------
    >>> rmse(np.array([0.0, 0.0]), np.array([3.0, 3.0]))
    3.0
    """
    return float(np.sqrt(np.mean((np.asarray(y, float) - np.asarray(p, float)) ** 2)))


def pinball(y: np.ndarray, p: np.ndarray, level: float = 0.5) -> float:
    """Return the mean pinball loss of predicted quantiles.

    Parameters
    ----------
    y, p : ndarray, shape (n,)
    level : float
        The quantile that was predicted, between 0 and 1.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles. Econometrica 46.

    Examples
    --------
    >>> pinball(np.array([1.0]), np.array([0.0]), level=0.9)
    0.9
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; a quantile lies between 0 and 1")
    gap = np.asarray(y, float) - np.asarray(p, float)
    return float(np.mean(np.maximum(level * gap, (level - 1) * gap)))


def calibration_table(
    y: np.ndarray, scores: np.ndarray, bins: int = 10
) -> list[dict[str, float | int]]:
    """Return, for bins of equal width, the mean probability, the share that came and the count.

    Parameters
    ----------
    y : ndarray of 0 and 1, shape (n,)
    scores : ndarray, shape (n,)
        Probabilities of class 1.
    bins : int

    Examples
    --------
    >>> calibration_table(np.array([0, 1]), np.array([0.2, 0.9]), bins=2)
    [{'said': 0.2, 'came': 0.0, 'rows': 1}, {'said': 0.9, 'came': 1.0, 'rows': 1}]
    """
    y, scores = np.asarray(y, float), np.asarray(scores, float)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    return [
        {
            "said": float(scores[places == k].mean()),
            "came": float(y[places == k].mean()),
            "rows": int((places == k).sum()),
        }
        for k in range(bins)
        if (places == k).any()
    ]


def faded(loss: np.ndarray, fade: float = 0.99) -> np.ndarray:
    """Return the fading mean of a loss: each older row counts ``fade`` times the next one.

    References
    ----------
    Gama, Sebastião and Rodrigues (2013), On evaluating stream learning algorithms. Machine
    Learning 90.

    Examples
    --------
    >>> faded(np.array([1.0, 0.0]), fade=0.5).round(3)
    array([1.   , 0.333])
    """
    if not 0 < fade <= 1:
        raise ValueError(f"fade is {fade}; it must lie above 0 and at most at 1")
    out, top, bottom = np.empty(len(loss)), 0.0, 0.0
    for k, value in enumerate(np.asarray(loss, float).tolist()):
        top, bottom = value + fade * top, 1 + fade * bottom
        out[k] = top / bottom
    return out


def cumulative(loss: np.ndarray) -> np.ndarray:
    """Return the mean loss of all rows so far.

    Examples
    --------
    >>> cumulative(np.array([1.0, 0.0, 2.0]))
    array([1. , 0.5, 1. ])
    """
    return np.cumsum(loss) / np.arange(1, len(loss) + 1)


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
    after = windowed(loss[drift:], window)
    back = np.flatnonzero(after <= target)
    return int(back[0]) + 1 if len(back) else None


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

    a, b = np.asarray(loss_a, float), np.asarray(loss_b, float)
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
