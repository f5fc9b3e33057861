"""Ten million rows from disk: what the long benchmark recorded, as a table and a picture."""

from __future__ import annotations

import csv

import numpy as np

from book.press.markdown import table
from book.press.places import ROOT
from book.press.site.figures import put_picture
from book.press.upkeep import phone
from companion import plots

RECORDED = ROOT / "tests" / "benchmarks" / "long_haul.csv"
NAMES = ("online", "scheduled")


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
    description, picture = draw(measured)
    return "\n".join([
        f"Recorded: {length:,.0f} rows for each strategy; memory, and time per row, in the first "
        "and in the last tenth of them.", "",
        table("columns", "lrrrr",
              ["Strategy", "MB, first", "MB, last", "µs, first", "µs, last"], rows),
        f"![{description}]({picture}){{.story}}", "",
    ])  # fmt: skip


def draw(measured: dict[str, dict[str, np.ndarray]]) -> tuple[str, str]:
    """Draw memory and time against rows; return the picture's description and its address."""
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
    description = (
        "Two panels against millions of rows: the memory of the process, and the CPU time of each "
        "row. In both panels the lines of the online and the scheduled strategy run level from "
        "the first million rows to the last."
    )
    return description, put_picture("long-haul", plots.image(fig), phone.small(fig))
