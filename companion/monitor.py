"""Watching a model: drift with and without labels, how good an alarm is, and stable learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


def numbers(values: np.ndarray, name: str, dimensions: int = 1) -> np.ndarray:
    """Return values as floats, or say which dimension or number is wrong."""
    try:
        values = np.asarray(values, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: these are no numbers; give numbers or class codes") from None
    if values.ndim != dimensions:
        raise ValueError(f"{name} has {values.ndim} dimensions; give it {dimensions}")
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ValueError(
            f"{name}: row {row} holds {values[row]}, which is no finite number; a monitor that "
            "takes it would see no drift ever after; fill it in or leave the row out"
        )
    return values


def alarms(values: np.ndarray, detector: Any) -> list[int]:
    """Return the rows at which a River drift detector fires, one call for any of them.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Losses, or one feature, in time order.
    detector : River drift detector
        Copied first.

    Raises
    ------
    TypeError
        If it is no drift detector.

    Examples
    --------
    >>> from river import drift
    >>> steps = np.repeat([0.0, 5.0], 200)
    >>> [bool(200 < row < 240) for row in alarms(steps, drift.ADWIN())]
    [True]
    """
    if not hasattr(detector, "update") or not hasattr(detector, "drift_detected"):
        raise TypeError(f"{type(detector).__name__} is no drift detector; give one of river.drift")
    detector, fired = detector.clone(), []
    for row, value in enumerate(numbers(values, "values").tolist()):
        detector.update(value)
        if detector.drift_detected:
            fired.append(row)
    return fired


@dataclass(frozen=True)
class AlarmReport:
    """How good alarms were, by the field's measures.

    Attributes
    ----------
    detected, missed, false : int
        Drifts found, drifts not found, alarms without a drift.
    delay : float
        Mean time to detection: rows from a drift to its first alarm, over the drifts found.
    missed_ratio : float
        Missed detection ratio: the share of drifts not found.
    between_false : float
        Mean time between false alarms, in rows; infinite if there was none.
    ratio : float
        Mean time ratio: ``between_false / delay * (1 - missed_ratio)``; larger is better.

    Examples
    --------
    >>> judge_alarms([120], [100], 1000, within=50).delay
    20.0
    """

    detected: int
    missed: int
    false: int
    delay: float
    missed_ratio: float
    between_false: float
    ratio: float


def judge_alarms(
    alarms: Sequence[int], drifts: Sequence[int], rows: int, *, within: int
) -> AlarmReport:
    """Judge alarms against drifts that are known.

    The first alarm within ``within`` rows after a drift, and before the next one, detects it;
    further alarms in that time neither count for nor against; all others are false.

    Parameters
    ----------
    alarms, drifts : sequence of int
        Rows of the alarms and of the first rows of each new world.
    rows : int
        Length of the stream.
    within : int
        Rows after a drift in which an alarm still counts as its detection.

    References
    ----------
    Bifet (2017), Classifier concept drift detection and the illusion of progress. ICAISC.

    Examples
    --------
    >>> judge_alarms([120, 130, 300], [100, 500], 1000, within=50)
    AlarmReport(detected=1, missed=1, false=1, delay=20.0, missed_ratio=0.5, between_false=900.0, \
ratio=22.5)
    """
    if within < 1:
        raise ValueError(f"within is {within}; give at least 1 row")
    for what, places in (("alarm", alarms), ("drift", drifts)):
        outside = [row for row in places if not 0 <= row < rows]
        if outside:
            raise ValueError(f"the {what} at row {outside[0]} lies outside the {rows} rows")
    alarms, drifts = sorted(alarms), sorted(drifts)
    ends = [min(start + within, after) for start, after in pairwise([*drifts, rows])]
    delays, excused, watched = [], 0, 0
    for start, end in zip(drifts, ends, strict=True):
        hits = [row for row in alarms if start <= row < end]
        watched += end - start
        excused += len(hits)
        if hits:
            delays.append(hits[0] - start)
    false = len(alarms) - excused
    delay = float(np.mean(delays)) if delays else float("nan")
    missed = 1 - len(delays) / len(drifts) if drifts else 0.0
    between = (rows - watched) / false if false else float("inf")
    ratio = between / max(delay, 1.0) * (1 - missed) if delays else 0.0
    return AlarmReport(len(delays), len(drifts) - len(delays), false, delay, missed, between, ratio)


@dataclass(frozen=True)
class InputDrift:
    """What a look at the inputs alone found for one feature, or for all together.

    Attributes
    ----------
    feature : str
    statistic : float
        Largest gap of the two distribution functions (``ks``), population stability index
        (``psi``), or share of rows told apart correctly (``classifier``).
    p_value, adjusted : float
        Raw, and adjusted for the number of features looked at.
    drifted : bool

    Examples
    --------
    >>> old = np.arange(40.0)[:, None]
    >>> input_drift(old, old + 30, ["speed"])[0].statistic
    0.75
    """

    feature: str
    statistic: float
    p_value: float
    adjusted: float
    drifted: bool


def input_drift(
    old: np.ndarray,
    new: np.ndarray,
    features: Sequence[str] = (),
    *,
    method: str = "ks",
    level: float = 0.05,
    correction: str = "holm",
    seed: int = 0,
) -> list[InputDrift]:
    """Compare inputs of two times without any label.

    Parameters
    ----------
    old, new : ndarray, shape (n, d) and (m, d)
    features : sequence of str, optional
    method : {"ks", "psi", "classifier"}
        Kolmogorov–Smirnov feature by feature; population stability index feature by feature
        (drift if it is above 0.2, a rule of thumb, and more than chance gives for so few rows);
        or one classifier that tries to tell old
        from new rows by all features (a two-sample test).
    level : float
        Share of false alarms that is put up with, over all features together.
    correction : {"holm", "fdr", "none"}
        How the number of features is paid for: no false alarm at all with ``1 - level``
        (Holm), a share of at most ``level`` false among the alarms (Benjamini–Hochberg), or not.
    seed : int
        For the classifier.

    Returns
    -------
    list of InputDrift

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure; Benjamini and Hochberg
    (1995), Controlling the false discovery rate; Lopez-Paz and Oquab (2017), Revisiting
    classifier two-sample tests; Potgieter et al. (2023), The population resemblance statistic
    (arXiv 2307.11878), on the index and few rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> old, new = rng.normal(size=(300, 2)), rng.normal(size=(300, 2)) + [0, 1]
    >>> [each.drifted for each in input_drift(old, new)]
    [False, True]
    """
    from scipy import stats

    old, new = numbers(old, "old", 2), numbers(new, "new", 2)
    if old.shape[1] != new.shape[1]:
        raise ValueError(
            f"old has shape {old.shape} and new {new.shape}; give two tables with equal columns"
        )
    if min(len(old), len(new)) < 10:
        raise ValueError("old and new need at least 10 rows each; wait for more rows")
    if method not in ("ks", "psi", "classifier"):
        raise ValueError(f"method is {method!r}; choose 'ks', 'psi' or 'classifier'")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    names = list(features) or [f"x{k}" for k in range(old.shape[1])]
    if len(names) != old.shape[1]:
        raise ValueError(f"{old.shape[1]} columns but {len(names)} names; give one for each")
    if method == "classifier":
        names, results = ["all together"], [told_apart(old, new, seed)]
    elif method == "psi":
        results = [psi_test(old[:, k], new[:, k]) for k in range(len(names))]
    else:
        results = [
            tuple(map(float, stats.ks_2samp(old[:, k], new[:, k]))) for k in range(len(names))
        ]
    adjusted = adjust([p for _, p in results], correction)
    return [
        InputDrift(name, value, p, q, bool(q < level and (method != "psi" or value > 0.2)))
        for name, (value, p), q in zip(names, results, adjusted, strict=True)
    ]


def psi(old: np.ndarray, new: np.ndarray, bins: int = 10) -> float:
    """Return the population stability index: how far shares in bins of the old rows have moved.

    Examples
    --------
    >>> psi(np.arange(100.0), np.arange(100.0))
    0.0
    """
    if bins < 2 or not len(old) or not len(new):
        raise ValueError(
            f"{bins} bins, {len(old)} and {len(new)} rows: give 2 bins and 1 row, or more"
        )
    return psi_test(old, new, bins)[0]


def psi_test(old: np.ndarray, new: np.ndarray, bins: int = 10) -> tuple[float, float]:
    """Return the index and its p-value: by chance alone it is large where rows are few.

    Without drift, the index times ``n m / (n + m)`` is about a chi-squared number with one degree
    of freedom less than there are bins, as it is close to Pearson's statistic.
    """
    from scipy.stats import chi2

    old, new = numbers(old, "old"), numbers(new, "new")
    edges = np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1])
    masses = edges[:-1][np.diff(edges) == 0]  # a value that many rows share has a bin of its own
    edges = np.unique(np.concatenate([edges, np.nextafter(masses, np.inf)]))
    counts = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        for values in (old, new)
    ]
    was, now = ((each + 0.5) / (each + 0.5).sum() for each in counts)
    value = float(((now - was) * np.log(now / was)).sum())
    freedom = max(1, int((counts[0] + counts[1] > 0).sum()) - 1)
    return value, float(chi2.sf(value * len(old) * len(new) / (len(old) + len(new)), freedom))


def told_apart(old: np.ndarray, new: np.ndarray, seed: int) -> tuple[float, float]:
    """Return how well a forest tells old from new rows it has not seen, and the p-value.

    It learns on one half and is tested on the other: answers of one model on rows it has not
    seen are independent, as the binomial test wants them; those of a cross-validation are not.
    """
    from scipy.stats import binomtest
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    size = min(len(old), len(new))
    rng = np.random.default_rng(seed)
    X = np.concatenate([rows[rng.permutation(len(rows))[:size]] for rows in (old, new)])
    y = np.repeat([0, 1], size)
    learn, X_test, known, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=seed).fit(learn, known)
    right = int((forest.predict(X_test) == y_test).sum())
    test = binomtest(right, len(y_test), 0.5, alternative="greater")
    return right / len(y_test), float(test.pvalue)


def adjust(p_values: Sequence[float], correction: str = "holm") -> list[float]:
    """Return p-values adjusted for how many there are.

    Examples
    --------
    >>> adjust([0.01, 0.04])
    [0.02, 0.04]
    """
    p = numbers(p_values, "p_values")
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie between 0 and 1; one is {p[(p < 0) | (p > 1)][0]}")
    if correction == "none":
        return p.tolist()
    if correction == "fdr":
        from scipy.stats import false_discovery_control

        return false_discovery_control(p).tolist()
    if correction != "holm":
        raise ValueError(f"correction is {correction!r}; choose 'holm', 'fdr' or 'none'")
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(steps, 1.0)
    return out.tolist()


def loss_spikes(loss: np.ndarray, window: int = 100, factor: float = 5.0) -> list[int]:
    """Return rows whose loss is ``factor`` times the median of the ``window`` rows before.

    Examples
    --------
    >>> loss_spikes(np.r_[np.ones(100), 50.0, np.ones(5)])
    [100]
    """
    loss = numbers(loss, "loss")
    if window < 1:
        raise ValueError(f"window is {window}; give at least 1 row")
    if len(loss) <= window:
        return []
    usual = np.median(np.lib.stride_tricks.sliding_window_view(loss, window)[:-1], axis=1)
    return (window + np.flatnonzero(loss[window:] > factor * np.maximum(usual, 1e-12))).tolist()


def coefficient_jumps(coefficients: np.ndarray, factor: float = 10.0) -> list[int]:
    """Return steps at which the weights moved ``factor`` times as far as they usually do.

    Parameters
    ----------
    coefficients : ndarray, shape (steps, weights)
        The weights after each step.
    factor : float
        Against the median length of all moves so far (at least 10 of them).

    Examples
    --------
    >>> coefficient_jumps(np.r_[np.arange(20.0), 500.0][:, None])
    [20]
    """
    weights = numbers(coefficients, "coefficients", 2)
    moves = np.linalg.norm(np.diff(weights, axis=0), axis=1)
    return [
        step + 1
        for step in range(10, len(moves))
        if moves[step] > factor * max(float(np.median(moves[:step])), 1e-12)
    ]


def churn(first: np.ndarray, second: np.ndarray, tolerance: float = 0.0) -> float:
    """Return the share of rows on which two models, or two versions of one, disagree.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
    tolerance : float
        Numbers closer than this agree.

    Examples
    --------
    >>> churn(np.array([0, 1, 1]), np.array([0, 1, 0]))
    0.3333333333333333
    """
    first, second = numbers(first, "first"), numbers(second, "second")
    if not len(first) or not 0 <= tolerance < np.inf:
        raise ValueError(f"{len(first)} rows and tolerance {tolerance}: give rows, and 0 or more")
    if first.shape != second.shape:
        raise ValueError(
            f"predictions of shapes {first.shape} and {second.shape} cannot be compared"
        )
    return float(np.mean(np.abs(first - second) > tolerance))
