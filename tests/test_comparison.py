"""Comparisons: seeds averaged, differences with intervals, tables, costs, failures."""

from __future__ import annotations

import math
import re

import joblib
import numpy as np
import pytest
from by_hand import drifting
from sklearn.dummy import DummyRegressor

from companion import Baseline, Comparison, Run, Scheduled, Static, compare, compare_streams
from companion.comparison import digits_for, html_table, load_comparison, retrainings
from companion.intervals import block_bootstrap_interval, block_length
from companion.strategies import Strategy
from companion.stream import Stream

N, FIRST = 90, 18


class Guess(Strategy):
    """Says its seed in each row; draws no numbers, but says that it does."""

    is_random = True
    frozen, stable_for = True, math.inf

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at, self.seed = fails_at, None

    def clone(self, seed=None):
        twin = Guess(self.fails_at)
        twin.seed = seed
        return twin

    def fit(self, X, y):
        if self.seed == self.fails_at:
            raise OverflowError("too hot")

    def predict(self, X):
        return np.full(len(X), float(self.seed))


def rivals() -> dict[str, Strategy]:
    return {
        "mean": Baseline("mean"),
        "guess": Guess(),
        "newest": Baseline("no-change"),
        "refit": Scheduled(DummyRegressor(), every=20, window=10),
    }


@pytest.fixture(scope="module")
def made() -> Comparison:
    return compare(drifting(N), rivals(), seeds=[3, 7])


def losses(made: Comparison) -> dict[str, np.ndarray]:
    """Each strategy's losses, by hand."""
    y = made.stream.y
    refits = [y[t - 10 : t].mean() for t in range(FIRST, N, 20)]
    return {
        "mean": np.abs(y[FIRST:] - y[:FIRST].mean()),
        "guess": (np.abs(y[FIRST:] - 3) + np.abs(y[FIRST:] - 7)) / 2,
        "newest": np.abs(y[FIRST:] - y[FIRST - 1 : -1]),
        "refit": np.abs(y[FIRST:] - np.repeat(refits, 20)[: N - FIRST]),
    }


def test_losses_are_means_over_the_seeds(made):
    for name, loss in losses(made).items():
        np.testing.assert_allclose(made.loss(name), loss)
        assert made.score(name) == pytest.approx(loss.mean())
    assert [run.seed for run in made.runs["guess"]] == [3, 7]
    assert {name: len(runs) for name, runs in made.runs.items()} == {
        "mean": 1, "guess": 2, "newest": 1, "refit": 1,
    }  # fmt: skip
    assert [run.strategy for runs in made.runs.values() for run in runs] == [
        "mean", "guess", "guess", "newest", "refit",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no run of 'oracle'; there are mean, guess, newest"):
        made.loss("oracle")


def test_there_are_five_seeds_unless_others_are_given():
    usual = compare(drifting(N), {"guess": Guess()})
    assert [run.seed for run in usual.runs["guess"]] == [0, 1, 2, 3, 4]
    assert usual.table()[0]["seeds"] == 5
    once = compare_streams({"a": drifting(N)}, lambda _: {"guess": Guess()}, seeds=iter([9]))
    assert [run.seed for run in once["a"].runs["guess"]] == [9]


@pytest.mark.parametrize("block", [None, 4])
@pytest.mark.parametrize("rows", [slice(None), slice(10, 40)])
def test_a_difference_is_paired_row_by_row(made, block, rows):
    stream = Stream("unit", made.stream.X, made.stream.y, unit="rides")
    again = Comparison(stream, made.runs, {}, "mean", block)
    gap = (losses(made)["newest"] - losses(made)["guess"])[rows]
    found = again.difference("newest", "guess", rows)
    length = block or block_length(gap)
    low, high = block_bootstrap_interval(gap, block=length)
    assert (found.a, found.b, found.unit) == ("newest", "guess", "rides")
    assert (found.rows, found.block) == (len(gap), length)
    np.testing.assert_allclose((found.value, found.low, found.high), (gap.mean(), low, high))


def test_the_block_length_is_handed_on():
    made = compare(drifting(N), rivals(), seeds=[3], block=5)
    assert made.block == 5 and made.difference("mean", "newest").block == 5
    assert compare(drifting(N), {"mean": Baseline("mean")}).block is None


def test_shares_of_rows_are_the_unit_of_classes():
    made = compare(drifting(N, classes=2), {"newest": Baseline("no-change")})
    assert made.unit == made.difference("newest", "newest").unit == "share of rows"
    assert made.headline() == "small: error rate (share of rows), 72 rows scored"


def test_costs_are_means_over_the_seeds_in_all_and_per_thousand_rows():
    def run(fits, rows, labels, size, seconds, events):
        cost = {
            "fits": fits, "rows_learnt": rows, "labels_used": labels, "model_bytes": size,
            "cpu_seconds": seconds, "predictions": 40,
        }  # fmt: skip
        return Run("s", "a", 10, np.zeros(40), np.ones(40), events=events, cost=cost)

    fit = [(10, "fit")]
    events = [(12, "fit"), (14, "challenger"), (20, "promoted"), (30, "alarm"), (33, "fit")]
    runs = [run(2, 30, 12, 100, 0.5, fit), run(6, 50, 32, 300, 1.5, fit + events)]
    made = Comparison(Stream("s", np.zeros((50, 1)), np.zeros(50)), {"a": runs}, {}, "a")
    assert [retrainings(run) for run in runs] == [0, 3]
    costs = {"fits": 4, "rows_learnt": 40, "labels_used": 22, "cpu_seconds": 1, "retrainings": 1.5}
    per_thousand = {f"{name}_per_1000": 25 * value for name, value in costs.items()}
    assert made.costs("a") == pytest.approx({**costs, **per_thousand, "model_bytes": 200})


def test_the_table_is_ordered_by_score_and_holds_numbers_in_full(made):
    table = made.table()
    scores = {name: loss.mean() for name, loss in losses(made).items()}
    assert [row["strategy"] for row in table] == sorted(scores, key=scores.get)
    for row in table:
        found = made.difference(row["strategy"], "mean")
        assert row["score"] == pytest.approx(scores[row["strategy"]])
        assert (row["difference"], row["low"], row["high"]) == (found.value, found.low, found.high)
        assert row["seeds"] == (2 if row["strategy"] == "guess" else 1)
        assert made.costs(row["strategy"]).items() <= row.items()
    frame = made.to_frame()
    assert frame.to_dict("records") == table
    assert frame.attrs == {"what": made.headline(), "reference": "mean", "failures": {}}


def test_what_is_printed_is_the_table_with_gains_against_the_reference(made):
    head, *body = made.cells()
    assert head == ["strategy", "error", "less than mean, 95 % interval", "fits"]
    assert len(body) == 4
    for cells, row in zip(body, made.table(), strict=True):
        assert cells[0] == row["strategy"] and float(cells[1]) == pytest.approx(
            row["score"], abs=0.01
        )
        assert cells[3] == f"{row['fits']:.0f}"
        if row["strategy"] == "mean":
            assert cells[2] == "reference"
        else:
            numbers = [float(word.strip("()")) for word in cells[2].split() if word != "to"]
            expected = [-row["difference"], -row["high"], -row["low"]]
            assert numbers == pytest.approx(expected, abs=0.01)
    lines = str(made).splitlines()
    assert lines[0] == made.headline() == "small: mean absolute error, 72 rows scored"
    assert len({len(line) for line in lines[1:]}) == 1
    for line, cells in zip(lines[1:], [head, *body], strict=True):
        assert line.startswith(cells[0]) and line.endswith(cells[3])
        assert re.split(r"  +", line) == cells
    assert repr(made) == str(made)


def test_the_reference_is_the_first_unless_another_is_named():
    assert compare(drifting(N), rivals(), seeds=[1]).reference == "mean"
    assert compare(drifting(N), rivals(), seeds=[1], reference="refit").reference == "refit"
    with pytest.raises(ValueError, match="'oracle' is not among the strategies mean, guess"):
        compare(drifting(N), rivals(), reference="oracle")
    with pytest.raises(ValueError, match="no strategies to compare"):
        compare(drifting(N), {})


def test_who_fails_with_one_seed_has_failed_and_is_no_reference():
    lineup = {"bad": Guess(fails_at=1), **rivals()}
    made = compare(drifting(N), lineup, seeds=[0, 1, 2])
    assert list(made.runs) == ["mean", "guess", "newest", "refit"]
    assert made.failures == {"bad": "at row 18 of 'small': OverflowError: too hot"}
    assert made.reference == "mean"
    assert str(made).splitlines()[-1] == "failed: bad: at row 18 of 'small': OverflowError: too hot"
    assert "bad failed: at row 18" in made._repr_html_()
    assert made.to_frame().attrs["failures"] == made.failures
    with pytest.raises(ValueError, match="^every strategy failed: bad: at row 18 of 'small'"):
        compare(drifting(N), {"bad": Guess(fails_at=0)}, seeds=[0])


def test_reasons_for_failing_are_said_once_if_they_are_the_same():
    both = {"a": Baseline("mean"), "b": Baseline("mean")}
    with pytest.raises(ValueError) as caught:
        compare(drifting(N), both, warmup=99)
    assert str(caught.value).count("leaves nothing to score") == 1
    mixed = {"a": Guess(fails_at=0), "b": Scheduled(DummyRegressor(), every="7D")}
    bare = Stream("bare", np.zeros((9, 1)), np.zeros(9))
    with pytest.raises(ValueError, match="a: at row .*too hot; b: ValueError: Scheduled needs"):
        compare(bare, mixed, seeds=[0])


def test_options_reach_every_run():
    made = compare(
        drifting(N, classes=2), {"newest": Baseline("no-change")},
        warmup=30, label_delay=5, probabilities=True,
    )  # fmt: skip
    (run,) = made.runs["newest"]
    assert run.first == 30 and run.predictions.tolist() == made.stream.y[25:-5].tolist()
    assert run.probabilities.shape == (60, 2)
    usual = compare(drifting(N, classes=2), {"newest": Baseline("no-change")}).runs["newest"][0]
    assert usual.first == FIRST and usual.probabilities is None
    assert usual.predictions.tolist() == made.stream.y[FIRST - 1 : -1].tolist()


def test_several_streams_each_have_their_own_lineup():
    streams = {"short": drifting(50), "long": drifting(N, seed=2)}

    def lineup(stream):
        return {"mean": Baseline("mean"), f"rows {len(stream)}": Baseline("no-change")}

    made = compare_streams(streams, lineup, warmup=20, reference="mean", block=3)
    assert list(made) == ["short", "long"]
    for name, stream in streams.items():
        assert list(made[name].runs) == ["mean", f"rows {len(stream)}"]
        gap = np.abs(stream.y[20:] - stream.y[:20].mean())
        np.testing.assert_allclose(made[name].loss("mean"), gap)
        assert made[name].block == 3 and made[name].stream is stream
    with pytest.raises(ValueError, match="'rows 50' is not among the strategies"):
        compare_streams(streams, lineup, reference="rows 50")


class Marked(Static):
    """Leaves a mark on disk for every run."""

    def __init__(self, mark):
        super().__init__(DummyRegressor())
        self.mark = str(mark)

    def fit(self, X, y):
        with open(self.mark, "a") as file:
            file.write("x")
        super().fit(X, y)


def test_finished_runs_are_kept_and_taken_up_again(tmp_path):
    mark, folder = tmp_path / "mark", tmp_path / "deep" / "runs"
    first = compare(drifting(N), {"a": Marked(mark)}, folder=folder)
    again = compare(drifting(N), {"a": Marked(mark)}, folder=str(folder))
    assert mark.read_text() == "x" and len(list(folder.glob("*.npz"))) == 1
    assert again.loss("a").tolist() == first.loss("a").tolist()
    for other in (
        {"warmup": 30}, {"label_delay": 2},
    ):  # fmt: skip
        compare(drifting(N), {"a": Marked(mark)}, folder=folder, **other)
    compare(drifting(N, seed=5), {"a": Marked(mark)}, folder=folder)
    compare(drifting(N), {"b": Marked(mark)}, folder=folder)
    assert mark.read_text() == "x" * 5
    compare(drifting(N), {"guess": Guess()}, folder=folder, seeds=[1, 2])
    assert len(list(folder.glob("*.npz"))) == 7


def test_a_comparison_is_saved_and_loaded_whole(made, tmp_path):
    whole = Comparison(made.stream, made.runs, {"x": "too hot"}, "newest", 6)
    whole.save(tmp_path / "new")
    again = load_comparison(str(tmp_path / "new"), made.stream)
    assert str(again) == str(whole)
    assert (again.failures, again.reference, again.block) == ({"x": "too hot"}, "newest", 6)
    assert again.stream is made.stream and list(again.runs) == list(made.runs)
    assert [run.seed for run in again.runs["guess"]] == [3, 7]


def test_progress_is_told_run_by_run(capsys):
    compare(drifting(N), {"mean": Baseline("mean"), "bad": Guess(0)}, seeds=[0], progress=True)
    said = "".join(capsys.readouterr())
    assert "small, mean: " in said and "small, bad: at row 18 of 'small'" in said
    assert "comparing" in said and "2/2" in said
    compare(drifting(N), {"mean": Baseline("mean")})
    assert "".join(capsys.readouterr()) == ""


@pytest.mark.parametrize(
    ("value", "digits"),
    [(1234, 0), (100, 0), (99.9, 1), (10, 1), (9.99, 2), (1, 2), (0.99, 3), (0, 3), (-500, 0),
     (-50, 1), (-5, 2)],
)  # fmt: skip
def test_about_four_digits_are_shown(value, digits):
    assert digits_for(value) == digits


def test_a_table_for_the_web_has_headings_and_no_markup_of_others():
    cells = [["who", "a<b"], ["x & y", "3"], ["z", "4"]]
    page = html_table(cells, caption="<Errors>", notes=["<n>", "m"])
    head = '<th scope="col">who</th><th scope="col">a&lt;b</th>'
    rows = (
        '<tr><th scope="row">x &amp; y</th><td>3</td></tr><tr><th scope="row">z</th><td>4</td></tr>'
    )
    assert page == (
        '<table class="companion-table"><caption>&lt;Errors&gt;</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>&lt;n&gt;</p><p>m</p>"
    )
    wide = html_table([["a", "b", "c"], ["1", "2", "3"]], caption="c")
    assert "<td>2</td><td>3</td>" in wide and "<p>" not in wide


class Where(Static):
    """Notes how many jobs a model may use, and of which kind."""

    seen: list = []

    def fit(self, X, y):
        backend, jobs = joblib.parallel.get_active_backend()
        self.seen.append((type(backend).__name__, jobs))
        super().fit(X, y)


def test_what_a_model_does_in_parallel_stays_in_its_process():
    compare(drifting(N), {"where": Where(DummyRegressor())})
    assert Where.seen == [("ThreadingBackend", 1)]
