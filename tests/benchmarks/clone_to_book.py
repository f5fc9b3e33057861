"""Time the way from a fresh clone to the book's printed address, and print its parts.

The checkout's last commit is cloned into a temporary folder, without an environment; what pip, uv
and the lab have downloaded before stays in their caches. Others on the machine change the seconds
much and the CPU seconds little: where ``/proc`` tells them, both are printed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "MAKEFLAGS", "MAKELEVEL")


def cpu_seconds(session: int) -> float:
    """Return the CPU seconds of a session's processes, with those that they have waited for."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(words[3]) == session:
            ticks += sum(map(int, words[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def make_book(folder: Path) -> float:
    """Run ``make book`` until all is made; print each line with its time; return the address's."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "book", "PORT=8800"], cwd=folder, env=kept, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    address, whole = None, False
    try:
        for line in process.stdout:
            took = time.monotonic() - began
            print(f"{took:8.1f} {cpu_seconds(process.pid):8.1f}  {line}", end="", flush=True)
            if found := re.search(r"http://\S+", line):
                urllib.request.urlopen(found[0], timeout=10).read()
                address = time.monotonic() - began
            whole = whole or line.startswith("The site in")  # is up to date
            if address and whole or line.startswith("The site is in"):
                return address
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
    raise SystemExit("make book ended without an address; the lines above say why")


def main() -> int:
    """Clone, make the book, make it again with nothing changed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "book"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        print(" seconds      CPU  what make book said then")
        first, second = make_book(folder), make_book(folder)
    print(
        f"From the call to the address: {first:.1f} s; again, with nothing changed: {second:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
