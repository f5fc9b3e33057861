"""What was read of a table: one short list, to look at before any model sees it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

import numpy as np

from companion.stream import Stream
from companion.streams.cells import times_said
from companion.streams.tables import Reading

SHOWN = 8  # so many names are listed
UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def description(reading: Reading) -> list[tuple[str, str]]:
    r"""Return what was read, as pairs of a word and what is to be said of it.

    Parameters
    ----------
    reading : Reading
        What :func:`companion.streams.tables.read_table` returns.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from companion.streams.tables import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "calls.csv"
    ...     rows = [f"2024-01-{k + 1:02d},{k},{k % 2}" for k in range(30)]
    ...     _ = file.write_text("day,x,late\n" + "\n".join(rows))
    ...     reading = read_table(file, "late", time="day")
    >>> print(as_text(description(reading)))
    rows      30
    time      2024-01-01 to 2024-01-30, a row every day
    target    late, classification: it holds 2 different whole numbers
    classes   0: 50 %, 1: 50 %
    features  1: x
    target    the 2 different whole numbers of 'late' were taken for classes; --task
              regression takes them for numbers
    """
    stream = reading.stream
    pairs = [("rows", f"{len(stream):,}")]
    pairs.append(("time", span(stream.time) if stream.time is not None else "the file's order"))
    pairs.append(("target", f"{reading.target}, {stream.task}: {reading.why}{spread(stream)}"))
    if stream.classes:
        pairs.append(("classes", shares(stream)))
    if stream.key is not None:
        pairs.append(("keys", keys(stream.key)))
    if stream.weight is not None:
        low, high = stream.weight.min(), stream.weight.max()
        pairs.append(("weights", f"from {low:,.4g} to {high:,.4g}"))
    kept = [] if stream.features == ("nothing",) else list(stream.features)
    pairs.append(("features", f"{len(kept):,}" + (f": {listed(kept)}" if kept else "")))
    return pairs + reading.remarks


def as_text(pairs: list[tuple[str, str]], width: int = 88) -> str:
    """Return a description as lines of text.

    Examples
    --------
    >>> print(as_text([("rows", "60"), ("features", "2: x, z")]))
    rows      60
    features  2: x, z
    """
    room = max(len(word) for word, _ in pairs) + 2
    lines = []
    for word, said in pairs:
        first, *rest = textwrap.wrap(said, width - room, break_long_words=False) or [""]
        lines += [f"{word:{room}}{first}", *(" " * room + line for line in rest)]
    return "\n".join(lines)


def listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = [name if len(name) < 40 else name[:37] + "..." for name in names[:SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def spread(stream: Stream) -> str:
    """Say between which values numbers lie."""
    if stream.classes:
        return ""
    low, mean, high = stream.y.min(), stream.y.mean(), stream.y.max()
    return f"; from {low:,.4g} to {high:,.4g}, {mean:,.4g} on average"


def shares(stream: Stream) -> str:
    """Return each class with its share of the rows, the largest first if there are many."""
    counts = np.bincount(stream.y, minlength=len(stream.classes))
    order = range(len(counts)) if len(counts) <= SHOWN else np.argsort(-counts, kind="stable")
    names = told_apart(stream.classes)
    each = [f"{names[code]}: {percent(counts[code] / len(stream))}" for code in order]
    return listed(each)


def told_apart(names: Sequence[str]) -> list[str]:
    """Return names, in quotes where blanks would not be seen: at an end, or two in a row.

    Examples
    --------
    >>> told_apart(["a", "b", "b "])
    ['a', "'b'", "'b '"]
    """
    squeezed = [" ".join(name.split()) for name in names]
    count = Counter(squeezed)
    return [repr(name) if count[same] > 1 or same != name else name
            for name, same in zip(names, squeezed, strict=True)]  # fmt: skip


def percent(share: float) -> str:
    """Return a share in percent; a rare class keeps two digits."""
    return f"{100 * share:.3g} %" if share >= 0.1 else f"{100 * share:.2g} %"


def keys(column: np.ndarray) -> str:
    """Say how many keys there are, and how many rows each has."""
    names, counts = np.unique(column, return_counts=True)
    each = f"{counts.min():,} to {counts.max():,} rows each"
    if counts.min() == counts.max():
        each = f"{times_said(int(counts[0]), 'row')} each"
    return f"{len(names):,}: {listed(told_apart(names.tolist()))}; {each}"


def span(time: np.ndarray) -> str:
    """Say from when to when, the usual step, and where rows are missing or share a time."""
    different = np.unique(time)
    months = time.astype("datetime64[M]")
    days = bool((time == time.astype("datetime64[D]")).all())
    first, last = (str(t.astype("datetime64[D]" if days else "datetime64[s]")).replace("T", " ")
                   for t in (time[0], time[-1]))  # fmt: skip
    said = f"{first} to {last}" + ("" if days else " UTC")
    if len(different) == 1:
        return said + ", all rows at one time"
    if (time == months).all():
        different = np.unique(months)
    steps, counts = np.unique(np.diff(different), return_counts=True)
    usual = steps[counts.argmax()]
    whose = "a row" if len(different) == len(time) else "rows"
    if counts.max() < counts.sum() / 2:
        middle = np.sort(steps.repeat(counts))[counts.sum() // 2]
        said += f", {whose} every {length(middle)} in the middle"
    else:
        said += f", {whose} every {length(usual)}"
        longer = int(counts[steps > usual].sum())
        if longer:
            said += f", {times_said(longer, 'longer step')} (the longest {length(steps[-1])})"
    if len(different) < len(time):
        each = round(len(time) / len(different))
        said += f"; about {each:,} rows for each of {len(different):,} times"
    return said


def length(step: np.timedelta64) -> str:
    """Return a time span in words."""
    if np.datetime_data(step)[0] == "M":
        months = int(step / np.timedelta64(1, "M"))
        count, unit = (months // 12, "year") if months % 12 == 0 else (months, "month")
        return unit if count == 1 else f"{count:,} {unit}s"
    seconds = step / np.timedelta64(1, "s")
    for unit, size in UNITS:
        if seconds >= size:
            count = seconds / size
            return unit if count == 1 else f"{count:,.3g} {unit}s"
    return f"{seconds:.3g} seconds"
