"""The usual rivals: what a table of your own is tried on, from no model at all to hybrids."""

from __future__ import annotations

from companion.hybrids import PerKey, Residual, Triggered
from companion.strategies import Baseline, Online, Scheduled, Static, Strategy
from companion.stream import Stream

BASELINES = ("no change", "rolling mean of 14", "majority")


def usual_rivals(stream: Stream, *, quick: bool = False) -> dict[str, Strategy]:
    """Return strategies by name: baselines, then frozen, refitted, triggered, online and hybrid.

    The refits come after every twentieth of the rows, on the newest fifth. The triggered refit
    waits for ADWIN to see the loss change. The hybrid corrects the frozen model's errors online;
    with keys there is one corrector for each key too.

    Parameters
    ----------
    stream : Stream
    quick : bool
        Leave out the boosted trees and the hybrids.

    Examples
    --------
    >>> from companion import streams
    >>> list(usual_rivals(streams.bike_sharing(), quick=True))
    ['no change', 'rolling mean of 14', 'frozen linear', 'refit linear', 'online linear']
    """
    from river import drift
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n = len(stream)
    every, window = max(1, n // 20), max(10, n // 5)
    rivals: dict[str, Strategy] = {"no change": Baseline("no-change")}
    if stream.task == "regression":
        rivals["rolling mean of 14"] = Baseline("rolling", rows=14)
        linear = make_pipeline(StandardScaler(), LinearRegression())
        boosting = HistGradientBoostingRegressor()
    else:
        rivals["majority"] = Baseline("majority")
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        boosting = HistGradientBoostingClassifier()
    online = online_line(len(stream.classes))
    rivals["frozen linear"] = Static(linear)
    rivals["refit linear"] = Scheduled(linear, every=every, window=window)
    rivals["online linear"] = Online(online)
    if quick:
        return rivals
    rivals["triggered linear"] = Triggered(linear, drift.ADWIN(), window=window)
    if stream.task == "regression":
        corrector = Online(online_line(0))
        rivals["frozen linear, corrected online"] = Residual(Static(linear), corrector)
        if stream.key is not None:
            rivals["frozen linear, corrected per key"] = PerKey(Static(linear), corrector, after=5)
    rivals["frozen boosting"] = Static(boosting)
    rivals["refit boosting"] = Scheduled(boosting, every=every, window=window)
    return rivals


def online_line(classes: int) -> object:
    """Return River's linear model for so many classes (0 for numbers), features standardised."""
    from river import linear_model, optim, preprocessing

    if classes == 2:
        return preprocessing.StandardScaler() | linear_model.LogisticRegression()
    if classes:
        return preprocessing.StandardScaler() | linear_model.SoftmaxRegression()
    line = linear_model.LinearRegression(optimizer=optim.SGD(0.01), intercept_lr=0.03)
    return preprocessing.StandardScaler() | preprocessing.TargetStandardScaler(line)
