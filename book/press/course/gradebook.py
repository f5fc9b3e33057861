"""The tables around grading: the gradebook, and the one in which a person marks.

People open these in a spreadsheet, and spreadsheets write other files than they read: semicolons,
other code pages, numbers without their leading zeros. What is certain is read; what is not is
refused before anything is overwritten.
"""

from __future__ import annotations

import csv
import io
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from book.press.course.assignments import Assignment, Graded

WRITTEN = ("student", "assignment", "part", "of", "points", "comment")
LINE_END = re.compile(r"\r\n|\r|\n")
FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Row:
    """A row of the table in which a person marks; without points it still waits."""

    line: int
    student: str
    assignment: str
    part: str
    of: str
    points: float | None
    comment: str


def safe(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> safe("=1+1"), safe("ada"), unsafe(safe("-2 for style"))
    ("'=1+1", 'ada', '-2 for style')
    """
    return "'" + text if text.startswith((*FORMULA, "'")) else text


def unsafe(text: str) -> str:
    """Return the text of a cell that was made safe."""
    return text[1:] if text.startswith("'") and text[1:2] in (*FORMULA, "'") else text


def alike(name: str) -> str:
    """Return a name in the one of Unicode's forms in which equal names are equal."""
    return unicodedata.normalize("NFC", name).strip()


def decoded(path: Path) -> str:
    """Return a table's text, whichever of the usual encodings it has.

    Raises
    ------
    SystemExit
        One sentence, if it has none of them.
    """
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in raw[:4]:
        encodings = ["utf-16-be" if raw[:1] == b"\0" else "utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252":
            first = next(line for line in text.splitlines() if not line.isascii())
            print(f"{path}: not UTF-8, read as Windows-1252; is this right: {first!r}?",
                  file=sys.stderr)  # fmt: skip
        return text
    raise SystemExit(f"{path}: the encoding is not known; save it as CSV in UTF-8 and grade again")


def table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and rows, the columns in the order of `WRITTEN`.

    Raises
    ------
    SystemExit
        One sentence, if the heading or a row does not have the form.
    """
    text = decoded(path)
    first, *rest = LINE_END.split(text, maxsplit=1)
    skipped = 0
    if first.strip().lower().startswith("sep="):
        text, skipped = "".join(rest), 1
    heading = LINE_END.split(text, maxsplit=1)[0].strip()
    for delimiter in (",", ";", "\t"):
        try:
            cells = next(csv.reader([heading], delimiter=delimiter), [])
        except csv.Error:  # a cell longer than any heading
            continue
        names = [name.strip().lower() for name in cells]
        if set(WRITTEN) <= set(names):
            break
    else:
        raise SystemExit(
            f"{path}, line {1 + skipped}: the heading must name {', '.join(WRITTEN)}, but it is "
            f"{heading[:80]!r}; mend it and grade again"
        )
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            number = rows.line_num + skipped
            if number == 1 + skipped or not any(cell.strip() for cell in row):
                continue
            if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :]):
                raise SystemExit(
                    f"{path}, line {number}: {len(row)} cells under {len(names)} headings; put a "
                    "comment that holds the separator in quotes and grade again"
                )
            yield number, [unsafe(row[names.index(name)].strip()) for name in WRITTEN]
    except csv.Error as error:
        raise SystemExit(
            f"{path}, line {rows.line_num + skipped}: {error}; mend it and grade again"
        ) from None


def read_written(path: Path) -> list[Row]:
    """Return what a person has filled in.

    Raises
    ------
    SystemExit
        One sentence, if the table cannot be read, points are no number or more than there are, or
        two rows mark one answer.
    """
    found: dict[tuple[str, ...], Row] = {}
    if not path.exists():
        return []
    for number, (student, assignment, part, of, given, comment) in table(path):
        try:
            points = float(given.replace(",", ".")) if given else None
            fits = points is None or 0 <= points <= float(of.replace(",", "."))
        except ValueError:
            fits = False
        if not fits:
            raise SystemExit(
                f"{path}, line {number}: {given!r} is not a number from 0 to {of}; "
                "mend it and grade again"
            )
        key = (alike(student), assignment, part)
        if key in found:
            raise SystemExit(
                f"{path}, lines {found[key].line} and {number}: both mark {part} of {student}, "
                f"{assignment}; take one out, or write the student's name in full"
            )
        found[key] = Row(number, alike(student), assignment, part, of, points, comment)
    return list(found.values())


def matched(
    rows: Sequence[Row], path: Path, students: Sequence[str], known: Mapping[str, Assignment]
) -> dict[tuple[str, str], dict[str, tuple[float | None, str]]]:
    """Return points and comments by student and assignment, the students as they are handed in.

    A spreadsheet that lost the leading zeros of an id is understood where only one student fits.

    Raises
    ------
    SystemExit
        One sentence for the first row that belongs to nobody, before anything is overwritten.
    """
    full = {alike(name): name for name in students}
    spelled = {row.student for row in rows}
    given: dict[tuple[str, str], dict[str, tuple[float | None, str]]] = {}
    for row in rows:
        if row.points is None and not row.comment:
            continue
        where = f"{path}, line {row.line}"
        part = next((p for a in known.values() if a.name == row.assignment for p in a.parts
                     if p.name == row.part and p.kind == "written"), None)  # fmt: skip
        if part is None:
            raise SystemExit(
                f"{where}: {row.assignment!r} has no written answer {row.part!r}; mend the row or "
                "take it out, and grade again"
            )
        if row.of.replace(",", ".") not in (f"{part.points:g}", f"{part.points:.1f}"):
            raise SystemExit(
                f"{where}: {row.part} is worth {part.points:g} points, not {row.of}; mend the row "
                "and grade again"
            )
        student = row.student
        fitting = [name for name in full if name.lstrip("0") == student.lstrip("0")]
        if student.isdigit() and not student.startswith("0") and not set(fitting) <= spelled:
            if len(fitting) > 1:
                raise SystemExit(
                    f"{where}: the student {student} may be {' or '.join(sorted(fitting))}, for a "
                    "spreadsheet takes leading zeros away; write the name in full"
                )
            student = fitting[0]
        if student not in full:
            raise SystemExit(
                f"{where}: no submission is from {student!r}; write the name as the submission has "
                "it, or take the row out, and grade again"
            )
        given.setdefault((full[student], row.assignment), {})[row.part] = (row.points, row.comment)
    return given


def replace(path: Path, text: str, keep: bool = False) -> None:
    """Write a file whole or not at all; keep what was there if it is asked for and differs."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8", errors="replace", newline="")
    if keep and path.exists() and path.read_bytes() != new.read_bytes():
        os.replace(path, path.with_name(f"{path.stem}.before{path.suffix}"))
    os.replace(new, path)


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Return a table as text."""
    held = io.StringIO(newline="")
    csv.writer(held).writerows([[safe(str(cell)) for cell in row] for row in rows])
    return held.getvalue()


def write_gradebook(
    results: Sequence[Graded], unread: Sequence[tuple[str, str]], folder: Path
) -> None:
    """Write one table over all, and one table an assignment with a column for each part."""
    rows: list[list[object]] = [
        ["student", "assignment", "points", "of", "still to mark", "remarks"]
    ]
    for one in results:
        rows.append([one.student, one.assignment.name, f"{one.points:g}", one.assignment.points,
                     " ".join(sorted(one.to_mark)), " ".join(one.remarks)])  # fmt: skip
    rows += [[student, "", "0", "", "", why] for student, why in unread]
    replace(folder / "gradebook.csv", csv_text(rows))
    for name in dict.fromkeys(result.assignment.name for result in results):
        those = [result for result in results if result.assignment.name == name]
        rows = [["student", "points", *(p.name for p in those[0].assignment.graded)]]
        for one in those:
            rows.append([one.student, f"{one.points:g}", *(f"{m.points:g}" for m in one.marks)])
        replace(folder / f"{name}.csv", csv_text(rows))


def write_written(
    results: Sequence[Graded],
    written: Mapping[tuple[str, str], Mapping[str, tuple[float | None, str]]],
    folder: Path,
) -> None:
    """Write the table in which a person marks, and beside it the answers under their rubric.

    Marks that could not be used this time, as the notebook is unreadable or there are two of them,
    stay in the table.
    """
    rows: list[list[object]] = [list(WRITTEN)]
    seen = set()
    for one in results:
        given = written.get((one.student, one.assignment.name), {})
        for mark in one.marks:
            key = (one.student, one.assignment.name, mark.part.name)
            answered = mark.part.name in one.answers and not one.file
            if (
                mark.part.kind != "written"
                or key in seen
                or not (answered or mark.part.name in given)
            ):
                continue
            seen.add(key)
            points, comment = given.get(mark.part.name, (None, ""))
            rows.append([*key, mark.part.points, "" if points is None else f"{points:g}", comment])
    replace(folder / "written.csv", csv_text(rows), keep=True)
    parts = {(r.assignment.name, m.part.name): m.part for r in results for m in r.marks
             if m.part.kind == "written"}  # fmt: skip
    lines: list[str] = []
    for (name, part_name), part in parts.items():
        lines += [f"# {name}, {part_name} ({part.points} points)", "", part.rubric, "",
                  part.cell.source, ""]  # fmt: skip
        for one in results:
            if one.assignment.name == name and part_name in one.answers:
                lines += [f"## {one.student}" + (f", {one.file}" if one.file else ""), ""]
                # Quoted, so that no answer can look like another student's.
                lines += [f"> {text}" for text in one.answers[part_name].splitlines()] + [""]
    replace(folder / "written.md", "\n".join(lines))
