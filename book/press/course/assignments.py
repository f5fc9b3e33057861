"""The course's assignments: release them without solutions, and grade what comes back.

The sources in ``book/course/assignments`` are notebooks with nbgrader's cell metadata, so an
nbgrader hub can use them as they are. This tool needs no nbgrader: it makes the release versions,
runs submissions safely (see ``grading.py``), and writes reports and a gradebook.

    python -m book.press.course.assignments check
    python -m book.press.course.assignments release [--to FOLDER]
    python -m book.press.course.assignments grade SUBMITTED [--to REPORTS]
"""

from __future__ import annotations

import argparse
import ast
import copy
import hmac
import itertools
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from book.press.course import gradebook, grading
from book.press.course.grading import USUAL, Cell, Limits, Outcome, run_cells
from book.press.places import ROOT

SOURCES = ROOT / "book" / "course" / "assignments"
COURSE = ROOT / "book" / "_build" / "course" / "assignments"
LARGEST = 20 * 2**20  # bytes of a submitted notebook
CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.M | re.S)
HIDDEN = re.compile(r"^ *### BEGIN HIDDEN TESTS\n.*?^ *### END HIDDEN TESTS\n?", re.M | re.S)
SEED = re.compile(r"^SEED = \d+$", re.M)
RUBRIC = re.compile(r"^\| points \| rubric \|$(?:\n\|.*$)+", re.M)
LEVEL = re.compile(r"^\*\*Sample for (\d+) points?\.\*\*", re.M)
KEYS = {"schema_version", "grade_id", "grade", "solution", "locked", "task", "cell_type"}
CONFIG = """\
# For nbgrader: `nbgrader generate_assignment week1` and so on work in this folder.
c = get_config()
c.CourseDirectory.course_id = "static-vs-dynamic"
c.Execute.timeout = 60
"""


@dataclass(frozen=True)
class Part:
    """One cell of an assignment, by what nbgrader's metadata make of it."""

    name: str
    kind: str  # given, own (to be solved), test, written
    points: int
    cell: nbformat.NotebookNode
    task: str
    rubric: str = ""  # the table that says what earns a written answer its points

    @property
    def title(self) -> str:
        """What a test looks at, from its first line."""
        first = self.cell.source.partition("\n")[0]
        return first.lstrip("# ").removeprefix("Test: ") if self.kind == "test" else self.task


class Assignment:
    """A source notebook."""

    def __init__(self, path: Path) -> None:
        self.name, self.path = path.stem, path
        self.notebook = nbformat.read(path, as_version=4)

    @cached_property
    def title(self) -> str:
        """The first heading."""
        return self.notebook.cells[0].source.partition("\n")[0].lstrip("# ")

    @cached_property
    def parts(self) -> list[Part]:
        """The cells that nbgrader's metadata mark, in order."""
        found, task, rubric = [], self.title, ""
        for cell in self.notebook.cells:
            if cell.cell_type == "markdown":
                for line in re.findall(r"^## (.+)$", cell.source, re.M):
                    task, rubric = line, ""
                if table := RUBRIC.search(cell.source):
                    rubric = table[0].strip()
            marks = cell.metadata.get("nbgrader")
            if marks:
                kind = {(False, False): "given", (False, True): "own", (True, False): "test",
                        (True, True): "written"}[marks["grade"], marks["solution"]]  # fmt: skip
                name, points = marks["grade_id"], marks.get("points", 0)
                found.append(Part(name, kind, points, cell, task,
                                  rubric if kind == "written" else ""))  # fmt: skip
        return found

    @property
    def graded(self) -> list[Part]:
        """The parts that carry points."""
        return [part for part in self.parts if part.points]

    @property
    def points(self) -> int:
        """What a perfect submission gets."""
        return sum(part.points for part in self.parts)

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the source, one sentence each."""
        names = [part.name for part in self.parts]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"two cells are called {name}; rename one"
        if self.points != 100:
            yield f"the points add up to {self.points}; make them 100"
        for part in self.parts:
            marks, source = part.cell.metadata["nbgrader"], part.cell.source
            lacking = KEYS - set(marks) | ({"points"} if marks["grade"] else set()) - set(marks)
            if lacking or marks["schema_version"] != 3 or marks["cell_type"] != part.cell.cell_type:
                yield f"{part.name}: nbgrader's metadata are not whole ({', '.join(lacking)})"
            if marks["locked"] == (part.kind in ("own", "written")):
                yield f"{part.name}: lock given cells and tests, nothing else"
            if part.kind == "own" and not (
                SOLUTION.search(source) and re.search(rf"^(def|class) {part.name}\b", source, re.M)
            ):
                yield f"{part.name}: define {part.name} and mark its solution"
            if part.kind == "test":
                if not source.startswith("# Test: "):
                    yield f"{part.name}: begin with '# Test: ' and what is tested"
                if len(re.findall(r"^ *assert\b", source, re.M)) > source.count(", ("):
                    yield f"{part.name}: every assert needs a message, in brackets"
                if source.count("### BEGIN HIDDEN") != len(HIDDEN.findall(source)):
                    yield f"{part.name}: a hidden test has no end"
            if part.kind == "written":
                if not part.rubric:
                    yield f"{part.name}: a table | points | rubric | must stand in its task"
                levels = [int(points) for points in LEVEL.findall(source)]
                if len(levels) != 3 or levels != sorted(levels)[::-1] or levels[0] != part.points:
                    yield f"{part.name}: give samples for full, some and no points, in this order"
        for name in sorted(self.shown_only()):
            yield f"a test needs {name} from a cell that calls an answer; give it in another cell"
        if not any(HIDDEN.search(part.cell.source) for part in self.parts if part.kind == "test"):
            yield "there is no hidden test"

    def shown_only(self) -> set[str]:
        """Return the names that tests take from given cells that call an answer.

        Such cells show students what came out. They do not run where the tests do.
        """
        own = {part.name for part in self.parts if part.kind == "own"}
        shown, needed = set(), set()
        for part in self.parts:
            if part.kind in ("given", "test") and part.cell.cell_type == "code":
                names = [
                    n for n in ast.walk(ast.parse(part.cell.source)) if isinstance(n, ast.Name)
                ]
                bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
                used = {n.id for n in names} - bound
                if part.kind == "test":
                    needed |= used
                elif used & own:
                    shown |= bound
        return shown & needed

    def release(self) -> nbformat.NotebookNode:
        """Return the students' version: no solutions, no hidden tests, no outputs."""
        book = copy.deepcopy(self.notebook)
        for cell in book.cells:
            marks = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            if marks.get("solution"):
                cell.source = (
                    TEXT_STUB if cell.cell_type == "markdown" else SOLUTION.sub(stub, cell.source)
                )
            cell.source = HIDDEN.sub("", cell.source).rstrip("\n")
            if marks.get("locked"):
                cell.metadata.update(editable=False, deletable=False)
        return book


def stub(match: re.Match) -> str:
    """Return the placeholder of a solution, indented as the solution was."""
    return "\n".join(match[1] + line for line in CODE_STUB.splitlines())


def assignments() -> dict[str, Assignment]:
    """Return all assignments by name."""
    return {path.stem: Assignment(path) for path in sorted(SOURCES.glob("*.ipynb"))}


@dataclass(frozen=True)
class Mark:
    """What one part of a submission got, and why."""

    part: Part
    points: float
    passed: bool
    sentence: str


@dataclass
class Graded:
    """One student's graded submission."""

    student: str
    assignment: Assignment
    marks: list[Mark]
    answers: dict[str, str] = field(default_factory=dict)
    to_mark: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)
    file: str = ""  # its notebook, if the student handed in two

    @property
    def points(self) -> float:
        """The sum of the points."""
        return sum(mark.points for mark in self.marks)

    @property
    def lost(self) -> dict[str, float]:
        """The points lost, by the part that lost them."""
        gaps = {mark.part.name: mark.part.points - mark.points for mark in self.marks}
        return {name: gap for name, gap in gaps.items() if gap}


def woven(assignment: Assignment, submitted: nbformat.NotebookNode, seed: int | None) -> list[Cell]:
    """Return the cells to run: the course's given cells and tests, the student's own.

    Whatever a student did to a given cell or a test, the source's version runs. Cells that the
    student added run where they stand.
    """
    known = {part.name: part for part in assignment.parts}
    answers: dict[str, str] = {}
    added: dict[str, list[Cell]] = {}
    anchor = ""
    for number, cell in enumerate(submitted.cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in known and name not in answers:
            anchor, answers[name] = name, cell.source
        elif cell.cell_type == "code":
            added.setdefault(anchor, []).append(Cell(f"added {number}", "added", cell.source))
    cells = added.get("", [])
    for part in assignment.parts:
        if part.kind == "test":
            source = HIDDEN_MARKS.sub("", part.cell.source)
            source = source if seed is None else SEED.sub(f"SEED = {seed}", source)
            cells.append(Cell(part.name, "test", source))
        elif part.kind == "given" and part.cell.cell_type == "code":
            cells.append(Cell(part.name, "given", part.cell.source))
        elif part.kind == "own":
            makes = "class" if re.search(rf"^class {part.name}\b", part.cell.source, re.M) else ""
            cells.append(Cell(part.name, "own", answers.get(part.name, ""), makes))
        cells += added.get(part.name, [])
    return cells


HIDDEN_MARKS = re.compile(r"^ *### (BEGIN|END) HIDDEN TESTS\n?", re.M)


def grade(
    student: str,
    assignment: Assignment,
    submitted: nbformat.NotebookNode,
    *,
    limits: Limits = USUAL,
    seed: int | None = None,
    written: Mapping[str, tuple[float | None, str]] = {},
    files: Sequence[Path] = (),
    hidden: Sequence[Path] = (),
) -> Graded:
    """Grade one submission.

    Parameters
    ----------
    student : str
    assignment : Assignment
    submitted : notebook
    limits : Limits
    seed : int, optional
        For the hidden tests, instead of their own.
    written : dict of str to (float, str)
        Points and comment that a person gave to a written answer; None for the points if it still
        waits.
    files : sequence of Path
        Copied beside the notebook.
    hidden : sequence of Path
        Folders that the submission must not read.
    """
    done = run_cells(woven(assignment, submitted, seed), limits, files, hidden)
    texts = {
        cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source
        for cell in reversed(submitted.cells)
    }
    result = Graded(student, assignment, [])
    for part in assignment.graded:
        if part.kind == "test":
            outcome = done[part.name]
            passed = outcome.status == "ok"
            sentence = "" if passed else feedback(outcome, assignment, done, limits)
            result.marks.append(Mark(part, part.points if passed else 0, passed, sentence))
            continue
        text = texts.get(part.name, "").strip()
        if not text or text == TEXT_STUB:
            result.marks.append(Mark(part, 0, False, "No answer was given."))
        elif written.get(part.name, (None, ""))[0] is not None:
            points, comment = written[part.name]
            result.marks.append(Mark(part, points, points == part.points, comment))
        else:
            result.to_mark.add(part.name)
            result.marks.append(Mark(part, 0, False, "Waits for a person to mark it."))
        if text and text != TEXT_STUB:
            result.answers[part.name] = text
    parts = [part.name for part in assignment.parts if part.kind in ("own", "test")]
    result.remarks = remarks(done, parts, limits)
    return result


def remarks(done: Mapping[str, Outcome], parts: Sequence[str], limits: Limits) -> list[str]:
    """Return what a teacher should know besides the points."""
    found = []
    undone = sorted({name for outcome in done.values() for name in outcome.undone})
    if undone:
        found.append(
            f"The notebook replaced {', '.join(undone)}; it was put back before every test."
        )
    for name, outcome in done.items():
        heard = name in parts and outcome.status != "forged"  # a test's sentence says it
        if outcome.status not in ("ok", "error", "late") and not heard:
            found.append(f"Cell {name} was left out. {plain(outcome, limits)}")
    loud = sum(outcome.printed for outcome in done.values())
    if loud > 10**6:
        found.append(f"It printed {loud:,} characters; they were not kept.")
    return found


def feedback(
    outcome: Outcome, assignment: Assignment, done: Mapping[str, Outcome], limits: Limits
) -> str:
    """Say in one sentence or two why a test failed."""
    own = [part.name for part in assignment.parts if part.kind == "own"]
    if outcome.error == "NameError":
        for name in own:
            if f"'{name}'" in outcome.message:
                cell = done[name]
                why = "" if cell.status == "ok" else f" Its cell failed: {plain(cell, limits)}"
                return f"{name} is not defined.{why}"
    if outcome.error == "NotImplementedError":
        return "Not answered yet: the function still says NotImplementedError."
    if outcome.error == "AssertionError" and outcome.message and not outcome.where:
        return outcome.message
    return plain(outcome, limits)


def plain(outcome: Outcome, limits: Limits) -> str:
    """Say what stopped a cell."""
    if outcome.status == "error":
        words = f"{outcome.error}: {outcome.message}".rstrip(": ")
        return f"It stopped with {words}" + (f" ({outcome.where})." if outcome.where else ".")
    return {
        "slow": f"It was stopped after {limits.seconds:g} seconds of computing, or four times as "
                "long of waiting; is there a loop that never ends?",
        "disk": "It wrote more than 64 MB into its folder.",
        "forged": "It wrote into the line on which it answers the grader, so its answers do not "
                  "count.",
        "large": "It answered with more data than anybody needs.",
        "memory": f"It wanted more than {limits.megabytes:,} MB of memory.",
        "died": "It ended the whole process, so nothing could be tested.",
        "late": f"The whole notebook had already taken {limits.total:g} seconds, so this was not "
                "run.",
    }[outcome.status]  # fmt: skip


def unreadable(student: str, assignment: Assignment, why: str) -> Graded:
    """Return no points for a file that is no notebook, and say so."""
    marks = [Mark(part, 0, False, why) for part in assignment.graded]
    return Graded(student, assignment, marks, remarks=[why])


# Reports


def as_text(sentence: str) -> str:
    """Return a sentence in which a student's markup is text, also where Markdown admits HTML."""
    return sentence.replace("<", "&lt;")


def report(result: Graded) -> str:
    """Return what the student gets to read."""
    lines = [f"# {result.assignment.title}", "", f"**{result.student}: {amount(result)}**"]
    if result.to_mark:
        waiting = sum(m.part.points for m in result.marks if m.part.name in result.to_mark)
        lines[-1] += f" (written answers worth {waiting} points are still to be marked)"
    lines += ["", *(f"> {as_text(remark)}" for remark in result.remarks)]
    task = None
    for mark in result.marks:
        if mark.part.task != task:
            task = mark.part.task
            of = [m for m in result.marks if m.part.task == task]
            got, best = sum(m.points for m in of), sum(m.part.points for m in of)
            lines += ["", f"## {task}: {got:g} of {best}", ""]
        what = "written answer" if mark.part.kind == "written" else mark.part.title
        state = "" if mark.part.kind == "written" else ", passed" if mark.passed else ", failed"
        lines.append(f"- {what}: {mark.points:g} of {mark.part.points}{state}")
        if mark.sentence:
            lines.append(f"  - {as_text(mark.sentence)}")
    return "\n".join(lines) + "\n"


def amount(result: Graded) -> str:
    """Return the points in words."""
    return f"{result.points:g} of {result.assignment.points} points"


def summary(results: Sequence[Graded]) -> str:
    """Return what a class found easy and hard, for the teacher."""
    lines = []
    for name in dict.fromkeys(result.assignment.name for result in results):
        those = [result for result in results if result.assignment.name == name]
        lines += [f"# {those[0].assignment.title}", "", f"{len(those)} submissions.", ""]
        lines += ["| part | points | passed |", "|---|---|---|"]
        for k, part in enumerate(those[0].assignment.graded):
            passed = sum(result.marks[k].passed for result in those)
            what = part.title if part.kind == "test" else f"written: {part.task}"
            lines.append(f"| {what} | {part.points} | {passed} of {len(those)} |")
        lines.append("")
    return "\n".join(lines)


# Folders


@dataclass
class Submission:
    """What lies in the folder: a student's file, and what could be made of it."""

    student: str
    path: Path
    place: str  # the path within the folder
    assignment: Assignment | None = None
    book: nbformat.NotebookNode | None = None
    why: str = ""
    doubles: list[str] = field(default_factory=list)


def submissions(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield student and notebook from ``STUDENT.ipynb`` or ``STUDENT/…/NOTEBOOK.ipynb``.

    A student's folder without a notebook is yielded itself, and so is any other file in the folder
    whose name no notebook has: nobody who handed something in is left out of the gradebook.
    """
    seen = set()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).parts
        if path.suffix.lower() == ".ipynb" and ".ipynb_checkpoints" not in place:
            seen.add(place[0])
            yield named(path.stem if len(place) == 1 else place[0]), path
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and path.name not in seen and not path.name.startswith("."):
            yield named(path.name), path
    students = {Path(name).stem for name in seen} | seen
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir() and path.name not in seen and not path.name.startswith("."):
            if path.stem not in students:
                yield named(path.stem), path


def named(text: str) -> str:
    """Return a student's name that can be written, whatever bytes the file's name has."""
    return os.fsencode(text).decode(errors="replace")


def text_of(path: Path, folder: Path) -> str:
    """Return a notebook's text.

    Raises
    ------
    ValueError
        One sentence, if it is no plain file, lies elsewhere, is too large or no text.
    """
    if path.is_dir():
        raise ValueError("The folder holds no notebook (a file whose name ends with .ipynb).")
    if not stat.S_ISREG(path.lstat().st_mode) or folder.resolve() not in path.resolve().parents:
        raise ValueError(f"{path.name} is a link or no file; hand in the notebook itself.")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is larger than {LARGEST // 2**20} MB; clear outputs.")
    raw = path.read_bytes()
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    return raw.decode("utf-16" if wide else "utf-8-sig")


def whole(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a notebook whose cells have text and metadata.

    Raises
    ------
    ValueError
        If they do not.
    """
    for number, cell in enumerate(book.cells, 1):
        marks = cell.metadata.get("nbgrader", {})
        if not (isinstance(cell.source, str) and isinstance(cell.cell_type, str)
                and isinstance(marks.get("grade_id", ""), str)):  # fmt: skip
            raise ValueError(f"cell {number} is damaged")
    return book


def read_submission(
    student: str, path: Path, folder: Path, known: Mapping[str, Assignment]
) -> Submission:
    """Return which assignment a file answers, its notebook, and what is wrong with it."""
    one = Submission(student, path, named(path.relative_to(folder).as_posix()))
    one.assignment = next((a for a in known.values() if a.name in (path.stem, path.parent.name)),
                          known.get(path.name) if path.is_dir() else None)  # fmt: skip
    try:
        text = text_of(path, folder)
    except UnicodeDecodeError:
        text = ""
    except (ValueError, OSError) as error:
        one.why = grading.line(str(error), 300)
        return one
    try:
        one.book = whole(nbformat.reads(text, as_version=4))
        names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in one.book.cells}
    except Exception as error:
        one.book = None
        one.why = f"{path.name} is no notebook that can be read: {type(error).__name__}."
        return one
    share = {a: sum(p.name in names for p in a.parts) for a in known.values()}
    best = max(share, key=share.get)
    if share[best]:
        one.assignment = best
    else:
        one.book = None
        one.why = f"{path.name} holds no cell of an assignment; start from the released file."
    return one


def find_doubles(all_of: Sequence[Submission]) -> None:
    """Note on submissions that answer one assignment for one student that they do."""
    groups: dict[tuple[str, str], list[Submission]] = {}
    for one in all_of:
        if one.assignment:
            groups.setdefault((one.student, one.assignment.name), []).append(one)
    for those in groups.values():
        if len(those) > 1:
            for one in those:
                one.doubles = [other.place for other in those]


def check_written(
    written: Mapping[tuple[str, str], Mapping[str, tuple[float | None, str]]],
    all_of: Sequence[Submission],
    table: Path,
) -> None:
    """Refuse to go on if points were given to an answer that is not there any more.

    Raises
    ------
    SystemExit
        One sentence that names the student and the answer.
    """
    there = {(one.student, one.assignment.name): one for one in all_of if one.assignment}
    for (student, name), parts in written.items():
        one = there.get((student, name))
        if one and (one.book is None or one.doubles):
            continue  # kept in the table until there is one notebook that can be read
        texts = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source.strip()
                 for c in reversed(one.book.cells)} if one else {}  # fmt: skip
        for part, (points, _) in parts.items():
            if points is not None and texts.get(part, "") in ("", TEXT_STUB):
                raise SystemExit(
                    f"{table}: {student} has {points:g} points for {part} of {name}, but no such "
                    "answer is handed in; put it back, or take the row out, and grade again"
                )


def grade_one(one: Submission, **how: Any) -> Graded:
    """Grade a submission whatever is wrong with it; a fault in one ends nobody else's grading."""
    if one.book is None:
        done = unreadable(one.student, one.assignment, one.why)
    else:
        try:
            done = grade(one.student, one.assignment, one.book, **how)
        except grading.Broken:
            raise
        except Exception as error:
            why = f"{one.path.name} could not be graded: {type(error).__name__}: {error}"
            done = unreadable(one.student, one.assignment, grading.line(why, 300))
    if one.doubles:
        done.file = one.place
        done.remarks.insert(0, (
            f"{len(one.doubles)} notebooks of this student answer {one.assignment.name}: "
            f"{', '.join(one.doubles)}. This line is {done.file}; take out those that do not count "
            "and grade again."
        ))  # fmt: skip
    return done


def plain_name(text: str) -> str:
    """Return a name that leads nowhere else when it is used in a path, and is no table's."""
    name = re.sub(r"[^\w.@ -]", "_", text).strip(". ") or "_"
    return name + "_" if name.lower().endswith((".csv", ".md", ".new")) else name


def report_folders(students: Sequence[str], out: Path) -> dict[str, Path]:
    """Return a folder for each student's reports: no two share one, on any file system."""
    places: dict[str, Path] = {}
    taken: set[str] = set()
    for student in students:
        names = (plain_name(student) + (f" ({k})" if k else "") for k in itertools.count())
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        places[student] = out / name
    return places


def seed_of(student: str, secret: str) -> int:
    """Return a student's own seed: the same at each grading, and unknown without the secret.

    >>> seed_of("ada", "autumn"), seed_of("ben", "autumn"), seed_of("ada", "spring")
    (2545803600, 114908753, 2952098231)
    """
    return int.from_bytes(hmac.digest(secret.encode(), student.encode(), "sha256")[:4], "big")


def grade_folder(
    folder: Path,
    out: Path,
    *,
    limits: Limits = USUAL,
    seed: int | None = None,
    secret: str = "",
    jobs: int = 2,
) -> list[Graded]:
    """Grade every submission in a folder; write reports, gradebook and what a person must mark.

    With a secret, each student has hidden tests on rows of their own.
    """
    known = assignments()
    rows = gradebook.read_written(out / "written.csv")
    found = [read_submission(student, path, folder, known) for student, path in submissions(folder)]
    if not found:
        raise SystemExit(f"{folder} holds no notebook; give the folder with the submissions")
    find_doubles(found)
    students = list(dict.fromkeys(one.student for one in found))
    written = gradebook.matched(rows, out / "written.csv", students, known)
    check_written(written, found, out / "written.csv")
    print(grading.promise(), flush=True)

    def run(one: Submission) -> Graded:
        marks = {} if one.doubles else written.get((one.student, one.assignment.name), {})
        own = seed_of(one.student, secret) if secret else seed
        done = grade_one(one, limits=limits, seed=own, written=marks, hidden=(folder, out))
        print(f"{one.student}, {one.assignment.name}: {amount(done)}", flush=True)
        return done

    with ThreadPoolExecutor(jobs) as pool:
        graded = list(pool.map(run, [one for one in found if one.assignment]))
    unread = [one for one in found if not one.assignment]
    for one in unread:
        print(f"{one.place}: {one.why}", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)
    places = report_folders(students, out)
    for result in graded:
        which = f" ({plain_name(result.file)})" if result.file else ""
        path = places[result.student] / f"{result.assignment.name}{which}.md"
        path.parent.mkdir(exist_ok=True)
        gradebook.replace(path, report(result))
    gradebook.write_gradebook(graded, [(one.student, one.why) for one in unread], out)
    gradebook.write_written(graded, written, out)
    gradebook.replace(out / "summary.md", summary(graded))
    return graded


def release(to: Path) -> list[Path]:
    """Write the students' versions, in the folders that nbgrader wants; return their paths."""
    paths = []
    for name, assignment in assignments().items():
        for kind, book in (("source", assignment.notebook), ("release", assignment.release())):
            path = to / kind / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(book, path)
        paths.append(path)
    (to / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    return paths


def main(argv: Sequence[str] | None = None) -> int:
    """Check, release or grade."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="say what is wrong with the sources")
    asked = verbs.add_parser("release", help="write the versions without solutions")
    asked.add_argument("--to", type=Path, default=COURSE)
    asked = verbs.add_parser("grade", help="grade a folder of submissions")
    asked.add_argument("folder", type=Path)
    asked.add_argument("--to", type=Path, default=Path("reports"), help="where reports go")
    asked.add_argument("--seconds", type=float, default=USUAL.seconds, help="for each cell")
    asked.add_argument("--megabytes", type=int, default=USUAL.megabytes)
    rows = asked.add_mutually_exclusive_group()
    rows.add_argument("--seed", type=int, help="other hidden tests than the published ones")
    rows.add_argument("--secret", default="", help="a word: other hidden tests for each student")
    asked.add_argument("--jobs", type=int, default=2, help="submissions at a time")
    args = parser.parse_args(argv)
    if args.verb == "check":
        bad = [f"{a.path.name}: {what}" for a in assignments().values() for what in a.problems()]
        print("\n".join(bad) or "the assignments are whole")
        return 1 if bad else 0
    if args.verb == "release":
        for path in release(args.to):
            print(path)
        return 0
    limits = Limits(seconds=args.seconds, megabytes=args.megabytes)
    results = grade_folder(
        args.folder, args.to, limits=limits, seed=args.seed, secret=args.secret, jobs=args.jobs
    )
    waiting = sum(len(result.to_mark) for result in results)
    print(f"{len(results)} graded; reports and gradebook.csv are in {args.to}")
    if waiting:
        some = f"{waiting} written answers wait" if waiting > 1 else "One written answer waits"
        print(f"{some}: read written.md, fill in written.csv, grade again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
