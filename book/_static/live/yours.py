"""A table of one's own in the page: the command's own functions, their answers as JSON."""

import json
import math
import os
import shlex
import sys
import time as clock
from dataclasses import asdict
from functools import wraps

import numpy as np

from companion.apps.terminal import one_line, visible
from companion.streams import rows
from companion.streams.bad_input import BadInput
from companion.streams.description import description
from companion.streams.guess import guess_roles
from companion.streams.tables import newest_rows, read_table

os.environ["MPLBACKEND"] = "agg"
if sys.platform == "emscripten":  # a folder of its own, so that messages name the file alone
    os.makedirs("/tables", exist_ok=True)
    os.chdir("/tables")
RUNS = "runs"  # finished runs are kept here, as the command keeps them
POINTS = 300  # of a drawn line
SHOWN_CLASSES = 4
MOST_COSTS = 4  # lines
whole = {}  # the last table that was read, by what was asked
read, result = None, None  # what is compared of it, and the comparison
how, again = {}, {}  # how it was compared, and its runs in other worlds


def plain(value):
    """Return a value that JSON can say: no NaN, no NumPy."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def answering(function):
    """Return a function of JSON; what is wrong with a table is said in the command's sentence."""

    @wraps(function)
    def answered(asked):
        asked = json.loads(asked)
        try:
            return json.dumps({"outputs": plain(function(**asked))})
        except ModuleNotFoundError as missing:
            name = (missing.name or "").partition(".")[0]
            return json.dumps({"missing": name, "outputs": {"refused": str(missing)}})
        except (BadInput, MemoryError) as error:
            causes = (error, error.__context__)  # a reader makes a sentence of it
            if not any(isinstance(cause, MemoryError) for cause in causes):
                return json.dumps({"outputs": {"refused": one_line(error)}})
        said = "this table is too large for the page's memory; use the command line"
        return json.dumps({"outputs": {"refused": said, "memory": True}})

    return answered


def parquet_table(path):
    """Read a Parquet file without pyarrow; what that takes is loaded when the first is given."""
    import parquet

    return parquet.table(path)


if sys.platform == "emscripten":
    rows.parquet_table = parquet_table


@answering
def columns(file):
    """Return a table's columns, and which may be the target, the time and the key."""
    return asdict(guess_roles(file))


@answering
def describe(file, newest=None, **roles):
    """Read a table; return what was read, as `companion describe` says it, and its target."""
    global read
    seen = os.stat(file)
    asked = json.dumps([file, roles, seen.st_size, seen.st_mtime_ns])
    if asked not in whole:
        whole.clear()
        whole[asked] = read_table(file, **roles)
    read = newest_rows(whole[asked], newest)
    stream = read.stream
    return {
        "pairs": [[word, visible(said)] for word, said in description(read)],
        "rows": len(stream), "all": len(whole[asked].stream), "columns": len(stream.features),
        "classes": bool(stream.classes), "dated": stream.time is not None,
        "lines": target_lines(stream),
    }  # fmt: skip


def target_lines(stream):
    """Return the target over time, thinned out: its mean, or each large class's share."""
    if not stream.classes:
        return [{"name": visible(stream.unit), "points": thinned(stream, stream.y, POINTS)}]
    counts = np.bincount(stream.y, minlength=len(stream.classes))
    common = np.argsort(-counts, kind="stable")[:SHOWN_CLASSES].tolist() if len(counts) > 2 else [1]
    most = min(POINTS, max(2, len(stream) // 20))
    return [
        {"name": visible(stream.classes[code]), "points": thinned(stream, stream.y == code, most)}
        for code in common
    ]


def thinned(stream, values, most):
    """Return at most so many points: a row or its time, and the mean of the values round it."""
    edges = np.unique(np.linspace(0, len(values), most + 1).astype(int))
    means = np.add.reduceat(np.asarray(values, dtype=float), edges[:-1]) / np.diff(edges)
    return points(stream, (edges[:-1] + edges[1:] - 1) // 2, means)


def points(stream, rows, values):
    """Return pairs of a row's place, in seconds since 1970 if it has a time, and a value."""
    rows = np.asarray(rows, dtype=int)
    x = rows if stream.time is None else stream.time[rows].astype("datetime64[s]").astype(np.int64)
    return [[a, float(f"{b:.6g}")] for a, b in zip(x.tolist(), values.tolist(), strict=True)]


def setting(quick, delay):
    """Return how the command would compare the table that was read."""
    from companion.apps import command_line as command

    delay = command.label_delay(delay)
    command.check_delay(delay, read.stream)
    return {"warmup": 0.2, "label_delay": delay, "quick": quick}


@answering
def estimate(quick, delay):
    """Return about how many seconds the comparison will take here, and how many take part."""
    from companion.apps.command_line import rough
    from companion.apps.timing import expected_seconds

    try:
        seconds, strategies = expected_seconds(read.stream, setting(quick, delay), 1)
    except ValueError as error:
        raise BadInput(f"{read.stream.name}: {error}") from None
    return {"seconds": seconds, "said": rough(seconds), "strategies": strategies}


@answering
def run(quick, delay, prices, names=None):
    """Compare; what is known after each strategy goes to the page at once, through ``step``."""
    global result, how
    from companion.apps.command_line import check_prices
    from companion.memory import usual_memory
    from companion.rivals import REFERENCE, rivals, run_rivals

    check_prices(prices)
    how = setting(quick, delay)
    sent = {"at": 0.0, "took": 0.0}

    def each(so_far):
        began = clock.perf_counter()
        told = {"names": list(lineup), "done": list(so_far.runs)}
        if began - sent["at"] > 4 * sent["took"]:  # the table takes a moment where rows are many
            told |= shown(so_far)
            sent["at"] = clock.perf_counter()
            sent["took"] = sent["at"] - began
        if "step" in globals():
            step(json.dumps(plain(told)))  # noqa: F821

    try:
        stream = usual_memory(read.stream, how["warmup"], how["label_delay"])
        lineup = rivals(stream, **how)
        lineup = {name: lineup[name] for name in names or lineup}
        against = {} if REFERENCE in lineup else {"reference": None}
        result = run_rivals(
            stream, lineup, warmup=how["warmup"], label_delay=how["label_delay"],
            folder=RUNS, each=each, **against,
        )  # fmt: skip
    except ValueError as error:
        raise BadInput(f"{read.stream.name}: {error}") from None
    again.clear()
    changed = [x for x, _ in points(stream, result.changes, np.zeros(len(result.changes)))]
    told = {"names": list(lineup), "done": list(lineup), "changes": changed}
    return {**told, **shown(result), **answered(prices)}


def shown(so_far):
    """Return what the page shows of a comparison while it grows: its table, errors over time."""
    from companion.metrics import rolling_mean

    stream, first = so_far.stream, next(iter(so_far.runs.values()))[0].first
    scored = len(stream) - first
    window = max(2, scored // 10)
    rows = np.unique(np.linspace(window - 1, scored - 1, POINTS).astype(int))
    ranked = [name for name in so_far.ranked() if so_far.diverged(name) is None]
    drawn = list(dict.fromkeys([*ranked[:3], so_far.reference]))
    return {
        "headline": visible(so_far.headline()), "cells": so_far.cells(),
        "failures": so_far.failures,
        "window": window, "dated": stream.time is not None, "unit": visible(so_far.unit),
        "reference": so_far.reference,
        "lines": [
            {"name": name, "kind": kind(name),
             "points": points(stream, first + rows, rolling_mean(so_far.loss(name), window)[rows])}
            for name in drawn if name in ranked
        ],
    }  # fmt: skip


def answered(prices):
    """Return the answer in words, the other tables, and what each strategy costs."""
    from companion.apps.command_line import all_sentences, shortlist
    from companion.show.choices import choice_cells
    from companion.show.classes import rare_class_cells
    from companion.show.numbers import number_cells

    others = {
        "The rarest class, beside the error": rare_class_cells(result),
        "Other measures of the best strategies": number_cells(result),
        "What trials on the warm-up chose": choice_cells(result),
    }
    return {
        "sentences": [visible(said) for said in all_sentences(result, prices)],
        "others": [[title, cells] for title, cells in others.items() if cells],
        "costs": cost_lines(shortlist(result), prices),
        "worlds": panel(),
    }


def panel():
    """Return how the winner's lead fares in other worlds, and how long it takes to see more."""
    from companion.apps.command_line import rough
    from companion.rivals import FOLLOWERS
    from companion.show.worlds import ran_again, world_cells, world_title

    cells = world_cells(result, again)
    names = ran_again(result) or result.runs.keys() - FOLLOWERS.keys()
    seconds = 3 * sum(result.costs(name)["cpu_seconds"] for name in names)  # three worlds
    said = None if again else rough(seconds)
    return {"title": world_title(cells), "cells": cells, "takes": said} if cells else None


@answering
def worlds():
    """Run the winner and those it is held against in other worlds; return the larger panel."""
    from companion.show.worlds import run_again

    def each(world):
        if "step" in globals():
            step(json.dumps({"world": world}))  # noqa: F821

    again.update(run_again(read.stream, result, how, each=each))
    return panel()


@answering
def answer_again(prices):
    """Return the answer at other prices."""
    from companion.apps.command_line import check_prices

    check_prices(prices)
    return answered(prices)


def kind(name):
    """Return the kind of a strategy, which gives its line a colour."""
    from companion.rivals import kind_of

    found = kind_of(name)
    return {"none": "baseline", "frozen": "static", "refit": "scheduled",
            "triggered": "scheduled"}.get(found, found)  # fmt: skip


def cost_lines(so_far, prices):
    """Return each strategy's cost per 1,000 rows over the price of a retraining.

    ``cheapest`` says from which price on which strategy is the cheapest; with one strategy there
    is nothing to draw.
    """
    from companion.advice import upkeep

    error = prices.get("cost_of_error", 1.0)
    each = {"error": error, "update": 0.0, "label": prices.get("cost_of_label", 0.0), "row": 0.0}
    names = [name for name in so_far.ranked() if so_far.diverged(name) is None]
    at_none = {name: 1000 * error * so_far.score(name) + upkeep(so_far, name, each)
               for name in names}  # fmt: skip
    slopes = {name: so_far.costs(name)["retrainings_per_1000"] for name in names}
    price, best = 0.0, min(names, key=lambda name: (at_none[name], slopes[name]))
    cheapest = [[price, best]]
    while cheaper := [name for name in names if slopes[name] < slopes[best]]:
        meet = {name: (at_none[name] - at_none[best]) / (slopes[best] - slopes[name])
                for name in cheaper}  # fmt: skip
        best = min(meet, key=lambda name: (meet[name], slopes[name]))
        cheapest.append([meet[best], best])
    if len(cheapest) == 1:
        return None
    end = 1.6 * max(cheapest[-1][0], prices.get("cost_of_update", 0.0))
    lowest = at_none[best] + end * slopes[best]
    ends = {name: at_none[name] + end * slopes[name] for name in names}
    drawn = [name for name in names if min(at_none[name], ends[name]) < 1.5 * lowest]
    drawn = list(dict.fromkeys([name for _, name in cheapest] + drawn))[:MOST_COSTS]
    return {
        "error": error, "cheapest": cheapest,
        "lines": [{"name": name, "kind": kind(name),
                   "points": [[0.0, at_none[name]], [end, ends[name]]]} for name in drawn],
    }  # fmt: skip


@answering
def take_away(what, prices):
    """Return the report as HTML or the table as CSV, as the command writes them."""
    from companion.apps.command_line import all_sentences
    from companion.show.report import page, table_text

    if what == "table":
        return table_text(result, "table.csv")
    return page(result, all_sentences(result, prices), description(read), again)


def said_to_command(file, target, quick, delay, prices, time, key, task, time_format, newest):
    """Return the options that ask the command for the same comparison."""
    options = {"--target": target, "--time": time, "--time-format": time_format, "--key": key}
    options |= {"--newest": newest}
    options |= {"--task": None if task == "auto" else task}
    options |= {"--label-delay": None if delay == "0" else delay}
    options |= {f"--{name.replace('_', '-')}": f"{price:g}" for name, price in prices.items()}
    words = ["companion", "compare", f"./{file}" if file.startswith("-") else file]
    for name, value in options.items():
        if value is not None:
            value = str(value)
            words += [f"{name}={value}"] if value.startswith("-") else [name, value]
    words += ["--worlds"] * bool(again)
    return [*words, *["--quick"] * quick, "--report", "report.html"]


@answering
def recipes(file, target, quick, delay, prices, time=None, key=None, task="auto",
            time_format=None, newest=None):  # fmt: skip
    """Return a command line and a Python script that give the same table on any machine."""
    command = shlex.join(
        said_to_command(file, target, quick, delay, prices, time, key, task, time_format, newest)
    )
    roles = {"time": time, "key": key, "time_format": time_format}
    roles["task"] = None if task == "auto" else task
    said = "".join(f", {name}={value!r}" for name, value in roles.items() if value is not None)
    waits = int(delay) if delay.isdigit() else delay
    lines = [
        f"# Which strategy pays for {file!r}? Prints the page's table and answer.",
        "# Needs the book's package `companion`; run it in the folder of the file.",
        "from companion.apps.command_line import all_sentences",
        "from companion.rivals import race",
        f"from companion.streams.tables import {'newest_rows, ' if newest else ''}read_table",
        "",
        f"reading = read_table({file!r}, {target!r}{said})",
        *([f"reading = newest_rows(reading, {newest})"] if newest else []),
        f"result = race(reading.stream, quick={quick}, label_delay={waits!r})",
        "print(result)",
        f'print(*all_sentences(result, {prices!r}), sep="\\n")',
        "",
    ]
    return {"command": command, "script": "\n".join(lines)}
