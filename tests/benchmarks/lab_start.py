"""Print how long the lab's Python takes to be ready, as published and as shipped, side by side.

``python -m tests.benchmarks.lab_start [TIMES]``, on a built site, under Node. As published: nothing
compiled ahead, every package unpacked and all its libraries loaded. Ready: the kernel could answer.
First cell: what chapter 1 imports.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from book.press.lab.build import LAB, LOCK
from book.press.lab.compiled import LIBRARY
from book.press.lab.fetch import fetch
from book.press.lab.python import PRELOADED, START

SCRIPT = """
const [folder, entry, packages] = process.argv.slice(1);
const { loadPyodide } = await import(`${folder}/${entry}`);
const start = performance.now(), since = () => (performance.now() - start) / 1000;
const quiet = { indexURL: `${folder}/`, stdout: () => {}, stderr: () => {} };
const python = await loadPyodide({ ...quiet, packages: packages.split(",") });
python.runPython("import pyodide_kernel");
const ready = since();
python.runPython("import companion, sklearn.linear_model, matplotlib.pyplot, river.linear_model");
console.log(JSON.stringify([ready, since() - ready]));
"""


def put_published(shipped: Path, target: Path) -> None:
    """Lay out the lab's Python without what the build adds to it."""
    shutil.copytree(shipped, target, copy_function=os.link)
    lock = json.loads((target / "pyodide-lock.json").read_text(encoding="utf-8"))
    for one in lock["packages"].values():
        one["depends"] = [name for name in one["depends"] if not name.endswith("-compiled")]
    for name in ("pyodide-lock.json", LIBRARY):
        (target / name).unlink()  # or the shipped one, to which it is linked, would change
    (target / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    shutil.copy(fetch(json.loads(LOCK.read_text(encoding="utf-8"))) / LIBRARY, target)


def seconds(folder: Path, entry: str) -> list[float]:
    """Return the seconds until Python is ready, and those of the first cell after that."""
    asked = [
        "node",
        "--input-type=module",
        "--eval",
        SCRIPT,
        str(folder),
        entry,
        ",".join(PRELOADED),
    ]
    done = subprocess.run(asked, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-500:])
    return json.loads(done.stdout)


def main() -> None:
    """Print the table."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    shipped = LAB / "static" / "pyodide"
    with tempfile.TemporaryDirectory(dir=LAB.parents[1]) as name:
        published = Path(name) / "pyodide"
        put_published(shipped, published)
        pairs = [(seconds(published, "pyodide.mjs"), seconds(shipped, START)) for _ in range(times)]
    print(f"{times} pairs, seconds    as published   as shipped   ratio (least to most)")
    for k, what in enumerate(("ready", "first cell", "both")):
        both = [[run[k] if k < 2 else sum(run) for run in pair] for pair in pairs]
        ratios = sorted(new / old for old, new in both)
        old, new = (statistics.median(column) for column in zip(*both, strict=True))
        print(f"{what:20s} {old:14.1f} {new:12.1f}   {statistics.median(ratios):.2f} "
              f"({ratios[0]:.2f} to {ratios[-1]:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
