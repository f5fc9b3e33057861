"""The assignments: whole, released without solutions, marked as they should, and safe to grade."""

from __future__ import annotations

import ast
import copy
import re
from pathlib import Path

import assignments as course
import grading
import nbformat
import pytest

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
    """The names that a cell binds, but for those inside a comprehension."""
    nodes = list(ast.walk(ast.parse(source)))
    inner = {
        node.id
        for each in nodes if isinstance(each, ast.comprehension)
        for node in ast.walk(each.target) if isinstance(node, ast.Name)
    }  # fmt: skip
    stored = (node for node in nodes if isinstance(node, ast.Name))
    return {node.id for node in stored if isinstance(node.ctx, ast.Store)} - inner


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
