"""Times: one format for a whole column, and a refusal where two would fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from companion.stream import quoted
from companion.streams.cells import Cells, empty
from companion.streams.rows import BadInput, Source

YEARS = (1678, 2261)  # what fits into nanoseconds
WHOLE_YEARS = (1800, 2200)  # whole numbers that are taken for years
SECOND = 10**9
DAY = 86400 * SECOND
UNITS = {"unix-s": SECOND, "unix-ms": 10**6, "unix-us": 1000, "unix-ns": 1}
PLAUSIBLE = (315_532_800, 4_102_444_800)  # seconds from 1970 to 1980 and to 2100
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
LONG = ["january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december"]  # fmt: skip
LIKE = "write it like 2024-01-31 or 2024-01-31 14:00"

CLOCK = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<part>\d{1,9}))?)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?:\s*(?P<offset>Z|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?|UTC|GMT))?"
)
NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
DATES = {  # how a date is written, and whether a clock may follow
    "year-month-day": (r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})", True),
    "day and month": (r"(?P<a>\d{1,2})(?P<sep>[-/. ])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4})", True),
    "day name year": (rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[-/. ]*{NAME}[-/, ]*(?P<y>\d{{4}})", True),
    "name day year": (rf"{NAME}[-/ ]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s*|[-/ ]+)(?P<y>\d{{4}})",
                      True),
    "year name day": (rf"(?P<y>\d{{4}})[-/ ]{NAME}[-/ ](?P<d>\d{{1,2}})", True),
    "year-month": (r"(?P<y>\d{4})(?P<sep>[-/])(?P<m>\d{1,2})", False),
    "month year": (r"(?P<m>\d{1,2})(?P<sep>[-/])(?P<y>\d{4})|(?P<m2>\d\d)\.(?P<y2>\d{4})", False),
    "name year": (rf"{NAME}[-/, ]*(?P<y>\d{{4}})", False),
    "year name": (rf"(?P<y>\d{{4}})[-/ ]{NAME}", False),
    "quarter": (r"(?P<y>\d{4})[- ]?[Qq](?P<q>[1-4])|[Qq](?P<q2>[1-4])[- /]?(?P<y2>\d{4})", False),
    "week": (r"(?P<y>\d{4})-?W(?P<w>\d\d)(?:-?(?P<weekday>[1-7]))?", False),
}  # fmt: skip
WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s+)?"
PATTERNS = {
    form: re.compile(rf"{WEEKDAY}(?:{text})" + (rf"(?:(?:T|,?\s+){CLOCK})?" if clock else ""))
    for form, (text, clock) in DATES.items()
}
PATTERNS["in digits"] = re.compile(
    r"(?P<y>\d{4})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"
    r"(?:[T ]?(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?"
    r"(?:\s*(?P<offset>Z|[+-]\d\d:?\d\d))?)?"
)
WITH_EXPONENT = re.compile(r"-?\d+(?:[.,]\d*)?[eE][+-]?\d{1,2}")
PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d*)?")
HOURS_IN_DIGITS = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])"
)
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
ONLY_CLOCK = re.compile(rf"T?{CLOCK}")
TWO_DIGITS = re.compile(
    rf"{WEEKDAY}(?:\d{{1,2}}([-/. ])\d{{1,2}}\1\d{{2}}"
    rf"|\d{{1,2}}[-/. ]*[A-Za-z]{{3,9}}[-/. ,']*\d{{2}}|[A-Za-z]{{3,9}}[-/. ']*\d{{2}})"
    rf"(?:(?:T|,?\s+){CLOCK})?"
)


class Moment(NamedTuple):
    """What one cell says, before the column has said which of two readings is meant."""

    form: str
    days: tuple[int | None, int | None]  # since 1970: day first, month first; one for other forms
    clock: int = 0  # nanoseconds since midnight, less the offset
    offset: bool | None = None  # None: there is no clock
    half: bool = False  # AM or PM
    year: int = 2000


class NoTime(ValueError):
    """A cell is no time; the message says why."""


def moment(cell: str) -> Moment:
    """Read one cell, or say why it is no time.

    Examples
    --------
    >>> moment("2024-01-31 14:00+02:00").form, moment("02.01.2023").days
    ('year-month-day with -', (19359, 19389))
    """
    text = cell.strip()
    for form, pattern in PATTERNS.items():
        match = pattern.fullmatch(text)
        if match:
            return dated(form, match)
    if PLAIN_NUMBER.fullmatch(text):
        return Moment("as a number", (None, None))
    if WITH_EXPONENT.fullmatch(text):
        raise NoTime(rounded(text))
    if ONLY_CLOCK.fullmatch(text) and ":" in text:
        raise NoTime("which is a time without a date and cannot order rows; put the date before it")
    if TWO_DIGITS.fullmatch(text):
        raise NoTime(two_digits(text))
    raise NoTime(f"which is no time; {LIKE}")


def dated(form: str, match: re.Match[str]) -> Moment:
    """Return what a match says; a day that no calendar has is no time."""
    have = {name: value for name, value in match.groupdict().items() if value is not None}
    year = int(have.get("y") or have["y2"])
    if not YEARS[0] <= year <= YEARS[1]:
        raise NoTime(f"which is outside the years {YEARS[0]} to {YEARS[1]}; {LIKE}")
    if form == "day and month":
        a, b = int(have["a"]), int(have["b"])
        days = day_number(year, b, a), day_number(year, a, b)
    elif form == "week":
        try:
            days = (date.fromisocalendar(year, int(have["w"]), int(have.get("weekday", 1)))
                    .toordinal() - 719163,) * 2  # fmt: skip
        except ValueError:
            days = (None, None)
    else:
        if "name" in have:
            month = month_number(have["name"])
        elif form == "quarter":
            month = 3 * int(have.get("q") or have["q2"]) - 2
        else:
            month = int(have.get("m") or have["m2"])
        days = (day_number(year, month, int(have.get("d", 1))),) * 2
    if days == (None, None):
        raise NoTime(f"which is no time; {LIKE}")
    sep = f" with {have['sep']}" if have.get("sep", "").strip() else ""
    clock, offset, half = clock_of(have)
    return Moment(form + sep, days, clock, offset, half, year)


def day_number(year: int, month: int, day: int) -> int | None:
    """Return the days since 1970, or None if the calendar has no such day."""
    try:
        return date(year, month, day).toordinal() - 719163
    except ValueError:
        return None


def month_number(name: str) -> int:
    """Return 1 to 12 for an English month."""
    short = name.casefold()
    if short in LONG:
        return LONG.index(short) + 1
    if short in MONTHS or short == "sept":
        return MONTHS.index(short[:3]) + 1
    raise NoTime(f"and {quoted(name)} is no English month; {LIKE}")


def clock_of(have: dict[str, str]) -> tuple[int, bool | None, bool]:
    """Return nanoseconds since midnight (less the offset), whether there is one, and AM/PM."""
    if "hour" not in have:
        return 0, None, False
    hour, minute, second = (int(have.get(k, 0)) for k in ("hour", "minute", "second"))
    half = have.get("half")
    if hour > 23 or minute > 59 or second > 59 or (half and not 1 <= hour <= 12):
        raise NoTime(f"whose clock shows no time; {LIKE}")
    if half:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    minutes = 0
    offset = have.get("offset")
    digits = re.sub(r"[^\d]", "", offset or "").ljust(4, "0")
    if offset and digits != "0000":
        if int(digits[:2]) > 23 or int(digits[2:]) > 59:
            raise NoTime(f"whose offset is none; {LIKE}")
        minutes = (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if "-" in offset else 1)
    clock = ((hour * 60 + minute - minutes) * 60 + second) * SECOND
    return clock + int(have.get("part", "0").ljust(9, "0")), offset is not None, bool(half)


def rounded(text: str) -> str:
    """Say what a number with an exponent is, and that digits of it may be lost."""
    full = f"{Decimal(text.replace(',', '.')):f}"
    return (
        f"which is the number {full} with an exponent, and its last digits may be lost; write all "
        "its digits, or dates such as 2024-01-31"
    )


def two_digits(text: str) -> str:
    """Say what a date with a two-digit year may be."""
    day = re.split(r"(?:T|,?\s+)(?=\d+:)", re.sub(rf"^{WEEKDAY}", "", text))[0]
    mark = (re.search(r"[-/. ]", day) or [""])[0]
    readings = {}
    for keys in ("dmy", "mdy", "ymd", "dby", "by"):
        form = mark.join(f"%{key}" for key in keys)
        try:
            read = datetime.strptime(day, form)
        except ValueError:
            continue
        readings[form] = f"{read:%Y-%m}, or a day without a year" if keys == "by" else (
            f"{read:%Y-%m-%d}")  # fmt: skip
    may = f" (it may be {' or '.join(dict.fromkeys(readings.values()))})" if readings else ""
    forms = " or ".join(readings) or "%d.%m.%y"
    return f"whose year has two digits{may}; say which is meant with --time-format {forms}"


@dataclass
class TimeSurvey:
    """What the cells of a time column look like, over as many blocks as there are."""

    source: Source
    column: str
    format: str | None = None
    forms: dict[str, tuple[int, str]] = field(default_factory=dict)
    orders: dict[str, tuple[int, str]] = field(default_factory=dict)
    zones: dict[bool, tuple[int, str]] = field(default_factory=dict)
    halves: dict[bool, tuple[int, str]] = field(default_factory=dict)
    lowest: Decimal | None = None
    highest: Decimal | None = None
    whole: bool = True
    hours: bool = True
    days: bool = True  # all fit 20240131, with or without a clock
    sample: tuple[int, str] | None = None
    typed: bool = False

    def at(self, line: int) -> str:
        """Name a line of the column."""
        return self.source.at(line, self.column)


def look_at_times(survey: TimeSurvey, cells: Cells, lines: np.ndarray) -> None:
    """Add a block's cells to a survey; refuse the first that is no time."""
    if cells.kind == "time":
        survey.typed = True
        typed_times(cells, survey, lines)
        return
    texts = cells.written()
    if not survey.format and iso_times(texts) is not None:
        look_at_iso(survey, texts, lines)
        return
    for text in dict.fromkeys(texts):
        at = lambda text=text: (int(lines[texts.index(text)]), text)  # noqa: E731
        if empty(text):
            raise BadInput(f"{survey.at(at()[0])}: is empty; {LIKE}")
        if survey.format:
            parse_as(survey.format, text, survey, at)
            if survey.format in UNITS:
                survey.sample = survey.sample or at()
                look_at_number(survey, text.strip())
            continue
        try:
            found = moment(text)
        except NoTime as error:
            raise BadInput(f"{survey.at(at()[0])}: holds {quoted(text)}, {error}") from None
        if found.form not in survey.forms:
            survey.forms[found.form] = at()
        if found.form == "as a number":
            look_at_number(survey, text.strip())
        elif found.form.startswith("day and month"):
            order = order_of(found.days)
            if order not in survey.orders:
                survey.orders[order] = at()
        zone = bool(found.offset)
        if found.form != "as a number" and zone not in survey.zones:
            survey.zones[zone] = at()
        if found.offset is not None and found.half not in survey.halves:
            survey.halves[found.half] = at()


def iso_times(texts: Sequence[str]) -> np.ndarray | None:
    """Return times if all are written like 2024-01-31 14:00: quick, and the usual case."""
    if not all(map(ISO.fullmatch, texts)):
        return None
    try:
        times = np.array(texts, dtype="datetime64[s]")
    except ValueError:
        return None
    years = times.astype("datetime64[Y]").astype(int) + 1970
    fits = YEARS[0] <= years.min() and years.max() <= YEARS[1]
    return times.astype("datetime64[ns]") if fits else None


def look_at_iso(survey: TimeSurvey, texts: list[str], lines: np.ndarray) -> None:
    """Add cells that are written like 2024-01-31 14:00."""
    first = (int(lines[0]), texts[0])
    survey.forms.setdefault(moment(texts[0]).form, first)
    survey.zones.setdefault(False, first)
    clock = next((row for row, text in enumerate(texts) if ":" in text), None)
    if clock is not None:
        survey.halves.setdefault(False, (int(lines[clock]), texts[clock]))


def look_at_number(survey: TimeSurvey, text: str) -> None:
    """Add one plain number."""
    value = Decimal(text)
    survey.lowest = value if survey.lowest is None else min(survey.lowest, value)
    survey.highest = value if survey.highest is None else max(survey.highest, value)
    survey.whole &= value == value.to_integral_value()
    survey.hours &= bool(HOURS_IN_DIGITS.fullmatch(text))
    survey.days = survey.days and is_day(text)


def is_day(text: str) -> bool:
    """Say whether digits are a day of the calendar, such as 20240131."""
    try:
        found = moment(text)
    except NoTime:
        return False
    return found.form == "in digits" and WHOLE_YEARS[0] <= found.year <= WHOLE_YEARS[1]


def order_of(days: tuple[int | None, int | None]) -> str:
    """Say which of day and month a cell shows to come first."""
    if days[0] == days[1]:
        return "same"
    return "day first" if days[1] is None else "month first" if days[0] is None else "either"


def decide_time(survey: TimeSurvey) -> tuple[Callable[[str], int], str]:
    """Return how each cell of the column is read (in nanoseconds), and a note if there is any."""
    if survey.format:
        form = survey.format
        if form in UNITS:
            refuse_days_as_unix(survey)
        return lambda text: parse_as(form, text, survey, lambda: (0, text)), ""
    if survey.typed:
        return int, ""
    alike("is written", survey.forms, survey)
    two = {("with an offset" if k else "without an offset"): v for k, v in survey.zones.items()}
    alike("is", two, survey)
    alike("is", {("AM or PM" if k else "of 24 hours"): v for k, v in survey.halves.items()}, survey)
    (form,) = survey.forms
    if form == "as a number":
        unit = number_unit(survey)
        what = "years" if unit == "year" else f"times in {unit}"
        return lambda text: in_unit(
            text, unit
        ), f"column {quoted(survey.column)}: its numbers are {what}"
    side, note = 0, ""
    if form.startswith("day and month"):
        side, note = decide_order(survey)

    def read(text: str) -> int:
        found = moment(text)
        return found.days[side] * DAY + found.clock

    return read, note


def refuse_days_as_unix(survey: TimeSurvey) -> None:
    """Refuse dates such as 20240131 that were called Unix times: all would lie in 1970."""
    if not survey.days or survey.sample is None:
        return
    ends = [in_unit(str(value), survey.format) for value in (survey.lowest, survey.highest)]
    if all(0 <= end < 365 * DAY for end in ends):
        line, cell = survey.sample
        day = str(np.datetime64(moment(cell).days[0], "D"))
        then = str(np.datetime64(in_unit(cell, survey.format), "ns"))[:19]
        raise BadInput(
            f"{survey.at(line)}: {quoted(cell)} is {then} in {survey.format}, but {day} as it is "
            "written, and so is every cell of the column; leave out --time-format"
        )


def alike(verb: str, sorts: dict[str, tuple[int, str]], survey: TimeSurvey) -> None:
    """Refuse a column whose cells are of two sorts, with the first line of each."""
    if len(sorts) > 1:
        (one, (line, cell)), (two, (other, example)) = sorted(
            sorts.items(), key=lambda item: item[1][0]
        )[:2]
        word = survey.source.counted_in
        raise BadInput(
            f"{survey.at(line)}: {quoted(cell)} {verb} {one}, but {quoted(example)} in {word} "
            f"{other} {verb} {two}; write all times alike"
        )


def decide_order(survey: TimeSurvey) -> tuple[int, str]:
    """Return 0 for day first, 1 for month first; refuse a column that fits both or none."""
    clear = {k: v for k, v in survey.orders.items() if k in ("day first", "month first")}
    alike("is", clear, survey)
    if clear:
        ((order, (line, cell)),) = clear.items()
        note = (
            f"column {quoted(survey.column)} was read as {order}, as {quoted(cell)} in "
            f"{survey.source.counted_in} {line} shows"
        )
        return int(order == "month first"), note
    if "either" in survey.orders:
        line, cell = survey.orders["either"]
        day, month = (str(np.datetime64(n, "D")) for n in moment(cell).days)
        forms = " or ".join(form_of(cell.strip(), keys) for keys in ("dmY", "mdY"))
        raise BadInput(
            f"{survey.at(line)}: {quoted(cell.strip())} may be {day} or {month}, and so may every "
            f"cell of the column; say which with --time-format {forms}"
        )
    return 0, ""


def form_of(cell: str, keys: str) -> str:
    """Return the format of a cell with a date of numbers, as strptime writes it.

    Examples
    --------
    >>> form_of("01/02/2023, 8:05:00 PM", "mdY")
    '%m/%d/%Y, %I:%M:%S %p'
    """
    mark = re.search(r"[-/. ]", cell)[0]
    day = mark.join(f"%{key}" for key in keys)
    form = re.sub(r"\d{1,2}([-/. ])\d{1,2}\1\d{4}", lambda _: day, cell, count=1)
    hour = "%I" if re.search(r"[AaPp]\.?[Mm]", form) else "%H"
    for found, written in (
        (r"\d+:\d+:\d+[.]\d+", f"{hour}:%M:%S.%f"),
        (r"\d+:\d+:\d+", f"{hour}:%M:%S"),
        (r"\d+:\d+", f"{hour}:%M"),
        (r"[AaPp]\.?[Mm]\.?", "%p"),
        (r"(?<=[MSf])\s?(Z|[+-]\d\d:?\d\d)$", "%z"),
    ):
        form = re.sub(found, lambda _, to=written: to, form, count=1)
    return form


def number_unit(survey: TimeSurvey) -> str:
    """Return the unit of plain numbers if it is unmistakable."""
    low, high = survey.lowest, survey.highest
    if survey.whole and WHOLE_YEARS[0] <= low and high <= WHOLE_YEARS[1]:
        return "year"
    line, cell = survey.forms["as a number"]
    for unit, size in UNITS.items():
        if all(PLAUSIBLE[0] <= value * size / SECOND <= PLAUSIBLE[1] for value in (low, high)):
            if survey.hours:
                raise BadInput(
                    f"{survey.at(line)}: {quoted(cell)} may be {cell[:4]}-{cell[4:6]}-{cell[6:8]} "
                    f"{cell[8:10]}:00 or {np.datetime64(in_unit(cell, unit), 'ns')!s:.19} in "
                    f"{unit}; say which with --time-format %Y%m%d%H or {unit}"
                )
            return unit
    raise BadInput(
        f"{survey.at(line)}: holds plain numbers, not times ({quoted(cell)}); write dates such as "
        "2024-01-31, name the unit with --time-format (year, unix-s, unix-ms, unix-us), or leave "
        "out --time if the rows are in order"
    )


def in_unit(text: str, unit: str) -> int:
    """Return nanoseconds since 1970 for a plain number."""
    value = Decimal(text.strip())
    if unit == "year":
        return day_number(int(value), 1, 1) * DAY
    return int(value * UNITS[unit])


def shown_format(form: str) -> str:
    """Return a format as it was given, or in quotation marks if it is long or no plain text."""
    return form if form.isprintable() and len(form) <= 60 else quoted(form)


def check_format(form: str | None, time: object) -> None:
    """Refuse a format that names no year, or that no column is read with."""
    shown = shown_format(form or "")
    if form and time is None:
        raise BadInput(f"--time-format {shown}: there is no time column; name it with --time")
    if form and form not in ("year", *UNITS):
        if not re.search(r"%[YyGcxDsF]", form):
            raise BadInput(
                f"--time-format {shown}: it names no year; write it like %d.%m.%Y, or year, "
                f"{', '.join(UNITS)}"
            )
        try:
            datetime.strptime("", form)
        except re.error:
            raise BadInput(
                f"--time-format {shown}: it names one part of the time twice; name each once"
            ) from None
        except ValueError:
            pass  # an empty cell fits no format


def parse_as(form: str, text: str, survey: TimeSurvey, at: Callable[[], tuple[int, str]]) -> int:
    """Return nanoseconds since 1970 of a cell in a named format, or refuse it."""
    try:
        if form in ("year", *UNITS):
            if not PLAIN_NUMBER.fullmatch(text.strip()):
                raise ValueError
            found = in_unit(text, form)
        else:
            when = datetime.strptime(text.strip(), form)
            zone = when.utcoffset() or timedelta(0)
            since = when.replace(tzinfo=None) - zone - datetime(1970, 1, 1)
            found = (since.days * 86_400_000_000 + since.seconds * 1_000_000
                     + since.microseconds) * 1000  # fmt: skip
    except (ValueError, TypeError, OverflowError):
        if form in UNITS and WITH_EXPONENT.fullmatch(text.strip()):
            raise BadInput(
                f"{survey.at(at()[0])}: holds {quoted(text)}, {rounded(text.strip())}"
            ) from None
        raise BadInput(
            f"{survey.at(at()[0])}: holds {quoted(text)}, which does not fit --time-format "
            f"{shown_format(form)}; mend it, or name another format"
        ) from None
    if not -(292 * 365) * DAY < found < 291 * 365 * DAY:
        raise BadInput(
            f"{survey.at(at()[0])}: holds {quoted(text)}, which is outside the years {YEARS[0]} to "
            f"{YEARS[1]}; mend it, or name another format"
        )
    return found


def typed_times(cells: Cells, survey: TimeSurvey, lines: np.ndarray) -> np.ndarray:
    """Return typed times as datetime64[ns] in UTC."""
    import pandas as pd

    gaps = cells.values.isna().to_numpy()
    if gaps.any():
        raise BadInput(f"{survey.at(int(lines[gaps][0]))}: is empty; {LIKE}")
    zone = getattr(cells.values.dt, "tz", None)
    if (zone is not None) not in survey.zones:
        survey.zones[zone is not None] = (int(lines[0]), "")
    plain = pd.to_datetime(cells.values, utc=True).dt.tz_localize(None)
    far = ~plain.dt.year.between(*YEARS).to_numpy()
    if far.any():
        raise BadInput(
            f"{survey.at(int(lines[far][0]))}: holds {str(plain[far].iloc[0])!r}, which is outside "
            f"the years {YEARS[0]} to {YEARS[1]}; {LIKE}"
        )
    return plain.to_numpy("datetime64[ns]")


def read_times(
    cells: Cells, lines: np.ndarray, survey: TimeSurvey, read: Callable[[str], int]
) -> np.ndarray:
    """Return a block's times as datetime64[ns] in UTC."""
    if cells.kind == "time":
        return typed_times(cells, survey, lines)
    texts: Sequence[str] = cells.written()
    quick = None if survey.format else iso_times(texts)
    if quick is not None:
        return quick
    known = {text: read(text) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], dtype=np.int64).view("datetime64[ns]")
