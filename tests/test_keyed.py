"""One key's rows at a time: equal to the single process, whatever the engine cuts or shuffles."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion import Baseline, Online, PerKey, Scheduled, Static, Strategy, prequential, streams
from companion.checks import toy_stream
from companion.hybrids.per_key import rows_by_key
from companion.lineups import online_line
from companion.scale.keyed import fit_per_key, layout_of, log_columns, log_of, update_key

TURBINES = streams.wind_turbines().take(slice(0, 1_200))
PEOPLE = toy_stream(classes=2, rows=600)
NOON = np.datetime64("2024-01-01T12")


def line() -> PerKey:
    return PerKey(Static(LinearRegression()), Online(online_line(0)), after=5)


def seasons() -> PerKey:
    """A personal model that asks for each row's position."""
    return PerKey(Static(LinearRegression()), Baseline("seasonal", rows=7))


def weekly() -> PerKey:
    """A personal model that asks for each row's time."""
    personal = Scheduled(LinearRegression(), every="2D", window=50)
    return PerKey(Static(LinearRegression()), personal)


def sorting() -> PerKey:
    frozen = make_pipeline(StandardScaler(), LogisticRegression())
    return PerKey(Static(frozen), Online(online_line(2)), after=10)


def twice_the_same(stream):
    """Return a stream in which each key's second row repeats its first."""
    X, y = stream.X.copy(), stream.y.copy()
    for rows in rows_by_key(np.asarray(stream.key)).values():
        X[rows[1:2]], y[rows[1:2]] = X[rows[0]], y[rows[0]]
    return replace(stream, X=X, y=y)


def as_rows(log) -> list[tuple]:
    """Return a log as an engine hands it on: None for what is empty."""
    return [
        tuple(None if isinstance(v, float) and np.isnan(v) else v for v in row)
        for row in log.itertuples(index=False, name=None)
    ]


def replayed(known, log, cuts, seed=0, **options):
    """Take a log in micro-batches, keys and rows shuffled; return all answers by row."""
    rng, kept, answers = np.random.default_rng(seed), {}, []
    for part in np.split(np.arange(len(log)), cuts):
        rows = as_rows(log.iloc[rng.permutation(part)])
        for key in rng.permutation(sorted({row[1] for row in rows})):
            own = [row for row in rows if row[1] == key]
            kept[key], given = update_key(known, str(key), kept.get(key), own, **options)
            answers += given
    return {answer.row: answer for answer in answers}, kept


@pytest.mark.parametrize("delay", [0, 30, "6h"])
@pytest.mark.parametrize(
    ("stream", "build"),
    [
        (TURBINES, line), (TURBINES, seasons), (TURBINES, weekly),
        (streams.liver().take(slice(0, 1_200)), line),
        (PEOPLE, sorting),
        (twice_the_same(streams.liver()), line),
    ],
    ids=["turbines", "seasons", "weekly", "patients", "classes", "equal starts"],
)  # fmt: skip
def test_micro_batches_give_what_the_single_process_gives(stream, build, delay):
    warmup = len(stream) // 3
    known = fit_per_key(build(), stream, warmup=warmup, label_delay=delay)
    log = log_of(stream, warmup=warmup, label_delay=delay)
    answers, _ = replayed(known, log, cuts=[100, 101, 400])
    run = prequential(build(), stream, warmup=warmup, label_delay=delay)
    assert all(answer.problem is None for answer in answers.values())
    found = [answers[row].prediction for row in range(warmup, len(stream))]
    np.testing.assert_allclose(found, run.predictions, rtol=1e-9, atol=1e-9)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 700), max_size=6).map(sorted), st.integers(0, 9))
def test_where_the_engine_cuts_the_log_does_not_matter(cuts, seed):
    part = TURBINES.take(slice(0, 500))
    known = fit_per_key(line(), part, warmup=100, label_delay=9)
    log = log_of(part, warmup=100, label_delay=9)
    one, kept_one = replayed(known, log, [])
    many, kept_many = replayed(known, log, cuts, seed)
    assert one == many
    assert {key: memory.labels_seen for key, memory in kept_one.items()} == {
        key: memory.labels_seen for key, memory in kept_many.items()
    }


def test_a_log_holds_what_had_not_arrived_by_its_start():
    log = log_of(TURBINES, warmup=300, label_delay=40)
    questions, labels = log[log.y.isna()], log[log.y.notna()]
    assert questions.row.tolist() == list(range(261, 1200))
    assert labels.row.tolist() == list(range(261, 1160))
    place = dict(zip(questions.row, questions.seq, strict=True))
    assert all(seq > place[row] for seq, row in zip(labels.seq, labels.row, strict=True))
    assert log.time.is_monotonic_increasing


def test_history_that_is_not_all_used_leaves_its_labels_out():
    known = fit_per_key(line(), TURBINES, warmup=300, label_delay=40)
    assert sum(memory.labels_seen for memory in known.personal.values()) == 261


# --- rows that cannot be used --------------------------------------------------------------------

KNOWN = fit_per_key(line(), TURBINES, warmup=200)
FINE = (5.0, 0.1, 10.0, 0.0, 1.0)


def question(row, seq=None, x=FINE, key="new", time=NOON):
    return (row if seq is None else seq, key, row, time, None, *x)


def label(row, y, seq, key="new", time=NOON):
    return (seq, key, row, time, y, *[None] * len(FINE))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (question(7, x=(None, *FINE[1:])), "row 7: feature 'wind' is empty; fill it in"),
        (question(7, x=(*FINE[:2], float("nan"), 0, 1)), "row 7: feature 'temperature' is nan"),
        (question(7, x=(float("inf"), *FINE[1:])), "row 7: feature 'wind' is inf, no number"),
        (question(7, time=None), "row 7: time is empty; fill it in and send the row again"),
        (question(None, seq=7), "row None: row is empty; fill it in"),
        ((None, *question(7)[1:]), "row 7: seq is empty; fill it in"),
        (label(1, float("nan"), 7), "row 1: the label nan is no number; send it again"),
        (label(99, 1.0, 7), "row 99: no question waits for this label: told before, too old"),
        (question(1, seq=7), "row 1: this question waits already; a second copy is not asked"),
    ],
)
def test_a_poisoned_row_is_set_aside_with_one_sentence_and_its_key_goes_on(bad, words):
    good = [question(1), question(2), label(2, 100.0, 8), question(9)]
    memory, answers = update_key(KNOWN, "new", None, [*good, bad])
    aside = [answer for answer in answers if answer.problem]
    assert len(aside) == 1 and aside[0].problem.startswith(words)
    assert aside[0].prediction is None and "\n" not in aside[0].problem
    clean, without = update_key(KNOWN, "new", None, good)
    assert [answer for answer in answers if not answer.problem] == without
    assert memory == clean


def test_a_row_without_a_key_is_set_aside_and_keeps_no_state():
    memory, (answer,) = update_key(KNOWN, None, None, [question(3, key=None)])
    assert memory is None
    assert answer.problem == "row 3: key is empty; fill it in and send the row again"


def test_a_label_of_no_class_is_set_aside():
    known = fit_per_key(sorting(), PEOPLE)
    x = (1.0, 2.0, 50.0)
    rows = [(0, "m", 0, NOON, None, *x), (1, "m", 0, NOON, 2.0, *[None] * 3),
            (2, "m", 0, NOON, 1.0, *[None] * 3)]  # fmt: skip
    memory, answers = update_key(known, "m", None, rows)
    assert answers[1].problem == "row 0: the label 2.0 is none of the codes 0 to 1; send a code"
    assert memory.labels_seen == 1 and len(answers) == 2


class Touchy(Strategy):
    """A mean that breaks down, half changed, on a label above 1,000."""

    def fit(self, X, y):
        self.seen = []
        self.learn(X, y)

    def learn(self, X, y):
        self.seen.extend(y.tolist())
        if abs(y).max() > 1_000:
            raise RuntimeError("too\nmuch")

    def predict(self, X):
        return np.full(len(X), np.mean(self.seen))


def test_a_row_on_which_the_model_raises_leaves_no_trace():
    known = fit_per_key(PerKey(Static(LinearRegression()), Touchy()), TURBINES, warmup=200)
    good = [question(1), question(2), label(2, 100.0, 3), question(4)]
    memory, answers = update_key(known, "new", None, [*good, label(1, 5_000.0, 3.5)])
    aside = [answer for answer in answers if answer.problem]
    assert [answer.problem for answer in aside] == ["row 1: RuntimeError: too much"]
    clean, without = update_key(known, "new", None, good)
    assert [answer for answer in answers if not answer.problem] == without
    assert memory == clean


class Endless(Touchy):
    """A mean that has diverged."""

    def predict(self, X):
        return np.full(len(X), np.inf)


def test_a_model_that_has_diverged_gives_no_number_but_a_sentence():
    known = fit_per_key(PerKey(Static(LinearRegression()), Endless()), TURBINES, warmup=200)
    _, answers = update_key(known, "new", None, [question(1), label(1, 5.0, 2), question(3)])
    assert answers[0].problem is None
    assert answers[1].problem.startswith("row 3: the prediction is not finite; the model of this")


def test_told_twice_counts_once():
    rows = [question(1), label(1, 100.0, 2), label(1, 100.0, 3)]
    memory, answers = update_key(KNOWN, "new", None, rows)
    assert memory.labels_seen == 1
    again, (answer,) = update_key(KNOWN, "new", memory, [label(1, 100.0, 4)])
    assert (again.labels_seen, again.waiting) == (1, memory.waiting)
    assert answer.problem.startswith("row 1: no question waits for this label: told before")


def test_questions_that_wait_too_long_are_forgotten():
    later = NOON + np.timedelta64(8, "D")
    rows = [question(1), question(2, time=later)]
    memory, _ = update_key(KNOWN, "new", None, rows, patience="7D")
    assert list(pickle.loads(memory.waiting)) == [2]
    memory, _ = update_key(KNOWN, "new", None, rows)
    assert list(pickle.loads(memory.waiting)) == [1, 2]
    _, (answer,) = update_key(KNOWN, "new", update_key(KNOWN, "new", None, rows, patience="7D")[0],
                          [label(1, 5.0, 9)])  # fmt: skip
    assert "too old" in answer.problem


# --- state that outlives the program -------------------------------------------------------------


def test_state_of_other_columns_or_models_is_refused():
    memory, _ = update_key(KNOWN, "new", None, [question(1)])
    for build, stream in (
        (seasons, TURBINES),
        (lambda: PerKey(Static(LinearRegression()), Online(online_line(0), features="vwxyz")),
         TURBINES),
    ):  # fmt: skip
        other = fit_per_key(build(), stream, warmup=200)
        with pytest.raises(ValueError, match="'new' was made for other features or another pers"):
            update_key(other, "new", memory, [question(2)])


def test_another_shared_model_may_take_over():
    memory, _ = update_key(KNOWN, "new", None, [question(1), label(1, 5.0, 2)])
    newer = fit_per_key(line(), TURBINES, warmup=400)
    assert newer.layout == KNOWN.layout
    assert update_key(newer, "new", memory, [question(3)])[1][0].labels_seen == 1


def test_state_that_cannot_be_read_stops_the_query_with_one_sentence():
    memory, _ = update_key(KNOWN, "new", None, [question(1), label(1, 5.0, 2)])
    with pytest.raises(ValueError, match="of key 'new' cannot be read .*; install the versions"):
        update_key(KNOWN, "new", memory._replace(model=b"nonsense"), [question(3)])


def test_the_layout_is_the_same_in_every_process():
    one, two = layout_of(line(), ("a", "b")), layout_of(line(), ("a", "b"))
    assert one == two != layout_of(line(), ("b", "a"))
    assert layout_of(PerKey(Static(LinearRegression()), Touchy()), ("a",)) != layout_of(
        seasons(), ("a",)
    )


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Static(LinearRegression()), "Static has no model a key for the engine to keep"),
        (PerKey(Online(online_line(0)), Baseline("no-change")),
         "the shared Online keeps learning, and every worker would teach its own copy"),
    ],
)  # fmt: skip
def test_a_strategy_that_no_engine_can_keep_gets_one_sentence(strategy, words):
    with pytest.raises(TypeError, match=words):
        fit_per_key(strategy, TURBINES)


def test_a_stream_that_is_no_log_gets_one_sentence():
    with pytest.raises(ValueError, match="'weather' needs times and keys to become a keyed log"):
        log_of(streams.weather())
    with pytest.raises(ValueError, match="the log has a column 'y' of its own; rename"):
        log_columns(["x", "y"])
