"""The live book: a panel of knobs on each chapter's page, where the site has a lab."""

from __future__ import annotations

import functools
import itertools
import json
import pickle
import re
import shutil
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx

from book.press.course.handouts import answer
from book.press.files import digest, kept, makers
from book.press.lab.python import PACKAGE, START, loaded_files
from book.press.lab.python import edition as python_edition
from book.press.live import needed
from book.press.live.knobs import Turning, panel, turning
from book.press.live.packages import (
    COMPANION_NEEDS,
    chosen,
    imported,
    live_packages,
    megabytes,
)
from book.press.places import BOOK, NOTEBOOKS, ROOT
from book.press.site import about

CELL = re.compile(r'<div class="cell [^"]*\btag_knob\b[^"]*">')
SOLUTION = re.compile(r'<div class="cell [^"]*\btag_solution\b[^"]*"')
OUTPUT = '<div class="cell_output docutils container">'
# Sphinx names the others' editions.
PARTS = ("cells.py", "keep.mjs", "later.py", "python.mjs", "wheels.py", "work.mjs", "worker.mjs")


@functools.cache
def code_read() -> str:
    """Return a name for what code is read with, and for the companion, whose imports it follows."""
    code = sorted((ROOT / "companion").rglob("*.py"))
    return digest([*makers("live"), *code], sys.version)


def kept_read(path: Path, make: Callable[[Path], Any]) -> Any:
    """Return what is read from a notebook's code: what an earlier build has kept, else anew."""
    source = digest([path], make.__name__, code_read()).encode()
    return pickle.loads(kept("code", source, lambda: pickle.dumps(make(path))))


@functools.cache
def turnings() -> dict[str, Turning]:
    """Return what each chapter's page needs to turn its knobs."""
    found = {p.stem: kept_read(p, turning) for p in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}
    return {name: one for name, one in found.items() if one}


@functools.cache
def edition() -> str:
    """Return a name for what the pages fetch, so that a browser does not keep what is old."""
    files = [Path(needed.__file__), *(BOOK / "_static" / "live" / name for name in PARTS)]
    return digest(files, repr(turnings()))[:8]


def python_of(app: Sphinx) -> Path:
    """Return the folder of the lab's Python in the built site."""
    return Path(app.outdir) / "lab" / "static" / "pyodide"


def knobs_import(notebook: Path) -> set[str]:
    """Return the packages that a chapter's knobs import."""
    one = turnings()[notebook.stem]
    claims = "from companion import claims" if one.evidence else ""
    return imported(f"{one.before}\n{one.cell}\n{claims}")


def cells_import(notebook: Path) -> set[str]:
    """Return the packages that all cells of a chapter import."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = [needed.MAGIC.sub(r"\1pass", c.source) for c in cells if c.cell_type == "code"]
    return imported("\n".join(code))


def packages_of(name: str, what: Callable[[Path], set[str]], folder: Path) -> list[str]:
    """Return the lab's packages that hold what a chapter's knobs, or its cells, import."""
    return chosen(kept_read(NOTEBOOKS / f"{name}.ipynb", what), folder)


def saved_files(
    site: Path, folder: Path, packages: list[str], asked: dict[str, Path]
) -> list[tuple[str, int]]:
    """Return the address of each file that a page needs offline, and its bytes: its own, Python's.

    ``asked`` has the page's own by what it asks for below ``_static/live``.
    """
    found = {f"_static/live/{address}": path for address, path in asked.items()}
    python, edition = loaded_files(packages, live_packages(folder), folder), python_edition(folder)
    for path in [*python, folder / "pyodide-lock.json"]:
        query = f"?edition={edition}" if path.name in ("pyodide-lock.json", START) else ""
        found[path.relative_to(site).as_posix() + query] = path
    return [(address, path.stat().st_size) for address, path in found.items()]


def with_answers(body: str, chapter: int) -> str:
    """Give each exercise's cell what stands in it when a reader opens it for an answer.

    >>> with_answers('<div class="cell tag_solution">', 7)  # doctest: +ELLIPSIS
    '<div class="cell tag_solution" data-answer="# Your answer: the weight, the level...">'
    """
    numbers = itertools.count(1)
    return SOLUTION.sub(
        lambda cell: f'{cell[0]} data-answer="{escape(answer(f"{chapter}.{next(numbers)}"))}"', body
    )


def add_panel(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Put the panel between a knob cell's code and what it shows."""
    one = turnings().get(page.removeprefix("notebooks/")) if "body" in context else None
    folder = python_of(app)
    if one is None or not folder.is_dir() or not (cell := CELL.search(context["body"])):
        return
    before, after = context["body"][: cell.end()], context["body"][cell.end() :]
    name = page.removeprefix("notebooks/")
    size = megabytes(packages_of(name, knobs_import, folder), folder)
    saving = megabytes(packages_of(name, cells_import, folder), folder)
    html = panel(name, one, size, saving, edition())
    number = int(name[:2])
    context["body"] = before + with_answers(after.replace(OUTPUT, html + OUTPUT, 1), number)
    app.add_css_file("live/live.css")
    app.add_js_file("live/page.mjs", type="module")


def put_code(app: Sphinx, failure: Exception | None) -> None:
    """Lay beside the scripts, for each chapter, what they ask for when a knob is touched."""
    folder = python_of(app)
    if failure or not folder.is_dir():
        return
    target = Path(app.outdir) / "_static" / "live"
    shutil.copy(needed.__file__, target)
    for name, one in turnings().items():
        asked = {
            "before": one.before, "cell": one.cell, "evidence": one.evidence,
            "sources": {knob.name: knob.sources for knob in one.knobs},
            "packages": packages_of(name, knobs_import, folder), "companion": PACKAGE,
            "needs": COMPANION_NEEDS, "edition": python_edition(folder),
        }  # fmt: skip
        about_page = target / f"{name}.json"
        about_page.write_text(json.dumps(asked), encoding="utf-8")
        own = {f"{part}?e={edition()}": target / part
               for part in (*PARTS, "needed.py", about_page.name)}  # fmt: skip
        packages = packages_of(name, cells_import, folder)
        files = saved_files(Path(app.outdir), folder, packages, own)
        asked |= {"files": files, "saved": digest([about_page], edition())[:12]}
        about_page.write_text(json.dumps(asked), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", add_panel)
    app.connect("build-finished", put_code)
    return about()
