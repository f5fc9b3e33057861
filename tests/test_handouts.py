"""What a course hands out: no line of a solution for students, all of them for instructors."""

from __future__ import annotations

import json
import re
import zipfile

import nbformat
import pytest
from nbclient import NotebookClient

from book.press import address
from book.press.course import handouts

BOOKS = sorted(handouts.NOTEBOOKS.glob("[0-9]*.ipynb"))


def solutions(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", [])]


def lines(cells: list[nbformat.NotebookNode]) -> set[str]:
    return {line.strip() for cell in cells for line in cell.source.splitlines() if line.strip()}


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_student_gets_all_but_the_solutions(path):
    chapter = nbformat.read(path, as_version=4)
    untouched = nbformat.writes(chapter)
    student = handouts.student(chapter, path.stem)
    assert nbformat.writes(chapter) == untouched
    assert len(student.cells) == len(chapter.cells)
    answers = [cell for cell in student.cells if "answer" in cell.metadata.get("tags", [])]
    assert len(answers) == len(solutions(chapter)) >= 5
    numbers = [f"{int(path.stem[:2])}.{k}" for k in range(1, len(answers) + 1)]
    assert [cell.source for cell in answers] == [handouts.answer(number) for number in numbers]
    kept = [cell for cell in chapter.cells
            if cell.cell_type == "code" and cell not in solutions(chapter)]  # fmt: skip
    secret = lines(solutions(chapter)) - lines(kept)
    code = [cell for cell in student.cells if cell.cell_type == "code"]
    assert not secret & lines(code)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    # The rest is the chapter's own code, which the tests of the chapters execute.
    assert [cell.source for cell in code if cell not in answers] == [cell.source for cell in kept]
    text = "\n".join(cell.source for cell in student.cells if cell.cell_type == "markdown")
    assert text.count("<summary>Hint</summary>") == len(answers) and "**Question 1" in text
    nbformat.validate(student)


def test_each_answer_links_to_its_solution_on_the_site(site):
    for path in BOOKS:
        page = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        student = handouts.student(nbformat.read(path, as_version=4), path.stem)
        found = re.findall(r"\(/notebooks/([^)]*)\.html#([^)]*)\)", json.dumps(student))
        assert len(found) == len(solutions(nbformat.read(path, as_version=4)))
        for name, place in found:
            assert name == path.stem and f'id="{place}"' in page, place


def test_a_students_notebook_runs():
    """The first chapter stands for all: their code is the chapters', which the tests run."""
    student = handouts.student(nbformat.read(BOOKS[0], as_version=4), BOOKS[0].stem)
    resources = {"metadata": {"path": str(handouts.NOTEBOOKS)}}
    NotebookClient(student, timeout=300, kernel_name="python3", resources=resources).execute()


def test_an_instructor_sees_every_solution_unfolded():
    for path in BOOKS:
        chapter = nbformat.read(path, as_version=4)
        whole = handouts.instructor(chapter)
        assert [cell.source for cell in whole.cells] == [cell.source for cell in chapter.cells]
        assert [c.get("outputs") for c in whole.cells] == [c.get("outputs") for c in chapter.cells]
        for cell in solutions(whole):
            assert cell.metadata == {"tags": ["solution"]}


def test_the_archives_hold_all_and_are_made_the_same_twice(site, monkeypatch, tmp_path):
    folder = site / "course"
    names = {path.name for path in BOOKS} | {"README.md"}
    names |= {f"assignments/week{week}.ipynb" for week in range(1, 7)}
    for kind in ("student", "instructor"):
        path = folder / f"static-vs-dynamic-{kind}.zip"
        with zipfile.ZipFile(path) as archive:
            inside = {name.split("/", 1)[1] for name in archive.namelist()}
            text = archive.read(f"static-vs-dynamic-{kind}/README.md").decode()
            week = archive.read(f"static-vs-dynamic-{kind}/assignments/week1.ipynb").decode()
        hidden = "BEGIN HIDDEN" in week, "BEGIN SOLUTION" in week, "**Sample for" in week
        assert set(hidden) == {kind == "instructor"}, kind
        assert names <= inside and address.site() in text
        assert ("slides/deck/reveal.js" in inside) == (kind == "instructor")
        made = {path.relative_to(handouts.COURSE / kind).as_posix(): path.read_bytes()
                for path in (handouts.COURSE / kind).rglob("*.*")}  # fmt: skip
        assert set(made) == names
        for name, data in made.items():
            assert b"](../book/" not in data, name
    before = {path.name: path.read_bytes() for path in folder.glob("*.zip")}
    monkeypatch.setattr(handouts, "TARGET", tmp_path / "zips")
    monkeypatch.setattr(handouts, "COURSE", tmp_path / "course")
    assert handouts.build() and not handouts.build()
    assert {path.name: path.read_bytes() for path in handouts.TARGET.glob("*.zip")} == before
