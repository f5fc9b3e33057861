"""The site: a small Sphinx extension for each thing that it adds to Jupyter Book."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from book.press.files import PRESS, digest, sources
from book.press.places import BOOK, HTML, PHONE, ROOT

if TYPE_CHECKING:  # a build with nothing to do begins here, too
    from sphinx.application import Sphinx


def shared() -> list[Path]:
    """Return the files of which each may change any page."""
    from book.press import chapters

    own = {ROOT / f"{page}{end}" for page in chapters.pages() for end in (".md", ".ipynb")}
    slides = {BOOK / "slides", PRESS / "slides"}
    found = [
        path for path in sources()
        if path not in own and not (slides | {PHONE}) & set(path.parents)
        and (path.parent != ROOT or path.suffix == ".lock")
    ]  # fmt: skip
    lock = HTML / "lab" / "static" / "pyodide" / "pyodide-lock.json"  # what the live pages load
    return [*found, *filter(Path.is_file, [lock])]


@functools.cache
def about() -> dict[str, Any]:
    """Return what each extension says of itself; Sphinx makes every page anew when it changes."""
    from book.press.site.links import glossary

    return {
        "version": "1", "env_version": digest(shared(), repr(glossary())),
        "parallel_read_safe": True, "parallel_write_safe": True,
    }  # fmt: skip


def book_pages(site: Path) -> list[Path]:
    """Return the pages of a built site; the lab and the slides may still be in the making."""
    places = ("*.html", "book/*.html", "notebooks/**/*.html")
    return [path for place in places for path in site.glob(place)]


def when_built(app: Sphinx, write: Callable[[Path], Any], priority: int = 500) -> None:
    """Call a function with the built site's folder, if the build did not fail."""
    app.connect("build-finished", lambda app, failure: failure or write(Path(app.outdir)), priority)
