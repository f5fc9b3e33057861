"""Streams too long for memory: read in parts, evaluated in parts, the same predictions."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from companion.checkpoint import BadCheckpoint, load, save
from companion.prequential import (
    Run,
    advance,
    arrivals,
    asked_for,
    check_answers,
    check_start,
    prepared,
    warmup_rows,
)
from companion.strategies import Strategy
from companion.stream import Stream
from companion.table import YEARS, BadInput, check_file, check_heading, refusal


def prequential_chunks(
    strategy: Strategy,
    chunks: Iterable[Stream],
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
    chunks : iterable of Stream
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
        Classes of your own that the checkpoint may hold; see :func:`companion.checkpoint.load`.

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
    >>> [len(run.y) for run in prequential_chunks(Baseline("no-change"), parts, warmup=146)]
    [154, 300, 131]
    """
    place = Place()
    if checkpoint is not None and Path(checkpoint).exists():
        found = load(checkpoint, trust)
        place = replace(found.more, strategy=found.strategy)
    options = {"warmup": int(warmup), "label_delay": label_delay, "seed": seed}
    digest = 0
    for number, chunk in enumerate(chunks):
        if checkpoint is not None:
            digest = rows_digest(chunk, digest)
            if number == place.parts - 1 and (digest, options) != (place.digest, place.options):
                raise BadCheckpoint(
                    f"{checkpoint}: it was made on other rows, parts or options than these; "
                    "give it the same, or start anew with another checkpoint"
                )
        if number < place.parts:
            continue
        yield next_part(place, chunk, options, strategy, name)
        place.parts, place.digest, place.options = number + 1, digest, options
        if checkpoint is not None:
            save(checkpoint, place.strategy, place.parts, replace(place, strategy=None))


@dataclass
class Place:
    """Where an evaluation in parts stands: what it remembers from one part to the next."""

    strategy: Strategy | None = None
    late: Stream | None = None  # the rows whose labels have not arrived
    start: int = 0  # the position of the first of them
    known: int = 0  # labels of the warm-up
    labels: int = 0  # labels learnt since
    noted: int = 0  # events told
    parts: int = 0
    digest: int = 0
    options: dict[str, Any] = field(default_factory=dict)


def next_part(
    place: Place, chunk: Stream, options: dict[str, Any], strategy: Strategy, name: str | None
) -> Run:
    """Evaluate one more part, and move the place on."""
    rows = chunk if place.late is None else joined(place.late, chunk)
    order, when = arrivals(rows, options["label_delay"])
    told, t, start = 0, len(rows) - len(chunk), place.start
    if place.late is None:
        t = warmup_rows(options["warmup"], len(chunk))
        place.strategy = prepared(strategy, chunk, options["seed"])
        place.known = told = int(np.searchsorted(when, t, side="right"))
        check_start(place.strategy, t, told)
        head = slice(0, told)
        place.strategy.fit(rows.X[head], rows.y[head], **asked_for(place.strategy, rows, head))
    strategy = place.strategy
    answers: list[np.ndarray] = []
    now = told
    told = advance(strategy, rows, order, when, told, t, answers, offset=start)
    place.labels += 0 if strategy.frozen else told - now
    given = np.concatenate(answers)
    check_answers(given, strategy, t, len(rows))
    events = [
        (start + int(when[place.known + label - 1 - start]), what)
        for label, what in strategy.events[place.noted :]
    ]
    place.noted = len(strategy.events)
    place.late, place.start = rows.take(slice(told, len(rows))), start + told
    return Run(
        stream=chunk.name,
        strategy=name or type(strategy).__name__,
        first=start + t,
        y=rows.y[t:],
        predictions=given,
        task=chunk.task,
        time=None if rows.time is None else rows.time[t:],
        events=events,
        cost={
            "fits": strategy.fits,
            "rows_learnt": strategy.rows_learnt,
            "labels_used": place.known + place.labels,
            "predictions": len(given),
        },
        seed=options["seed"],
    )


def rows_digest(chunk: Stream, before: int) -> int:
    """Return a checksum of all rows so far, this part's included."""
    for part in (chunk.X, chunk.y, chunk.time, chunk.key):
        before = zlib.crc32(b"-" if part is None else np.ascontiguousarray(part).tobytes(), before)
    return before


def joined(one: Stream, two: Stream) -> Stream:
    """Return two parts of a stream as one."""
    if one.features != two.features or one.classes != two.classes:
        raise ValueError(
            f"a part of stream {two.name!r} has other columns or classes than the one before; "
            "cut all parts from one table"
        )
    both = {name: (getattr(one, name), getattr(two, name)) for name in ("X", "y", "time", "key")}
    return replace(
        two, **{k: None if pair[0] is None else np.concatenate(pair) for k, pair in both.items()}
    )


def read_chunks(
    path: str | Path,
    target: str,
    *,
    time: str | None = None,
    key: str | None = None,
    classes: Sequence[str] = (),
    rows: int = 50_000,
) -> Iterator[Stream]:
    r"""Read a CSV (also .gz) in parts, as streams, without ever holding it whole.

    It guesses nothing, since it cannot look ahead: feature columns hold numbers, the rows are in
    time order, and the classes are named. Gaps are filled with the last value before.

    Parameters
    ----------
    path : str or Path
    target : str
        The column to predict.
    time, key : str, optional
        The columns with each row's time, and whom or what it belongs to.
    classes : sequence of str
        The target's values, if it is a class; numbers are predicted if there are none.
    rows : int
        Rows a part.

    Raises
    ------
    BadInput
        One sentence that names the file, the line, the problem and the mend.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("x,y\n1,2\n3,4\n5,6\n")
    ...     [len(part) for part in read_chunks(file, "y", rows=2)]
    [2, 1]
    """
    path = Path(path)
    last: Any = None
    newest: Any = None
    line = 2
    for frame in frames(path, rows):
        for column in filter(None, (target, time, key)):
            if column not in frame.columns:
                raise BadInput(f"{path}: there is no column {column!r} in its first line")
        numbers = frame.drop(columns=[c for c in (target, time, key) if c])
        X = numeric(numbers, path, line)
        if last is not None:
            X.iloc[:1] = X.iloc[:1].fillna(last)
        X = X.ffill().fillna(0.0)
        last = X.iloc[-1]
        y = frame[target]
        codes = class_codes(y, classes, path, line) if classes else numeric(
            y.to_frame(), path, line, gaps=False
        )[target]  # fmt: skip
        when = None
        if time is not None:
            when = times(frame[time], path, line, newest)
            newest = when[-1]
        keys = None if key is None else frame[key].astype(str).to_numpy(dtype=str)
        yield Stream(
            name=path.name,
            X=X.to_numpy(dtype=float),
            y=codes.to_numpy(),
            features=tuple(map(str, X.columns)),
            task="classification" if classes else "regression",
            time=when,
            key=keys,
            classes=tuple(classes),
            unit="" if classes else target,
        )
        line += len(frame)


def frames(path: Path, rows: int) -> Iterator[Any]:
    """Yield a table's parts, or say in one sentence why it cannot be read."""
    import pandas as pd

    check_file(path)
    try:
        check_heading(path)
        with pd.read_csv(path, chunksize=rows, encoding="utf-8-sig") as reader:
            yield from reader
    except Exception as error:
        raise refusal(path, error) from None


def numeric(frame: Any, path: Path, line: int, *, gaps: bool = True) -> Any:
    """Return columns as numbers, or name the first line that holds none."""
    import pandas as pd

    for column in frame.columns:
        found = pd.to_numeric(frame[column], errors="coerce").astype(float)
        wrong = found.isna() & (frame[column].notna() if gaps else True) | np.isinf(found)
        if wrong.any():
            where = int(np.flatnonzero(wrong)[0])
            raise BadInput(
                f"{path}, line {line + where}, column {column!r}: "
                f"{str(frame[column].iloc[where])!r} is no number; mend it or drop the column"
            )
        frame = frame.assign(**{column: found})
    return frame


def class_codes(values: Any, classes: Sequence[str], path: Path, line: int) -> Any:
    """Return the classes' codes, or name the first line with another class."""
    codes = values.astype(str).map({name: code for code, name in enumerate(classes)})
    if codes.isna().any():
        where = int(np.flatnonzero(codes.isna())[0])
        raise BadInput(
            f"{path}, line {line + where}, column {values.name!r}: {values.iloc[where]!r} is not "
            f"among the classes {', '.join(classes)}; name it too"
        )
    return codes.astype(int)


def times(values: Any, path: Path, line: int, newest: Any) -> np.ndarray:
    """Return times that never run backwards, or name the first line that is wrong."""
    import pandas as pd

    found = pd.to_datetime(values, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
    before = found.shift(1)
    if newest is not None:
        before.iloc[0] = newest
    no_time = found.isna() | ~found.dt.year.between(*YEARS)
    wrong = no_time | (found < before)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        why = "is no time" if no_time.iloc[where] else "is before the line above; sort first"
        raise BadInput(
            f"{path}, line {line + where}, column {values.name!r}: {values.iloc[where]!r} {why}"
        )
    return found.to_numpy("datetime64[ns]")
