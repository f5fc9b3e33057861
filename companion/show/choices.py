"""What the trials on the warm-up chose for each strategy, and of how many."""

from __future__ import annotations

from companion.comparison import Comparison


def choice_cells(comparison: Comparison) -> list[list[str]]:
    """Return a table as text, best score first; empty if nothing was tuned.

    Examples
    --------
    >>> from companion import compare, streams
    >>> from companion.hybrids.tuned import Tuned
    >>> from companion.strategies import Baseline
    >>> ways = {f"{rows} labels": Baseline("rolling", rows=rows) for rows in (1, 50)}
    >>> result = compare(streams.bike_sharing(), {"rolling mean": Tuned({"labels": ways})})
    >>> for row in choice_cells(result):
    ...     print(*row, sep=" | ")
    strategy | chosen on the warm-up | of
    rolling mean | labels, 1 labels | 2 tried
    """
    rows = []
    for name in comparison.ranked():
        run = comparison.runs[name][0]
        said = next((what for _, what in run.events if ": best of " in what), "")
        if said:
            chosen, _, tried = said.partition(": best of ")
            rows.append([name, chosen, tried])
    return [["strategy", "chosen on the warm-up", "of"], *rows] if rows else []
