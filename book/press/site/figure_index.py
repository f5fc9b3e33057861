"""The list of figures: every figure of every chapter, small, linked to its place."""

from __future__ import annotations

import io

from PIL import Image

from book.press import chapters
from book.press.files import kept
from book.press.markdown import raw_html
from book.press.places import HTML
from book.press.render import fill


def figure_index() -> str:
    """Return the list as Markdown."""
    lines = []
    for chapter in chapters.in_order():
        figures = [
            (place, title, alt, *thumbnail(picture, f"{chapter.name}-{k}"))
            for k, (place, title, alt, picture) in enumerate(chapters.figures(chapter.name), 1)
        ]
        html = fill("site/templates/figure_index.html", name=chapter.name, figures=figures)
        lines += [f"## {chapter.number}. {chapter.title}", "", raw_html(html), ""]
    return "\n".join(lines)


def thumbnail(data: bytes, name: str) -> tuple[str, int, int]:
    """Write a picture small into the site; return its path there, width and height."""
    path = f"_images/small/{name}.webp"
    (HTML / path).parent.mkdir(parents=True, exist_ok=True)
    small = kept("small", data, lambda: made_small(data))
    (HTML / path).write_bytes(small)
    return path, *Image.open(io.BytesIO(small)).size


def made_small(data: bytes) -> bytes:
    """Return a picture of at most 480 by 480 pixels."""
    picture, small = Image.open(io.BytesIO(data)).convert("RGB"), io.BytesIO()
    picture.thumbnail((480, 480))
    picture.save(small, "webp", quality=75)
    return small.getvalue()
