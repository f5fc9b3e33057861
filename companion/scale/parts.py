"""Streams too long for memory: read in parts, evaluated in parts, the same predictions."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from companion.evaluation import Cursor, Run, extend, run_rows, start
from companion.files.checkpoint import BadCheckpoint, load, save
from companion.strategies import Strategy
from companion.stream import Stream


def prequential_in_parts(
    strategy: Strategy,
    parts: Iterable[Stream],
    *,
    warmup: int,
    label_delay: int | str = 0,
    seed: int | None = None,
    name: str | None = None,
    checkpoint: str | Path | None = None,
    trust: Sequence[str] = (),
) -> Iterator[Run]:
    """Evaluate a strategy on a stream that comes in parts; memory holds two parts at most.

    The predictions are those that :func:`companion.prequential` gives on the whole stream.

    Parameters
    ----------
    strategy : Strategy
    parts : iterable of Stream
        Parts in time order, with equal columns.
    warmup : int
        Rows to fit on; they must lie in the first part.
    label_delay : int or str
        Rows, or a duration such as ``"2D"``.
    seed, name
        As for :func:`companion.prequential`.
    checkpoint : str or Path, optional
        A file that remembers what is done. If it is there, the parts that it knows are skipped
        and the strategy goes on as it was then. It is written when the next part is asked for,
        so a part that you have not dealt with is never taken for done: after a crash it comes
        again, the same to the last digit. Keep each part under its ``first``, and a second copy
        replaces the first.
    trust : sequence of str
        Classes of your own that the checkpoint may hold; see
        :func:`companion.files.checkpoint.load`.

    Yields
    ------
    Run
        One for each part; ``first`` counts from the start of the whole stream, costs add up.

    Raises
    ------
    BadCheckpoint, UnsafeFile
        If the checkpoint cannot be written, is damaged, or belongs to other rows or options.

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> bikes = streams.bike_sharing()
    >>> parts = (bikes.take(slice(k, k + 300)) for k in range(0, 731, 300))
    >>> [len(run.y) for run in prequential_in_parts(Baseline("no-change"), parts, warmup=146)]
    [154, 300, 131]
    """
    cursor: Cursor | None = None
    done, digest, known_digest = 0, 0, 0
    options = {"warmup": int(warmup), "label_delay": label_delay, "seed": seed}
    if checkpoint is not None and Path(checkpoint).exists():
        found = load(checkpoint, trust)
        held, known_digest, known_options = found.more
        cursor, done = replace(held, strategy=found.strategy), found.position
    for number, part in enumerate(parts):
        if checkpoint is not None:
            digest = rows_digest(part, digest)
            if number == done - 1 and (digest, options) != (known_digest, known_options):
                raise BadCheckpoint(
                    f"{checkpoint}: it was made on other rows, parts or options than these; "
                    "give it the same, or start anew with another checkpoint"
                )
        if number < done:
            continue
        if cursor is None:
            cursor = start(strategy, part, int(warmup), label_delay, seed)
        else:
            extend(cursor, part)
        yield run_rows(cursor, name or type(strategy).__name__)
        if checkpoint is not None:
            held = replace(cursor, strategy=None)
            save(checkpoint, cursor.strategy, number + 1, (held, digest, options))


def rows_digest(part: Stream, before: int) -> int:
    """Return a checksum of all rows so far, this part's included."""
    for values in (part.X, part.y, part.time, part.key):
        held = b"-" if values is None else np.ascontiguousarray(values).tobytes()
        before = zlib.crc32(held, before)
    return before
