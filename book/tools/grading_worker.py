"""The process in which a submission's cells run: told one cell at a time, and kept on a leash.

It reads one JSON object a line: first the limits, then a cell at a time; it answers one line for
each cell. It works in a folder of its own and refuses to write outside it, to start programs and
to use the network; time, memory and printed text are limited. This keeps accidents and pranks
in. It is no prison: grade code from strangers in a container.

Where processes can fork, a nursery imports the libraries once, and forks a worker for each
submission before any of a student's code has run.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import linecache
import os
import re
import signal
import socket
import sys
import tempfile
import traceback
import types
from typing import Any

KEPT = ("builtins", "math", "random", "statistics", "numpy", "sklearn", "river", "companion")
PRINTED = 20_000  # characters of a cell's text that are kept
MAGIC = re.compile(r"^(\s*)[%!].*$", re.M)
PROGRAMS = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
    "os.forkpty", "os.kill", "os.killpg", "os.startfile", "pty.spawn",
)  # fmt: skip
CHANGES = (
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod",
    "os.chown", "os.truncate", "shutil.rmtree", "shutil.move", "os.utime",
)  # fmt: skip
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class TookTooLong(BaseException):
    """The cell's time is up. A bare ``except Exception`` does not catch it."""


class Printed(io.TextIOBase):
    """Keeps the first so many characters that are printed, and drops the rest."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def write(self, text: str) -> int:
        """Keep what still fits."""
        if self.size < PRINTED:
            self.parts.append(text[: PRINTED - self.size])
        self.size += len(text)
        return len(text)


class Leash:
    """What a submission may not do, as an audit hook; it cannot be taken off again."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.realpath(folder)
        self.on = False

    def __call__(self, event: str, args: tuple) -> None:
        """Refuse writing elsewhere, starting programs and the network."""
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            writes = (mode and set(mode) & set("wax+")) or (flags or 0) & WRITING
            if writes and not isinstance(path, int) and self.outside(path):
                raise PermissionError(f"a submission may only write into its own folder: {path}")
        elif event in CHANGES:
            if any(self.outside(part) for part in args if isinstance(part, (str, bytes))):
                raise PermissionError(f"a submission may only change its own folder: {args[0]}")
        elif event in PROGRAMS:
            raise PermissionError(f"a submission may not start or end programs ({event})")
        elif event in NETWORK:
            raise PermissionError("a submission may not use the network")

    def outside(self, path: Any) -> bool:
        """Whether a path leads out of the folder."""
        full = os.path.realpath(os.fsdecode(path))
        return full != os.devnull and not full.startswith(self.folder + os.sep)


class Notebook:
    """The namespace in which cells run, and what is put back before every test."""

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        self.names = vars(self.module)
        self.names.update(display=lambda *what: None, get_ipython=lambda: None)
        self.given: dict[str, Any] = {}
        self.snapshot = [
            (module, {name: part for name, part in vars(module).items() if name[0] != "_"})
            for key, module in list(sys.modules.items())
            if key.partition(".")[0] in KEPT and isinstance(module, types.ModuleType)
        ]
        self.classes = [
            (part, dict(vars(part)))
            for module, parts in self.snapshot
            if module.__name__.startswith("companion")
            for part in parts.values()
            if isinstance(part, type) and part.__module__ == module.__name__
        ]

    def put_back(self) -> list[str]:
        """Undo what the submission did to libraries and to what it was given; say what."""
        undone = []
        for module, parts in self.snapshot:
            now = vars(module)
            for name, part in parts.items():
                if now.get(name) is not part and callable(part):
                    setattr(module, name, part)
                    undone.append(f"{module.__name__}.{name}")
        for kind, parts in self.classes:
            for name, part in parts.items():
                if callable(part) and vars(kind).get(name) is not part:
                    setattr(kind, name, part)
                    undone.append(f"{kind.__module__}.{kind.__name__}.{name}")
        self.names.update(self.given)
        return undone

    def run(self, job: dict[str, Any], leash: Leash) -> dict[str, Any]:
        """Run one cell; say how it went."""
        undone = self.put_back() if job["kind"] == "test" else []
        place = f"<cell {job['name']}>"
        source = MAGIC.sub(r"\1pass", job["source"])
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        before = dict(self.names)
        printed = Printed()
        answer: dict[str, Any] = {"status": "ok", "undone": undone}
        try:
            code = compile(source, place, "exec")
            leash.on = True
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                with time_limit(job["seconds"]):
                    exec(code, self.names)
        except TookTooLong:
            answer["status"] = "slow"
        except MemoryError:
            answer["status"] = "memory"
        except BaseException as error:
            answer.update(status="error", **described(error, place))
        finally:
            leash.on = False
        if job["kind"] == "given":
            self.given.update(
                {name: part for name, part in self.names.items() if before.get(name) is not part}
            )
        answer["printed"] = printed.size
        return answer


def described(error: BaseException, place: str) -> dict[str, str]:
    """Return an exception's name and message, and the line of the submission it came from."""
    try:
        message = str(error)
    except BaseException:
        message = "(no message)"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith("<cell ")]
    where = ""
    if isinstance(error, SyntaxError):
        where = f"line {error.lineno}: {(error.text or '').strip()}"
    elif own and own[-1].filename != place:
        where = f"line {own[-1].lineno} of {own[-1].filename[1:-1]}: {own[-1].line}"
    return {"error": type(error).__name__, "message": message[:2000], "where": where[:300]}


@contextlib.contextmanager
def time_limit(seconds: float) -> Any:
    """Stop a cell after so much computing, or four times as much waiting (not on Windows)."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise TookTooLong

    clocks = [(signal.ITIMER_PROF, signal.SIGPROF, seconds)]
    clocks.append((signal.ITIMER_REAL, signal.SIGALRM, 4 * seconds))
    for clock, number, limit in clocks:
        signal.signal(number, ring)
        signal.setitimer(clock, limit, 1.0)  # it rings again, should the first be swallowed
    try:
        yield
    finally:
        for clock, number, _ in clocks:
            signal.signal(number, signal.SIG_IGN)
            signal.setitimer(clock, 0)


def limit_memory(megabytes: int) -> None:
    """Let the process grow by so much; where the system does not know how, it may grow freely."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    most = now + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**26, 2**26))


def work(told: io.TextIOBase, answers: io.TextIOBase) -> None:
    """Take limits, then cells, until the input ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    limits = json.loads(told.readline())
    for name in limits["modules"]:
        __import__(name)
    os.chdir(limits["folder"])
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP"), limits["folder"]))
    tempfile.tempdir = None  # look again where it is
    builtins.input = lambda *ask: ""
    notebook, leash = Notebook(), Leash(limits["folder"])
    limit_memory(limits["megabytes"])
    sys.addaudithook(leash)
    answers.write("ready\n")
    for line in told:
        answers.write(json.dumps(notebook.run(json.loads(line), leash)) + "\n")


def pipes(read: int, write: int) -> tuple[io.TextIOBase, io.TextIOBase]:
    """Return what is told and what is answered, as text."""
    return os.fdopen(read, encoding="utf-8"), os.fdopen(write, "w", encoding="utf-8", buffering=1)


def nursery(wire: socket.socket) -> None:
    """Fork a worker for each pair of pipes that comes in; end those that are named.

    A process that has ended keeps its number until it is named, so nobody else is ever ended.
    """
    for name in json.loads(wire.recv(2**16)):
        __import__(name)
    wire.sendall(b"ready")
    mine: set[int] = set()
    while True:
        word, ends, _, _ = socket.recv_fds(wire, 2**10, 2)
        if ends:
            pid = os.fork()
            if not pid:
                wire.close()
                os.setsid()
                work(*pipes(*ends))
                os._exit(0)
            for end in ends:
                os.close(end)
            mine.add(pid)
            wire.sendall(b"%d" % pid)
            continue
        for pid in {int(word)} & mine if word else mine:
            for kill in (os.kill, os.killpg):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        if not word:  # whoever asked is gone
            return
        mine.discard(int(word))
        wire.sendall(b"ended")


def main() -> None:
    """Be a nursery on the socket that is named, or one worker on the standard streams."""
    if sys.argv[1:]:
        nursery(socket.socket(fileno=int(sys.argv[1])))
    else:
        work(*pipes(os.dup(0), os.dup(1)))


if __name__ == "__main__":
    main()
