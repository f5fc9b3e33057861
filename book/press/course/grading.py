"""Grade by asking: a submission computes in a locked process, the tests judge here.

A test of the course is a cell of asserts. It runs in this process, which never runs a line of a
student's; where it calls a student's function it calls an `Asked`, which sends the arguments to
the submission's process and returns the plain data that come back. So the wanted values, the tests
and the comparison are out of a student's reach, and the worst that a submission can do is to
answer wrongly. Objects and functions of a test stay here, and the submission calls them over the
same line: a diary of who was asked what is kept by the judge.

Otter-Grader's containers protect the machine as well as this does, but its tests run in the
student's own kernel, which writes the verdict into a pickle for the grader to load, so a student's
code can still change it; and a container needs Docker, which not every teacher has. This needs a
plain Linux. Inside a container it runs as well.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import io
import itertools
import json
import os
import pickle
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from book.press.course.grading_plain import LARGEST, read, unpacked
from book.press.course.grading_sandbox import DISK
from book.press.places import ROOT

WORKER = "book.press.course.grading_worker"
SECRET = tuple(str(ROOT.resolve() / name) for name in ("book", "tests", "notebooks", ".git"))
FORKS = hasattr(os, "fork") and hasattr(socket, "send_fds")
NO_START = f"the grading process did not start; run python -m {WORKER} by hand to see why"
HERE = "assignment"  # the module in which given cells and tests run
MODULES = (
    "numpy", "numpy.testing", "companion", "companion.evaluation", "companion.intervals",
    "companion.metrics", "companion.monitor", "companion.strategies", "companion.streams",
    "river.drift", "river.linear_model", "river.optim", "river.preprocessing", "sklearn.dummy",
    "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing",
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
    """A cell to run.

    ``given`` by the course, ``own`` (an answer) or ``added`` by the student, or a ``test``. An
    answer makes a function, or a ``class``.
    """

    name: str
    kind: str
    source: str
    makes: str = ""


@dataclass
class Outcome:
    """How a cell went.

    Attributes
    ----------
    status : {"ok", "error", "slow", "memory", "disk", "died", "forged", "large", "late"}
        ``died``: its process ended; ``forged``: something else than its answer came down the line;
        ``large``: it answered more than anybody needs; ``late``: the submission had used up its
        time before it.
    """

    status: str
    error: str = ""
    message: str = ""
    where: str = ""
    printed: int = 0
    undone: list[str] = field(default_factory=list)


class Broken(Exception):
    """The grader does not run on this machine; no submission is to blame."""


class Lost(BaseException):
    """The submission's process can answer no more."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Raised(Exception):
    """A student's function raised an exception."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.error, self.message, self.where = (
            line(answer.get(name, ""), 2000) for name in ("error", "message", "where")
        )
        super().__init__(f"{self.error}: {self.message}")


def line(text: Any, most: int) -> str:
    """Return a stranger's text as one line that can be written, of so many characters at most."""
    text = " ".join(text[: 4 * most].split())[:most] if isinstance(text, str) else ""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


def start(*words: str, folder: Path, **how: Any) -> subprocess.Popen:
    """Start the worker, with an environment that says nothing of ours."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "VIRTUAL_ENV")}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-s", "-m", WORKER, *words], cwd=ROOT, stderr=subprocess.DEVNULL,
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
            raise Broken(NO_START)

    @classmethod
    def fork(cls) -> tuple[Nursery, int, socket.socket]:
        """Return the nursery, a new worker's number, and the line to it."""
        with cls.lock:
            if cls.known is None or cls.known.process.poll() is not None:
                cls.known = cls()
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(cls.known.wire, [b"fork"], [theirs.fileno()])
            pid = int(cls.known.wire.recv(2**10))
        return cls.known, pid, ours

    def end(self, pid: int) -> None:
        """End a worker."""
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


class Pickled(pickle.Pickler):
    """Writes arguments for a submission; what the tests define goes as a number only.

    Only the judge pickles and only the submission reads it, so no pickle of a stranger is loaded.
    """

    def __init__(self, file: io.BytesIO, lent: dict[int, Any], numbers: Any) -> None:
        super().__init__(file, protocol=5)
        self.lent, self.numbers = lent, numbers

    def persistent_id(self, thing: Any) -> tuple[str, Any] | None:
        """Return how to name an object that does not travel."""
        if isinstance(thing, Asked):
            return ("name", thing.name)
        if isinstance(thing, Instance):
            return ("object", thing.number)
        kind = thing if isinstance(thing, (type, types.FunctionType)) else type(thing)
        if getattr(kind, "__module__", None) != HERE:
            return None
        for number, known in self.lent.items():
            if known is thing:
                return ("judge", number)
        number = next(self.numbers)
        self.lent[number] = thing
        return ("judge", number)


class Sandbox:
    """The locked process of one submission."""

    def __init__(
        self, folder: Path, limits: Limits, hidden: Sequence[str] = (), without: Sequence[str] = ()
    ) -> None:
        self.folder, self.limits = folder, limits
        self.lent: dict[int, Any] = {}
        self.numbers = itertools.count(secrets.randbelow(2**31))
        self.until, self.spent = time.monotonic() + 300, 0
        self.ended, self.ending, self.why = threading.Event(), threading.Lock(), ""
        self.locks: list[str] = ["files"]  # until it has said so itself
        self.line: socket.socket | None = None
        self.printed, self.undone = 0, []
        if FORKS:
            self.nursery, self.pid, self.line = Nursery.fork()
            self.tell, self.hear = self.line.makefile("wb"), self.line.makefile("rb")
        else:
            self.process = start(folder=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.tell, self.hear = self.process.stdin, self.process.stdout
        self.watch = threading.Thread(target=self._watch, daemon=True)
        self.watch.start()
        self._say({"folder": str(folder), "megabytes": limits.megabytes, "modules": MODULES,
                   "total": limits.total, "hidden": [*SECRET, *hidden],
                   "without": [*without]})  # fmt: skip
        try:
            self.locks = self._next()["ready"]
        except (Lost, KeyError):
            self.close()
            raise Broken(NO_START) from None

    def _watch(self) -> None:
        """End the process when its time is up, or its folder full."""
        while not self.ended.wait(0.2):
            if time.monotonic() > self.until:
                self.why = "slow"
            elif "files" not in self.locks and folder_size(self.folder) > DISK:
                self.why = "disk"
            if self.why:
                self.end()

    def _say(self, what: Any) -> None:
        held = io.BytesIO()
        Pickled(held, self.lent, self.numbers).dump(what)
        text = held.getvalue()
        try:
            self.tell.write(len(text).to_bytes(4, "big") + text)
            self.tell.flush()
        except (OSError, ValueError):
            pass  # it has ended, as its answer will say

    def _next(self) -> dict[str, Any]:
        """Return what the process says next."""
        try:
            size = int.from_bytes(self.hear.read(4), "big")
            text = self.hear.read(size) if size <= LARGEST else b""
        except OSError:
            size, text = 0, b""
        if size > LARGEST:
            raise Lost("forged")
        if not size or len(text) < size:
            raise Lost(self.why or "died")
        self.spent += size
        if self.spent > 4 * LARGEST:
            raise Lost("large")
        try:
            return read(text)
        except ValueError:
            raise Lost("forged") from None

    def begin(self, wait: float) -> None:
        """Begin a cell that may take so long."""
        self.until, self.spent = time.monotonic() + wait, 0
        self.printed, self.undone = 0, []
        self.lent.clear()
        self.fresh = True

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """Ask for something, lend a hand meanwhile, and return the answer."""
        token = secrets.token_hex(16)
        self._say({"do": do, "token": token, "name": "", "seconds": self.limits.seconds, **what})
        while True:
            answer = self._next()
            if "ask" not in answer:
                break
            self._say(self._lend(answer))
        if not secrets.compare_digest(str(answer.get("token")).encode(), token.encode()):
            raise Lost("forged")
        printed, undone = answer.get("printed"), answer.get("undone")
        self.printed += max(0, printed) if isinstance(printed, int) else 0
        self.undone += [line(name, 100) for name in undone[:20]] if isinstance(undone, list) else []
        status = answer.get("status")
        if status == "memory" or status == "slow" and self.lent:
            raise Lost(status)  # of a call that was cut off, half a message may be on its way
        if status not in ("ok", "error", "slow"):
            raise Lost("forged")
        return answer

    def _lend(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Call an object of the tests for the submission; return what came of it."""
        try:
            thing, method = self.lent[wish["ask"]], wish["method"]
            if not isinstance(method, str) or method.startswith("_"):
                raise ValueError
            args, named = unpacked(wish["args"]), unpacked(wish["named"])
            function = getattr(thing, method) if method else thing
        except (KeyError, TypeError, ValueError):
            raise Lost("forged") from None
        except AttributeError as error:
            return {"error": "AttributeError", "message": str(error)}
        try:
            return {"value": function(*args, **named)}
        except Exception as error:
            return {"error": type(error).__name__, "message": str(error)[:2000]}

    def run(self, cell: Cell) -> Outcome:
        """Run a cell that is not a test."""
        answer = self.ask("run", name=cell.name, kind=cell.kind, source=cell.source)
        said = {name: line(answer.get(name), 2000) for name in ("error", "message", "where")}
        return Outcome(answer["status"], **said, printed=self.printed)

    def call(self, do: str, args: tuple, named: dict[str, Any], makes: str, **what: Any) -> Any:
        """Call a student's function and return the plain data, or the object, that it returns."""
        tidy, self.fresh = self.fresh, False  # once a test
        answer = self.ask(do, args=args, named=named, makes=makes, tidy=tidy, **what)
        if answer["status"] == "slow":
            raise Slow
        if answer["status"] == "error":
            raise Raised(answer)
        try:
            mark_fitted([*args, *named.values()], answer.get("fitted"))
            if makes:
                return Instance(self, int(answer["object"]))
            return unpacked(answer["value"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise Lost("forged") from None

    def end(self) -> None:
        """End the process, and whoever waits for it or for its line."""
        with self.ending:
            if self.ended.is_set():
                return
            self.ended.set()
            if FORKS:
                with contextlib.suppress(OSError):
                    self.line.shutdown(socket.SHUT_RDWR)
                self.nursery.end(self.pid)
                return
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """End the process and close the line to it."""
        self.end()
        self.watch.join()
        for end in (self.tell, self.hear, self.line):
            with contextlib.suppress(OSError):
                if end is not None:
                    end.close()


class Slow(BaseException):
    """A student's function took too long; its process is fit for more."""


class Asked:
    """A student's function, as the tests know it."""

    def __init__(self, judge: Judge, name: str, makes: str) -> None:
        self.judge, self.name, self.makes = judge, name, makes

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Let the submission compute."""
        return self.judge.sandbox.call("call", args, named, self.makes, name=self.name)


class Instance:
    """An object of a student's class; it lives in the submission's process."""

    def __init__(self, sandbox: Sandbox, number: int) -> None:
        self.sandbox, self.number = sandbox, number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **named: self.sandbox.call(
            "method", args, named, "", name=name, object=self.number
        )


def mark_fitted(args: Sequence[Any], fitted: Any) -> None:
    """Note on the models that were passed what a student's function fitted in them."""
    for k, names in fitted if isinstance(fitted, list) else ():
        for name in names[:50]:
            if hasattr(args[k], "get_params") and name.isidentifier() and name.endswith("_"):
                if not name.startswith("_") and not hasattr(args[k], name):
                    setattr(args[k], name, "fitted by the submission")


def folder_size(folder: Path) -> int:
    """Return the bytes in a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                pass
    return total


class Judge:
    """The tests of one assignment, and the submission that they ask."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.module = types.ModuleType(HERE)
        self.names = vars(self.module)
        self.names["print"] = lambda *what, **how: None
        self.own = {cell.name: Asked(self, cell.name, cell.makes)
                    for cell in cells if cell.kind == "own"}  # fmt: skip
        self.sandbox: Sandbox

    def knows(self, cell: Cell) -> bool:
        """Whether the tests may need a given cell: one that shows off an answer they do not."""
        used = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
        return not used & set(self.own)

    def prepare(self, cell: Cell) -> None:
        """Run a given cell here, too."""
        if self.knows(cell):
            exec(compiled(cell), self.names)
            self.names.update(self.own)

    def test(self, cell: Cell) -> Outcome:
        """Run a test and say how it went.

        Raises
        ------
        Lost
            If the submission's process can answer no more.
        """
        said = {}
        self.names.update(self.own)
        try:
            exec(compiled(cell), self.names)
            status = "ok"
        except Slow:
            status = "slow"
        except Raised as error:
            status = "error"
            said = {"error": error.error, "message": error.message, "where": error.where}
        except Exception as error:
            status = "error"
            said = {"error": type(error).__name__, "message": line(str(error), 2000)}
        return Outcome(status, **said, printed=self.sandbox.printed, undone=self.sandbox.undone)


def compiled(cell: Cell) -> types.CodeType:
    """Return a cell of the course as code in which asserts count, however Python was started."""
    return compile(cell.source, f"<cell {cell.name}>", "exec", dont_inherit=True, optimize=0)


def promise() -> str:
    """Return in a sentence what keeps submissions in on this machine."""
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        sandbox = Sandbox(Path(folder).resolve(), USUAL)
        sandbox.close()
    lacking = sorted({"user", "files", "paths", "calls"} - set(sandbox.locks))
    if not lacking:
        return (
            "Each submission runs locked up: no files but the libraries, no network, no programs."
        )
    if "calls" in sandbox.locks and {"files", "paths"} & set(sandbox.locks):
        return f"Each submission runs locked up; this system lacks the lock {', '.join(lacking)}."
    return (
        f"This system lacks the locks {', '.join(lacking)}: the tests are out of a submission's "
        "reach, your files are not. Grade notebooks from strangers in a container."
    )


def run_cells(
    cells: Sequence[Cell],
    limits: Limits = USUAL,
    files: Sequence[Path] = (),
    hidden: Sequence[Path] = (),
) -> dict[str, Outcome]:
    """Run the cells of one submission in order; return how each went, by its name.

    A cell that ends its process, fills its memory or cannot be interrupted is left out, and the
    cells before it are run again in a new process (but no test twice).

    Parameters
    ----------
    cells : sequence of Cell
    limits : Limits
    files : sequence of Path
        Copied beside the notebook.
    hidden : sequence of Path
        Folders that the submission must not read, besides all but the libraries.
    """
    done: dict[str, Outcome] = {}
    skip: set[str] = set()
    judge = Judge(cells)
    for cell in cells:
        if cell.kind == "given":
            judge.prepare(cell)
    end = time.monotonic() + limits.total
    while True:
        folder = Path(tempfile.mkdtemp(prefix="submission-")).resolve()
        for file in files:
            shutil.copy(file, folder)
        sandbox = judge.sandbox = Sandbox(folder, limits, [str(p.resolve()) for p in hidden])
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
                sandbox.begin(min(left, 4 * limits.seconds + limits.grace))
                try:
                    done[cell.name] = judge.test(cell) if cell.kind == "test" else sandbox.run(cell)
                except Lost as lost:
                    done[cell.name] = Outcome(lost.status, printed=sandbox.printed)
                    skip.add(cell.name)
                    again = True
                    break
        finally:
            sandbox.close()
            shutil.rmtree(folder, ignore_errors=True)
        if not again:
            return done
