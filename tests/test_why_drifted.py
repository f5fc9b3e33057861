"""Chapter 18 asks why rows drifted: its answer is held against drift that is planted here.

One feature is moved on the rows of one slice; the chapter's own function, read from its notebook,
has to name both. Where nothing is planted its p-values have to be those of chance.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from tests.test_planted_truth import code_of, define

FEATURES = 3


def why_drifted(as_written: str = "", faulty: str = "") -> dict[str, Any]:
    """Return the chapter's names, its function among them, or those with a fault in it."""
    code = code_of(18)
    space: dict[str, Any] = {}
    define([source.replace(as_written, faulty) for source in code], space)
    assert not faulty or any(as_written in source for source in code), as_written
    return space


def two_periods(seed: int, rows: int = 1000) -> np.ndarray:
    """Old rows and new ones, of the same kind."""
    return np.random.default_rng(seed).normal(size=(2, rows, FEATURES))


def names_what_moved(chapter: dict[str, Any]) -> None:
    """On a quarter of the new rows, by one feature, another is moved by two spreads."""
    for moved, where in ((0, 1), (1, 2), (2, 0)):
        old, new = two_periods(seed=moved, rows=1500)
        new[new[:, where] > np.quantile(old[:, where], 0.75), moved] += 2
        p_value, fall, path = chapter["why_drifted"](old, new, trees=3)
        assert p_value < 1e-6
        assert list(np.argsort(-fall)) == [moved, where, 3 - moved - where]
        assert path[0] == moved and set(path) == {moved, where}


def reads_the_newest_leaf(chapter: dict[str, Any]) -> None:
    """Where 0 is high 1 has moved, where 0 is low 2 has; most new rows are where 0 is high."""
    old, new = two_periods(0)
    new[:, 0] += 1
    high = new[:, 0] > 0.5
    new[high, 1] += 1
    new[~high, 2] += 1
    assert chapter["why_drifted"](old, new, trees=1)[2].tolist() == [0, 1]


def blames_no_feature(chapter: dict[str, Any]) -> None:
    falls = [chapter["why_drifted"](*two_periods(seed), trees=1)[1] for seed in range(8)]
    assert np.abs(np.mean(falls, axis=0)).max() < 0.02


def has_the_p_values_of_chance(chapter: dict[str, Any]) -> None:
    """Of the tree; the forest does not enter, and is left out."""
    chapter["RandomForestClassifier"] = lambda *args, **how: SimpleNamespace(fit=lambda *rows: None)
    chapter["permutation_importance"] = lambda *args, **how: SimpleNamespace(importances_mean=None)
    p_values = np.array([chapter["why_drifted"](*two_periods(seed, rows=300))[0]
                         for seed in range(200)])  # fmt: skip
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert abs(np.mean(p_values < 0.05) - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 200)


PROMISES = names_what_moved, reads_the_newest_leaf, blames_no_feature, has_the_p_values_of_chance


@pytest.mark.parametrize("promise", PROMISES)
def test_why_it_drifted_is_answered_rightly(promise):
    promise(why_drifted())


@pytest.mark.parametrize(("promise", "as_written", "faulty"), [
    (has_the_p_values_of_chance, "X[held])[:, 1], is_new[held]", "X[learn])[:, 1], is_new[learn]"),
    (blames_no_feature, "X[held], truth", "X[learn], is_new[learn]"),  # rows that the forest learnt
    (names_what_moved, '"greater"', '"less"'),
    (names_what_moved, "fall.importances_mean", "-fall.importances_mean"),
    (reads_the_newest_leaf, "argmax()", "argmin()"),
])  # fmt: skip
def test_a_fault_in_it_is_noticed(promise, as_written, faulty):
    with pytest.raises(AssertionError):
        promise(why_drifted(as_written, faulty))
