"""Make what a course hands out: the students' notebooks, without solutions, and the instructor's.

Both are made from the chapters and are never edited by hand. A student finds a cell for the answer
where a solution was, with a call that checks the numbers asked for, and a link to the place in the
book where the solution is. An instructor finds every solution unfolded, the stored outputs, and the
slides. The assignments go with both, the students' as they are released, the instructor's with
solutions and hidden tests.
"""

from __future__ import annotations

import copy
import re
import shutil
import sys

import nbformat
from docutils.nodes import make_id

from book.press import address
from book.press.course import assignments
from book.press.files import digest, files_below, makers, zip_bytes
from book.press.markdown import plain_text
from book.press.places import BUILD, HTML, NOTEBOOKS, ROOT
from book.press.slides import build as slides
from companion import exercises
from companion.files.atomic import write_atomically

COURSE = BUILD / "course"
TARGET = HTML / "course"
ANSWER = "# Your answer"
BY_WORDS = f"{ANSWER} (no check by machine: compare with what Check says)\n"
EXERCISE = re.compile(r"^### (Exercise \d+ .*)$", re.M)
MARKS = "## Marked by the rubric"
BOOK_LINK = re.compile(r"\]\((?:\.\./)+(book/[a-z_]+)\.md(#[a-z0-9-]+)?\)")


def answer(exercise: str) -> str:
    """Return the cell for an answer: how it is checked, and the call if that is by numbers.

    >>> print(answer("7.1"))
    # Your answer: the weight, the level
    <BLANKLINE>
    from companion.exercises import check
    <BLANKLINE>
    check("7.1", ...)
    <BLANKLINE>
    """
    task = exercises.tasks().get(exercise)
    if task is None:
        return BY_WORDS
    call = f'from companion.exercises import check\n\ncheck("{exercise}", ...)\n'
    return f"{ANSWER}: {task['asks']}\n\n{call}"


def student(notebook: nbformat.NotebookNode, name: str, site: str = "/") -> nbformat.NotebookNode:
    """Return a chapter as a student gets it: nothing run, an empty cell for each solution.

    Parameters
    ----------
    notebook : NotebookNode
        The chapter; it is left as it is.
    name : str
        The name of its file, without the ending.
    site : str
        Where the site begins, for the links to the solutions.
    """
    new, number = copy.deepcopy(notebook), 0
    for cell in new.cells:
        if cell.cell_type == "markdown":
            if found := EXERCISE.search(cell.source):
                place = f"{site}notebooks/{name}.html#{make_id(plain_text(found[1]))}"
                cell.source = f"{cell.source.rstrip()}\n\n[The solution, in the book]({place})"
            continue
        if "solution" in cell.metadata.get("tags", []):
            number += 1
            cell.source = answer(f"{int(name[:2])}.{number}")
            cell.metadata = nbformat.from_dict({"tags": ["answer"]})
        cell.outputs, cell.execution_count = [], None
        cell.metadata.pop("slideshow", None)
    return new


def unmarked(notebook: nbformat.NotebookNode, name: str, site: str = "/") -> nbformat.NotebookNode:
    """Return a worked capstone as a student gets it: nothing run, and the marks left in the book.

    Parameters are those of :func:`student`.
    """
    new = student(notebook, name, site)
    place = next(k for k, cell in enumerate(new.cells) if cell.source.startswith(MARKS))
    rubric = f"{site}book/capstone.html#the-rubric"
    marked = f"{site}notebooks/capstone/{name}.html#marked-by-the-rubric"
    new.cells[place].source = (
        f"{MARKS}\n\nMark it yourself first, with [the rubric]({rubric}).\n\n"
        f"[The marks, in the book]({marked})"
    )
    del new.cells[place + 1 :]
    return new


def instructor(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a chapter as its teacher gets it: as it was run, every solution unfolded."""
    new = copy.deepcopy(notebook)
    for cell in new.cells:
        if "solution" in cell.metadata.get("tags", []):
            cell.metadata = nbformat.from_dict({"tags": ["solution"]})
        cell.metadata.pop("slideshow", None)
    return new


def linked(notebook: nbformat.NotebookNode, site: str) -> nbformat.NotebookNode:
    """Let a notebook's links to the book's pages lead to the site, which begins at an address."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = BOOK_LINK.sub(rf"]({site}\1.html\2)", cell.source)
    return notebook


def readme(kind: str) -> str:
    """Return the text that goes with the notebooks."""
    more = {
        "student": "Each exercise ends with an empty cell for your answer, and with a link to the "
        "place in the book where its solution is folded away. Try first. The folder `assignments` "
        "holds what is handed in: write where it says YOUR CODE HERE and YOUR ANSWER HERE.",
        "instructor": "The solutions are unfolded and every output is stored. The folder `slides` "
        "holds a deck for each chapter: open it in a browser, press S for the notes. The folder "
        "`assignments` holds the assignments with solutions, hidden tests and sample answers; "
        f"{address.site()}book/assignments.html says how to grade them.",
    }[kind]
    return (
        f"# Static vs. Dynamic AI Models: the {kind}'s notebooks\n\n{more}\n\n"
        "You need Python 3.11 or later. Install what the notebooks use, then open them:\n\n"
        f'```sh\npip install jupyterlab "git+{address.repository()}"\njupyter lab\n```\n\n'
        f"The book is at {address.site()}. The notebooks are made from its chapters; text and "
        "figures are under CC BY 4.0, code is under the BSD 3-Clause licence.\n"
    )


def copies(kind: str) -> dict[str, bytes]:
    """Return all notebooks of one kind, by the names of their files."""
    found = {}
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        chapter = nbformat.read(path, as_version=4)
        site = address.site()
        made = student(chapter, path.stem, site) if kind == "student" else instructor(chapter)
        found[path.name] = (nbformat.writes(linked(made, site)) + "\n").encode()
    for name, one in assignments.assignments().items():
        made = one.release() if kind == "student" else one.notebook
        found[f"assignments/{name}.ipynb"] = (nbformat.writes(made) + "\n").encode()
    return found


def decks() -> dict[str, bytes]:
    """Return the built decks and what they need, fit to be opened without the site."""
    found = {}
    for path in files_below(slides.TARGET):
        data = path.read_bytes()
        if path.suffix == ".html":
            data = data.replace(b'"../notebooks/', f'"{address.site()}notebooks/'.encode())
            data = data.replace(b'<link href="../_static/favicon.svg"', b"<link")
        found[f"slides/{path.relative_to(slides.TARGET).as_posix()}"] = data
    return found


def made_from() -> str:
    """Return a name for all that the course is made from."""
    return digest([
        *makers("course"), exercises.ANSWERS, address.CONFIG,
        *sorted(assignments.SOURCES.glob("*.ipynb")),
        *sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), *files_below(slides.TARGET),
    ])  # fmt: skip


def build() -> bool:
    """Write notebooks and archives; return whether anything had changed."""
    known, now = COURSE / "made_from", made_from()
    names = {kind: TARGET / f"static-vs-dynamic-{kind}.zip" for kind in ("student", "instructor")}
    there = all(path.exists() for path in names.values())
    if there and known.exists() and known.read_text(encoding="utf-8") == now:
        return False
    TARGET.mkdir(parents=True, exist_ok=True)
    for kind, path in names.items():
        shutil.rmtree(COURSE / kind, ignore_errors=True)
        (COURSE / kind / "assignments").mkdir(parents=True)
        files = copies(kind) | {"README.md": readme(kind).encode()}
        for name, data in files.items():
            (COURSE / kind / name).write_bytes(data)
        if kind == "instructor":
            files |= decks()
        inside = {f"static-vs-dynamic-{kind}/{name}": data for name, data in files.items()}
        write_atomically(path, zip_bytes(inside))
    known.write_text(now, encoding="utf-8")
    return True


def make() -> tuple[list[str], bool]:
    """Make slides, notebooks and archives; return the decks made anew, and whether the rest was."""
    return slides.build(), build()


def main() -> int:
    """Make all of it, and say where it is."""
    made, changed = make()
    print(f"{len(made)} decks made anew in {slides.TARGET.relative_to(ROOT)}; the notebooks in "
          f"{COURSE.relative_to(ROOT)} are {'new' if changed else 'up to date'}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
