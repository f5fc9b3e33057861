"""Run every notebook in a fresh kernel; record its processor seconds and its peak memory.

The figures depend on the machine, so no test compares them; the page on hubs shows them, with a
line about the machine. Run it when nothing else is running.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient

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
    parser.add_argument("only", nargs="*", help="how the files' names begin, such as 07")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    old = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    rows = dict(old.get("notebooks", {}))
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        if options.only and not path.name.startswith(tuple(options.only)):
            continue
        rows[path.stem] = measure(path)
        print(f"{path.stem}: {rows[path.stem]}")
    record = {
        "where": f"{machine()} {options.note}".strip(),
        "server_megabytes": round(server_megabytes()),
        "notebooks": {path.stem: rows[path.stem] for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
                      if path.stem in rows},
    }  # fmt: skip
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"recorded in {RECORD.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
