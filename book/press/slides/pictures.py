"""Pictures for slides: without their titles, in rows where they are small, in few colours."""

from __future__ import annotations

import base64
import io

import nbformat
import numpy as np
from PIL import Image

from book.press.slides.cells import output_alone

LEAST_TEXT = 17  # pixels on a slide of 1280 by 720


def picture_of(output: nbformat.NotebookNode) -> Image.Image:
    """Return a stored figure."""
    return Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")


def bands(picture: Image.Image) -> list[tuple[int, int]]:
    """Return the rows of a picture that hold anything, as runs from top to bottom."""
    red, green, blue = (
        abs(np.asarray(part).astype(np.int16) - part.getpixel((0, 0))) for part in picture.split()
    )
    inked = (red + green + blue > 30).any(axis=1)
    edges = np.flatnonzero(np.diff(np.r_[0, inked.astype(int), 0]))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def without_title(picture: Image.Image) -> Image.Image:
    """Cut a figure's title off, which stands above everything else: the slide has it in large."""
    (top, bottom), *rest = bands(picture)
    if rest and top < 16 and bottom - top < 34:
        return picture.crop((0, (bottom + rest[0][0]) // 2, *picture.size))
    return picture


def rows_of_panels(picture: Image.Image) -> list[Image.Image]:
    """Cut a figure of two rows of panels between the rows; none if it is not one."""
    runs = bands(picture)
    large = [k for k, (a, b) in enumerate(runs) if b - a > 0.25 * picture.height]
    if len(large) != 2 or large[1] - large[0] < 2:
        return []
    # The band above the lower panels holds their titles.
    name = large[1] - 1
    cut = (runs[name - 1][1] + runs[name][0]) // 2
    return [picture.crop((0, 0, picture.width, cut)),
            picture.crop((0, cut, *picture.size))]  # fmt: skip


def too_small(picture: Image.Image) -> bool:
    """Tell whether a figure's words would be too small on a slide; they are 22 pixels in it."""
    return 22 * min(1216 / picture.width, 600 / picture.height) < LEAST_TEXT


def picture_cell(picture: Image.Image, alt: str) -> nbformat.NotebookNode:
    """Return a cell that shows a picture."""
    data = io.BytesIO()
    few = picture.quantize(255, method=Image.Quantize.FASTOCTREE)
    colours = few.getpalette()
    ground = 3 * few.getpixel((0, 0))
    colours[ground : ground + 3] = picture.getpixel((0, 0))  # the paper's, exactly
    few.putpalette(colours)
    few.save(data, "PNG")
    about = {"alt": alt, "width": picture.width, "height": picture.height}
    shown = nbformat.v4.new_output(
        "display_data", {"image/png": base64.b64encode(data.getvalue()).decode("ascii")},
        metadata={"image/png": about},
    )  # fmt: skip
    return output_alone(nbformat.v4.new_code_cell("", outputs=[shown]))
