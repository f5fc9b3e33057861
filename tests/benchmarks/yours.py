"""Print what one's own stream takes in the page, in headless Chromium, with the quick line-up.

``python -m tests.benchmarks.yours [NAME ...]``, on a built site. For each table: seconds until it
is read (the first with the start of Python) and until the estimate is there; the estimate; the
seconds of the run, and how many times the estimate that is; the page's CPU seconds in the run and
its peak memory, which need Linux. The first line is a measure of the machine: a loop of 5 million
additions. The goal for ``wide`` is an answer within 120 s where that loop takes 0.3 s.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from book.press.site import yours
from book.press.site.browser import site_in_browser

PATIENCE = 3_600
SAMPLES = {file: name for file, name, _ in yours.SAMPLES}


def wide(rows: int = 50_000, columns: int = 50) -> bytes:
    """Return some 20 MB: numbers in so many columns, and a target that drifts."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns - 1))
    weights = rng.normal(size=(2, columns - 1))
    share = np.linspace(0, 1, rows)
    y = (1 - share) * (X @ weights[0]) + share * (X @ weights[1]) + rng.normal(size=rows)
    head = ",".join([*(f"x{k}" for k in range(columns - 1)), "y"])
    lines = (",".join(f"{value:.5f}" for value in row) for row in np.column_stack([X, y]))
    return "\n".join([head, *lines]).encode()


def long(rows: int = 550_000) -> bytes:
    """Return some 20 MB: times, a key and two numbers in a great many rows."""
    rng = np.random.default_rng(0)
    times = np.datetime64("2024-01-01T00:00:00") + 60 * np.arange(rows)
    keys = rng.integers(0, 50, rows)
    x = np.sin(np.arange(rows) / 1440) + rng.normal(size=rows)
    lines = (f"{t},{k},{a:.3f},{a + 3 + k / 9:.3f}" for t, k, a in zip(times, keys, x, strict=True))
    return "\n".join(["time,sensor,x,y", *lines]).encode()


MADE = {"wide": wide, "long": long}


def loop() -> float:
    """Return the CPU seconds of 5 million additions."""
    began, total = time.process_time(), 0
    for k in range(5_000_000):
        total += k
    return time.process_time() - began


def text(page: Any, name: str, pattern: str, began: float) -> float:
    """Wait until a line of the page fits; return the seconds since then."""
    while time.monotonic() - began < PATIENCE:
        said = page.locator(f"#yours-{name}").inner_text()
        if re.search(pattern, said):
            return time.monotonic() - began
        if "yours-bad" in (page.locator(f"#yours-{name}").get_attribute("class") or ""):
            raise SystemExit(f"the page says: {said}")
        page.wait_for_timeout(20)
    raise SystemExit(f"the page says: {said}")


def pages() -> Iterator[tuple[float, float]]:
    """Yield the CPU seconds and the peak MB of each page, where /proc has them."""
    parents, found = {}, {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            parents[int(process.name)] = int(fields[1])
            if b"--type=renderer" in (process / "cmdline").read_bytes():
                most = re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())
                ticks = int(fields[11]) + int(fields[12])
                found[int(process.name)] = ticks / os.sysconf("SC_CLK_TCK"), int(most[1]) / 1024
        except (OSError, TypeError):  # it has ended
            continue
    for process, measured in found.items():
        while process in parents and process != os.getpid():
            process = parents[process]
        if process == os.getpid():
            yield measured


def estimated(said: str) -> float:
    """Return the seconds of an estimate in words."""
    number, unit = re.search(r"about ([\d.]+) (second|minute|hour)", said).groups()
    return float(number) * {"second": 1, "minute": 60, "hour": 3600}[unit]


def main() -> None:
    """Print the table."""
    wanted = sys.argv[1:] or [*SAMPLES, *MADE]
    print(f"5 million additions: {loop():.2f} CPU s")
    print(f"{'':22s}   MB    read  ready estimate     run  times  CPU s  peak MB")
    with site_in_browser() as (browser, address):
        for name in wanted:
            page = browser.new_context().new_page()
            page.set_default_timeout(PATIENCE * 1000)
            page.goto(f"{address}/book/your_stream.html")
            data = MADE[name]() if name in MADE else b""
            began = time.monotonic()
            if name in MADE:
                page.locator("#yours-file").set_input_files(
                    {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": data}
                )
            else:
                page.get_by_role("button", name=SAMPLES[name]).click()
            read = text(page, "status", "is read", began)
            ready = text(page, "takes", r"about \d", began)
            about = estimated(page.locator("#yours-takes").inner_text())
            print(
                f"{name:22s}{len(data) / 1e6:5.0f}{read:8.1f}{ready:7.1f}{about:9.0f}",
                end="", flush=True,
            )  # fmt: skip
            before = max(cpu for cpu, _ in pages())
            began = time.monotonic()
            page.get_by_role("button", name="Run the comparison").click()
            ran = text(page, "progress", "^Done", began)
            took, peak = max(pages())
            print(f"{ran:8.1f}{ran / about:7.2f}{took - before:7.1f}{peak:9.0f}", flush=True)
            page.context.close()


if __name__ == "__main__":
    main()
