"""Your own table as a stream: read, checked, and every change to it noted.

Nothing is repaired in silence. What can be mended without guessing is mended and noted; what
cannot is refused with one sentence that names the file, the place, the problem and the mend.
"""

from __future__ import annotations

import difflib
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from companion.stream import Stream

FEWEST_ROWS = 20
MOST_VALUES = 20
YEARS = (1678, 2261)  # what fits into nanoseconds


class BadInput(ValueError):
    """The reader's file or option cannot be used; the message says why and what to do.

    Examples
    --------
    >>> try:
    ...     from_csv("nothing.csv", "y")
    ... except BadInput as error:
    ...     print(error)
    nothing.csv: there is no such file; check the name and the folder
    """


def from_csv(
    path: str | Path,
    target: str,
    *,
    time: str | None = None,
    key: str | None = None,
    task: str = "auto",
) -> tuple[Stream, list[str]]:
    r"""Read a CSV (also .gz) or Parquet file as a stream.

    Parameters
    ----------
    path : str or Path
    target : str
        The column to predict.
    time : str, optional
        The column that orders the rows; the file's order counts if not given.
    key : str, optional
        The column that says whom or what a row belongs to; it is no feature.
    task : {"auto", "regression", "classification"}
        ``auto`` takes text, or at most 10 different whole numbers, for classes.

    Returns
    -------
    stream : Stream
    notes : list of str
        What was changed on the way: rows dropped, values filled, columns left out.

    Raises
    ------
    BadInput
        A ``ValueError``: one sentence that names the file, the place, the problem and the mend.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sales.csv"
    ...     _ = file.write_text("day,sold\n" + "\n".join(f"{k},{k}.5" for k in range(30)))
    ...     from_csv(file, "sold")
    (Stream 'sales.csv': 30 rows × 1 features, regression, [])
    """
    frame = read_frame(Path(path))
    return from_frame(frame, target, time=time, key=key, task=task, name=Path(path).name)


def read_frame(path: Path) -> Any:
    """Read a file with pandas, or say in one sentence why it cannot be read."""
    import pandas as pd

    check_file(path)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        check_heading(path)
        return pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
    except Exception as error:
        raise refusal(path, error) from None


def check_file(path: Path) -> None:
    """Refuse what is no file, is empty, or is plainly no table."""
    if path.is_dir():
        raise BadInput(f"{path}: this is a folder; name a CSV or Parquet file in it")
    if not path.exists():
        raise BadInput(f"{path}: there is no such file; check the name and the folder")
    if path.stat().st_size == 0:
        raise BadInput(f"{path}: the file is empty; it needs a heading row and rows of data")
    if path.suffix == ".csv" and os.access(path, os.R_OK):
        with path.open("rb") as file:
            start = file.read(1000)
        if b"\0" in start and start[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            raise BadInput(f"{path}: this is no text; export the table as CSV and try again")


def check_heading(path: Path) -> None:
    """Refuse a table in which two columns share a name."""
    import pandas as pd

    heads = pd.read_csv(path, nrows=1, header=None, dtype=str, encoding="utf-8-sig")
    named = [str(name) for name in heads.iloc[0]]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise BadInput(
            f"{path}: two columns are called {twice[0]!r}; give each column its own name"
        )


def refusal(path: Path, error: Exception) -> BadInput:
    """Turn what pandas raised while it read a file into one sentence, or raise it again."""
    import pandas as pd

    said = " ".join(str(error).split())
    if isinstance(error, BadInput):
        return error
    if isinstance(error, PermissionError):
        why = "the file may not be read; change its permissions"
    elif isinstance(error, UnicodeDecodeError):
        why = f"byte {error.start + 1} is not UTF-8; save the file as UTF-8 and try again"
    elif isinstance(error, pd.errors.EmptyDataError):
        why = "there is no heading row; the first line must name the columns"
    elif isinstance(error, pd.errors.ParserError):
        why = (
            f"the rows do not fit the heading ({said.split('C error: ')[-1]}); "
            "give every line the same number of fields"
        )
    elif isinstance(error, MemoryError):
        why = "the table does not fit into memory; read it in parts with companion.chunks"
    elif isinstance(error, OSError | EOFError | ValueError | OverflowError | zlib.error):
        why = f"the file cannot be read ({said.removesuffix('.')}); save it again"
    else:
        raise error
    return BadInput(f"{path}: {why}")


def missing(name: str, role: str, column: str, columns: list[str]) -> BadInput:
    """Say that a column is not there, and which may be meant."""
    same = [one for one in columns if one.casefold() == column.casefold()]
    near = same or difflib.get_close_matches(column, columns, n=3, cutoff=0.3)
    shown = [repr(one if len(one) < 40 else one[:37] + "...") for one in near or columns[:20]]
    marks = [mark for mark in (";", "\t", "|") if mark in columns[0]] if len(columns) == 1 else []
    if marks:
        hint = f"its fields are parted by {marks[0]!r}; save it with commas"
    else:
        hint = f"did you mean {' or '.join(shown)}?" if near else f"there are {', '.join(shown)}"
    return BadInput(f"{name}: there is no {role} column {column!r}; {hint}")


def from_frame(
    frame: Any,
    target: str,
    *,
    time: str | None = None,
    key: str | None = None,
    task: str = "auto",
    name: str = "table",
) -> tuple[Stream, list[str]]:
    """Turn a pandas DataFrame into a stream; see :func:`from_csv`.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": range(30), "same": 1, "y": [i * 0.5 for i in range(30)]})
    >>> stream, notes = from_frame(frame, "y")
    >>> stream
    Stream 'table': 30 rows × 1 features, regression
    >>> notes
    ["column 'same' never changes and was left out"]
    """
    notes: list[str] = []
    frame = frame.rename(columns=str)
    check_enough(frame, name)
    for role, column in (("target", target), ("time", time), ("key", key)):
        if column is not None and column not in frame.columns:
            raise missing(name, role, column, list(frame.columns))
    named = [column for column in (target, time, key) if column is not None]
    if len(set(named)) < len(named):
        roles = " and ".join(
            role for role, column in (("target", target), ("time", time), ("key", key))
            if column is not None and named.count(column) > 1
        )  # fmt: skip
        twice = next(column for column in named if named.count(column) > 1)
        raise BadInput(f"{name}: column {twice!r} cannot be both {roles}; name two")
    if key is not None and frame[key].isna().any():
        line = int(np.flatnonzero(frame[key].isna())[0]) + 2
        raise BadInput(f"{name}, line {line}, column {key!r}: the key is empty; fill it in")
    frame = frame.assign(**{"\0line": np.arange(2, len(frame) + 2)})
    frame = in_time_order(frame, time, name, notes)
    empty = frame[target].isna()
    if empty.any():
        notes.append(f"{empty.sum():,} rows without a target {target!r} were left out")
        frame = frame[~empty]
    check_enough(frame, name)
    y, classes = labels(frame, target, task, name)
    columns: dict[str, np.ndarray] = {}
    for column in frame.columns.drop(["\0line", *named]):
        columns.update(feature(frame, column, name, notes))
    if not columns:
        columns = {"nothing": np.zeros(len(frame))}
        notes.append("no usable feature column is left; every model sees only the labels")
    stream = Stream(
        name=name,
        X=np.column_stack(list(columns.values())),
        y=y,
        features=tuple(columns),
        task="classification" if classes else "regression",
        time=None if time is None else frame[time].to_numpy("datetime64[ns]"),
        key=None if key is None else frame[key].astype(str).to_numpy(dtype=str),
        classes=classes,
        unit="" if classes else target,
    )
    return stream, notes


def check_enough(frame: Any, name: str) -> None:
    """Refuse a table that is too short."""
    if len(frame) < FEWEST_ROWS:
        raise BadInput(
            f"{name}: {len(frame)} usable rows are too few; "
            f"a comparison needs at least {FEWEST_ROWS}"
        )


def in_time_order(frame: Any, time: str | None, name: str, notes: list[str]) -> Any:
    """Parse the time column and sort by it; rows of equal time keep their order."""
    import pandas as pd

    if time is None:
        return frame
    raw = frame[time]
    if pd.api.types.is_numeric_dtype(raw):
        raise BadInput(
            f"{name}, column {time!r}: holds plain numbers, not times; "
            "write dates such as 2024-01-31, or leave out --time if the rows are in order"
        )
    parsed = pd.to_datetime(raw, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
    bad = parsed.isna() | ~parsed.dt.year.between(*YEARS)
    if bad.any():
        line, value = frame.loc[bad, "\0line"].iloc[0], raw[bad].iloc[0]
        far = f"outside the years {YEARS[0]} to {YEARS[1]}"
        why = "no time" if parsed[bad].isna().iloc[0] else far
        what = "is empty" if pd.isna(value) else f"holds {value!r}, which is {why}"
        raise BadInput(
            f"{name}, line {line}, column {time!r}: {what}; write it like 2024-01-31 or "
            "2024-01-31 14:00"
        )
    frame = frame.assign(**{time: parsed})
    if not parsed.is_monotonic_increasing:
        notes.append(f"the rows were not in time order; they were sorted by {time!r}")
        frame = frame.sort_values(time, kind="stable")
    return frame


def labels(frame: Any, target: str, task: str, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels, and the class names if they are classes."""
    import pandas as pd

    raw = frame[target]
    numeric = pd.api.types.is_numeric_dtype(raw) and not pd.api.types.is_bool_dtype(raw)
    if numeric:
        finite_or_refuse(frame, target, name)
    if task == "regression" and not numeric:
        parsed = pd.to_numeric(raw, errors="coerce")
        bad = parsed.isna()
        if bad.any():
            line, value = frame.loc[bad, "\0line"].iloc[0], raw[bad].iloc[0]
            raise BadInput(
                f"{name}, line {line}, column {target!r}: {value!r} is no number; "
                "mend it, or choose --task classification"
            )
    whole = numeric and bool((raw % 1 == 0).all())
    if task == "regression" or (task == "auto" and numeric and (not whole or raw.nunique() > 10)):
        values = raw.to_numpy(dtype=float)
        if np.ptp(values) == 0:
            raise BadInput(
                f"{name}, column {target!r}: every row holds {values[0]:g}; "
                "there is nothing to predict; choose another target"
            )
        return values, ()
    codes, classes = pd.factorize(raw.astype(int) if whole else raw.astype(str), sort=True)
    if len(classes) < 2:
        raise BadInput(
            f"{name}, column {target!r}: there is only one class, {classes[0]!r}; "
            "there is nothing to predict; choose another target"
        )
    if len(classes) > max(50, len(frame) // 10):
        raise BadInput(
            f"{name}, column {target!r}: {len(classes)} different values are too many classes; "
            "choose another target, or --task regression if they are numbers"
        )
    return codes, tuple(map(str, classes))


def finite_or_refuse(frame: Any, column: str, name: str) -> None:
    """Refuse infinite values, naming the line."""
    infinite = np.isinf(frame[column].to_numpy(dtype=float))
    if infinite.any():
        line = frame["\0line"].to_numpy()[infinite][0]
        raise BadInput(
            f"{name}, line {line}, column {column!r}: the value is infinite; "
            "replace it by a number or leave it empty"
        )


def feature(frame: Any, column: str, name: str, notes: list[str]) -> dict[str, np.ndarray]:
    """Return a column as one or several numeric features; what is done is noted."""
    import pandas as pd

    raw = frame[column]
    if raw.isna().all():
        notes.append(f"column {column!r} is empty and was left out")
        return {}
    try:
        different = raw.nunique(dropna=False)
    except TypeError:
        notes.append(f"column {column!r} holds lists or the like and was left out")
        return {}
    if different == 1:
        notes.append(f"column {column!r} never changes and was left out")
        return {}
    if pd.api.types.is_bool_dtype(raw):
        return {column: raw.to_numpy(dtype=float)}
    if not pd.api.types.is_numeric_dtype(raw):
        return text_feature(raw, column, notes)
    finite_or_refuse(frame, column, name)
    gaps = int(raw.isna().sum())
    if gaps:
        notes.append(f"column {column!r}: {gaps:,} gaps were filled with the last value before")
        raw = raw.ffill().fillna(0.0)
    return {column: raw.to_numpy(dtype=float)}


def text_feature(raw: Any, column: str, notes: list[str]) -> dict[str, np.ndarray]:
    """Return one 0/1 feature for each text that occurs in the first fifth of the rows."""
    early = raw.iloc[: max(FEWEST_ROWS, len(raw) // 5)].dropna().astype(str).unique()
    if len(early) > MOST_VALUES:
        notes.append(
            f"column {column!r} holds text with more than {MOST_VALUES} different values "
            "and was left out"
        )
        return {}
    notes.append(
        f"column {column!r} holds text: it became {len(early)} columns of 0 and 1, one for each "
        "value in the first fifth of the rows"
    )
    text = raw.astype(str)
    return {f"{column}={value}": (text == value).to_numpy(dtype=float) for value in early}
