"""What a comparison says, in plain words: which strategy is best, and which one pays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from companion.comparison import Comparison, digits_for
from companion.intervals import too_narrow
from companion.measures import weights_of
from companion.metrics import rolling_mean
from companion.rivals import KINDS, kind_of

NEAR = 1.02  # times the smallest error: what is within it may be called as good


@dataclass(frozen=True)
class Recommendation:
    """What to run, what it costs, and how sure that is.

    Attributes
    ----------
    best : str
        The cheapest strategy in the comparison.
    sure : bool
        Whether its advantage over every other strategy is clear of zero.
    costs : dict of str to float
        Cost of each strategy per 1,000 rows, cheapest first.
    sentences : list of str

    Examples
    --------
    >>> Recommendation("online", True, {"online": 5.0}, ["online is the cheapest."])
    online is the cheapest.
    """

    best: str
    sure: bool
    costs: dict[str, float]
    sentences: list[str]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    __repr__ = __str__


def recommend(
    comparison: Comparison,
    *,
    cost_of_error: float,
    cost_of_update: float = 0.0,
    cost_of_label: float = 0.0,
    cost_of_row: float = 0.0,
) -> Recommendation:
    """Weigh errors against updates and labels, and say which strategy pays.

    Parameters
    ----------
    comparison : Comparison
    cost_of_error : float
        Cost of one unit of loss: of one unit of absolute error, or of one wrong class.
    cost_of_update : float
        Cost of one retraining after the warm-up (people, checks, computing). Learning row by row
        is no retraining; its computing is ``cost_of_row``.
    cost_of_label : float
        Cost of one label that a strategy uses after the warm-up.
    cost_of_row : float
        Cost of showing a model one row.

    Returns
    -------
    Recommendation
        ``sure`` is False, and the words are "cannot tell", when the interval of the difference
        in cost to some other strategy holds zero.

    Raises
    ------
    ValueError
        If a cost is negative, or errors cost nothing.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> rivals = {"no change": Baseline("no-change"), "mean": Baseline("mean")}
    >>> print(recommend(compare(streams.bike_sharing(), rivals), cost_of_error=0.01))
    no change is the cheapest: 7,802 per 1,000 rows.
    It costs 18,927 less per 1,000 rows than mean (9,983 to 29,239).
    """
    prices = {
        "error": cost_of_error, "update": cost_of_update, "label": cost_of_label,
        "row": cost_of_row,
    }  # fmt: skip
    for name, price in prices.items():
        if price < 0 or (name == "error" and price == 0):
            raise ValueError(f"cost_of_{name} is {price}; give a cost above zero")
    known = {name: upkeep(comparison, name, prices) for name in comparison.runs}
    costs = {
        name: 1000 * cost_of_error * comparison.score(name) + known[name]
        for name in comparison.runs
    }
    costs = dict(sorted(costs.items(), key=lambda item: item[1]))
    best, *others = costs
    sentences = [f"{best} is the cheapest: {money(costs[best])} per 1,000 rows."]
    sure = True
    for name in others:
        gap = comparison.difference(name, best)
        scale, fixed = 1000 * cost_of_error, known[name] - known[best]
        low, high = gap.low * scale + fixed, gap.high * scale + fixed
        middle = gap.value * scale + fixed
        span = f"({money(low)} to {money(high)})"
        if low > 0:
            sentences.append(f"It costs {money(middle)} less per 1,000 rows than {name} {span}.")
        else:
            sure = False
            sentences.append(
                f"Whether it costs less than {name} we cannot tell: {money(middle)} {span}."
            )
        sentences += break_even(comparison, best, name, costs, cost_of_update)
    return Recommendation(best, sure, costs, sentences)


def upkeep(comparison: Comparison, name: str, prices: dict[str, float]) -> float:
    """Return what a strategy costs per 1,000 rows besides its errors."""
    run, costs = comparison.runs[name][0], comparison.costs(name)
    labels = max(0.0, costs["labels_used"] - run.first)
    total = (
        prices["update"] * costs["retrainings"]
        + prices["label"] * labels
        + prices["row"] * costs["rows_learnt"]
    )
    return 1000 * total / len(run.y)


def break_even(
    comparison: Comparison, best: str, other: str, costs: dict[str, float], price: float
) -> list[str]:
    """Say at which price of a retraining the two would cost the same, if there is one."""
    more = comparison.costs(best)["retrainings_per_1000"]
    more -= comparison.costs(other)["retrainings_per_1000"]
    if more <= 0:
        return []
    even = price + (costs[other] - costs[best]) / more
    return [f"If a retraining cost more than {money(even)}, {other} would be cheaper than {best}."]


def money(value: float) -> str:
    """Return an amount with about four digits."""
    return f"{value:z,.{digits_for(value)}f}"


def answer(result: Comparison) -> list[str]:
    """Say in plain words what a comparison of rivals shows, and what to do next.

    Parameters
    ----------
    result : Comparison
        As :func:`companion.rivals.race` gives it.

    Returns
    -------
    list of str
        Sentences. "As good" means that the interval of the difference holds zero, and that the
        error is at most 2 % larger.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> lineup = {"no change": Baseline("no-change"), "mean so far": Baseline("mean")}
    >>> print(answer(compare(streams.bike_sharing(), lineup))[1])
    It beats mean so far, clear of zero.
    """
    best, *others = [name for name in result.ranked() if result.diverged(name) is None]
    near = as_good(result)
    sentences = [f"The smallest error has {best}: {amount(result, result.score(best))}."]
    equals = [name for name in others if result.difference(name, best).low <= 0]
    if not equals and others:
        all_others = f"all {len(others)} others, each" if len(others) > 1 else f"{others[0]},"
        sentences.append(f"It beats {all_others} clear of zero.")
    if equals:
        sentences.append(f"We cannot tell it from {listed(equals)}: the intervals hold zero.")
    gaps = [result.difference(name, best) for name in equals or others]
    alike = max(gaps, key=lambda gap: gap.lag_one, default=None)
    sentences += filter(None, [alike and too_narrow(alike.lag_one, alike.rows)])
    simple = simplest(near)
    if simple != best:
        sentences.append(f"The simplest that is as good is {simple}.")
    sentences += against_no_model(result, best)
    sentences += who_loses(result, simple)
    sentences += [in_each_tenth(result, simple), what_to_do(result, simple), alarm(result, simple)]
    sentences += [said_of_changes(result)]
    for name in result.runs:
        if result.diverged(name) is not None:
            sentences.append(
                f"{name} diverged at row {result.diverged(name):,}: leave it out, or standardise "
                "its features and lower its learning rate."
            )
    return [said for said in sentences if said]


def as_good(result: Comparison) -> list[str]:
    """Return the best, and those that cannot be told from it and are hardly worse."""
    best, *others = [name for name in result.ranked() if result.diverged(name) is None]
    limit = NEAR * result.score(best)
    return [best] + [
        name for name in others
        if result.score(name) <= limit and result.difference(name, best).low <= 0
    ]  # fmt: skip


def amount(result: Comparison, value: float) -> str:
    """Return a loss with its unit."""
    return f"{value:,.4g} {result.unit}".rstrip()


def listed(names: list[str], most: int = 4) -> str:
    """Return names as a list in words, the first few by name."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def simplest(names: list[str]) -> str:
    """Return the first of the names whose way to meet time is the simplest.

    Examples
    --------
    >>> simplest(["blend of all", "refit boosting, window", "frozen boosting", "frozen linear"])
    'frozen boosting'
    """
    return min(names, key=lambda name: KINDS.index(kind_of(name)))


def against_no_model(result: Comparison, best: str) -> list[str]:
    """Say whether the best beats the best guess that needs no model."""
    guesses = [name for name in result.ranked() if kind_of(name) == "none"]
    if not guesses:
        return []
    if best in guesses:
        if any("boosting" in name for name in result.runs):
            return ["No model earned its keep here: the best guess needs none."]
        return ["No line earned its keep here; stronger models were not tried (leave out --quick)."]
    gap = result.difference(guesses[0], best)
    numbers = f"{gap.value:,.4g} ({gap.low:,.4g} to {gap.high:,.4g})"
    if gap.low > 0:
        return [f"{best} beats the best guess without a model, {guesses[0]}, by {numbers}."]
    return [f"Whether {best} beats {guesses[0]}, which needs no model, we cannot tell: {numbers}."]


def who_loses(result: Comparison, name: str) -> list[str]:
    """Say for how many keys the best guess without a model would be better, and for whom most."""
    guesses = [guess for guess in result.ranked() if kind_of(guess) == "none"]
    if result.stream.key is None or not guesses or name in guesses:
        return []
    first = result.runs[name][0].first
    keys, codes = np.unique(np.asarray(result.stream.key)[first:], return_inverse=True)
    if len(keys) < 2:
        return []
    gain = result.loss(guesses[0]) - result.loss(name)
    weights = np.bincount(codes, weights_of(result.runs[name][0], result.stream))
    mean_gain = np.bincount(codes, gain) / np.where(weights, weights, 1.0)
    losers = np.flatnonzero(mean_gain < 0)
    if not len(losers):
        return [f"All {len(keys)} keys are served better than by {guesses[0]}."]
    worst = keys[mean_gain.argmin()]
    return [
        f"For {len(losers)} of {len(keys)} keys {guesses[0]} is better than {name}, most for "
        f"{worst} (by {amount(result, -mean_gain.min())})."
    ]


def in_each_tenth(result: Comparison, name: str) -> str:
    """Say in how many tenths of the scored rows a strategy beats the best of another kind."""
    other = next((each for each in result.ranked() if kind_of(each) != kind_of(name)), None)
    if other is None:
        return ""
    gain = result.loss(other) - result.loss(name)
    better = sum(part.mean() > 0 for part in np.array_split(gain, min(10, len(gain))))
    parts = "tenths of the rows" if len(gain) >= 10 else "rows"
    return (
        f"In {better} of {min(10, len(gain))} {parts} {name} errs less than {other}, the best of "
        "another kind."
    )


def said_of_changes(result: Comparison) -> str:
    """Say where the reference's errors left their level."""
    if result.diverged(result.reference) is not None:
        return ""
    rows, time = result.changes, result.stream.time
    who = f"the errors of {result.reference}"
    if not rows:
        return f"ADWIN finds no change of level in {who}."
    where = [
        f"row {row:,}" if time is None else f"row {row:,} ({np.datetime_as_string(time[row], 'D')})"
        for row in rows
    ]
    return f"ADWIN finds a change of level in {who} at {listed(where)}."


def what_to_do(result: Comparison, name: str) -> str:
    """Say what running a strategy means, week by week."""
    run = result.runs[name][0]
    fits = max(0, round(result.costs(name)["retrainings"]))
    every = len(run.y) // fits if fits else len(run.y)
    chosen = next((what for _, what in run.events if "best of" in what), "")
    what = {
        "none": f"Next: use {name}; it needs the labels and no model.",
        "frozen": f"Next: fit {name} once; what it remembers of the labels must stay up to date.",
        "refit": f"Next: run {name}, and fit it again after every {every:,} labels.",
        "triggered": f"Next: run {name}: fit again when its detector rings ({fits} times here).",
        "online": f"Next: run {name}, and let it learn each label as it arrives.",
        "hybrid": f"Next: run {name}: its members run side by side, and are heard by their errors.",
    }[kind_of(name)]
    return what + (f" The warm-up chose: {chosen}." if chosen else "")


def alarm_level(result: Comparison, name: str) -> tuple[float, int]:
    """Return the mean loss that one in a hundred windows exceeded, and the window's rows."""
    loss = result.loss(name)
    window = max(1, min(len(loss), max(30, len(loss) // 50)))
    return float(np.quantile(rolling_mean(loss, window)[window - 1 :], 0.99)), window


def alarm(result: Comparison, name: str) -> str:
    """Say at which error to ring: what one in a hundred windows of the scored rows exceeded."""
    level, window = alarm_level(result, name)
    return (
        f"Set an alarm at a {result.loss_name} of {amount(result, level)} over {window:,} rows: "
        "here one window in a hundred lay above it."
    )
