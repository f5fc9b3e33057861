"""The usual rivals: what a table of your own is tried on, from no model at all to hybrids."""

from __future__ import annotations

from river import base

from companion.hybrids import Blend, ChampionChallenger, Paired, PerKey, Residual, Triggered
from companion.strategies import Baseline, Online, Scheduled, Static, Strategy
from companion.stream import Stream

BASELINES = ("no change", "rolling mean", "rolling mean of 14", "mean", "majority")
HYBRIDS = ("residual", "blend", "per key", "paired", "champion")
FAMILIES = ("linear", "tree")


def table_lineup(stream: Stream, *, quick: bool = False) -> dict[str, Strategy]:
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
    >>> list(table_lineup(streams.bike_sharing(), quick=True))
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
    online = steady_line(len(stream.classes))
    rivals["frozen linear"] = Static(linear)
    rivals["refit linear"] = Scheduled(linear, every=every, window=window)
    rivals["online linear"] = Online(online)
    if quick:
        return rivals
    rivals["triggered linear"] = Triggered(linear, drift.ADWIN(), window=window)
    if stream.task == "regression":
        corrector = Online(steady_line(0))
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


def steady_line(classes: int) -> object:
    """Return the line of :func:`online_line`, held by a rein: no row can throw it far.

    A column that hardly ever changes is thousands of deviations from its mean when it does. So
    standardised features are cut at 5 deviations, and the error that a row may teach at 5.
    """
    from river import linear_model, optim, preprocessing

    cut = preprocessing.StandardScaler() | Cut()
    if classes == 2:
        return cut | linear_model.LogisticRegression()
    if classes:
        return cut | linear_model.SoftmaxRegression()
    line = linear_model.LinearRegression(
        optimizer=optim.SGD(0.01), intercept_lr=0.03, clip_gradient=10.0
    )
    return cut | preprocessing.TargetStandardScaler(line)


class Cut(base.Transformer):
    """Cut standardised values at 5 deviations.

    Examples
    --------
    >>> Cut().transform_one({"heat": -1.5, "rain": 900.0})
    {'heat': -1.5, 'rain': 5.0}
    """

    def transform_one(self, x: dict[str, float]) -> dict[str, float]:
        """Return a row's values, none beyond 5 deviations."""
        return {name: min(5.0, max(-5.0, value)) for name, value in x.items()}


def record_lineup(stream: Stream, warmup: int, family: str = "linear") -> dict[str, Strategy]:
    """Return the strategies of the record, by name, for one stream.

    All share one kind of model, so that only *when it learns* differs. The linear kind is ridge
    or logistic regression, and for rows one by one River's line; the tree kind is one decision
    tree, and for rows one by one River's adaptive Hoeffding tree, which keeps a small model in
    each leaf. River's models have their default settings.

    Parameters
    ----------
    stream : Stream
    warmup : int
        Rows of the warm-up. A refit sees as many rows as the first fit did, and comes after each
        quarter of them; a triggered refit waits for a quarter of new rows (at least 50) and
        takes those alone; a challenger shadows for an eighth.
    family : {"linear", "tree"}

    Examples
    --------
    >>> from companion import streams
    >>> list(record_lineup(streams.bike_sharing(), 146))  # doctest: +NORMALIZE_WHITESPACE
    ['no change', 'rolling mean', 'mean', 'frozen', 'refit', 'triggered', 'online', 'residual',
     'blend', 'paired', 'champion']
    """
    from river import drift

    if family not in FAMILIES:
        raise ValueError(f"there is no family {family!r}; choose 'linear' or 'tree'")
    numbers, every, shadow = stream.task == "regression", max(1, warmup // 4), warmup // 8
    new = max(50, every)
    batch, by_row = (lines if family == "linear" else trees)(len(stream.classes))
    frozen, online = Static(batch), Online(by_row)
    lineup: dict[str, Strategy] = {"no change": Baseline("no-change")}
    if numbers:
        lineup["rolling mean"] = Baseline("rolling", rows=14)
    lineup["mean" if numbers else "majority"] = Baseline("mean" if numbers else "majority")
    lineup["frozen"] = frozen
    lineup["refit"] = Scheduled(batch, every=every, window=max(10, warmup))
    lineup["triggered"] = Triggered(batch, drift.ADWIN(), window=new, wait=new)
    lineup["online"] = online
    if numbers:
        lineup["residual"] = Residual(frozen, online)
    lineup["blend"] = Blend({"frozen": frozen, "online": online})
    if stream.key is not None and len(set(stream.key.tolist())) > 1:
        lineup["per key"] = PerKey(frozen, online, after=5)
    lineup["paired"] = Paired(by_row)
    lineup["champion"] = ChampionChallenger(
        frozen, frozen, every=every, window=max(10, warmup), shadow=max(10, shadow)
    )
    return lineup


def lines(classes: int) -> tuple[object, object]:
    """Return a linear model for batches and one for rows, for so many classes (0: numbers)."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    line = LogisticRegression(max_iter=1000) if classes else Ridge()
    return make_pipeline(StandardScaler(), line), online_line(classes)


def trees(classes: int) -> tuple[object, object]:
    """Return a decision tree for batches and an adaptive Hoeffding tree for rows."""
    from river import preprocessing, tree
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    scale = preprocessing.StandardScaler()
    if classes:
        batch = DecisionTreeClassifier(min_samples_leaf=20, random_state=0)
        return batch, scale | tree.HoeffdingAdaptiveTreeClassifier(seed=0)
    batch = DecisionTreeRegressor(min_samples_leaf=20, random_state=0)
    by_row = tree.HoeffdingAdaptiveTreeRegressor(seed=0)
    return batch, scale | preprocessing.TargetStandardScaler(by_row)
