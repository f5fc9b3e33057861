"""Make a deck of slides for every chapter, for reveal.js, of which ``book/slides`` holds a copy.

What goes on slides is chosen in ``read.py``. Here it becomes a *slide notebook*, its slides marked
as JupyterLab marks them, and nbconvert turns that into a page. With ``--mark`` the rule's choice of
code is written into notebooks that have none, to be changed there.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from docutils.nodes import make_id

from book.press import chapters, policies
from book.press.files import digest, files_below, makers
from book.press.markdown import blocks_html, plain_text
from book.press.places import BOOK, HTML, NOTEBOOKS, ROOT
from book.press.slides.cells import markdown_cell
from book.press.slides.choice import choice, marks
from book.press.slides.deck import Slide
from book.press.slides.read import slides_of
from book.press.slides.words import questions
from companion import claims

SOURCES = BOOK / "slides"
TARGET = HTML / "slides"
ASK = {
    "figure": "What do you see first? How would this picture look if its title were wrong?",
    "moving": "What will the next frame look like?",
    "table": "Cover the numbers: in which order would you have put the rows?",
    "code": "What does each line do? Which one would you change to break it?",
    "output": "Is that more or less than you would have guessed?",
    "verdict": "Do you agree? What would you want to see before you signed it?",
    "evidence": "Which line speaks loudest, and which would you want to measure again?",
    "knobs": "Before each run: up, down or the same?",
    "poll": "Is it clear what is asked? No answers yet.",
    "summary": "Which experiment showed this?",
}


def notes(slide: Slide, clock: int, first: str = "") -> str:
    """Return a slide's notes as Markdown: the time, what to ask, what to say, what is seen."""
    lines = [f"**{slide.minutes} min** (from {clock // 60}:{clock % 60:02d})"]
    lines += [first] if first else []
    asked = slide.ask or questions(slide.say)[:3] or list(filter(None, [ASK.get(slide.kind)]))
    if asked:
        lines.append("**Ask:** " + " ".join(asked))
    if slide.say:
        lines.append("**Say:** " + slide.say[0])
        lines += slide.say[1:]
    if slide.seen:
        lines.append(f"**In the picture:** {slide.seen}")
    return "\n\n".join(lines)


def slide_notebook(name: str, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a chapter's slide notebook, its slides marked as JupyterLab and RISE mark them."""
    slides, chapter = slides_of(name, notebook), chapters.facts(name)
    cells, clock = [], 0
    for slide in slides:
        first = anchor = ""
        if slide.kind == "title":
            whole = sum(slide.minutes for slide in slides)
            first = f"{len(slides)} slides, about {whole} minutes."
        else:
            anchor = f"#{make_id(plain_text(slide.place))}"
        where = f"{chapter.number}. {chapter.title}" + (f" · {slide.place}" if slide.place else "")
        top, *rest = slide.cells
        top.metadata["slideshow"] = {"slide_type": slide.level}
        top.metadata["deck"] = {"kind": slide.kind, "style": slide.style}
        spoken = markdown_cell(notes(slide, clock, first))
        spoken.metadata |= {"slideshow": {"slide_type": "notes"},
                            "deck": {"foot": where, "anchor": anchor}}  # fmt: skip
        cells += [top, *rest, spoken]
        clock += slide.minutes
    for n, cell in enumerate(cells):
        cell["id"] = f"slide-{n}"
    deck = {
        "title": chapter.title, "policy": policies.SITE, "chapter": f"../notebooks/{name}.html",
        "description": f"Slides for chapter {chapter.number}, {chapter.title}: {chapter.hook}",
    }  # fmt: skip
    language = {"name": "python", "pygments_lexer": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"deck": deck, "language_info": language})


@functools.cache
def exporter() -> Any:
    """Return nbconvert's exporter of slides, with the book's template."""
    from nbconvert.exporters import SlidesExporter

    made = SlidesExporter(template_name="deck", extra_template_basedirs=[str(SOURCES / "template")])
    made.register_filter("slide_markdown", blocks_html)
    return made


def deck_page(name: str, notebook: nbformat.NotebookNode) -> str:
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
    own = [*makers("slides"), Path(claims.__file__), *files_below(SOURCES)]
    common = digest(own, repr(chapters.in_order()))
    saved = target.parents[1] / "slides.json"
    old = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}
    put_sources(target)
    new, made = {}, []
    for chapter in chapters.in_order():
        path, page = NOTEBOOKS / f"{chapter.name}.ipynb", target / f"{chapter.name}.html"
        new[chapter.name] = digest([path], common)
        if old.get(chapter.name) != new[chapter.name] or not page.exists():
            html = deck_page(chapter.name, nbformat.read(path, as_version=4))
            page.write_text(html, encoding="utf-8")
            made.append(chapter.name)
    for page in target.glob("*.html"):
        if page.stem not in new:
            page.unlink()
    saved.write_text(json.dumps(new), encoding="utf-8")
    return made


def mark(path: Path) -> bool:
    """Write the rule's choice of code into a notebook that has none; return whether it did."""
    notebook = nbformat.read(path, as_version=4)
    changed = False
    for n, chosen in marks(notebook).items():
        if chosen["slide_type"] != "skip" and not choice(notebook.cells[n]):
            notebook.cells[n].metadata["slideshow"] = chosen
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
