"""How each verdict fares in other worlds, as ``make robustness`` has recorded it."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from book.press.files import digest, kept
from book.press.places import NOTEBOOKS, OTHER_WORLDS
from book.press.upkeep import robustness
from book.press.upkeep.robustness import WORLDS

BOOKS_WORLD = "the book's"
KINDS = {"supported": "supported", "only": "only under a condition", "not": "not supported"}


@functools.cache
def record() -> dict[str, Any]:
    """Return the record, by chapter."""
    return json.loads(OTHER_WORLDS.read_text(encoding="utf-8"))


@functools.cache
def judged_code(chapter: str) -> str:
    """Return the digest of the code behind a chapter's verdicts; kept, as it takes a while."""
    made_of = digest([Path(robustness.__file__), NOTEBOOKS / f"{chapter}.ipynb"])
    return kept("judged", made_of.encode(), lambda: robustness.digest(chapter).encode()).decode()


def fresh(chapter: str) -> bool:
    """Tell whether the record is of the code behind the chapter's verdicts as it stands."""
    return chapter in record() and record()[chapter]["source"] == judged_code(chapter)


def tried(worlds: dict[str, Any], claim: str) -> dict[str, dict[str, Any]]:
    """Return what came out for a claim, in each world in which the chapter could be run."""
    return {
        world: next(said for said in verdicts if said["claim"] == claim)
        for world, verdicts in worlds.items() if not isinstance(verdicts, str)
    }  # fmt: skip


def in_words(worlds: dict[str, Any], claim: str) -> str:
    """Return how a verdict fares in the other worlds, of those that change any of its numbers.

    >>> said = {"claim": "S2", "outcome": "supported", "pieces": [[2, 1, 3], [3, 1, 5]]}
    >>> in_words({"the book's": [said], "other random numbers": [said], "a long warm-up": "failed",
    ...           "blocks of half": [said | {"pieces": [[2, 1, 3], [3, 2, 4]]}],
    ...           "no end": [said | {"outcome": "only", "pieces": [[2, 1, 3], [-1, -2, 0]]}]}, "S2")
    'the same in 1 of 2; only under a condition with no end; 3 of 4 signs stay'
    """
    others = tried(worlds, claim)
    here = others.pop(BOOKS_WORLD)
    others = {w: said for w, said in others.items() if said["pieces"] != here["pieces"]}
    if not others:
        return ""  # the chapter reads a record, which no world changes
    turned: dict[str, list[str]] = {}
    for world, said in others.items():
        if said["outcome"] != here["outcome"]:
            turned.setdefault(said["outcome"], []).append(world)
    pairs = [(now[0] > 0) == (before[0] > 0) for said in others.values()
             for now, before in zip(said["pieces"], here["pieces"], strict=True)]  # fmt: skip
    return "; ".join([
        f"the same in {len(others) - sum(map(len, turned.values()))} of {len(others)}",
        *(f"{KINDS[kind]} with {', '.join(where)}" for kind, where in turned.items()),
        f"{sum(pairs)} of {len(pairs)} signs stay",
    ])  # fmt: skip


def other_worlds(chapter: str, claim: str) -> str:
    """Return the line for a verdict of a chapter; empty if the record is of other code."""
    if not fresh(chapter):
        return ""
    return in_words(record()[chapter]["worlds"], claim)


def claims_other_worlds() -> str:
    """Return which worlds are tried, for how many chapters, and with which versions."""
    shown = [name for name in sorted(record()) if fresh(name)]
    tools = sorted({record()[name]["versions"] for name in shown})
    others = [world for world in WORLDS if world != BOOKS_WORLD]
    partly = [str(int(name[:2])) for name in shown if len(record()[name]["worlds"]) < len(WORLDS)]
    left = f" In chapters {', '.join(partly)} some are still to be tried." if partly else ""
    return (
        f"The {len(others)} worlds: {'; '.join(others)}. They were tried for the verdicts of "
        f"{len(shown)} chapters, with {' or '.join(tools)}.{left}"
    )
