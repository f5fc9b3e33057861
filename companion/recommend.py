"""Which strategy pays: errors, updates and labels weighed in money, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from companion.compare import Comparison, digits_for


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
