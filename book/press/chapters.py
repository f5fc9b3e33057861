"""What is known of the chapters: their facts, their cells, their verdicts and their figures."""

from __future__ import annotations

import functools
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from docutils.nodes import make_id

from book.press.markdown import plain_text
from book.press.places import BOOK, NOTEBOOKS
from companion import claims

Verdicts = dict[str, list[tuple[Path, dict[str, Any]]]]  # by claim: notebook and record


@dataclass(frozen=True)
class ChapterFacts:
    """One chapter: its number, file, title, part, claims, minutes to read, and its hook."""

    number: int
    name: str
    title: str
    part: str
    claims: tuple[str, ...]
    minutes: int
    hook: str


@functools.cache
def contents() -> dict[str, Any]:
    """Return the table of contents, as ``book/_toc.yml`` has it."""
    return yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))


def pages() -> list[str]:
    """Return all of the book's pages in reading order."""
    entries = [entry for part in contents()["parts"] for entry in part["chapters"]]
    nested = [page["file"] for entry in entries for page in (entry, *entry.get("sections", ()))]
    return [contents()["root"], *nested]


@functools.cache
def in_order() -> list[ChapterFacts]:
    """Return the chapters in reading order, from the table of contents and the notebooks."""
    found = []
    for part in contents()["parts"]:
        for entry in part["chapters"]:
            folder, _, name = entry["file"].rpartition("/")
            if folder == "notebooks":
                found.append(read_facts(name, part["caption"]))
    return found


def facts(name: str) -> ChapterFacts | None:
    """Return the facts of the chapter in a file of that name; None if it holds no chapter."""
    return next((chapter for chapter in in_order() if chapter.name == name), None)


def cells(name: str) -> list[dict[str, Any]]:
    """Return the cells of a chapter, with their stored outputs; they are read, never written."""
    path = NOTEBOOKS / f"{name}.ipynb"
    return parsed(path, path.stat().st_mtime_ns)


@functools.cache
def parsed(path: Path, changed: int) -> list[dict[str, Any]]:
    """Return the cells of a notebook that was last changed then."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def markdown_of(name: str) -> str:
    """Return all of a chapter's Markdown."""
    return "\n\n".join("".join(c["source"]) for c in cells(name) if c["cell_type"] == "markdown")


def recorded(name: str) -> list[dict[str, Any]]:
    """Return the verdicts among a chapter's stored outputs."""
    outputs = [out for cell in cells(name) for out in cell.get("outputs", [])]
    return [out["data"][claims.MIME] for out in outputs if claims.MIME in out.get("data", {})]


def verdicts() -> Verdicts:
    """Return every recorded verdict, by claim, with its notebook."""
    found: Verdicts = {}
    for notebook in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        for verdict in recorded(notebook.stem):
            found.setdefault(verdict["claim"], []).append((notebook, verdict))
    return found


def read_facts(name: str, part: str) -> ChapterFacts:
    """Read what a card shows from a notebook's first cell."""
    head = "".join(cells(name)[0]["source"])
    hook = next(block for block in head.split("\n\n")[1:] if not block.startswith(("#", "**")))
    sentences = re.split(r"(?<=[.?!]) ", plain_text(" ".join(hook.split())))
    short = ""
    for sentence in sentences:
        if short and len(short) + len(sentence) > 150:
            break
        short += sentence + " "
    return ChapterFacts(
        number=int(name[:2]),
        name=name,
        title=re.match(r"# (.*)", head)[1],
        part=part,
        claims=tuple(re.findall(r"^- \*\*([A-Z]\d)\.\*\*", head, re.M)),
        minutes=int(re.search(r"\*\*Time:\*\* (\d+) minutes to read", head)[1]),
        hook=short.strip(),
    )


def figures(name: str) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield each figure of a chapter: section, finding, description, image bytes."""
    place = ""
    for cell in cells(name):
        headings = re.findall(r"^##+ (.*)$", "".join(cell["source"]), re.M)
        if cell["cell_type"] == "markdown" and headings:
            place = make_id(plain_text(headings[-1]))
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                about = output["metadata"]["image/png"]
                data = b64decode("".join(output["data"]["image/png"]))
                yield place, about["title"], about["alt"], data
            html = "".join(output.get("data", {}).get("text/html", ""))
            if "companion-frames" in html:
                last = re.search(r'<img src="data:image/webp;base64,([^"]+)"', html)[1]
                caption = unescape(re.search(r"<figcaption>(.*?)</figcaption>", html, re.S)[1])
                found = re.split(r"(?<=\.) ", caption)[-1].removesuffix(".")  # where it ends up
                yield place, f"Moving figure: {found}", caption, b64decode(last)
