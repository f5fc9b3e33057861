"""What the site knows of its chapters: cards, the board of claims, the list of figures."""

from __future__ import annotations

import functools
import io
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

import yaml
from docutils.nodes import make_id
from PIL import Image

from companion import claims

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
HTML = ROOT / "book" / "_build" / "html"


@dataclass(frozen=True)
class Chapter:
    """One chapter: its number, file, title, part, claims, minutes to read, and its hook."""

    number: int
    name: str
    title: str
    part: str
    claims: tuple[str, ...]
    minutes: int
    hook: str


def plain_text(markdown: str) -> str:
    """Return Markdown as plain text: links become their words, marks go.

    >>> plain_text("a *good* [model](x.md#y)")
    'a good model'
    """
    return re.sub(r"[*`$]", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown))


@functools.cache
def chapters() -> list[Chapter]:
    """Return the chapters in reading order, from the table of contents and the notebooks."""
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    found = []
    for part in toc["parts"]:
        for entry in part["chapters"]:
            folder, _, name = entry["file"].rpartition("/")
            if folder == "notebooks":
                found.append(chapter(name, part["caption"]))
    return found


def cells(name: str) -> list[dict[str, Any]]:
    """Return the cells of a chapter, with their stored outputs."""
    return json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def markdown_of(name: str) -> str:
    """Return all of a chapter's Markdown."""
    return "\n\n".join("".join(c["source"]) for c in cells(name) if c["cell_type"] == "markdown")


def recorded(name: str) -> list[dict[str, Any]]:
    """Return the verdicts among a chapter's stored outputs."""
    outputs = [out for cell in cells(name) for out in cell.get("outputs", [])]
    return [out["data"][claims.MIME] for out in outputs if claims.MIME in out.get("data", {})]


def chapter(name: str, part: str) -> Chapter:
    """Read what a card shows from a notebook's first cell."""
    head = "".join(cells(name)[0]["source"])
    hook = next(block for block in head.split("\n\n")[1:] if not block.startswith(("#", "**")))
    sentences = re.split(r"(?<=[.?!]) ", plain_text(" ".join(hook.split())))
    short = ""
    for sentence in sentences:
        if short and len(short) + len(sentence) > 150:
            break
        short += sentence + " "
    return Chapter(
        number=int(name[:2]),
        name=name,
        title=re.match(r"# (.*)", head)[1],
        part=part,
        claims=tuple(re.findall(r"^- \*\*([A-Z]\d)\.\*\*", head, re.M)),
        minutes=int(re.search(r"\*\*Time:\*\* (\d+) minutes to read", head)[1]),
        hook=short.strip(),
    )


def chapter_cards() -> str:
    """Return a card for each chapter, by part, as HTML."""
    lines, part = ["<p data-progress hidden></p>"], ""
    for one in chapters():
        if one.part != part:
            lines += ["</ol>"] if part else []
            part = one.part
            lines += [f'<h3 class="cards-part">{escape(part)}</h3>', '<ol class="cards">']
        tested = " ".join(one.claims)
        lines.append(
            f'<li value="{one.number}"><a data-card href="../notebooks/{one.name}.html">'
            f'<span class="card-number" aria-hidden="true">{one.number}</span>'
            f'<span class="card-title">{escape(one.title)}</span></a>'
            f"<p>{escape(one.hook)}</p>"
            f'<p class="card-facts">{one.minutes} minutes · claims {tested}</p></li>'
        )
    return raw_html("\n".join([*lines, "</ol>"]))


def raw_html(html: str) -> str:
    """Return HTML as a block that Markdown leaves alone."""
    return f"```{{raw}} html\n{html}\n```"


def claims_board(found: dict[str, list[tuple[Path, dict[str, Any]]]]) -> str:
    """Return the 21 claims as a board of cells, coloured and worded by their newest verdicts."""
    cells = []
    for claim in claims.CLAIMS.values():
        outcomes = [verdict["outcome"] for _, verdict in found.get(claim.id, [])]
        said = re.split("[,;]", outcomes[-1])[0] if outcomes else "not yet tested"
        kind = said.split()[0] if outcomes else "open"
        target = f"claims.html#claim-{claim.id.lower()}" if outcomes else "claims.html"
        cells.append(
            f'<li><a class="board-{kind}" href="{target}"><b>{claim.id}</b> '
            f'<span class="board-text">{escape(claim.text)}</span> '
            f'<span class="board-word">{escape(said.capitalize())}</span></a></li>'
        )
    return raw_html('<ul class="board">\n' + "\n".join(cells) + "\n</ul>")


def figure_index() -> str:
    """Return every figure of every chapter: small, with its finding, linked to its place."""
    lines = []
    for one in chapters():
        lines += [f"## {one.number}. {one.title}", "", "```{raw} html", '<ul class="figure-index">']
        for k, (place, title, alt, picture) in enumerate(figures(one.name), 1):
            path, width, height = thumbnail(picture, f"{one.name}-{k}")
            link = f"../notebooks/{one.name}.html{place and '#' + place}"
            lines.append(
                f'<li><a href="{link}"><img src="../{path}" width="{width}" height="{height}" '
                f'loading="lazy" alt="{escape(alt, quote=True)}">'
                f"<span>{escape(title)}</span></a></li>"
            )
        lines += ["</ul>", "```", ""]
    return "\n".join(lines)


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


def thumbnail(data: bytes, name: str) -> tuple[str, int, int]:
    """Write a picture small into the site; return its path there, width and height."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.thumbnail((480, 480))
    path = Path("_images") / "small" / f"{name}.webp"
    (HTML / path).parent.mkdir(parents=True, exist_ok=True)
    picture.save(HTML / path, quality=75)
    return path.as_posix(), picture.width, picture.height
