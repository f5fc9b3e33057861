"""Cells: what a column's text or declared type can be read as, decided for the whole column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TEXT = np.dtypes.StringDType()
CHUNK = 2000  # cells looked at before asking whether more are needed
EXACT = 2**53  # beyond it a float cannot hold every whole number

# What an empty cell of a number column is called by those who write tables.
GAP_WORDS = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "<na>", "?"})
SPACES = r"\s'’"
PLAIN = re.compile(r"[+-]?\d+")
POINT = re.compile(
    rf"(?=[+-]?\.?\d)[+-]?(?:\d+|[1-9]\d{{0,2}}(?:[,{SPACES}]\d{{3}})+|[1-9]\d?(?:,\d\d)+,\d{{3}})?"
    r"(?:\.\d*)?(?:e[+-]?\d+)?",
    re.I,
)
COMMA = re.compile(
    rf"(?=[+-]?,?\d)[+-]?(?:\d+|[1-9]\d{{0,2}}(?:[.{SPACES}]\d{{3}})+)?(?:,\d*)?(?:e[+-]?\d+)?",
    re.I,
)
PADDED = re.compile(r"^[+-]?0\d+$", re.M)
ENDLESS = re.compile(r"[+-]?inf(?:inity)?", re.I)
MARKS = "%‰$€£¥"
ONLY_NUMBERS = re.compile(r"[-+.0-9eE]*")
DURATION = re.compile(
    r"(?:(?P<days>[+-]?\d+) days?,?\s*)?(?:(?P<sign>[+-])?(?P<h>\d+):(?P<min>\d\d)"
    r"(?::(?P<s>\d\d(?:\.\d+)?))?)?"
)
ISO_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<min>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
SIZES = r"""(?P<sign>[+-])?
    (?:(?P<weeks>\d+(?:\.\d+)?)\s?(?:(?i:weeks?|wks?)|w)[\s,]*)?
    (?:(?P<days>\d+(?:\.\d+)?)\s?(?:(?i:days?)|d)[\s,]*)?
    (?:(?P<h>\d+(?:\.\d+)?)\s?(?:(?i:hours?|hrs?)|h)[\s,]*)?
    (?:(?P<min>\d+(?:\.\d+)?)\s?(?:(?i:minutes?|mins?)|m)[\s,]*)?
    (?:(?P<s>\d+(?:\.\d+)?)\s?(?:(?i:seconds?|secs?)|s)[\s,]*)?
    (?:(?P<ms>\d+(?:\.\d+)?)\s?(?:(?i:milliseconds?|msecs?)|ms))?"""
IN_UNITS = re.compile(SIZES, re.X)  # 1h05m, 90 min, 2 days 3 hours
LENGTHS = {"weeks": 604_800, "days": 86_400, "h": 3600, "min": 60, "s": 1, "ms": 0.001}
LETTER = r"(?:[^\W\d_]|[°µμ%‰$€£¥²³/·^*])"
WITH_UNIT = re.compile(
    rf"(?:(?P<front>EUR|USD|GBP|CHF|JPY|CNY|INR|US\$|CA\$|A\$)\s*)?(?P<body>[+-]?[\d.,][\d.,{SPACES}]*?)"
    rf"(?P<space>\s*)(?P<unit>{LETTER}+[23]?\.?)?"
)
KNOWN_UNITS = frozenset(
    "kg g mg µg μg t lb lbs oz km m cm mm µm μm nm mi mile ft feet in inch inches yd "
    "km/h kmh kph mph m/s knot kn kt °C °F °K C F K k M B bn Mio MB GB TB kB KB kbit Mbit Gbit "
    "l L ml mL dl cl gal m2 m3 m² m³ cm2 cm3 cm² cm³ ha W kW MW GW Wh kWh MWh V mV kV A mA Hz kHz "
    "MHz GHz Pa hPa kPa MPa bar mbar psi atm J kJ cal kcal N Nm ppm ppb pH lx lm dB rpm bpm "
    "mg/dL mmol/L mg/l g/l mmHg W/m2 W/m² µs μs ns EUR USD GBP CHF JPY CNY INR US$ CA$ A$".split()
)
OTHER_NOTATION = re.compile(
    r"-?P(?=.*\d[YM])(?:\d+(?:[.,]\d+)?[YMWD])+(?:T[\dHMS.,]+)?"  # a month has no fixed length
    r"|[+-]?(?:\d+\s+)?\d+\s*[/⁄]\s*\d+"  # 3/4
    r"|[+-]?0[xX][0-9a-fA-F]+|[+-]?0[bB][01]+|[+-]?0[oO][0-7]+"
    r"|[+-]?\d+(?:_\d+)+(?:\.\d+)?"  # 1_005
    r"|[+-]?\d+(?:[.,]\d+)?\s*[x×*·]\s*10\s*(?:\^|\*\*)?\s*[+-−]?\d+"  # 1.5×10^3
    r"|\(\s*\d[\d.,]*\s*\)"  # (5), as accountants write -5
)
NUMBERS = ("plain", "point", "comma", "either")


@dataclass(frozen=True)
class Cells:
    """One column's cells, and what the file says of their type ("text" says nothing)."""

    kind: str  # text, category, number, flag, duration, time, other
    values: Any

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray | slice) -> Cells:
        """Return some of the cells."""
        values = self.values
        return Cells(self.kind, values[rows] if isinstance(values, np.ndarray) else
                     values.iloc[rows])  # fmt: skip

    def written(self) -> list[str]:
        """Return the cells as text; an empty cell is ''."""
        if isinstance(self.values, np.ndarray):
            return self.values.tolist()
        return [written(value) for value in self.values.tolist()]

    def numbers(self) -> np.ndarray:
        """Return typed cells as numbers (durations in seconds); a gap is NaN."""
        values = self.values.dt.total_seconds() if self.kind == "duration" else self.values
        return values.to_numpy(dtype=float, na_value=np.nan)


def text_cells(cells: Iterable[str]) -> Cells:
    """Return cells of text."""
    return Cells("text", np.array(list(cells), dtype=TEXT))


def typed_cells(series: Any) -> Cells:
    """Return a pandas column as cells."""
    import pandas as pd

    types = pd.api.types
    if isinstance(series.dtype, pd.CategoricalDtype):
        return Cells("category", series.astype(object))
    if types.is_bool_dtype(series.dtype):
        return Cells("flag", series)
    if types.is_complex_dtype(series.dtype):
        return Cells("other", series)
    if types.is_numeric_dtype(series.dtype):
        return Cells("number", series)
    if types.is_datetime64_any_dtype(series.dtype):
        return Cells("time", series)
    if types.is_timedelta64_dtype(series.dtype):
        return Cells("duration", series)
    values = series.tolist()
    if any(isinstance(value, list | dict | set | tuple | np.ndarray) for value in values):
        return Cells("other", series)
    return text_cells(map(written, values))


def joined(many: Sequence[Cells]) -> Cells:
    """Return the cells of several blocks as one column."""
    if len(many) == 1:
        return many[0]
    kinds = {cells.kind for cells in many}
    if kinds == {"text"}:
        return Cells("text", np.concatenate([cells.values for cells in many]))
    if len(kinds) > 1:  # a list in one block, none in another
        kind = "other" if "other" in kinds else "text"
        return Cells(kind, np.array([c for cells in many for c in cells.written()], dtype=TEXT))
    import pandas as pd

    return Cells(many[0].kind, pd.concat([cells.values for cells in many], ignore_index=True))


def written(value: Any) -> str:
    """Write a typed value as a table would, without losing a digit.

    Examples
    --------
    >>> written(3.0), written(0.1), written(None), written(True), written(2**63)
    ('3', '0.1', '', 'True', '9223372036854775808')
    """
    if isinstance(value, str):
        return value
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float | np.floating):
        return str(int(value)) if value % 1 == 0 and abs(value) < EXACT else repr(float(value))
    if hasattr(value, "isoformat") and not hasattr(value, "total_seconds"):
        return value.isoformat()
    return str(value)


def times_said(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> times_said(1, "gap was", "gaps were"), times_said(2000, "row")
    ('1 gap was', '2,000 rows')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def empty(cell: str) -> bool:
    """Say whether nothing is written in a cell."""
    return not cell or not cell.strip()


def bare(cell: str) -> tuple[str, str]:
    """Return a cell without spaces around it and unit marks, and the marks that it had."""
    text = cell.strip().replace("−", "-")
    body = text.strip(MARKS).strip()
    return body, text.replace(body, "", 1).strip() if body else text


def number_and_unit(cell: str) -> tuple[str, str]:
    """Return a number and the unit that is written with it, or the cell and no unit.

    Examples
    --------
    >>> number_and_unit("0.126 kg"), number_and_unit("12km/h"), number_and_unit("kg")
    (('0.126', 'kg'), ('12', 'km/h'), ('kg', ''))
    """
    match = WITH_UNIT.fullmatch(cell.strip().replace("−", "-"))
    if not match or bool(match["front"]) == bool(match["unit"]):
        return cell, ""
    body = match["body"]
    if not (POINT.fullmatch(body) or COMMA.fullmatch(body)):
        return cell, ""
    unit = match["front"] or match["unit"]
    return body, unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit  # 1 mile, 2 miles


def sort_of(cell: str) -> str:
    """Say what one cell looks like; what the column is, all cells decide together.

    Examples
    --------
    >>> [sort_of(cell) for cell in ("7", "1.5", "1,5", "1,234", "NA", "true", "0:16:59", "x", " ")]
    ['plain', 'point', 'comma', 'either', 'gap word', 'flag', 'duration', 'text', 'empty']
    >>> [sort_of(cell) for cell in ("5 kg", "90 min", "5 m", "3/4", "0x1f")]
    ['unit', 'duration', 'unit', 'other notation', 'other notation']
    """
    if empty(cell):
        return "empty"
    body, _ = bare(cell)
    if PLAIN.fullmatch(body):
        return "plain"
    point, comma = POINT.fullmatch(body), COMMA.fullmatch(body)
    if point and comma:
        return "either" if number(body, "point") != number(body, "comma") else "plain"
    if point or comma:
        return "point" if point else "comma"
    if ENDLESS.fullmatch(body):
        return "endless"
    word = cell.strip().casefold()
    if word in GAP_WORDS:
        return "gap word"
    if word in ("true", "false"):
        return "flag"
    _, unit = number_and_unit(cell)
    if seconds(body) is not None and unit != "m":  # alone it may be metres
        return "duration"
    if unit:
        return "unit"
    return "other notation" if OTHER_NOTATION.fullmatch(cell.strip()) else "text"


def number(cell: str, style: str) -> float:
    """Read a number written with a decimal point, or with a decimal comma."""
    body = bare(number_and_unit(cell)[0])[0]
    away = "." if style == "comma" else ","
    return float(re.sub(rf"[{away}{SPACES}]", "", body).replace(",", "."))


def seconds(cell: str) -> float | None:
    """Read a duration such as 0 days 00:16:59, 0:16:59, PT16M59S or 1h05m in seconds, or None.

    Examples
    --------
    >>> seconds("1 day, 0:00:01"), seconds("-1 days +23:59:59"), seconds("PT1H"), seconds("1:x")
    (86401.0, -1.0, 3600.0, None)
    >>> seconds("1h05m"), seconds("90 min"), seconds("P2W"), seconds("P3M")
    (3900.0, 5400.0, 1209600.0, None)
    """
    body = cell.strip().replace("−", "-")
    match = DURATION.fullmatch(body)
    if not match or not any(match[k] for k in ("days", "h", "min", "s")):
        match = ISO_DURATION.fullmatch(body) or IN_UNITS.fullmatch(body)
        if not match or not any(match.groupdict().get(k) for k in LENGTHS):
            return None
        total = sum(float(match.groupdict().get(k) or 0) * size for k, size in LENGTHS.items())
        return -total if match["sign"] == "-" else total
    clock = sum(float(match[k] or 0) * w for k, w in (("h", 3600), ("min", 60), ("s", 1)))
    days = float(match["days"] or 0) * 86400
    return days + (-clock if match["sign"] == "-" else clock)


@dataclass
class Survey:
    """What the cells of one column look like, over as many blocks as there are."""

    most: int  # so many different values are kept
    comma_decimals: bool = False  # whether a comma may part the decimals here
    kind: str = "text"
    rows: int = 0
    sorts: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[int, str]] = field(default_factory=dict)  # of each sort: line and cell
    marks: dict[str, tuple[int, str]] = field(default_factory=dict)
    units: dict[str, tuple[int, str]] = field(default_factory=dict)  # words behind numbers
    unit_sorts: Counter[str] = field(default_factory=Counter)  # of these numbers
    unit_first: dict[str, tuple[int, str]] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)  # and the row where each came first
    largest: float = 0.0
    lengths: set[int] = field(default_factory=set)  # of whole numbers as they are written
    padded: str = ""  # a whole number that begins with 0

    def count(self, *sorts: str) -> int:
        """Return how many cells are of these sorts."""
        return sum(self.sorts[sort] for sort in sorts)

    @property
    def codes(self) -> bool:
        """Say whether whole numbers are codes: as numbers, 0071 and 71 would be one."""
        return bool(self.padded) and len(self.lengths) > 1

    @property
    def filled(self) -> int:
        """Return how many cells are not empty."""
        return self.rows - self.sorts["empty"]

    def first_outside(self, *sorts: str) -> tuple[int, str]:
        """Return line and text of the first cell of another sort."""
        return min(at for sort, at in self.first.items() if sort not in (*sorts, "empty"))


def look(survey: Survey, cells: Cells, lines: np.ndarray) -> None:
    """Add a block's cells to a survey."""
    if not len(cells):
        return
    if survey.kind != cells.kind and survey.rows:  # a list in one block, none in another
        survey.kind = "other" if "other" in (survey.kind, cells.kind) else "text"
    else:
        survey.kind = cells.kind
    if cells.kind in ("number", "flag", "duration"):
        look_at_numbers(survey, cells, lines)
    elif cells.kind in ("text", "category"):
        texts = cells.written()
        remember(survey, cells)
        if (np.diff(lines) < 0).any():  # sorted by time; messages name the first in the file
            order = np.argsort(lines)
            texts, lines = [texts[row] for row in order], lines[order]
        look_at_text(survey, texts, lines)
    else:
        gaps = int(cells.values.isna().sum())
        survey.sorts += Counter({cells.kind: len(cells) - gaps, "empty": gaps})
    survey.rows += len(cells)


def remember(survey: Survey, cells: Cells) -> None:
    """Keep the first different values, and the row of each."""
    for start in range(0, len(cells), CHUNK):
        if len(survey.values) == survey.most:
            return
        texts = cells.take(slice(start, start + CHUNK)).written()
        rows = dict(zip(reversed(texts), range(len(texts) - 1, -1, -1), strict=True))
        for text in dict.fromkeys(texts):
            if text not in survey.values and not empty(text) and len(survey.values) < survey.most:
                survey.values[text] = survey.rows + start + rows[text]


def look_at_numbers(survey: Survey, cells: Cells, lines: np.ndarray) -> None:
    """Add typed numbers."""
    values = cells.numbers()
    gaps = np.isnan(values)
    survey.sorts += Counter({"plain": int((~gaps).sum()), "empty": int(gaps.sum())})
    remember(survey, cells)
    endless = np.isinf(values)
    if endless.any() and "endless" not in survey.first:
        survey.first["endless"] = (int(lines[endless].min()), "inf")
    survey.largest = max(survey.largest, np.abs(values[~gaps]).max(initial=0))


def look_at_text(survey: Survey, texts: list[str], lines: np.ndarray) -> None:
    """Add cells of text, in the file's order."""
    if not survey.comma_decimals and look_at_plain_text(survey, texts, lines):
        return
    for text, times in Counter(texts).items():
        sort = sort_of(text)
        survey.sorts[sort] += times
        at = lambda text=text: (int(lines[texts.index(text)]), text)  # noqa: E731
        if sort not in survey.first:
            survey.first[sort] = at()
        if sort == "plain":
            survey.lengths.add(len(text.strip()))
            if PADDED.fullmatch(text.strip()):
                survey.padded = survey.padded or text
        if sort == "unit":
            body, unit = number_and_unit(text)
            inner = sort_of(body)
            survey.unit_sorts[inner] += times
            survey.unit_first.setdefault(inner, at())
            survey.units.setdefault(unit, at())
            survey.largest = max(survey.largest, abs(number(text, inner)))
        if sort in NUMBERS:
            size = abs(number(text, "comma" if sort == "comma" else "point"))
            survey.largest = max(survey.largest, size)
            if np.isinf(size):
                survey.first.setdefault("endless", at())
            mark = bare(text)[1]
            if mark not in survey.marks:
                survey.marks[mark] = at()


def look_at_plain_text(survey: Survey, texts: list[str], lines: np.ndarray) -> bool:
    """Add cells if all are empty or numbers without marks: quick, and nearly every column."""
    if not ONLY_NUMBERS.fullmatch("".join(texts)):
        return False
    filled = [text for text in texts if text]
    try:
        values = np.array(list(map(float, filled)))
    except ValueError:
        return False
    sort = "point" if re.search(r"[.eE]", "".join(filled)) else "plain"
    survey.sorts += Counter({sort: len(filled), "empty": len(texts) - len(filled)})
    if filled:
        survey.lengths |= set(map(len, filled))
        padded = PADDED.search("\n".join(filled))
        survey.padded = survey.padded or (padded[0] if padded else "")
        at = (int(lines[texts.index(filled[0])]), filled[0])
        survey.first.setdefault(sort, at)
        survey.marks.setdefault("", at)
        survey.largest = max(survey.largest, np.abs(values).max())
    if len(filled) < len(texts):
        survey.first.setdefault("empty", (int(lines[texts.index("")]), ""))
    if np.isinf(survey.largest) and "endless" not in survey.first:
        text = filled[int(np.isinf(values).argmax())]
        survey.first["endless"] = (int(lines[texts.index(text)]), text)
    return True
