"""The line-up, its trials, those who follow the best, and the answer in words."""

from __future__ import annotations

import csv
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

import companion.rivals
from companion import Baseline, Scheduled, Static, Strategy, compare, prequential
from companion.advice import answer, simplest
from companion.apps import timing
from companion.checks import check_strategy, delays, toy_stream
from companion.evaluation import Run
from companion.hybrids import tuned
from companion.hybrids.following import Following, follow_runs
from companion.hybrids.tuned import Tuned, trial_loss
from companion.lines import FadingLine
from companion.memory import LAST, MEMORY, usual_memory, with_memory
from companion.rivals import FOLLOWERS, kind_of, race, rivals, what_to_see
from companion.show.plots import errors_over_time
from companion.stream import Stream
from companion.views import ByRow, Column, OnlineAfterFit, View

DELAYS = list(delays(toy_stream()))


def members() -> dict[str, Strategy]:
    return {
        "mean": Baseline("mean"),
        "newest": Baseline("no-change"),
        "line": OnlineAfterFit(FadingLine(half_life=30)),
    }


@pytest.mark.parametrize("delay", DELAYS, ids=["none", "rows", "hours", "each"])
@pytest.mark.parametrize("how", FOLLOWERS.values(), ids=FOLLOWERS)
def test_following_runs_is_following_strategies(delay, how):
    stream = toy_stream()
    runs = {
        name: prequential(member, stream, warmup=60, label_delay=delay)
        for name, member in members().items()
    }
    told = follow_runs(runs, [np.nan] * 3, stream, delay, "following", **how)
    itself = prequential(Following(members(), **how), stream, warmup=60, label_delay=delay)
    assert told.predictions == pytest.approx(itself.predictions, abs=1e-9)


@pytest.mark.parametrize("classes", [0, 2])
def test_following_and_tuned_keep_what_every_strategy_promises(classes):
    def following() -> Strategy:
        rest = {"b": Baseline("no-change")}
        return Following({"a": Baseline("majority" if classes else "mean"), **rest}, half_life=9)

    def tuned() -> Strategy:
        model = FadingLine() if not classes else None
        ways = {"newest": Baseline("no-change")}
        if model is not None:
            ways = {"fading": OnlineAfterFit(FadingLine(20)), "frozen": Static(Ridge())}
        return Tuned({"all": ways})

    for build in (following, tuned):
        assert len(check_strategy(build, classes=classes)) == 5


def test_who_follows_pays_for_the_retrainings_of_all():
    members = {name: Scheduled(Ridge(), every=every) for name, every in (("a", 40), ("b", 60))}
    both = compare(toy_stream(), {**members, "mean": Baseline("mean")}, warmup=60)
    told = follow_runs(
        {name: both.runs[name][0] for name in members}, [1, 1], both.stream, 0, "following"
    )
    result = replace(both, runs={**both.runs, "following": [told]})
    each = [result.costs(name)["retrainings"] for name in ("a", "b", "following")]
    assert each[0] > each[1] > 0 and each[2] == each[0] + each[1]


def test_following_hears_the_best_of_late():
    y = np.repeat([0.0, 10.0], 200)
    stream = Stream("step", np.zeros((400, 1)), y)
    both = {"low": Column([0]), "newest": Baseline("no-change")}
    run = prequential(Following(both, half_life=5), stream, warmup=50)
    assert run.loss[:150].max() == 0 and run.loss[-100:].max() == 0


@pytest.mark.parametrize("late", [0, 5])
def test_a_line_over_all_is_the_blend_and_a_line_over_how_far_each_lies_from_it(late):
    rng = np.random.default_rng(3)
    y = np.cumsum(rng.normal(size=160))
    given = y[:, None] + rng.normal(size=(160, 3)) * [1, 2, 3] + [2, -1, 0]
    stream = Stream("s", np.zeros((160, 1)), y)
    runs = {
        f"m{k}": Run("s", f"m{k}", 10, y[10:], given[10:, k], cost=dict.fromkeys(
            ("fits", "rows_learnt", "labels_used", "model_bytes", "cpu_seconds"), 0.0
        )) for k in range(3)
    }  # fmt: skip
    first, fade = [1.0, 2.0, 3.0], 0.5 ** (1 / 50)
    told = follow_runs(
        runs, first, stream, late, "line", half_life=50, sharpness=10, stacked=True
    ).predictions

    def weights(known: int) -> np.ndarray:
        losses = np.array(first) * 0.5 / (1 - fade)
        for row in range(10, known):
            losses = fade * losses + np.abs(y[row] - given[row])
        powers = (losses / losses.min()) ** -10.0
        return powers / powers.sum()

    line, past = FadingLine(50, ridge=10, robust=True), []
    for row in range(10, 160):
        known = min(row, row - late + 1) if late else row  # labels of the rows before it
        for new in range(10 + len(past), known):
            blend = given[new] @ weights(new)
            past.append((given[new] - blend, y[new] - blend))
            if len(past) == 30:
                line.fit(*map(np.array, zip(*past, strict=True)))
            elif len(past) > 30:
                line.partial_fit(past[-1][0][None], np.array([past[-1][1]]))
        blend = given[row] @ weights(known)
        correction = line.predict((given[row] - blend)[None])[0] if len(past) >= 30 else 0.0
        assert told[row - 10] == pytest.approx(blend + correction, rel=1e-9, abs=1e-9), row


def test_no_row_throws_a_river_model_of_numbers():
    class Wild:
        def clone(self):
            return self

        def learn_one(self, x, y):
            pass

        def predict_one(self, x):
            return 1e9 * x["x0"]

    model = ByRow(Wild()).partial_fit(np.zeros((3, 1)), np.array([1.0, 2.0, 5.0]))
    assert model.predict(np.array([[1.0], [-1.0], [0.0]])).tolist() == [9.0, -3.0, 0.0]


def spy_stream() -> Stream:
    stream = toy_stream(rows=400)
    return replace(stream, y=stream.y + np.sin(np.arange(400) / 3))


def test_the_trials_see_nothing_after_the_warm_up():
    stream = usual_memory(spy_stream(), 100)
    rng = np.random.default_rng(0)
    later = replace(
        stream, y=np.r_[stream.y[:100], 50 * rng.normal(size=300)],
        X=np.r_[stream.X[:100], 50 * rng.normal(size=stream.X[100:].shape)],
    )  # fmt: skip
    for name, strategy in rivals(stream, warmup=100, quick=True).items():
        if isinstance(strategy, Tuned):
            was, now = (prequential(strategy, each, warmup=100, seed=0) for each in (stream, later))
            assert was.events[1] == now.events[1], name
            assert was.cost["trial_loss"] == now.cost["trial_loss"], name


def test_every_family_gets_the_same_trials_in_each_way_to_meet_time():
    stream = usual_memory(replace(toy_stream(rows=300), key=None))
    lineup = rivals(stream)
    lineup = {name: each for name, each in lineup.items() if isinstance(each, Tuned)}
    for family, ways, on_each_view in (("linear", 5, 1), ("boosting", 4, 2)):
        whole = {
            name: each for name, each in lineup.items() if name.partition(",")[0].endswith(family)
        }
        on_one_view = [each for name, each in lineup.items() if f"{family} on " in name]
        assert len(whole) == ways, list(whole)
        assert len({(tuple(each.choices), each.late, each.most) for each in whole.values()}) == 1
        seen = on_each_view * len(what_to_see(stream, len(stream)))
        assert [len(each.choices) for each in on_one_view] == [1] * seen
        each_way = [
            ways for each in [*whole.values(), *on_one_view] for ways in each.choices.values()
        ]
        assert {len(ways) for ways in each_way} == {4}


@pytest.mark.parametrize("loss_of_first", [1.0, 3.0])
def test_the_number_of_trials_does_not_depend_on_what_they_show(loss_of_first):
    class Says(Column):
        def __init__(self, value):
            super().__init__([0])
            self.value = value

        def predict(self, X):
            return np.full(len(X), self.value)

    ways = {"first": Says(loss_of_first), "second": Says(2.0), "third": Says(9.0)}
    tuned = Tuned({seen: ways for seen in ("a", "b", "c")})
    tuned.fit(np.zeros((20, 1)), np.zeros(20))
    assert len(tuned.trials) == 3 + 2 + 2
    assert tuned.choice == ("a, first" if loss_of_first == 1 else "a, second")
    assert tuned.trial_loss == min(loss_of_first, 2.0)


def test_the_trials_pick_memory_where_it_helps_and_say_so():
    y = np.cumsum(np.random.default_rng(0).normal(size=500))
    stream = usual_memory(Stream("walk", np.random.default_rng(1).normal(size=(500, 1)), y))
    run = prequential(rivals(stream, quick=True)["frozen linear"], stream, seed=0)
    assert run.events[1][1].startswith("memory") and "best of 12 tried" in run.events[1][1]
    assert run.loss.mean() < 1


@pytest.mark.parametrize("rows", [9, 11, 60])
@pytest.mark.parametrize("late", [1, 4])
def test_a_trial_is_the_mean_loss_of_an_evaluation_of_half_the_rows(rows, late):
    stream = spy_stream().take(slice(0, rows))
    for strategy in (Baseline("no-change"), OnlineAfterFit(FadingLine())):
        run = prequential(strategy, stream, warmup=0.5, label_delay=f"{late}rows", seed=0)
        loss = run.loss.mean()
        assert trial_loss(strategy, stream, late, 0) == loss
        assert trial_loss(strategy, stream, late, 0, best=loss) == loss  # as good is no worse
        assert trial_loss(strategy, stream, late, 0, best=0.9 * loss) == np.inf


def test_the_race_of_the_trials_changes_no_choice(monkeypatch):
    stream = usual_memory(spy_stream(), 100)
    lineup = rivals(stream, warmup=100, quick=True)
    told = {}
    for race_on in (True, False):
        if not race_on:
            monkeypatch.setattr(tuned, "trial_loss", lambda *asked: trial_loss(*asked[:4]))
        for name in ("frozen linear", "online linear", "triggered linear"):
            strategy = lineup[name].clone(0)
            strategy.set_schema(stream.features, 0)
            strategy.fit(stream.X[:100], stream.y[:100])
            told[name, race_on] = strategy
    stopped = 0
    for name in {name for name, _ in told}:
        with_race, without = told[name, True], told[name, False]
        assert (with_race.choice, with_race.trial_loss) == (without.choice, without.trial_loss)
        assert with_race.trials.keys() == without.trials.keys()
        stopped += np.isinf(list(with_race.trials.values())).sum()
        assert np.isfinite(list(without.trials.values())).all()
    assert stopped


def test_a_choice_that_fails_is_no_choice():
    class Broken(Static):
        def fit(self, X, y):
            raise ValueError("no")

    choices = {"a": {"x": Broken(LinearRegression()), "y": Static(LinearRegression())}}
    stream = toy_stream()
    run = prequential(Tuned(choices), stream, warmup=60)
    assert run.events[1][1] == "a, y: best of 2 tried"


def test_what_is_seen_is_what_it_says():
    stream = with_memory(toy_stream(rows=50), lags=1)
    seen = what_to_see(stream, 50)
    assert [stream.features[i] for i in seen["no memory"][0]] == ["x0", "x1", "x2"]
    assert all(stream.features[i].startswith(MEMORY) for i in seen["memory alone"][0])
    base = seen["memory, change since the last label"][1]
    assert stream.features[base] == MEMORY + LAST
    model = View(LinearRegression(), *seen["memory, change since the last label"])
    plain = LinearRegression().fit(stream.X, stream.y - stream.X[:, base])
    right = plain.predict(stream.X) + stream.X[:, base]
    assert model.fit(stream.X, stream.y).predict(stream.X) == pytest.approx(right)


def test_shares_are_of_what_is_remembered_and_only_where_no_label_is_below_0():
    y = np.r_[np.arange(1.0, 40), -5, np.arange(40.0, 50)]
    stream = with_memory(Stream("sales", np.ones((50, 1)), y, ("price",)), lags=1)
    assert not [name for name in what_to_see(stream, 50) if "share" in name]
    shown = what_to_see(stream, 39)["memory, share of the last label"]
    last = np.maximum(stream.X[:, 1], 1)  # where it is below 0, the smallest of the first rows
    X = stream.X / np.column_stack([np.ones(50), *[last] * 4])
    plain = LinearRegression().fit(X[:39], y[:39] / last[:39])
    model = View(LinearRegression(), *shown).fit(stream.X[:39], y[:39])
    assert model.predict(stream.X) == pytest.approx(plain.predict(X) * last)


def test_what_was_learnt_of_small_numbers_holds_for_large_ones():
    rng = np.random.default_rng(0)
    y = 1e3 ** np.r_[np.zeros(200), np.ones(200)] * (2 + np.sin(np.arange(400))) ** 2
    y = y * rng.uniform(0.99, 1.01, 400)
    result = race(Stream("grown", np.zeros((400, 0)), y), warmup=200, quick=True)
    scores = {row["strategy"]: row["score"] for row in result.table()}
    share = scores["online linear on memory, share of the last label"]
    assert share < 0.7 * scores["online linear on memory, change since the last label"]


@pytest.mark.parametrize("values", [[0.0], [0.0, 1.0]])
def test_shares_of_nothing_are_numbers(values):
    stream = with_memory(Stream("calls", np.zeros((60, 1)), np.resize(values, 60)), lags=1)
    shown = what_to_see(stream, 60)["memory, share of the mean"]
    for model in (LinearRegression(), FadingLine()):
        said = View(model, *shown).fit(stream.X, stream.y).predict(stream.X)
        assert np.isfinite(said).all() and abs(said).max() < 10


@pytest.fixture(scope="module")
def walk() -> Stream:
    """A random walk that a column foretells a little, for two keys of which one is noise."""
    rng = np.random.default_rng(0)
    steps = rng.normal(size=300)
    key = np.tile(["calm", "wild"], 150)
    y = np.cumsum(steps) + np.where(key == "wild", 5 * rng.normal(size=300), 0)
    return Stream("walk", np.roll(steps, 1)[:, None], y, key=key, unit="m")


def test_the_race_is_the_same_with_two_processes_and_from_its_folder(walk, tmp_path, monkeypatch):
    monkeypatch.setattr(companion.rivals, "REFITS", 5)
    one = race(walk, quick=True, folder=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    two = race(walk, quick=True, folder=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    three = race(walk, quick=True, n_jobs=2)
    for name in one.runs:
        for other in (two, three):
            assert (one.runs[name][0].predictions == other.runs[name][0].predictions).all()


def run_of(name: str, predictions: np.ndarray, y: np.ndarray) -> Run:
    cost = dict.fromkeys(
        ("fits", "rows_learnt", "labels_used", "model_bytes", "cpu_seconds", "trial_loss"), 0.0
    )
    return Run("s", name, 0, y, predictions, cost=cost, events=[(0, "fit")])


def table(errors: dict[str, np.ndarray], key: np.ndarray | None = None):
    """Return a comparison in which each strategy errs as it is told."""
    from companion.comparison import Comparison

    y = np.random.default_rng(0).normal(size=len(next(iter(errors.values()))))
    runs = {name: [run_of(name, y + error, y)] for name, error in errors.items()}
    return Comparison(
        Stream("s", np.zeros((len(y), 1)), y, key=key, unit="m"), runs, {}, "frozen linear"
    )


def noise(size: float, seed: int) -> np.ndarray:
    return size * np.random.default_rng(seed).normal(size=1_000)


def test_the_answer_names_the_simplest_that_is_as_good():
    size = {name: np.abs(noise(1, seed)).mean() for name, seed in (("f", 2), ("b", 3), ("o", 4))}
    said = answer(table({
        "no change": noise(3, 1), "frozen linear": noise(1.01 / size["f"], 2),
        "blend of all": noise(1 / size["b"], 3), "online linear": noise(1.005 / size["o"], 4),
        "refit boosting, all rows": noise(2, 5),
    }))  # fmt: skip
    worse = answer(table({
        "no change": noise(3, 1), "frozen linear": noise(1.03 / size["f"], 2),
        "blend of all": noise(1 / size["b"], 3),
    }))  # fmt: skip
    assert any("cannot tell it from frozen linear" in line for line in worse)
    assert "Next: run blend of all" in " ".join(worse)  # 3 % worse is no longer as good
    assert said[0].startswith("The smallest error has ")
    assert "The simplest that is as good is frozen linear." in said
    assert any("beats the best guess without a model, no change, by" in line for line in said)
    assert "Next: fit frozen linear once" in " ".join(said)


def test_the_answer_says_when_one_beats_all_and_does_not_call_a_worse_one_as_good():
    said = answer(table({"no change": noise(3, 1), "frozen linear": noise(2, 2),
                         "online linear": noise(1, 3)}))  # fmt: skip
    assert "It beats all 2 others, each clear of zero." in said
    assert not any("simplest" in line for line in said)
    assert "Next: run online linear, and let it learn each label as it arrives." in said


@pytest.mark.parametrize("strong", [True, False])
def test_no_model_earned_its_keep_is_said_only_if_strong_ones_were_tried(strong):
    errors = {"no change": noise(1, 1), "frozen linear": noise(2, 2)}
    if strong:
        errors["frozen boosting"] = noise(3, 3)
    said = " ".join(answer(table(errors)))
    assert ("No model earned its keep here" in said) == strong
    assert ("stronger models were not tried" in said) != strong


def test_the_answer_says_for_whom_it_is_worse():
    key = np.tile(["ann", "bob"], 500)
    own = np.where(key == "ann", noise(0.1, 1), noise(4, 2))
    said = answer(table({"no change per key": noise(3, 3), "frozen linear": own}, key))
    assert any(line.startswith("For 1 of 2 keys no change per key is better") and "bob" in line
               for line in said)  # fmt: skip


def test_the_alarm_rings_for_one_window_in_a_hundred():
    result = table({"no change": noise(3, 1), "frozen linear": noise(1, 2)})
    line = next(line for line in answer(result) if line.startswith("Set an alarm"))
    level = float(line.split("mean absolute error of ")[1].split(" m ")[0])
    means = np.convolve(result.loss("frozen linear"), np.ones(30) / 30, "valid")
    assert (means > level).mean() == pytest.approx(0.01, abs=0.005)


class Exploding(Strategy):
    def fit(self, X, y):
        self.value = 1.0

    def predict(self, X):
        return np.full(len(X), self.value)

    def learn(self, X, y):
        self.value = min(self.value * -3, 1e12)


def test_a_run_that_diverges_is_said_to_have_diverged_and_comes_last(walk):
    lineup = {
        "frozen linear": Exploding(),
        "worse": Baseline("mean"),
        "no change": Baseline("no-change"),
    }
    result = compare(walk, lineup, warmup=100)
    row = result.diverged("frozen linear")
    assert row is not None and 100 < row < 130
    assert result.ranked()[-1] == "frozen linear"
    assert f"diverged at row {row}" in str(result)
    assert result.diverged("worse") is None
    assert any(line.startswith(f"frozen linear diverged at row {row}") for line in answer(result))
    assert "frozen linear" not in answer(result)[0]
    labels = [text.get_text() for text in errors_over_time(result, 20, title="t").axes[0].texts]
    assert labels and not any("frozen" in label for label in labels)


class Slow(Baseline):
    instant = False

    def __init__(self):
        super().__init__("no-change")

    def fit(self, X, y, row=None):
        time.sleep(60)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms here")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_budget_is_kept_and_what_was_left_out_is_named(walk, jobs, monkeypatch):
    lineup = {"frozen linear": Baseline("mean"), "slow": Slow(), "later": Slow()}
    monkeypatch.setattr(companion.rivals, "rivals", lambda *_, **__: lineup)
    both = {"one": Baseline("mean"), "two": Baseline("mean")}
    compare(walk, both, n_jobs=jobs)  # the processes are there, and have imported what they need
    began = time.monotonic()
    result = race(walk, budget=8, n_jobs=jobs)
    assert 0.7 * 8 <= time.monotonic() - began < 1.2 * 8
    assert result.failures == dict.fromkeys(("slow", "later"), "left out: the time was used up")
    assert list(result.runs) == ["frozen linear"]


def test_the_shortest_budget_still_has_the_guesses_without_a_model(walk):
    result = race(walk, budget=0.001, quick=True)
    assert {kind_of(name) for name in result.runs} == {"none", "hybrid"}
    assert {kind_of(name) for name in result.failures} >= {"frozen", "refit", "online"}


def test_under_a_budget_boosting_comes_before_what_takes_long(walk, monkeypatch):
    names = ("frozen linear", "online linear", "refit linear, all rows", "frozen boosting")
    lineup = {name: Baseline("mean") for name in names}
    monkeypatch.setattr(companion.rivals, "rivals", lambda *_, **__: lineup)
    ran = [list(race(walk, budget=budget).runs)[:4] for budget in (None, 60)]
    assert ran == [list(names), [names[0], names[3], names[1], names[2]]]


def test_models_of_ones_own_take_part(walk):
    from river import linear_model

    own = {"mine": Ridge(), "river": linear_model.PARegressor(), "last": Baseline("no-change")}
    names = set(race(walk, quick=True, own=own).runs)
    assert {"frozen mine", "refit mine, all rows", "online river", "last"} <= names


@pytest.mark.parametrize("classes", [2, 3])
def test_the_whole_line_up_runs_on_classes(classes, monkeypatch):
    monkeypatch.setattr(companion.rivals, "WORK", 1)  # ten refits
    result = race(toy_stream(classes, rows=120), warmup=60)
    assert not result.failures
    assert {kind_of(name) for name in result.runs} >= {
        "none",
        "frozen",
        "refit",
        "online",
        "hybrid",
    }
    assert answer(result)


def test_simple_means_less_that_changes():
    assert simplest(["blend of all", "online linear", "triggered linear"]) == "triggered linear"
    assert simplest(["frozen linear", "no change"]) == "no change"


@pytest.mark.parametrize("rows", [100, 9_000])
def test_short_streams_run_each_thing_to_see(rows):
    stream = usual_memory(Stream("s", np.zeros((rows, 1)), np.arange(rows) % 7.0))
    names = [name for name in rivals(stream, quick=True) if name.startswith("online linear on")]
    assert len(names) == (len(what_to_see(stream, len(stream))) if rows == 100 else 0)


def test_the_time_that_is_foretold_is_of_the_right_size(monkeypatch):
    stream = Stream("s", np.random.default_rng(0).normal(size=(3_000, 4)), np.arange(3_000) % 7.0)
    setting = {"warmup": 0.2, "label_delay": 0, "quick": True}
    monkeypatch.setattr(companion.rivals, "EACH_VIEW", 0)
    seconds, strategies = timing.expected_seconds(stream, setting, 1)
    began = time.monotonic()
    result = race(stream, quick=True)
    took = time.monotonic() - began
    assert strategies == len(result.runs) - len(FOLLOWERS)
    assert (
        seconds / 4 < took < 4 * seconds
    )  # the promise is 2, on a machine with nothing else to do


def test_the_time_ahead_counts_those_that_follow_others(monkeypatch):
    stream = Stream("s", np.zeros((20_000, 1)), np.arange(20_000) % 7.0)
    setting = {"warmup": 0.2, "label_delay": 0, "quick": True}
    monkeypatch.setattr(timing, "strategy_seconds", lambda *_: 0.0)
    numbers, _ = timing.expected_seconds(stream, setting, 1)
    began = time.monotonic()
    members = {name: run_of(name, np.zeros(16_000), stream.y[4_000:]) for name in "abcde"}
    for how in FOLLOWERS.values():
        follow_runs(members, np.ones(5), stream, 0, "it", **how)
    took = time.monotonic() - began
    assert numbers / 4 < took < 4 * numbers


@pytest.mark.parametrize(("rows", "columns", "refits"), [(4_000, 60, 100), (40_000, 60, 20)])
def test_a_line_is_refitted_less_often_where_that_takes_long(rows, columns, refits):
    stream = Stream("s", np.random.default_rng(0).normal(size=(rows, columns)), np.zeros(rows))
    lineup = rivals(usual_memory(stream), quick=True)
    way = next(iter(next(iter(lineup["refit linear, window"].choices.values())).values()))
    assert round(0.8 * rows / way.every) == refits


def test_the_table_of_regret_adds_up():
    from tests.benchmarks import answer as benchmark

    with benchmark.TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        loss, best = float(row["loss"]), float(row["its_loss"])
        assert float(row["regret"]) == pytest.approx(max(0, loss / best - 1), abs=2e-3), row
        assert (row["kept_back"] == "True") == (row["stream"] in benchmark.KEPT_BACK)
    with benchmark.SUMMARY.open(encoding="utf-8") as file:
        stored = list(csv.DictReader(file))
    assert stored == [
        {name: str(value) for name, value in line.items()} for line in benchmark.summary(rows)
    ]


def test_the_summary_of_rehearsals_is_that_of_their_table(tmp_path, monkeypatch):
    from tests.benchmarks import rehearsal

    stored = rehearsal.TABLE.with_name("rehearsal_summary.csv").read_text(encoding="utf-8")
    with rehearsal.TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    monkeypatch.setattr(rehearsal, "TABLE", tmp_path / "rehearsal.csv")
    rehearsal.summary(rows)
    assert (tmp_path / "rehearsal_summary.csv").read_text(encoding="utf-8") == stored
