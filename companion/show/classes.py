"""Beside the error of classes: what it hides when one of them is rare."""

from __future__ import annotations

import numpy as np

from companion.comparison import Comparison

RARE = 0.1  # share of rows under which a class counts as rare


def rarest(comparison: Comparison) -> tuple[int, float] | None:
    """Return the rarest class among the scored rows and its share; None if none is rare."""
    if comparison.stream.task != "classification":
        return None
    y = next(iter(comparison.runs.values()))[0].y
    shares = np.bincount(y, minlength=len(comparison.stream.classes)) / len(y)
    present = np.flatnonzero(shares)
    code = int(present[shares[present].argmin()])
    return (code, float(shares[code])) if len(present) > 1 and shares[code] < RARE else None


def rare_class_cells(comparison: Comparison) -> list[list[str]]:
    """Return a table as text: how each strategy does on the rarest class.

    Balanced error is the mean, over the classes, of the share of each that was missed. Recall is
    the share of the rare class that was found, precision the share of right ones among those
    named. The precision–recall area is taken over the probabilities where a run has them, else
    over its answers. Means over seeds.

    Examples
    --------
    >>> from companion import Baseline, compare
    >>> from companion.stream import Stream
    >>> y = (np.arange(200) % 20 == 0).astype(int)
    >>> fraud = Stream("s", np.zeros((200, 1)), y, task="classification", classes=("no", "yes"))
    >>> for row in rare_class_cells(compare(fraud, {"majority": Baseline("majority")})):
    ...     print(row)
    ['strategy', 'balanced error', "recall of 'yes'", 'precision', 'PR area']
    ['majority', '0.500', '0.000', 'none named', '0.050']
    """
    from sklearn.metrics import average_precision_score, balanced_accuracy_score

    found = rarest(comparison)
    if found is None:
        return []
    code, _ = found
    rows = [["strategy", "balanced error", f"recall of {comparison.stream.classes[code]!r}",
             "precision", "PR area"]]  # fmt: skip
    for row in comparison.table():
        balanced, recall, precision, area = [], [], [], []
        for run in comparison.runs[row["strategy"]]:
            named, true = run.predictions == code, run.y == code
            scores = named if run.probabilities is None else run.probabilities[:, code]
            balanced.append(1 - balanced_accuracy_score(run.y, run.predictions))
            recall.append((named & true).sum() / true.sum())
            precision += [(named & true).sum() / named.sum()] if named.any() else []
            area.append(average_precision_score(true, scores))
        said = f"{np.mean(precision):.3f}" if precision else "none named"
        rows.append([
            row["strategy"], f"{np.mean(balanced):.3f}", f"{np.mean(recall):.3f}", said,
            f"{np.mean(area):.3f}",
        ])  # fmt: skip
    return rows


def calibration_sentences(comparison: Comparison, best: str) -> list[str]:
    """Say how sure the best is and how often it is right, if its probabilities are known.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> result = compare(streams.simulate(rows=400), {"no change": Baseline("no-change")},
    ...                  probabilities=True)
    >>> calibration_sentences(result, "no change")[0].partition(",")[0]
    'When no change names a class'
    """
    runs = comparison.runs[best]
    if any(run.probabilities is None for run in runs):
        return []
    sure = np.mean([run.probabilities.max(axis=1).mean() for run in runs])
    right = np.mean([1 - run.loss.mean() for run in runs])
    off = comparison.measured(best)["calibration_error"]
    return [
        f"When {best} names a class, it is sure to {100 * sure:.0f} % on average and right in "
        f"{100 * right:.0f} %; among rows of like probability the two differ by "
        f"{100 * off:.1f} points on average."
    ]


def rare_class_sentences(comparison: Comparison, best: str) -> list[str]:
    """Say in words what a small error is worth where one class is rare.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> solder = streams.solder()
    >>> rare_class_sentences(compare(solder, {"no change": Baseline("no-change")}), "no change")
    []
    """
    found = rarest(comparison)
    if found is None:
        return []
    code, share = found
    name = repr(comparison.stream.classes[code])
    runs = comparison.runs[best]
    recall = float(np.mean([np.mean(run.predictions[run.y == code] == code) for run in runs]))
    rare = f"Class {name} is rare, {100 * share:.2g} % of the rows"
    if recall == 0:
        return [
            f"{rare}, and {best} never names it in time: its small error is that of looking away, "
            "so choose by recall and the precision–recall area, not by the error."
        ]
    return [
        f"{rare}: {best} finds {100 * recall:.0f} % of it; look at recall, not only at the error."
    ]
