"""One look for every figure of the book: colour-blind-safe, described, readable on any page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from companion.comparison import Comparison
from companion.metrics import rolling_mean

INK, PAPER, GREY = "#1F2A37", "#FBFAF7", "#6B7280"
COLOURS = {
    "static": "#0072B2", "scheduled": "#B87300", "online": "#007A59", "baseline": GREY,
    "hybrid": "#A8487E", "alarm": "#C04A00",
}  # fmt: skip
STYLE = {
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
    "figure.figsize": (8.0, 4.2), "figure.dpi": 100, "savefig.dpi": 144,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans", "font.size": 11, "text.color": INK,
    "axes.titlesize": 13, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.titlepad": 12, "axes.labelcolor": INK, "axes.edgecolor": "#9AA3AF",
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#E3E1DA", "grid.linewidth": 0.8,
    "xtick.color": "#4B5563", "ytick.color": "#4B5563", "lines.linewidth": 2.0,
    "legend.frameon": False, "svg.hashsalt": "companion",
}  # fmt: skip


def figure(title: str, *, x: str, y: str, dates: bool = False, **size: Any) -> tuple[Figure, Any]:
    """Start a figure in the book's style, its finding as the title and units on its axes.

    Parameters
    ----------
    title, x, y : str
        The finding, and what the axes show, with units.
    dates : bool
        Whether the x axis holds times.
    size
        Passed to matplotlib's Figure, such as ``figsize=(8, 3)`` in inches.

    Returns
    -------
    (Figure, Axes)

    Examples
    --------
    >>> fig, ax = figure("Errors grow", x="day", y="rides a day")
    >>> ax.get_ylabel()
    'rides a day'
    """
    with matplotlib.rc_context(STYLE):
        fig = Figure(**size)
        ax = fig.add_subplot()
        ax.set(title=literal(title), xlabel=literal(x), ylabel=literal(y))
        ax.yaxis.set_major_formatter(plain)
        if dates:
            ax.xaxis_date()
            ax.xaxis.set_major_locator(AutoDateLocator(maxticks=8))
            ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
    return fig, ax


def literal(text: str) -> str:
    r"""Return text that matplotlib draws as it stands: two dollar signs make no formula.

    Examples
    --------
    >>> literal("price in $ or US$")
    'price in \\$ or US\\$'
    """
    return text.replace("$", r"\$")


def plain(value: float, _: Any = None) -> str:
    """Return a number for an axis: thousands with commas."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def panels(
    title: str, names: Sequence[str], *, x: str, y: str, sharey: bool = True, **size: Any
) -> tuple[Figure, Any]:
    """Start small figures that share one finding, two in a row so that a phone can show them.

    Parameters
    ----------
    title : str
        The finding.
    names : sequence of str
        A short title for each panel.
    x, y : str
        What the axes show, with units.
    sharey : bool
        Whether all panels have one y axis.
    size
        Passed to matplotlib's Figure; 8 by 3.4 inches a row if not given.

    Returns
    -------
    (Figure, ndarray of Axes)

    Examples
    --------
    >>> fig, axes = panels("All grow", ["Rome", "Oslo"], x="day", y="rides a day")
    >>> [ax.get_title(loc="left") for ax in axes]
    ['Rome', 'Oslo']
    """
    with matplotlib.rc_context(STYLE):
        rows = -(-len(names) // 2)
        fig = Figure(**({"figsize": (8, 0.4 + 3 * rows)} | size))
        axes = fig.subplots(rows, 2, sharey=sharey, squeeze=False).ravel()
        for k, (ax, name) in enumerate(zip(axes, names, strict=False)):
            ax.set_title(literal(name), fontsize=11, pad=6)
            ax.set_xlabel(literal(x) if k >= len(names) - 2 else "")
            ax.set_ylabel("" if k % 2 else literal(y))
            ax.yaxis.set_major_formatter(plain)
        for ax in axes[len(names) :]:
            ax.set_visible(False)
        fig.suptitle(literal(title), fontsize=13, fontweight="bold", x=0.01, ha="left")
    return fig, axes[: len(names)]


def heat(
    ax: Any, table: np.ndarray, rows: Sequence[str], columns: Sequence[str], *,
    form: str = "{:.0f}", low: float | None = None, high: float | None = None,
) -> None:  # fmt: skip
    """Draw a table as a heat map with its numbers in the cells; darker is larger.

    Parameters
    ----------
    ax : Axes
    table : ndarray, shape (len(rows), len(columns))
    rows, columns : sequence of str
    form : str
        How a number is written.
    low, high : float, optional
        The values of the palest and the darkest shade.

    Examples
    --------
    >>> fig, ax = figure("Off the diagonal it is dark", x="tested on", y="fitted on")
    >>> heat(ax, np.array([[0.0, 9.0], [9.0, 0.0]]), ["2011", "2012"], ["2011", "2012"])
    >>> [text.get_text() for text in ax.texts]
    ['0', '9', '9', '0']
    """
    low = float(np.nanmin(table)) if low is None else low
    high = float(np.nanmax(table)) if high is None else high
    ax.imshow(table, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    for (i, j), value in np.ndenumerate(table):
        dark = value > low + 0.6 * (high - low)
        ax.text(j, i, form.format(value), ha="center", va="center", fontsize=9,
                color="white" if dark else INK)  # fmt: skip
    ax.set_xticks(range(len(columns)), map(literal, columns))
    ax.set_yticks(range(len(rows)), map(literal, rows))
    ax.grid(False)


class Picture:
    """A finished figure with its description; shown as the last value of a cell."""

    def __init__(self, fig: Figure, alt: str) -> None:
        self.fig, self.alt = fig, alt

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    @property
    def title(self) -> str:
        """The finding: the title of the whole, or of its only picture."""
        drawn = self.fig.get_suptitle() or self.fig.axes[0].get_title(loc="left")
        return drawn.replace(r"\$", "$")

    def png(self) -> bytes:
        """Return the figure as PNG bytes."""
        return image(self.fig, "png")

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data = base64.b64encode(self.png()).decode("ascii")
        bundle = {"text/plain": repr(self), "image/png": data}
        return bundle, {"image/png": {"alt": self.alt, "title": self.title}}


def show(fig: Figure, alt: str) -> Picture:
    """Finish a figure: ``alt`` says what it shows, for readers who cannot see it.

    Raises
    ------
    ValueError
        If the description is empty.

    Examples
    --------
    >>> fig, ax = figure("Rides grow", x="day", y="rides")
    >>> show(fig, "One line that rises.")
    Figure: One line that rises.
    """
    if not alt.strip():
        raise ValueError("a figure needs alt text; say in one or two sentences what it shows")
    return Picture(fig, " ".join(alt.split()))


def image(fig: Figure, kind: str = "png", **options: Any) -> bytes:
    """Return a figure as image bytes, without a time stamp."""
    data = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        fig.savefig(data, format=kind, **options)
    return data.getvalue()


class Frames:
    """A figure that moves: a slider and a play button over still pictures, no kernel needed."""

    def __init__(self, frames: list[bytes], labels: list[str], alt: str, title: str) -> None:
        self.frames, self.labels, self.alt, self.title = frames, labels, alt, title

    def __repr__(self) -> str:
        return f"Moving figure, {len(self.frames)} frames: {self.alt}"

    def _repr_html_(self) -> str:
        key = "frames-" + hashlib.sha256((self.title + self.alt).encode()).hexdigest()[:8]
        sources = [
            "data:image/webp;base64," + base64.b64encode(frame).decode("ascii")
            for frame in self.frames
        ]
        data = json.dumps({"title": self.title, "labels": self.labels, "sources": sources})
        script = SCRIPT.replace("KEY", key).replace("DATA", data.replace("<", "\\u003c"))
        return (
            f'<figure class="companion-frames" id="{key}" role="group" '
            f'aria-label="{escape(self.title, quote=True)}">'
            f'<img src="{sources[-1]}" alt="{escape(self.labels[-1], quote=True)}" '
            'width="800" height="420" style="max-width:100%;height:auto">'
            f"<figcaption>{escape(self.alt)}</figcaption><script>{script}</script></figure>"
        )


# The controls are made by the script, which begins at the first frame; where scripts do not run,
# the last frame stands alone.
SCRIPT = """((data) => {
  const box = document.getElementById("KEY");
  if (!box) return;
  const image = box.querySelector("img"), last = data.sources.length - 1;
  const controls = document.createElement("div");
  controls.className = "controls";
  controls.innerHTML = '<button type="button">Play</button><label><span></span> ' +
    '<input type="range" min="0"></label> <output aria-live="off"></output>';
  box.insertBefore(controls, box.querySelector("figcaption"));
  const slider = controls.querySelector("input"), out = controls.querySelector("output");
  const button = controls.querySelector("button");
  controls.querySelector("span").textContent = data.title;
  slider.max = last;
  const go = (k) => {
    image.src = data.sources[k];
    image.alt = out.textContent = data.labels[k];
    slider.value = k;
    slider.setAttribute("aria-valuetext", data.labels[k]);
  };
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  const step = () => {
    const k = Number(slider.value) + 1;
    if (k > last) stop(); else go(k);
  };
  slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    if (Number(slider.value) === last) go(0);
    button.textContent = "Pause";
    timer = setInterval(step, 900);
  });
  go(0);
})(DATA);"""


def frames(draw: Callable[[int], Figure], labels: Sequence[str], *, title: str, alt: str) -> Frames:
    """Make a moving figure: ``draw(k)`` returns the k-th picture, ``labels[k]`` says what it is.

    Parameters
    ----------
    draw : callable
        Takes the frame's number, returns a Figure of 8 by 4.2 inches.
    labels : sequence of str
        One for each frame; read out by a screen reader as the slider moves.
    title : str
        What the slider moves through, such as ``"Day"``.
    alt : str
        What the moving figure shows as a whole.

    Returns
    -------
    Frames
        Shown as the last value of a cell. It works without a kernel and without a network.

    Examples
    --------
    >>> def draw(k):
    ...     fig, ax = figure("A line grows", x="step", y="height")
    ...     _ = ax.plot([0, k])
    ...     return fig
    >>> frames(draw, ["step 1", "step 2"], title="Step", alt="A line that grows.")
    Moving figure, 2 frames: A line that grows.
    """
    pictures = [
        image(draw(k), "webp", dpi=120, pil_kwargs={"quality": 60, "method": 4})
        for k in range(len(labels))
    ]
    return Frames(pictures, list(labels), " ".join(alt.split()), title)


def errors_over_time(
    comparison: Comparison, window: int, *, title: str, names: Sequence[str] = ()
) -> Figure:
    r"""Draw each strategy's mean loss over a sliding window, labelled at the line's end.

    Parameters
    ----------
    comparison : Comparison
    window : int
        In rows.
    title : str
        The finding.
    names : sequence of str, optional
        The strategies to draw; all that did not diverge if not given.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> result = compare(streams.bike_sharing(), {"no change": Baseline("no-change")})
    >>> fig = errors_over_time(result, 30, title="No change errs most in summer")
    >>> fig.axes[0].get_ylabel()
    'error in rides a day\n(mean of 30 rows)'
    """
    stream = comparison.stream
    dated = stream.time is not None
    loss = f"error in {comparison.unit}" if comparison.unit else "error"
    fig, ax = figure(
        title, x="" if dated else "row", y=f"{loss}\n(mean of {window} rows)", dates=dated
    )
    first = next(iter(comparison.runs.values()))[0].first
    x = stream.time[first:] if dated else np.arange(first, len(stream))
    ends = {}
    steady = [name for name in comparison.runs if comparison.diverged(name) is None]
    for name in names or steady or comparison.runs:
        line = rolling_mean(comparison.loss(name), window)
        colour = COLOURS[kind_of(name)]
        style = "--" if colour == COLOURS["baseline"] else "-"
        ax.plot(x, line, style, color=colour, label=literal(name))
        ends[name] = (line[-1], colour)
    label_ends(ax, x[-1], ends)
    ax.set_ylim(bottom=0)
    return fig


def label_ends(ax: Any, x: Any, ends: dict[str, tuple[float, str]]) -> None:
    """Write each line's name at its end, pushed apart where they would overlap.

    Parameters
    ----------
    ax : matplotlib Axes
    x : float or datetime64
        Where the lines end.
    ends : dict of str to (float, str)
        Each line's name, last value and colour.

    Examples
    --------
    >>> fig, ax = figure("Two lines", x="row", y="error")
    >>> label_ends(ax, 10, {"frozen": (0.5, "black"), "online": (0.2, "blue")})
    >>> [text.get_text() for text in ax.texts]
    ['online', 'frozen']
    """
    low, high = ax.get_ylim()
    gap = 0.065 * (high - min(low, 0))
    placed = -np.inf
    for name, (value, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        placed = max(value, placed + gap)
        ax.annotate(
            literal(name), (x, placed), xytext=(8, 0), textcoords="offset points", color=colour,
            va="center", fontweight="bold", fontsize=10, annotation_clip=False,
        )  # fmt: skip


def kind_of(name: str) -> str:
    """Guess a strategy's colour from its name: static, scheduled, online, hybrid or baseline."""
    words = {
        "static": "static|frozen|fixed", "scheduled": "sched|refit|retrain|batch|every",
        "online": "online|row by row", "hybrid": "hybrid|residual|blend|champion|paired|per key",
    }  # fmt: skip
    for kind, pattern in words.items():
        if re.search(pattern, name.lower()):
            return kind
    return "baseline"
