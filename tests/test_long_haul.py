"""Long streams: memory and time per row stay flat, in a short run now and in the recorded one."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from book.press.site import figures, long_haul

SCRIPT = Path(__file__).parent / "benchmarks" / "long_haul.py"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_two_hundred_thousand_rows_take_no_more_memory_or_time_at_the_end(tmp_path):
    out = tmp_path / "short.csv"
    subprocess.run(
        [sys.executable, SCRIPT, "--rows", "200000", "--part", "10000", "--out", out],
        check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name in ("online", "scheduled"):
        part = [row for row in rows if row["strategy"] == name]
        assert int(part[-1]["rows"]) == 200_000
        memory = [float(row["megabytes"]) for row in part]
        assert memory[-1] < memory[4] + 20, memory
        time = [float(row["microseconds_per_row"]) for row in part]
        assert np.median(time[10:]) < 2 * np.median(time[:10]), time
        assert all(0.7 < float(row["mean_error"]) < 1.2 for row in part[1:])


def test_the_recorded_run_is_long_and_flat():
    for name, part in long_haul.recorded().items():
        assert part["rows"][-1] == 10_000_000, name
        tenth = len(part["rows"]) // 10
        assert part["megabytes"].max() < 1.1 * part["megabytes"][tenth], name
        first, last = (np.median(part["microseconds_per_row"][k]) for k in (
            slice(0, tenth), slice(-tenth, None)))  # fmt: skip
        assert last < 1.25 * first, name


def test_the_page_shows_what_was_recorded():
    text = long_haul.long_haul()
    assert (
        "10,000,000" in text
        and "long-haul.png" in text
        and (figures.FIGURES / "long-haul.png").exists()
    )
