"""Every figure a second time, for a phone: narrow, its text as large as the page's.

``make notebooks`` draws them beside the notebooks' own pictures and keeps them in ``book/phone``,
each under the digest of the picture that it stands for.
"""

from __future__ import annotations

import textwrap
import warnings
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DateLocator
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Affine2D, Bbox

from book.press import chapters
from book.press.places import FRAME, PHONE, phone_picture
from companion.files.atomic import write_atomically
from companion.show import plots

WIDTH = 3.4  # inches: 326 pixels of a page, the column of a phone 360 pixels wide
SMALLEST, SHRUNK = 8.4, 0.78  # points (11.2 pixels); what larger text is multiplied by
LONGEST = 0.27  # of the width, for a name at a line's end
DOTS = 212  # pixels an inch, enough for two to a pixel of the page
PANEL, LINE = 0.74, 1.3  # a panel's height, of the wide one's; a line's, of its letters'


def narrow(fig: Figure) -> None:
    """Lay a figure out for a phone: panels below each other, words in lines, legends below."""
    FigureCanvasAgg(fig)
    tall = PANEL * fig.get_figheight() / rows_of(fig)
    panels = stacked(fig)
    fig.set_size_inches(WIDTH, tall * len(panels))
    for text in fig.findobj(Text):
        text.set_fontsize(max(SMALLEST, SHRUNK * text.get_fontsize()))
    title = fig.get_suptitle() or panels[0].get_title(loc="left")
    if not fig.get_suptitle():
        panels[0].set_title("", loc="left")
    head = fig.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    room = 10 * LINE / 72 * wrapped(head, 0.97 * WIDTH)
    for ax in panels:
        for text in (ax.title, ax._left_title, ax.xaxis.label):
            wrapped(text, 0.78 * WIDTH)
        wrapped(ax.yaxis.label, 0.85 * tall)
        ax.tick_params(labelsize=SMALLEST)
        fewer_dates(ax)
        room += max(0, names_in_lines(ax) - 0.8 * tall)
    room += legend_below(fig, panels)
    fig.set_size_inches(WIDTH, tall * len(panels) + room)
    for mend in (turned, inside, apart):
        fig.draw_without_rendering()
        for ax in panels:
            mend(ax)


def rows_of(fig: Figure) -> int:
    """Return in how many rows a figure's panels stand."""
    return fig.axes[0].get_subplotspec().get_gridspec().nrows


def stacked(fig: Figure) -> list[Axes]:
    """Put a figure's panels below each other, each with its unit; return them."""
    seen = [ax for ax in fig.axes if ax.get_visible()]
    for ax in fig.axes:
        if ax not in seen:
            ax.remove()
    unit, along = seen[0].get_ylabel(), seen[-1].get_xlabel()
    grid = GridSpec(len(seen), 1, figure=fig)
    for k, ax in enumerate(seen):
        ax.set_subplotspec(grid[k])
        if len(seen) > 1:
            ax.yaxis.set_tick_params(labelleft=True)
            ax.set_ylabel(ax.get_ylabel() or unit)
            if ax is not seen[-1] and ax.get_xlabel() == along:
                ax.set_xlabel("")
    return seen


def width(text: Text) -> float:
    """Return a text's length in inches, along its lines."""
    box = text.get_window_extent(text.figure.canvas.get_renderer())
    upright = text.get_rotation() in (90, 270)
    return (box.height if upright else box.width) / text.figure.dpi


def wrapped(text: Text, longest: float) -> int:
    """Break a text into lines none of which is longer, in inches; return how many there are."""
    words = " ".join(text.get_text().split())
    if not words:
        return 0
    for letters in range(len(words), 7, -1):
        text.set_text(textwrap.fill(words, letters, break_long_words=False))
        if width(text) <= longest:
            break
    return text.get_text().count("\n") + 1


def fewer_dates(ax: Axes) -> None:
    """Let an axis of times have five dates at most."""
    if isinstance(ax.xaxis.get_major_locator(), DateLocator):
        dates = AutoDateLocator(minticks=2, maxticks=5)
        ax.xaxis.set_major_locator(dates)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(dates))


def named(axis: Axis) -> bool:
    """Return whether an axis has names, not numbers, at its ticks."""
    fixed = isinstance(axis.get_major_locator(), FixedLocator)
    return fixed and any(c.isalpha() for name in axis.get_ticklabels() for c in name.get_text())


def names_in_lines(ax: Axes) -> float:
    """Break the names beside an axis, so that the picture keeps its width; return their height."""
    if not named(ax.yaxis):
        return 0
    names = [" ".join(name.get_text().split()) for name in ax.get_yticklabels()]
    names = [textwrap.fill(name, 17) for name in names]
    ax.set_yticks(ax.get_yticks(), names)
    lines = 1 + max(name.count("\n") for name in names)
    return len(names) * lines * LINE * SMALLEST / 72


def legend_below(fig: Figure, panels: list[Axes]) -> float:
    """Put legends, and long names of lines and points, below; return the height they need."""
    entries: dict[str, Any] = {}
    for ax in panels:
        if old := ax.get_legend():
            names = [text.get_text() for text in old.get_texts()]
            entries |= dict(zip(names, old.legend_handles, strict=True))
            old.remove()
    marks = [text for ax in panels for text in ax.texts if beside(text)]
    if marks and max(map(width, marks)) > LONGEST * WIDTH:
        entries |= explained(marks)
    if not entries:
        return 0
    columns = 2 if max(map(len, entries)) < 20 else 1
    names = [textwrap.fill(name, 42) for name in entries]
    fig.legend(entries.values(), names, loc="outside lower left", ncols=columns,
               fontsize=SMALLEST, frameon=False)  # fmt: skip
    lines = 1 + sum(1 + name.count("\n") for name in names) / columns
    return lines * 1.35 * SMALLEST / 72


def beside(text: Text) -> bool:
    """Return whether a text names a line's end or a point beside which it stands."""
    return (isinstance(text, Annotation) and not text.arrow_patch and bool(text.get_text())
            and text.anncoords == "offset points")  # fmt: skip


def explained(marks: list[Annotation]) -> dict[str, Any]:
    """Return what a legend shows for names that stood beside lines or points.

    Where a colour would stand for two names, a number takes each name's place in the picture.
    """
    entries: dict[str, Any] = {}
    looks: dict[str, Any] = {}
    for mark in marks:
        name, colour = " ".join(mark.get_text().split()), mark.get_color()
        lines = [line for line in mark.axes.lines if line.get_label() == name]
        lines += [line for line in mark.axes.lines if line.get_color() == colour]
        entries.setdefault(name, lines[0] if lines else Line2D([], [], color=colour))
        looks.setdefault(name, (str(entries[name].get_color()), entries[name].get_linestyle()))
    if len(set(looks.values())) == len(looks):
        for mark in marks:
            mark.remove()
        return entries
    numbers = {name: str(k) for k, name in enumerate(entries, 1)}
    for mark in marks:
        mark.set(text=numbers[" ".join(mark.get_text().split())], ha="left", va="bottom")
        mark.xyann = (4, 2)
    return {f"{number}  {name}": Line2D([], [], alpha=0) for name, number in numbers.items()}


def turned(ax: Axes) -> None:
    """Turn names below an axis, and numbers in the cells of a table, that would meet."""
    taller = 0.0
    names = [name for name in ax.get_xticklabels() if name.get_text()]
    if isinstance(ax.xaxis.get_major_locator(), FixedLocator) and meet(names):
        lines = [textwrap.fill(" ".join(name.get_text().split()), 18) for name in names]
        ax.set_xticks(ax.get_xticks(), lines, rotation=90)
        taller += max(map(width, names)) / 2
    if ax.images and meet(ax.texts):
        for text in ax.texts:
            text.set_rotation(90)
        rows = np.diff(ax.get_ylim()).item()
        taller += max(0, 1.15 * abs(rows) * max(map(width, ax.texts)) - height(ax))
    ax.figure.set_figheight(ax.figure.get_figheight() + taller)


def height(ax: Axes) -> float:
    """Return a panel's height in inches."""
    return ax.get_window_extent().height / ax.figure.dpi


def inside(ax: Axes) -> None:
    """Bring words back that would leave the picture, in lines if they are long."""
    edge = ax.figure.bbox
    if frame(ax.xaxis.label).x1 > edge.x1:
        wrapped(ax.xaxis.label, ax.get_window_extent().width / ax.figure.dpi)
    if outside(ax.yaxis.label, edge):
        wrapped(ax.yaxis.label, height(ax))
    for text in filter(drawn, ax.texts):
        over = frame(text).x1 - edge.x1 + 2
        if over > 0 and not beside(text) and width(text) > 1:
            wrapped(text, max(1, width(text) - over / ax.figure.dpi))
        over = max(0, frame(text).x1 - edge.x1 + 2) + min(0, frame(text).x0 - edge.x0 - 2)
        if over:
            moved(text, -over, 0)


def apart(ax: Axes) -> None:
    """Push words apart that lie on each other, up or down."""
    texts = [text for text in ax.texts if drawn(text) and not text.get_bbox_patch()]
    if ax.images:
        return
    for k, text in enumerate(texts):
        for other in texts[:k]:
            for each in (text, other):
                if frame(text).overlaps(frame(other)) and width(each) > 1:
                    wrapped(each, 1)
            one, two = frame(text), frame(other)
            if one.overlaps(two):
                below = one.y0 + one.y1 <= two.y0 + two.y1
                moved(text, 0, two.y0 - one.y1 - 1 if below else two.y1 - one.y0 + 1)


def moved(text: Text, right: float, up: float) -> None:
    """Move a text by so many dots."""
    if not isinstance(text, Annotation):
        text.set_transform(text.get_transform() + Affine2D().translate(right, up))
    elif isinstance(text.anncoords, str) and "points" in text.anncoords:
        dots = text.figure.dpi / 72
        text.xyann = (text.xyann[0] + right / dots, text.xyann[1] + up / dots)


def drawn(text: Text) -> bool:
    """Return whether a text has words that are seen."""
    return text.get_visible() and bool(text.get_text().strip())


def frame(text: Text) -> Bbox:
    """Return where a text stands, with the box around it."""
    if isinstance(text, Annotation):
        text.update_positions(text.figure.canvas.get_renderer())
    box = text.get_bbox_patch()
    return box.get_window_extent() if box else Text.get_window_extent(text)


def meet(texts: list[Text]) -> int:
    """Return how many pairs of texts lie on each other."""
    boxes = [frame(text).padded(-1) for text in filter(drawn, texts)]
    return sum(one.overlaps(two) for k, one in enumerate(boxes) for two in boxes[:k])


def outside(text: Text, edge: Bbox) -> bool:
    """Return whether a text leaves the picture."""
    box = frame(text)
    return box.x0 < edge.x0 or box.x1 > edge.x1 or box.y0 < edge.y0 or box.y1 > edge.y1


def faults(fig: Figure) -> int:
    """Return how often words lie on each other, or leave the picture."""
    FigureCanvasAgg(fig)
    with warnings.catch_warnings(record=True) as said:  # that there is no room for the axes
        warnings.simplefilter("always")
        fig.draw_without_rendering()
    found, edge = len(said), fig.bbox.padded(2)
    for ax in fig.axes:
        names = [*ax.get_xticklabels(), ax.xaxis.label]
        found += meet(list(ax.texts)) + meet(names) + meet(ax.get_yticklabels())
        words = [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax._left_title]
        found += sum(outside(text, edge) for text in filter(drawn, words))
        found += sum(frame(name).x0 < edge.x0 for name in ax.get_yticklabels())
    return found + sum(outside(text, edge) for text in filter(drawn, fig.texts))


def wide_pictures() -> list[bytes]:
    """Return every picture that the chapters show, the frames of moving ones too."""
    found = []
    for chapter in chapters.in_order():
        for cell in chapters.cells(chapter.name):
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if "image/png" in data:
                    found.append(b64decode("".join(data["image/png"])))
                found += map(b64decode, set(FRAME.findall("".join(data.get("text/html", "")))))
    return found


def forget_old() -> None:
    """Remove the phone pictures of figures that no chapter shows any more."""
    wanted = set(map(phone_picture, wide_pictures()))
    for path in set(PHONE.glob("*.webp")) - wanted:
        path.unlink()


def small(fig: Figure, **kind: Any) -> bytes | None:
    """Return a figure as a phone shows it, which it becomes; None if its words do not fit."""
    before = faults(fig)
    with warnings.catch_warnings(action="ignore"):
        narrow(fig)
    if faults(fig) > before:  # a drawing of boxes and arrows: the page lets it scroll
        return None
    return plots.image(fig, "webp", dpi=DOTS, pil_kwargs={"method": 4} | kind)


def keep(picture: bytes, fig: Figure, **kind: Any) -> None:
    """Draw a figure once more for phones and keep it; the figure itself becomes narrow."""
    if made := small(fig, **kind):
        PHONE.mkdir(exist_ok=True)
        write_atomically(phone_picture(picture), made)


def load_ipython_extension(shell: Any) -> None:
    """Let each figure that a notebook shows be kept for phones, too."""
    show, frames = plots.Picture._repr_mimebundle_, plots.frames

    def shown(self: plots.Picture, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle, about = show(self, **options)
        keep(b64decode(bundle["image/png"]), self.fig, lossless=True)
        return bundle, about

    def moving(draw: Callable[[int], Figure], *rest: Any, **words: str) -> plots.Frames:
        drawn: list[Figure] = []

        def noted(k: int) -> Figure:
            drawn.append(draw(k))
            return drawn[-1]

        made = frames(noted, *rest, **words)
        for picture, fig in zip(made.frames, drawn, strict=True):
            keep(picture, fig, quality=60)
        return made

    plots.Picture._repr_mimebundle_, plots.frames = shown, moving
