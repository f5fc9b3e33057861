"""Where a verdict says *only when*: whose condition that is, and what the record says of it.

The author reads a condition off a chapter's pieces. Four of the conditions name something that is
known of the record's simulated worlds, which those chapters did not use: there they are tested.
Beside them a machine chooses a condition of its own, one question about what is known of a world.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from book.press.site.claims_map import COMPARED, errors, recorded_runs

Known = dict[str, float]
CONDITIONS: dict[tuple[str, int], tuple[str, Callable[[Known], bool]]] = {
    ("S2", 3): ("the rule moves", lambda known: known["changes"] > 0),
    ("I2", 6): ("the rule moves", lambda known: known["changes"] > 0),
    ("D1", 7): ("the rival stays frozen", lambda known: known["frozen rival"] > 0),
    ("O1", 8): ("the rule changes four times or more", lambda known: known["changes"] >= 4),
}
QUESTIONS = {  # what is known of a world and a rival, and how a machine's question reads
    "changes": "changes of the rule",
    "delay": "delay in rows",
    "noisy": "the noisier worlds",
    "numbers": "labels that are numbers",
    "frozen rival": "a rival that stays frozen",
}


@functools.cache
def changes(kind: str) -> float:
    """Return how often the rule of a kind of simulated world changes, in the mean of its seeds."""
    table = recorded_runs()
    return float(np.mean(table["changes"][(table["real"] == 0) & (table["drift"] == kind)]))


@functools.cache
def compared(claim: str) -> tuple[list[str], list[Known], np.ndarray]:
    """Return each comparison's kind of world, what is known of it, and its gaps, one a seed."""
    noises: dict[str, set[float]] = {}
    for _, _, task, noise in errors():
        noises.setdefault(task, set()).add(noise)
    kinds, known, gaps = [], [], []
    for (kind, delay, task, noise), by in errors().items():
        for worse, better in COMPARED[claim]:
            kinds.append(kind)
            known.append({
                "changes": changes(kind), "delay": delay, "noisy": noise == max(noises[task]),
                "numbers": task == "regression", "frozen rival": "frozen" in (worse, better),
            })  # fmt: skip
            gaps.append(np.subtract(by[worse], by[better]))
    return kinds, known, np.array(gaps)


def where_met(claim: str, chapter: int) -> tuple[int, int, int, int]:
    """Count comparisons on the claim's side, and all: where the condition is met, and elsewhere."""
    _, known, gaps = compared(claim)
    met = np.array([CONDITIONS[claim, chapter][1](one) for one in known])
    side = gaps.mean(axis=1) > 0
    return tuple(int(n) for n in (side[met].sum(), met.sum(), side[~met].sum(), (~met).sum()))


def question(known: list[Known], side: np.ndarray) -> tuple[str, float, bool]:
    """Return the question that sorts the comparisons best: its name, a limit, and which side.

    >>> question([{"changes": 0}, {"changes": 1}, {"changes": 4}], np.array([False, True, True]))
    ('changes', 0.5, True)
    """
    asked = [
        (np.mean((values > limit) == (side if above else ~side)), (name, float(limit), above))
        for name in known[0]
        for values in [np.array([one[name] for one in known], float)]
        for levels in [np.unique(values)]
        for limit in (levels[1:] + levels[:-1]) / 2
        for above in (True, False)
    ]
    return max(asked, key=lambda pair: pair[0])[1]


def answers(asked: tuple[str, float, bool], known: list[Known]) -> np.ndarray:
    """Return what a question says of each comparison: is it on the claim's side?"""
    name, limit, above = asked
    return np.array([(one[name] > limit) == above for one in known])


@functools.cache
def by_machine(claim: str) -> dict[str, Any]:
    """Let a machine choose on three seeds; score it on the other two, and on kinds left out."""
    kinds, known, gaps = compared(claim)
    early, late, side = (part.mean(axis=1) > 0 for part in (gaps[:, :3], gaps[:, 3:], gaps))
    asked = question(known, early)
    left_out, same = [], []
    for kind in dict.fromkeys(kinds):
        out = np.array([one == kind for one in kinds])
        seen, away = ([known[k] for k in np.flatnonzero(part)] for part in (~out, out))
        left_out += (answers(question(seen, side[~out]), away) == side[out]).tolist()
        same += (side[out] == (side[~out].mean() > 0.5)).tolist()
    return {
        "question": asked,
        "seeds": np.mean(answers(asked, known) == late),
        "seeds_same": np.mean(late == (early.mean() > 0.5)),
        "kinds": np.mean(left_out),
        "kinds_same": np.mean(same),
    }


def in_words(asked: tuple[str, float, bool]) -> str:
    """Return a machine's question as words.

    >>> in_words(("changes", 7.5, False)), in_words(("noisy", 0.5, True))
    ('at most 7 changes of the rule', 'the noisier worlds')
    """
    name, limit, above = asked
    if name in ("changes", "delay"):
        return f"{'more than' if above else 'at most'} {int(limit)} {QUESTIONS[name]}"
    return QUESTIONS[name] if above else f"all but {QUESTIONS[name]}"


def whose(claim: str, chapter: int, outcome: str) -> str:
    """Return whose condition a verdict's is, and how it fares elsewhere; empty without one.

    >>> whose("A1", 11, "only when it is volatility"), whose("S1", 2, "not supported here")
    ("The condition is the author's reading of the pieces, not tested on other streams.", '')
    """
    if not outcome.startswith("only when"):
        return ""
    said = "The condition is the author's reading of the pieces"
    if (claim, chapter) not in CONDITIONS:
        return f"{said}, not tested on other streams."
    inside, met, outside, others = where_met(claim, chapter)
    return (f"{said}. In the record's simulated worlds, which the chapter did not use, {inside} of "
            f"{met} comparisons are on the claim's side where {CONDITIONS[claim, chapter][0]}, "
            f"{outside} of {others} elsewhere.")  # fmt: skip


def claims_conditions() -> str:
    """Return the conditions that the record can test, and the machine's, as Markdown."""
    lines = [
        "| Claim | The author's condition | Met | Elsewhere | The machine's question | Seeds left "
        "out | Worlds left out |",
        "|---|---|---|---|---|---|---|",
    ]
    better = 0
    for (claim, chapter), (words, _) in sorted(CONDITIONS.items()):
        inside, met, outside, others = where_met(claim, chapter)
        found = by_machine(claim)
        better += found["kinds"] > found["kinds_same"]
        shares = [f"{100 * found[a]:.0f} % ({100 * found[b]:.0f})"
                  for a, b in (("seeds", "seeds_same"), ("kinds", "kinds_same"))]  # fmt: skip
        cells = [f"[{claim}](#claim-{claim.lower()}), chapter {chapter}", words,
                 f"{inside} of {met}", f"{outside} of {others}",
                 in_words(found["question"]), *shares]  # fmt: skip
        lines += [f"| {' | '.join(cells)} |"]
    lines += ["", f"For {better or 'none'} of these claims does the machine's question, asked of a "
              "kind of world that it has not seen, beat the same answer for all."]  # fmt: skip
    return "\n".join(lines)
