"""A stream: rows in time order."""

from __future__ import annotations

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

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, or time runs backwards.

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

    def __post_init__(self) -> None:
        X = np.ascontiguousarray(self.X, dtype=np.float64)
        y = np.ascontiguousarray(
            self.y, dtype=np.int64 if self.task == "classification" else np.float64
        )
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
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "features", names)
        if self.time is not None:
            time = np.asarray(self.time, dtype="datetime64[ns]")
            if len(time) != len(X):
                raise ValueError(f"stream {self.name!r}: {len(X)} rows but {len(time)} times")
            back = np.flatnonzero(np.diff(time) < np.timedelta64(0))
            if len(back):
                raise ValueError(
                    f"stream {self.name!r}: time runs backwards at row {back[0] + 1}; "
                    "sort the rows by time first"
                )
            object.__setattr__(self, "time", time)

        if self.key is not None and len(self.key) != len(X):
            raise ValueError(f"stream {self.name!r}: {len(X)} rows but {len(self.key)} keys")

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"Stream {self.name!r}: {n:,} rows × {d} features, {self.task}"

    def take(self, rows: slice | np.ndarray, name: str | None = None) -> Stream:
        """Return some rows as a new stream; rows given as an array lose their times.

        Examples
        --------
        >>> Stream("toy", np.zeros((5, 1)), np.zeros(5)).take(slice(0, 3))
        Stream 'toy': 3 rows × 1 features, regression
        """
        time = self.time[rows] if self.time is not None and isinstance(rows, slice) else None
        key = None if self.key is None else np.asarray(self.key)[rows]
        return replace(
            self, X=self.X[rows], y=self.y[rows], time=time, key=key, name=name or self.name
        )
