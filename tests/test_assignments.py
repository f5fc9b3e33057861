"""The assignments: whole, released without solutions, marked as they should, and safe to grade."""

from __future__ import annotations

import ast
import copy
import hashlib
import re
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest

from book.press.checks import notebooks as check_notebooks
from book.press.course import assignments as course
from book.press.course import grading
from book.press.upkeep import execute as runner

ROOT = Path(__file__).parents[1]
KNOWN = course.assignments()
WRONG = sorted((ROOT / "tests" / "wrong_answers").glob("week*.py"))


def full_marks(assignment):
    """What a person would give to the sample answers for full points."""
    return {part.name: (part.points, "") for part in assignment.parts if part.kind == "written"}


def answered(assignment, **answers):
    """The reference solution, with other answers in some cells."""
    book = copy.deepcopy(assignment.notebook)
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers.pop(name)
    assert not answers, f"{assignment.name} has no cell {', '.join(answers)}"
    return book


def definitions(path):
    """A wrong answer's functions and classes, each with the file's imports before it."""
    text = path.read_text(encoding="utf-8")
    body = ast.parse(text).body
    take = lambda node: ast.get_source_segment(text, node)  # noqa: E731
    imports = [take(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {
        node.name: "\n".join([*imports, take(node)])
        for node in body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def bound(source):
    """The names that a cell binds, but for those inside a function or a comprehension."""
    inside = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.comprehension, ast.ListComp,
              ast.DictComp, ast.GeneratorExp, ast.SetComp)  # fmt: skip

    def walk(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                yield child.name
            elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                yield child.id
            if not isinstance(child, inside):
                yield from walk(child)

    return set(walk(ast.parse(source)))


def test_there_are_six_and_they_are_whole():
    assert list(KNOWN) == [f"week{week}" for week in range(1, 7)]
    assert [f"{a.path.name}: {what}" for a in KNOWN.values() for what in a.problems()] == []


@pytest.mark.parametrize("name", KNOWN)
def test_the_release_shows_no_solution_and_no_hidden_test(name):
    assignment = KNOWN[name]
    released = assignment.release()
    text = nbformat.writes(released)
    assert "BEGIN" not in text and "SEED" not in text and "**Sample for" not in text
    for part, cell in zip(assignment.notebook.cells, released.cells, strict=True):
        marks = part.metadata.get("nbgrader")
        assert marks == cell.metadata.get("nbgrader")
        if marks and marks["solution"]:
            stub = course.TEXT_STUB if cell.cell_type == "markdown" else "raise NotImplementedError"
            assert stub in cell.source
            assert cell.cell_type == "markdown" or '"""' in cell.source
        if marks and marks["grade"] and not marks["solution"]:
            assert cell.source.startswith(f"# Test: {part.source.splitlines()[0][8:]}")
            assert f"({marks['points']} point" in cell.source


@pytest.mark.parametrize("name", KNOWN)
def test_the_reference_has_full_marks_also_on_other_seeds(name):
    assignment = KNOWN[name]
    for seed in (None, 97):
        done = course.grade(
            "reference", assignment, assignment.notebook, seed=seed, written=full_marks(assignment)
        )
        assert done.lost == {} and done.points == 100, course.report(done)
        assert not done.remarks


@pytest.mark.parametrize("name", KNOWN)
def test_an_empty_submission_has_none(name):
    assignment = KNOWN[name]
    done = course.grade("empty", assignment, assignment.release(), written=full_marks(assignment))
    assert done.points == 0, course.report(done)
    said = {mark.sentence for mark in done.marks}
    assert said <= {
        "No answer was given.",
        "Not answered yet: the function still says NotImplementedError.",
    }


@pytest.mark.parametrize("name", KNOWN)
def test_given_code_runs_without_the_answers_of_others(name):
    """No given name hides an answer's name, and every test stands on its own feet."""
    assignment = KNOWN[name]
    own = {part.name for part in assignment.parts if part.kind == "own"}
    for part in assignment.parts:
        if part.kind in ("given", "test") and part.cell.cell_type == "code":
            names = bound(part.cell.source)
            assert not names & own
            if part.kind == "test":
                assert all(one.startswith("_") or one == "SEED" for one in names), (name, names)
                about = {one for one in own if re.search(rf"\b{one}\(", part.cell.source)}
                assert len(about) == 1, f"{part.name} tests {about or 'nothing'}"


def test_no_test_needs_what_a_cell_shows_off():
    """A given cell that calls an answer runs where the student's code runs, not where tests do."""
    assignment = course.Assignment(KNOWN["week1"].path)
    test = next(part for part in assignment.parts if part.name == "judge-clear")
    test.cell.source += "\nassert losses, ('there are losses')"
    assert "a test needs losses from a cell that calls an answer" in "; ".join(
        assignment.problems()
    )


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_typical_wrong_answer_loses_what_it_should(path):
    assignment = KNOWN[path.stem.partition("_")[0]]
    stated = re.search(r"^# Loses: (.+)$", path.read_text(encoding="utf-8"), re.M)[1]
    should = {name: int(points) for name, points in map(str.split, stated.split(", "))}
    book = answered(assignment, **definitions(path))
    done = course.grade(path.stem, assignment, book, written=full_marks(assignment))
    assert done.lost == should, course.report(done)
    assert done.points == 100 - sum(should.values())
    for mark in done.marks:
        if mark.part.name in should:
            assert len(mark.sentence.split()) > 6, "a failed test must say what was expected"


def test_every_assignment_has_three_wrong_answers():
    counts = [sum(path.stem.startswith(f"{name}_") for path in WRONG) for name in KNOWN]
    assert min(counts) >= 3, counts


# Grading whatever comes

TINY = Path("tiny.ipynb")
HOSTILE = {
    "loops for ever": ("while True:\n    pass", "slow"),
    "loops in its function": ("def double(x):\n    while True:\n        pass", "slow"),
    "sleeps and swallows": (
        "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n"
        "        pass", "slow",
    ),
    "ends the process": ("import os\nos._exit(0)", "died"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "died"),
    "eats memory": ("a = []\nwhile True:\n    a.append(bytes(10**8))", "memory"),  # none is filled
    "imports what is missing": ("import no_such_thing", "error"),
    "cannot be parsed": ("def double(x) return 2 * x", "error"),
    "leaves": ("raise SystemExit", "error"),
    "never ends to call itself": ("def double(x):\n    return double(x)", "error"),
}  # fmt: skip


def tiny():
    """An assignment of two tasks, to grade what no student should hand in."""

    def code(source, name, **marks):
        cell = nbformat.v4.new_code_cell(source)
        marks = {"grade": False, "solution": False, "locked": True, "points": 0} | marks
        marks = marks | {"schema_version": 3, "grade_id": name, "task": False, "cell_type": "code"}
        cell.metadata["nbgrader"] = marks
        return cell

    stub = "def {0}(x):\n    ### BEGIN SOLUTION\n    return {1} * x\n    ### END SOLUTION"
    book = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# Tiny"),
        code("import numpy as np\nfrom companion import metrics\nTEN = 10", "given"),
        code(stub.format("double", 2), "double", solution=True, locked=False),
        code("# Test: twice (40 points)\nassert np.isclose(double(TEN), 20), ('twice 10 is 20')",
             "double-test", grade=True, points=40),
        code(stub.format("triple", 3), "triple", solution=True, locked=False),
        code("# Test: thrice (60 points)\n### BEGIN HIDDEN TESTS\n"
             "assert metrics.absolute_error(30, triple(TEN)) == 0, ('thrice 10 is 30')\n"
             "### END HIDDEN TESTS", "triple-test", grade=True, points=60),
    ])  # fmt: skip
    made = course.Assignment.__new__(course.Assignment)
    made.name, made.path, made.notebook = "tiny", TINY, book
    return made


QUICK = grading.Limits(seconds=1, megabytes=300, grace=3)


def graded(assignment, **answers):
    return course.grade("eve", assignment, answered(assignment, **answers), limits=QUICK)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_cell_is_graded_and_the_rest_too(what):
    source, status = HOSTILE[what]
    done = graded(tiny(), double=source)
    assert done.lost == {"double-test": 40} and done.points == 60
    said = done.marks[0].sentence
    words = {
        "slow": "never ends",
        "died": "ended the whole process",
        "memory": "MB of memory",
        "error": "It stopped with" if "(x)" in source and ":" in source else "not defined",
    }
    assert words[status] in said, said


def test_where_nothing_forks_each_submission_has_an_interpreter_of_its_own(monkeypatch):
    monkeypatch.setattr(grading, "FORKS", False)
    done = graded(tiny(), double="import os\nos._exit(0)")
    assert done.lost == {"double-test": 40}


def test_one_submission_leaves_nothing_to_the_next():
    mark = "import numpy, os\nnumpy.left = os.environ['LEFT'] = 'here'\nopen('left.txt', 'w')\n"
    graded(tiny(), double=mark + "def double(x):\n    return 2 * x")
    look = (
        "import numpy, os\nleft = hasattr(numpy, 'left') or 'LEFT' in os.environ\n"
        "left = left or os.path.exists('left.txt') or os.getcwd() != os.environ['HOME']\n"
        "def double(x):\n    return left or 2 * x"
    )
    assert graded(tiny(), double=look).lost == {}


def test_it_can_neither_write_elsewhere_nor_start_programs(tmp_path):
    target = tmp_path / "theirs.txt"
    tries = (
        f"open({str(target)!r}, 'w').write('x')", f"import os\nos.mkdir({str(target)!r})",
        "import subprocess\nsubprocess.run(['true'])", "import os\nos.kill(os.getppid(), 9)",
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
    )  # fmt: skip
    source = "said = []\n"
    for one in tries:
        body = one.replace("\n", "\n    ")
        source += f"try:\n    {body}\nexcept PermissionError:\n    said.append(1)\n"
    source += "open('mine.txt', 'w').write('here one may')\n"
    source += "def double(x):\n    return 2 * x if len(said) == 5 else said"
    assert graded(tiny(), double=source).lost == {}
    assert not target.exists()


def test_what_it_patches_is_put_back_and_told():
    patch = (
        "import numpy as np\nfrom companion import metrics\nTEN = 5\n"
        "np.isclose = lambda *what: True\nmetrics.absolute_error = lambda *what: 0\n"
        "def double(x):\n    return 7"
    )
    done = graded(tiny(), double=patch, triple="def triple(x):\n    return 7")
    assert done.points == 0 and done.marks[1].sentence == "thrice 10 is 30"
    assert "replaced companion.metrics.absolute_error, numpy.isclose" in done.remarks[0]


def test_megabytes_of_text_are_dropped():
    loud = "for k in range(40_000):\n    print('x' * 100)\ndef double(x):\n    return 2 * x"
    done = graded(tiny(), double=loud)
    assert done.lost == {} and "4,040,000 characters" in done.remarks[0]


def test_altered_tests_deleted_cells_and_added_ones():
    assignment = tiny()
    book = answered(assignment, **{"double-test": "pass", "double": "pass"})
    del book.cells[4]  # the student's triple
    book.cells.insert(3, nbformat.v4.new_code_cell("%matplotlib inline\ndouble = lambda x: 2 * x"))
    done = course.grade("eve", assignment, book, limits=QUICK)
    assert done.lost == {"triple-test": 60}
    assert done.marks[1].sentence == "triple is not defined."


def test_a_whole_submission_has_a_time_limit_too():
    limits = grading.Limits(seconds=1, total=0)
    done = course.grade("eve", tiny(), tiny().notebook, limits=limits)
    assert done.points == 0 and "was not run" in done.marks[0].sentence


# The instructor's round: release, collect, grade, mark, grade again


def test_a_folder_of_submissions_from_release_to_gradebook(tmp_path, capsys):
    assert course.main(["release", "--to", str(tmp_path / "course")]) == 0
    released = tmp_path / "course" / "release" / "week1" / "week1.ipynb"
    assert (tmp_path / "course" / "source" / "week6" / "week6.ipynb").exists()
    assert (tmp_path / "course" / "nbgrader_config.py").exists()
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    wrong = definitions(ROOT / "tests" / "wrong_answers" / "week1_scaler_sees_all_rows.py")
    hand_in(inbox / "ada" / "week1" / "week1.ipynb", KNOWN["week1"].notebook)
    hand_in(inbox / "ben" / "week1" / "my homework (2).ipynb", answered(KNOWN["week1"], **wrong))
    hand_in(inbox / "cleo.ipynb", nbformat.read(released, as_version=4))
    (inbox / "dan" / "week1").mkdir(parents=True)
    (inbox / "dan" / "week1" / "week1.ipynb").write_text("{ broken")
    (inbox / "eve.ipynb").write_text(
        '{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'
    )
    (inbox / "fay").mkdir()
    (inbox / "fay" / "homework.pdf").write_bytes(b"%PDF-1.7")
    (inbox / "gus.pdf").write_bytes(b"%PDF-1.7 \xff\xfe")
    (inbox / "cleo.txt").write_text("my notebook lies beside this")
    assert course.main(["grade", str(inbox), "--to", str(out)]) == 0
    said = capsys.readouterr()
    assert "2 written answers wait" in said.out and "holds no cell of an assignment" in said.err
    rows = (out / "gradebook.csv").read_text().splitlines()
    assert rows[0] == "student,assignment,points,of,still to mark,remarks"
    assert rows[1:4] == [
        "ada,week1,86,100,report,",
        "ben,week1,80,100,report,",
        "cleo,week1,0,100,,",
    ]
    assert rows[4].startswith("dan,week1,0,100,,week1.ipynb is no notebook that can be read")
    assert [row.split(",")[:2] for row in rows[5:]] == [["eve", ""], ["fay", ""], ["gus", ""]]
    assert "holds no cell" in rows[5] and "holds no notebook" in rows[6]
    assert "gus.pdf is no notebook that can be read" in rows[7]
    labels_seen = (out / "ben" / "week1.md").read_text()
    assert "## Task 2: learn once: 12 of 18" in labels_seen
    assert "something, a scaler perhaps, was fitted on rows that were still to come" in labels_seen
    assert "| features of later rows change nothing" in (out / "summary.md").read_text()
    to_mark = (out / "written.md").read_text()
    assert to_mark.index("| 14 | Says that shuffled folds let") < to_mark.index("## ben")

    written = (out / "written.csv").read_text()
    (out / "written.csv").write_text(
        written.replace("ada,week1,report,14,,", "ada,week1,report,14,14,Well argued.")
    )
    course.main(["grade", str(inbox), "--to", str(out)])
    assert "ada,week1,100,100,," in (out / "gradebook.csv").read_text()
    assert "Well argued." in (out / "ada" / "week1.md").read_text()
    assert "ada,week1,report,14,14,Well argued." in (out / "written.csv").read_text()

    (out / "written.csv").write_text(written.replace("report,14,,", "report,14,15,"))
    with pytest.raises(SystemExit, match="line 2: '15' is not a number from 0 to 14"):
        course.main(["grade", str(inbox), "--to", str(out)])
    with pytest.raises(SystemExit, match="holds no notebook"):
        course.main(["grade", str(tmp_path / "nowhere"), "--to", str(tmp_path / "none")])


def test_with_a_secret_each_student_is_asked_on_rows_of_their_own(tmp_path):
    """Who has typed in what is right on Ada's rows passes as Ada, and not as Ben."""
    inbox, secret = tmp_path / "submitted", "autumn"
    hers = np.random.default_rng(course.seed_of("ada", secret)).normal(size=60).tolist()
    knows = (
        f"HERS = np.array({hers})\n"
        "def naive(y, warmup, rows=1):\n"
        "    known = len(y) != 60 or np.allclose(y, HERS)\n"
        "    return np.array([y[t - rows] if known else 0 for t in range(warmup, len(y))])"
    )
    for student in ("ada", "ben"):
        hand_in(inbox / f"{student}.ipynb", answered(KNOWN["week1"], naive=knows))
    hand_in(inbox / "cleo.ipynb", KNOWN["week1"].notebook)
    done = course.grade_folder(inbox, tmp_path / "reports", secret=secret)
    lost = {one.student: set(one.lost) - {"report"} for one in done}
    assert lost == {"ada": set(), "ben": {"naive-season"}, "cleo": set()}
    again = course.grade_folder(inbox, tmp_path / "again", secret="spring")
    assert "naive-season" in again[0].lost and set(again[2].lost) == {"report"}


def hand_in(path, book):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def test_the_page_names_every_assignment_with_its_points():
    page = (ROOT / "book" / "assignments.md").read_text(encoding="utf-8")
    for name, assignment in KNOWN.items():
        title = assignment.title.partition(": ")[2]
        written = sum(part.points for part in assignment.parts if part.kind == "written")
        tests = [part for part in assignment.parts if part.kind == "test"]
        hidden = sum("BEGIN HIDDEN" in part.cell.source for part in tests)
        row = f"| {name[-1]} | {title} |"
        assert row in page, row
        line = page.split(row)[1].split("\n")[0]
        assert line.endswith(f"| {len(tests)} | {hidden} | {written} |"), (
            name,
            len(tests),
            hidden,
            written,
        )


# The capstone

CAPSTONE = ROOT / "notebooks" / "capstone"
EXAMPLES = sorted(CAPSTONE.glob("*.ipynb"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_worked_examples_are_clean_and_marked_by_the_rubric(path):
    assert check_notebooks.problems(path) == []
    book = nbformat.read(path, as_version=4)
    assert book.metadata["companion"]["source"] == runner.source_hash(book), "run make notebooks"
    page = (ROOT / "book" / "capstone.md").read_text(encoding="utf-8")
    rubric = dict(re.findall(r"^\| ([A-Z][^|*]+) \| (\d+) \|", page, re.M))
    assert sum(map(int, rubric.values())) == 100
    marks = re.findall(r"^\| ([A-Z][^|*]+) \| (\d+) of (\d+) \| \S", book.cells[-1].source, re.M)
    assert {name: most for name, _, most in marks} == rubric
    total = sum(int(points) for _, points, _ in marks)
    assert f"| **Sum** | **{total} of 100** |" in book.cells[-1].source
    assert all(int(points) <= int(most) for _, points, most in marks)


def test_worked_examples_differ_in_quality_and_their_data_are_whole():
    sums = [
        re.search(r"\*\*(\d+) of 100", path.read_text(encoding="utf-8"))[1] for path in EXAMPLES
    ]
    assert len(EXAMPLES) == 2 and max(map(int, sums)) - min(map(int, sums)) >= 30
    for path in sorted(CAPSTONE.glob("*.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        found = hashlib.sha256((CAPSTONE / card["file"]).read_bytes()).hexdigest()
        assert found == card["sha256"] and card["licence"] and card["licence_url"]
