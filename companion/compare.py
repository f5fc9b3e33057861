"""Comparisons: several strategies on the same rows, with intervals and costs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.metrics import LOSS_NAMES, block_bootstrap_interval, block_length
from companion.prequential import Run, prequential
from companion.strategies import Strategy
from companion.streams import Stream


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
    """

    a: str
    b: str
    value: float
    low: float
    high: float
    unit: str
    rows: int
    block: int


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
                "fits": float(np.mean([run.cost["fits"] for run in runs])),
                "rows_learnt": float(np.mean([run.cost["rows_learnt"] for run in runs])),
                "labels_used": float(np.mean([run.cost["labels_used"] for run in runs])),
                "cpu_seconds": float(np.mean([run.cost["cpu_seconds"] for run in runs])),
            })  # fmt: skip
        return rows

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
            gain = f"{-row['difference']:,.{digits}f}"
            interval = f"{-row['high']:,.{digits}f} to {-row['low']:,.{digits}f}"
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
) -> Comparison:
    """Run several strategies on the same rows of one stream.

    Parameters
    ----------
    stream : Stream
    strategies : mapping of str to Strategy
    warmup, label_delay
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
    strategies = dict(strategies)
    if not strategies:
        raise ValueError("there are no strategies to compare; give at least one")
    reference = reference or next(iter(strategies))
    if reference not in strategies:
        raise ValueError(
            f"the reference {reference!r} is not among the strategies {', '.join(strategies)}"
        )
    seeds = list(seeds)
    jobs = [
        (name, seed)
        for name, strategy in strategies.items()
        for seed in (seeds if strategy.is_random else [None])
    ]
    if progress:
        from tqdm.auto import tqdm

        jobs = tqdm(jobs, desc=f"comparing on {stream.name}", unit="run")
    runs: dict[str, list[Run]] = {}
    failures: dict[str, str] = {}
    for name, seed in jobs:
        try:
            run = prequential(
                strategies[name], stream, warmup=warmup, label_delay=label_delay, seed=seed,
                name=name,
            )  # fmt: skip
        except Exception as error:  # one model's fault must not lose the other runs
            failures[name] = f"{type(error).__name__}: {error}"
        else:
            runs.setdefault(name, []).append(run)
    runs = {name: found for name, found in runs.items() if name not in failures}
    if not runs:
        raise ValueError(
            "every strategy failed: " + "; ".join(f"{k}: {v}" for k, v in failures.items())
        )
    if reference not in runs:
        reference = next(iter(runs))
    return Comparison(stream, runs, failures, reference, block)


def digits_for(value: float) -> int:
    """Return how many decimals show about four digits of a value."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
