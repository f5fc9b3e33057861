"""Run one submission's cells in a process of their own, whatever they do."""

from __future__ import annotations

import atexit
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("grading_worker.py")
FORKS = hasattr(os, "fork") and hasattr(socket, "send_fds")
MODULES = (
    "numpy", "numpy.testing", "companion", "river.drift", "river.linear_model", "river.optim",
    "river.preprocessing", "sklearn.dummy", "sklearn.linear_model", "sklearn.pipeline",
    "sklearn.preprocessing",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    seconds: float = 20  # of computing, for each cell
    total: float = 600  # of waiting, for all cells
    grace: float = 10  # of waiting, for a cell that does not heed its own alarms
    megabytes: int = 2048


USUAL = Limits()


@dataclass
class Cell:
    """A cell to run: ``given`` by the course, written by the student (``own``), or a ``test``."""

    name: str
    kind: str
    source: str


@dataclass
class Outcome:
    """How a cell went.

    Attributes
    ----------
    status : {"ok", "error", "slow", "memory", "died", "late"}
        ``died``: its process ended; ``late``: the submission had used up its time before it.
    """

    status: str
    error: str = ""
    message: str = ""
    where: str = ""
    printed: int = 0
    undone: list[str] = field(default_factory=list)


def start(*words: str, folder: Path, **how: Any) -> subprocess.Popen:
    """Start the worker's file in a folder, with an environment that says nothing of ours."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "VIRTUAL_ENV")}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-s", str(WORKER), *words], cwd=folder, stderr=subprocess.DEVNULL,
        start_new_session=True, env=kept | {
            "HOME": str(folder), "TMPDIR": str(folder), "TEMP": str(folder),
            "MPLBACKEND": "agg", "MPLCONFIGDIR": str(folder), "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1",
        }, **how,
    )  # fmt: skip


class Nursery:
    """A process that has imported the libraries and forks a worker for each submission."""

    known: Nursery | None = None
    lock = threading.Lock()

    def __init__(self) -> None:
        self.wire, theirs = socket.socketpair()
        self.folder = tempfile.TemporaryDirectory(prefix="nursery-")
        with theirs:
            self.process = start(
                str(theirs.fileno()), folder=Path(self.folder.name), pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self.close)
        self.wire.settimeout(300)
        self.wire.sendall(json.dumps(MODULES).encode())
        if self.wire.recv(2**10) != b"ready":
            raise RuntimeError(
                f"the grading process did not start; run {WORKER} by hand to see why"
            )

    @classmethod
    def fork(cls) -> tuple[Nursery, int, Any, Any]:
        """Return the nursery, a new worker's number, and the pipes to tell it and to hear it."""
        with cls.lock:
            if cls.known is None or cls.known.process.poll() is not None:
                cls.known = cls()
            (reads, tell), (hear, writes) = os.pipe(), os.pipe()
            socket.send_fds(cls.known.wire, [b"fork"], [reads, writes])
            os.close(reads)
            os.close(writes)
            pid = int(cls.known.wire.recv(2**10))
        return cls.known, pid, os.fdopen(tell, "w", encoding="utf-8"), os.fdopen(
            hear, encoding="utf-8")  # fmt: skip

    def end(self, pid: int) -> None:
        """End a worker and all that it started."""
        with self.lock:
            try:
                self.wire.sendall(b"%d" % pid)
                self.wire.recv(2**10)
            except OSError:
                pass  # the nursery has ended, and its workers with it

    def close(self) -> None:
        """End it, and its workers with it."""
        self.wire.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Worker:
    """The process of one submission."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.limits = limits
        if FORKS:
            self.nursery, self.pid, self.tell, self.hear = Nursery.fork()
        else:
            self.process = start(folder=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True, encoding="utf-8")  # fmt: skip
            self.tell, self.hear = self.process.stdin, self.process.stdout
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._say({"folder": str(folder), "megabytes": limits.megabytes, "modules": MODULES})
        if self.lines.get(timeout=300).strip() != "ready":
            raise RuntimeError(
                f"the grading process did not start; run {WORKER} by hand to see why"
            )

    def _listen(self) -> None:
        try:
            for line in self.hear:
                self.lines.put(line)
        except ValueError:
            pass
        self.lines.put("")

    def _say(self, what: Any) -> None:
        try:
            self.tell.write(json.dumps(what) + "\n")
            self.tell.flush()
        except (BrokenPipeError, ValueError):
            pass

    def run(self, cell: Cell, wait: float) -> tuple[Outcome, bool]:
        """Run one cell, wait so long at most; say whether the process is still fit."""
        self._say({"name": cell.name, "kind": cell.kind, "source": cell.source,
                   "seconds": self.limits.seconds})  # fmt: skip
        try:
            line = self.lines.get(timeout=wait)
        except queue.Empty:
            return Outcome("slow"), False
        try:
            outcome = Outcome(**json.loads(line)) if line else Outcome("died")
        except (ValueError, TypeError):
            outcome = Outcome("died")
        return outcome, outcome.status not in ("died", "memory")

    def close(self) -> None:
        """End the process and all that it started."""
        if FORKS:
            self.nursery.end(self.pid)
        else:
            if hasattr(os, "killpg"):
                try:
                    os.killpg(self.process.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            self.process.kill()
            self.process.wait()
        for pipe in (self.tell, self.hear):
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # what it was not told any more


def run_cells(
    cells: Sequence[Cell], limits: Limits = USUAL, files: Sequence[Path] = ()
) -> dict[str, Outcome]:
    """Run the cells of one submission in order; return how each went, by its name.

    A cell that ends its process, fills its memory or cannot be interrupted is left out, and the
    cells before it are run again in a new process (but no test twice).
    """
    done: dict[str, Outcome] = {}
    skip: set[str] = set()
    end = time.monotonic() + limits.total
    while True:
        folder = Path(tempfile.mkdtemp(prefix="submission-")).resolve()
        for file in files:
            shutil.copy(file, folder)
        worker = Worker(folder, limits)
        try:
            again = False
            for cell in cells:
                if cell.name in skip or (cell.kind == "test" and cell.name in done):
                    continue
                left = end - time.monotonic()
                if left <= 0:
                    done[cell.name] = Outcome("late")
                    continue
                # Longer than its own alarms need, should it not heed them.
                done[cell.name], fit = worker.run(
                    cell, min(left, 4 * limits.seconds + limits.grace)
                )
                if not fit:
                    skip.add(cell.name)
                    again = True
                    break
        finally:
            worker.close()
            shutil.rmtree(folder, ignore_errors=True)
        if not again:
            return done
