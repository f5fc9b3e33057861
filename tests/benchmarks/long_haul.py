"""Stream ten million rows from disk, and write down memory and time as they go by.

``python tests/benchmarks/long_haul.py`` makes the table on disk, runs each strategy over it in a
process of its own and writes ``long_haul.csv`` beside this file, which the book's page on
benchmarks shows. It takes some minutes and 0.5 GB of disk; ``--rows 200000`` is a short one.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

from companion import Online, Scheduled, Strategy
from companion.lineups import online_line
from companion.scale.parts import prequential_in_parts
from companion.streams.tables import read_parts

HERE = Path(__file__).parent
COLUMNS = ("strategy", "rows", "megabytes", "microseconds_per_row", "mean_error")


def strategies() -> dict[str, Strategy]:
    """Return what is run, by name."""
    return {
        "online": Online(online_line(0)),
        "scheduled": Scheduled(LinearRegression(), every=5_000, window=20_000),
    }


def write_table(path: Path, rows: int, part: int = 100_000) -> None:
    """Write a CSV of four features whose rule turns slowly, part by part."""
    for start in range(0, rows, part):
        rng = np.random.default_rng(start)
        n = min(part, rows - start)
        X = rng.normal(size=(n, 4))
        turn = 2e-6 * np.arange(start, start + n)
        y = X[:, 0] * np.cos(turn) + X[:, 1] * np.sin(turn) + X[:, 2] + rng.normal(size=n)
        frame = pd.DataFrame(np.column_stack([X, y]).round(4), columns=list("abcdy"))
        frame.to_csv(path, mode="w" if start == 0 else "a", header=start == 0, index=False)


def megabytes() -> float:
    """Return the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def haul(name: str, path: Path, part: int = 100_000) -> Iterator[dict[str, object]]:
    """Run one strategy over a table; yield what each part of it took."""
    parts = prequential_in_parts(
        strategies()[name], read_parts(path, "y", rows=part), warmup=part // 10
    )
    rows, clock = part // 10, time.process_time()
    for run in parts:
        rows, now = rows + len(run.y), time.process_time()
        yield {
            "strategy": name, "rows": rows, "megabytes": round(megabytes(), 1),
            "microseconds_per_row": round(1e6 * (now - clock) / len(run.y), 2),
            "mean_error": round(float(run.loss.mean()), 4),
        }  # fmt: skip
        clock = time.process_time()


def main() -> None:
    """Run all strategies and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--part", type=int, default=100_000, help="rows read at a time")
    parser.add_argument("--out", type=Path, default=HERE / "long_haul.csv")
    parser.add_argument("--one", nargs=2, metavar=("STRATEGY", "TABLE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        out = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        for row in haul(args.one[0], Path(args.one[1]), args.part):
            out.writerow(row)
            sys.stdout.flush()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        write_table(path, args.rows)
        print(f"{args.rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB on disk", file=sys.stderr)
        with args.out.open("w", encoding="utf-8") as out:
            out.write(",".join(COLUMNS) + "\n")
            for name in strategies():
                command = [
                    sys.executable,
                    __file__,
                    "--part",
                    str(args.part),
                    "--one",
                    name,
                    str(path),
                ]
                done = subprocess.run(
                    [*command, "--one", name, str(path)],
                    check=True, text=True, stdout=subprocess.PIPE,
                )  # fmt: skip
                out.write(done.stdout)


if __name__ == "__main__":
    main()
