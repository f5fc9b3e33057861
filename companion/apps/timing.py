"""How long a comparison may take, from a moment's work on its own rows."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from typing import Any

import numpy as np

from companion.evaluation import extra_columns, fit_rows, prepared_copy, warmup_rows
from companion.hybrids.following import head_over
from companion.hybrids.tuned import Tuned
from companion.memory import usual_memory
from companion.rivals import followers_on, one_thread, rivals
from companion.strategies import Scheduled, Strategy
from companion.stream import Stream

FITTED, LEARNT = 2_000, 200  # rows of the moment's work
RACED = 0.4  # of the trials' rows, before the race stops those that can no longer win


def expected_seconds(stream: Stream, setting: dict[str, Any], jobs: int) -> tuple[float, int]:
    """Return the wall-clock seconds that a race may take, and how many strategies take part.

    Each tuned strategy is fitted on a few rows and learns a few more; the rest is counting how many
    rows its trials, its fits and its labels will show it. Those that follow others hear a few rows.
    """
    warmup, label_delay = setting["warmup"], setting["label_delay"]
    first = warmup_rows(warmup, len(stream))
    remembering = usual_memory(stream, warmup, label_delay)
    lineup = rivals(remembering, **setting)
    with one_thread():
        seconds = sum(strategy_seconds(each, remembering, first) for each in lineup.values())
    hearing = (hearing_seconds(how, len(lineup)) for how in followers_on(stream).values())
    seconds += sum(hearing) * (len(stream) - first)
    return seconds / max(1, jobs), len(lineup)


def strategy_seconds(strategy: Strategy, rows: Stream, first: int) -> float:
    """Return the CPU seconds that one strategy may take on all rows."""
    if not isinstance(strategy, Tuned):
        return 0.0
    ways = next(iter(strategy.choices.values()))
    trials = RACED * (len(strategy.choices) + len(ways) - 1)
    trial_rows = min(first, strategy.most)
    try_out = prepared_copy(next(iter(ways.values())), rows, 0)
    fitted = min(first, FITTED)
    fit = seconds_for(lambda: fit_rows(try_out, rows, slice(0, fitted))) / fitted
    if isinstance(try_out, Scheduled):
        in_trials = 1 + trial_rows / 2 / try_out.every
        in_all = 1 + (len(rows) - first) / try_out.every
        size = try_out.window or (first + len(rows)) / 2
        return fit * (trials * in_trials * 0.7 * trial_rows + in_all * size)
    step = 0.0
    if not try_out.frozen:
        count = min(LEARNT, len(rows) - first)
        step = seconds_for(lambda: row_by_row(try_out, rows, first, count)) / count
    return fit * (trials * trial_rows / 2 + first) + step * (
        trials * trial_rows / 2 + len(rows) - first
    )


def hearing_seconds(how: dict[str, Any], members: int) -> float:
    """Return the CPU seconds a row that it may take to weigh so many members' answers."""
    head = head_over(np.ones(members), **how)
    rows = np.random.default_rng(0).random((2 * LEARNT, members))

    def hear(some: np.ndarray) -> None:
        for given in some:
            head.learn(given, 0.0, given)
            head.say(given, 0)

    hear(rows[:LEARNT])  # a line over the answers begins after some
    return seconds_for(lambda: hear(rows[LEARNT:])) / LEARNT


def row_by_row(strategy: Strategy, rows: Stream, first: int, count: int) -> None:
    """Learn some rows, each before the next is predicted, as the evaluation asks for it."""
    here, learn = slice(first, first + count), np.arange(count - 1)
    extra = extra_columns(strategy, rows, here, first)
    strategy.learn_and_predict(rows.X[here], rows.y[here], learn, learn + 1, **extra)


def seconds_for(work: Callable[[], Any]) -> float:
    """Return the seconds that a piece of work takes."""
    began = clock.perf_counter()
    work()
    return clock.perf_counter() - began
