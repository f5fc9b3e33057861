"""Models of scikit-learn and River: rows as they want them, probabilities, copies and seeds."""

from __future__ import annotations

import numpy as np
import pytest
from river import ensemble, linear_model, naive_bayes, preprocessing, tree
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from companion.models import (
    as_dicts,
    as_labels,
    class_probabilities,
    clone_model,
    must_have,
    refit,
    say_among,
    seed_names,
    started_warm,
    warm_names,
)

X = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 9.0]])


def test_rows_become_dicts():
    assert list(as_dicts(X[:2], ["a", "b"])) == [{"a": 0.0, "b": 1.0}, {"a": 2.0, "b": 3.0}]


def test_no_answer_is_minus_one():
    assert as_labels([2, None, 0]).tolist() == [2, -1, 0]
    assert as_labels([1.5]).dtype == float
    assert as_labels([None, 2.0], 7.5).tolist() == [7.5, 2.0]


@pytest.mark.parametrize("pipeline", [False, True])
def test_probabilities_of_scikit_learn_stand_under_their_classes(pipeline):
    line = LogisticRegression()
    model = make_pipeline(StandardScaler(), line) if pipeline else line
    model.fit(X, [3, 1, 3, 1])
    given, got = model.predict_proba(X), class_probabilities(model, X, 5, None)
    np.testing.assert_array_equal(got[:, [1, 3]], given)
    assert got.shape == (4, 5) and (got[:, [0, 2, 4]] == 0).all()


def test_probabilities_of_river_stand_under_their_classes():
    model = naive_bayes.GaussianNB()
    got = class_probabilities(model, X, 4, ["a", "b"])
    assert (got == 1 / 4).all()  # it has learnt nothing: all classes alike
    for x, label in zip(as_dicts(X, ["a", "b"]), (0, 2, 0, 2), strict=True):
        model.learn_one(x, label)
    got = class_probabilities(model, X, 4, ["a", "b"])
    for row, x in zip(got, as_dicts(X, ["a", "b"]), strict=True):
        said = model.predict_proba_one(x)
        assert row.tolist() == [said[0], 0.0, said[2], 0.0]


def test_a_model_must_have_its_methods():
    model = LinearRegression()
    assert must_have(model, "fit", "predict", what="Here") is model
    words = "Here cannot use LinearRegression: it has no dance"
    with pytest.raises(TypeError, match=words):
        must_have(model, "fit", "dance", what="Here")


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (LinearRegression(), []),
        (RandomForestClassifier(), ["random_state"]),
        (make_pipeline(StandardScaler(), RandomForestClassifier()),
         ["randomforestclassifier__random_state"]),
        (linear_model.LinearRegression(), []),
        (tree.HoeffdingAdaptiveTreeClassifier(), ["seed"]),
        (preprocessing.StandardScaler() | tree.HoeffdingAdaptiveTreeClassifier(), ["seed"]),
        (preprocessing.StandardScaler() | linear_model.LinearRegression(), []),
        (
            preprocessing.StandardScaler()
            | preprocessing.MinMaxScaler()
            | tree.HoeffdingAdaptiveTreeClassifier(),
            ["seed"],
        ),
        (object(), []),
    ],
)  # fmt: skip
def test_names_of_seeds(model, names):
    assert seed_names(model) == names


@pytest.mark.parametrize(
    ("model", "seed_of", "fitted"),
    [
        (RandomForestClassifier(2), lambda m: m.random_state, lambda m: m.fit(X, [0, 1, 0, 1])),
        (
            make_pipeline(StandardScaler(), RandomForestClassifier(2)),
            lambda m: m[-1].random_state,
            lambda m: m.fit(X, [0, 1, 0, 1]),
        ),
        (
            ensemble.LeveragingBaggingClassifier(naive_bayes.GaussianNB(), n_models=2),
            lambda m: m.seed,
            lambda m: m.learn_one({"a": 1.0}, 1),
        ),
        (
            preprocessing.StandardScaler() | tree.HoeffdingAdaptiveTreeClassifier(),
            lambda m: list(m.steps.values())[-1].seed,
            lambda m: m.learn_one({"a": 1.0}, 1),
        ),
    ],
)
def test_copies_are_unfitted_and_seeded(model, seed_of, fitted):
    fitted(model)
    was = seed_of(model)
    twin = clone_model(model, 7)
    assert seed_of(twin) == 7 and seed_of(model) == was and type(twin) is type(model)
    assert seed_of(clone_model(model, None)) == was
    if hasattr(twin, "predict_proba_one"):
        assert not any(twin.predict_proba_one({"a": 1.0}).values()) or twin is not model
    else:
        with pytest.raises(Exception, match="not fitted"):
            twin.predict(X)


def test_a_copy_of_a_model_without_a_seed_or_of_no_known_kind():
    river = linear_model.LinearRegression(intercept_lr=0.5)
    river.learn_one({"a": 1.0}, 3.0)
    twin = clone_model(river, 7)
    assert twin.intercept_lr.learning_rate == 0.5 and not twin.weights and river.weights

    class Own:
        def __init__(self):
            self.kept = [1]

    own = Own()
    twin = clone_model(own, 7)
    twin.kept.append(2)
    assert own.kept == [1] and twin.kept == [1, 2]
    own.steps = None
    assert clone_model(own, None).steps is None


class Ensemble(LinearRegression):
    """Members are added, as in the libraries of boosted trees."""

    def __init__(self, n_estimators=100, warm_start=False):
        self.n_estimators, self.warm_start = n_estimators, warm_start


class Bare:
    """A model without parameters that could be asked for."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, 0]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Ensemble(), "Ensemble cannot start warm: .*adds members"),
        (make_pipeline(StandardScaler(), Ensemble()), "Ensemble cannot start warm: .*adds members"),
        (RandomForestClassifier(), "RandomForestClassifier cannot start warm: .*adds members"),
        (LinearRegression(), "LinearRegression cannot start warm: it has no parameter warm_start"),
        (Bare(), "Bare cannot start warm: it has no parameter warm_start"),
    ],
)
def test_a_warm_start_must_be_an_update(model, words):
    with pytest.raises(TypeError, match=words):
        started_warm(model)


def test_a_model_starts_warm_as_a_copy():
    model = make_pipeline(StandardScaler(), LogisticRegression())
    warm = started_warm(model)
    assert warm[-1].warm_start and not model[-1].warm_start
    assert warm_names(model) == ["logisticregression__warm_start"]


def test_a_refit_on_one_class_leaves_the_old_model_as_it_was():
    model = LogisticRegression().fit(X, [0, 1, 0, 1])
    was = model.predict_proba(X)
    assert refit(model, X, np.zeros(4, int)) is None
    np.testing.assert_array_equal(model.predict_proba(X), was)
    calm = refit(GaussianNB(), X, np.ones(4, int))
    assert calm.predict(X).tolist() == [1, 1, 1, 1]  # one that is content with one class
    line = LinearRegression()
    assert refit(line, X, np.ones(4)) is line  # numbers are no classes
    np.testing.assert_allclose(line.predict(X), 1)
    assert refit(model, X, np.array([1, 2, 1, 2])).classes_.tolist() == [1, 2]


@pytest.mark.filterwarnings("ignore:lbfgs")
def test_a_warm_model_starts_cold_where_the_classes_are_others():
    warm = LogisticRegression(warm_start=True, max_iter=1).fit(X, [0, 1, 0, 1])
    other = refit(warm, X, np.array([0, 2, 1, 2]))
    assert other is not warm and other.classes_.tolist() == [0, 1, 2]
    again = refit(warm, X, np.array([1, 0, 1, 0]))
    assert again is warm
    line = LinearRegression().fit(X, np.arange(4.0))
    assert refit(line, X, np.arange(4)) is line
    assert refit(SGDRegressor(warm_start=True), X, np.arange(4)).coef_.shape == (2,)


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        SGDClassifier(random_state=0),
        LogisticRegression(),
        BernoulliNB(),
        DecisionTreeClassifier(max_depth=2),
    ],
)
def test_answers_are_the_best_among_the_classes_seen(model):
    rng = np.random.default_rng(0)
    rows, codes = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    model.fit(rows, 2 * codes)  # classes 0, 2 and 4
    names = ("predict_joint_log_proba", "decision_function", "predict_proba")
    scores = getattr(model, next(name for name in names if hasattr(model, name)))(rows)
    expected = [(2, 4)[int(row[2] > row[1])] for row in scores]
    assert say_among(model, rows, [2, 4]).tolist() == expected
    assert say_among(model, rows, [4]).tolist() == [4] * 60
    assert set(expected) == {2, 4}
