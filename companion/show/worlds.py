"""How the winner's lead fares in other worlds: other rows, other blocks, another warm-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from companion.comparison import Comparison, compare, digits_for
from companion.memory import usual_memory
from companion.rivals import FOLLOWERS, kind_of, one_thread, rivals, run_rivals
from companion.stream import Stream

SAME = "the same"


def the_few(comparison: Comparison) -> list[str]:
    """Return the best strategy, the best guess without a model, and the best frozen model."""
    ranked = [name for name in comparison.ranked() if comparison.diverged(name) is None]
    firsts = [[name for name in ranked if kind_of(name) == kind][:1] for kind in ("none", "frozen")]
    return list(dict.fromkeys([*ranked[:1], *firsts[0], *firsts[1]]))


def best_of(comparison: Comparison, rows: slice) -> str:
    """Return which strategy has the smallest mean loss on some rows."""
    names = [name for name in comparison.runs if comparison.diverged(name) is None]
    return min(names, key=lambda name: comparison.loss(name)[rows].mean())


def world_cells(
    comparison: Comparison, again: Mapping[str, Comparison] | None = None
) -> list[list[str]]:
    """Return a table as text: who is best in each world, and the first winner's lead there.

    The losses of the run say what leaving scored rows out, or other blocks, would change; what
    another warm-up changes, :func:`run_again` finds out.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> lineup = {"no change": Baseline("no-change"), "frozen mean": Baseline("mean")}
    >>> for row in world_cells(compare(streams.bike_sharing(), lineup)):
    ...     print(*row, sep=" | ")
    world | best | lead over frozen mean
    as compared | no change | 1,893 (998 to 2,924)
    first tenth of the scored rows left out | the same | 1,901 (950 to 3,092)
    last tenth left out | the same | 1,934 (821 to 2,828)
    blocks of 53 rows, not 107 | the same | 1,893 (1,212 to 2,638)
    blocks of 214 rows, not 107 | the same | 1,893 (763 to 2,987)
    """
    if len(the_few(comparison)) < 2:
        return []
    best, *others = the_few(comparison)
    everything, tenth = slice(None), len(comparison.loss(best)) // 10
    block = comparison.difference(others[0], best).block
    worlds = {
        "as compared": (comparison, everything),
        "first tenth of the scored rows left out": (comparison, slice(tenth, None)),
        "last tenth left out": (comparison, slice(0, len(comparison.loss(best)) - tenth)),
        **{
            f"blocks of {length:,} rows, not {block:,}": (
                replace(comparison, block=length), everything,
            )
            for length in (max(1, block // 2), 2 * block)
        },
        **{world: (one, everything) for world, one in (again or {}).items()},
    }  # fmt: skip
    digits = digits_for(comparison.score(best))

    def lead(one: Comparison, other: str, rows: slice) -> str:
        if not {best, other} <= one.runs.keys():
            return "not run there"
        gap = one.difference(other, best, rows)
        return f"{gap.value:z,.{digits}f} ({gap.low:z,.{digits}f} to {gap.high:z,.{digits}f})"

    head = ["world", "best", *(f"lead over {other}" for other in others)]
    body = []
    for world, (one, rows) in worlds.items():
        first = best_of(one, rows)
        said = SAME if body and first == best else first
        body.append([world, said, *(lead(one, other, rows) for other in others)])
    return [head, *body]


def world_title(cells: list[list[str]]) -> str:
    """Say in how many of the other worlds the winner stays the best.

    Examples
    --------
    >>> world_title([["world", "best"], ["as compared", "a"], ["rows left out", "the same"]])
    'In 1 of 1 other worlds a stays the best'
    """
    _, (_, best, *_), *others = cells
    stays = sum(row[1] == SAME for row in others)
    return f"In {stays} of {len(others)} other worlds {best} stays the best"


def ran_again(comparison: Comparison) -> list[str] | None:
    """Return which strategies run again in other worlds; None: all, since the best follows all."""
    few = the_few(comparison)
    return None if few[0] in FOLLOWERS else few


def run_again(
    stream: Stream,
    comparison: Comparison,
    setting: Mapping[str, Any],
    *,
    each: Callable[[str], None] = lambda world: None,
    **options: Any,
) -> dict[str, Comparison]:
    """Run the winner and those it is held against with other warm-ups, and on later rows alone.

    Parameters
    ----------
    stream : Stream
        Without memory, as the comparison's own was.
    comparison : Comparison
    setting : mapping
        ``warmup``, ``label_delay``, ``quick`` and ``own``, as for :func:`companion.rivals.race`.
    each : callable, optional
        Called with each world's name before it runs.
    options
        As for :func:`companion.compare`.

    Returns
    -------
    dict of str to Comparison

    Examples
    --------
    >>> from companion import compare, streams
    >>> bikes, setting = streams.bike_sharing().take(slice(0, 200)), {"quick": True, "warmup": 0.2}
    >>> remembering = usual_memory(bikes, 0.2)
    >>> result = compare(remembering, {"no change": rivals(remembering)["no change"]})
    >>> [len(one.loss("no change")) for one in run_again(bikes, result, setting).values()]
    [180, 140, 144]
    """
    share, names = setting["warmup"], ran_again(comparison)
    worlds = {
        f"warm-up of {100 * part:.3g} %, not {100 * share:.3g}": (stream, part)
        for part in (share / 2, min(1.5 * share, (1 + share) / 2))
    }
    later = stream.take(slice(len(stream) // 10, None))
    worlds["first tenth of the table left out"] = (later, share)
    found = {}
    for world, (rows, part) in worlds.items():
        each(world)
        how = {**setting, "warmup": part}
        waits = how.get("label_delay", 0)
        remembering = usual_memory(rows, part, waits)
        lineup = rivals(remembering, **how)
        timing = {"warmup": part, "label_delay": waits, **options}
        if names is None:
            one = run_rivals(remembering, lineup, **timing)
        else:
            lineup = {name: lineup[name] for name in names if name in lineup}
            with one_thread():
                one = compare(remembering, lineup, seeds=range(1), **timing)
        found[world] = replace(one, measure=comparison.measure)
    return found
