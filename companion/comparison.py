"""Comparisons: several strategies on the same rows, with intervals and costs."""

from __future__ import annotations

import signal
import threading
import time as clock
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from companion.evaluation import COSTS, Run, RunFailed, prequential
from companion.files.atomic import write_atomically
from companion.files.comparisons import load_runs, save_runs
from companion.files.locks import held
from companion.files.runs import run_file, run_from_bytes, run_to_bytes
from companion.intervals import block_bootstrap_interval, block_length, lag_one
from companion.measures import MEASURES, summary, usual_measure, weights_of
from companion.monitor import alarms
from companion.strategies import Strategy
from companion.stream import Stream


@dataclass(frozen=True)
class Difference:
    """How much one strategy's mean loss differs from another's on the same rows.

    Attributes
    ----------
    a, b : str
        The strategies; a positive value means that ``a`` makes the larger errors.
    value, low, high : float
        The mean difference ``loss(a) - loss(b)`` and its 95 % interval, in the loss's unit.
    unit : str
    rows, block : int
        Rows compared, and neighbouring rows that the bootstrap kept together.
    lag_one : float
        Autocorrelation of the difference from row to row; :func:`companion.intervals.too_narrow`
        says whether the interval can be trusted.

    Examples
    --------
    >>> Difference("frozen", "online", 8.0, 5.0, 11.0, "rides", rows=585, block=12).low > 0
    True
    """

    a: str
    b: str
    value: float
    low: float
    high: float
    unit: str
    rows: int
    block: int
    lag_one: float = 0.0


def retrainings(run: Run) -> int:
    """Return how often a model was fitted from scratch after the warm-up."""
    return sum(what in ("fit", "challenger") for _, what in run.events[1:])


@dataclass(frozen=True)
class Comparison:
    """Runs of several strategies on one stream.

    Attributes
    ----------
    stream : Stream
    runs : dict of str to list of Run
        One run a seed; a strategy that draws no random numbers has one.
    failures : dict of str to str
        Strategies that raised, and what they said.
    reference : str
        The strategy that the table compares with.
    block : int or None
    measure : str or None
        What losses are, as :data:`companion.measures.MEASURES` lists them; the task's usual one if
        not given.

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> rivals = {"mean": Baseline("mean"), "no change": Baseline("no-change")}
    >>> print(compare(streams.bike_sharing(), rivals))
    bike_sharing: mean absolute error (rides a day), 585 rows scored
    strategy   error  less than mean, 95 % interval  fits
    no change    780           1,893 (998 to 2,924)     0
    mean       2,673                      reference     0
    """

    stream: Stream
    runs: dict[str, list[Run]]
    failures: dict[str, str]
    reference: str
    block: int | None = None
    measure: str | None = None

    @property
    def unit(self) -> str:
        """The unit of the loss."""
        usual = self.stream.unit if self.stream.task == "regression" else "share of rows"
        squares = f"{self.stream.unit}²" if self.stream.unit else ""
        if self.measure == "rmse":
            return squares
        return usual if self.measure in (None, "mae", "bias", "error") else ""

    @property
    def loss_name(self) -> str:
        """What the mean of the loss is called."""
        return MEASURES[self.stream.task][self.measure or usual_measure(self.stream.task)][0]

    def loss(self, name: str) -> np.ndarray:
        """Return a strategy's loss on each scored row, averaged over its seeds.

        Where rows have weights, a loss is multiplied by its row's weight, 1 on average.
        """
        if name not in self.runs:
            raise ValueError(f"there is no run of {name!r}; there are {', '.join(self.runs)}")
        measured = MEASURES[self.stream.task][self.measure or usual_measure(self.stream.task)][1]
        runs = self.runs[name]
        losses = np.mean([measured(run, self.stream) for run in runs], axis=0)
        return losses if self.stream.weight is None else losses * weights_of(runs[0], self.stream)

    def score(self, name: str) -> float:
        """Return a strategy's mean loss."""
        return float(self.loss(name).mean())

    def difference(self, a: str, b: str, rows: slice = slice(None)) -> Difference:
        """Compare two strategies on the same rows; see :class:`Difference`."""
        if rows == slice(None):
            if (a, b) not in self.known_differences:
                self.known_differences[a, b] = self.difference(a, b, slice(0, None))
            return self.known_differences[a, b]
        d = (self.loss(a) - self.loss(b))[rows]
        block = self.block or block_length(d)
        low, high = block_bootstrap_interval(d, block=block)
        value = float(d.mean())
        return Difference(a, b, value, low, high, self.unit, len(d), block, lag_one(d))

    @cached_property
    def known_differences(self) -> dict[tuple[str, str], Difference]:
        """Differences over all rows that were asked for before: intervals take their time."""
        return {}

    def diverged(self, name: str) -> int | None:
        """Return the first row at which a strategy's numbers lost all measure, if there is one.

        That is an error more than a thousand times as large as the labels' whole range.
        """
        run = self.runs[name][0]
        if run.task == "classification":
            return None
        errors = np.mean([each.loss for each in self.runs[name]], axis=0)
        far = errors > 1000 * np.ptp(self.stream.y)
        return run.first + int(far.argmax()) if far.any() else None

    @cached_property
    def changes(self) -> list[int]:
        """The rows at which the reference's errors left their level, as ADWIN finds them."""
        from river import drift

        if self.diverged(self.reference) is not None:
            return []
        first = self.runs[self.reference][0].first
        return [first + row for row in alarms(self.loss(self.reference), drift.ADWIN())]

    def ranked(self) -> list[str]:
        """Return the strategies, best score first; those that diverged come last."""
        return sorted(
            self.runs, key=lambda name: (self.diverged(name) is not None, self.score(name))
        )

    def table(self) -> list[dict[str, Any]]:
        """Return one dict for each strategy, in the order of :meth:`ranked`."""
        rows = []
        for name in self.ranked():
            runs, diff = self.runs[name], self.difference(name, self.reference)
            rows.append({
                "strategy": name,
                "score": self.score(name),
                "difference": diff.value,
                "low": diff.low,
                "high": diff.high,
                "seeds": len(runs),
                "diverged": self.diverged(name),
                **self.costs(name),
            })  # fmt: skip
        return rows

    def costs(self, name: str) -> dict[str, float]:
        """Return what a strategy cost, averaged over its seeds, in all and per 1,000 rows.

        ``fits`` are changes of the model, ``retrainings`` fits from scratch after the warm-up.
        """
        runs = self.runs[name]
        costs = {name: float(np.mean([run.cost[name] for run in runs])) for name in COSTS}
        costs["retrainings"] = float(np.mean([retrainings(run) for run in runs]))
        per = 1000 / len(runs[0].y)
        each = {f"{name}_per_1000": per * costs[name] for name in costs if name != "model_bytes"}
        return {**costs, **each}

    def headline(self) -> str:
        """Return what was scored, in one line."""
        rows = len(next(iter(self.runs.values()))[0].y)
        unit = f" ({self.unit})" if self.unit else ""
        weighted = "" if self.stream.weight is None else ", weighted"
        return f"{self.stream.name}: {self.loss_name}{unit}, {rows:,} rows scored{weighted}"

    def cells(self, seconds: bool = False) -> list[list[str]]:
        """Return the table as text: a heading row, then a row for each strategy.

        With ``seconds`` a last column says how much CPU time each took, its trials included.
        """
        digits = digits_for(self.score(self.reference))
        head = ["strategy", "error", f"less than {self.reference}, 95 % interval", "fits"]
        body = []
        for row in self.table():
            gain = f"{-row['difference']:z,.{digits}f}"
            interval = f"{-row['high']:z,.{digits}f} to {-row['low']:z,.{digits}f}"
            against = "reference" if row["strategy"] == self.reference else f"{gain} ({interval})"
            error = f"{row['score']:,.{digits}f}"
            if row["diverged"] is not None:
                error, against = f"{row['score']:.0e}", f"diverged at row {row['diverged']:,}"
            body.append([
                row["strategy"],
                error,
                against,
                f"{row['fits']:,.0f}",
            ])  # fmt: skip
        if seconds:
            head.append("CPU time")
            for line in body:
                line.append(f"{self.costs(line[0])['cpu_seconds']:,.1f} CPU s")
        return [head, *body]

    def measured(self, name: str) -> dict[str, float]:
        """Return a strategy by all measures of its task (see :func:`companion.measures.summary`).

        Means over seeds.
        """
        each = [summary(run, self.stream) for run in self.runs[name]]
        return {what: float(np.mean([one[what] for one in each])) for what in each[0]}

    def to_frame(self, *, measures: bool = False) -> Any:
        """Return the table as a pandas DataFrame, which writes CSV, JSON, Parquet and LaTeX.

        With ``measures`` a column for each measure of the task follows (see :meth:`measured`).
        Needs pandas. Names are as they are: write CSV with :func:`companion.show.report.csv_text`
        before a spreadsheet opens it, and LaTeX with ``to_latex(escape=True)``. Numbers are in
        full; ``frame.attrs`` holds what was scored, the reference and the failures.
        """
        import pandas as pd

        rows = self.table()
        if measures:
            rows = [row | self.measured(row["strategy"]) for row in rows]
        frame = pd.DataFrame(rows)
        frame.attrs = {
            "what": self.headline(), "reference": self.reference, "failures": self.failures,
        }  # fmt: skip
        return frame

    def save(self, folder: str | Path) -> None:
        """Save all runs in a folder; :func:`load_comparison` reads them again, with the stream."""
        save_runs(
            Path(folder),
            self.stream,
            self.runs,
            {"failures": self.failures, "reference": self.reference, "block": self.block},
        )

    def __str__(self) -> str:
        return "\n".join([self.headline(), *text_lines(self.cells()), *self.failed()])

    def failed(self) -> list[str]:
        """Return a line for each strategy that failed."""
        return [f"failed: {name}: {why}" for name, why in self.failures.items()]

    __repr__ = __str__

    def _repr_html_(self) -> str:
        failed = [f"{name} failed: {why}" for name, why in self.failures.items()]
        return html_table(self.cells(), caption=self.headline(), notes=failed)


def load_comparison(folder: str | Path, stream: Stream) -> Comparison:
    """Read a comparison that was saved, for the stream it was made on.

    Raises
    ------
    ValueError
        If there is none in the folder, or it was made on another stream.

    Examples
    --------
    >>> import tempfile
    >>> from companion import Baseline, streams
    >>> bikes = streams.bike_sharing()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     compare(bikes, {"mean": Baseline("mean")}).save(folder)
    ...     list(load_comparison(folder, bikes).runs)
    ['mean']
    """
    runs, kept = load_runs(Path(folder), stream)
    return Comparison(stream, runs, **kept)


def compare(
    stream: Stream,
    strategies: Mapping[str, Strategy],
    *,
    warmup: int | float = 0.2,
    label_delay: int | str | np.ndarray = 0,
    seeds: Iterable[int] = range(5),
    reference: str | None = None,
    block: int | None = None,
    progress: bool = False,
    n_jobs: int | None = None,
    folder: str | Path | None = None,
    probabilities: bool = False,
    until: float | None = None,
    each: Callable[[Comparison], None] | None = None,
) -> Comparison:
    """Run several strategies on the same rows of one stream.

    Parameters
    ----------
    stream : Stream
    strategies : mapping of str to Strategy
    warmup, label_delay, probabilities
        As for :func:`companion.prequential`, the same for all.
    seeds : iterable of int
        A strategy whose model draws random numbers runs once for each; the others run once.
    reference : str, optional
        The strategy to compare with; the first if not given.
    block : int, optional
        The bootstrap's block length in rows; chosen by :func:`companion.intervals.block_length`
        if not given.
    progress : bool
        Show a progress bar (needs tqdm).
    n_jobs : int, optional
        Processes, as joblib counts them: -1 takes all cores. A ``with
        joblib.parallel_config(...)`` block around the call has its say.
    folder : str or Path, optional
        Keep each finished run here, and take from here what an interrupted call had finished. A
        run is taken only if its rows, options, code and package versions are the same. The folder
        belongs to one call at a time.
    until : float, optional
        A moment, as ``time.time()`` counts: a run that has not finished by then is stopped, and
        named in ``failures``.
    each : callable, optional
        Called with the comparison so far, each time that another run has finished.

    Returns
    -------
    Comparison
        A strategy that fails is named in ``failures``; the others are kept.

    Raises
    ------
    ValueError
        If there is nothing to compare, the reference is unknown, every strategy failed, or another
        comparison works in the folder.

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> rivals = {"no change": Baseline("no-change"), "mean": Baseline("mean")}
    >>> round(compare(streams.bike_sharing(), rivals).score("mean"))
    2673
    """
    by_stream = compare_streams(
        {stream.name: stream}, lambda _: strategies, warmup=warmup, label_delay=label_delay,
        seeds=seeds, reference=reference, block=block, progress=progress, n_jobs=n_jobs,
        folder=folder, until=until, each=each, probabilities=probabilities,
    )  # fmt: skip
    return by_stream[stream.name]


def compare_streams(
    streams: Mapping[str, Stream],
    strategies: Callable[[Stream], Mapping[str, Strategy]],
    *,
    seeds: Iterable[int] = range(5),
    reference: str | None = None,
    block: int | None = None,
    progress: bool = False,
    n_jobs: int | None = None,
    folder: str | Path | None = None,
    until: float | None = None,
    each: Callable[[Comparison], None] | None = None,
    **options: Any,
) -> dict[str, Comparison]:
    """Run strategies on several streams, all in one grid of jobs.

    Parameters
    ----------
    streams : mapping of str to Stream
    strategies : callable
        Takes a stream, returns its strategies by name.
    seeds, reference, block, progress, n_jobs, folder, until, each, options
        As for :func:`compare`.

    Returns
    -------
    dict of str to Comparison

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> bikes = streams.bike_sharing()
    >>> years = {"2011": bikes.take(slice(0, 365)), "2012": bikes.take(slice(365, 731))}
    >>> results = compare_streams(years, lambda stream: {"no change": Baseline("no-change")})
    >>> {year: round(result.score("no change")) for year, result in results.items()}
    {'2011': 641, '2012': 891}
    """
    lineups = {name: dict(strategies(stream)) for name, stream in streams.items()}
    for lineup in lineups.values():
        check_lineup(lineup, reference)
    folder = None if folder is None else Path(folder)
    files = kept_files(lineups, streams, seeds, folder, options)
    runs: dict[str, dict[str, list[Run]]] = {where: {} for where in streams}
    failures: dict[str, dict[str, str]] = {where: {} for where in streams}

    def so_far(where: str) -> Comparison:
        return assemble(
            streams[where], runs[where], failures[where], reference, lineups[where], block
        )

    with nullcontext() if folder is None else held(folder, "another comparison"):
        grid = run_grid(files, lineups, streams, options, progress, n_jobs, until)
        for where, who, result in grid:
            if isinstance(result, Run):
                runs[where].setdefault(who, []).append(result)
                if each is not None:
                    each(so_far(where))
            else:
                failures[where][who] = result
    return {where: so_far(where) for where in streams}


def run_grid(
    files: Mapping[tuple[str, str, int | None], Path | None],
    lineups: Mapping[str, Mapping[str, Strategy]],
    streams: Mapping[str, Stream],
    options: dict[str, Any],
    progress: bool,
    n_jobs: int | None,
    until: float | None = None,
) -> Iterator[tuple[str, str, Run | str]]:
    """Run all jobs of a grid; yield stream, strategy and its run, or why there is none."""
    work = (
        joblib.delayed(run_or_reason)(
            lineups[where][who], streams[where], who, seed, options, path, until
        )
        for (where, who, seed), path in files.items()
    )
    with ignoring_ctrl_c():  # their parent stops the workers, those that are begun later too
        results = joblib.Parallel(
            n_jobs=n_jobs, return_as="generator",
            initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN),
        )(work)  # fmt: skip
    if progress:
        from tqdm.auto import tqdm

        results = tqdm(results, total=len(files), desc="comparing", unit="run")
    for (where, who, _), result in zip(files, results, strict=True):
        if progress:
            said = f"{result.loss.mean():,.4g}" if isinstance(result, Run) else result
            results.write(f"{where}, {who}: {said}")
        yield where, who, result


def check_lineup(lineup: Mapping[str, Strategy], reference: str | None) -> None:
    """Refuse an empty comparison, or an unknown reference."""
    if not lineup:
        raise ValueError("there are no strategies to compare; give at least one")
    if reference is not None and reference not in lineup:
        raise ValueError(
            f"the reference {reference!r} is not among the strategies {', '.join(lineup)}"
        )


def kept_files(
    lineups: Mapping[str, Mapping[str, Strategy]],
    streams: Mapping[str, Stream],
    seeds: Iterable[int],
    folder: Path | None,
    options: dict[str, Any],
) -> dict[tuple[str, str, int | None], Path | None]:
    """Return each job of a grid (stream, strategy, seed) with the file that keeps its run."""
    seeds = list(seeds)
    jobs = [
        (where, who, seed)
        for where, lineup in lineups.items()
        for who, strategy in lineup.items()
        for seed in (seeds if strategy.is_random else [None])
    ]
    files: dict[tuple[str, str, int | None], Path | None] = dict.fromkeys(jobs)
    if folder is not None:
        for where, who, seed in jobs:
            asked = {**options, "seed": seed, "name": who}
            name = run_file(lineups[where][who], streams[where], asked)
            files[where, who, seed] = None if name is None else folder / name
    return files


def run_or_reason(
    strategy: Strategy,
    stream: Stream,
    name: str,
    seed: int | None,
    options: dict[str, Any],
    path: Path | None,
    until: float | None = None,
) -> Run | str:
    """Return a run, from its file if that is there; or why there is none."""
    try:
        if path is not None and path.exists():
            with suppress(Exception):  # one that cannot be read is made again
                return run_from_bytes(path.read_bytes())
        # A run is one job: what its model does in parallel stays in its process, in threads. A
        # forest on a Dask cluster would else send each tree round the cluster, which takes longer.
        # A guess without a model takes next to no time, so even a late answer has one.
        limit = None if strategy.instant else until
        with joblib.parallel_config("threading", n_jobs=1), stopping_at(limit):
            run = prequential(strategy, stream, seed=seed, name=name, **options)
    except OutOfTime:
        return "left out: the time was used up"
    except Exception as error:  # one model's fault must not lose the other runs
        if was_interrupted(error):
            raise KeyboardInterrupt from error
        if isinstance(error, RunFailed):
            return str(error).removeprefix(f"{name} failed ")
        return f"{type(error).__name__}: {error}"
    if path is not None:
        write_atomically(path, run_to_bytes(run))
    return run


def was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: libraries in C or with threads wrap it in their own."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "WorkerInterrupt":
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def ignoring_ctrl_c() -> Iterator[None]:
    """Ignore Ctrl-C, and let the processes that are begun meanwhile ignore it as well."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class OutOfTime(BaseException):
    """The time for a run is used up."""


@contextmanager
def stopping_at(until: float | None) -> Iterator[None]:
    """Raise :class:`OutOfTime` at a moment, where the system has alarms; else only before."""
    left = None if until is None else until - clock.time()
    if left is not None and left <= 0:
        raise OutOfTime
    main = threading.current_thread() is threading.main_thread()
    if left is None or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, left)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def assemble(
    stream: Stream,
    runs: dict[str, list[Run]],
    failures: dict[str, str],
    reference: str | None,
    lineup: Mapping[str, Strategy],
    block: int | None,
) -> Comparison:
    """Put one stream's runs together; a strategy with a failed seed counts as failed."""
    kept = {name: runs[name] for name in lineup if name in runs and name not in failures}
    if not kept:
        reasons = "; ".join(f"{name}: {why}" for name, why in failures.items())
        if len(failures) > 1 and len(set(failures.values())) == 1:
            reasons = next(iter(failures.values()))  # the same for all: say it once
        raise ValueError(f"every strategy failed: {reasons}")
    first = reference or next(iter(lineup))
    return Comparison(stream, kept, failures, first if first in kept else next(iter(kept)), block)


def digits_for(value: float) -> int:
    """Return how many decimals show about four digits of a value."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3


def text_lines(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines of text: the first column to the left, the others to the right.

    Examples
    --------
    >>> text_lines([["who", "error"], ["frozen", "3"]])
    ['who     error', 'frozen      3']
    """
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])])
        for first, *rest in cells
    ]


def html_table(cells: Sequence[Sequence[str]], *, caption: str, notes: Sequence[str] = ()) -> str:
    """Return an accessible table: the first row holds headings, the first column row headings.

    Examples
    --------
    >>> html_table([["who", "error"], ["frozen", "3"]], caption="Errors")[:29]
    '<table class="companion-table'
    """
    head, *body = cells
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    rows = []
    for first, *rest in body:
        values = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        rows.append(f'<tr><th scope="row">{escape(first)}</th>{values}</tr>')
    return (
        f'<table class="companion-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        + "".join(f"<p>{escape(note)}</p>" for note in notes)
    )
