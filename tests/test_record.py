"""The record of runs: it is whole, and what it says can be had again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

from book.press.upkeep import runs as tool
from companion import check_strategy, streams
from companion.lineups import BASELINES, FAMILIES, HYBRIDS, record_lineup
from companion.streams import book
from companion.streams.record import COUNTS, WORDS, runs

TABLE = runs()
CASES = {case.stream.name: case for case in tool.real_cases() + tool.simulated_cases()}
SAMPLE = (  # stream, which of its delays, kind of model
    ("sleep_study", 0, "linear"),
    ("chick_weights", 2, "tree"),
    ("Phishing", 1, "tree"),
    ("TrumpApproval", 2, "linear"),
    ("simulated classification, jumps every 200, noise 0.25, seed 3", 2, "linear"),
    ("simulated regression, one mixture, noise 1, seed 1", 1, "linear"),
)


def test_the_card_fits_the_file():
    card, columns = book.read_data_file("runs")
    assert list(columns) == list(card["columns"]) == list(TABLE.dtype.names)
    assert len(TABLE) == card["rows"]
    data = (book.DATA / card["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == card["sha256"]
    assert len(data) <= 150_000
    assert set(WORDS) | set(COUNTS) <= set(TABLE.dtype.names)


def test_the_record_is_no_stream():
    assert "runs" not in streams.cards()
    with pytest.raises(ValueError, match="there is no stream 'runs'"):
        streams.load("runs")


def test_every_stream_of_the_tool_is_on_record_whole():
    assert list(dict.fromkeys(TABLE["stream"].tolist())) == list(CASES)
    for name, case in CASES.items():
        rows = TABLE[TABLE["stream"] == name]
        assert sorted(set(rows["delay"].tolist())) == case.delays
        for family in case.families:
            wanted = list(record_lineup(case.stream, case.warmup, family))
            for delay in case.delays:
                some = rows[
                    (rows["delay"] == delay) & np.isin(rows["family"], [family, "baseline"])
                ]
                assert some["strategy"].tolist() == wanted


@pytest.mark.parametrize(("name", "which", "family"), SAMPLE)
def test_a_fresh_run_gives_what_is_on_record(name, which, family):
    case = CASES[name]
    delay = case.delays[which]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clone = tool.measured([case], delay, family)
    for row in clone:
        kept = TABLE[
            (TABLE["stream"] == name) & (TABLE["delay"] == delay)
            & (TABLE["family"] == row["family"]) & (TABLE["strategy"] == row["strategy"])
        ]  # fmt: skip
        assert len(kept) == 1
        for column, value in row.items():
            found = kept[0][column]
            if column in WORDS:
                assert found == value, column
            else:
                scale = 2e-3 * max(abs(row["error"]), 1e-9) if column in (
                    "difference", "low", "high") else 0  # fmt: skip
                np.testing.assert_allclose(
                    found, float(value), rtol=2e-3, atol=scale, equal_nan=True, err_msg=column
                )


def test_numbers_are_written_with_four_digits():
    found = [tool.text(value) for value in (0.123456, 12345.6, 3.0, 0.0, float("nan"), 7, "a")]
    assert found == ["0.1235", "1.235e+04", "3", "0", "", "7", "a"]


def test_jumps_are_not_a_clockwork():
    gaps = np.diff(tool.jumps(100, 0)) * tool.LIFE
    assert 50 <= gaps.min() < gaps.max() <= 150
    assert tool.jumps(100, 0) != tool.jumps(100, 1)


def test_names_of_the_record_are_the_entrants_names():
    strategies = set(TABLE["strategy"].tolist())
    named = {*BASELINES, *HYBRIDS, "frozen", "refit", "triggered", "online"}
    assert strategies >= named - {"rolling mean of 14"}  # of tables
    assert set(TABLE["family"].tolist()) == {"baseline", *FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("classes", [0, 2])
def test_the_entrants_keep_what_strategies_promise(family, classes):
    task = "classification" if classes else "regression"
    stream = streams.simulate("none", 200, task=task)
    for name in record_lineup(stream, 40, family):
        check_strategy(lambda name=name: record_lineup(stream, 40, family)[name], classes=classes)


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="no family 'forest'; choose 'linear' or 'tree'"):
        record_lineup(streams.bike_sharing(), 146, "forest")


def test_importing_the_package_does_not_read_the_record():
    code = "import companion, sys; print('companion.streams.record' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
