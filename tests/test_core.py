"""Streams, metrics, strategies, comparisons, verdicts and figures: what users rely on."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import make_cuts
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from companion import (
    Baseline,
    Online,
    Scheduled,
    Static,
    claims,
    compare,
    intervals,
    metrics,
    plots,
    streams,
)
from companion.comparison import Difference
from companion.streams import book

ROOT = Path(__file__).parents[1]
CARD_KEYS = {
    "title", "file", "sha256", "real", "label", "unit", "rows", "span", "who", "why", "missing",
    "drift", "licence", "licence_url", "attribution", "source", "limits", "columns",
}  # fmt: skip
CLAIM_IDS = "S1 S2 D1 B1 B2 B3 B4 O1 O2 O3 A1 A2 A3 A4 H1 I1 I2 I3 I4 F1 C1".split()

# --- streams ---------------------------------------------------------------------------------


def test_every_data_set_has_a_whole_card_and_loads():
    for name, card in streams.cards().items():
        assert set(card) >= CARD_KEYS, name
        columns = book.read_data_file(name)[1]
        assert list(columns) == list(card["columns"]), name
        assert {len(column) for column in columns.values()} == {card["rows"]}, name
        stream = streams.load(name)
        assert 0.3 * card["rows"] < len(stream) <= 4 * card["rows"]
        assert stream.time is None or (np.diff(stream.time) >= np.timedelta64(0)).all()
        licence = (card["licence"], card["licence_url"], card["attribution"])
        assert all(licence) and card["licence_url"].startswith("https://")


def test_the_data_stay_small():
    assert sum(path.stat().st_size for path in book.DATA.glob("*.gz")) < 2_000_000


@pytest.mark.parametrize("name", make_cuts.SMALL)
def test_a_cut_can_be_made_again(name):
    shipped = (book.DATA / f"{name}.csv.gz").read_bytes()
    assert gzip.decompress(make_cuts.CUTS[name]()) == gzip.decompress(shipped)


def test_an_altered_file_is_refused_with_both_sums(tmp_path, monkeypatch):
    for path in book.DATA.glob("bike_sharing.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(book, "DATA", tmp_path)
    file = tmp_path / "bike_sharing.csv.gz"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"bike_sharing.csv.gz .*sha256 is \w{64}.*says \w{64}"):
        streams.bike_sharing()


@pytest.mark.parametrize("target", ["return", "range", "direction"])
def test_no_feature_of_a_stock_knows_its_own_day_or_a_later_one(target, monkeypatch):
    card, table = book.read_data_file("stocks")
    before = streams.stocks("IBM", target)
    day = 1000
    changed = {name: column.astype(object) for name, column in table.items()}
    for part in ("close", "high", "low"):
        changed[f"IBM_{part}"][day:] = "777"
    changed["IBM_high"][day:] = "999"
    monkeypatch.setattr(book, "read_data_file", lambda name: (card, changed))
    after = streams.stocks("IBM", target)
    same = np.isclose(before.X, after.X).all(axis=1)
    assert same[: day - 22].all() and not same[day - 21 :].any()
    assert before.time[day - 23] == np.datetime64(table["date"][day])


def test_gaps_of_a_patient_are_filled_from_the_past_only():
    visits = streams.liver()
    assert np.isfinite(visits.X).all()
    card, table = book.read_data_file("liver")
    gaps = np.flatnonzero(table["platelet"] == "")
    platelet = visits.features.index("platelet")
    assert len(gaps) > 20
    for row in gaps[:40]:
        earlier = [k for k in range(row) if table["patient"][k] == table["patient"][row]]
        known = [k for k in earlier if table["platelet"][k] != ""]
        if known:
            assert visits.X[row, platelet] == float(table["platelet"][known[-1]])


def test_rivers_sets_become_streams():
    from river import datasets

    phishing = streams.from_river(datasets.Phishing())
    assert (len(phishing), phishing.task, phishing.classes) == (
        1250, "classification", ("False", "True"),
    )  # fmt: skip
    assert streams.from_river(datasets.TrumpApproval()).y[0] == 43.75505


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"symbol": "GOOG"}, "there is no stock 'GOOG'; choose 'IBM'"),
        ({"target": "volume"}, "target is 'volume'; choose"),
    ],
)
def test_bad_stocks_get_one_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        streams.stocks(**options)


# --- simulated streams -----------------------------------------------------------------------


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("drift", ["none", "abrupt", "gradual", "incremental", "recurring"])
def test_simulated_streams_drift_where_they_say(drift, task):
    stream = streams.simulate(drift, 4000, task=task, at=0.4, noise=0.0, seed=1)
    assert not stream.card["real"]
    concept = stream.card["concept"]
    starts = stream.card["drifts"]
    assert starts == {"none": [], "recurring": [1600, 3200]}.get(drift, [1600])
    assert (concept[:1600] == 0).all()
    if drift == "none":
        assert (concept == 0).all()
    else:
        assert concept[2500] == 1
    if task == "classification":
        threshold = 8 + 5 * concept
        assert (stream.y == (stream.X[:, 0] + stream.X[:, 1] <= threshold)).all()
    again = streams.simulate(drift, 4000, task=task, at=0.4, noise=0.0, seed=1)
    assert (again.X == stream.X).all() and (again.y == stream.y).all()


def test_noise_and_balance_are_what_was_asked_for():
    stream = streams.simulate("abrupt", 20_000, noise=0.2, seed=2)
    truth = stream.X[:, 0] + stream.X[:, 1] <= 8 + 5 * stream.card["concept"]
    assert abs((stream.y != truth).mean() - 0.2) < 0.02
    even = streams.simulate("abrupt", 20_000, noise=0.0, balance=0.1, seed=2)
    assert abs(even.y[:10_000].mean() - 0.1) < 0.01 > abs(even.y[10_000:].mean() - 0.1)


def test_machines_fail_when_their_wear_is_full_and_start_afresh():
    stream = streams.machines(3, 300, seed=1)
    wear, key = stream.card["wear"], np.asarray(stream.key)
    assert len(stream.card["failures"]) > 5
    for row, machine in stream.card["failures"]:
        assert key[row] == machine and wear[row] >= 1 and stream.y[row] == 1
        own = np.flatnonzero(key == machine)
        place = np.flatnonzero(own == row)[0]
        assert stream.y[own[max(0, place - 47) : place]].all()
        if place + 1 < len(own):
            assert wear[own[place + 1]] < 0.2
    assert len(np.unique(np.round(streams.machines(1, 10, regimes=1).X[:, 0]))) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: streams.simulate("sudden"), "no drift 'sudden'; choose from none, abrupt"),
        (lambda: streams.simulate(at=1.5), "give shares of the stream between 0 and 1"),
        (lambda: streams.simulate(noise=0.7), "noise 0.7"),
        (lambda: streams.simulate(rows=3), "10 rows or more"),
        (lambda: streams.simulate(task="ranking"), "task is 'ranking'"),
        (lambda: streams.simulate(task="regression", balance=0.5), "balance is for classes"),
        (lambda: streams.machines(0), "at least 1 machine"),
        (lambda: streams.wind_turbines("R1"), "there is no turbine 'R1'; choose from R80711"),
    ],
)
def test_bad_wishes_get_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_an_unknown_stream_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean bike_sharing"):
        streams.load("bikesharing")


@pytest.mark.parametrize(
    ("X", "y", "extra", "words"),
    [
        (np.zeros(3), np.zeros(3), {}, "dimensions"),
        (np.zeros((3, 1)), np.zeros(2), {}, "one label for each row"),
        (np.full((3, 1), np.nan), np.zeros(3), {}, "X is not a finite number in row 0"),
        (np.zeros((3, 1)), np.array([0, np.inf, 0]), {}, "y is not a finite number in row 1"),
        (np.zeros((3, 1)), np.zeros(3), {"features": ("a", "b")}, "feature names"),
        (np.zeros((2, 1)), np.zeros(2), {"time": ["2024-01-02", "2024-01-01"]}, "backwards"),
        (np.zeros((2, 1)), np.zeros(2), {"time": ["2024-01-02"]}, "2 rows but 1 times"),
    ],
)
def test_a_bad_stream_gets_one_sentence(X, y, extra, words):
    with pytest.raises(ValueError, match=f"stream 'bad'.*{words}"):
        streams.Stream("bad", X, y, **extra)


# --- metrics ---------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 70))
def test_windowed_equals_a_plain_loop(values, window):
    got = metrics.rolling_mean(np.array(values), window)
    for row in range(len(values)):
        if row + 1 < window:
            assert np.isnan(got[row])
        else:
            assert np.isclose(got[row], np.mean(values[row + 1 - window : row + 1]))


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="window is 0"):
        metrics.rolling_mean(np.zeros(3), 0)


def test_interval_holds_the_truth_about_as_often_as_it_says():
    """Independent rows, and rows that resemble their neighbours."""
    rng = np.random.default_rng(0)
    for memory, least in ((0.0, 0.88), (0.6, 0.80)):
        hits = 0
        for _ in range(200):
            noise = rng.normal(size=400)
            series = np.empty(400)
            last = 0.0
            for k, value in enumerate(noise):
                last = series[k] = memory * last + value
            low, high = intervals.block_bootstrap_interval(series, resamples=400)
            hits += low < 0 < high
        assert hits / 200 >= least, memory


def test_single_row_blocks_are_too_sure_of_themselves():
    walk = np.repeat(np.random.default_rng(1).normal(size=40), 20)
    one = intervals.block_bootstrap_interval(walk, block=1)
    many = intervals.block_bootstrap_interval(walk)
    assert (many[1] - many[0]) > 2 * (one[1] - one[0])


def test_interval_is_repeatable_and_refuses_nonsense():
    series = np.arange(50.0)
    again = intervals.block_bootstrap_interval(series)
    assert intervals.block_bootstrap_interval(series) == again
    with pytest.raises(ValueError, match="no rows"):
        intervals.block_bootstrap_interval(np.array([]))
    with pytest.raises(ValueError, match="level is 95"):
        intervals.block_bootstrap_interval(series, level=95)


# --- strategies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "kind", "words"),
    [
        (lambda: Baseline("magic"), ValueError, "no baseline 'magic'; choose from"),
        (lambda: Baseline("seasonal"), ValueError, "needs rows"),
        (lambda: Baseline("rolling", rows=0), ValueError, "needs rows"),
        (lambda: Static(object()), TypeError, "Static cannot use object"),
        (lambda: Scheduled(LinearRegression(), every=0), ValueError, "every is 0"),
        (lambda: Scheduled(LinearRegression(), every=None), ValueError, "every is None"),
        (lambda: Scheduled(LinearRegression(), every=1, window="x"), ValueError, "window is x"),
        (lambda: Scheduled(LinearRegression(), every=1, window=0), ValueError, "window is 0"),
        (lambda: Online(LinearRegression()), TypeError, "neither learn_one nor partial_fit"),
        (lambda: Online(DummyRegressor(), batch=3), TypeError, "neither"),
    ],
)
def test_a_bad_strategy_gets_one_sentence(build, kind, words):
    with pytest.raises(kind, match=words):
        build()


def test_seasonal_baseline_repeats_the_newest_known_label_of_its_season():
    rows = np.arange(40)
    stream = streams.Stream("count", np.zeros((40, 1)), rows.astype(float))
    from companion import prequential

    week = prequential(Baseline("seasonal", rows=7), stream, warmup=14)
    np.testing.assert_array_equal(week.predictions, rows[14:] - 7)
    late = prequential(Baseline("seasonal", rows=7), stream, warmup=21, label_delay=9)
    np.testing.assert_array_equal(late.predictions, rows[21:] - 14)


# --- comparisons -----------------------------------------------------------------------------


class Fails(Static):
    """Raises in mid-stream."""

    stable_for = 1

    def __init__(self) -> None:
        self.model, self.left = LinearRegression(), 3

    def learn(self, X, y):
        self.left -= 1
        if not self.left:
            raise RuntimeError("out of luck")


def test_a_failed_run_is_named_and_the_others_are_kept():
    rivals = {"good": Static(LinearRegression()), "bad": Fails()}
    result = compare(streams.bike_sharing(), rivals)
    assert list(result.runs) == ["good"]
    assert result.failures == {"bad": "at row 147 of 'bike_sharing': RuntimeError: out of luck"}
    assert "failed: bad: at row 147" in str(result)


def test_comparison_is_paired_and_antisymmetric():
    rivals = {"a": Static(LinearRegression()), "b": Baseline("no-change")}
    result = compare(streams.bike_sharing(), rivals)
    one, two = result.difference("a", "b"), result.difference("b", "a")
    assert one.value == pytest.approx(-two.value)
    assert one.low < one.value < one.high
    assert one.low == pytest.approx(-two.high)
    own = result.difference("a", "a")
    assert (own.value, own.low, own.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("rivals", "options", "words"),
    [
        ({}, {}, "no strategies"),
        ({"a": Baseline("mean")}, {"reference": "z"}, "'z' is not among the strategies a"),
        ({"a": Fails()}, {}, "every strategy failed: a: at row 147 of .*RuntimeError"),
        (
            {"a": Baseline("mean"), "b": Baseline("no-change")},
            {"warmup": 9.0},
            "^every strategy failed: ValueError: a warm-up of 9.0 leaves[^;]*; give[^;]*$",
        ),
        ({"a": Baseline("mean")}, {"warmup": None}, "warmup is None; give a number of rows"),
    ],
)
def test_a_bad_comparison_gets_one_sentence(rivals, options, words):
    with pytest.raises(ValueError, match=words):
        compare(streams.bike_sharing(), rivals, **options)


def test_table_as_html():
    result = compare(streams.bike_sharing(), {"no change": Baseline("no-change")})
    assert '<th scope="row">no change</th>' in result._repr_html_()


# --- verdicts --------------------------------------------------------------------------------


def test_the_21_claims():
    assert list(claims.CLAIMS) == CLAIM_IDS


def said(*intervals):
    return [claims.Evidence("x", (a + b) / 2, a, b, "u") for a, b in intervals]


@pytest.mark.parametrize(
    ("intervals", "outcome"),
    [
        ([(1, 2), (3, 4)], "supported"),
        ([(-2, -1), (-4, -3)], "not supported here"),
        ([(-1, 1)], "not supported here"),
        ([(1, 2), (-1, 1)], "only when it rains"),
        ([(1, 2), (-2, -1)], "only when it rains"),
    ],
)
def test_the_verdict_follows_from_the_intervals(intervals, outcome):
    got = claims.verdict("S1", said(*intervals), would_change="x", only_when="it rains")
    assert got.outcome == outcome


def test_a_divided_verdict_needs_its_condition():
    with pytest.raises(ValueError, match="divided"):
        claims.verdict("S1", said((1, 2), (-1, 1)), would_change="x")
    with pytest.raises(ValueError, match="no claim 'Z9'"):
        claims.verdict("Z9", said((1, 2)), would_change="x")
    with pytest.raises(ValueError, match="needs evidence"):
        claims.verdict("S1", [], would_change="x")


def test_a_verdict_is_recorded_as_it_is_shown():
    shown = Difference("a", "b", 8.0, 5.0, 11.0, "rides", 9, 3)
    got = claims.verdict("S2", [claims.evidence("a <b>", shown)], would_change="c & d")
    bundle = got._repr_mimebundle_()
    record = json.loads(json.dumps(bundle[claims.MIME]))
    assert record["claim"] == "S2"
    assert str(claims.Evidence(**record["evidence"][0])) in bundle["text/plain"]
    assert "a &lt;b&gt;" in bundle["text/html"]


# --- figures ---------------------------------------------------------------------------------


def test_a_figure_needs_alt_text_and_carries_it():
    fig, ax = plots.figure("t", x="x", y="y")
    with pytest.raises(ValueError, match="needs alt text"):
        plots.show(fig, "  ")
    data, about = plots.show(fig, "a  flat\nline")._repr_mimebundle_()
    assert about["image/png"]["alt"] == "a flat line"
    assert data["text/plain"] == "Figure: a flat line"


def test_moving_figures_are_the_same_every_time_and_ask_nothing_of_the_network():
    def draw(k):
        fig, ax = plots.figure(f"frame {k}", x="x", y="y")
        ax.plot([0, k])
        return fig

    pages = [
        plots.frames(draw, ["one", "two"], title="Step", alt="a line")._repr_html_()
        for _ in range(2)
    ]
    assert pages[0] == pages[1]
    assert "http" not in pages[0]
    assert pages[0].count("<img ") == 1, "without scripts one still picture stands"
    assert json.loads(re.search(r"\}\)\((\{.*\})\);</script>", pages[0])[1])["labels"] == [
        "one",
        "two",
    ]


def test_the_package_runs_without_the_extras():
    """A browser tab has no pandas, tqdm or pyarrow; importing and comparing must not need them."""
    code = (
        "import sys\n"
        "for name in ('pandas', 'tqdm', 'pyarrow', 'IPython'): sys.modules[name] = None\n"
        "import companion\n"
        "bikes = companion.streams.bike_sharing()\n"
        "print(companion.compare(bikes, {'a': companion.Baseline('no-change')}).score('a') > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "True", done.stderr
