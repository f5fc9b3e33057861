"""Runs on disk: written whole or not at all, read without running anybody's code."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import joblib
import numpy as np

from companion.evaluation import Run
from companion.files.code import code_of
from companion.metrics import LOSSES
from companion.strategies import Strategy
from companion.stream import Stream

ARRAYS = ("y", "predictions", "probabilities", "time")


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
    run = Run(**about, **arrays)
    check_run(run)
    return run


def check_run(run: Run) -> None:
    """Refuse a run that no evaluation gives, so that whoever reads it need not look again.

    Raises
    ------
    ValueError
        With the name of what is wrong.

    Examples
    --------
    >>> check_run(Run("s", "mean", 0, np.zeros(2), np.ones(3)))
    Traceback (most recent call last):
    ValueError: predictions
    """
    rows = (len(run.y),)
    fits = {
        "names": isinstance(run.stream, str) and isinstance(run.strategy, str),
        "first": type(run.first) is int and run.first >= 0,
        "task": run.task in LOSSES,
        "y": run.y.ndim == 1 and run.y.dtype.kind in "biuf",
        "predictions": run.predictions.shape == rows and run.predictions.dtype.kind in "biuf",
        "time": run.time is None or (run.time.shape == rows and run.time.dtype.kind == "M"),
        "probabilities": run.probabilities is None or run.probabilities.shape[:1] == rows,
        "events": all(type(row) is int and isinstance(what, str) for row, what in run.events),
        "cost": isinstance(run.cost, dict)
        and all(type(value) in (int, float) for value in run.cost.values()),
        "seed": run.seed is None or type(run.seed) is int,
    }
    for what, fine in fits.items():
        if not fine:
            raise ValueError(what)


def stream_digest(stream: Stream) -> str:
    """Return a name for a stream's rows that changes whenever a row or a column does.

    Examples
    --------
    >>> one, two = Stream("s", np.zeros((1, 1)), [0.0]), Stream("s", np.zeros((1, 1)), [1.0])
    >>> stream_digest(one) == stream_digest(one), stream_digest(one) == stream_digest(two)
    (True, False)
    """
    about = (stream.name, stream.task, stream.features, stream.classes, stream.X.shape)
    digest = hashlib.sha256(json.dumps(about).encode())
    keys = None if stream.key is None else json.dumps(np.asarray(stream.key).astype(str).tolist())
    for part in (stream.X, stream.y, stream.time, keys):
        if part is None:
            digest.update(b"none")
        else:
            digest.update(part.encode() if isinstance(part, str) else part.tobytes())
    if stream.weight is not None:
        digest.update(stream.weight.tobytes())
    return digest.hexdigest()


def run_file(strategy: Strategy, stream: Stream, options: dict[str, Any]) -> str | None:
    """Return the name under which a run is kept, or None for a strategy that has no fixed form.

    It changes with the strategy's settings and code, the packages it is made of, the stream's rows
    and the options: with all that could change the run.
    """
    try:
        made_of = (joblib.hash(strategy, "sha1"), sorted(code_of(strategy)))
    except Exception:  # such as a function without a name: nobody can say whether it has changed
        return None
    asked = joblib.hash(sorted(options.items(), key=lambda item: item[0]), "sha1")
    told = json.dumps([made_of, asked, stream_digest(stream)])
    return hashlib.sha256(told.encode()).hexdigest()[:24] + ".npz"
