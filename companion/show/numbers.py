"""Beside the absolute error of numbers: how large the large errors are, and to which side."""

from __future__ import annotations

from companion.comparison import Comparison, digits_for


def number_cells(comparison: Comparison, most: int = 6) -> list[list[str]]:
    """Return a table as text: other measures of the best strategies; empty for classes.

    The root mean squared error weighs large errors more; the bias is the mean of prediction minus
    label; the last column is the error as a share of that of no change on the same rows (a mean
    absolute scaled error). Means over seeds.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> lineup = {"no change": Baseline("no-change"), "mean": Baseline("mean")}
    >>> for row in number_cells(compare(streams.bike_sharing(), lineup)):
    ...     print(*row, sep=" | ")
    strategy | root mean squared error | bias | share of no change
    no change | 1,129 | 3 | 1.000
    mean | 3,085 | -2,557 | 3.426
    """
    if comparison.stream.task != "regression":
        return []
    names = [name for name in comparison.ranked() if comparison.diverged(name) is None][:most]
    also = {"no change"} & comparison.runs.keys()
    measured = {name: comparison.measured(name) for name in [*names, *also]}
    unchanged = measured["no change"]["mae"] if also else 0.0
    head = ["strategy", "root mean squared error", "bias", "share of no change"]
    rows = [head if unchanged else head[:-1]]
    digits = digits_for(measured[names[0]]["mae"]) if names else 0
    for name in names:
        its = measured[name]
        row = [name, f"{its['rmse']:,.{digits}f}", f"{its['bias']:z,.{digits}f}"]
        rows.append([*row, f"{its['mae'] / unchanged:.3f}"] if unchanged else row)
    return rows if names else []
