"""Comparisons: several strategies on the same rows, with intervals and costs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from companion.metrics import LOSS_NAMES, block_bootstrap_interval, block_length
from companion.prequential import Run, RunFailed, prequential
from companion.store import fingerprint, run_from_bytes, run_to_bytes, write_whole
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


KEPT = ("failures", "reference", "block")
COSTS = ("fits", "rows_learnt", "labels_used", "model_bytes", "cpu_seconds")


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

    @property
    def unit(self) -> str:
        """The unit of the loss."""
        return self.stream.unit if self.stream.task == "regression" else "share of rows"

    def loss(self, name: str) -> np.ndarray:
        """Return a strategy's loss on each scored row, averaged over its seeds."""
        if name not in self.runs:
            raise ValueError(f"there is no run of {name!r}; there are {', '.join(self.runs)}")
        return np.mean([run.loss for run in self.runs[name]], axis=0)

    def score(self, name: str) -> float:
        """Return a strategy's mean loss."""
        return float(self.loss(name).mean())

    def difference(self, a: str, b: str, rows: slice = slice(None)) -> Difference:
        """Compare two strategies on the same rows; see :class:`Difference`."""
        d = (self.loss(a) - self.loss(b))[rows]
        block = self.block or block_length(d)
        low, high = block_bootstrap_interval(d, block=block)
        return Difference(a, b, float(d.mean()), low, high, self.unit, len(d), block)

    def table(self) -> list[dict[str, Any]]:
        """Return one dict for each strategy, best score first."""
        rows = []
        for name in sorted(self.runs, key=self.score):
            runs, diff = self.runs[name], self.difference(name, self.reference)
            rows.append({
                "strategy": name,
                "score": self.score(name),
                "difference": diff.value,
                "low": diff.low,
                "high": diff.high,
                "seeds": len(runs),
                **self.costs(name),
            })  # fmt: skip
        return rows

    def costs(self, name: str) -> dict[str, float]:
        """Return what a strategy cost, averaged over its seeds, in all and per 1,000 rows.

        ``fits`` are changes of the model, ``retrainings`` fits from scratch after the warm-up.
        """
        runs = self.runs[name]
        found = {part: float(np.mean([run.cost[part] for run in runs])) for part in COSTS}
        found["retrainings"] = float(np.mean([retrainings(run) for run in runs]))
        per = 1000 / len(runs[0].y)
        each = {f"{part}_per_1000": per * found[part] for part in found if part != "model_bytes"}
        return {**found, **each}

    def headline(self) -> str:
        """Return what was scored, in one line."""
        rows = len(next(iter(self.runs.values()))[0].y)
        loss = LOSS_NAMES[self.stream.task]
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.stream.name}: {loss}{unit}, {rows:,} rows scored"

    def cells(self) -> list[list[str]]:
        """Return the table as text: a heading row, then a row for each strategy."""
        digits = digits_for(self.score(self.reference))
        head = ["strategy", "error", f"less than {self.reference}, 95 % interval", "fits"]
        body = []
        for row in self.table():
            gain = f"{-row['difference']:z,.{digits}f}"
            interval = f"{-row['high']:z,.{digits}f} to {-row['low']:z,.{digits}f}"
            is_reference = row["strategy"] == self.reference
            body.append([
                row["strategy"],
                f"{row['score']:,.{digits}f}",
                "reference" if is_reference else f"{gain} ({interval})",
                f"{row['fits']:,.0f}",
            ])  # fmt: skip
        return [head, *body]

    def to_csv(self) -> str:
        """Return the table as CSV text, numbers in full."""
        rows, text = self.table(), io.StringIO()
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def to_json(self) -> str:
        """Return the table, what was scored, and the failures as JSON text."""
        about = {"what": self.headline(), "reference": self.reference, "failures": self.failures}
        return json.dumps({**about, "table": self.table()}, indent=2, ensure_ascii=False)

    def to_parquet(self, path: str | Path) -> None:
        """Write the table as a Parquet file (needs pandas and pyarrow)."""
        import pandas as pd

        data = io.BytesIO()
        pd.DataFrame(self.table()).to_parquet(data)
        write_whole(Path(path), data.getvalue())

    def to_latex(self) -> str:
        """Return the table as LaTeX (package booktabs)."""
        marks = {
            "&": r"\&",
            "%": r"\%",
            "_": r"\_",
            "#": r"\#",
            "$": r"\$",
            "~": r"\textasciitilde{}",
        }

        def row(cells: list[str]) -> str:
            plain = ["".join(marks.get(c, c) for c in cell.replace("\\", "/")) for cell in cells]
            return " & ".join(plain) + r" \\"

        head, *body = self.cells()
        lines = [r"\begin{tabular}{lrrr}", r"\toprule", row(head), r"\midrule"]
        return "\n".join([*lines, *map(row, body), r"\bottomrule", r"\end{tabular}"])

    def save(self, folder: str | Path) -> None:
        """Save all runs in a folder; :func:`load_comparison` reads them again, with the stream."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for name, runs in self.runs.items():
            files[name] = []
            for k, run in enumerate(runs):
                file = f"run-{len(files)}-{k}.npz"
                write_whole(folder / file, run_to_bytes(run))
                files[name].append(file)
        about = {
            "stream": self.stream.name, "rows": len(self.stream), "runs": files,
            "failures": self.failures, "reference": self.reference, "block": self.block,
        }  # fmt: skip
        write_whole(folder / "comparison.json", json.dumps(about, ensure_ascii=False).encode())

    def __str__(self) -> str:
        cells = self.cells()
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = [self.headline()]
        for row in cells:
            first, *rest = (
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            lines.append("  ".join([first, *rest]))
        lines += [f"failed: {name}: {why}" for name, why in self.failures.items()]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from companion.markup import table

        failed = [f"{name} failed: {why}" for name, why in self.failures.items()]
        return table(self.cells(), caption=self.headline(), notes=failed)


def read_about(path: Path) -> dict[str, Any]:
    """Read what a saved comparison says of itself."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return {key: about[key] for key in ("stream", "rows", "runs", *KEPT)}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: this is no saved comparison ({type(error).__name__}: {error}); "
            "restore the file, or compare and save again"
        ) from None


def read_run(path: Path) -> Run:
    """Read one run of a saved comparison."""
    try:
        return run_from_bytes(path.read_bytes())
    except Exception as error:
        raise ValueError(
            f"{path}: this run cannot be read ({type(error).__name__}); "
            "restore the file, or compare and save again"
        ) from None


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
    path = Path(folder) / "comparison.json"
    if not path.exists():
        raise ValueError(f"{folder}: there is no saved comparison; name the folder given to save")
    about = read_about(path)
    if (about["stream"], about["rows"]) != (stream.name, len(stream)):
        raise ValueError(
            f"{folder}: the comparison was made on {about['stream']!r} ({about['rows']} rows), "
            f"not on {stream.name!r} ({len(stream)} rows); give that stream"
        )
    runs = {
        name: [read_run(path.parent / Path(file).name) for file in files]
        for name, files in about["runs"].items()
    }
    return Comparison(stream, runs, about["failures"], about["reference"], about["block"])


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
        The bootstrap's block length in rows; chosen by :func:`companion.metrics.block_length`
        if not given.
    progress : bool
        Show a progress bar (needs tqdm).
    n_jobs : int, optional
        Processes, as joblib counts them: -1 takes all cores. A ``with
        joblib.parallel_config(...)`` block around the call has its say.
    folder : str or Path, optional
        Keep each finished run here, and take from here what an interrupted call had finished.

    Returns
    -------
    Comparison
        A strategy that fails is named in ``failures``; the others are kept.

    Raises
    ------
    ValueError
        If there is nothing to compare, the reference is unknown, or every strategy failed.

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> rivals = {"no change": Baseline("no-change"), "mean": Baseline("mean")}
    >>> round(compare(streams.bike_sharing(), rivals).score("mean"))
    2673
    """
    found = compare_streams(
        {stream.name: stream}, lambda _: strategies, warmup=warmup, label_delay=label_delay,
        seeds=seeds, reference=reference, block=block, progress=progress, n_jobs=n_jobs,
        folder=folder, probabilities=probabilities,
    )  # fmt: skip
    return found[stream.name]


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
    **options: Any,
) -> dict[str, Comparison]:
    """Run strategies on several streams, all in one grid of jobs.

    Parameters
    ----------
    streams : mapping of str to Stream
    strategies : callable
        Takes a stream, returns its strategies by name.
    seeds, reference, block, progress, n_jobs, folder, options
        As for :func:`compare`.

    Returns
    -------
    dict of str to Comparison

    Examples
    --------
    >>> from companion import Baseline, streams
    >>> bikes = streams.bike_sharing()
    >>> years = {"2011": bikes.take(slice(0, 365)), "2012": bikes.take(slice(365, 731))}
    >>> found = compare_streams(years, lambda stream: {"no change": Baseline("no-change")})
    >>> {year: round(result.score("no change")) for year, result in found.items()}
    {'2011': 641, '2012': 891}
    """
    rivals = {name: dict(strategies(stream)) for name, stream in streams.items()}
    for entrants in rivals.values():
        check_entrants(entrants, reference)
    folder = None if folder is None else Path(folder)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    seeds = list(seeds)
    jobs = [
        (where, who, seed)
        for where, entrants in rivals.items()
        for who, strategy in entrants.items()
        for seed in (seeds if strategy.is_random else [None])
    ]
    work = (
        joblib.delayed(run_or_reason)(
            rivals[where][who], streams[where], who, seed, options, folder
        )
        for where, who, seed in jobs
    )
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(work)
    if progress:
        from tqdm.auto import tqdm

        results = tqdm(results, total=len(jobs), desc="comparing", unit="run")
    found: dict[str, dict[str, list[Run]]] = {where: {} for where in streams}
    failures: dict[str, dict[str, str]] = {where: {} for where in streams}
    for (where, who, _), result in zip(jobs, results, strict=True):
        if isinstance(result, Run):
            found[where].setdefault(who, []).append(result)
        else:
            failures[where][who] = result
        if progress:
            said = f"{result.loss.mean():,.4g}" if isinstance(result, Run) else result
            results.write(f"{where}, {who}: {said}")
    return {
        where: assemble(stream, found[where], failures[where], reference, rivals[where], block)
        for where, stream in streams.items()
    }


def check_entrants(entrants: Mapping[str, Strategy], reference: str | None) -> None:
    """Refuse an empty comparison, or an unknown reference."""
    if not entrants:
        raise ValueError("there are no strategies to compare; give at least one")
    if reference is not None and reference not in entrants:
        raise ValueError(
            f"the reference {reference!r} is not among the strategies {', '.join(entrants)}"
        )


def run_or_reason(
    strategy: Strategy,
    stream: Stream,
    name: str,
    seed: int | None,
    options: dict[str, Any],
    folder: Path | None,
) -> Run | str:
    """Return a run, from the folder if it is there; or why there is none."""
    try:
        path = None
        if folder is not None:
            key = fingerprint(strategy, stream, {**options, "seed": seed, "name": name})
            path = folder / f"{key}.npz"
            if path.exists():
                return run_from_bytes(path.read_bytes())
        # A run is one job: what its model does in parallel stays in its process, in threads. A
        # forest on a Dask cluster would else send each tree round the cluster, which takes longer.
        with joblib.parallel_config("threading", n_jobs=1):
            run = prequential(strategy, stream, seed=seed, name=name, **options)
    except RunFailed as error:
        return str(error).removeprefix(f"{name} failed ")
    except Exception as error:  # one model's fault must not lose the other runs
        return f"{type(error).__name__}: {error}"
    if path is not None:
        write_whole(path, run_to_bytes(run))
    return run


def assemble(
    stream: Stream,
    runs: dict[str, list[Run]],
    failures: dict[str, str],
    reference: str | None,
    entrants: Mapping[str, Strategy],
    block: int | None,
) -> Comparison:
    """Put one stream's runs together; a strategy with a failed seed counts as failed."""
    kept = {name: runs[name] for name in entrants if name in runs and name not in failures}
    if not kept:
        reasons = "; ".join(f"{name}: {why}" for name, why in failures.items())
        if len(failures) > 1 and len(set(failures.values())) == 1:
            reasons = next(iter(failures.values()))  # the same for all: say it once
        raise ValueError(f"every strategy failed: {reasons}")
    first = reference or next(iter(entrants))
    return Comparison(stream, kept, failures, first if first in kept else next(iter(kept)), block)


def digits_for(value: float) -> int:
    """Return how many decimals show about four digits of a value."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
