"""A strategy in mid-stream, saved with its position so that it outlives a crash.

A checkpoint is written whole or not at all, carries a checksum, and is private to its owner. It
holds a pickle, since River models know no other form; :mod:`companion.safe` says what is done
against strangers' code.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import river
import sklearn

from companion.safe import UnsafeFile, check_private, unpickle
from companion.store import write_whole
from companion.strategies import Strategy

FORMAT = 1
FIRST = "companion checkpoint, format "
WARNING = ". Reading it can run code: load it only if you made it yourself.\n"
MADE_WITH = {"River": river.__version__, "scikit-learn": sklearn.__version__}


@dataclass(frozen=True)
class Checkpoint:
    """A strategy, and how far it had come.

    Attributes
    ----------
    strategy : Strategy
        As it was, with everything it had learnt.
    position : int
        Whatever the caller counts: rows, labels or parts of a stream that are done.
    more : object
        What else the caller needs to go on.

    Examples
    --------
    >>> from companion import Baseline
    >>> Checkpoint(Baseline("mean"), 500).position
    500
    """

    strategy: Strategy
    position: int
    more: Any = None


class BadCheckpoint(ValueError):
    """A checkpoint cannot be written or read; the message says why and what to do.

    Examples
    --------
    >>> try:
    ...     load("none.ckpt")
    ... except BadCheckpoint as error:
    ...     print(error)
    none.ckpt: there is no such checkpoint; check the name, or start without one
    """


def save(path: str | Path, strategy: Strategy, position: int, more: Any = None) -> None:
    """Write a checkpoint whole or not at all; the one before it stays until the new one is safe.

    Parameters
    ----------
    path : str or Path
        In a folder that only you can write to.
    strategy : Strategy
    position : int
        Whatever you count; :func:`load` gives it back.
    more : object
        Arrays and plain containers that you need to go on.

    Raises
    ------
    BadCheckpoint
        If the disk is full, the folder cannot be written to, or the strategy cannot be stored.
    UnsafeFile
        If others can write to the folder.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from companion import Baseline
    >>> strategy = Baseline("no-change")
    >>> strategy.fit(np.zeros((2, 1)), np.array([3.0, 7.0]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder) / "run.ckpt", strategy, position=2)
    ...     found = load(Path(folder) / "run.ckpt")
    >>> found.position, found.strategy.predict(np.zeros((1, 1)))
    (2, array([7.]))
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise BadCheckpoint(f"{path}: there is no folder {path.parent}; make it first")
    check_private(path.parent)
    try:
        held = pickle.dumps((strategy, more))
    except Exception as error:
        raise BadCheckpoint(
            f"{path}: the strategy cannot be stored ({error}); "
            "use functions and classes that stand at the top of a module"
        ) from None
    about = json.dumps({"position": int(position), "made_with": MADE_WITH})
    body = about.encode() + b"\n" + held
    head = f"{FIRST}{FORMAT}{WARNING}{hashlib.sha256(body).hexdigest()}\n"
    try:
        for left in path.parent.glob(f"{escape(path.name)}*.part"):  # of a save that was killed
            left.unlink(missing_ok=True)
        write_whole(path, head.encode() + body, mode=0o600)
    except OSError as error:
        raise BadCheckpoint(
            f"{path}: the checkpoint was not written ({error.strerror}); the one before it is as "
            "it was; make room there, or name a folder that you can write to"
        ) from None


def load(path: str | Path, trust: Sequence[str] = ()) -> Checkpoint:
    """Read a checkpoint that :func:`save` wrote; anything damaged, foreign or unlisted is refused.

    A checkpoint holds a pickle. **Load only files that you made yourself.** What this function
    checks makes an accident unlikely and an attack hard; it cannot make a stranger's file safe.

    Parameters
    ----------
    path : str or Path
    trust : sequence of str
        Classes of your own to allow, such as ``"my_module.Slow"``.

    Returns
    -------
    Checkpoint

    Raises
    ------
    BadCheckpoint
        If there is none, it is damaged, or another format or version wrote it.
    UnsafeFile
        If others can write to it or to its folder, or it holds what no model needs.

    Examples
    --------
    >>> import tempfile
    >>> from companion import Baseline
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "run.ckpt"
    ...     save(file, Baseline("mean"), 5)
    ...     _ = file.write_bytes(file.read_bytes()[:-1])
    ...     try:
    ...         load(file)
    ...     except BadCheckpoint as error:
    ...         print(str(error).split("run.ckpt: ")[1])
    damaged: its content does not fit its checksum; delete it, or restore a copy
    """
    path = Path(path)
    if not path.exists():
        raise BadCheckpoint(
            f"{path}: there is no such checkpoint; check the name, or start without one"
        )
    if not path.is_file():
        raise BadCheckpoint(f"{path}: this is no file; name the checkpoint in it")
    check_private(path.parent)
    check_private(path)
    body = checked_body(path)
    about, _, held = body.partition(b"\n")
    try:
        facts = json.loads(about)
        for package, version in facts["made_with"].items():
            if version != MADE_WITH.get(package):
                raise BadCheckpoint(
                    f"{path}: made with {package} {version}, and here is "
                    f"{MADE_WITH.get(package, 'none')}; install that version, or start anew"
                )
        strategy, more = unpickle(held, str(path), trust)
        return Checkpoint(strategy, facts["position"], more)
    except (BadCheckpoint, UnsafeFile):
        raise
    except Exception as error:
        raise BadCheckpoint(
            f"{path}: it cannot be read ({type(error).__name__}: {error}); "
            "read it with the companion that wrote it, or start anew"
        ) from None


def checked_body(path: Path) -> bytes:
    """Return what a checkpoint holds, if its first two lines vouch for it."""
    try:
        with path.open("rb") as file:
            first = file.readline(200).decode("ascii", "replace")
            if not first.startswith(FIRST):
                raise BadCheckpoint(f"{path}: this is no checkpoint; name another file")
            number = first.removeprefix(FIRST).partition(".")[0]
            if number != str(FORMAT):
                raise BadCheckpoint(
                    f"{path}: written in format {number.strip() or '?'}, and this companion reads "
                    f"format {FORMAT}; read it with the companion that wrote it, or start anew"
                )
            digest, body = file.readline(80).strip(), file.read()
    except OSError as error:
        raise BadCheckpoint(
            f"{path}: it cannot be read ({error.strerror}); check its permissions"
        ) from None
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise BadCheckpoint(
            f"{path}: damaged: its content does not fit its checksum; delete it, or restore a copy"
        )
    return body
