"""Moving memory: what was known of the labels before each row, as columns of the stream.

A frozen model that is shown the newest labels moves with them, though nothing in it changes. With
these columns every strategy has the same memory, and nothing in them comes from later rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from companion.evaluation import arrivals, warmup_rows
from companion.stream import Stream, duration

MEMORY, CALENDAR = "memory: ", "calendar: "
WEIGHT = "weight: how much the row counts"  # no model is shown it
LAST, SO_FAR = "last label", "mean so far"
MEAN, MEDIAN = "mean of the last 14", "median of the last 14"
NEWEST = 14  # labels in the rolling mean and median
SEASON, SEASONS = "last season's label", "mean of the last 4 seasons"
EVERY_KEY = " of all keys"
SHRINK = 5  # labels of a key that weigh as much as the mean of all keys
ROW_SEASONS = (4, 5, 6, 7, 12, 24, 48, 52, 96, 144, 168, 288, 336)
WEEKDAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")


def with_memory(
    stream: Stream,
    label_delay: int | str | np.ndarray = 0,
    *,
    lags: int = 3,
    season: int | str | None = None,
    calendar: tuple[str, ...] = (),
) -> Stream:
    """Return the stream with columns of what was known of the labels before each row.

    Parameters
    ----------
    stream : Stream
    label_delay : int, str or ndarray
        As for :func:`companion.prequential`; a label is remembered once it has arrived.
    lags : int
        How many of the newest known labels become columns, with the mean of the last 14 and the
        mean of all so far. With keys they are those of the row's own key.
    season : int or str, optional
        Rows, or a duration such as ``"7D"``: adds the label one season ago, and the mean of the
        last four.
    calendar : tuple of {"day", "week", "year"}
        Cycles of the clock to add: sines and cosines, and a column for each day of the week.

    Returns
    -------
    Stream
        A column more for each thing remembered, its name beginning with ``"memory: "`` or
        ``"calendar: "``. Classes are remembered as columns of 0 and 1. Weights become the last
        column, for :class:`companion.views.View`.

    Raises
    ------
    ValueError
        If the season or the calendar needs times and the stream has none.

    Notes
    -----
    A key's mean so far leans on the mean of all keys, like five labels of its own. What a key has
    not got yet is taken from all keys. Rows before the very first label is known hold that label:
    they lie in the warm-up, since an evaluation cannot start before.

    Examples
    --------
    >>> toy = Stream("toy", np.zeros((4, 1)), np.array([3.0, 5.0, 7.0, 9.0]))
    >>> remembering = with_memory(toy, lags=1)
    >>> remembering.features[1]
    'memory: last label'
    >>> remembering.X[:, 1]
    array([3., 3., 5., 7.])
    >>> with_memory(toy, label_delay=2, lags=1).X[:, 1]
    array([3., 3., 3., 5.])
    """
    if stream.time is None and (calendar or isinstance(season, str)):
        raise ValueError(
            f"stream {stream.name!r} has no times, which the calendar and a season of {season!r} "
            "need; give it times, or a season in rows"
        )
    order, known_from = arrivals(stream, label_delay)
    labels, kinds = label_columns(stream)
    back = duration(season).astype("timedelta64[ns]") if isinstance(season, str) else season
    everybody = memory_of(
        np.arange(len(stream)), order, known_from, labels, lags, back, stream.time
    )
    if stream.classes:
        everybody.pop(MEDIAN, None)
    for column in everybody.values():  # before any label is known: the first to come
        column[np.isnan(column[:, 0])] = labels[order[0]]
    if stream.key is None:
        columns = everybody
    else:
        columns = memory_by_key(stream, order, known_from, labels, lags, back, everybody)
        columns |= {what + EVERY_KEY: everybody[what] for what in (LAST, MEAN)}
    names = [f"{MEMORY}{what}{kind}" for what in columns for kind in kinds]
    parts = [stream.X, *columns.values()]
    for cycle in calendar:
        more, values = calendar_columns(stream.time, cycle)
        names += [CALENDAR + name for name in more]
        parts.append(values)
    if stream.weight is not None:
        names.append(WEIGHT)
        parts.append(stream.weight)
    return replace(stream, X=np.column_stack(parts), features=(*stream.features, *names))


def label_columns(stream: Stream) -> tuple[np.ndarray, list[str]]:
    """Return labels as numbers, shape (n, kinds): one column, or one for each of 3 or more classes.

    Examples
    --------
    >>> rain = Stream("rain", np.zeros((3, 1)), np.array([0, 1, 1]), task="classification",
    ...               classes=("dry", "wet"))
    >>> label_columns(rain)[0].T
    array([[0., 1., 1.]])
    """
    if len(stream.classes) <= 2:
        return stream.y[:, None].astype(float), [""]
    return np.eye(len(stream.classes))[stream.y], [f" is {name}" for name in stream.classes]


def memory_of(
    rows: np.ndarray,
    order: np.ndarray,
    known_from: np.ndarray,
    labels: np.ndarray,
    lags: int,
    season: np.timedelta64 | int | None,
    time: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Return what is remembered before each of ``rows``, one array (rows, kinds) for each thing.

    Labels come in ``order``, each known from the row ``known_from`` on. NaN stands where nothing
    is known.
    """
    arrived = labels[order]
    seen = np.searchsorted(known_from, rows, side="right")
    sums = np.vstack([np.zeros(arrived.shape[1]), np.cumsum(arrived, axis=0)])

    def mean_of_last(count: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (sums[seen] - sums[seen - count]) / count[:, None]

    columns = {}
    for lag in range(1, lags + 1):
        where = np.minimum(lag, seen)  # a key with fewer labels repeats its oldest
        values = arrived[np.maximum(seen - where, 0)]
        values[seen == 0] = np.nan
        columns[LAST if lag == 1 else f"label {lag} back"] = values
    columns[MEAN] = mean_of_last(np.minimum(NEWEST, seen))
    if arrived.shape[1] == 1:
        columns[MEDIAN] = rolling_median(arrived[:, 0])[seen][:, None]
    columns[SO_FAR] = mean_of_last(seen)
    if season is not None:
        clock = np.arange(len(rows)) if isinstance(season, int) else time[rows].astype(np.int64)
        step = season if isinstance(season, int) else int(season.astype(np.int64))
        known = np.full(len(labels), len(labels))
        known[order] = known_from
        back = seasons_back(clock, step, known[rows], rows)
        past = np.where(back[..., None] >= 0, labels[rows][back], np.nan)
        nothing = np.isnan(past[0, :, 0])
        past[0, nothing] = columns[LAST][nothing] if lags else np.nan
        columns[SEASON] = past[0]
        known_seasons = (~np.isnan(past)).sum(axis=0)
        columns[SEASONS] = np.nansum(past, axis=0) / np.where(known_seasons, known_seasons, np.nan)
    return columns


def rolling_median(values: np.ndarray) -> np.ndarray:
    """Return, for each count of values so far, the median of the newest 14; NaN for none.

    Examples
    --------
    >>> rolling_median(np.array([1.0, 9.0, 2.0]))
    array([nan,  1.,  5.,  2.])
    """
    padded = np.concatenate([np.full(NEWEST, np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, NEWEST)
    out = np.full(len(values) + 1, np.nan)
    out[1:] = np.nanmedian(windows[1:], axis=1)
    out[NEWEST:] = np.median(windows[NEWEST:], axis=1)
    return out


def seasons_back(
    clock: np.ndarray, step: int, known_from: np.ndarray, rows: np.ndarray, most: int = 12
) -> np.ndarray:
    """Return the positions of the rows 1, 2, 3 and 4 seasons ago whose labels are known, or -1.

    ``clock`` counts rows or nanoseconds; the row is the newest at or before the moment wanted.
    """
    out = np.full((4, len(rows)), -1)
    filled = np.zeros(len(rows), dtype=int)
    for seasons in range(1, most + 1):
        where = np.searchsorted(clock, clock - seasons * step, side="right") - 1
        ready = (where >= 0) & (known_from[np.maximum(where, 0)] <= rows) & (filled < 4)
        out[filled[ready], np.flatnonzero(ready)] = where[ready]
        filled += ready
    return out


def memory_by_key(
    stream: Stream,
    order: np.ndarray,
    known_from: np.ndarray,
    labels: np.ndarray,
    lags: int,
    season: np.timedelta64 | int | None,
    everybody: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return what is remembered of each row's own key; what it has not got is everybody's mean."""
    codes = np.unique(stream.key, return_inverse=True)[1]
    columns = {name: np.empty_like(values) for name, values in everybody.items()}
    rows_of, arrivals_of = in_groups(codes), in_groups(codes[order])
    for rows, places in zip(rows_of, arrivals_of, strict=True):
        places = np.sort(places)
        own = memory_of(rows, order[places], known_from[places], labels, lags, season, stream.time)
        common = everybody[SO_FAR][rows]
        seen = np.searchsorted(known_from[places], rows, side="right")[:, None]
        own[SO_FAR] = (np.nan_to_num(own[SO_FAR]) * seen + SHRINK * common) / (seen + SHRINK)
        for name in columns:
            values = own[name]
            columns[name][rows] = np.where(np.isnan(values), common, values)
    return columns


def in_groups(codes: np.ndarray) -> list[np.ndarray]:
    """Return the positions of each code, in their order."""
    by_code = np.argsort(codes, kind="stable")
    return np.split(by_code, np.flatnonzero(np.diff(codes[by_code])) + 1)


def calendar_columns(time: np.ndarray, cycle: str) -> tuple[list[str], np.ndarray]:
    """Return names and columns of one cycle of the clock: ``"day"``, ``"week"`` or ``"year"``.

    Examples
    --------
    >>> monday = np.array(["2024-01-01T06"], "datetime64[ns]")
    >>> names, values = calendar_columns(monday, "day")
    >>> dict(zip(names, values[0].round(3).tolist()))["hour of the day"]
    6.0
    """
    days = time.astype("datetime64[D]")
    if cycle == "week":
        weekday = days.astype(np.int64) % 7
        return list(WEEKDAYS), np.eye(7)[weekday]
    if cycle == "day":
        start, unit, whole, name = days, "h", 24.0, "hour of the day"
    else:
        start, unit, whole, name = time.astype("datetime64[Y]"), "D", 365.25, "day of the year"
    gone = (time - start.astype("datetime64[ns]")) / np.timedelta64(1, unit)
    angle = 2 * np.pi * gone / whole
    waves = [wave(k * angle) for k in (1, 2) for wave in (np.sin, np.cos)]
    names = [
        f"{wave} of the {cycle}{twice}" for twice in ("", ", twice") for wave in ("sin", "cos")
    ]
    return [name, *names], np.column_stack([gone, *waves])


def usual_memory(
    stream: Stream, warmup: int | float = 0.2, label_delay: int | str | np.ndarray = 0
) -> Stream:
    """Return the stream with the memory that its warm-up suggests: season and calendar are found.

    Examples
    --------
    >>> from companion import streams
    >>> bikes = streams.bike_sharing()
    >>> [name for name in usual_memory(bikes).features if "seasons" in name]
    ['memory: mean of the last 4 seasons']
    """
    first = warmup_rows(warmup, len(stream))
    return with_memory(
        stream,
        label_delay,
        season=season_of(stream, first),
        calendar=cycles_of(stream, first),
    )


def spacing(stream: Stream, rows: int) -> np.timedelta64:
    """Return the usual time between two different times of one key, in the first rows."""
    time = stream.time[:rows]
    key = np.zeros(rows) if stream.key is None else stream.key[:rows]
    groups = in_groups(np.unique(key, return_inverse=True)[1])
    gaps = np.concatenate([np.diff(time[group]).astype(np.int64) for group in groups])
    gaps = gaps[gaps > 0]
    return np.timedelta64(int(np.median(gaps)) if len(gaps) else 0, "ns")


def cycles_of(stream: Stream, rows: int) -> tuple[str, ...]:
    """Return the cycles of the clock that the first rows have been through at least once.

    Examples
    --------
    >>> from companion import streams
    >>> cycles_of(streams.bike_sharing(), 400)
    ('week', 'year')
    """
    if stream.time is None or rows < 2:
        return ()
    gap, whole = spacing(stream, rows), stream.time[rows - 1] - stream.time[0]
    lengths = {"day": "1D", "week": "7D", "year": "365D"}
    return tuple(
        cycle for cycle, length in lengths.items()
        if gap < duration(length) / 2 and whole >= duration(length)
    )  # fmt: skip


def season_of(stream: Stream, rows: int) -> int | str | None:
    """Return the season of the labels in the first rows: in time where there are times, else rows.

    With a clock the candidates are the day, the week and the year, if they have passed twice; the
    label one season ago must err least of them. Without one they are usual numbers of rows, and
    the label one season ago must also err clearly less than the label half a season ago.

    Examples
    --------
    >>> wave = np.sin(np.arange(200) * 2 * np.pi / 12)
    >>> season_of(Stream("wave", np.zeros((200, 1)), wave), 100)
    12
    """
    if rows < 3:
        return None
    early = stream.take(slice(0, rows))
    if stream.time is None:
        longest = rows / keys_of(early) / 3
        errors = {
            season: seasonal_error(early, season) for season in ROW_SEASONS if season <= longest
        }
        errors = {
            season: error for season, error in errors.items()
            if error < 0.85 * seasonal_error(early, season // 2)
        }  # fmt: skip
    else:
        gap, whole = spacing(stream, rows), stream.time[rows - 1] - stream.time[0]
        year = "364D" if gap <= duration("7D") else "365D"
        errors = {
            season: seasonal_error(early, season) for season in ("1D", "7D", year)
            if gap and 2 * gap <= duration(season) and 2 * duration(season) <= whole
        }  # fmt: skip
    good_enough = 1.02 * min(errors.values(), default=0) + 1e-12
    return next((season for season, error in errors.items() if error <= good_enough), None)


def keys_of(stream: Stream) -> int:
    """Return the number of different keys, 1 without keys."""
    return 1 if stream.key is None else len(np.unique(stream.key))


def seasonal_error(stream: Stream, season: int | str) -> float:
    """Return the mean error of the label one season ago."""
    remembering = with_memory(stream, "0rows", lags=1, season=season)
    name = remembering.features.index(f"{MEMORY}{SEASON}" + label_columns(stream)[1][0])
    values = remembering.X[:, name : name + label_columns(stream)[0].shape[1]]
    return float(np.abs(values - label_columns(stream)[0])[len(stream) // 3 :].mean())
