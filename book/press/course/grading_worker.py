"""The process in which a submission's cells run: it does what it is asked, and judges nothing.

It is told to run a cell, or to call a function that the student wrote; it answers plain data (see
``grading_plain.py``). No test, no expected value and no solution ever comes here, so there is
nothing to find, and a forged answer is only a wrong one. Before the first cell it locks itself up
(``grading_sandbox.py``); a leash of audit hooks says in a sentence what the locks would refuse.

Where processes can fork, a nursery imports the libraries once, and forks a worker for each
submission before any of a student's code has run.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import json
import linecache
import os
import pickle
import re
import signal
import socket
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from book.press.course.grading_plain import LARGEST, packed, written
from book.press.course.grading_sandbox import lock_up, readable, within

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
NETWORK = ("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo",
           "socket.sendto")  # fmt: skip
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

    def __init__(self, folder: str, libraries: Sequence[str], hidden: Sequence[str]) -> None:
        self.folder = os.path.realpath(folder)
        self.libraries, self.hidden = libraries, hidden
        self.on = False

    def __call__(self, event: str, args: tuple) -> None:
        """Refuse files elsewhere, starting programs and the network."""
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            if isinstance(path, int):
                return
            if (mode and set(mode) & set("wax+")) or (flags or 0) & WRITING:
                if not self.within(path, [self.folder, os.devnull]):
                    raise PermissionError(
                        f"a submission may only write into its own folder: {path}"
                    )
            elif self.within(path, self.hidden) or not self.within(
                path, [self.folder, os.devnull, *self.libraries]
            ):
                raise PermissionError(
                    f"a submission may only read its own folder and the libraries: {path}"
                )
        elif event in CHANGES:
            for place in args:
                if isinstance(place, (str, bytes)) and not self.within(place, [self.folder]):
                    raise PermissionError(f"a submission may only change its own folder: {args[0]}")
        elif event in PROGRAMS:
            raise PermissionError(f"a submission may not start or end programs ({event})")
        elif event in NETWORK:
            raise PermissionError("a submission may not use the network")

    def within(self, path: Any, folders: Sequence[str]) -> bool:
        """Whether a path leads into one of the folders, or is one of the files."""
        return within(os.path.realpath(os.fsdecode(path)), folders)


class Wire:
    """What the worker is told, and what it answers."""

    def __init__(self, told: BinaryIO, answers: BinaryIO) -> None:
        self.told, self.answers = told, answers
        self.kept: dict[int, Any] = {}  # objects of the student's classes
        self.names: dict[str, Any] = {}

    def hear(self) -> dict[str, Any]:
        """Return the next order; raise EOFError when there is none."""
        size = int.from_bytes(self.told.read(4), "big")
        text = self.told.read(size)
        if not size or len(text) < size:
            raise EOFError
        reader = pickle.Unpickler(io.BytesIO(text))
        reader.persistent_load = self.object_of
        return reader.load()

    def say(self, message: dict[str, Any]) -> None:
        """Send a message."""
        text = written(message)
        if len(text) > LARGEST:
            raise ValueError(f"the answer takes {len(text):,} bytes; nobody needs so much")
        self.answers.write(text)
        self.answers.flush()

    def object_of(self, mark: tuple[str, Any]) -> Any:
        """Return what stands for an object that did not travel."""
        whose, which = mark
        if whose == "judge":
            return Theirs(self, which)
        return self.kept[which] if whose == "object" else self.names[which]


class Theirs:
    """An object of the course's tests. It stays with the judge; its methods are called there."""

    def __init__(self, wire: Wire, number: int) -> None:
        self._wire, self._number = wire, number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **named: self._ask(name, args, named)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it, if it is a function."""
        return self._ask("", args, named)

    def _ask(self, method: str, args: tuple, named: dict[str, Any]) -> Any:
        self._wire.say({"ask": self._number, "method": method, "args": packed(args),
                        "named": packed(named)})  # fmt: skip
        answer = self._wire.hear()
        while "do" in answer:  # the judge asks back before it answers
            self._wire.notebook.obey(answer)
            answer = self._wire.hear()
        if "error" in answer:
            kind = getattr(builtins, answer["error"], RuntimeError)
            raise kind(answer["message"])
        return answer["value"]


class Notebook:
    """The namespace in which cells run, and what is put back before every test."""

    def __init__(self, wire: Wire, leash: Leash) -> None:
        self.wire, self.leash = wire, leash
        wire.notebook = self
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        self.names = wire.names = vars(self.module)
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

    def obey(self, order: dict[str, Any]) -> None:
        """Do what is asked and answer it."""
        answer: dict[str, Any] = {"token": order["token"], "status": "ok"}
        place = f"<cell {order['name']}>" if order["do"] == "run" else ""
        printed = Printed()
        try:
            with self.watched(printed, order["seconds"]):
                if order["do"] == "run":
                    self.run(order, place)
                else:
                    if order["tidy"]:
                        answer["undone"] = self.put_back()
                    answer |= self.call(order)
        except TookTooLong:
            answer["status"] = "slow"
        except MemoryError:
            answer["status"] = "memory"
        except BaseException as error:
            answer.update(status="error", **described(error, place))
        answer["printed"] = printed.size
        try:
            self.wire.say(answer)
        except ValueError as error:
            self.wire.say({"token": order["token"], "status": "error", **described(error, "")})

    @contextlib.contextmanager
    def watched(self, printed: Printed, seconds: float) -> Iterator[None]:
        """Keep a student's code on the leash and on the clock, unless it is already."""
        if self.leash.on:
            yield
            return
        self.leash.on = True
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                with time_limit(seconds):
                    yield
        finally:
            self.leash.on = False

    def run(self, order: dict[str, Any], place: str) -> None:
        """Run a cell."""
        source = MAGIC.sub(r"\1pass", order["source"])
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        before = dict(self.names)
        try:
            exec(compile(source, place, "exec"), self.names)
        finally:
            if order["kind"] == "given":
                self.given.update({name: value for name, value in self.names.items()
                                   if before.get(name) is not value})  # fmt: skip

    def call(self, order: dict[str, Any]) -> dict[str, Any]:
        """Call a student's function, or a method of an object of a student's class."""
        args, named = order["args"], order["named"]
        if order["do"] == "method":
            function = getattr(self.wire.kept[order["object"]], order["name"])
        elif order["name"] in self.names:
            function = self.names[order["name"]]
        else:
            raise NameError(f"name {order['name']!r} is not defined")
        models = [(k, value) for k, value in enumerate([*args, *named.values()])
                  if hasattr(value, "get_params")]  # fmt: skip
        value = function(*args, **named)
        fitted = [[k, [name for name in vars(model) if name.endswith("_") and name[0] != "_"]]
                  for k, model in models]  # fmt: skip
        if order["makes"]:
            number = len(self.wire.kept)
            self.wire.kept[number] = value
            return {"object": number, "fitted": fitted}
        return {"value": packed(value), "fitted": fitted}


def described(error: BaseException, place: str) -> dict[str, str]:
    """Return an exception's name and message, and the line of the submission it came from."""
    try:
        message = str(error)
    except BaseException:
        message = "(no message)"
    if isinstance(error, PermissionError) and error.errno == errno.EPERM:
        message = f"a submission may not reach out of its process ({message})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith("<cell ")]
    where = ""
    if isinstance(error, SyntaxError):
        where = f"line {error.lineno}: {(error.text or '').strip()}"
    elif own and own[-1].filename != place:
        where = f"line {own[-1].lineno} of {own[-1].filename[1:-1]}: {own[-1].line}"
    return {"error": type(error).__name__, "message": message[:2000], "where": where[:300]}


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
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


def work(told: BinaryIO, answers: BinaryIO) -> None:
    """Take limits, lock up, then take orders until the input ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    kept = sorted({told.fileno(), answers.fileno()})
    for first, last in zip([2, *kept], [*kept, 2**12], strict=True):
        os.closerange(first + 1, last)
    wire = Wire(told, answers)
    limits = wire.hear()
    for name in limits["modules"]:
        __import__(name)
    builtins.input = lambda *ask: ""
    folder = limits["folder"]
    leash = Leash(folder, readable(), limits["hidden"])
    notebook = Notebook(wire, leash)
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP", "MPLCONFIGDIR"), folder))
    tempfile.tempdir = None  # look again where it is
    held = lock_up(
        folder, limits["hidden"], limits["megabytes"], limits["total"], limits["without"]
    )
    os.chdir(folder)
    sys.addaudithook(leash)
    wire.say({"ready": held})
    with contextlib.suppress(EOFError):
        while True:
            notebook.obey(wire.hear())


def nursery(line: socket.socket) -> None:
    """Fork a worker for each line that comes in; end those that are named.

    A process that has ended keeps its number until it is named, so nobody else is ever ended.
    """
    for name in json.loads(line.recv(2**16)):
        __import__(name)
    readable()
    line.sendall(b"ready")
    mine: set[int] = set()
    while True:
        word, ends, _, _ = socket.recv_fds(line, 2**10, 1)
        if ends:
            pid = os.fork()
            if not pid:
                line.close()
                os.setsid()
                try:
                    work(os.fdopen(ends[0], "rb"), os.fdopen(os.dup(ends[0]), "wb"))
                finally:
                    os._exit(0)
            for end in ends:
                os.close(end)
            mine.add(pid)
            line.sendall(b"%d" % pid)
            continue
        for pid in {int(word)} & mine if word else mine:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        if not word:  # whoever asked is gone
            return
        mine.discard(int(word))
        line.sendall(b"ended")


def main() -> None:
    """Be a nursery on the socket that is named, or one worker on the standard streams."""
    if sys.argv[1:]:
        nursery(socket.socket(fileno=int(sys.argv[1])))
    else:
        work(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))


if __name__ == "__main__":
    main()
