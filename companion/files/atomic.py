"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from companion.files.locks import lock

PART = ".part"


def write_atomically(path: Path, data: bytes, mode: int = 0o644, *, once: bool = False) -> None:
    """Write a file whole or not at all, so that it lasts through a loss of power.

    A part is written beside it and brought to the disk, takes its name, and then the folder,
    which holds the names, is brought to the disk too. Written ``once``, a file that has the name
    already stays as it is. Several processes may write the same file: the last one wins.
    """
    drop_parts_left(path)
    handle, part = new_part(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if os.name == "posix":  # while it is open, and so locked
                take_name(part, path, mode, once)
        if os.name != "posix":
            take_name(part, path, mode, once)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some file systems cannot, and say so with EINVAL
                raise
        finally:
            os.close(folder)


def new_part(path: Path) -> tuple[int, str]:
    """Open a new part of a file, locked, so that others see that its writer is alive."""
    while True:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
        if os.name != "posix" or (lock(handle) is not False and os.path.exists(part)):
            return handle, part
        os.close(handle)  # another writer took it for one that was left


def take_name(part: str, path: Path, mode: int, once: bool) -> None:
    """Give a finished part the name of its file."""
    os.chmod(part, mode)
    if not once:
        os.replace(part, path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    except (AttributeError, OSError):  # a browser, or a file system without links
        if not path.exists():
            os.replace(part, path)
            return
    os.unlink(part)


def drop_parts_left(path: Path) -> None:
    """Remove the parts of a file whose writers were killed; those of living writers stay."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}{re.escape(PART)}")
    for name in filter(ours.fullmatch, os.listdir(path.parent)):
        with suppress(OSError):  # it is gone already, or (on Windows) open
            handle = os.open(path.parent / name, os.O_RDWR)
            try:
                if os.name != "posix" or lock(handle):
                    os.unlink(path.parent / name)
            finally:
                os.close(handle)
