"""The usual rivals: who takes part where, and with which numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import drifting
from river import tree
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from companion import (
    Baseline,
    Blend,
    ChampionChallenger,
    Online,
    Paired,
    PerKey,
    Residual,
    Scheduled,
    Static,
    Triggered,
    prequential,
)
from companion.lineups import BASELINES, FAMILIES, HYBRIDS, record_lineup, table_lineup

NUMBERS, CLASSES = drifting(200), drifting(200, classes=2)


def names(strategies) -> dict[str, type]:
    return {name: type(strategy) for name, strategy in strategies.items()}


def test_a_table_of_numbers_meets_baselines_lines_trees_and_hybrids():
    lineup = table_lineup(NUMBERS)
    assert names(lineup) == {
        "no change": Baseline,
        "rolling mean of 14": Baseline,
        "frozen linear": Static,
        "refit linear": Scheduled,
        "online linear": Online,
        "triggered linear": Triggered,
        "frozen linear, corrected online": Residual,
        "frozen linear, corrected per key": PerKey,
        "frozen boosting": Static,
        "refit boosting": Scheduled,
    }
    assert list(table_lineup(NUMBERS, quick=True)) == list(lineup)[:5]
    without = table_lineup(replace(NUMBERS, key=None))
    assert set(lineup) - set(without) == {"frozen linear, corrected per key"}
    baseline = lineup["rolling mean of 14"]
    assert (baseline.kind, baseline.rows) == ("rolling", 14)
    assert lineup["no change"].kind == "no-change"
    for name in ("refit linear", "refit boosting"):
        assert (lineup[name].every, lineup[name].window) == (10, 40)
    assert lineup["triggered linear"].window == 40
    for name in ("frozen linear", "refit linear", "triggered linear"):
        scaler, line = (step for _, step in lineup[name].model.steps)
        assert type(scaler) is StandardScaler and type(line) is LinearRegression
    assert type(lineup["frozen boosting"].model) is HistGradientBoostingRegressor
    assert type(lineup["refit boosting"].model) is HistGradientBoostingRegressor
    per_key, residual = list(lineup.values())[7], list(lineup.values())[6]
    assert per_key.after == 5
    assert [type(part) for part in (per_key.shared, per_key.pattern)] == [Static, Online]
    assert [type(part) for part in (residual.main, residual.corrector)] == [Static, Online]
    assert type(residual.main.model[-1]) is type(per_key.shared.model[-1]) is LinearRegression


def test_a_table_of_classes_meets_the_majority_and_no_corrector():
    lineup = table_lineup(CLASSES)
    assert names(lineup) == {
        "no change": Baseline,
        "majority": Baseline,
        "frozen linear": Static,
        "refit linear": Scheduled,
        "online linear": Online,
        "triggered linear": Triggered,
        "frozen boosting": Static,
        "refit boosting": Scheduled,
    }
    assert lineup["majority"].kind == "majority"
    assert type(lineup["frozen linear"].model[-1]) is LogisticRegression
    assert lineup["frozen linear"].model[-1].max_iter == 1000
    assert type(lineup["frozen boosting"].model) is HistGradientBoostingClassifier


def test_a_short_table_is_refitted_after_each_row_on_ten_at_least():
    lineup = table_lineup(drifting(19), quick=True)
    assert (lineup["refit linear"].every, lineup["refit linear"].window) == (1, 10)
    assert table_lineup(drifting(41), quick=True)["refit linear"].every == 2
    assert table_lineup(drifting(61), quick=True)["refit linear"].window == 12


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_online_line_fits_the_number_of_classes(classes):
    """It learns well enough to beat the plainest rival."""
    stream = drifting(400, classes=classes)
    stream = stream.take(slice(0, 200))  # before the turn
    plain = Baseline("majority" if classes else "mean")
    online = table_lineup(stream, quick=True)["online linear"]
    ours, theirs = (prequential(each, stream).loss.mean() for each in (online, plain))
    assert ours < 0.8 * theirs
    kinds = {0: "TargetStandardScaler", 2: "LogisticRegression", 3: "SoftmaxRegression"}
    first, cut, last = online.model.steps.values()
    assert (type(first).__name__, type(last).__name__) == ("StandardScaler", kinds[classes])
    assert cut.transform_one({"a": -9.0, "b": 4.0, "c": 900.0}) == {"a": -5, "b": 4, "c": 5}
    if not classes:
        assert last.regressor.clip_gradient == 10
        assert last.regressor.intercept_lr.learning_rate == 0.03
        assert last.regressor.optimizer.learning_rate == 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_the_record_of_numbers_has_every_kind_of_strategy(family):
    lineup = record_lineup(NUMBERS, 80, family)
    assert names(lineup) == {
        "no change": Baseline,
        "rolling mean": Baseline,
        "mean": Baseline,
        "frozen": Static,
        "refit": Scheduled,
        "triggered": Triggered,
        "online": Online,
        "residual": Residual,
        "blend": Blend,
        "per key": PerKey,
        "paired": Paired,
        "champion": ChampionChallenger,
    }
    assert [lineup[name].kind for name in ("no change", "rolling mean", "mean")] == [
        "no-change", "rolling", "mean",
    ]  # fmt: skip
    assert lineup["rolling mean"].rows == 14
    assert (lineup["refit"].every, lineup["refit"].window) == (20, 80)
    assert (lineup["triggered"].window, lineup["triggered"].wait) == (50, 50)
    champion = lineup["champion"]
    assert (champion.every, champion.window, champion.shadow) == (20, 80, 10)
    assert lineup["per key"].after == 5
    batch = {"linear": Ridge, "tree": DecisionTreeRegressor}[family]
    for strategy in (
        lineup["frozen"], lineup["refit"], lineup["triggered"], lineup["residual"].main,
        lineup["per key"].shared, champion.champion, champion.pattern,
        lineup["blend"].members()[0],
    ):  # fmt: skip
        model = strategy.model
        assert type(model[-1] if family == "linear" else model) is batch
    by_row = lineup["online"].model
    for strategy in (
        lineup["residual"].corrector, lineup["per key"].pattern, lineup["blend"].members()[1],
        lineup["paired"].stable, lineup["paired"].reactive,
    ):  # fmt: skip
        assert list(strategy.model.steps) == list(by_row.steps)
    assert list(lineup["blend"].experts) == ["frozen", "online"]
    assert list(by_row.steps)[0] == "StandardScaler"
    if family == "tree":
        assert lineup["frozen"].model.min_samples_leaf == 20
        assert lineup["frozen"].model.random_state == 0
        inner = list(by_row.steps.values())[-1].regressor
        assert type(inner) is tree.HoeffdingAdaptiveTreeRegressor and inner.seed == 0
    else:
        assert type(lineup["frozen"].model[0]) is StandardScaler
    assert set(lineup) <= {*BASELINES, *HYBRIDS, "frozen", "refit", "triggered", "online"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_record_of_classes_leaves_out_what_adds_numbers(family):
    lineup = record_lineup(CLASSES, 80, family)
    assert set(record_lineup(NUMBERS, 80, family)) - set(lineup) == {
        "rolling mean", "mean", "residual",
    }  # fmt: skip
    assert lineup["majority"].kind == "majority"
    model = lineup["frozen"].model
    if family == "tree":
        assert type(model) is DecisionTreeClassifier
        assert (model.min_samples_leaf, model.random_state) == (20, 0)
        last = list(lineup["online"].model.steps.values())[-1]
        assert type(last) is tree.HoeffdingAdaptiveTreeClassifier and last.seed == 0
    else:
        assert type(model[-1]) is LogisticRegression and model[-1].max_iter == 1000
        assert list(lineup["online"].model.steps) == ["StandardScaler", "LogisticRegression"]


def test_numbers_of_the_record_grow_with_the_warmup():
    long, short = record_lineup(NUMBERS, 800), record_lineup(NUMBERS, 3)
    assert (long["refit"].every, long["triggered"].window, long["champion"].shadow) == (
        200,
        200,
        100,
    )
    assert (short["refit"].every, short["refit"].window) == (1, 10)
    assert (short["champion"].every, short["champion"].window, short["champion"].shadow) == (
        1,
        10,
        10,
    )
    odd = record_lineup(NUMBERS, 103)
    assert (odd["refit"].every, odd["champion"].every, odd["champion"].shadow) == (25, 25, 12)


def test_two_keys_are_enough_and_one_is_none():
    pair = np.tile(["ann", "bob"], 100)
    assert "per key" in record_lineup(replace(NUMBERS, key=pair), 80)
    alone = replace(NUMBERS, key=np.full(200, "ann"))
    assert "per key" not in record_lineup(alone, 80)
    assert "per key" not in record_lineup(replace(NUMBERS, key=None), 80)
    with pytest.raises(ValueError, match="no family 'forest'; choose 'linear' or 'tree'"):
        record_lineup(NUMBERS, 80, "forest")
    assert type(record_lineup(NUMBERS, 80)["frozen"].model[-1]) is Ridge
