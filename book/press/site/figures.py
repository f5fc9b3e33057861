"""Figures: chapters' figures on other pages; sizes, so that nothing jumps; moving ones as files."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.press import chapters
from book.press.places import BUILD, FRAME, NOTEBOOKS, ROOT, phone_picture
from book.press.site import about
from book.press.site.links import slug

FIGURES = BUILD / "figures"
SMALL = FIGURES / "phone"  # of pictures that a build draws; those of notebooks lie in the book
PICTURE = re.compile(r'<img [^>]*?src="([^":]+\.png)"[^>]*>')
MOVING = re.compile(r'(<figure class="companion-frames")(.*?"sources": )(\[[^\]]+\])', re.S)
PHONE = "(max-width: 540px)"  # windows in which the narrow pictures stand


def put_picture(name: str, data: bytes, small: bytes | None = None) -> str:
    """Write a picture that the site is to take in, and its phone version; return its address."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    if small:
        SMALL.mkdir(exist_ok=True)
        (SMALL / phone_picture(data).name).write_bytes(small)
    path = FIGURES / f"{name}.png"
    if not path.exists() or path.read_bytes() != data:  # a new date would have its pages read anew
        path.write_bytes(data)
    return f"/{path.relative_to(ROOT).as_posix()}"


class ChapterFigure(SphinxDirective):
    """A figure of a chapter, from its stored outputs: ``{chapter-figure} NOTEBOOK ITS FINDING``."""

    required_arguments = 2
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Write the picture with that title to the build folder and show it with its alt text."""
        name, wanted = self.arguments
        self.env.note_dependency(str(NOTEBOOKS / f"{name}.ipynb"))
        shown = {title: (alt, data) for _, title, alt, data in chapters.figures(name)}
        if wanted not in shown:
            raise self.error(
                f"chapter-figure: {name} has no figure {wanted!r}; it has {', '.join(shown)}"
            )
        alt, data = shown[wanted]
        uri = put_picture(f"{name}-{slug(wanted)[:60]}", data)
        return [nodes.image(uri=uri, alt=alt, classes=["story"])]


def opened_large(tag: str, address: str) -> str:
    """Make a picture a link to its file; a script opens it large enough to read on a phone.

    >>> opened_large('<img alt="One line." src="a.png">', "a.png")
    '<a class="figure-link" href="a.png"><img alt="One line." src="a.png"></a>'
    """
    return f'<a class="figure-link" href="{address}">{tag}</a>'


def narrow(picture: bytes, folder: Path) -> tuple[str, int, int] | None:
    """Put a picture's phone version into the site's folder of them; return its name and size."""
    kept = phone_picture(picture)
    if not kept.is_file():
        kept = SMALL / kept.name
    if not kept.is_file():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / kept.name).write_bytes(kept.read_bytes())
    with Image.open(kept) as small:
        return kept.name, *small.size


def sized(html: str, pictures: Mapping[str, Path], folder: Path) -> str:
    """Give each picture its size, so that nothing jumps; load it when it comes into sight.

    In a narrow window its phone version stands there; where it has none, it scrolls.
    """

    def mend(match: re.Match) -> str:
        tag, path = match[0], pictures.get(match[1].rpartition("/")[2])
        if " width=" in tag or path is None:
            return tag
        data = path.read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        tag = tag.replace("<img ", f'<img width="{width}" height="{height}" loading="lazy" ', 1)
        link, small = opened_large(tag, match[1]), narrow(data, folder / "phone")
        if small is None:
            return link.replace('class="figure-link', 'class="figure-link figure-scrolls', 1)
        name, width, height = small
        address = f"{match[1].rpartition('/')[0]}/phone/{name}"
        source = f'<source media="{PHONE}" srcset="{address}" width="{width}" height="{height}">'
        return link.replace(tag, f"<picture>{source}{tag}</picture>")

    return PICTURE.sub(mend, html)


def frames_as_files(html: str, page: str, site: Path) -> str:
    """Write the frames of moving figures into the site, loaded when they come into sight."""
    folder, address = site / "_images" / "frames", "../" * page.count("/") + "_images/frames/"
    folder.mkdir(parents=True, exist_ok=True)
    phones: dict[str, tuple[str, int, int] | None] = {}

    def as_file(match: re.Match) -> str:
        data = b64decode(match[1])
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.webp"
        (folder / name).write_bytes(data)
        phones[address + name] = narrow(data, folder)
        return address + name

    def by_window(match: re.Match) -> str:
        """Let the script take the narrow frames in a narrow window."""
        small = [phones[wide] for wide in json.loads(match[3])]
        if None in small:
            return match[0]
        names = json.dumps([address + name for name, _, _ in small])
        shape = f' style="--narrow: {small[0][1]} / {small[0][2]}"'
        return f"{match[1]}{shape}{match[2]}matchMedia('{PHONE}').matches ? {names} : {match[3]}"

    html = MOVING.sub(by_window, FRAME.sub(as_file, html))
    return re.sub(
        rf'<img (src="({re.escape(address)}[^"]+)"[^>]*>)',
        lambda match: opened_large(f'<img loading="lazy" {match[1]}', match[2]),
        html,
    )


def on_page(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Mend the pictures of a page's text."""
    if "body" in context:
        pictures = {name: Path(app.srcdir, file) for file, name in app.builder.images.items()}
        body = sized(context["body"], pictures, Path(app.outdir, "_images"))
        context["body"] = frames_as_files(body, page, Path(app.outdir))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("chapter-figure", ChapterFigure)
    app.connect("html-page-context", on_page)
    return about()
