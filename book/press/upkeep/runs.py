"""Run every strategy on every stream of the book and write the record that chapters 15 and 21 read.

The record is ``companion/data/runs.csv.gz``; its card is ``companion/data/runs.toml``. All is
deterministic: the same code and data give the same numbers.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
import re
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from river import datasets

from companion import compare_streams, streams
from companion.comparison import Comparison
from companion.evaluation import arrivals
from companion.lineups import BASELINES, FAMILIES, record_lineup
from companion.stream import Stream
from companion.streams.book import DATA

SHARES = (0, 50, 20)  # labels come at once, or a 50th, or a 20th of the stream late
LIFE, SEEDS = 2000, range(5)  # rows of a simulated stream; its repetitions
DRIFTS = {  # what is simulated: the kind, and where and how widely it changes
    "none": ("none", {}),
    "one jump": ("abrupt", {"at": 0.6}),
    "one mixture": ("gradual", {"at": 0.4, "width": 0.4}),
    "one slow turn": ("incremental", {"at": 0.2, "width": 0.8}),
    "to and fro": ("incremental", {"at": (0.1, 0.3, 0.5, 0.7, 0.9), "width": 0.2}),
    "jumps every 500": ("recurring", {"every": 500}),
    "jumps every 200": ("recurring", {"every": 200}),
    "jumps every 100": ("recurring", {"every": 100}),
}
NOISES = {"classification": (0.05, 0.25), "regression": (0.2, 1.0)}


@dataclass(frozen=True)
class Case:
    """One stream of the record, and what is known about it."""

    stream: Stream
    group: str
    about: dict[str, object] = field(default_factory=dict)
    families: tuple[str, ...] = FAMILIES

    @property
    def warmup(self) -> int:
        """A fifth of the rows."""
        return len(self.stream) // 5

    @property
    def delays(self) -> list[int]:
        """Label delays, in rows."""
        return [len(self.stream) // share if share else 0 for share in SHARES]

    def known(self, delay: int) -> int:
        """Return how many labels are surely known at the end of the warm-up."""
        known = int((arrivals(self.stream, delay)[1] <= self.warmup).sum())
        return min(known, self.warmup - delay)


def real(stream: Stream, name: str, group: str, cut: str = "", ordered: bool = True) -> Case:
    """Return a case of a real stream."""
    about = {
        "real": 1, "ordered": int(ordered), "drift": "" if ordered else "none, no order",
        "changes": math.nan, "noise": math.nan, "seed": 0, "cut": cut,
    }  # fmt: skip
    return Case(replace(stream, name=name), group, about)


def thinned(stream: Stream, step: int) -> Stream:
    """Return every so-manieth row; the time span stays whole."""
    return stream.take(slice(None, None, step))


def by_own_clock(stream: Stream) -> Stream:
    """Return a stream whose clock counts from each key's own start, without it.

    Equal times are then not the same moment, so they do not keep labels apart; the order counts.
    """
    return replace(stream, time=None)


def polls() -> Stream:
    """Approval polls; the date is no feature, so that no line is drawn through it."""
    found = streams.from_river(datasets.TrumpApproval())
    return replace(found, X=found.X[:, 1:], features=found.features[1:], unit="points")


def water() -> Stream:
    """Flow of water, hour by hour; the features are the hour, as a point on a clock's face."""
    rows, flow = zip(*datasets.WaterFlow(), strict=True)
    turn = 2 * np.pi * np.array([row["Time"].hour for row in rows]) / 24
    X = np.column_stack([np.sin(turn), np.cos(turn)])
    return Stream("WaterFlow", X, np.array(flow), features=("sine", "cosine"), unit="litres/s")


def real_cases() -> list[Case]:
    """Return the real streams: those of the book, and five of River's that come with it."""
    cases = [
        real(streams.stocks(symbol, target), f"stocks {symbol}, {target}", "stocks")
        for target in ("return", "range", "direction")
        for symbol in ("IBM", "MSFT", "AAPL")
    ]
    cases += [
        real(thinned(streams.wind_turbines(name), 5), f"wind turbine {name}", "wind turbines",
             "every 5th hour")
        for name in ("R80711", "R80721", "R80736", "R80790")
    ]  # fmt: skip
    farm = streams.wind_turbines()
    hour = (farm.time - farm.time[0]) // np.timedelta64(1, "h")
    some = np.flatnonzero(hour % 13 == 0)
    whole = replace(farm.take(some), time=farm.time[some])
    cases += [
        real(whole, "wind turbines, all four", "wind turbines", "every 13th hour"),
        real(streams.glucose(12), "glucose", "glucose", "every hour"),
        real(thinned(streams.weather(), 3), "weather", "weather", "every 3rd day"),
        real(streams.bike_sharing(), "bike_sharing", "bike_sharing"),
        real(by_own_clock(streams.liver()), "liver", "liver"),
        real(by_own_clock(streams.sleep_study()), "sleep_study", "sleep_study"),
        real(by_own_clock(streams.chick_weights()), "chick_weights", "chick_weights"),
        real(polls(), "TrumpApproval", "TrumpApproval"),
        real(water(), "WaterFlow", "WaterFlow"),
        real(streams.solder(), "solder", "solder", ordered=False),
    ]
    for dataset in (datasets.Phishing(), datasets.Bananas(), datasets.ImageSegments()):
        name = type(dataset).__name__
        cases.append(real(streams.from_river(dataset), name, name, ordered=False))
    return cases


def jumps(every: int, seed: int) -> tuple[float, ...]:
    """Return where a stream jumps, at gaps of about so many rows; they do not come like clockwork.

    A delay or a schedule that fell in step with the jumps would look good or bad for no reason.
    """
    rng = np.random.default_rng(1000 + seed)
    at = np.cumsum(every * rng.uniform(0.5, 1.5, size=2 * LIFE // every + 2)).astype(int)
    return tuple((at[at < LIFE] / LIFE).tolist())


def simulated_stream(words: str, task: str, noise: float, seed: int) -> Stream:
    """Return one simulated stream."""
    drift, shape = DRIFTS[words]
    if "every" in shape:
        shape = {"at": jumps(shape["every"], seed)}
    return streams.simulate(drift, LIFE, task=task, noise=noise, seed=seed, **shape)


def simulated_cases() -> list[Case]:
    """Return the simulated streams; their rules are lines, so they meet the linear kind only."""
    cases = []
    for task, noises in NOISES.items():
        for words in DRIFTS:
            for noise in noises:
                for seed in SEEDS:
                    stream = simulated_stream(words, task, noise, seed)
                    name = f"simulated {task}, {words}, noise {noise:g}, seed {seed}"
                    about = {
                        "real": 0, "ordered": 1, "drift": words, "seed": seed, "noise": noise,
                        "changes": len(stream.card["drifts"]), "cut": "",
                    }  # fmt: skip
                    group = f"simulated, {words}"
                    cases.append(Case(replace(stream, name=name), group, about, ("linear",)))
    return cases


def in_order_of_delay(cases: Iterable[Case], family: str) -> dict[int, list[Case]]:
    """Return the cases of a family by label delay in rows: one grid of jobs each."""
    found: dict[int, list[Case]] = {}
    for case in cases:
        for delay in case.delays if family in case.families else ():
            found.setdefault(delay, []).append(case)
    return found


def grid(
    parts: dict[str, Stream],
    cases: dict[str, Case],
    family: str,
    warmup: dict[str, int],
    delay: int,
) -> dict[str, Comparison]:
    """Compare all strategies on some streams, whose warm-ups may differ in length."""
    found: dict[str, Comparison] = {}
    for rows in sorted(set(warmup.values())):
        some = {name: part for name, part in parts.items() if warmup[name] == rows}
        found |= compare_streams(
            some, lambda part: record_lineup(part, cases[part.name].warmup, family),
            warmup=rows, label_delay=delay, seeds=(0,), reference="frozen",
        )  # fmt: skip
    return found


def measured(cases: list[Case], delay: int, family: str) -> list[dict[str, object]]:
    """Return rows of the record: some cases, one delay, one family."""
    named = {case.stream.name: case for case in cases}
    life = grid({name: case.stream for name, case in named.items()}, named, family,
                {name: case.warmup for name, case in named.items()}, delay)  # fmt: skip
    past = {
        name: case.stream.take(slice(0, case.known(delay)), name=name)
        for name, case in named.items()
    }
    first = {name: case.warmup // 2 for name, case in named.items()}
    rehearsal = grid(past, named, family, first, delay)
    rows = []
    for name, case in named.items():
        rows += rows_of(case, delay, family, life[name], rehearsal[name])
    return rows


def rows_of(
    case: Case, delay: int, family: str, life: Comparison, rehearsal: Comparison
) -> list[dict[str, object]]:
    """Return one row for each strategy; a failed one is named and left out."""
    stream, rows = case.stream, []
    for name, why in life.failures.items():
        print(f"{stream.name}, delay {delay}, {family} {name}: {why}", file=sys.stderr)
    known = slice(0, case.known(delay))
    frozen = life.runs["frozen"][0]
    fitted = record_lineup(stream, case.warmup, family)["frozen"].clone(0)
    fitted.fit(stream.X[known], stream.y[known])
    wrong = replace(
        frozen, y=stream.y[known], predictions=fitted.predict(stream.X[known])
    ).loss.mean()
    for name in life.runs:
        baseline = name in BASELINES
        if baseline and family != case.families[0]:
            continue
        gap, cost = life.difference(name, "frozen"), life.costs(name)
        rows.append({
            "stream": stream.name, "group": case.group, **case.about, "task": stream.task,
            "unit": life.unit, "rows": len(stream), "features": stream.X.shape[1],
            "keys": 0 if stream.key is None else len(set(stream.key.tolist())),
            "warmup": case.warmup, "delay": delay,
            "family": "baseline" if baseline else family, "strategy": name,
            "error": life.score(name), "difference": gap.value, "low": gap.low,
            "high": gap.high, "no_change": life.score("no change"),
            "fits": cost["fits"], "retrainings": cost["retrainings"],
            "rows_learnt": cost["rows_learnt"], "labels_used": cost["labels_used"],
            "rehearsal": rehearsal.score(name) if name in rehearsal.runs else math.nan,
            "misfit": wrong,
        })  # fmt: skip
    return rows


def all_rows() -> list[dict[str, object]]:
    """Run the whole grid; a case's rows stand together, in the order of the cases."""
    cases = real_cases() + simulated_cases()
    place = {case.stream.name: k for k, case in enumerate(cases)}
    rows: list[dict[str, object]] = []
    for family in FAMILIES:
        for delay, some in in_order_of_delay(cases, family).items():
            rows += measured(some, delay, family)
            print(f"{family}, delay {delay}: {len(some)} streams", file=sys.stderr)
    kind = ["baseline", *FAMILIES]
    rows.sort(key=lambda r: (place[r["stream"]], r["delay"], kind.index(r["family"])))
    return rows


def text(value: object) -> str:
    """Return a number with four digits, a whole number as it is, nothing for not-a-number."""
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return ""
        return f"{value:.0f}" if value == int(value) and abs(value) >= 1 else f"{value:.4g}"
    return str(value)


def packed(rows: list[dict[str, object]]) -> bytes:
    """Return the record as a compressed CSV file, without a time stamp."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: text(value) for name, value in row.items()} for row in rows)
    return gzip.compress(lines.getvalue().encode("utf-8"), 9, mtime=0)


def main() -> int:
    """Run, write the record, and put its sha256 and its length on the card."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a window with one class, a fit that has not converged
        rows = all_rows()
    data = packed(rows)
    (DATA / "runs.csv.gz").write_bytes(data)
    card = DATA / "runs.toml"
    about = card.read_text(encoding="utf-8")
    about = re.sub(r'sha256 = "\w*"', f'sha256 = "{hashlib.sha256(data).hexdigest()}"', about)
    about = re.sub(r"rows = \d+", f"rows = {len(rows)}", about)
    card.write_text(about, encoding="utf-8")
    print(f"{len(rows):,} rows, {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
