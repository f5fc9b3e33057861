"""What a comparison can be judged by: a loss for each scored row, whose mean is the measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from companion.evaluation import Run
from companion.metrics import LOSS_NAMES
from companion.stream import Stream


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
    classes, codes, counts = np.unique(run.y, return_inverse=True, return_counts=True)
    return run.loss * (len(run.y) / (len(classes) * counts))[codes]


def missed(run: Run, stream: Stream) -> np.ndarray:
    """Return 0/1 errors on the rarest class alone; their mean is 1 minus its recall.

    Examples
    --------
    >>> one_missed = Run("s", "a", 0, np.array([0, 0, 1, 1, 0]), np.array([1, 0, 1, 0, 0]),
    ...                  "classification")
    >>> float(missed(one_missed, None).mean())
    0.5
    """
    classes, counts = np.unique(run.y, return_counts=True)
    rare = run.y == classes[counts.argmin()]
    return run.loss * rare * (len(run.y) / rare.sum())


def log_loss(run: Run, stream: Stream) -> np.ndarray:
    """Return minus the logarithm of the probability that the true class was given.

    Examples
    --------
    >>> sure = Run("s", "a", 0, np.array([1]), np.array([1]), "classification",
    ...            probabilities=np.array([[0.5, 0.5]]))
    >>> log_loss(sure, None).round(3)
    array([0.693])
    """
    if run.probabilities is None:
        raise ValueError(f"{run.strategy} has no probabilities; run it with probabilities=True")
    given = run.probabilities[np.arange(len(run.y)), run.y]
    return -np.log(np.clip(given, 1e-9, 1.0))


Measure = Callable[[Run, Stream], np.ndarray]
MEASURES: dict[str, dict[str, tuple[str, Measure]]] = {
    "regression": {
        "mae": (LOSS_NAMES["regression"], lambda run, stream: run.loss),
        "rmse": ("mean squared error", squared),
        "mase": ("mean absolute error as a share of the usual step", scaled),
    },
    "classification": {
        "error": (LOSS_NAMES["classification"], lambda run, stream: run.loss),
        "balanced": ("balanced error", balanced),
        "recall": ("share of the rarest class that was missed", missed),
        "log-loss": ("log loss", log_loss),
    },
}  # fmt: skip
WHY = {
    "mae": "Judged by the mean absolute error: it is in the target's unit, and no single row rules "
    "it; --metric rmse counts large errors more.",
    "rmse": "Judged by the mean squared error, whose root is the RMSE: large errors count more, as "
    "asked for.",
    "mase": "Judged by errors as shares of the warm-up's usual step between labels, as asked for: "
    "below 1 is less than a step.",
    "error": "Judged by the share of rows that got the wrong class: each row counts alike; "
    "--metric balanced counts each class alike.",
    "balanced": "Judged by the balanced error, as asked for: each class counts alike.",
    "recall": "Judged by the share of the rarest class that was missed, as asked for: false alarms "
    "cost nothing in it.",
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
