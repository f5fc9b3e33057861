"""The cover: two years of bike rides, one model left alone and one that went on learning."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from book.press import chapters
from book.press.files import kept
from book.press.markdown import raw_html
from book.press.render import fill
from companion import Online, Static, plots, prequential, streams
from companion.files.code import companion_digest

WARMUP = 146
TOP = 8900.0  # rides a day at the upper edge
ALT = (
    "Grey dots are the bike rides of each day of two years. Two models learned from the same first "
    "months. The blue line is the one that was left alone: in the second year it runs far below "
    "the dots. The green line is the one that went on learning: it follows them."
)
SAID = {"frozen": "was left alone", "online": "learns every evening"}


@functools.cache
def runs() -> dict[str, dict[str, np.ndarray]]:
    """Return the predictions and losses of both models on the city's bike rides."""
    return {
        model: {name: np.array(values) for name, values in columns.items()}
        for model, columns in json.loads(kept("cover", companion_digest().encode(), run)).items()
    }


def run() -> bytes:
    """Run both models."""
    from river import linear_model, optim, preprocessing
    from sklearn.linear_model import LinearRegression

    bikes = streams.bike_sharing()
    line = linear_model.LinearRegression(optimizer=optim.SGD(0.01), intercept_lr=0.1)
    rivals = {
        "frozen": Static(LinearRegression()),
        "online": Online(preprocessing.StandardScaler() | line),
    }
    done = {name: prequential(rival, bikes, warmup=WARMUP) for name, rival in rivals.items()}
    return json.dumps(
        {
            name: {"predictions": run.predictions.tolist(), "loss": run.loss.tolist()}
            for name, run in done.items()
        }
    ).encode()


def lines() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return each day's rides, and both models' predictions after the warm-up, smoothed."""
    smoothed = {name: smooth(run["predictions"]) for name, run in runs().items()}
    return streams.bike_sharing().y, smoothed


def errors_of_second_year() -> dict[str, float]:
    """Return each model's mean absolute error in the second year, in rides a day."""
    return {name: float(run["loss"][365 - WARMUP :].mean()) for name, run in runs().items()}


def smooth(values: np.ndarray, width: int = 31) -> np.ndarray:
    """Return a smooth version for drawing only: a bell-shaped mean over a month.

    >>> smooth(np.ones(40)).round(6)[:3]
    array([1., 1., 1.])
    """
    bell = np.hanning(width)
    return np.convolve(np.pad(values, width // 2, mode="edge"), bell / bell.sum(), "valid")


def book_cover() -> str:
    """Return the cover for wide and for narrow screens; the style sheet shows one of them."""
    pictures = svg("wide", 1200, 460) + svg("narrow", 640, 440)
    first = chapters.in_order()[0]
    return raw_html(pictures + fill("site/templates/cover_pick.html", said=SAID, first=first,
                                    errors=errors_of_second_year()))  # fmt: skip


def svg(name: str, width: int, height: int) -> str:
    """Return the cover as an inline picture whose colours follow the page's theme."""
    rides, predictions = lines()

    def x(day: np.ndarray | float) -> np.ndarray:
        return 14 + (width - 28) * np.asarray(day) / (len(rides) - 1)

    def y(value: np.ndarray | float) -> np.ndarray:
        return height - 10 - (height - 20) * np.asarray(value) / TOP

    dots = "".join(
        f"M{a:.0f} {b:.0f}h0" for a, b in zip(x(np.arange(len(rides))), y(rides), strict=True)
    )
    days = np.arange(WARMUP, len(rides))
    drawn = []
    for model, line in predictions.items():
        points = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x(days), y(line), strict=True))
        drawn.append(f'<path class="{model}" pathLength="1" d="M{points}"/>')
    places = {"frozen": (x(690), y(700)), "online": (x(400), y(8100))}
    words = [
        f'<text class="{model}" x="{a:.0f}" y="{b:.0f}">{SAID[model]}</text>'
        for model, (a, b) in places.items()
    ]
    return (
        f'<svg class="cover {name}" viewBox="0 0 {width} {height}" role="img" aria-label="{ALT}">'
        f'<rect class="past" x="0" y="0" width="{x(WARMUP):.0f}" height="{height}"/>'
        f'<text class="past" x="14" y="{height - 16}">both learn</text>'
        f'<path class="dots" d="{dots}"/>{"".join(drawn)}{"".join(words)}</svg>'
    )


def card(path: Path) -> None:
    """Write the picture that other sites show beside a link: 1200 by 630 pixels."""
    rides, predictions = lines()
    fig = Figure(figsize=(12, 6.3), dpi=100, facecolor=plots.PAPER)
    ax = fig.add_axes((0.02, 0.04, 0.96, 0.62))
    ax.plot(np.arange(len(rides)), rides, ".", color="#C9C6BC", markersize=6)
    ax.axvspan(-8, WARMUP, color=plots.COLOURS["static"], alpha=0.1, linewidth=0)
    for name, colour in (("frozen", "static"), ("online", "online")):
        days = np.arange(WARMUP, len(rides))
        ax.plot(days, predictions[name], color=plots.COLOURS[colour], linewidth=5)
    ax.set(xlim=(-8, len(rides) + 8), ylim=(0, TOP))
    ax.axis("off")
    words = {"color": plots.INK, "fontfamily": "DejaVu Sans", "va": "top"}
    fig.text(0.03, 0.95, "Static vs. Dynamic AI Models", fontsize=40, fontweight="bold", **words)
    fig.text(0.03, 0.80, "Batch and online learning, by experiment", fontsize=26, **words)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plots.image(fig, "png", dpi=100))
