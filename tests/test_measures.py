"""What judges: each measure against scikit-learn's own number, with and without weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion import Baseline, Comparison, compare
from companion.apps.grammar import main
from companion.evaluation import Run
from companion.lines import FadingLine, FadingLogit
from companion.measures import MEASURES, WHY, summary, weights_of
from companion.memory import WEIGHT, usual_memory
from companion.rivals import rivals, run_rivals, what_to_see
from companion.stream import Stream
from companion.streams.tables import BadInput, from_frame, read_parts
from companion.views import ByRow, View

ROWS, FIRST = 600, 100
RNG = np.random.default_rng(3)
WEIGHTS = RNG.integers(0, 5, ROWS).astype(float)


def judged(task: str, weighted: bool) -> tuple[Run, Stream, np.ndarray]:
    """Return a run with ties among its probabilities, its stream, and the scored rows' weights."""
    if task == "regression":
        y, how = RNG.normal(size=ROWS), {}
        said = y[FIRST:] + RNG.normal(0.3, 1, ROWS - FIRST)
    else:
        y, how = (RNG.random(ROWS) < 0.15).astype(int), {"classes": ("no", "yes")}
        share = np.clip(0.4 * y[FIRST:] + 0.6 * RNG.random(ROWS - FIRST), 0.01, 0.99).round(2)
        how["probabilities"] = np.column_stack([1 - share, share])
        said = (share > 0.5).astype(int)
    weight = WEIGHTS if weighted else None
    stream = Stream("s", np.zeros((ROWS, 1)), y, task=task, weight=weight,
                    classes=how.get("classes", ()))  # fmt: skip
    run = Run("s", "a", FIRST, stream.y[FIRST:], said, task, probabilities=how.get("probabilities"))
    return run, stream, WEIGHTS[FIRST:] if weighted else np.ones(ROWS - FIRST)


def by_scikit_learn(run: Run, stream: Stream, weight: np.ndarray) -> dict[str, float]:
    y, p, how = run.y, run.predictions, {"sample_weight": weight}
    if run.task == "regression":
        step = np.abs(np.diff(stream.y[:FIRST])).mean()
        return {
            "mae": metrics.mean_absolute_error(y, p, **how),
            "rmse": metrics.mean_squared_error(y, p, **how),
            "mase": metrics.mean_absolute_error(y, p, **how) / step,
            "bias": abs(np.average(p - y, weights=weight)),
        }
    share = run.probabilities[:, 1]
    return {
        "error": 1 - metrics.accuracy_score(y, p, **how),
        "balanced": 1 - metrics.balanced_accuracy_score(y, p, **how),
        "recall": 1 - metrics.recall_score(y, p, **how),
        "pr-area": 1 - metrics.average_precision_score(y, share, **how),
        "log-loss": metrics.log_loss(y, share, **how),
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_mean_of_each_measures_losses_is_scikit_learns_number(task, weighted):
    run, stream, weight = judged(task, weighted)
    right = by_scikit_learn(run, stream, weight)
    for measure, value in right.items():
        made = Comparison(stream, {"a": [run]}, {}, "a", measure=measure)
        assert made.score("a") == pytest.approx(value), measure
        assert WHY[measure].startswith("Judged by")
    assert set(MEASURES[task]) - set(right) == (
        {"calibration"} if run.task != "regression" else set()
    )
    table = summary(run, stream)
    low = {"rmse": np.sqrt, "pr_area": lambda v: 1 - v, "recall": lambda v: 1 - v}
    same = {"balanced_error": "balanced", "pr_area": "pr-area", "log_loss": "log-loss"}
    for name, value in table.items():
        if name != "calibration_error":
            expected = low.get(name, float)(right[same.get(name, name)])
            assert abs(value) == pytest.approx(expected), name


@pytest.mark.parametrize("weighted", [False, True])
def test_calibration_is_scikit_learns_curve_weighed_by_its_bins(weighted):
    run, stream, weight = judged("classification", weighted)
    sure, right = run.probabilities.max(axis=1), (run.loss == 0).astype(int)
    bins = np.minimum((sure * 10).astype(int), 9)
    total = 0.0
    for one in np.unique(bins):
        rows = bins == one
        if weighted:  # the curve takes no weights: repeat the rows instead
            rows = np.repeat(np.flatnonzero(rows), weight[rows].astype(int))
        hit, said = calibration_curve(right[rows], sure[rows], n_bins=1)
        total += abs(hit[0] - said[0]) * (weight[bins == one].sum() / weight.sum())
    made = Comparison(stream, {"a": [run]}, {}, "a", measure="calibration")
    assert made.score("a") == pytest.approx(total) == summary(run, stream)["calibration_error"]


def test_a_run_without_probabilities_or_steps_has_gaps_in_its_summary():
    run, stream, _ = judged("classification", False)
    bare = summary(replace(run, probabilities=None), stream)
    assert {name for name, value in bare.items() if np.isnan(value)} == {
        "pr_area", "log_loss", "calibration_error",
    }  # fmt: skip
    still = Stream("s", np.zeros((9, 1)), np.r_[np.zeros(8), 1.0])
    flat = summary(Run("s", "a", 4, still.y[4:], np.zeros(5)), still)
    assert np.isnan(flat["mase"]) and flat["mae"] == pytest.approx(0.2)


# --- weights ---------------------------------------------------------------------------------


def doubled(weight: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(weight)), weight.astype(int))


@pytest.mark.parametrize(
    "model",
    [
        FadingLine(ridge=1e-6), FadingLogit(), Ridge(1e-6),
        make_pipeline(StandardScaler(), LinearRegression()),
    ],
)  # fmt: skip
def test_a_row_that_weighs_two_is_two_rows(model):
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(80, 2)), rng.integers(0, 4, 80).astype(float)
    y = X @ [1.0, -2.0] + rng.normal(size=80)
    y = (y > 0).astype(int) if isinstance(model, FadingLogit) else y
    own = View(model, [0, 1], weight=2).fit(np.column_stack([X, weight]), y)
    own.usual_weight_ = 1.0
    rows = doubled(weight)
    plain = View(model, [0, 1]).fit(X[rows], y[rows])
    ask = np.column_stack([X, weight])
    if isinstance(model, FadingLogit):  # its penalty is in rows, of which the mean weight is one
        assert np.abs(own.predict_proba(ask) - plain.predict_proba(ask)).max() < 0.1
        assert np.abs(own.predict_proba(ask) - View(model, [0, 1]).fit(X, y).predict_proba(ask)
                      ).max() > 0.001  # fmt: skip
    else:
        assert own.predict(ask) == pytest.approx(plain.predict(ask), abs=1e-3)


@pytest.mark.parametrize("kind", [FadingLine, FadingLogit])
def test_a_row_learnt_later_weighs_too(kind):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 1))
    y = (X[:, 0] > 0).astype(int) if kind is FadingLogit else X[:, 0]
    told = {weight: kind().fit(X, y) for weight in (0.0, 1.0, 30.0)}
    for weight, model in told.items():
        model.partial_fit(np.array([[0.5]]), np.array([0]), sample_weight=np.array([weight]))
    plain = kind().fit(X, y).partial_fit(np.array([[0.5]]), np.array([0]))
    ask = np.array([[0.5]])
    say = (
        (lambda m: m.predict_proba(ask)[0, 1]) if kind is FadingLogit else lambda m: m.predict(ask)
    )
    assert say(told[1.0]) == say(plain)
    assert say(told[0.0]) > say(told[1.0]) > say(told[30.0])


def test_a_river_model_that_weighs_is_told_and_another_is_refused():
    from river import linear_model, preprocessing

    rows, y = np.eye(3), np.array([0.0, 1.0, 5.0])
    line = preprocessing.StandardScaler() | linear_model.LinearRegression()
    light, heavy = (
        ByRow(line).partial_fit(rows, y, sample_weight=np.full(3, weight)) for weight in (1.0, 5.0)
    )
    assert heavy.predict(rows)[2] > light.predict(rows)[2]
    whole = preprocessing.TargetStandardScaler(linear_model.LinearRegression())
    with pytest.raises(TypeError, match="TargetStandardScaler takes no weights .its learn_one"):
        ByRow(whole).partial_fit(rows, y, sample_weight=y)


def weighted_stream() -> Stream:
    """Return rows of two kinds, of which the one that counts follows another line."""
    rng = np.random.default_rng(0)
    X, heavy = rng.normal(size=(300, 1)), np.arange(300) % 3 == 0
    y = np.where(heavy, 5.0, -5.0) * X[:, 0] + 0.1 * rng.normal(size=300)
    return Stream("two kinds", X, y, weight=np.where(heavy, 50.0, 1.0))


def test_weights_reach_the_fits_the_trials_and_the_score_and_no_model_sees_them():
    stream = weighted_stream()
    remembering = usual_memory(stream)
    assert remembering.features[-1] == WEIGHT
    seen = what_to_see(remembering, 60)
    last = len(remembering.features) - 1
    assert all(last not in columns for columns, *_ in seen.values())
    lines = ("frozen linear", "refit linear, window", "online linear", "triggered linear")
    own = {"neighbours": KNeighborsRegressor()}
    lineup = rivals(remembering, quick=True, own=own)
    result = run_rivals(remembering, {each: lineup[each] for each in (*lines, "frozen neighbours")})
    without = usual_memory(replace(stream, weight=None))
    light = rivals(without, quick=True)
    plain = run_rivals(without, {each: light[each] for each in lines})
    for name in lines:
        assert result.score(name) < 0.3 * plain.score(name), name
    assert result.headline().endswith("rows scored, weighted")
    assert "KNeighborsRegressor takes no weights" in result.failures["frozen neighbours"]
    run = result.runs["frozen linear"][0]
    by_hand = np.average(run.loss, weights=stream.weight[run.first :])
    assert result.score("frozen linear") == pytest.approx(by_hand)
    trials = [each.runs["frozen linear"][0].cost["trial_loss"] for each in (result, plain)]
    assert trials[0] < 0.5 * trials[1]


def test_a_stream_refuses_what_is_no_weight():
    rows = {"X": np.zeros((3, 1)), "y": np.zeros(3)}
    for weight, said in (([1, -1, 1], "row 1 is -1"), ([1, 1, np.nan], "row 2 is nan"),
                         ([1, 1], "3 rows but 2 weights")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            Stream("s", **rows, weight=np.array(weight, float))
    light = Stream("s", **rows, weight=np.zeros(3))
    with pytest.raises(ValueError, match="all scored rows of stream 's' weigh 0"):
        compare(light, {"mean": Baseline("mean")}, warmup=1).score("mean")
    assert light.take(slice(1, 3)).weight.tolist() == [0, 0]


def table(**columns) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "y": rng.normal(size=60)})
    return frame.assign(**{"people": np.arange(60) % 7 + 0.5} | columns)


def test_a_column_of_weights_is_read_whole_and_in_parts_and_is_no_feature(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    stream, notes = from_frame(table(), "y", weight="people")
    assert stream.features == ("x",) and notes == []
    assert stream.weight.tolist() == table()["people"].tolist()
    parts = list(read_parts(tmp_path / "a.csv", "y", weight="people", rows=25))
    assert np.concatenate([part.weight for part in parts]).tolist() == stream.weight.tolist()
    gap = table()["people"].astype(str).replace("2.5", "")
    for bad, said in (
        (table(people=gap), r"'' is no weight; give each row a number of 0 or more"),
        (table(people=-table()["people"]), r"'-0.5' is no weight"),
        (table(people="many"), r"'many' is no weight"),
    ):
        with pytest.raises(BadInput, match=said):
            from_frame(bad, "y", weight="people")
    with pytest.raises(BadInput, match="there is no weight column 'pople'; did you mean 'people'"):
        from_frame(table(), "y", weight="pople")


def test_the_command_weighs_and_writes_all_measures(tmp_path, capsys):
    table().to_csv(tmp_path / "a.csv", index=False)
    common = ["compare", str(tmp_path / "a.csv"), "--target", "y", "--quick", "--weight", "people"]
    for name in ("out.csv", "out.json"):
        assert main([*common, "--save", str(tmp_path / name)]) == 0
    out = capsys.readouterr().out
    assert "weights   from 0.5 to 6.5" in out and "rows scored, weighted" in out
    saved = pd.read_csv(tmp_path / "out.csv").set_index("strategy")
    assert list(saved.columns[-4:]) == ["mae", "rmse", "mase", "bias"]
    assert saved["score"].to_numpy() == pytest.approx(saved["mae"].to_numpy())
    listed = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [row["strategy"] for row in listed] == list(saved.index)
    assert [row["bias"] for row in listed] == pytest.approx(saved["bias"].to_numpy())
    y, weight = table()["y"].to_numpy(), table()["people"].to_numpy()
    wrong = np.abs(np.diff(y))[11:]
    assert saved.loc["no change", "mae"] == pytest.approx(np.average(wrong, weights=weight[12:]))


def test_weights_of_a_run_are_one_on_average():
    run, stream, weight = judged("regression", True)
    assert weights_of(run, stream) == pytest.approx(weight / weight.mean())
