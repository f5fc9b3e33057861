"""Ten million rows from disk: what the long benchmark recorded, as a table and a picture."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from book.press.files import digest, kept
from book.press.markdown import table
from book.press.places import ROOT
from book.press.site.figures import put_picture
from book.press.upkeep import phone
from companion import plots

RECORDED = ROOT / "tests" / "benchmarks" / "long_haul.csv"
NAMES = ("online", "scheduled")
ALT = (
    "Two panels against millions of rows: the memory of the process, and the CPU time of each "
    "row. In both panels the lines of the online and the scheduled strategy run level from "
    "the first million rows to the last."
)


def recorded() -> dict[str, dict[str, np.ndarray]]:
    """Return each strategy's columns: rows so far, memory, time and error of each part."""
    with RECORDED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        name: {
            column: np.array([float(row[column]) for row in rows if row["strategy"] == name])
            for column in ("rows", "megabytes", "microseconds_per_row", "mean_error")
        }
        for name in NAMES
    }


def long_haul() -> str:
    """Return the table and the picture as Markdown."""
    measured, rows = recorded(), []
    for name, columns in measured.items():
        tenth = len(columns["rows"]) // 10
        rows.append([name, *(
            f"{np.median(columns[column][tenths]):.{digits}f}"
            for column, digits in (("megabytes", 0), ("microseconds_per_row", 2))
            for tenths in (slice(0, tenth), slice(-tenth, None))
        )])  # fmt: skip
    length = max(columns["rows"][-1] for columns in measured.values())
    source = digest([RECORDED, Path(plots.__file__), Path(phone.__file__)])
    wide, narrow = (
        kept("long_haul", f"{source} {width}".encode(), functools.partial(make, measured))
        for width, make in (("wide", in_full), ("narrow", for_phones))
    )
    picture = put_picture("long-haul", wide, narrow)
    return "\n".join([
        f"Recorded: {length:,.0f} rows for each strategy; memory, and time per row, in the first "
        "and in the last tenth of them.", "",
        table("columns", "lrrrr",
              ["Strategy", "MB, first", "MB, last", "µs, first", "µs, last"], rows),
        f"![{ALT}]({picture}){{.story}}", "",
    ])  # fmt: skip


def in_full(measured: dict[str, dict[str, np.ndarray]]) -> bytes:
    """Return the picture."""
    return plots.image(draw(measured))


def for_phones(measured: dict[str, dict[str, np.ndarray]]) -> bytes:
    """Return the picture's narrow version."""
    return phone.small(draw(measured)) or b""


def draw(measured: dict[str, dict[str, np.ndarray]]) -> Figure:
    """Draw memory and time against rows."""
    fig, axes = plots.panels(
        "Memory and time per row stay flat", ["memory", "time"], x="million rows", y="MB",
        sharey=False,
    )  # fmt: skip
    for name, columns in measured.items():
        millions, colour = columns["rows"] / 1e6, plots.COLOURS[name]
        for ax, column in zip(axes, ("megabytes", "microseconds_per_row"), strict=True):
            ax.plot(millions, columns[column], color=colour, label=name)
    for ax, column, unit in zip(
        axes, ("megabytes", "microseconds_per_row"), ("MB", "µs of CPU a row"), strict=True
    ):
        top = max(columns[column].max() for columns in measured.values())
        ax.set(ylim=(0, 1.25 * top), ylabel=unit)
    axes[0].legend(loc="lower right")
    return fig
