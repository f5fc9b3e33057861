"""Features: what each column of a table becomes, decided once and done the same in every part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from companion.stream import quoted
from companion.streams.cells import (
    EXACT,
    KNOWN_UNITS,
    NUMBERS,
    Cells,
    Survey,
    empty,
    number,
    seconds,
    times_said,
)
from companion.streams.clocks import NoTime, moment
from companion.streams.rows import BadInput, Source

FEWEST_ROWS = 20
MOST_VALUES = 20
KEPT_VALUES = 1_000  # different cells of a column that are looked at
HASHED = 16  # columns for a text with many values
STRAY = 0.1  # so small a share of cells that are no numbers does not make a column text
SAID = {"flag": "true is 1 and false is 0", "duration": "durations in seconds"}
TIMES = "holds times (make numbers of them, such as hours since an event)"
NOT_READ = "no reading yet"


@dataclass
class Feature:
    """What a column becomes: a number with its gaps filled, 0/1 for each of its texts, hashes."""

    column: str
    style: str  # typed, point, comma, flag, duration, text, hash
    names: tuple[str, ...]
    texts: tuple[str, ...] = ()  # those with a column of their own
    gaps: bool = False
    placeholder: float = 0.0
    constant: bool = False
    last: dict[str, float] = field(default_factory=dict)  # each key's last reading
    filled: int = 0
    unread: int = 0


def numbers_of(cells: Cells, style: str) -> np.ndarray:
    """Return a column's cells as numbers; what is no reading is NaN."""
    if style == "typed":
        return cells.numbers()
    texts = cells.written()
    if style == "point":
        try:
            return np.array([float(text) if text else np.nan for text in texts])
        except ValueError:
            pass
    known = {text: number_or_gap(text, style) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], dtype=float)


def number_or_gap(text: str, style: str) -> float:
    """Read one cell of a column of numbers."""
    if empty(text):
        return np.nan
    if style == "flag":
        return {"true": 1.0, "false": 0.0}.get(text.strip().casefold(), np.nan)
    if style == "duration":
        found = seconds(text)
        return np.nan if found is None else found
    try:
        return number(text, style)
    except ValueError:
        return np.nan


def number_style(survey: Survey, source: Source, column: str) -> str:
    """Return whether a column's numbers have a decimal point or comma; refuse what is unclear."""
    point, comma, either = (survey.sorts[sort] for sort in ("point", "comma", "either"))
    if len(survey.marks) > 1:
        (line, cell), (other, example) = sorted(survey.marks.values())[:2]
        raise BadInput(
            f"{source.at(line, column)}: {quoted(cell)} has another unit than {quoted(example)} in "
            f"{source.counted_in} {other}; write all of the column alike"
        )
    if point and comma:
        (line, cell), (other, example) = sorted((survey.first["point"], survey.first["comma"]))
        raise BadInput(
            f"{source.at(line, column)}: {quoted(cell)} has another decimal mark than "
            f"{quoted(example)} in {source.counted_in} {other}; write all of the column alike"
        )
    if either and not point and not comma and survey.comma_decimals:
        line, cell = survey.first["either"]
        raise BadInput(
            f"{source.at(line, column)}: {quoted(cell)} may be {number(cell, 'point'):g} or "
            f"{number(cell, 'comma'):g}, and so may every such cell of the column; write numbers "
            "without marks for thousands"
        )
    return "comma" if comma else "point"


def number_note(survey: Survey, style: str) -> str:
    """Say what was taken away from a column's numbers, and what its commas mean."""
    marks = "".join(survey.marks)
    what = "unit" if survey.units else "mark"
    said = [f"the {what} {quoted(marks)} was taken away"] if marks else []
    if style == "comma":
        said.append("its commas part the decimals")
    elif any("," in text for text in survey.values):
        said.append("its commas part the thousands")
    return " and ".join(said)


def settle_units(survey: Survey, source: Source, column: str) -> Survey:
    """Return the survey with numbers for cells such as 5 kg, if all have one unit.

    Numbers with several units are refused; numbers with words behind them that are no units, such
    as house numbers, stay text. Minutes may be written 5m where other cells say 1h05m.
    """
    units, gaps, durations = (survey.sorts[sort] for sort in ("unit", "gap word", "duration"))
    if not units:
        return survey
    if durations and set(survey.units) == {"m"} and units + durations + gaps == survey.filled:
        sorts = Counter(survey.sorts)
        sorts["duration"] += sorts.pop("unit")
        return replace(survey, sorts=sorts, units={})
    if units + gaps == survey.filled and len(survey.units) == 1:
        sorts = Counter(survey.sorts)
        del sorts["unit"]
        first = {sort: at for sort, at in survey.first.items() if sort != "unit"}
        return replace(
            survey,
            sorts=sorts + survey.unit_sorts,
            first={**first, **survey.unit_first},
            marks=survey.units,
        )
    if has_units(survey) and units + durations + gaps == survey.filled:
        cells = list(survey.units.values())
        if durations:
            cells.append(survey.first["duration"])
        refuse_units(sorted(cells), source, column)
    return survey


def has_units(survey: Survey) -> bool:
    """Say whether the words behind numbers are units: known, or few for many values."""
    few = len(survey.units) <= 3 and len(survey.values) > MOST_VALUES
    spaced = all(" " in cell.strip() for _, cell in survey.units.values())
    return KNOWN_UNITS.issuperset(survey.units) or (few and spaced)


def refuse_units(cells: list[tuple[int, str]], source: Source, column: str) -> None:
    """Refuse a column with two units, naming the first line of each."""
    (line, cell), (other, example) = cells[:2]
    raise BadInput(
        f"{source.at(line, column)}: {quoted(cell)} has another unit than {quoted(example)} in "
        f"{source.counted_in} {other}; write all of the column alike"
    )


def refuse_notation(survey: Survey, source: Source, column: str) -> None:
    """Refuse a column most of whose cells are numbers in a way that is not read."""
    strange = survey.sorts["other notation"]
    alike = strange + survey.count(*NUMBERS, "endless", "duration", "unit", "gap word")
    if strange and (strange >= survey.filled / 2 or alike >= (1 - STRAY) * survey.filled):
        line, cell = survey.first["other notation"]
        raise BadInput(
            f"{source.at(line, column)}: {quoted(cell)} is a number in a notation that is not read "
            f"({times_said(strange, 'such cell')} of {survey.filled:,}); write plain numbers, or "
            "drop the column"
        )
    gaps = survey.sorts["gap word"]
    for sort, what in (("duration", "duration"), ("unit", "number with a unit")):
        stray = survey.filled - survey.sorts[sort] - gaps
        if sort == "unit" and not (has_units(survey) or len(survey.units) == 1):
            continue
        if survey.sorts[sort] >= survey.filled / 2 and 0 < stray <= STRAY * survey.filled:
            line, cell = survey.first_outside(sort, "gap word")
            raise BadInput(
                f"{source.at(line, column)}: {quoted(cell)} is no {what} "
                f"({times_said(stray, 'such cell')} of {survey.filled:,}); mend it, leave it "
                "empty, or drop the column"
            )
    numbers = survey.count(*NUMBERS)
    if numbers and survey.units and has_units(survey) and (
        numbers + survey.sorts["unit"] + gaps == survey.filled
    ):  # fmt: skip
        cells = [min(survey.first[sort] for sort in NUMBERS if sort in survey.first)]
        refuse_units(sorted([*cells, min(survey.units.values())]), source, column)


def refuse_endless(survey: Survey, source: Source, column: str) -> None:
    """Refuse infinite values, naming the line."""
    if "endless" in survey.first:
        raise BadInput(
            f"{source.at(survey.first['endless'][0], column)}: the value is infinite; "
            "replace it by a number or leave it empty"
        )


def is_numbers(survey: Survey) -> bool:
    """Say whether all cells that hold anything are numbers, or words for a gap."""
    numbers = survey.count(*NUMBERS, "endless")
    return numbers > 0 and numbers + survey.sorts["gap word"] == survey.filled


def decide_feature(
    survey: Survey, source: Source, column: str, notes: list[tuple[str, str]]
) -> Feature | None:
    """Return what a column becomes, or None if it is left out; what is done is noted."""
    if not survey.filled:
        return leave_out(f"column {quoted(column)} is empty", notes)
    if survey.kind == "other":
        return leave_out(f"column {quoted(column)} holds lists or the like", notes)
    if survey.kind == "time":
        return leave_out(f"column {quoted(column)} {TIMES}", notes)
    if len(survey.values) == 1 and not survey.sorts["empty"]:
        return leave_out(f"column {quoted(column)} never changes", notes)
    if column in source.unnamed and survey.sorts["plain"] == survey.filled:
        return leave_out(
            f"column {quoted(column)} has no name and holds whole numbers, as row numbers do,",
            notes,
        )
    if column in source.unnamed:
        notes.append(
            ("changed", f"{quoted(column)} has no name in the file and is called by its place")
        )
    if survey.kind in ("number", "flag", "duration"):
        refuse_endless(survey, source, column)
        style, text = "typed", SAID.get(survey.kind, "")
    elif survey.kind == "category":
        return text_feature(survey, source, column, notes)
    else:
        style, text = text_style(survey, source, column)
        if style == "text":
            return text_feature(survey, source, column, notes)
    if survey.sorts["gap word"]:
        line, cell = survey.first["gap word"]
        gaps = times_said(
            survey.sorts["gap word"],
            "cell is no number and counts as a gap",
            "cells are no numbers and count as gaps",
        )
        first = f"the first is {quoted(cell)} in {source.counted_in} {line}"
        notes.append(("gaps", f"column {quoted(column)}: {gaps}, {first}"))
    if text:
        notes.append(("changed", f"column {quoted(column)}: {text}"))
    if survey.largest >= EXACT:
        notes.append(
            ("changed", f"column {quoted(column)}: whole numbers beyond {EXACT:,} were rounded")
        )
    written_as = {"number": "point", "text": style}.get(survey.kind, survey.kind)
    return Feature(
        column,
        style,
        (column,),
        gaps=survey.count("empty", "gap word") > 0,
        placeholder=first_reading(survey.values, written_as),
        constant=len(survey.values) == 1,
    )


def leave_out(what: str, notes: list[tuple[str, str]]) -> None:
    """Note that a column is left out."""
    notes.append(("left out", f"{what} and was left out"))


def is_date(text: str) -> bool:
    """Say whether a cell is a date, of whatever form."""
    try:
        return moment(text).form != "as a number"
    except NoTime:
        return False


def first_reading(values: Iterable[str], style: str) -> float:
    """Return the first reading among a column's different cells."""
    for text in values:
        found = number_or_gap(text, style)
        if not np.isnan(found):
            return found
    return 0.0


def text_style(survey: Survey, source: Source, column: str) -> tuple[str, str]:
    """Return how a column of text is read, and what to note; refuse numbers with a stray mark."""
    survey = settle_units(survey, source, column)
    gaps, filled = survey.sorts["gap word"], survey.filled
    if survey.codes and survey.sorts["plain"] + gaps == filled:
        return "text", ""
    if is_numbers(survey):
        style = number_style(survey, source, column)
        refuse_endless(survey, source, column)
        return style, number_note(survey, style)
    for sort, what in SAID.items():
        if survey.sorts[sort] and survey.sorts[sort] + gaps == filled:
            return sort, what
    numbers = survey.count(*NUMBERS, "endless")
    stray = filled - numbers - gaps
    many = len(survey.values) > MOST_VALUES
    few = stray <= STRAY * filled and not survey.codes
    if numbers >= filled / 2 and (many or few):
        line, cell = survey.first_outside(*NUMBERS, "endless", "gap word")
        words = times_said(stray, "such cell")
        raise BadInput(
            f"{source.at(line, column)}: {quoted(cell)} is no number ({words} of {filled:,}); "
            "mend it, leave it empty, or drop the column"
        )
    refuse_notation(survey, source, column)
    return "text", ""


def text_feature(
    survey: Survey, source: Source, column: str, notes: list[tuple[str, str]]
) -> Feature | None:
    """Return a 0/1 column for each of the first texts and one for all others, or hashes of many."""
    if survey.kind == "text" and all(map(is_date, survey.values)):
        return leave_out(f"column {quoted(column)} {TIMES}", notes)
    early = max(FEWEST_ROWS, survey.rows // 5)
    values = list(survey.values.items())
    numbers = survey.count(*NUMBERS, "endless")
    mixed = ""
    if survey.codes and numbers + survey.sorts["gap word"] == survey.filled:
        mixed = (f" (codes such as {quoted(survey.padded)}, which as numbers would be the same as "
                 "others)")  # fmt: skip
    elif numbers and survey.kind == "text":
        line, cell = survey.first_outside(*NUMBERS, "endless", "gap word")
        mixed = (f" ({numbers:,} of its {survey.filled:,} cells are numbers; the first that is "
                 f"none is {quoted(cell)} in {source.counted_in} {line})")  # fmt: skip
    if len(values) > MOST_VALUES and values[MOST_VALUES][1] < early:
        many = (f"column {quoted(column)} holds text with more than {MOST_VALUES} different "
                f"values, such as {quoted(values[0][0])}")  # fmt: skip
        seen = sum(row < early for _, row in values)
        if 2 * seen > (values[-1][1] + 1 if seen == survey.most else early):
            notes.append(("left out", f"{many}, that hardly come back, and was left out{mixed}"))
            return None
        said = (f"{many}{mixed}: it became {HASHED} columns by feature hashing, in one of which "
                "each value is 1 or -1; some values share a place")  # fmt: skip
        notes.append(("changed", said))
        names = tuple(f"{column}: hash {k + 1}" for k in range(HASHED))
        return Feature(column, "hash", names)
    texts = tuple(text for text, _ in values[:MOST_VALUES])
    names = [f"{column}={text}" for text in texts]
    said = f"it became {len(texts)} columns of 0 and 1, one for each value"
    late = [text for text, row in values[:MOST_VALUES] if row >= early]
    if late:
        said += f"; not seen in the first fifth of the rows: {', '.join(map(quoted, late))}"
    if len(values) > MOST_VALUES:
        names.append(f"{column}: any other value")
        said += f"; one more is 1 for every value after the first {MOST_VALUES}"
    if survey.sorts["empty"]:
        said += f"; {survey.sorts['empty']:,} empty cells are 0 in all"
    notes.append(("changed", f"column {quoted(column)} holds text{mixed}: {said}"))
    return Feature(column, "text", tuple(names), texts)


def values_of(feature: Feature, cells: Cells, keys: np.ndarray | None) -> np.ndarray:
    """Return the feature's columns for a block of rows, shape (rows, columns).

    A gap in a number is filled with the last reading of the same key. The last column says where
    there is none yet; there the number is only a placeholder, the column's first reading.
    """
    if feature.style == "hash":
        return hashes(cells.written())
    if feature.style == "text":
        places = {text: place for place, text in enumerate(feature.texts)}
        other = len(feature.texts)
        found = np.array([other if empty(text) else places.get(text, other + 1)
                          for text in cells.written()], dtype=int)  # fmt: skip
        hot = found[:, None] == np.arange(other)
        if len(feature.names) > other:
            hot = np.column_stack([hot, found == other + 1])
        return hot.astype(float)
    values = numbers_of(cells, feature.style)
    if not feature.gaps:
        return values[:, None]
    before = np.isnan(values).sum()
    values = last_known(values, np.full(len(values), "") if keys is None else keys, feature.last)
    unread = np.isnan(values)
    feature.unread += int(unread.sum())
    feature.filled += int(before - unread.sum())
    return np.column_stack([np.where(unread, feature.placeholder, values), unread])


def hashes(texts: list[str]) -> np.ndarray:
    """Return texts by feature hashing, which looks at no other row: an empty cell is all 0.

    Examples
    --------
    >>> hashes(["IAH", "", "MIA", "IAH"]).sum(axis=1)
    array([ 1.,  0., -1.,  1.])
    """
    from sklearn.feature_extraction import FeatureHasher

    different, codes = np.unique(texts, return_inverse=True)
    hasher = FeatureHasher(HASHED, input_type="string")
    words = [[] if empty(text) else [text] for text in different.tolist()]
    return hasher.transform(words).toarray()[codes]


def last_known(values: np.ndarray, keys: np.ndarray, last: dict[str, float]) -> np.ndarray:
    """Fill gaps with the last reading of the same key, and keep the newest in ``last``.

    Examples
    --------
    >>> last = {"b": 7.0}
    >>> last_known(np.array([1, np.nan, np.nan]), np.array(["a", "b", "a"]), last)
    array([1., 7., 1.])
    """
    names, codes = np.unique(keys, return_inverse=True)
    before = np.array([last.get(name, np.nan) for name in names.tolist()])
    values = np.concatenate([before, values])  # each key begins with what was known of it
    codes = np.concatenate([np.arange(len(names)), codes])
    order = np.argsort(codes, kind="stable")
    sorted_values, sorted_codes = values[order], codes[order]
    place = np.where(np.isnan(sorted_values), -1, np.arange(len(order)))
    starts = np.searchsorted(sorted_codes, sorted_codes)
    newest = np.maximum(np.maximum.accumulate(place), starts)
    filled = np.empty_like(values)
    filled[order] = sorted_values[newest]
    ends = np.searchsorted(sorted_codes, np.arange(len(names)), side="right") - 1
    for name, value in zip(names.tolist(), filled[order][ends].tolist(), strict=True):
        if not np.isnan(value):
            last[name] = value
    return filled[len(names) :]


def finish(features: list[Feature], keyed: bool, notes: list[tuple[str, str]]) -> list[Feature]:
    """Give features their names and note how gaps were filled, all rows having been seen.

    No two features share a name: a column's own name comes first.
    """
    kept = []
    for feature in features:
        if feature.constant and not feature.unread:
            notes.append(
                ("left out", f"column {quoted(feature.column)} never changes and was left out")
            )
            continue
        kept.append(feature)
        if feature.filled:
            notes.append(("gaps", f"column {quoted(feature.column)}: "
                          + times_said(feature.filled, "gap was", "gaps were")
                          + " filled "
                          f"with the last reading before{' of the same key' * keyed}"))  # fmt: skip
    taken = {feature.column for feature in kept if feature.style not in ("text", "hash")}
    for feature in kept:
        if feature.style in ("text", "hash"):
            feature.names = tuple(unique(name, taken) for name in feature.names)
        elif feature.unread:
            feature.names += (unique(f"{feature.column}: {NOT_READ}", taken),)
            notes.append(("gaps", f"column {quoted(feature.column)}: "
                          + times_said(feature.unread, "row comes", "rows come")
                          + " before the "
                          f"first reading{' of their key' * keyed}; {quoted(feature.names[-1])} is "
                          f"1 there, and the column's first reading, {feature.placeholder:g}, only "
                          "holds the place"))  # fmt: skip
        feature.last.clear()
    return kept


def unique(name: str, taken: set[str]) -> str:
    """Return a name that no other feature has, and take it.

    Examples
    --------
    >>> unique("c=a", {"c=a"})
    'c=a (2)'
    """
    tried, count = name, 2
    while tried in taken:
        tried, count = f"{name} ({count})", count + 1
    taken.add(tried)
    return tried
