"""Ten million rows from disk: what the long benchmark recorded, as a table and a picture."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from companion import plots

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "benchmarks" / "long_haul.csv"
PICTURE = ROOT / "book" / "_build" / "figures" / "long-haul.png"
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


def page() -> str:
    """Return the table and the picture as Markdown."""
    found = recorded()
    rows = max(part["rows"][-1] for part in found.values())
    lines = [
        f"Recorded: {rows:,.0f} rows for each strategy; memory, and time per row, in the first and "
        "in the last tenth of them.", "", ":::{table}", ":class: columns", "",
        "| Strategy | MB, first | MB, last | µs, first | µs, last |",
        "|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, part in found.items():
        tenth = len(part["rows"]) // 10
        ends = [
            f"{np.median(part[column][rows]):.{digits}f}"
            for column, digits in (("megabytes", 0), ("microseconds_per_row", 2))
            for rows in (slice(0, tenth), slice(-tenth, None))
        ]
        lines.append(f"| {name} | {' | '.join(ends)} |")
    lines += [":::", "", f"![{draw(found)}](/{PICTURE.relative_to(ROOT).as_posix()}){{.story}}", ""]
    return "\n".join(lines)


def draw(found: dict[str, dict[str, np.ndarray]]) -> str:
    """Draw memory and time against rows; return the picture's description."""
    fig, axes = plots.panels(
        "Memory and time per row stay flat", ["memory", "time"], x="million rows", y="MB",
        sharey=False,
    )  # fmt: skip
    for name, part in found.items():
        millions, colour = part["rows"] / 1e6, plots.COLOURS[name]
        for ax, column in zip(axes, ("megabytes", "microseconds_per_row"), strict=True):
            ax.plot(millions, part[column], color=colour, label=name)
    for ax, column, unit in zip(
        axes, ("megabytes", "microseconds_per_row"), ("MB", "µs of CPU a row"), strict=True
    ):
        ax.set(ylim=(0, 1.25 * max(part[column].max() for part in found.values())), ylabel=unit)
    axes[0].legend(loc="lower right")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(plots.image(fig))
    return (
        "Two panels against millions of rows: the memory of the process, and the CPU time of each "
        "row. In both panels the lines of the online and the scheduled strategy run level from "
        "the first million rows to the last."
    )
