"""The record: every strategy on every stream of the book, run by one rule and written down.

``book/tools/runs.py`` (``make runs``) made it. A row is one strategy on one stream under one
label delay. Nothing in it was tuned: every setting is a library's default or follows from the
length of the warm-up.
"""

from __future__ import annotations

import numpy as np

from companion.hybrids import Blend, ChampionChallenger, Paired, PerKey, Residual, Triggered
from companion.rivals import online_line
from companion.strategies import Baseline, Online, Scheduled, Static, Strategy
from companion.stream import Stream
from companion.streams import read_cut

BASELINES = ("no change", "rolling mean", "mean", "majority")
HYBRIDS = ("residual", "blend", "per key", "paired", "champion")
FAMILIES = ("linear", "tree")
WORDS = (
    "stream", "group", "task", "unit", "drift", "cut", "family", "strategy",
)  # fmt: skip
COUNTS = (
    "real", "ordered", "rows", "warmup", "delay", "features", "keys", "seed", "fits",
    "retrainings", "rows_learnt", "labels_used",
)  # fmt: skip


def runs() -> np.ndarray:
    """Return the record, one row for each stream, label delay and strategy.

    Returns
    -------
    structured ndarray
        The columns are explained on its card, ``companion/data/runs.toml``.

    Raises
    ------
    ValueError
        If the file's sha256 is not the one on its card.

    Examples
    --------
    >>> table = runs()
    >>> bikes = table[(table["stream"] == "bike_sharing") & (table["delay"] == 0)]
    >>> bikes["strategy"][bikes["family"] == "baseline"].tolist()
    ['no change', 'rolling mean', 'mean']
    """
    columns = read_cut("runs")[1]
    for name, texts in columns.items():
        if name in COUNTS:
            columns[name] = texts.astype(int)
        elif name not in WORDS:
            columns[name] = np.where(texts == "", "nan", texts).astype(float)
    table = np.empty(len(texts), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def entrants(stream: Stream, warmup: int, family: str = "linear") -> dict[str, Strategy]:
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
    >>> list(entrants(streams.bike_sharing(), 146))  # doctest: +NORMALIZE_WHITESPACE
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
    found: dict[str, Strategy] = {"no change": Baseline("no-change")}
    if numbers:
        found["rolling mean"] = Baseline("rolling", rows=14)
    found["mean" if numbers else "majority"] = Baseline("mean" if numbers else "majority")
    found["frozen"] = frozen
    found["refit"] = Scheduled(batch, every=every, window=max(10, warmup))
    found["triggered"] = Triggered(batch, drift.ADWIN(), window=new, wait=new)
    found["online"] = online
    if numbers:
        found["residual"] = Residual(frozen, online)
    found["blend"] = Blend({"frozen": frozen, "online": online})
    if stream.key is not None and len(set(stream.key.tolist())) > 1:
        found["per key"] = PerKey(frozen, online, after=5)
    found["paired"] = Paired(by_row)
    found["champion"] = ChampionChallenger(
        frozen, frozen, every=every, window=max(10, warmup), shadow=max(10, shadow)
    )
    return found


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
