"""Say whether an answer to an exercise of the book is right, or what is missing.

The answers lie in ``companion/data/exercises.json.gz``, written from what the chapters' solutions
print.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import numpy as np

from companion.streams.catalogue import DATA

ANSWERS = DATA / "exercises.json.gz"
SLIPS = (
    (lambda found: found / 100, "A hundred times as much as asked: a share, or per cent?"),
    (lambda found: found * 100, "A hundredth of what is asked: a share, or per cent?"),
    (lambda found: -found, "The sign is turned round: what is taken from what?"),
    (lambda found: 1 - found, "This is the share of the others."),
    (lambda found: 100 - found, "This is the share of the others."),
)


@cache
def tasks() -> dict[str, dict[str, Any]]:
    """Return what each exercise with numbers asks for, by its number."""
    return json.loads(gzip.decompress(ANSWERS.read_bytes()))


def check(exercise: str, answer: Any = ...) -> None:
    """Print whether an answer is right, or what is missing; the solution is not shown.

    Parameters
    ----------
    exercise : str
        The chapter and the exercise, such as ``"7.1"``.
    answer : number, or numbers in a list, an array, a table or a dictionary
        What you found, as precise as you have it. Without it, you learn what is asked.

    Examples
    --------
    >>> check("7.1")
    Exercise 7.1 asks for 2 numbers: the weight, the level. No answer yet.
    >>> check("7.1", [-2, -1])
    Exercise 7.1: not yet. The sign is turned round: what is taken from what?
    """
    task = tasks().get(exercise)
    if task is None:
        chapter = str(exercise).partition(".")[0]
        there = [name for name in tasks() if name.partition(".")[0] == chapter] or list(tasks())[:3]
        print(
            f"No numbers are checked for {exercise!r}: compare with what its Check says. "
            f"They are, for example, for {there}."
        )
        return
    print(f"Exercise {exercise}{verdict(task, answer)}")


def verdict(task: dict[str, Any], answer: Any) -> str:
    """Return what is to be said of an answer.

    >>> verdict({"asks": "two sums", "values": [3.0, 4.0], "within": [0.1, 0.1]}, [3, 5])
    ': 1 of 2 right. Look again at number 2.'
    """
    count = len(task["values"])
    asks = f" asks for {count} number{'s' if count > 1 else ''}: {task['asks']}."
    if answer is ... or answer is None:
        return f"{asks} No answer yet."
    try:
        held = list(answer.values()) if isinstance(answer, dict) else answer
        found = np.asarray(held, dtype=float).ravel()
    except (TypeError, ValueError):
        return f"{asks} This is none: {str(answer)[:60]!r}."
    if len(found) != count:
        return f"{asks} You gave {len(found)}."
    if not np.isfinite(found).all():
        return f"{asks} Among yours is one that is no number: {found[~np.isfinite(found)][0]}."
    right = near(task, found)
    if right.all():
        return ": right."
    for undo, slip in SLIPS:
        if near(task, undo(found)).all():
            return f": not yet. {slip}"
    if near(task, np.sort(found), np.argsort(task["values"])).all():
        return f": the right numbers in another order. It is: {task['asks']}."
    wrong = ", ".join(str(place + 1) for place in np.flatnonzero(~right))
    share = (
        f"{right.sum()} of {count} right. Look again at number {wrong}"
        if right.any()
        else "not yet"
    )
    return f": {share}. {task.get('hint', '')}".rstrip()


def near(task: dict[str, Any], found: np.ndarray, order: Any = slice(None)) -> np.ndarray:
    """Return for each number whether it is the answer, up to rounding."""
    values, within = np.array(task["values"])[order], np.array(task["within"])[order]
    return np.abs(found - values) <= within
