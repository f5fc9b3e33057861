"""A strategy in mid-stream, saved with its position so that it outlives a crash.

A checkpoint is written whole or not at all, is private to its owner, and carries its owner's seal.
It holds a pickle, since River models know no other form. A pickle can run code when it is read, so
one without your own seal is never read: see :mod:`companion.files.seal`.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import river
import sklearn

from companion.files.atomic import PART, write_atomically
from companion.files.listed import ListedUnpickler
from companion.files.private import UnsafeFile, check_private, on_one_line
from companion.files.seal import seal, unseal
from companion.strategies import Strategy

FORMAT = 2
FIRST = b"companion checkpoint, format "
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
    if path.name.endswith(PART):
        raise BadCheckpoint(f"{path}: {PART} is for half-written files; choose another name")
    check_private(path.parent)
    try:
        held = pickle.dumps((strategy, more))
    except Exception as error:
        raise BadCheckpoint(
            f"{path}: the strategy cannot be stored ({error}); "
            "use functions and classes that stand at the top of a module"
        ) from None
    about = json.dumps({"position": int(position), "made_with": MADE_WITH})
    content = FIRST + f"{FORMAT}\n{about}\n".encode() + held
    try:
        write_atomically(path, seal(content), mode=0o600)
    except OSError as error:
        raise BadCheckpoint(
            f"{path}: the checkpoint was not written ({error.strerror}); the one before it is as "
            "it was; make room there, or name a folder that you can write to"
        ) from None


def load(path: str | Path, trust: Sequence[str] = ()) -> Checkpoint:
    """Read a checkpoint that you wrote with :func:`save`; anything foreign or damaged is refused.

    A checkpoint holds a pickle, which can run code when it is read. So it is read only if it
    carries the seal of your own key and nothing of it has changed since. To pass a model on, use
    :func:`companion.files.safe.save_model`.

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
        If there is none, or another format or version wrote it.
    UnsafeFile
        If you did not seal it, it is damaged, others can write to it or to its folder, or it holds
        what no model needs.

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
    ...     except UnsafeFile as error:
    ...         print(str(error).split("run.ckpt: ")[1])
    damaged: its content does not fit its seal; delete it, or restore a copy
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
    about, _, held = sealed_content(path).partition(b"\n")
    try:
        facts = json.loads(about)
        for package, version in facts["made_with"].items():
            if version != MADE_WITH.get(package):
                raise BadCheckpoint(
                    f"{path}: made with {on_one_line(f'{package} {version}')}, and here is "
                    f"{MADE_WITH.get(package, 'none')}; install that version, or start anew"
                )
        strategy, more = ListedUnpickler(held, str(path), trust).load()
        return Checkpoint(strategy, facts["position"], more)
    except (BadCheckpoint, UnsafeFile):
        raise
    except Exception as error:
        raise BadCheckpoint(
            f"{path}: it cannot be read ({type(error).__name__}: {on_one_line(str(error))}); "
            "read it with the companion that wrote it, or start anew"
        ) from None


def sealed_content(path: Path) -> bytes:
    """Return what a checkpoint holds after its first line, if this user sealed it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadCheckpoint(
            f"{path}: it cannot be read ({error.strerror}); check its permissions"
        ) from None
    first, _, rest = unseal(data, str(path)).partition(b"\n")
    if not first.startswith(FIRST):
        raise BadCheckpoint(f"{path}: this is no checkpoint; name another file")
    number = first.removeprefix(FIRST).decode("ascii", "replace")
    if number != str(FORMAT):
        raise BadCheckpoint(
            f"{path}: written in format {number[:9] or '?'}, and this companion reads format "
            f"{FORMAT}; read it with the companion that wrote it, or start anew"
        )
    return rest
