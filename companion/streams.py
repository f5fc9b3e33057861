"""Streams: rows in time order, with a card that says where they come from."""

from __future__ import annotations

import csv
import difflib
import gzip
import hashlib
import io
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data"


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
        >>> bike_sharing().take(slice(0, 365))
        Stream 'bike_sharing': 365 rows × 6 features, regression
        """
        time = self.time[rows] if self.time is not None and isinstance(rows, slice) else None
        key = None if self.key is None else np.asarray(self.key)[rows]
        return replace(
            self, X=self.X[rows], y=self.y[rows], time=time, key=key, name=name or self.name
        )


def cards() -> dict[str, dict[str, Any]]:
    """Return the card of every data set that travels with the book, by name.

    Examples
    --------
    >>> cards()["bike_sharing"]["licence"]
    'CC BY 4.0'
    """
    found = sorted(DATA.glob("*.toml"))
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in found}


def load(name: str) -> Stream:
    """Load a data set by its name (see :func:`cards`).

    Raises
    ------
    ValueError
        If there is no such data set; the message names the nearest ones.

    Examples
    --------
    >>> load("bike_sharing")
    Stream 'bike_sharing': 731 rows × 6 features, regression
    """
    if name not in cards():
        near = difflib.get_close_matches(name, cards(), n=3, cutoff=0.3) or sorted(cards())
        raise ValueError(f"there is no stream {name!r}; did you mean {' or '.join(near)}?")
    return globals()[name]()


def read_cut(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read one data file of the package: its card, and its columns as arrays of text.

    Raises
    ------
    ValueError
        If the file's sha256 is not the one on its card.
    """
    card = cards()[name]
    path = DATA / card["file"]
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != card["sha256"]:
        raise ValueError(
            f"{path.name} was truncated or altered: its sha256 is {found}, "
            f"its card says {card['sha256']}; install the package again"
        )
    rows = list(csv.reader(io.StringIO(gzip.decompress(raw).decode("utf-8"))))
    columns = zip(*rows[1:], strict=True)
    return card, {head: np.array(col) for head, col in zip(rows[0], columns, strict=True)}


def bike_sharing() -> Stream:
    """Daily bike rentals in Washington, D.C., 2011 and 2012 (731 days).

    The label is the number of rides in the day. The features are the day's weather, its season
    and whether people work. The weather is the day's own: in use, a forecast stands in for it.

    Returns
    -------
    Stream
        731 rows, 6 features; the card has source, licence and limits.

    References
    ----------
    Fanaee-T and Gama (2014), Event labeling combining ensemble detectors and background
    knowledge. Progress in Artificial Intelligence 2.

    Examples
    --------
    >>> bikes = bike_sharing()
    >>> bikes.features
    ('temperature', 'humidity', 'wind', 'working_day', 'weather', 'season')
    >>> bikes.y[:3]
    array([ 985.,  801., 1349.])
    """
    card, table = read_cut("bike_sharing")
    features = ("temperature", "humidity", "wind", "working_day", "weather", "season")
    return Stream(
        name="bike_sharing",
        X=np.column_stack([table[name].astype(float) for name in features]),
        y=table["rides"].astype(float),
        features=features,
        time=table["date"].astype("datetime64[ns]"),
        unit=card["unit"],
        card=card,
    )
