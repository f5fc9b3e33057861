"""A stream: rows in time order."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Stream:
    """Rows in time order.

    Attributes
    ----------
    name : str
    X : ndarray of float64, shape (n, d)
        What is known about each row before its label.
    y : ndarray, shape (n,)
        float64 for regression, int64 class codes (0, 1, …) for classification.
    features : tuple of str
        The ``d`` column names.
    task : {"regression", "classification"}
    time : ndarray of datetime64[ns], shape (n,), or None
    key : ndarray, shape (n,), or None
        Whom or what each row belongs to: a patient, a machine, a user.
    classes : tuple of str
        The class names behind the codes; empty for regression.
    unit : str
        The unit of ``y``, for axes and tables.
    card : dict
        Who made the data, when, under which licence, and what to beware of.
    weight : ndarray of float64, shape (n,), or None
        How much each row counts.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, a weight is below 0, or time runs backwards.

    Examples
    --------
    >>> import numpy as np
    >>> Stream("toy", np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0, 3.0]))
    Stream 'toy': 3 rows × 2 features, regression
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    features: tuple[str, ...] = ()
    task: str = "regression"
    time: np.ndarray | None = None
    key: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    unit: str = ""
    card: dict[str, Any] = field(default_factory=dict)
    weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.task not in ("regression", "classification"):
            raise ValueError(
                f"stream {self.name!r}: the task is {self.task!r}; "
                "choose 'regression' or 'classification'"
            )
        X = np.ascontiguousarray(self.X, dtype=np.float64)
        y = np.ascontiguousarray(self.y, dtype=np.float64)
        if X.ndim != 2:
            raise ValueError(f"stream {self.name!r}: X has {X.ndim} dimensions; give it 2 (n, d)")
        if y.shape != (len(X),):
            raise ValueError(
                f"stream {self.name!r}: X has {len(X)} rows but y has shape {y.shape}; "
                "give one label for each row"
            )
        names = tuple(self.features) or tuple(f"x{i}" for i in range(X.shape[1]))
        if len(names) != X.shape[1]:
            raise ValueError(
                f"stream {self.name!r}: {X.shape[1]} columns but {len(names)} feature names"
            )
        for what, values in (("X", X), ("y", y)):
            if not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0][0])
                raise ValueError(
                    f"stream {self.name!r}: {what} is not a finite number in row {row}; "
                    "fill it in or drop the row"
                )
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"stream {self.name!r}: two features are called {twice!r}; rename one")
        if self.task == "classification":
            whole = (y == y.round()) & (y >= 0)
            wrong = np.flatnonzero(~whole | (y >= (len(self.classes) or np.inf)))
            if len(wrong):
                most = len(self.classes) - 1 if self.classes else "n"
                raise ValueError(
                    f"stream {self.name!r}: the label {y[wrong[0]]:g} of row {wrong[0]} is no "
                    f"class code; give whole numbers from 0 to {most}"
                )
            y = y.astype(np.int64)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "features", names)
        if self.time is not None:
            if np.asarray(self.time).dtype.kind in "biuf":
                raise ValueError(
                    f"stream {self.name!r}: the times are plain numbers; give datetime64"
                )
            time = np.asarray(self.time, dtype="datetime64[ns]")
            if len(time) != len(X):
                raise ValueError(f"stream {self.name!r}: {len(X)} rows but {len(time)} times")
            if np.isnat(time).any():
                row = int(np.isnat(time).argmax())
                raise ValueError(f"stream {self.name!r}: row {row} has no time; give it one")
            back = np.flatnonzero(np.diff(time) < np.timedelta64(0))
            if len(back):
                raise ValueError(
                    f"stream {self.name!r}: time runs backwards at row {back[0] + 1}; "
                    "sort the rows by time first"
                )
            object.__setattr__(self, "time", time)

        if self.weight is not None:
            weight = np.ascontiguousarray(self.weight, dtype=np.float64)
            if weight.shape != y.shape:
                raise ValueError(f"stream {self.name!r}: {len(X)} rows but {len(weight)} weights")
            wrong = np.flatnonzero(~np.isfinite(weight) | (weight < 0))
            if len(wrong):
                raise ValueError(
                    f"stream {self.name!r}: the weight of row {wrong[0]} is {weight[wrong[0]]:g}; "
                    "give each row a number of 0 or more"
                )
            object.__setattr__(self, "weight", weight)
        if self.key is not None and len(self.key) != len(X):
            raise ValueError(f"stream {self.name!r}: {len(X)} rows but {len(self.key)} keys")
        empty = [k is None or k != k for k in (() if self.key is None else np.asarray(self.key))]
        if any(empty):
            raise ValueError(
                f"stream {self.name!r}: row {empty.index(True)} has no key; fill it in"
            )

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"Stream {self.name!r}: {n:,} rows × {d} features, {self.task}"

    @classmethod
    def from_frame(cls, frame: Any, target: str, **how: Any) -> Stream:
        """Return a pandas DataFrame as a stream; what was changed on the way is a warning.

        Parameters
        ----------
        frame : pandas.DataFrame
        target : str
            The column to predict.
        how
            As for :func:`companion.streams.tables.from_frame`: ``time``, ``key``, ``weight``, …

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"x": range(30), "y": [i * 0.5 for i in range(30)]})
        >>> Stream.from_frame(frame, "y")
        Stream 'table': 30 rows × 1 features, regression
        """
        from companion.streams.tables import from_frame

        stream, notes = from_frame(frame, target, **how)
        if notes:
            warnings.warn("; ".join(notes), stacklevel=2)
        return stream

    def take(self, rows: slice | np.ndarray, name: str | None = None) -> Stream:
        """Return some rows as a new stream; rows given as an array lose their times.

        Examples
        --------
        >>> Stream("toy", np.zeros((5, 1)), np.zeros(5)).take(slice(0, 3))
        Stream 'toy': 3 rows × 1 features, regression
        """
        time = self.time[rows] if self.time is not None and isinstance(rows, slice) else None
        key = None if self.key is None else np.asarray(self.key)[rows]
        weight = None if self.weight is None else self.weight[rows]
        return replace(
            self, X=self.X[rows], y=self.y[rows], time=time, key=key, weight=weight,
            name=name or self.name,
        )  # fmt: skip


def quoted(text: str) -> str:
    """Return a text in quotation marks, cut if it is long: whoever wrote it, a message stays short.

    Examples
    --------
    >>> quoted("2D"), len(quoted("9" * 5000))
    ("'2D'", 62)
    """
    return repr(text if len(text) <= 60 else text[:57] + "...")


def duration(text: str) -> np.timedelta64:
    """Read a duration such as ``"2D"``, ``"12h"`` or ``"30min"``.

    Examples
    --------
    >>> duration("12h")
    np.timedelta64(12,'h')
    """
    match = re.fullmatch(r"\s*([0-9]+)\s*(W|D|h|H|min|m|s)\s*", text)
    if not match:
        raise ValueError(
            f"{quoted(text)} is no duration; write a number and W, D, h, min or s: '2D'"
        )
    unit = {"H": "h", "min": "m"}.get(match[2], match[2])
    longest = int(
        np.timedelta64(np.iinfo(np.int64).max, "ns").astype(f"timedelta64[{unit}]").astype(int)
    )
    if int(match[1]) > longest:
        raise ValueError(f"{quoted(text)} is longer than 292 years; write a shorter duration")
    return np.timedelta64(int(match[1]), unit)
