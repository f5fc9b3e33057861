"""What a comparison can be judged by: a loss for each scored row, whose mean is the measure.

Where rows have weights, the weighted mean of the losses is the measure. A few losses lean on all
rows (the sign of the bias, the ranking behind precision and recall): intervals take that as given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from companion.evaluation import Run
from companion.metrics import LOSS_NAMES
from companion.stream import Stream


def weights_of(run: Run, stream: Stream | None) -> np.ndarray:
    """Return the weights of the scored rows, 1 on average; ones where the stream has none.

    Examples
    --------
    >>> run = Run("s", "a", 1, np.zeros(2), np.ones(2))
    >>> weights_of(run, Stream("s", np.zeros((3, 1)), np.zeros(3), weight=np.array([9.0, 1, 3])))
    array([0.5, 1.5])
    """
    if stream is None or stream.weight is None:
        return np.ones(len(run.y))
    weights = stream.weight[run.first : run.first + len(run.y)]
    if not weights.any():
        raise ValueError(f"all scored rows of stream {stream.name!r} weigh 0; weigh some more")
    return weights / weights.mean()


def squared(run: Run, stream: Stream) -> np.ndarray:
    """Return squared errors: one large error weighs more than many small ones.

    Examples
    --------
    >>> from companion import Baseline, prequential, streams
    >>> bikes = streams.bike_sharing()
    >>> run = prequential(Baseline("no-change"), bikes)
    >>> bool(np.allclose(squared(run, bikes), run.loss**2))
    True
    """
    return (run.predictions - run.y) ** 2


def scaled(run: Run, stream: Stream) -> np.ndarray:
    """Return absolute errors as shares of the warm-up's mean step from one label to the next.

    With keys a step leads to the next label of the same key.

    References
    ----------
    Hyndman and Koehler (2006), Another look at measures of forecast accuracy. International
    Journal of Forecasting 22.

    Examples
    --------
    >>> run = Run("s", "a", 3, np.array([9.0]), np.array([5.0]))
    >>> scaled(run, Stream("s", np.zeros((4, 1)), np.array([1.0, 3.0, 5.0, 9.0])))
    array([2.])
    """
    early = stream.y[: run.first]
    keys = np.zeros(run.first) if stream.key is None else np.asarray(stream.key)[: run.first]
    order = np.argsort(keys, kind="stable")
    steps = np.abs(np.diff(early[order]))[keys[order][1:] == keys[order][:-1]]
    step = steps.mean() if len(steps) else 0.0
    if step == 0:
        raise ValueError(
            "the labels of the warm-up never change from one to the next, so no error can be a "
            "share of their steps; choose another measure, such as mae"
        )
    return run.loss / step


def balanced(run: Run, stream: Stream) -> np.ndarray:
    """Return 0/1 errors weighed so that each class counts alike, however rare.

    Examples
    --------
    >>> three_to_one = Run("s", "a", 0, np.array([0, 0, 0, 1]), np.zeros(4, int), "classification")
    >>> balanced(three_to_one, None)
    array([0., 0., 0., 2.])
    """
    classes, codes = np.unique(run.y, return_inverse=True)
    counts = np.bincount(codes, weights_of(run, stream))
    return run.loss * (len(run.y) / (len(classes) * counts))[codes]


def rarest(run: Run) -> int:
    """Return the code of the rarest class among the scored rows."""
    classes, counts = np.unique(run.y, return_counts=True)
    return int(classes[counts.argmin()])


def each_rarest(run: Run, stream: Stream | None) -> np.ndarray:
    """Return 0 for rows of other classes; for the rest, what makes a mean over the rarest."""
    rare, weights = run.y == rarest(run), weights_of(run, stream)
    return rare * (len(run.y) / weights[rare].sum())


def missed(run: Run, stream: Stream) -> np.ndarray:
    """Return 0/1 errors on the rarest class alone; their mean is 1 minus its recall.

    Examples
    --------
    >>> one_missed = Run("s", "a", 0, np.array([0, 0, 1, 1, 0]), np.array([1, 0, 1, 0, 0]),
    ...                  "classification")
    >>> float(missed(one_missed, None).mean())
    0.5
    """
    return run.loss * each_rarest(run, stream)


def shares(run: Run) -> np.ndarray:
    """Return the probabilities of a run, or say that it has none."""
    if run.probabilities is None:
        raise ValueError(f"{run.strategy} has no probabilities; run it with probabilities=True")
    return run.probabilities


def log_loss(run: Run, stream: Stream) -> np.ndarray:
    """Return minus the logarithm of the probability that the true class was given.

    Examples
    --------
    >>> sure = Run("s", "a", 0, np.array([1]), np.array([1]), "classification",
    ...            probabilities=np.array([[0.5, 0.5]]))
    >>> log_loss(sure, None).round(3)
    array([0.693])
    """
    given = shares(run)[np.arange(len(run.y)), run.y]
    return -np.log(np.clip(given, 1e-9, 1.0))


def outranked(run: Run, stream: Stream) -> np.ndarray:
    """Return, for rows of the rarest class, the share of others among all ranked as high as they.

    Its mean is 1 minus the area under the precision–recall curve (scikit-learn's average
    precision), whose thresholds are the class's probabilities.

    Examples
    --------
    >>> shares = np.array([0.9, 0.8, 0.3, 0.1])
    >>> ranked = Run("s", "a", 0, np.array([1, 0, 0, 0]), np.zeros(4, int), "classification",
    ...              probabilities=np.column_stack([1 - shares, shares]))
    >>> float(outranked(ranked, None).mean())
    0.0
    """
    from sklearn.metrics import precision_recall_curve

    code, scores = rarest(run), shares(run)
    precision, _, thresholds = precision_recall_curve(
        run.y == code, scores[:, code], sample_weight=weights_of(run, stream)
    )
    own = precision[np.searchsorted(thresholds, scores[:, code])]
    return (1 - own) * each_rarest(run, stream)


def calibration_gaps(run: Run, stream: Stream) -> np.ndarray:
    """Return how much surer than right, or righter than sure, rows as sure as this one are.

    Rows are put into ten bins by the probability of the class that was named. In a bin the mean
    probability is held against the share of right answers; the mean over all rows is the expected
    calibration error.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks. ICML.

    Examples
    --------
    >>> coin = Run("s", "a", 0, np.array([0, 1]), np.array([1, 1]), "classification",
    ...            probabilities=np.array([[0.1, 0.9], [0.1, 0.9]]))
    >>> float(calibration_gaps(coin, None).mean().round(3))
    0.4
    """
    sure = shares(run).max(axis=1)
    gaps = sure - (run.loss == 0)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    side = np.sign(np.bincount(bins, gaps * weights_of(run, stream), minlength=BINS))
    return gaps * side[bins]


def one_sided(run: Run, stream: Stream) -> np.ndarray:
    """Return errors with a sign, turned so that their mean is the size of the bias.

    Examples
    --------
    >>> low = Run("s", "a", 0, np.array([5.0, 5.0]), np.array([1.0, 6.0]))
    >>> one_sided(low, None)
    array([ 4., -1.])
    """
    errors = run.predictions - run.y
    return errors * np.sign((errors * weights_of(run, stream)).sum())


BINS = 10  # of probabilities
Measure = Callable[[Run, Stream], np.ndarray]
MEASURES: dict[str, dict[str, tuple[str, Measure]]] = {
    "regression": {
        "mae": (LOSS_NAMES["regression"], lambda run, stream: run.loss),
        "rmse": ("mean squared error", squared),
        "mase": ("mean absolute error as a share of the usual step", scaled),
        "bias": ("size of the bias", one_sided),
    },
    "classification": {
        "error": (LOSS_NAMES["classification"], lambda run, stream: run.loss),
        "balanced": ("balanced error", balanced),
        "recall": ("share of the rarest class that was missed", missed),
        "pr-area": ("1 minus the precision–recall area of the rarest class", outranked),
        "log-loss": ("log loss", log_loss),
        "calibration": ("expected calibration error", calibration_gaps),
    },
}  # fmt: skip
OF_PROBABILITIES = ("pr-area", "log-loss", "calibration")
WHY = {
    "mae": "Judged by the mean absolute error: it is in the target's unit, and no single row rules "
    "it; --metric rmse counts large errors more.",
    "rmse": "Judged by the mean squared error, whose root is the RMSE: large errors count more, as "
    "asked for.",
    "mase": "Judged by errors as shares of the warm-up's usual step between labels, as asked for: "
    "below 1 is less than a step.",
    "bias": "Judged by the size of the mean of prediction minus label, as asked for: errors to "
    "both sides cancel out, so look at the mean absolute error, too.",
    "error": "Judged by the share of rows that got the wrong class: each row counts alike; "
    "--metric balanced counts each class alike.",
    "balanced": "Judged by the balanced error, as asked for: each class counts alike.",
    "recall": "Judged by the share of the rarest class that was missed, as asked for: false alarms "
    "cost nothing in it.",
    "pr-area": "Judged by the precision–recall area of the rarest class, as asked for: how well "
    "the probabilities put it before all others; no limit is chosen yet.",
    "calibration": "Judged by the expected calibration error, as asked for: a constant guess can "
    "be calibrated and useless, so look at the error, too.",
    "log-loss": "Judged by the log loss, as asked for: it punishes those that are sure and wrong.",
}


def usual_measure(task: str) -> str:
    """Return the measure of a task if none is asked for.

    Examples
    --------
    >>> usual_measure("regression"), usual_measure("classification")
    ('mae', 'error')
    """
    return next(iter(MEASURES[task]))


def summary(run: Run, stream: Stream) -> dict[str, float]:
    """Return a run by all measures of its task, from scikit-learn where it has them.

    NaN stands where a measure needs probabilities and the run has none, or labels that change. The
    bias is the mean of prediction minus label; recall and the precision–recall area are those of
    the rarest class, the larger the better.

    Examples
    --------
    >>> from companion import Baseline, prequential, streams
    >>> bikes = streams.bike_sharing()
    >>> run = prequential(Baseline("no-change"), bikes)
    >>> {name: round(value, 2) for name, value in summary(run, bikes).items()}
    {'mae': 780.25, 'rmse': 1128.77, 'mase': 1.48, 'bias': 3.33}
    """
    from sklearn import metrics

    y, p, how = run.y, run.predictions, {"sample_weight": weights_of(run, stream)}

    def mean(losses: Measure) -> float:
        try:
            return float(np.average(losses(run, stream), weights=how["sample_weight"]))
        except ValueError:  # no probabilities, or no step from label to label
            return float("nan")

    if run.task == "regression":
        return {
            "mae": metrics.mean_absolute_error(y, p, **how),
            "rmse": metrics.root_mean_squared_error(y, p, **how),
            "mase": mean(scaled),
            "bias": float(np.average(p - y, weights=how["sample_weight"])),
        }
    code = rarest(run)
    return {
        "error": metrics.zero_one_loss(y, p, **how),
        "balanced_error": mean(balanced),
        "recall": metrics.recall_score(y == code, p == code, **how),
        "pr_area": 1 - mean(outranked),
        "log_loss": mean(log_loss),
        "calibration_error": mean(calibration_gaps),
    }
