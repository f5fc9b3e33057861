"""The winner's lead in other worlds: what its losses say, and what is run again."""

from __future__ import annotations

import numpy as np
import pytest

from companion import streams
from companion.comparison import Comparison
from companion.evaluation import Run
from companion.intervals import block_bootstrap_interval
from companion.memory import usual_memory
from companion.rivals import rivals as every_rival
from companion.rivals import run_rivals
from companion.show import worlds
from companion.show.worlds import world_cells, world_title
from companion.stream import Stream


def planted(**losses: np.ndarray) -> Comparison:
    """Return a comparison of runs that have these losses."""
    n = len(next(iter(losses.values())))
    stream = Stream("toy", np.zeros((n + 1, 1)), np.arange(n + 1.0))
    runs = {name: [Run("toy", name, 1, np.zeros(n), loss)] for name, loss in losses.items()}
    return Comparison(stream, runs, {}, next(iter(losses)))


def test_rows_left_out_change_the_best_where_they_decide():
    rng = np.random.default_rng(0)
    frozen = rng.uniform(1, 2, 1_000)
    late = np.r_[frozen[:950] + 0.05, np.zeros(50)]  # better in the last rows alone
    result = planted(**{"frozen linear": frozen, "online linear": late, "no change": frozen + 0.5})
    cells = world_cells(result)
    best = {row[0]: row[1] for row in cells[1:]}
    assert best["as compared"] == "online linear"
    assert best["last tenth left out"] == "frozen linear"
    assert best["first tenth of the scored rows left out"] == "the same"
    assert world_title(cells) == "In 3 of 4 other worlds online linear stays the best"
    # the leads are those of the rows that are left, their intervals those of the bootstrap
    gap = (result.loss("no change") - result.loss("online linear"))[100:]
    low, high = block_bootstrap_interval(gap)
    (row,) = [row for row in cells if row[0].startswith("first tenth")]
    assert row[2] == f"{gap.mean():.2f} ({low:.2f} to {high:.2f})"


def test_other_blocks_change_the_interval_alone():
    rng = np.random.default_rng(0)
    walk = np.abs(np.cumsum(rng.normal(size=800)))
    cells = world_cells(planted(**{"no change": walk, "frozen linear": rng.uniform(0, 5, 800)}))
    leads = [row[2] for row in cells if row[0] == "as compared" or row[0].startswith("blocks")]
    assert len({lead.split()[0] for lead in leads}) == 1
    assert len(set(leads)) == 3


def test_one_strategy_has_no_lead_and_those_that_diverged_have_none():
    assert world_cells(planted(**{"no change": np.full(30, 1e9), "mean": np.full(30, 1e9)})) == []
    assert world_cells(planted(**{"no change": np.arange(30.0)})) == []


@pytest.mark.parametrize("follows", [False, True])
def test_what_runs_again_is_what_a_comparison_there_gives(follows, monkeypatch):
    """The few alone; all of them if the best follows the others."""
    few_rivals = lambda *rows, **how: {  # noqa: E731
        name: one for name, one in every_rival(*rows, **how).items()
        if name in ("no change", "mean so far", "frozen linear")
    }  # fmt: skip
    monkeypatch.setattr(worlds, "rivals", few_rivals)
    bikes = streams.bike_sharing().take(slice(0, 240))
    setting = {"quick": True, "warmup": 0.2, "label_delay": 3}

    def there(warmup: float, rows: Stream) -> Comparison:
        remembering = usual_memory(rows, warmup, 3)
        lineup = few_rivals(remembering, **setting | {"warmup": warmup})
        return run_rivals(remembering, lineup, warmup=warmup, label_delay=3)

    result = there(0.2, bikes)
    few = ["no change", "frozen linear"]
    monkeypatch.setattr(worlds, "the_few", lambda _: ["blend of all", *few] if follows else few)
    told = []
    again = worlds.run_again(bikes, result, setting, each=told.append)
    assert told == list(again)
    later = bikes.take(slice(24, None))
    for one, (warmup, rows) in zip(
        again.values(), [(0.1, bikes), (0.3, bikes), (0.2, later)], strict=True
    ):
        expected = there(warmup, rows)
        assert set(one.runs) == set(expected.runs if follows else few)
        for name in one.runs:
            np.testing.assert_array_equal(one.loss(name), expected.loss(name))
