"""Your own table as a stream: read, checked, and every change to it noted.

Nothing is repaired in silence. What can be mended without guessing is mended and noted; what
cannot is refused with one sentence that names the file, the place, the problem and the mend.
A table that is read in parts gives the same stream as one that is read whole.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from companion.stream import Stream, quoted
from companion.streams.cells import Survey, empty, look, times_said
from companion.streams.clocks import (
    TimeSurvey,
    check_format,
    decide_time,
    look_at_times,
    read_times,
)
from companion.streams.features import (
    FEWEST_ROWS,
    KEPT_VALUES,
    Feature,
    decide_feature,
    finish,
    number_style,
    numbers_of,
    values_of,
)
from companion.streams.rows import (
    SEPARATORS,
    BadInput,
    Block,
    Source,
    frame_source,
    open_table,
    whole_block,
)
from companion.streams.targets import MOST_CLASSES, Target, decide_target, labels_of

__all__ = ["BadInput", "Reading", "from_csv", "from_frame", "read_parts", "read_table"]


@dataclass(frozen=True)
class Reading:
    """A table that was read: the stream, and what was made of the columns.

    Attributes
    ----------
    stream : Stream
    why : str
        Why the target is taken for numbers or for classes.
    remarks : list of (str, str)
        What was changed: its kind ("file", "rows", "time", "target", "gaps", "changed" or
        "left out") and a sentence.
    target : str
        The target's column.

    Examples
    --------
    >>> import numpy as np
    >>> stream = Stream("a.csv", np.zeros((3, 1)), np.array([1.0, 2.0, 4.0]))
    >>> Reading(stream, "it holds numbers", [("left out", "column 'b' is empty")], "y").notes
    ["column 'b' is empty"]
    """

    stream: Stream
    why: str
    remarks: list[tuple[str, str]]
    target: str

    @property
    def notes(self) -> list[str]:
        """Return what was changed, one sentence each."""
        return [sentence for _, sentence in self.remarks]


@dataclass(frozen=True)
class Roles:
    """Which columns are what."""

    target: str
    time: str | None
    key: str | None
    weight: str | None

    def named(self) -> list[tuple[str, str]]:
        """Return role and column of those that are given."""
        return [(role, column) for role, column in vars(self).items() if column is not None]


def roles_of(*columns: object) -> Roles:
    """Return the roles; a column of a DataFrame may be called by a number."""
    return Roles(*(name if name is None else str(name).strip() for name in columns))


@dataclass
class Plan:
    """What every column becomes: the same in all parts."""

    source: Source
    roles: Roles
    clock: TimeSurvey | None
    target: Survey
    features: dict[str, Survey]
    weight: Survey
    remarks: list[tuple[str, str]] = field(default_factory=list)
    read_time: Callable[[str], int] = int
    labels: Target | None = None
    columns: list[Feature] = field(default_factory=list)


def from_csv(path: str | Path, target: str, **how: Any) -> tuple[Stream, list[str]]:
    r"""Read a CSV (also .gz) or Parquet file as a stream.

    Parameters
    ----------
    path : str or Path
        A Parquet file is known by its bytes, whatever its name is. The fields of a CSV are parted
        by commas, semicolons, tabs or ``|``.
    target : str
        The column to predict.
    time : str, optional
        The column that orders the rows; the file's order counts if not given.
    key : str, optional
        The column that says whom or what a row belongs to; it is no feature.
    weight : str, optional
        The column that says how much a row counts; it is no feature.
    task : {"auto", "regression", "classification"}
        ``auto`` takes text, or at most 10 different whole numbers, for classes.
    time_format : str, optional
        How times are written, such as ``"%d.%m.%Y"`` (as for :meth:`datetime.datetime.strptime`),
        or the unit of plain numbers: ``"year"``, ``"unix-s"``, ``"unix-ms"``, ``"unix-us"``,
        ``"unix-ns"``. It is only needed where the cells leave it open.

    Returns
    -------
    stream : Stream
    notes : list of str
        What was changed on the way: rows dropped, values filled, columns left out.

    Raises
    ------
    BadInput
        A ``ValueError``: one sentence that names the file, the place, the problem and the mend.

    Notes
    -----
    A column is read as a whole, never cell by cell, and no cell is guessed:

    - **Times** have one format. If all cells fit two (``02.01.2023``), if formats are mixed, if
      some have an offset from UTC and others have none, or if a year has two digits, the column is
      refused. Without an offset, times count as UTC. A date alone is its midnight, a month or a
      year its first day. Whole numbers are years (1800 to 2200), or Unix times if all lie between
      1980 and 2100.
    - **Keys and classes** are text as it is written: ``0071`` is not ``71``, ``NA`` is a word. A
      gap is an empty cell, and nothing else.
    - **The target** is regression if its cells are numbers, unless at most 10 different whole
      numbers occur: these are classes, and a note says so. A row with an empty target is left out.
    - **Numbers** may have a decimal point or comma, marks for thousands (also ``1,00,000``), and
      one unit such as ``%`` or ``kg``, all the same in a column. A column of fractions (``3/4``),
      hexadecimal numbers or durations with months (``P3M``) is refused. In a column of numbers
      ``NA``, ``NaN``, ``null``, ``None``, ``N/A`` and ``?`` are gaps, and a note counts them. If
      most cells are numbers and another one is none, the file is refused. Durations are numbers of
      seconds; true and false are 1 and 0.
    - **Gaps** in a number are filled with the last reading before, of the same key. Before its
      first reading a feature is missing: a feature ``NAME: no reading yet`` is 1 there, and
      ``NAME`` itself holds the column's first reading. That is a placeholder and no reading; it
      is the same in all such rows, so it says nothing about any of them, and no jump comes with
      the first reading, as it would after a 0.
    - **Text** becomes a feature of 0 and 1 for each of its first 20 values, and one for all
      others. If more than 20 occur in the first fifth of the rows, it becomes 16 columns by
      feature hashing (:class:`sklearn.feature_extraction.FeatureHasher`), which needs no row but
      its own; if they hardly come back, as names of persons do, it is left out.
    - **Left out**, with a note, are columns that are empty, never change, hold times or lists, or
      have no name and hold whole numbers (row numbers). So is a DataFrame's plain ``RangeIndex``,
      even if it has a name. Other columns without a name are called
      ``column 1`` and so on.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sales.csv"
    ...     _ = file.write_text("day,sold\n" + "\n".join(f"{k},{k}.5" for k in range(30)))
    ...     from_csv(file, "sold")
    (Stream 'sales.csv': 30 rows × 1 features, regression, [])
    """
    reading = read_table(path, target, **how)
    return reading.stream, reading.notes


def from_frame(
    frame: Any, target: str, *, name: str = "table", **how: Any
) -> tuple[Stream, list[str]]:
    """Turn a pandas DataFrame into a stream; a named index counts as a column.

    A plain ``RangeIndex`` only counts the rows and is left out, with a note if it has a name.

    Parameters, results and rules are those of :func:`from_csv`.

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
    reading = read_whole(lambda: frame_source(frame, name), name, target, **how)
    return reading.stream, reading.notes


def read_table(path: str | Path, target: str, **how: Any) -> Reading:
    r"""Read a file as :func:`from_csv` does, and say more about what was read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "calls.csv"
    ...     _ = file.write_text("x,calls\n" + "\n".join(f"{k},{k % 3}" for k in range(30)))
    ...     read_table(file, "calls").why
    'it holds 3 different whole numbers'
    """
    path = Path(path)
    return read_whole(lambda: open_table(path), path.name, target, **how)


def newest_rows(reading: Reading, rows: int | None) -> Reading:
    """Return a reading's newest rows alone, with a remark; all of it if it has no more.

    Examples
    --------
    >>> import numpy as np
    >>> whole = Reading(Stream("a.csv", np.zeros((50, 1)), np.arange(50.0)), "", [], "y")
    >>> newest_rows(whole, 20).stream.y[0], newest_rows(whole, 20).notes
    (np.float64(30.0), ['only the newest 20 of 50 are compared'])
    """
    stream = reading.stream
    if rows is None or rows >= len(stream):
        return reading
    if rows < FEWEST_ROWS:
        raise BadInput(f"--newest {rows}: a comparison needs at least {FEWEST_ROWS} rows")
    said = f"only the newest {rows:,} of {len(stream):,} are compared"
    return replace(
        reading,
        stream=stream.take(slice(len(stream) - rows, None)),
        remarks=[*reading.remarks, ("rows", said)],
    )


def read_whole(
    opened: Callable[[], Source],
    name: str,
    target: str,
    *,
    time: str | None = None,
    key: str | None = None,
    weight: str | None = None,
    task: str = "auto",
    time_format: str | None = None,
) -> Reading:
    """Read all of a source, which is opened once the request has been checked."""
    check_format(time_format, time)
    source, roles = opened(), roles_of(target, time, key, weight)
    block = whole_block(source)
    check_enough(len(block), source)
    plan = new_plan(source, roles, time_format)
    if roles.key is not None:
        check_keys(block, plan)
    if plan.clock:
        look_at_times(plan.clock, block.columns[roles.time], block.lines)
    decide_clock(plan)
    times = times_of(block, plan)
    if times is not None and (np.diff(times) < np.timedelta64(0)).any():
        said = f"the rows were not in time order; they were sorted by {roles.time!r}"
        plan.remarks.append(("rows", said))
        order = np.argsort(times, kind="stable")
        block, times = block.take(order), times[order]
    survey(plan, block)
    usable = plan.target.filled
    if usable < FEWEST_ROWS:
        check_enough(usable, source)
    decide(plan, task)
    keys = keys_of(block, plan)
    found = [values_of(feature, block.columns[feature.column], keys) for feature in plan.columns]
    by_column = {feature.column: one for feature, one in zip(plan.columns, found, strict=True)}
    name_features(plan)
    stream = stream_of(plan, block, times, keys, by_column, name)
    return Reading(stream, plan.labels.why, plan.remarks, roles.target)


def read_parts(
    path: str | Path,
    target: str,
    *,
    time: str | None = None,
    key: str | None = None,
    weight: str | None = None,
    task: str = "auto",
    time_format: str | None = None,
    classes: Sequence[str] = (),
    rows: int = 50_000,
    notes: list[str] | None = None,
) -> Iterator[Stream]:
    r"""Read a CSV (also .gz) or Parquet file in parts, as streams, without ever holding it whole.

    Together the parts are the stream that :func:`from_csv` gives, with the same notes. To decide
    what each column is, the file is first read through once (twice if it has gaps). The rows must
    be in time order, since they cannot be sorted.

    Parameters
    ----------
    path : str or Path
    target : str
        The column to predict.
    time, key, weight : str, optional
        The columns with each row's time, whom or what it belongs to, and how much it counts.
    task, time_format : str, optional
        As for :func:`from_csv`.
    classes : sequence of str
        The target's values, if you want to name them; another value is refused.
    rows : int
        Rows a part; rows without a target are among them and left out.
    notes : list of str, optional
        What was changed is put here before the first part is given.

    Raises
    ------
    BadInput
        One sentence that names the file, the line, the problem and the mend.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("x,y\n1,2.5\n3,4.5\n5,6\n")
    ...     [len(part) for part in read_parts(file, "y", rows=2)]
    [2, 1]
    """
    check_format(time_format, time)
    path = Path(path)
    source = open_table(path)
    plan = new_plan(source, roles_of(target, time, key, weight), time_format)
    for block in source.blocks(rows):
        if key is not None:
            check_keys(block, plan)
        if plan.clock:
            look_at_times(plan.clock, block.columns[plan.roles.time], block.lines)
        survey(plan, block)
    if not plan.target.filled:
        raise BadInput(f"{source.name}: 0 usable rows are too few; a part needs at least 1")
    decide_clock(plan)
    decide(plan, task, classes)
    if any(feature.gaps for feature in plan.columns):
        for block in source.blocks(rows):
            keys = keys_of(block, plan)
            for feature in plan.columns:
                if feature.gaps:
                    values_of(feature, block.columns[feature.column], keys)
    name_features(plan)
    if notes is not None:
        notes.extend(sentence for _, sentence in plan.remarks)
    newest = None
    for block in source.blocks(rows):
        keys = keys_of(block, plan)
        times = times_of(block, plan)
        if times is not None:
            newest = check_order(times, newest, block, plan)
        found = {f.column: values_of(f, block.columns[f.column], keys) for f in plan.columns}
        part = stream_of(plan, block, times, keys, found, path.name)
        if len(part):
            yield part


def new_plan(source: Source, roles: Roles, time_format: str | None) -> Plan:
    """Check the columns' roles, and begin to look at the columns."""
    for role, column in roles.named():
        if column not in source.columns and column == source.row_numbers:
            raise BadInput(
                f"{source.name}: the {role} column {quoted(column)} is an index that only counts "
                "the rows; make it a column with reset_index()"
            )
        if column not in source.columns:
            raise missing(source, role, column)
    named = [column for _, column in roles.named()]
    twice = next((column for column in named if named.count(column) > 1), None)
    if twice is not None:
        both = " and ".join(role for role, column in roles.named() if column == twice)
        raise BadInput(f"{source.name}: column {quoted(twice)} cannot be both {both}; name two")
    commas = source.separator == ";"
    remarks = []
    if source.separator not in ("", ","):
        remarks = [("file", f"the fields are parted by {SEPARATORS[source.separator]}")]
    return Plan(
        source,
        roles,
        TimeSurvey(source, roles.time, time_format) if roles.time is not None else None,
        Survey(MOST_CLASSES + 1, commas),
        {name: Survey(KEPT_VALUES, commas) for name in source.columns if name not in named},
        Survey(KEPT_VALUES, commas),
        remarks,
    )


def missing(source: Source, role: str, column: str) -> BadInput:
    """Say that a column is not there, and which may be meant."""
    columns = list(source.columns)
    same = [one for one in columns if one.casefold() == column.casefold()]
    near = same or difflib.get_close_matches(column, columns, n=3, cutoff=0.3)
    shown = [quoted(one) for one in near or columns[:20]]
    hint = f"did you mean {' or '.join(shown)}?" if near else f"there are {', '.join(shown)}"
    return BadInput(f"{source.name}: there is no {role} column {quoted(column)}; {hint}")


def check_enough(rows: int, source: Source) -> None:
    """Refuse a table that is too short."""
    if rows < FEWEST_ROWS:
        raise BadInput(
            f"{source.name}: {rows} usable rows are too few; "
            f"a comparison needs at least {FEWEST_ROWS}"
        )


def check_keys(block: Block, plan: Plan) -> None:
    """Refuse an empty key."""
    column = plan.roles.key
    for line, text in zip(block.lines, block.columns[column].written(), strict=True):
        if empty(text):
            raise BadInput(f"{plan.source.at(line, column)}: the key is empty; fill it in")


def survey(plan: Plan, block: Block) -> None:
    """Look at the columns of a block, in time order."""
    look(plan.target, block.columns[plan.roles.target], block.lines)
    if plan.roles.weight is not None:
        look(plan.weight, block.columns[plan.roles.weight], block.lines)
    for name, one in plan.features.items():
        look(one, block.columns[name], block.lines)


def decide(plan: Plan, task: str, classes: Sequence[str] = ()) -> None:
    """Decide what each column becomes, after all have been looked at."""
    source, target = plan.source, plan.roles.target
    if source.blank:
        count, line = source.blank
        first = f"line {line}" if count == 1 else f"the first is line {line}"
        said = times_said(count, "line holds", "lines hold") + f" no cell ({first}) and "
        plan.remarks.append(("rows", said + ("was" if count == 1 else "were") + " left out"))
    if source.row_numbers is not None:
        said = f"the index {quoted(source.row_numbers)} only counts the rows and was left out"
        plan.remarks.append(("left out", said))
    if plan.target.sorts["empty"]:
        empties = plan.target.sorts["empty"]
        said = f"{times_said(empties, 'row')} without a target {quoted(target)} "
        plan.remarks.append(("rows", said + ("was" if empties == 1 else "were") + " left out"))
    plan.labels = decide_target(plan.target, source, target, task, plan.remarks, classes)
    for name, one in plan.features.items():
        feature = decide_feature(one, source, name, plan.remarks)
        if feature:
            plan.columns.append(feature)


def name_features(plan: Plan) -> None:
    """Name the features, and note what was done about gaps."""
    plan.columns = finish(plan.columns, plan.roles.key is not None, plan.remarks)
    if not plan.columns:
        said = "no usable feature column is left; every model sees only the labels"
        plan.remarks.append(("left out", said))


def decide_clock(plan: Plan) -> None:
    """Decide how times are read, after all have been looked at."""
    if plan.clock:
        plan.read_time, note = decide_time(plan.clock)
        if note:
            plan.remarks.append(("time", note))


def times_of(block: Block, plan: Plan) -> np.ndarray | None:
    """Return a block's times, if it has any."""
    if plan.clock is None:
        return None
    return read_times(block.columns[plan.roles.time], block.lines, plan.clock, plan.read_time)


def keys_of(block: Block, plan: Plan) -> np.ndarray | None:
    """Return a block's keys, as they are written."""
    if plan.roles.key is None:
        return None
    return np.array(block.columns[plan.roles.key].written(), dtype=str)


def weights_of(block: Block, plan: Plan) -> np.ndarray | None:
    """Return how much a block's rows count, or name the first cell that is no weight."""
    column = plan.roles.weight
    if column is None:
        return None
    cells, written = block.columns[column], block.columns[column].kind in ("text", "category")
    style = number_style(plan.weight, plan.source, column) if written else "typed"
    weights = numbers_of(cells, style)
    wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(wrong):
        row = wrong[np.argmin(block.lines[wrong])]
        cell = cells.written()[row]
        raise BadInput(
            f"{plan.source.at(int(block.lines[row]), column)}: {quoted(cell)} is no weight; give "
            "each row a number of 0 or more"
        )
    return weights


def check_order(
    times: np.ndarray, newest: np.datetime64 | None, block: Block, plan: Plan
) -> np.datetime64:
    """Refuse times that run backwards; return the newest."""
    before = np.concatenate([[times[0] if newest is None else newest], times[:-1]])
    back = np.flatnonzero(times < before)
    if len(back):
        column = plan.roles.time
        text = block.columns[column].written()[back[0]]
        raise BadInput(
            f"{plan.source.at(int(block.lines[back[0]]), column)}: {quoted(text)} is before the "
            "line above; sort first"
        )
    return times[-1]


def stream_of(
    plan: Plan,
    block: Block,
    times: np.ndarray | None,
    keys: np.ndarray | None,
    found: dict[str, np.ndarray],
    name: str,
) -> Stream:
    """Put a block's columns together; rows without a target are left out."""
    labels = plan.labels
    y = labels_of(labels, block.columns[labels.column], block.lines, plan.source)
    known = y >= 0 if labels.classes else ~np.isnan(y)
    weights = weights_of(block, plan)
    columns = [found[feature.column][:, : len(feature.names)] for feature in plan.columns]
    names = [name for feature in plan.columns for name in feature.names]
    if not columns:
        columns, names = [np.zeros((len(y), 1))], ["nothing"]
    return Stream(
        name=name,
        X=np.hstack(columns)[known],
        y=y[known],
        features=tuple(names),
        task=labels.task,
        time=None if times is None else times[known],
        key=None if keys is None else keys[known],
        weight=None if weights is None else weights[known],
        classes=labels.classes,
        unit="" if labels.classes else labels.column,
    )
