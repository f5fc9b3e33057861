"""The record: every strategy on every stream of the book, run by one rule and written down.

``book/press/upkeep/runs.py`` (``make runs``) made it. A row is one strategy on one stream under one
label delay. Nothing in it was tuned: every setting is a library's default or follows from the
length of the warm-up.
"""

from __future__ import annotations

import numpy as np

from companion.streams.book import read_data_file

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
    columns = read_data_file("runs")[1]
    for name, texts in columns.items():
        if name in COUNTS:
            columns[name] = texts.astype(int)
        elif name not in WORDS:
            columns[name] = np.where(texts == "", "nan", texts).astype(float)
    table = np.empty(len(texts), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table
