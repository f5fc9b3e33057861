"""The command line's larger commands: point the companion at a table of your own.

How they are called is said in :mod:`companion.apps.grammar`, which needs none of this.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import sys
import time as clock
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from companion import streams
from companion.advice import answer, as_good, recommend, simplest
from companion.apps.script import winner_script
from companion.apps.terminal import visible
from companion.apps.timing import expected_seconds
from companion.checks import check_strategy
from companion.comparison import Comparison, kept_files, text_lines
from companion.evaluation import warmup_rows
from companion.files.atomic import new_part, write_atomically
from companion.files.locks import InUse, held
from companion.measures import MEASURES, OF_PROBABILITIES, WHY, usual_measure
from companion.memory import cycles_of, season_of, usual_memory
from companion.rivals import kind_of, race, rivals, run_rivals
from companion.show.choices import choice_cells
from companion.show.classes import (
    calibration_sentences,
    rare_class_cells,
    rare_class_sentences,
)
from companion.show.numbers import number_cells
from companion.show.worlds import run_again, the_few, world_cells, world_title
from companion.stream import Stream, duration
from companion.streams.description import as_text, description
from companion.streams.tables import BadInput, Reading, newest_rows, read_table

PRICES = ("cost_of_error", "cost_of_update", "cost_of_label")
WITHOUT_TIMES = "--label-delay {}: a delay in time needs --time; or give rows"
LONG = 20_000  # streams with fewer rows need no estimate
SOON = 20  # seconds: with less, processes would hardly have begun
MANY = 2_000  # streams with fewer rows need no second process


def writable(path: Path, table: Path) -> Path:
    """Return the path if a file can be written there, before any long work."""
    try:
        if path.is_dir():
            raise BadInput(f"{path}: this is a folder; give the name of a file in it")
        if not path.parent.is_dir():
            raise BadInput(f"{path}: there is no folder {path.parent}; make it first")
        if path.exists() and table.exists() and path.samefile(table):
            raise BadInput(f"{path}: this is the table itself; choose another name")
        if path.exists() and not path.is_file():
            raise BadInput(f"{path}: this is a device or a pipe; give the name of a file")
        handle, part = new_part(path)
    except OSError as error:
        raise BadInput(
            f"{path}: no file can be written there ({error.strerror}); choose another place"
        ) from None
    os.close(handle)
    os.unlink(part)
    return path


def check_outputs(args: argparse.Namespace, folder: Path) -> list[Path]:
    """Return the files to write, if each can be written and none spoils another."""
    outputs = [
        writable(Path(name), Path(args.file))
        for name in (args.report, args.save, args.script)
        if name
    ]
    places = [path.resolve() for path in outputs]
    if len(set(places)) < len(places):
        raise BadInput(
            f"{outputs[0]}: the report, the table and the script cannot be the same file"
        )
    for path, place in zip(outputs, places, strict=True):
        if folder.resolve() in (place, *place.parents):
            raise BadInput(f"{path}: {folder} is for finished runs; choose another place")
    return outputs


def write_output(path: str, text: str) -> None:
    """Write a file whole, or say why it was not written."""
    try:
        write_atomically(Path(path), text.encode("utf-8", "replace"))
    except OSError as error:
        raise BadInput(
            f"{path}: it was not written ({error.strerror}); the finished runs are kept, so the "
            "same command is quick"
        ) from None


def label_delay(text: str) -> int | str:
    """Read a label delay: a number of rows, or a duration."""
    if re.fullmatch(r"-?[0-9]+", text):
        if text.startswith("-"):
            raise BadInput(f"--label-delay {text}: a label cannot arrive before its row; use 0")
        return int(text[:20])
    try:
        duration(text)
    except ValueError as error:
        raise BadInput(f"--label-delay: {error}") from None
    return text


def runs_place(file: str, named: str | None) -> Path:
    """Return the folder in which finished runs are kept until the comparison is whole."""
    return Path(named) if named else Path(f"{Path(file).name}.runs")


def make_runs_folder(folder: Path) -> None:
    """Make the folder for finished runs, or say why it cannot be, or that it is in use."""
    try:
        with held(folder, "another comparison"):
            pass
    except OSError as error:
        raise BadInput(
            f"{folder}: finished runs cannot be kept there ({error.strerror}); "
            "name another folder with --runs"
        ) from None
    except InUse as error:
        raise BadInput(f"{error} with --runs") from None


def rough(seconds: float) -> str:
    """Return a time span in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"


def read_and_show(args: argparse.Namespace) -> Reading:
    """Read the table, and print what was read before anything is run on it."""
    reading = read_table(
        args.file, args.target, time=args.time, key=args.key, weight=args.weight, task=args.task,
        time_format=args.time_format,
    )  # fmt: skip
    reading = newest_rows(reading, getattr(args, "newest", None))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    print(visible(as_text(description(reading), width)), end="\n\n", flush=True)
    return reading


def run_describe(args: argparse.Namespace) -> int:
    """``companion describe``: print what is read of a table, and run nothing."""
    read_and_show(args)
    return 0


def run_compare(args: argparse.Namespace) -> int:
    """``companion compare``: read, check, run, print, write."""
    folder = runs_place(args.file, args.runs)
    outputs = check_outputs(args, folder)
    if not 0 < args.warmup < 1:
        raise BadInput(f"--warmup {args.warmup}: give a share of the rows between 0 and 1")
    prices = prices_of(args)
    if prices and args.metric not in (None, "mae", "error"):
        raise BadInput(
            f"--metric {args.metric}: prices are for units of error, or for wrong classes; leave "
            "out --metric or the costs"
        )
    delay = label_delay(args.label_delay)
    if isinstance(delay, str) and not args.time:
        raise BadInput(WITHOUT_TIMES.format(delay))
    reading = read_and_show(args)
    stream = reading.stream
    check_delay(delay, stream)
    if warmup_rows(args.warmup, len(stream)) < 2:
        raise BadInput(
            f"--warmup {args.warmup}: it leaves fewer than 2 of {len(stream):,} rows to learn "
            "from; give a larger share"
        )
    measure = measure_of(args.metric, stream.task)
    own = {name.partition(":")[2]: load_named(name)() for name in args.model}
    setting = {"warmup": args.warmup, "label_delay": delay, "quick": args.quick, "own": own}
    budget = None if args.budget is None else seconds_of(args.budget)
    small = len(stream) < MANY or (budget is not None and budget < SOON)
    jobs = args.jobs or (1 if small else os.cpu_count() or 1)
    until = None if budget is None else clock.time() + budget
    try:
        remembering = usual_memory(stream, args.warmup, delay)
        lineup = rivals(remembering, **setting)
    except ValueError as error:
        raise BadInput(f"{args.file}: {error}") from None
    make_runs_folder(folder)
    if len(stream) >= LONG:
        tell_time(stream, setting, jobs, budget)
    stream = remembering
    options = {"warmup": args.warmup, "label_delay": delay}
    options["probabilities"] = measure in OF_PROBABILITIES
    kept = kept_files({stream.name: lineup}, {stream.name: stream}, range(1), folder, options)
    if args.fresh:
        drop_runs(folder, kept.values())
        make_runs_folder(folder)
    try:
        result = run_rivals(
            stream, lineup, until=until, n_jobs=jobs, progress=sys.stderr.isatty(),
            folder=folder, **options,
        )  # fmt: skip
    except InUse as error:
        raise BadInput(f"{error} with --runs") from None
    except ValueError as error:
        if not args.runs:
            drop_runs(folder, kept.values())
        raise BadInput(f"{args.file}: {error}") from None
    except KeyboardInterrupt:
        done = sum(path is not None and path.exists() for path in kept.values())
        print(
            f"companion: stopped; {done} of {len(kept)} runs are finished and kept in "
            f"{folder}; the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    result = judged_by(result, measure)
    rare, sentences = rare_class_cells(result), all_sentences(result, prices)
    lines = [result.headline(), *text_lines(result.cells(seconds=True)), *result.failed(), ""]
    for cells in filter(None, (rare or number_cells(result), choice_cells(result))):
        lines += [*text_lines(cells), ""]
    print(*map(visible, [*lines, *sentences]), sep="\n", flush=True)
    again = {}
    if args.worlds and len(the_few(result)) > 1:
        again = run_again(reading.stream, result, setting, n_jobs=jobs)
        cells = world_cells(result, again)
        print(*map(visible, ["", *text_lines(cells), f"{world_title(cells)}."]), sep="\n")
    if args.report:
        from companion.show.report import page  # brings matplotlib

        write_output(args.report, page(result, sentences, description(reading), again))
    if args.save:
        from companion.show.report import table_text

        write_output(args.save, table_text(result, args.save))
    if args.script:
        roles = ("time", "key", "weight", "task", "time_format")
        columns = {name: getattr(args, name) for name in roles}
        first = warmup_rows(args.warmup, len(stream))
        memory = {
            "season": season_of(reading.stream, first),
            "calendar": cycles_of(reading.stream, first),
        }
        text = winner_script(
            result, lineup, simplest(as_good(result)), path=Path(args.script), file=args.file,
            target=args.target, columns=columns, memory=memory, label_delay=delay,
        )  # fmt: skip
        write_output(args.script, text)
    for path in outputs:
        print(f"Written: {visible(str(path))}")
    if not args.runs:
        drop_runs(folder, kept.values())
    return 0


def measure_of(asked: str | None, task: str) -> str:
    """Return what the comparison is judged by, or say why it cannot be."""
    if asked is not None and asked not in MEASURES[task]:
        what = "numbers" if task == "regression" else "classes"
        raise BadInput(
            f"--metric {asked}: the target holds {what}, which can be judged by "
            f"{', '.join(MEASURES[task])}; choose one of them, or set --task"
        )
    return asked or usual_measure(task)


def judged_by(result: Comparison, measure: str) -> Comparison:
    """Return the comparison by another measure, without those that cannot be judged by it."""
    runs, failures = result.runs, dict(result.failures)
    if measure in OF_PROBABILITIES:
        without = [name for name in runs if runs[name][0].probabilities is None]
        failures |= {name: "left out: it gives no probabilities" for name in without}
        runs = {name: run for name, run in runs.items() if name not in without}
    return replace(result, runs=runs, failures=failures, measure=measure)


def all_sentences(result: Comparison, prices: dict[str, float]) -> list[str]:
    """Return the whole answer in words: what wins, what judged, what a rare class hides, costs."""
    best = result.table()[0]["strategy"]
    why = WHY[result.measure or usual_measure(result.stream.task)]
    sentences = [
        *answer(result), why, *rare_class_sentences(result, best),
        *calibration_sentences(result, best),
    ]  # fmt: skip
    return sentences + (recommend(shortlist(result), **prices).sentences if prices else [])


def shortlist(result: Comparison, most: int = 5) -> Comparison:
    """Return the comparison of the best few, the best without a model, and the reference."""
    ranked = [name for name in result.ranked() if result.diverged(name) is None]
    guesses = [name for name in ranked if kind_of(name) == "none"]
    names = dict.fromkeys([*ranked[:most], *guesses[:1], result.reference])
    return replace(result, runs={name: result.runs[name] for name in names})


def check_delay(delay: int | str, stream: Stream) -> None:
    """Refuse a delay after which no label would arrive, or in time where rows have none."""
    if isinstance(delay, int) and delay >= len(stream):
        raise BadInput(f"--label-delay {delay}: no label of {len(stream):,} rows would ever arrive")
    if isinstance(delay, str) and stream.time is None:
        raise BadInput(WITHOUT_TIMES.format(delay))


def drop_runs(folder: Path, own: Iterable[Path | None]) -> None:
    """Remove one's own finished runs, and their folder if nothing else is in it."""
    try:
        with held(folder, "another comparison"):
            for path in filter(None, own):
                path.unlink(missing_ok=True)
    except InUse:  # another comparison has begun there, and may want them
        return
    with suppress(OSError):
        folder.rmdir()


def tell_time(stream: Stream, setting: dict[str, Any], jobs: int, budget: float | None) -> None:
    """Say how long a long comparison may take, before it starts."""
    seconds, strategies = expected_seconds(stream, setting, jobs)
    limit = "" if budget is None else f", of which the budget allows {rough(budget)}"
    print(
        f"companion: {len(stream):,} rows, {strategies} strategies: about {rough(seconds)}{limit}; "
        "--quick and --budget take less, Ctrl-C keeps what is finished",
        file=sys.stderr,
    )


def seconds_of(text: str) -> float:
    """Read a time budget, such as 60s or 5min, or say what is wrong with it."""
    try:
        seconds = duration(text) / np.timedelta64(1, "s")
    except ValueError as error:
        raise BadInput(f"--budget: {error}") from None
    if seconds <= 0:
        raise BadInput(f"--budget {text}: give a time above zero, such as 60s")
    return float(seconds)


def prices_of(args: argparse.Namespace) -> dict[str, float]:
    """Return the costs that were given, or nothing if errors have no price."""
    prices = {name: getattr(args, name) for name in PRICES if getattr(args, name) is not None}
    check_prices(prices)
    return prices


def check_prices(prices: dict[str, float]) -> None:
    """Refuse costs that cannot be weighed."""
    for name, price in prices.items():
        if not 0 <= price < float("inf") or (name == "cost_of_error" and price == 0):
            raise BadInput(f"--{name.replace('_', '-')} {price}: give a cost above zero")
    if prices and "cost_of_error" not in prices:
        raise BadInput("--cost-of-error is missing: other costs are weighed against it")


def load_named(text: str) -> Any:
    """Return what ``module:name`` names, or say why it cannot be had."""
    module_name, colon, name = text.partition(":")
    if not colon or not module_name or not name:
        raise BadInput(f"{text}: write module:name, such as my_module:MyStrategy")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise BadInput(
            f"{module_name}: the module cannot be imported "
            f"({type(error).__name__}: {error}); run this in its folder, without .py"
        ) from None
    if not hasattr(module, name):
        raise BadInput(f"{module_name}: there is no {name!r} in this module; check its spelling")
    return getattr(module, name)


def run_check(args: argparse.Namespace) -> int:
    """``companion check``: try a strategy of your own against what every strategy promises."""
    build, name = load_named(args.strategy), args.strategy.partition(":")[2]
    broken = 0
    for words, classes in (("numbers", 0), ("2 classes", 2)):
        if args.task != "auto" and (args.task == "regression") != (classes == 0):
            continue
        try:
            kept = check_strategy(build, classes=classes)
        except Exception as error:
            broken += 1
            said = str(error) if isinstance(error, AssertionError) else repr(error)
            print(f"{name} on {words}: broken: {said}")
        else:
            print(*(f"{name} on {words}: kept: {promise}" for promise in kept), sep="\n")
    return 1 if broken else 0


def run_demo(args: argparse.Namespace) -> int:
    """``companion demo``: the first chapter's comparison."""
    bikes = streams.bike_sharing()
    print("A city learns to cycle: 731 days of bike rides, the first fifth to learn from.\n")
    result = race(bikes, quick=True)
    print(result, "", *answer(result), sep="\n")
    return 0
