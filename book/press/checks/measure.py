"""Run every notebook in a fresh kernel and on the lab's Python; record seconds and peak memory.

A kernel's seconds are its processor's. The lab's are those of the clock, under Node: a browser
takes about as long. The figures depend on the machine, so no test compares them; each chapter and
the page on hubs show them, with a line about the machine. Run it when nothing else is running.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from book.press.lab import build as lab
from book.press.lab.node import run_in_node
from book.press.places import BOOK, NOTEBOOKS, ROOT

RECORD = BOOK / "measured.json"
# getrusage's peak may be that of the parent before the kernel was started, so Linux's own
# high-water mark of the kernel's memory is preferred where there is one.
ASK = """
import json, resource, sys
use = resource.getrusage(resource.RUSAGE_SELF)
sub = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = use.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1e3
except OSError:
    pass
print(json.dumps([use.ru_utime + use.ru_stime + sub.ru_utime + sub.ru_stime, peak]))
"""


def measure(path: Path) -> dict[str, float]:
    """Run a notebook in a fresh kernel; return its processor seconds and peak megabytes."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    seconds, megabytes = json.loads(notebook.cells[-1].outputs[0].text)
    return {"seconds": round(seconds, 1), "megabytes": round(megabytes)}


def measure_lab(path: Path) -> dict[str, float]:
    """Run a notebook on the lab's Python under Node; return its seconds, once Python is there."""
    node = shutil.which("node")
    if not node or not lab.about():
        raise SystemExit("make: the lab's times need Node and a site with its lab; run make site")
    found = run_in_node(node, lab.LAB / "static" / "pyodide", path)
    failed = [out for cell in found["cells"] for out in cell["outputs"]
              if out["output_type"] == "error"]  # fmt: skip
    if failed:
        raise SystemExit(f"make: {path.name} fails in the lab: {failed[0]['evalue']}")
    return {"lab_seconds": round(found["run"], 1)}


def server_megabytes() -> float:
    """Start Jupyter's server as a hub does, without a browser, and return its peak megabytes."""
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--ServerApp.token=x",
        f"--notebook-dir={NOTEBOOKS}", "--allow-root",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            time.sleep(15)
            status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        finally:
            server.terminate()
    return next(int(row.split()[1]) for row in status.splitlines() if "VmHWM" in row) / 1e3


def machine() -> str:
    """Return a sentence about the machine, without its name."""
    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row.split(":")[1].strip() for row in info.read_text().splitlines()
                 if row.startswith("model name")]  # fmt: skip
        cpu = names[0] if names else cpu
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn", "river"))
    return (
        f"Recorded on {platform.system()} with {os.cpu_count()} processors of the kind {cpu}; "
        f"Python {platform.python_version()}, {packages}; one thread each."
    )


def main() -> int:
    """Measure all notebooks, or those named; keep what was recorded of the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--note", default="", help="a sentence on how quiet the machine was")
    parser.add_argument("--lab", action="store_true", help="measure the lab's times alone")
    parser.add_argument("only", nargs="*", help="how the files' names begin, such as 07")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    old = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    rows, kept = dict(old.get("notebooks", {})), old if options.lab else {}
    where = kept.get("where") or f"{machine()} {options.note}".strip()
    server = kept.get("server_megabytes") or round(server_megabytes())
    paths = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    for path in paths:
        if options.only and not path.name.startswith(tuple(options.only)):
            continue
        found = {} if options.lab else measure(path)
        rows[path.stem] = rows.get(path.stem, {}) | found | measure_lab(path)
        print(f"{path.stem}: {rows[path.stem]}", flush=True)
        record = {
            "where": where, "server_megabytes": server,
            "notebooks": {one.stem: rows[one.stem] for one in paths if one.stem in rows},
        }  # fmt: skip
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"recorded in {RECORD.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
