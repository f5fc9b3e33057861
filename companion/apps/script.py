"""A script that runs the winner of a comparison on: readable, and without the comparison."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from companion.advice import alarm_level
from companion.comparison import Comparison
from companion.hybrids.following import Following
from companion.hybrids.tuned import Tuned
from companion.rivals import FOLLOWERS, steady_names
from companion.strategies import Strategy

PART = 1_000  # rows after which the script's checkpoint is written, about
RENAMED = {"members": "experts", "personal": "pattern"}  # arguments that are kept by another name
TEXT = '''"""{name}, as companion compare found it for {target} in {file}.

    python {script}

brings it up to date with the table: it learns the labels that have come since the last call, late
ones too, and keeps what it knows in {checkpoint}. The newest rows, if their {target} is empty, are
predicted. An alarm says when the errors grow beyond those of the comparison.
"""

from pathlib import Path

import pandas as pd

from companion.memory import with_memory
from companion.scale.parts import prequential_in_parts
from companion.streams.tables import from_frame
{imports}

TABLE = Path({file!r})
CHECKPOINT = Path({checkpoint!r})
TARGET = {target!r}
COLUMNS = {columns}
MEMORY = {memory}
DELAY = {delay!r}  # until a label is known: rows, or a time
WARMUP = {warmup}  # rows to learn from before the first prediction
PART = {part}  # rows after which the checkpoint is written
LEVEL, WINDOW = {level:.6g}, {window}  # so large a mean error over so many rows rings the alarm
FEATURES = {features}


def strategy():
    """Return the strategy, untrained."""
    return {source}


def read_rows():
    """Return the table as it is written, cell by cell."""
    if TABLE.suffix in (".parquet", ".pq"):
        return pd.read_parquet(TABLE)
    return pd.read_csv(TABLE, dtype=str, keep_default_na=False, sep=None, engine="python")


def runs_over(rows):
    """Return what was predicted after the checkpoint, part by part, and the classes."""
    stream, _ = from_frame(rows, TARGET, name=TABLE.name, **COLUMNS)
    stream = with_memory(stream, DELAY, **MEMORY)
    if stream.features != FEATURES:
        raise SystemExit(f"{{TABLE}}: its columns are read otherwise than before; compare anew")
    parts = [stream.take(slice(k, k + PART)) for k in range(0, len(stream), PART)]
    runs = []
    for run in prequential_in_parts(
        strategy(), parts, warmup=WARMUP, label_delay=DELAY, seed={seed}, checkpoint=CHECKPOINT
    ):
        runs.append(run)
        if run.first + len(run.y) == len(stream):
            break  # the last part is not whole yet, so no checkpoint is made of it
    return runs, stream.classes


def predict():
    """Learn what is new, watch the errors, and return predictions for rows without a label."""
    rows = read_rows()
    known = rows[TARGET].notna() & (rows[TARGET].astype(str) != "")
    old, new = rows[known], rows[~known]
    runs, classes = runs_over(old)
    newest = runs[-1].loss[-WINDOW:]
    if len(newest) == WINDOW and newest.mean() > LEVEL:
        print(f"ALARM: the mean error of the newest {{WINDOW}} rows is {{newest.mean():.4g}}")
    said = []
    for k in range(len(new)):
        row = new.iloc[[k]].assign(**{{TARGET: old[TARGET].iloc[-1]}})  # it is never looked at
        answer = runs_over(pd.concat([old, row]))[0][-1].predictions[-1]
        said.append(classes[int(answer)] if classes else float(answer))
    return said


if __name__ == "__main__":
    for value in predict():
        print(value)
'''


def winner_script(
    result: Comparison,
    lineup: dict[str, Strategy],
    name: str,
    *,
    path: Path,
    file: str,
    target: str,
    columns: dict[str, Any],
    memory: dict[str, Any],
    label_delay: int | str,
) -> str:
    """Return a Python script that runs one strategy of a comparison on.

    Parameters
    ----------
    result : Comparison
    lineup : dict of str to Strategy
        What was compared, not fitted.
    name : str
    path : Path
        Where the script will stand.
    file, target, columns
        The table, its target, and how :func:`companion.streams.tables.from_frame` reads the rest.
    memory : dict
        As for :func:`companion.memory.with_memory`.
    label_delay : int or str
    """
    run = result.runs[name][0]
    strategy = chosen(result, lineup, name)
    needs: set[str] = set()
    level, window = alarm_level(result, name)
    return TEXT.format(
        name=name,
        script=path.name,
        file=file,
        checkpoint=f"{path.stem}.checkpoint",
        target=target,
        columns=columns,
        memory=memory,
        delay=label_delay,
        warmup=run.first,
        part=max(PART, run.first + 1),
        level=level,
        window=window,
        features=result.stream.features,
        source=source(strategy, needs),
        imports="\n".join(sorted(needs)),
        seed=run.seed,
    )


def chosen(result: Comparison, lineup: dict[str, Strategy], name: str) -> Strategy:
    """Return a strategy without its trials: what they chose, and what they showed of the members.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> ways = {f"{rows} labels": Baseline("rolling", rows=rows) for rows in (1, 50)}
    >>> lineup = {"mean": Tuned({"labels": ways})}
    >>> chosen(compare(streams.bike_sharing(), lineup), lineup, "mean").rows
    1
    """
    if name in FOLLOWERS:
        members = steady_names(result)
        return Following(
            {member: chosen(result, lineup, member) for member in members},
            **FOLLOWERS[name],
            first=[result.runs[each][0].cost.get("trial_loss", np.nan) for each in members],
        )
    strategy = lineup[name]
    if not isinstance(strategy, Tuned):
        return strategy
    said = next(what for _, what in result.runs[name][0].events if ": best of " in what)
    return next(
        each
        for seen, ways in strategy.choices.items()
        for way, each in ways.items()
        if f"{seen}, {way}" == said.partition(": best of ")[0]
    )


def source(value: Any, needs: set[str]) -> str:
    """Return Python that makes a strategy or model anew; the imports are added to ``needs``.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from companion import Scheduled
    >>> needs = set()
    >>> source(Scheduled(Ridge(alpha=3), every=5, window=np.int64(9)), needs)
    'Scheduled(model=Ridge(alpha=3), every=5, window=9)'
    >>> sorted(needs)
    ['from companion import Scheduled', 'from sklearn.linear_model import Ridge']
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not np.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, dict):
        items = (f"{source(k, needs)}: {source(v, needs)}" for k, v in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, Sequence):
        items = [source(each, needs) for each in value]
        return f"({', '.join(items)},)" if isinstance(value, tuple) else f"[{', '.join(items)}]"
    kind = type(value).__name__
    home = type(value).__module__.split(".")
    places = [".".join(home[: k + 1]) for k in range(len(home))]  # the shortest that has it
    place = next(each for each in places if hasattr(sys.modules[each], kind))
    needs.add(f"from {place} import {kind}")
    arguments = []
    for argument in inspect.signature(type(value)).parameters.values():
        kept = getattr(value, RENAMED.get(argument.name, argument.name), argument.default)
        if kept is not argument.default and source(kept, set()) != source_of_default(argument):
            arguments.append(f"{argument.name}={source(kept, needs)}")
    return f"{kind}({', '.join(arguments)})"


def source_of_default(argument: inspect.Parameter) -> str:
    """Return Python for an argument's default; nothing if it has none."""
    return "" if argument.default is argument.empty else source(argument.default, set())
