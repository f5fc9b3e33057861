"""The layer under every file: each system call fails in turn; the old or the new file stands."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from companion import Baseline, compare, streams
from companion.apps.grammar import main
from companion.comparison import load_comparison
from companion.files.atomic import write_atomically
from companion.files.checkpoint import BadCheckpoint, load, save
from companion.files.seal import rotate_key, user_key

CALLS = ("open", "fdopen", "write", "flush", "fsync", "chmod", "replace", "link", "unlink",
         "listdir", "close", "mkstemp")  # fmt: skip
FAULTS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EINTR)
COUNT: dict[str, int] = {}


class Faulty:
    """A file whose writes can fail."""

    def __init__(self, file, act) -> None:
        self.file, self.act = file, act

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def fileno(self) -> int:
        return self.file.fileno()

    def write(self, data: bytes) -> None:
        if self.act("write", fail=False):
            self.file.write(data[: len(data) // 2])  # half of it gets through
            self.file.flush()
            self.act.fail()
        self.file.write(data)

    def flush(self) -> None:
        self.act("flush")
        self.file.flush()


class Act:
    """Counts system calls, and makes the chosen one fail."""

    def __init__(self, name: str, number: int, code: int) -> None:
        self.name, self.number, self.code, self.seen, self.failed = name, number, code, 0, False

    def __call__(self, name: str, *, fail: bool = True) -> bool:
        if name != self.name or self.failed:
            return False
        self.seen += 1
        if self.seen == self.number:
            self.failed = True
            if fail:
                self.fail()
            return True
        return False

    def fail(self) -> None:
        raise OSError(self.code, os.strerror(self.code))


@pytest.fixture
def faulty(monkeypatch):
    """Return a function that lets one call of one kind fail from now on."""

    def install(name: str, number: int, code: int) -> Act:
        act = Act(name, number, code)

        def patched(real, kind):
            def call(*given, **more):
                act(kind)
                return real(*given, **more)

            return call

        for kind in ("open", "fsync", "chmod", "replace", "link", "unlink", "listdir", "close"):
            monkeypatch.setattr(os, kind, patched(getattr(os, kind), kind))
        monkeypatch.setattr(tempfile, "mkstemp", patched(tempfile.mkstemp, "mkstemp"))
        fdopen = os.fdopen

        def opened(handle, mode):
            act("fdopen")
            return Faulty(fdopen(handle, mode), act)

        monkeypatch.setattr(os, "fdopen", opened)
        return act

    yield install
    monkeypatch.undo()


def write_file(path: Path) -> None:
    write_atomically(path, b"new")


def write_checkpoint(path: Path) -> None:
    save(path, Baseline("mean"), 2)


def plain(path: Path) -> object:
    return path.read_bytes() if path.exists() else None


def position(path: Path) -> object:
    return load(path).position if path.exists() else None


@pytest.mark.parametrize("there", [False, True], ids=["a new file", "a file that is there"])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["file", "checkpoint"])
def test_the_old_or_the_new_file_stands(kind, name, there, tmp_path, faulty, monkeypatch):
    user_key()
    write, read = (write_file, plain) if kind == "file" else (write_checkpoint, position)
    old, new = (b"old", b"new") if kind == "file" else (1, 2)
    for number in range(1, 9):
        for code in FAULTS:
            path = tmp_path / f"{number}-{code}"
            if there:
                write_atomically(path, b"old") if kind == "file" else save(
                    path, Baseline("mean"), 1
                )
            with monkeypatch.context():
                act = faulty(name, number, code)
                try:
                    write(path)
                    finished = True
                except (OSError, BadCheckpoint) as error:
                    assert isinstance(error, OSError) or "\n" not in str(error)
                    finished = False
            monkeypatch.undo()
            COUNT[name] = COUNT.get(name, 0) + act.failed
            found = read(path)
            assert found in ((old if there else None), new), (name, number, found)
            assert found == new or not finished
            write(path)  # and the next write cleans up after it
            assert read(path) == new
            assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []
            if not act.failed:
                return


def test_every_kind_of_call_was_made_to_fail():
    print({"failures injected": COUNT})
    if COUNT:
        assert {"write", "fsync", "replace", "fdopen", "mkstemp", "chmod"} <= {
            name for name, count in COUNT.items() if count
        }


def test_a_key_is_old_or_new_whatever_fails(tmp_path, faulty, monkeypatch):
    monkeypatch.setenv("COMPANION_KEY", str(tmp_path / "key"))
    place = str(tmp_path / "key")
    for name in CALLS:
        with monkeypatch.context() as inside:
            inside.setenv("COMPANION_KEY", place)
            old = user_key()
        for code in FAULTS:
            faulty(name, 1, code)
            monkeypatch.setenv("COMPANION_KEY", place)
            try:
                rotate_key()
            except ValueError as error:
                assert "\n" not in str(error)
            monkeypatch.undo()
            monkeypatch.setenv("COMPANION_KEY", place)
            assert len(user_key()) == 32 and (tmp_path / "key").stat().st_mode & 0o777 == 0o600
        assert len(old) == 32


def test_a_comparison_is_the_old_or_the_new_one(tmp_path, faulty, monkeypatch):
    bikes = streams.bike_sharing()
    old = compare(bikes, {"a": Baseline("mean")})
    new = compare(bikes, {"b": Baseline("no-change"), "c": Baseline("mean")})
    for name in ("write", "fsync", "replace", "chmod", "unlink", "mkstemp"):
        for number in range(1, 6):
            folder = tmp_path / f"{name}-{number}"
            old.save(folder)
            faulty(name, number, errno.ENOSPC)
            try:
                new.save(folder)
            except OSError:
                pass
            monkeypatch.undo()
            back = load_comparison(folder, bikes)
            wanted = old if list(back.runs) == ["a"] else new
            assert list(back.runs) == list(wanted.runs)
            assert all(back.score(who) == wanted.score(who) for who in wanted.runs)


def test_a_full_disk_at_the_end_keeps_the_runs_and_says_so(tmp_path, monkeypatch, capsys):
    from companion.apps import command_line

    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{k % 5},{k * 1.5}" for k in range(60))
    (tmp_path / "a.csv").write_text("x,y\n" + rows + "\n")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(command_line, "write_atomically", full)
    assert main(["compare", "a.csv", "--target", "y", "--quick", "--save", "out.csv"]) == 2
    err = capsys.readouterr().err
    assert "out.csv: it was not written (No space left on device); the finished runs are" in err
    assert len(list((tmp_path / "a.csv.runs").glob("*.npz"))) == 14
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.csv.runs"]
