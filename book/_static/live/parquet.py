"""A Parquet file in the page: the frames that pyarrow makes of it for the command line.

``parquet.mjs`` reads the bytes; what they mean is said here, so that no value loses a digit.
"""

import base64
import datetime
import decimal
import json
import os
import struct
import sys
import zoneinfo

import numpy as np
import pandas as pd
import parquet_bytes  # parquet.mjs

from companion.stream import quoted
from companion.streams import rows
from companion.streams.bad_input import BadInput

if sys.platform == "emscripten":  # where the time zones come with pytz
    import pytz

    zoneinfo.reset_tzpath([os.path.join(os.path.dirname(pytz.__file__), "zoneinfo")])
MOST_CELLS = 50_000_000  # more would not fit into the page's memory
FAILED = "failed: "
UNITS = {"MILLIS": "ms", "MICROS": "us", "NANOS": "ns"}
NUMBERS = {"BOOLEAN": "?", "INT32": "<i4", "INT64": "<i8", "INT96": "<i8", "FLOAT": "<f4",
           "DOUBLE": "<f8"}  # fmt: skip
ARROW_DURATION, ARROW_TIMESTAMP = 18, 10
ARROW_UNITS = ("s", "ms", "us", "ns")
ALL_DIGITS = decimal.Context(prec=100)


def table(path):
    """Return the columns' names, what pandas noted, and the rows, as `rows.parquet_table` does."""
    about = parquet_bytes.look(str(path))
    if about.startswith(FAILED):
        raise rows.refusal(path, ValueError(about.removeprefix(FAILED)))
    about = json.loads(about)
    columns, groups, noted = about["columns"], about["groups"], about["noted"]
    if len(columns) * sum(groups) > MOST_CELLS:
        raise MemoryError
    fields = arrow_fields(base64.b64decode(noted.get("ARROW:schema", "")))
    for k, one in enumerate(columns):
        one["where"] = f"{path}, column {quoted(one['name'])}"
        one["arrow"] = fields[k] if len(fields) == len(columns) else {}
        check(one)

    def frames(size):
        rest = pd.DataFrame()
        for group, count in enumerate(groups):
            found = {k: column(k, group, one) for k, one in enumerate(columns)}
            frame = pd.DataFrame(found, index=range(count))
            rest = pd.concat([rest, frame]) if len(rest) else frame
            while len(rest) >= size:
                yield with_categories(rest.iloc[:size], columns)
                rest = rest.iloc[size:]
        if len(rest):
            yield with_categories(rest, columns)

    return [one["name"] for one in columns], json.loads(noted.get("pandas", "{}")), frames


def check(one):
    """Refuse a column whose bytes cannot be read here."""
    if one["encrypted"]:
        raise BadInput(f"{one['where']}: it is encrypted; save the file without encryption")
    if one["codec"]:
        raise BadInput(
            f"{one['where']}: it is packed with {one['codec']}, which the page cannot unpack; "
            "save the file with snappy, or use the command line"
        )


def with_categories(frame, columns):
    """Return a frame in which text is categories where Arrow has noted so."""
    kinds = {
        k: "category" for k, one in enumerate(columns)
        if one["arrow"].get("dictionary") and one.get("type") == "BYTE_ARRAY"
    }  # fmt: skip
    return frame.astype(kinds)


def column(place, group, one):
    """Return a column of a row group."""
    got = parquet_bytes.column(place, group)
    if not isinstance(got, str):
        raw, ends, gaps = (part.to_bytes() for part in got)
        return typed(one, raw, np.frombuffer(ends, "<u4"), np.frombuffer(gaps, "?"))
    if "alloc" in got:
        raise MemoryError
    raise BadInput(
        f"{one['where']}: it cannot be read ({got.removeprefix(FAILED)}); save the file again"
    )


def typed(one, raw, ends, gaps):
    """Return values as pyarrow gives them to pandas."""
    said, old = one.get("logical_type") or {}, one.get("converted_type") or ""
    kind, what = one.get("type"), said.get("type") or old.partition("_")[0]
    unit = UNITS.get(said.get("unit") or old.partition("_")[2], "ns")
    if one["nested"]:
        return objects([[]] * len(gaps), gaps)
    if what == "NULL":
        return objects([None] * len(gaps), gaps)
    if what == "FLOAT16":
        values = np.full(len(gaps), np.nan, "<f2")
        values[~gaps] = np.frombuffer(raw, "<f2")
        return values
    values = np.frombuffer(raw, NUMBERS[kind]) if kind in NUMBERS else [*pieces(raw, ends)]
    if what == "DECIMAL":
        return objects(decimals(values, one.get("scale") or said.get("scale") or 0), gaps)
    if kind not in NUMBERS:
        return objects([piece.decode("utf-8", "replace") for piece in values], gaps)
    if kind == "BOOLEAN":
        return pd.arrays.BooleanArray(values.copy(), gaps.copy())
    if kind in ("FLOAT", "DOUBLE"):
        return np.where(gaps, values.dtype.type(np.nan), values)
    if what == "DATE":
        return objects(values.astype("M8[D]").astype(object), gaps)
    if what == "TIME":
        return objects(clocks(values, unit), gaps)
    if kind == "INT96" or what == "TIMESTAMP":
        return moments(values, gaps, unit, said.get("isAdjustedToUTC"), one["arrow"])
    if "duration" in one["arrow"]:
        values = values.view(f"m8[{one['arrow']['duration']}]")
        return np.where(gaps, np.timedelta64("NaT"), values)
    return whole(values, gaps, said, old)


def objects(values, gaps):
    """Return values that have no type of pandas' own."""
    given = [None if gap else value for value, gap in zip(values, gaps, strict=True)]
    return pd.Series(given, dtype=object)


def pieces(raw, ends):
    """Yield the bytes of each value."""
    start = 0
    for end in np.maximum.accumulate(ends).tolist():
        yield raw[start:end]
        start = end


def decimals(values, scale):
    """Return decimals, which are stored as whole numbers or as these numbers' bytes."""
    if isinstance(values, list):
        values = [int.from_bytes(piece, "big", signed=True) for piece in values]
    return [ALL_DIGITS.scaleb(decimal.Decimal(int(value)), -scale) for value in values]


def clocks(values, unit):
    """Return times of day."""
    micros = values.astype(f"m8[{unit}]").astype("m8[us]").astype(object)
    return [(datetime.datetime.min + since).time() for since in micros]


def moments(values, gaps, unit, with_zone, arrow):
    """Return times, in the zone that Arrow has noted or in UTC if they have one."""
    times = pd.Series(np.where(gaps, np.datetime64("NaT"), values.view(f"M8[{unit}]")))
    if not with_zone:
        return times
    return times.dt.tz_localize("UTC").dt.tz_convert(arrow.get("zone") or "UTC")


def whole(values, gaps, said, old):
    """Return whole numbers, which stay so where there are gaps."""
    unsigned = said.get("isSigned") is False or old.startswith("UINT_")
    bits = said.get("bitWidth") or int(old.partition("_")[2] or 8 * values.itemsize)
    kind = f"{'u' if unsigned else ''}int{bits}"
    return pd.arrays.IntegerArray(values.astype(kind), gaps.copy())


# --- what Arrow has noted, as a flatbuffer ------------------------------------------------------


def number(data, at, kind="<i"):
    """Return a number at a place."""
    return struct.unpack_from(kind, data, at)[0]


def slot(data, at, place):
    """Return where a field of the table at a place stands, or None."""
    index = at - number(data, at)
    if 4 + 2 * place >= number(data, index, "<H"):
        return None
    offset = number(data, index + 4 + 2 * place, "<H")
    return at + offset if offset else None


def follow(data, at):
    """Return the place to which a place points."""
    return None if at is None else at + number(data, at)


def text(data, at):
    """Return the text to which a place points."""
    at = follow(data, at)
    return "" if at is None else data[at + 4 : at + 4 + number(data, at)].decode()


def arrow_fields(data):
    """Return what Arrow noted of each column that Parquet cannot say.

    A dictionary with ``dictionary``, the unit of a ``duration``, the ``zone`` of times. See
    Arrow's format/Schema.fbs for the fields' places.
    """
    if not data:
        return []
    data = data[8:] if data[:4] == b"\xff\xff\xff\xff" else data[4:]
    schema = follow(data, slot(data, number(data, 0), 2))
    listed = follow(data, slot(data, schema, 1))
    places = [listed + 4 + 4 * k for k in range(number(data, listed))]
    return [arrow_field(data, follow(data, place)) for place in places]


def arrow_field(data, field):
    """Return what Arrow noted of a column."""
    found = {"dictionary": slot(data, field, 4) is not None}
    kind, about = data[slot(data, field, 2)], follow(data, slot(data, field, 3))
    if kind == ARROW_TIMESTAMP:
        found["zone"] = text(data, slot(data, about, 1))
    if kind == ARROW_DURATION:
        unit = slot(data, about, 0)
        found["duration"] = ARROW_UNITS[1 if unit is None else number(data, unit, "<h")]
    return found
