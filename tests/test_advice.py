"""What a strategy costs, price by price, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from companion import Comparison, Run, recommend
from companion.advice import money
from companion.intervals import block_bootstrap_interval
from companion.stream import Stream

N, WARMUP = 250, 50
Y = np.zeros(N - WARMUP)


def run(error, *, refits=0, labels=WARMUP, rows=WARMUP, seed=None, spread=0.0) -> Run:
    """Return a run whose losses have a mean and whose events and costs are chosen."""
    noise = spread * np.random.default_rng(0).permutation(np.tile([1.0, -1.0], len(Y) // 2))
    cost = {
        "fits": 1 + refits, "rows_learnt": rows, "labels_used": labels,
        "model_bytes": 10, "cpu_seconds": 0.5, "predictions": len(Y),
    }  # fmt: skip
    events = [(WARMUP, "fit"), *[(60 + k, "fit") for k in range(refits)], (99, "alarm")]
    return Run("toy", "s", WARMUP, Y, Y + error + noise, events=events, cost=cost, seed=seed)


def comparison(**runs) -> Comparison:
    stream = Stream("toy", np.zeros((N, 1)), np.zeros(N), unit="rides")
    lists = {name: each if isinstance(each, list) else [each] for name, each in runs.items()}
    return Comparison(stream, lists, {}, next(iter(lists)), None)


def rivals() -> Comparison:
    return comparison(
        frozen=run(4.0),
        refit=run(2.0, refits=8, labels=WARMUP + 120, rows=900),
        online=run(3.0, labels=WARMUP + 200, rows=WARMUP + 200),
    )


@pytest.mark.parametrize(
    ("prices", "costs"),
    [  # per 1,000 rows; 200 rows were scored
        ({}, {"frozen": 4000, "refit": 2000, "online": 3000}),
        ({"update": 7.0}, {"frozen": 4000, "refit": 2000 + 5 * 8 * 7, "online": 3000}),
        (
            {"label": 3.0},
            {"frozen": 4000, "refit": 2000 + 5 * 120 * 3, "online": 3000 + 5 * 200 * 3},
        ),
        ({"row": 0.5}, {"frozen": 4000 + 125, "refit": 2000 + 2250, "online": 3000 + 625}),
        (
            {"update": 10.0, "label": 2.0, "row": 1.0},
            {"frozen": 4000 + 250, "refit": 2000 + 400 + 1200 + 4500, "online": 3000 + 2000 + 1250},
        ),
    ],
)
@pytest.mark.parametrize("error", [1.0, 0.01])
def test_costs_are_errors_updates_labels_and_rows_at_their_prices(error, prices, costs):
    given = {f"cost_of_{name}": error * price for name, price in prices.items()}
    advice = recommend(rivals(), cost_of_error=error, **given)
    assert advice.costs == pytest.approx({name: error * cost for name, cost in costs.items()})
    assert list(advice.costs) == sorted(costs, key=costs.get)
    assert advice.best == min(costs, key=costs.get)


def test_labels_of_the_warmup_are_not_charged():
    """Neither to who used them all, nor to who could not use all of them for they came late."""
    advice = recommend(
        comparison(frozen=run(4.0), late=run(3.0, labels=WARMUP - 5)),
        cost_of_error=1, cost_of_label=1000,
    )  # fmt: skip
    assert advice.costs == pytest.approx({"late": 3000, "frozen": 4000})


def test_costs_and_errors_are_means_over_the_seeds():
    seeds = [run(1.0, refits=2, labels=WARMUP + 10, rows=100, seed=0),
             run(3.0, refits=4, labels=WARMUP + 30, rows=300, seed=1)]  # fmt: skip
    advice = recommend(
        comparison(forest=seeds), cost_of_error=1, cost_of_update=5, cost_of_label=2, cost_of_row=1
    )
    assert advice.costs["forest"] == pytest.approx(2000 + 5 * (3 * 5 + 20 * 2 + 200))
    assert advice.sure and len(advice.sentences) == 1


def test_fits_that_are_no_retraining_are_not_charged_as_updates():
    quick = run(1.0)
    quick.cost["fits"] = 200  # an online learner changes at every label
    shadow = run(2.0)
    shadow.events[1:1] = [(70, "challenger"), (75, "promoted"), (80, "refused"), (90, "swap")]
    advice = recommend(comparison(a=quick, b=shadow), cost_of_error=1, cost_of_update=100)
    assert advice.costs == pytest.approx({"a": 1000, "b": 2000 + 5 * 100})


def numbers(sentence: str) -> list[float]:
    words = sentence.replace("(", " ").replace(")", " ").replace(":", " ").split()
    return [
        float(w.strip(",.").replace(",", "")) for w in words if w[-1].isdigit() or w[0].isdigit()
    ]


@pytest.mark.parametrize("update", [0.0, 40.0])
def test_the_interval_of_a_difference_in_cost_holds_errors_and_upkeep(update):
    made = comparison(cheap=run(2.0, spread=1.5, refits=3), dear=run(2.5, refits=1))
    advice = recommend(made, cost_of_error=10, cost_of_update=update)
    costs = {"cheap": 20000 + 5 * 3 * update, "dear": 25000 + 5 * update}
    assert advice.costs == pytest.approx(costs)
    gap = made.loss("dear") - made.loss("cheap")
    low, high = block_bootstrap_interval(gap)
    fixed = costs["dear"] - costs["cheap"] - 10_000 * gap.mean()
    said = numbers(advice.sentences[1])
    expected = [costs["dear"] - costs["cheap"], 10_000 * low + fixed, 10_000 * high + fixed]
    assert [each for each in said if each != 1000] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("update", "sure"), [(0.0, True), (99.0, True), (101.0, False)])
def test_it_is_sure_only_when_the_whole_interval_is_on_one_side(update, sure):
    """Errors always differ by 1: 1,000 a 1,000 rows; two refits more cost ten of their price."""
    made = comparison(a=run(2.0, refits=2), b=run(3.0))
    advice = recommend(made, cost_of_error=1, cost_of_update=update)
    assert advice.best == ("a" if sure else "b")
    assert advice.sure
    near = recommend(comparison(a=run(2.0, spread=1.9), b=run(2.01)), cost_of_error=1)
    assert near.best == "a" and not near.sure
    assert any("cannot tell" in sentence for sentence in near.sentences)
    same = recommend(comparison(a=run(2.0), b=run(2.0)), cost_of_error=1)
    assert same.sure is False  # zero is no advantage
    cheap = recommend(made, cost_of_error=1e-6, cost_of_update=1e-6 * update)
    assert cheap.sure is True  # however small the money


def test_one_doubtful_rival_is_enough_to_be_unsure():
    for order in (("far", "near"), ("near", "far")):
        each = {"near": run(2.01, spread=1.9), "far": run(9.0)}
        advice = recommend(
            comparison(best=run(2.0), **{name: each[name] for name in order}), cost_of_error=1
        )
        assert advice.best == "best" and not advice.sure
        assert [("cannot tell" in line) for line in advice.sentences[1:]] == [True, False]


@pytest.mark.parametrize("price", [0.0, 20.0])
def test_break_even_is_the_price_at_which_both_cost_the_same(price):
    """Two refits more, 10 a 1,000 rows, save 1,000: that pays up to a price of 100."""
    made = comparison(a=run(2.0, refits=3), b=run(3.0, refits=1), c=run(5.0, refits=3))
    advice = recommend(made, cost_of_error=1, cost_of_update=price)
    (said,) = [line for line in advice.sentences if "a retraining cost more" in line]
    assert numbers(said) == [100.0]
    assert "b would be cheaper than a" in said
    even = recommend(made, cost_of_error=1, cost_of_update=100)
    assert even.costs["a"] == pytest.approx(even.costs["b"])


def test_break_even_also_where_a_retraining_is_rare():
    """One refit in six seeds, five sixths of one a 1,000 rows, saves 1,000."""
    seeds = [run(2.0, refits=int(k == 0), seed=k) for k in range(6)]
    advice = recommend(comparison(a=seeds, b=run(3.0)), cost_of_error=1)
    assert numbers(advice.sentences[-1]) == [1200.0]


@pytest.mark.parametrize(
    "prices",
    [{"cost_of_error": 0}, {"cost_of_error": -1}, {"cost_of_update": -1}, {"cost_of_label": -1},
     {"cost_of_row": -1}],
)  # fmt: skip
def test_prices_are_not_below_zero_and_errors_are_not_free(prices):
    name, value = next(iter(prices.items()))
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        recommend(rivals(), **{"cost_of_error": 1, **prices})


def test_advice_reads_line_by_line():
    advice = recommend(rivals(), cost_of_error=1)
    assert str(advice) == repr(advice) == "\n".join(advice.sentences)
    assert numbers(advice.sentences[0]) == [2000.0, 1000.0]
    assert "than online" in advice.sentences[1] and numbers(advice.sentences[1])[0] == 1000
    assert "than frozen" in advice.sentences[3] and numbers(advice.sentences[3])[0] == 2000


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (100.0, "100"), (99.96, "100.0"), (12.34, "12.3"), (10, "10.0"),
     (1.234, "1.23"), (0.1234, "0.123"), (-0.0001, "0.000"), (-5.0, "-5.00"), (-1234.0, "-1,234")],
)  # fmt: skip
def test_money_has_about_four_digits(value, text):
    assert money(value) == text
