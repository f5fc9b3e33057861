"""A file's rows: cells as they were written, each with its own line, in blocks that fit in memory.

Nothing is made of a cell here. A CSV file gives text; a Parquet file or a DataFrame gives the
types that it declares.
"""

from __future__ import annotations

import csv
import gzip
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from companion.stream import quoted
from companion.streams.bad_input import BadInput
from companion.streams.cells import Cells, joined, text_cells, typed_cells

BLOCK = 20_000  # rows read at once
SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
UNNAMED = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?|__index_level_\d+__")
SHEETS = (".xlsx", ".xlsm", ".xlsb", ".ods")
PACKED = {b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


@dataclass(frozen=True)
class Block:
    """Some rows of a table: the line of each, and the columns by name."""

    lines: np.ndarray
    columns: Mapping[str, Cells]

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, rows: np.ndarray) -> Block:
        """Return these rows, in this order."""
        return Block(self.lines[rows], {k: cells.take(rows) for k, cells in self.columns.items()})


@dataclass(frozen=True)
class Source:
    """Where rows come from: a name for messages, the column names, and the blocks."""

    name: str
    columns: tuple[str, ...]
    blocks: Callable[[int], Iterator[Block]]
    counted_in: str = "line"
    separator: str = ""
    unnamed: frozenset[str] = frozenset()
    row_numbers: str | None = None  # the name of an index that only counts the rows
    blank: list[int] = field(default_factory=list)  # lines left out: how many, and the first

    def at(self, line: int, column: str) -> str:
        """Name a place, as messages do."""
        return f"{self.name}, {self.counted_in} {line}, column {quoted(column)}"


def open_table(path: Path) -> Source:
    """Look at a file's bytes and heading; its rows are read when they are asked for."""
    start = first_bytes(path)
    if start[:4] == b"PAR1" or path.suffix == ".parquet":
        return parquet_source(path)
    return csv_source(path)


def first_bytes(path: Path) -> bytes:
    """Refuse what is no file, is empty, or is plainly no table; return how it begins."""
    if path.is_dir():
        raise BadInput(f"{path}: this is a folder; name a CSV or Parquet file in it")
    if not path.exists():
        raise BadInput(f"{path}: there is no such file; check the name and the folder")
    if path.stat().st_size == 0:
        raise BadInput(f"{path}: the file is empty; it needs a heading row and rows of data")
    try:
        with path.open("rb") as file:
            start = file.read(1000)
    except OSError as error:
        raise refusal(path, error) from None
    if start[:4] == b"PK\x03\x04" and (path.suffix in SHEETS or is_workbook(path)):
        raise BadInput(f"{path}: this is a spreadsheet; export the sheet as CSV and try again")
    for mark, kind in PACKED.items():
        if start.startswith(mark):
            raise BadInput(f"{path}: this is a {kind} file; unpack it, or pack it with gzip")
    if start[:4] == b"PARE":
        raise BadInput(f"{path}: this Parquet file is encrypted; save it without encryption")
    if start[:2] == b"\x1f\x8b" or start[:4] == b"PAR1":
        return start
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or is_wide(start):
        raise BadInput(f"{path}: this is UTF-16 text; save the file as UTF-8 and try again")
    if start.count(0) > len(start) / 20:  # a few are stray, and named with their line
        raise BadInput(f"{path}: this is no text; export the table as CSV and try again")
    return start


def is_workbook(path: Path) -> bool:
    """Say whether a zip file is a spreadsheet."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = packed.namelist()
            return "xl/workbook.xml" in names or "xl/workbook.bin" in names or (
                "content.xml" in names and "META-INF/manifest.xml" in names)  # fmt: skip
    except (zipfile.BadZipFile, OSError):
        return False


def is_wide(start: bytes) -> bool:
    """Say whether text has two bytes a letter: every other byte is 0."""
    return any(
        start[side::2].count(0) > 0.8 * len(start[side::2]) and not start[1 - side :: 2].count(0)
        for side in (0, 1)
    )


def refusal(path: Path, error: Exception) -> BadInput:
    """Turn what a reader raised into one sentence, or raise it again."""
    if isinstance(error, BadInput):
        return error
    if isinstance(error, PermissionError):
        why = "the file may not be read; change its permissions"
    elif isinstance(error, MemoryError):
        why = "the table does not fit into memory; read it in parts with read_parts"
    elif isinstance(error, OSError | EOFError | ValueError | OverflowError | zlib.error):
        why = f"the file cannot be read ({' '.join(str(error).split()).removesuffix('.')}); "
        why += "save it again"
    else:
        raise error
    return BadInput(f"{path}: {why}")


def names_of(heads: list[str], name: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the columns' names, those without one called by their place, and which these are."""
    named = [
        f"column {place}" if UNNAMED.fullmatch(head) else head.strip()
        for place, head in enumerate(heads, 1)
    ]
    twice = next((one for one in named if named.count(one) > 1), None) if (
        len(set(named)) < len(named)) else None  # fmt: skip
    if twice is not None:
        raise BadInput(
            f"{name}: two columns are called {quoted(twice)}; give each column its own name"
        )
    blank = [UNNAMED.fullmatch(head) for head in heads]
    return tuple(named), frozenset(one for one, no in zip(named, blank, strict=True) if no)


# --- CSV ---------------------------------------------------------------------------------------


def csv_source(path: Path) -> Source:
    """Read a CSV's heading, and find out what parts its fields."""
    separator = separator_of(path)
    heads = next(csv_rows(path, separator), None)
    if heads is None:
        raise BadInput(f"{path}: there is no heading row; the first line must name the columns")
    names, unnamed = names_of(heads[1], str(path))

    blank: list[int] = []

    def blocks(size: int) -> Iterator[Block]:
        return csv_blocks(path, separator, names, size, blank)

    return Source(str(path), names, blocks, "line", separator, unnamed, blank=blank)


def opened(path: Path) -> TextIO:
    """Open a text file, unpacked if its name or its bytes say gzip; line ends are left alone."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b" or path.suffix == ".gz"
    opener: Callable[..., Any] = gzip.open if packed else open
    return opener(path, "rt", encoding="utf-8-sig", newline="")


def separator_of(path: Path) -> str:
    """Return the mark that parts the fields: the first rows have one length, the longest."""
    try:
        with opened(path) as file:
            sample = [line for line in islice(file, 50) if line.strip()]
    except UnicodeDecodeError as error:
        raise not_utf8(path) or refusal(path, error) from None
    except Exception as error:
        raise refusal(path, error) from None
    possible = []
    for mark in SEPARATORS:
        try:
            lengths = [len(row) for row in csv.reader(sample, delimiter=mark)]
        except csv.Error:
            continue
        if lengths and lengths[0] > 1:
            possible.append((len(set(lengths[:-1] or lengths)) > 1, -lengths[0], mark))
    return min(possible, key=lambda one: one[:2])[2] if possible else ","


def without_nul(path: Path, file: TextIO) -> Iterator[str]:
    """Yield the lines of a text; refuse a byte that no text has."""
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise BadInput(
                f"{path}, line {number}: there is a NUL byte, which no text has; take it out, or "
                "export the table as CSV again"
            )
        yield line


def csv_rows(
    path: Path, separator: str, blank: list[int] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, each with the line on which it begins.

    Those of nothing but separators and blanks are counted in ``blank``: how many, and the first.
    """
    line = 1
    try:
        with opened(path) as file:
            rows = csv.reader(without_nul(path, file), delimiter=separator, strict=True)
            for row in rows:
                if row and (row[0].strip() or "".join(row).strip()):
                    yield line, row
                elif row and blank is not None:
                    blank[:] = [blank[0] + 1, blank[1]] if blank else [1, line]
                line = rows.line_num + 1
    except csv.Error as error:
        raise BadInput(f"{path}, line {line}: {quoting(str(error))}") from None
    except UnicodeDecodeError as error:
        raise not_utf8(path) or refusal(path, error) from None
    except Exception as error:
        raise refusal(path, error) from None


def quoting(said: str) -> str:
    """Say what is wrong with a row's quotation marks."""
    if "unexpected end" in said:
        return "a quotation mark that begins here is never closed; close it"
    if "field limit" in said:
        return (
            f"a cell has more than {csv.field_size_limit():,} characters; is a quotation mark open?"
        )
    return "a quotation mark stands inside a quoted cell; double it"


def not_utf8(path: Path) -> BadInput | None:
    """Name the first line that is not UTF-8."""
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return BadInput(
                    f"{path}, line {number}: byte {error.start + 1} of the line is not UTF-8; "
                    "save the file as UTF-8 and try again"
                )
    return None


def csv_blocks(
    path: Path, separator: str, names: tuple[str, ...], size: int, blank: list[int]
) -> Iterator[Block]:
    """Yield a CSV's rows in blocks; every row is as long as the heading."""
    blank.clear()
    rows = islice(csv_rows(path, separator, blank), 1, None)
    while some := list(islice(rows, size)):
        for line, row in some:
            if len(row) != len(names):
                raise BadInput(
                    f"{path}, line {line}: the rows do not fit the heading ({len(row)} fields "
                    f"here, {len(names)} there); give every line the same number of fields"
                )
        columns = zip(*(row for _, row in some), strict=True)
        yield Block(
            np.array([line for line, _ in some]),
            {name: text_cells(cells) for name, cells in zip(names, columns, strict=True)},
        )


# --- Parquet and DataFrames --------------------------------------------------------------------


def parquet_source(path: Path) -> Source:
    """Read a Parquet file's columns, those of its index among them.

    Categories that are numbers are stored as numbers: what pandas noted says which these are.
    """
    heads, pandas, frames = parquet_table(path)
    names, unnamed = names_of(heads, str(path))
    declared = {
        column.get("field_name")
        for column in pandas.get("columns", ())
        if column.get("pandas_type") == "categorical"
    }
    categories = frozenset(name for name, head in zip(names, heads, strict=True) if
                           head in declared)  # fmt: skip
    index = [one for one in pandas.get("index_columns", ()) if isinstance(one, dict)]
    row_numbers = index[0].get("name") if index else None

    def blocks(size: int) -> Iterator[Block]:
        before = 0
        try:
            for frame in frames(size):
                yield frame_block(frame, names, before, categories)
                before += len(frame)
        except Exception as error:
            raise refusal(path, error) from None

    return Source(str(path), names, blocks, "row", "", unnamed, row_numbers)


def parquet_table(path: Path) -> tuple[list[str], dict, Callable[[int], Iterator[Any]]]:
    """Return a Parquet file's column names, what pandas noted, and its rows as DataFrames.

    Where there is no pyarrow, another function may take the place of this one.
    """
    try:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            heads = list(file.schema_arrow.names)
            noted = file.schema_arrow.pandas_metadata or {}
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise refusal(path, error) from None
    return heads, noted, lambda size: frames_of(path, size)


def frames_of(path: Path, size: int) -> Iterator[Any]:
    """Yield a Parquet file's rows in DataFrames; whole numbers with gaps stay whole numbers."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    whole = {
        getattr(pa, f"{sign}int{bits}")(): getattr(pd, f"{sign.upper()}Int{bits}Dtype")()
        for sign in ("", "u") for bits in (8, 16, 32, 64)
    }  # fmt: skip
    whole[pa.bool_()] = pd.BooleanDtype()
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=size):
            yield batch.to_pandas(types_mapper=whole.get, ignore_metadata=True)


def frame_source(frame: Any, name: str) -> Source:
    """Return a DataFrame as a source; a named index counts as columns, a plain count does not."""
    import pandas as pd

    row_numbers = None
    if isinstance(frame.index, pd.RangeIndex):
        row_numbers = frame.index.name
        frame = frame.rename_axis(index=None)
    index = frame.index
    labelled = not pd.api.types.is_integer_dtype(index.dtype) or index.nlevels > 1
    if any(label is not None for label in index.names) or (labelled and len(frame)):
        keep = [label for label in index.names if label not in frame.columns or label is None]
        frame = frame.reset_index(level=keep) if index.nlevels > 1 else (
            frame.reset_index() if keep else frame)  # fmt: skip
    names, unnamed = names_of([str(column) for column in frame.columns], name)

    def blocks(size: int) -> Iterator[Block]:
        for start in range(0, len(frame), size):
            yield frame_block(frame.iloc[start : start + size], names, start)

    row_numbers = None if row_numbers is None else str(row_numbers)
    return Source(name, names, blocks, "row", "", unnamed, row_numbers)


def frame_block(
    frame: Any, names: tuple[str, ...], before: int, categories: frozenset[str] = frozenset()
) -> Block:
    """Return a DataFrame's rows as a block; ``categories`` are columns that are text."""
    cells = {}
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        cells[name] = Cells("category", column.astype(object)) if name in categories else (
            typed_cells(column))  # fmt: skip
    return Block(np.arange(before + 1, before + 1 + len(frame)), cells)


def whole_block(source: Source) -> Block:
    """Return all rows of a source as one block."""
    blocks = list(source.blocks(BLOCK))
    if not blocks:
        return Block(np.zeros(0, int), {name: text_cells([]) for name in source.columns})
    return Block(
        np.concatenate([block.lines for block in blocks]),
        {name: joined([block.columns[name] for block in blocks]) for name in source.columns},
    )
