"""Runs on disk: written whole or not at all, read without running anybody's code."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from companion.prequential import Run
from companion.strategies import Strategy
from companion.stream import Stream

ARRAYS = ("y", "predictions", "probabilities", "time")


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file whole or not at all, so that it lasts through a loss of power.

    A part is written beside it and brought to the disk, takes its name, and then the folder,
    which holds the names, is brought to the disk too.
    """
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, mode)
        os.replace(part, path)
    except BaseException:
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


def run_to_bytes(run: Run) -> bytes:
    """Return a run as bytes: NumPy arrays and JSON, no pickle.

    Examples
    --------
    >>> run = Run("s", "mean", 5, np.zeros(2), np.ones(2))
    >>> run_from_bytes(run_to_bytes(run)).loss
    array([1., 1.])
    """
    arrays = {name: getattr(run, name) for name in ARRAYS if getattr(run, name) is not None}
    about = {
        "stream": run.stream, "strategy": run.strategy, "first": run.first, "task": run.task,
        "events": run.events, "cost": run.cost, "seed": run.seed,
    }  # fmt: skip
    data = io.BytesIO()
    np.savez_compressed(data, about=np.array(json.dumps(about)), **arrays)
    return data.getvalue()


def run_from_bytes(data: bytes) -> Run:
    """Return the run that :func:`run_to_bytes` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        about = json.loads(str(found["about"]))
        arrays = {name: found[name] for name in ARRAYS if name in found}
    about["events"] = [(row, what) for row, what in about["events"]]
    return Run(**about, **arrays)


def fingerprint(strategy: Strategy, stream: Stream, options: dict[str, Any]) -> str:
    """Return a name for a run that changes whenever its strategy, its rows or its options do."""
    digest = hashlib.sha256()
    for part in (stream.X, stream.y, stream.time, stream.key):
        digest.update(np.ascontiguousarray(part).tobytes() if part is not None else b"-")
    digest.update(pickle.dumps((type(strategy).__name__, strategy.fresh(options.get("seed")))))
    digest.update(json.dumps(options, sort_keys=True, default=lambda a: a.tolist()).encode())
    return digest.hexdigest()[:24]
