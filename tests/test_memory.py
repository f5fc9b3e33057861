"""Moving memory holds what was known of the labels before each row, and nothing later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from companion import Static, prequential
from companion.checks import delays, toy_stream
from companion.evaluation import arrivals
from companion.memory import (
    EVERY_KEY,
    LAST,
    MEAN,
    MEDIAN,
    MEMORY,
    SEASON,
    SEASONS,
    SHRINK,
    SO_FAR,
    calendar_columns,
    cycles_of,
    season_of,
    usual_memory,
    with_memory,
)  # fmt: skip
from companion.stream import Stream

DELAYS = list(delays(toy_stream()))
KINDS = [(0, False), (0, True), (2, True), (4, False)]


def column(stream: Stream, what: str) -> np.ndarray:
    return stream.X[:, stream.features.index(MEMORY + what)]


def plain(classes: int, keyed: bool) -> Stream:
    stream = toy_stream(classes)
    return stream if keyed else replace(stream, key=None)


def known_before(stream: Stream, delay, row: int, key=None) -> list[int]:
    """Return the rows whose labels are known before a row, in order of arrival: the slow way."""
    order, known_from = arrivals(stream, delay)
    return [
        int(label) for label, start in zip(order, known_from, strict=True)
        if start <= row and (key is None or stream.key[label] == key)
    ]  # fmt: skip


@pytest.mark.parametrize("delay", DELAYS, ids=["none", "rows", "hours", "each"])
@pytest.mark.parametrize("keyed", [False, True])
def test_every_column_is_what_a_slow_reading_of_the_past_gives(delay, keyed):
    stream = plain(0, keyed)
    remembering = with_memory(stream, delay, lags=2)
    for row in range(40, len(stream)):
        everybody = stream.y[known_before(stream, delay, row)]
        mine = everybody
        if keyed:
            mine = stream.y[known_before(stream, delay, row, stream.key[row])]
            assert column(remembering, LAST + EVERY_KEY)[row] == everybody[-1]
        so_far = mine.mean()
        if keyed:
            so_far = (mine.sum() + SHRINK * everybody.mean()) / (len(mine) + SHRINK)
        right = {
            LAST: mine[-1],
            "label 2 back": mine[-2] if len(mine) > 1 else mine[-1],
            MEAN: mine[-14:].mean(),
            MEDIAN: np.median(mine[-14:]),
            SO_FAR: so_far,
        }
        for what, value in right.items():
            assert column(remembering, what)[row] == pytest.approx(value), (row, what)


@pytest.mark.parametrize("delay", DELAYS, ids=["none", "rows", "hours", "each"])
@pytest.mark.parametrize(("classes", "keyed"), KINDS)
def test_no_later_label_changes_an_earlier_row(delay, classes, keyed):
    stream = plain(classes, keyed)
    cut = 90
    shuffled = stream.y.copy()
    shuffled[cut:] = np.random.default_rng(1).permutation(stream.y[cut:])
    assert (shuffled != stream.y).any()
    for season in (None, 7, "7D"):
        was, now = (
            with_memory(replace(stream, y=y), delay, season=season, calendar=("day", "week")).X
            for y in (stream.y, shuffled)
        )
        assert (was[: cut + 1] == now[: cut + 1]).all()
        assert np.isfinite(was).all()


def test_rows_of_one_time_do_not_know_each_others_labels():
    days = np.repeat(np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]"), 4)
    stream = Stream("shops", np.zeros((40, 1)), np.arange(40.0), time=days)
    assert column(with_memory(stream), LAST)[4:12].tolist() == [3.0] * 4 + [7.0] * 4
    assert column(with_memory(stream, "0rows"), LAST)[4:8].tolist() == [3.0, 4.0, 5.0, 6.0]


def test_before_the_first_label_is_known_a_row_holds_that_label():
    stream = Stream("toy", np.zeros((6, 1)), np.arange(5.0, 11.0))
    assert column(with_memory(stream, 3), LAST).tolist() == [5, 5, 5, 5, 6, 7]


def test_a_new_key_starts_from_the_mean_of_all_keys():
    key = np.array(["ann"] * 5 + ["bob"])
    stream = Stream("toy", np.zeros((6, 1)), np.array([1.0, 2, 3, 4, 5, 99]), key=key)
    assert column(with_memory(stream), LAST)[5] == 3.0
    assert column(with_memory(stream), SO_FAR)[5] == 3.0


@pytest.mark.parametrize(
    ("season", "delay", "back"), [(7, 0, 7), ("7D", 0, 7), ("7D", "8D", 14), (7, 10, 14)]
)
def test_the_season_looks_back_to_the_newest_one_whose_label_is_known(season, delay, back):
    days = np.arange("2024-01-01", "2024-04-01", dtype="datetime64[D]")
    y = np.random.default_rng(0).normal(size=len(days))
    stream = Stream("days", np.zeros((len(days), 1)), y, time=days)
    got = with_memory(stream, delay, season=season)
    assert (column(got, SEASON)[50:] == y[50 - back : len(y) - back]).all()
    four = [y[60 - back - 7 * k] for k in range(4)]
    assert column(got, SEASONS)[60] == pytest.approx(np.mean(four))


def test_a_season_in_time_survives_gaps_and_a_season_of_a_key_is_its_own():
    hours = np.arange("2024-01-01T00", "2024-01-15T00", dtype="datetime64[h]")
    y = np.tile(np.arange(24.0), 14)
    keep = np.random.default_rng(0).random(len(hours)) > 0.2
    rows = np.repeat(np.flatnonzero(keep), 2)
    key = np.tile(["a", "b"], keep.sum())
    stream = Stream(
        "sites", np.zeros((len(rows), 1)), y[rows] + 100 * (key == "b"), time=hours[rows], key=key
    )
    got = column(with_memory(stream, season="1D"), SEASON)
    away = np.abs(got - stream.y)[200:]
    assert np.minimum(away, 24 - away).max() <= 6  # the newest before a gap, of its own key
    assert np.median(away) == 0


def test_seasons_and_cycles_are_found_in_the_warm_up_only():
    days = np.arange("2020-01-01", "2024-01-01", dtype="datetime64[D]")
    weekday = days.astype(int) % 7
    y = np.where(np.arange(len(days)) < 300, weekday, np.random.default_rng(0).random(len(days)))
    stream = Stream("days", np.zeros((len(days), 1)), y, time=days)
    assert season_of(stream, 200) == "7D"
    assert cycles_of(stream, 200) == ("week",)
    assert cycles_of(stream, 500) == ("week", "year")
    assert season_of(replace(stream, time=None), 200) == 7
    noise = replace(stream, y=np.random.default_rng(1).random(len(days)), time=None)
    assert season_of(noise, 200) is None
    changed = replace(stream, y=np.r_[y[:300], y[300:][::-1]])
    assert usual_memory(changed, 300).features == usual_memory(stream, 300).features


def test_what_needs_a_clock_says_so():
    stream = replace(toy_stream(), time=None)
    for options in ({"season": "7D"}, {"calendar": ("day",)}):
        with pytest.raises(ValueError, match="stream 'toy' has no times"):
            with_memory(stream, **options)


def test_calendar_columns_know_the_day():
    time = np.array(["2024-02-29T18", "2023-12-31T12"], "datetime64[ns]")  # a Thursday, a Sunday
    names, values = calendar_columns(time, "week")
    assert [names[k] for k in values.argmax(axis=1)] == ["Thursday", "Sunday"]
    assert calendar_columns(time, "day")[1][:, 0].tolist() == [18.0, 12.0]
    assert calendar_columns(time, "year")[1][:, 0].tolist() == [59.75, 364.5]


def test_classes_are_remembered_as_columns_of_zero_and_one():
    stream = plain(4, False)
    remembering = with_memory(stream, "0rows", lags=1)
    names = [f"{MEMORY}{LAST} is class {k}" for k in range(4)]
    columns = remembering.X[:, [remembering.features.index(name) for name in names]]
    assert (columns[1:].argmax(axis=1) == stream.y[:-1]).all()
    assert (columns.sum(axis=1) == 1).all()


def test_a_frozen_line_with_memory_moves_with_a_stream_that_walks_away():
    y = np.cumsum(np.random.default_rng(0).normal(size=600))
    stream = Stream("walk", np.zeros((600, 1)), y)
    frozen = Static(LinearRegression())
    without = prequential(frozen, stream).loss.mean()
    assert prequential(frozen, with_memory(stream)).loss.mean() < without / 3
