"""The course's assignments: release them without solutions, and grade what comes back.

The sources in ``book/course/assignments`` are notebooks with nbgrader's cell metadata, so an
nbgrader hub can use them as they are. This tool needs no nbgrader: it makes the release versions,
runs submissions safely (see ``grading.py``), and writes reports and a gradebook.

    assignments.py check
    assignments.py release [--to FOLDER]
    assignments.py grade SUBMITTED [--to REPORTS]
"""

from __future__ import annotations

import argparse
import copy
import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat
from grading import USUAL, Cell, Limits, Outcome, run_cells

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "book" / "course" / "assignments"
COURSE = ROOT / "book" / "_build" / "course" / "assignments"
LARGEST = 20 * 2**20  # bytes of a submitted notebook
CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.M | re.S)
HIDDEN = re.compile(r"^ *### BEGIN HIDDEN TESTS\n.*?^ *### END HIDDEN TESTS\n?", re.M | re.S)
SEED = re.compile(r"^SEED = \d+$", re.M)
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
        found, task = [], self.title
        for cell in self.notebook.cells:
            if cell.cell_type == "markdown":
                for line in re.findall(r"^## (.+)$", cell.source, re.M):
                    task = line
            marks = cell.metadata.get("nbgrader")
            if marks:
                kind = {(False, False): "given", (False, True): "own", (True, False): "test",
                        (True, True): "written"}[marks["grade"], marks["solution"]]  # fmt: skip
                name, points = marks["grade_id"], marks.get("points", 0)
                found.append(Part(name, kind, points, cell, task))
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
                levels = [int(points) for points in LEVEL.findall(source)]
                if len(levels) != 3 or levels != sorted(levels)[::-1] or levels[0] != part.points:
                    yield f"{part.name}: give samples for full, some and no points, in this order"
        if not any(HIDDEN.search(part.cell.source) for part in self.parts if part.kind == "test"):
            yield "there is no hidden test"

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
            added.setdefault(anchor, []).append(Cell(f"added {number}", "own", cell.source))
    cells = added.get("", [])
    for part in assignment.parts:
        if part.kind == "test":
            source = HIDDEN_MARKS.sub("", part.cell.source)
            source = source if seed is None else SEED.sub(f"SEED = {seed}", source)
            cells.append(Cell(part.name, "test", source))
        elif part.kind == "given" and part.cell.cell_type == "code":
            cells.append(Cell(part.name, "given", part.cell.source))
        elif part.kind == "own":
            cells.append(Cell(part.name, "own", answers.get(part.name, "")))
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
    written: Mapping[str, tuple[float, str]] = {},
    files: Sequence[Path] = (),
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
        Points and comment that a person gave to a written answer.
    files : sequence of Path
        Copied beside the notebook.
    """
    done = run_cells(woven(assignment, submitted, seed), limits, files)
    texts = {
        cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in submitted.cells
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
        elif part.name in written:
            points, comment = written[part.name]
            result.marks.append(Mark(part, points, points == part.points, comment))
        else:
            result.to_mark.add(part.name)
            result.marks.append(Mark(part, 0, False, "Waits for a person to mark it."))
        if text and text != TEXT_STUB:
            result.answers[part.name] = text
    result.remarks = remarks(done)
    return result


def remarks(done: Mapping[str, Outcome]) -> list[str]:
    """Return what a teacher should know besides the points."""
    found = []
    undone = sorted({name for outcome in done.values() for name in outcome.undone})
    if undone:
        found.append(
            f"The notebook replaced {', '.join(undone)}; it was put back before every test."
        )
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


def report(result: Graded) -> str:
    """Return what the student gets to read."""
    lines = [f"# {result.assignment.title}", "", f"**{result.student}: {amount(result)}**"]
    if result.to_mark:
        waiting = sum(m.part.points for m in result.marks if m.part.name in result.to_mark)
        lines[-1] += f" (written answers worth {waiting} points are still to be marked)"
    lines += ["", *(f"> {remark}" for remark in result.remarks)]
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
            lines.append(f"  - {mark.sentence}")
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


def write_gradebook(results: Sequence[Graded], folder: Path) -> None:
    """Write one table over all, and one table an assignment with a column for each part."""
    with open(folder / "gradebook.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", "assignment", "points", "of", "still to mark", "remarks"])
        for one in results:
            table.writerow([one.student, one.assignment.name, f"{one.points:g}",
                            one.assignment.points, " ".join(sorted(one.to_mark)),
                            " ".join(one.remarks)])  # fmt: skip
    for name in dict.fromkeys(result.assignment.name for result in results):
        those = [result for result in results if result.assignment.name == name]
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["student", "points", *(p.name for p in those[0].assignment.graded)])
            for one in those:
                table.writerow([one.student, f"{one.points:g}",
                                *(f"{mark.points:g}" for mark in one.marks)])  # fmt: skip


WRITTEN = ("student", "assignment", "part", "of", "points", "comment")


def read_written(path: Path) -> dict[tuple[str, str], dict[str, tuple[float, str]]]:
    """Return the points that a person has filled in, by student and assignment.

    Raises
    ------
    SystemExit
        One sentence, if the points are no number or more than there are.
    """
    found: dict[tuple[str, str], dict[str, tuple[float, str]]] = {}
    if not path.exists():
        return found
    with open(path, newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            given = (row.get("points") or "").strip()
            if not given:
                continue
            try:
                points = float(given)
                fits = 0 <= points <= float(row["of"])
            except ValueError:
                fits = False
            if not fits:
                raise SystemExit(
                    f"{path}, line {number}: {given!r} is not a number from 0 to {row['of']}; "
                    "mend it and grade again"
                )
            key = (row["student"], row["assignment"])
            found.setdefault(key, {})[row["part"]] = (points, row.get("comment") or "")
    return found


def write_written(results: Sequence[Graded], folder: Path) -> None:
    """Write the table in which a person marks, and beside it the answers under their rubric."""
    with open(folder / "written.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(WRITTEN)
        for one in results:
            for mark in one.marks:
                if mark.part.name in one.answers:
                    waits = mark.part.name in one.to_mark
                    table.writerow([one.student, one.assignment.name, mark.part.name,
                                    mark.part.points, "" if waits else f"{mark.points:g}",
                                    "" if waits else mark.sentence])  # fmt: skip
    parts = {(r.assignment.name, m.part.name): m.part for r in results for m in r.marks
             if m.part.kind == "written"}  # fmt: skip
    lines: list[str] = []
    for (name, part_name), part in parts.items():
        lines += [f"# {name}, {part_name} ({part.points} points)", "", part.cell.source, ""]
        for one in results:
            if one.assignment.name == name and part_name in one.answers:
                lines += [f"## {one.student}", "", one.answers[part_name], ""]
    (folder / "written.md").write_text("\n".join(lines), encoding="utf-8")


# Folders


def submissions(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield student and notebook from ``STUDENT.ipynb`` or ``STUDENT/…/NOTEBOOK.ipynb``."""
    for path in sorted(folder.rglob("*.ipynb")):
        place = path.relative_to(folder).parts
        if ".ipynb_checkpoints" not in place:
            yield (path.stem if len(place) == 1 else place[0]), path


def read_submission(
    student: str, path: Path, known: Mapping[str, Assignment]
) -> tuple[Assignment | None, nbformat.NotebookNode | None, str]:
    """Return which assignment a file answers, its notebook, and what is wrong with it."""
    named = next((a for a in known.values() if a.name in (path.stem, path.parent.name)), None)
    try:
        if path.stat().st_size > LARGEST:
            return named, None, f"{path.name} is larger than {LARGEST // 2**20} MB; clear outputs."
        book = nbformat.read(path, as_version=4)
        names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in book.cells}
    except Exception as error:
        return named, None, f"{path.name} is no notebook that can be read: {type(error).__name__}."
    share = {a: sum(p.name in names for p in a.parts) for a in known.values()}
    best = max(share, key=share.get)
    if share[best]:
        return best, book, ""
    return named, None, f"{path.name} holds no cell of an assignment; start from the released file."


def grade_folder(
    folder: Path,
    out: Path,
    *,
    limits: Limits = USUAL,
    seed: int | None = None,
    jobs: int = 2,
) -> list[Graded]:
    """Grade every submission in a folder; write reports, gradebook and what a person must mark."""
    known = assignments()
    written = read_written(out / "written.csv")
    found = list(submissions(folder))
    if not found:
        raise SystemExit(f"{folder} holds no notebook; give the folder with the submissions")

    def one(item: tuple[str, Path]) -> Graded | str:
        student, path = item
        assignment, book, why = read_submission(student, path, known)
        if assignment is None:
            return f"{path}: {why}"
        if book is None:
            return unreadable(student, assignment, why)
        done = grade(student, assignment, book, limits=limits, seed=seed,
                     written=written.get((student, assignment.name), {}))  # fmt: skip
        print(f"{student}, {assignment.name}: {amount(done)}", flush=True)
        return done

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(one, found))
    for text in results:
        if isinstance(text, str):
            print(text, file=sys.stderr)
    graded = [result for result in results if not isinstance(result, str)]
    out.mkdir(parents=True, exist_ok=True)
    for result in graded:
        place = out / re.sub(r"[^\w.@ -]", "_", result.student)
        place.mkdir(exist_ok=True)
        (place / f"{result.assignment.name}.md").write_text(report(result), encoding="utf-8")
    write_gradebook(graded, out)
    write_written(graded, out)
    (out / "summary.md").write_text(summary(graded), encoding="utf-8")
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
    asked.add_argument("--seed", type=int, help="other hidden tests than the published ones")
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
    results = grade_folder(args.folder, args.to, limits=limits, seed=args.seed, jobs=args.jobs)
    waiting = sum(len(result.to_mark) for result in results)
    print(f"{len(results)} graded; reports and gradebook.csv are in {args.to}")
    if waiting:
        some = f"{waiting} written answers wait" if waiting > 1 else "One written answer waits"
        print(f"{some}: read written.md, fill in written.csv, grade again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
