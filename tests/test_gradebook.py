"""The tables around grading: as spreadsheets write them, and with two notebooks of one student."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import nbformat
import pytest
from test_assignments import KNOWN, answered, hand_in

from book.press.course import assignments as course
from book.press.course import gradebook

HEADING = "student,assignment,part,of,points,comment"


@pytest.fixture
def folders(tmp_path):
    """One good submission of 0012345, and the folder of its reports."""
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    hand_in(inbox / "0012345" / "week1.ipynb", KNOWN["week1"].notebook)
    out.mkdir()
    return inbox, out


def grade(inbox, out):
    """Grade a folder; return the gradebook's rows as dicts."""
    course.main(["grade", str(inbox), "--to", str(out)])
    with open(out / "gradebook.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


READ = {
    "semicolons": (
        f"{HEADING.replace(',', ';')}\n0012345;week1;report;14;12;Gut erklärt\n", "utf-8"),
    "a decimal comma": (
        f"{HEADING.replace(',', ';')}\r\n0012345;week1;report;14;12,0;Gut erklärt\r\n", "utf-8"),
    "tabs in UTF-16": (
        f"{HEADING}\n0012345,week1,report,14,12,Gut erklärt\n".replace(",", "\t"), "utf-16"),
    "UTF-16 without a mark": (f"{HEADING}\n0012345,week1,report,14,12,Gut erklärt\n", "utf-16-le"),
    "a byte-order mark": (f"{HEADING}\n0012345,week1,report,14,12,Gut erklärt\n", "utf-8-sig"),
    "cp1252": (f"{HEADING}\r\n0012345,week1,report,14,12,Gut erklärt\r\n", "cp1252"),
    "lost zeros": (f"{HEADING}\r\n12345,week1,report,14,12,Gut erklärt\r\n", "utf-8"),
    "a line that names the separator": (
        f"sep=;\n{HEADING.replace(',', ';')}\n0012345;week1;report;14;12;Gut erklärt\n", "utf-8"),
    "capitals, quotes and empty lines": (
        '"Student","Assignment","Part","Of","Points","Comment"\n\n"0012345","week1","report",'
        '"14","12","Gut erklärt"\n,,,,,\n', "utf-8"),
    "columns in another order": (
        "points,comment,student,assignment,part,of,mine\n12,Gut erklärt,0012345,week1,report,14,\n",
        "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("how", READ)
def test_marks_are_read_as_spreadsheets_write_them(how, folders):
    text, encoding = READ[how]
    inbox, out = folders
    (out / "written.csv").write_bytes(text.encode(encoding))
    (row,) = grade(inbox, out)
    assert (row["student"], row["points"], row["still to mark"]) == ("0012345", "98", "")
    assert "Gut erklärt" in (out / "0012345" / "week1.md").read_text(encoding="utf-8")
    again = (out / "written.csv").read_text(encoding="utf-8")
    assert "0012345,week1,report,14,12,Gut erklärt" in again
    before = (out / "written.before.csv").read_bytes()
    assert before == text.encode(encoding), "what was there is kept"
    assert grade(inbox, out)[0]["points"] == "98", "and what was written is read again"


LINE = "0012345,week1,report,14,12,good"
REFUSED = {
    "more points than there are": (
        f"{HEADING}\n{LINE.replace(',12,', ',15,')}", "'15' is not a number from 0 to 14"),
    "no points": (f"{HEADING}\n{LINE.replace(',12,', ',nan,')}", "not a number from 0 to 14"),
    "no heading": (LINE, "line 1: the heading must name student, assignment"),
    "a column is missing": (f"{HEADING[:-8]}\n{LINE[:-5]}", "the heading must name"),
    "an unknown student": (
        f"{HEADING}\n{LINE.replace('0012345', 'zoe')}", "line 2: no submission is from 'zoe'"),
    "a number as spreadsheets round it": (
        f"{HEADING}\n{LINE.replace('0012345', '1.2E+04')}", "no submission is from '1.2E+04'"),
    "an unknown part": (f"{HEADING}\n{LINE.replace('report', 'rep')}", "no written answer 'rep'"),
    "an unknown assignment": (
        f"{HEADING}\n{LINE.replace('week1', 'week9')}", "'week9' has no written"),
    "another number of points": (
        f"{HEADING}\n{LINE.replace(',14,', ',20,')}", "worth 14 points, not 20"),
    "two rows for one answer": (f"{HEADING}\n{LINE}\n{LINE}", "lines 2 and 3: both mark report"),
    "a comma in a comment": (f"{HEADING}\n{LINE}, but short", "line 2: 7 cells under 6 headings"),
    "a row that is cut off": (f"{HEADING}\n0012345,week1", "line 2: 2 cells under 6 headings"),
    "a quote that never ends": (
        f'{HEADING}\n0012345,week1,report,14,12,"good\n', "line 2: unexpected"),
    "a workbook": ("PK\x03\x04\x14\0\x06\0[Content_Types].xml", "the heading must name"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_certain_is_refused_before_anything_is_overwritten(what, folders):
    text, said = REFUSED[what]
    inbox, out = folders
    (out / "gradebook.csv").write_text("old")
    (out / "written.csv").write_bytes(text.encode("utf-8"))
    with pytest.raises(SystemExit) as stopped:
        course.main(["grade", str(inbox), "--to", str(out)])
    assert said in str(stopped.value) and "written.csv" in str(stopped.value), stopped.value
    assert (out / "written.csv").read_bytes() == text.encode("utf-8")
    assert sorted(path.name for path in out.iterdir()) == ["gradebook.csv", "written.csv"]
    assert (out / "gradebook.csv").read_text() == "old"


def test_the_files_of_real_complaints(folders):
    """Semicolons, cp1252 and lost zeros, as they were sent in."""
    files = {
        "written_semicolon.csv": "student;assignment;part;of;points;comment\n"
        "0012345;week1;report;14;12;Gut erklärt\na-good;week1;report;14;9;Kurz\n",
        "written_cp1252.csv": f"{HEADING}\r\n0012345,week1,report,14,12,Gut erklärt\r\n",
        "written_zeros_lost.csv": f"{HEADING}\r\n12345,week1,report,14,12,good\r\n",
    }
    inbox, out = folders
    hand_in(inbox / "a-good.ipynb", KNOWN["week1"].notebook)
    for name, text in files.items():
        (out / "written.csv").write_bytes(text.encode("cp1252" if "cp1252" in name else "utf-8"))
        points = {row["student"]: row["points"] for row in grade(inbox, out)}
        assert points == {"0012345": "98", "a-good": "95" if "semi" in name else "86"}, name


def test_zeros_that_may_be_anybody_s_are_refused(folders):
    inbox, out = folders
    hand_in(inbox / "12345.ipynb", KNOWN["week1"].notebook)
    (out / "written.csv").write_text(f"{HEADING}\n12345,week1,report,14,12,good\n")
    with pytest.raises(SystemExit, match="the student 12345 may be 0012345 or 12345"):
        grade(inbox, out)
    (out / "written.csv").write_text(
        f"{HEADING}\n12345,week1,report,14,12,good\n0012345,week1,report,14,,\n"
    )
    assert {row["student"]: row["points"] for row in grade(inbox, out)} == {
        "0012345": "86", "12345": "98"}  # fmt: skip


def test_a_comment_without_points_stays_and_marks_of_an_empty_answer_are_refused(folders):
    inbox, out = folders
    (out / "written.csv").write_text(f"{HEADING}\n0012345,week1,report,14,,half read\n")
    assert grade(inbox, out)[0]["still to mark"] == "report"
    assert "0012345,week1,report,14,,half read" in (out / "written.csv").read_text()
    (out / "written.csv").write_text(f"{HEADING}\n{LINE}\n")
    hand_in(inbox / "0012345" / "week1.ipynb", answered(KNOWN["week1"], report=" "))
    with pytest.raises(SystemExit, match="0012345 has 12 points for report of week1, but no such"):
        grade(inbox, out)


def test_names_meet_in_either_form_of_unicode(folders):
    inbox, out = folders
    hand_in(inbox / (unicodedata.normalize("NFD", "Zoë") + ".ipynb"), KNOWN["week1"].notebook)
    line = LINE.replace("0012345", unicodedata.normalize("NFC", "Zoë"))
    (out / "written.csv").write_text(f"{HEADING}\n{line}\n", encoding="utf-8")
    assert {row["points"] for row in grade(inbox, out)} == {"86", "98"}


def test_no_cell_is_a_formula(folders):
    inbox, out = folders
    hand_in(inbox / "=1+1.ipynb", KNOWN["week1"].notebook)
    (out / "written.csv").write_text(f"{HEADING}\n'=1+1,week1,report,14,10,'-4 for style\n")
    assert {row["student"]: row["points"] for row in grade(inbox, out)}["'=1+1"] == "96"
    for name in ("gradebook.csv", "written.csv", "week1.csv"):
        with open(out / name, newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(gradebook.FORMULA)], name
    assert "'=1+1,week1,report,14,10,'-4 for style" in (out / "written.csv").read_text()


def test_two_notebooks_of_one_student_are_both_named(tmp_path):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    hand_in(inbox / "ada" / "week1" / "week1.ipynb", KNOWN["week1"].notebook)
    hand_in(inbox / "ada" / "week1" / "week1-Copy1.ipynb", KNOWN["week1"].release())
    hand_in(inbox / "ada.ipynb", KNOWN["week1"].notebook)
    hand_in(inbox / "ben.ipynb", KNOWN["week1"].notebook)
    out.mkdir()
    table = f"{HEADING}\nada,week1,report,14,12,good\nben,week1,report,14,9,\n"
    (out / "written.csv").write_text(table)
    rows = [row for row in grade(inbox, out) if row["student"] == "ada"]
    assert sorted(row["points"] for row in rows) == ["0", "86", "86"]
    for row in rows:
        assert "3 notebooks of this student answer week1" in row["remarks"]
        for name in ("ada/week1/week1.ipynb", "ada/week1/week1-Copy1.ipynb", "ada.ipynb"):
            assert name in row["remarks"]
    assert len({row["remarks"] for row in rows}) == 3, "each line says whose it is"
    assert len(list((out / "ada").glob("week1 (*).md"))) == 3
    text = (out / "written.csv").read_text().splitlines()
    assert text[1:] == ["ada,week1,report,14,12,good", "ben,week1,report,14,9,"], "marks are kept"
    (inbox / "ada.ipynb").unlink()
    (inbox / "ada" / "week1" / "week1-Copy1.ipynb").unlink()
    assert grade(inbox, out)[0]["points"] == "98", "and count when one is left"


def test_names_that_look_alike_share_no_report(tmp_path):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    names = ["a?", "a!", "A!", "..", "gradebook.csv", "summary.md"]
    for name in names:
        hand_in(inbox / f"{name}.ipynb", KNOWN["week1"].notebook)
    for _ in range(2):
        assert [row["student"] for row in grade(inbox, out)] == sorted(names)
    reports = list(out.rglob("week1.md"))
    assert len(reports) == len(names) == len({path.parent.name.casefold() for path in reports})
    assert not list(tmp_path.glob("*.md"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_notebook_with_a_mark_is_read(encoding, tmp_path):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    inbox.mkdir()
    text = nbformat.writes(KNOWN["week1"].notebook)
    (inbox / "ada.ipynb").write_bytes(text.encode(encoding))
    assert grade(inbox, out)[0]["points"] == "86"


def test_what_cannot_be_read_is_in_the_gradebook_with_its_reason(tmp_path):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    empty = '{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'
    cell = '{"cell_type": "code", "source": SOURCE, "metadata": MARKS, "outputs": []}'
    odd = empty.replace("[]", f"[{cell}]")
    marks = '{"nbgrader": {"grade_id": "naive"}}'
    files = {
        "a.ipynb": b"{ broken", "b.ipynb": empty.encode(), "c/week1/week1.ipynb": b"\xff\xff",
        "d/report.pdf": b"%PDF",
        "e.ipynb": odd.replace("SOURCE", "5").replace("MARKS", marks).encode(),
        "f.ipynb": odd.replace("SOURCE", '"1"').replace("MARKS", '{"nbgrader": 5}').encode(),
        "g.ipynb": odd.replace("SOURCE", '"1"').replace("MARKS", '{"nbgrader": {"grade_id": []}}')
        .encode(), "h.ipynb": b"[" * 100_000, "i.ipynb": b"[]", "j.ipynb": b"null",
        "k.ipynb": b"", "l/week2/x.ipynb": b" " * (course.LARGEST + 1),
        "m.ipynb": odd.replace("SOURCE", '"\\ud800"').replace("MARKS", marks).encode(),
    }  # fmt: skip
    for name, raw in files.items():
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(raw)
    hand_in(inbox / "zoe.ipynb", KNOWN["week1"].notebook)
    rows = {row["student"]: row for row in grade(inbox, out)}
    assert set(rows) == {*"abcdefghijklm", "zoe"} and rows["zoe"]["points"] == "86"
    for name in "abcdefghijkl":
        assert rows[name]["points"] == "0" and len(rows[name]["remarks"]) > 25, rows[name]
    assert rows["c"]["assignment"] == "week1" and rows["l"]["assignment"] == "week2"
    assert "holds no notebook" in rows["d"]["remarks"] and rows["m"]["points"] == "0"


def test_a_fault_of_the_grader_in_one_submission_ends_nobody_else_s(tmp_path, monkeypatch):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    for name in ("ada", "eve"):
        hand_in(inbox / f"{name}.ipynb", KNOWN["week1"].notebook)
    real = course.grade

    def fails(student, *args, **how):
        if student == "eve":
            raise RecursionError("too deep")
        return real(student, *args, **how)

    monkeypatch.setattr(course, "grade", fails)
    rows = {row["student"]: row for row in grade(inbox, out)}
    assert rows["ada"]["points"] == "86"
    assert "eve.ipynb could not be graded: RecursionError: too deep" in rows["eve"]["remarks"]


def test_a_table_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "written.csv"
    path.write_text("old")
    monkeypatch.setattr(Path, "write_text", lambda *a, **k: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        gradebook.replace(path, "new")
    assert path.read_text() == "old"


def test_a_students_markup_is_text_in_the_report():
    from book.press.course.assignments import as_text
    from book.press.course.grading import line

    said = as_text(line("\x1b[2J<script>alert(1)</script>\x00", 200))
    assert "<" not in said and all(mark.isprintable() for mark in said)
