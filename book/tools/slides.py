"""Make a deck of slides for every chapter, for reveal.js, of which ``book/slides`` holds a copy.

What goes on slides is chosen in ``slide_rules.py``. Here it becomes a *slide notebook*, its slides
marked as JupyterLab marks them, and nbconvert turns that into a page. ``slides.py --mark`` writes
the rule's choice of code into notebooks that have none, to be changed there.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import slide_rules
from docutils.nodes import make_id
from slide_rules import ASK, Chapter, Slide, choice, html_of, markdown_cell, marks, questions

from companion import claims

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "book" / "_ext")]

import pages  # noqa: E402

NOTEBOOKS = ROOT / "notebooks"
SOURCES = ROOT / "book" / "slides"
TARGET = ROOT / "book" / "_build" / "html" / "slides"
# The same as on the site's other pages; a test compares them.
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'"
)


def notes(one: Slide, clock: int, first: str = "") -> str:
    """Return a slide's notes as Markdown: the time, what to ask, what to say, what is seen."""
    lines = [f"**{one.minutes} min** (from {clock // 60}:{clock % 60:02d})"]
    lines += [first] if first else []
    asked = one.ask or questions(one.say)[:3] or list(filter(None, [ASK.get(one.kind)]))
    if asked:
        lines.append("**Ask:** " + " ".join(asked))
    if one.say:
        lines.append("**Say:** " + one.say[0])
        lines += one.say[1:]
    if one.seen:
        lines.append(f"**In the picture:** {one.seen}")
    return "\n\n".join(lines)


def slide_notebook(name: str, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a chapter's slide notebook, its slides marked as JupyterLab and RISE mark them."""
    found = Chapter(name, notebook).read()
    about = next(one for one in pages.chapters() if one.name == name)
    cells, clock = [], 0
    for one in found:
        first = ""
        if one.kind == "title":
            whole = sum(slide.minutes for slide in found)
            first = f"{len(found)} slides, about {whole} minutes."
        top, *rest = one.cells
        top.metadata["slideshow"] = {"slide_type": one.level}
        anchor = f"#{make_id(pages.plain_text(one.place))}" if one.kind != "title" else ""
        where = f"{about.number}. {about.title}" + (f" · {one.place}" if one.place else "")
        mark = {"kind": one.kind, "style": one.style}
        top.metadata["deck"] = mark
        said = markdown_cell(notes(one, clock, first))
        said.metadata |= {"slideshow": {"slide_type": "notes"},
                          "deck": {"foot": where, "anchor": anchor}}  # fmt: skip
        cells += [top, *rest, said]
        clock += one.minutes
    for n, cell in enumerate(cells):
        cell["id"] = f"slide-{n}"
    deck = {
        "title": about.title, "policy": POLICY, "chapter": f"../notebooks/{name}.html",
        "description": f"Slides for chapter {about.number}, {about.title}: {about.hook}",
    }  # fmt: skip
    language = {"name": "python", "pygments_lexer": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"deck": deck, "language_info": language})


@functools.cache
def exporter() -> Any:
    """Return nbconvert's exporter of slides, with the book's template."""
    from nbconvert.exporters import SlidesExporter

    found = SlidesExporter(
        template_name="deck", extra_template_basedirs=[str(SOURCES / "template")]
    )
    found.register_filter("slide_markdown", html_of)
    return found


def deck(name: str, notebook: nbformat.NotebookNode) -> str:
    """Return a chapter's deck as a page of HTML."""
    return exporter().from_notebook_node(slide_notebook(name, notebook))[0]


def put_sources(target: Path) -> None:
    """Lay reveal.js and the decks' own style and script beside the decks."""
    from pygments.formatters import HtmlFormatter

    folder = target / "deck"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCES / "reveal", folder)
    shutil.copy(SOURCES / "deck.js", folder)
    style = (SOURCES / "deck.css").read_text(encoding="utf-8")
    colours = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight")
    (folder / "deck.css").write_text(f"{style}\n{colours}\n", encoding="utf-8")


def build(target: Path = TARGET) -> list[str]:
    """Make the decks whose chapters or makers have changed; return the names of those made."""
    target.mkdir(parents=True, exist_ok=True)
    makers = [Path(module.__file__) for module in (slide_rules, pages, claims)]
    makers += [Path(__file__), *sorted(path for path in SOURCES.rglob("*") if path.is_file())]
    common = hashlib.sha256(b"\0".join(path.read_bytes() for path in makers))
    common.update(repr(pages.chapters()).encode())
    saved = target.parents[1] / "slides.json"
    old = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}
    put_sources(target)
    new, made = {}, []
    for one in pages.chapters():
        path, page = NOTEBOOKS / f"{one.name}.ipynb", target / f"{one.name}.html"
        digest = common.copy()
        digest.update(path.read_bytes())
        new[one.name] = digest.hexdigest()
        if old.get(one.name) != new[one.name] or not page.exists():
            page.write_text(deck(one.name, nbformat.read(path, as_version=4)), encoding="utf-8")
            made.append(one.name)
    for page in target.glob("*.html"):
        if page.stem not in new:
            page.unlink()
    saved.write_text(json.dumps(new), encoding="utf-8")
    return made


def mark(path: Path) -> bool:
    """Write the rule's choice of code into a notebook that has none; return whether it did."""
    notebook = nbformat.read(path, as_version=4)
    changed = False
    for n, one in marks(notebook).items():
        if one["slide_type"] != "skip" and not choice(notebook.cells[n]):
            notebook.cells[n].metadata["slideshow"] = one
            changed = True
    if changed:
        nbformat.write(notebook, path)
    return changed


def main() -> int:
    """Make the decks, or mark the notebooks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mark", action="store_true", help="write the choice into the notebooks")
    if parser.parse_args().mark:
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
            print(f"{path.name}: {'marked' if mark(path) else 'has its marks'}")
        return 0
    made = build()
    print(f"{len(made)} decks made anew; they are in {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
