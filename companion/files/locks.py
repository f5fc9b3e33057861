"""Locks that the kernel lets go of when their process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InUse(ValueError):
    """Another process works on the same files; the message says on which, and what to do.

    Examples
    --------
    >>> str(InUse("runs: another comparison works in this folder"))
    'runs: another comparison works in this folder'
    """


def lock(handle: int) -> bool | None:
    """Lock an open file; return whether it worked, or None where files cannot be locked."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except (ImportError, AttributeError, OSError):  # in a browser, on some network drives
        return None
    return True


@contextmanager
def held(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for this process alone, or say that another one does.

    Parameters
    ----------
    folder : Path
        It is made if it is not there.
    what : str
        Who works there, for the message.

    Raises
    ------
    InUse
        If another process, or another call in this one, holds it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place, held(Path(place), "a comparison"):
    ...     try:
    ...         with held(Path(place), "a comparison"):
    ...             pass
    ...     except InUse as error:
    ...         print(str(error).replace(place, "runs"))
    runs: a comparison works in this folder already; wait until it ends, or name another folder
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    handle, ours = os.open(path, os.O_RDWR | os.O_CREAT, 0o600), False
    try:
        ours = lock(handle) is not False and still_there(handle, path)
        if not ours:
            raise InUse(
                f"{folder}: {what} works in this folder already; wait until it ends, "
                "or name another folder"
            )
        yield
    finally:
        if ours and os.name == "posix":
            path.unlink(missing_ok=True)
        os.close(handle)


def still_there(handle: int, path: Path) -> bool:
    """Whether an open file still has its name: its last owner may just have removed it."""
    return path.exists() and os.path.samestat(os.fstat(handle), path.stat())
