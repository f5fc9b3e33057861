"""What a page puts off importing is there as soon as anybody asks for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIVE = Path(__file__).parents[1] / "book" / "_static" / "live"
LIBRARIES = "import river.drift, river.linear_model, sklearn.ensemble, sklearn.linear_model\n"
LOADED = "import json, sys\nprint(json.dumps('scipy.stats._stats_py' in sys.modules))"


def ran(code: str) -> list:
    """Run code where the module is put off; return what its lines of output say."""
    done = subprocess.run(
        [sys.executable, "-c", f"import later\n{code}"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(LIVE)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_libraries_are_imported_without_it():
    assert ran(LIBRARIES + LOADED) == [False]


@pytest.mark.parametrize(
    "code",
    [
        "import scipy.stats\nprint(scipy.stats.norm.ppf(0.5))",
        "import scipy.stats as s\nprint(s.norm.ppf(0.5))",
        "from scipy import stats\nprint(stats.norm.ppf(0.5))",
        "from scipy.stats import norm\nprint(norm.ppf(0.5))",
        "from scipy.stats import *\nprint(norm.ppf(0.5))",
        "import scipy.stats.mstats\nprint(scipy.stats.norm.ppf(0.5))",
        "from scipy.stats.mstats import mquantiles\nprint(mquantiles([0, 0])[0])",
        "import scipy.stats\nprint(0.0 if 'norm' in dir(scipy.stats) else 1)",
        "import scipy.stats\nprint(float(scipy.stats.__doc__ is None))",
        "import copy\nfrom sklearn.metrics import _ranking\n"
        "print(float(copy.deepcopy(_ranking.rankdata)([1.0])[0]) - 1)",
        "import copy, sklearn.metrics._ranking as r\nprint(copy.copy(r.rankdata)([1.0])[0] - 1)",
        "import pickle, sklearn.metrics._ranking as r\n"
        "print(pickle.loads(pickle.dumps(r.rankdata))([1.0])[0] - 1)",
        "import pickle\nfrom scipy.stats import norm\n"
        "print(pickle.loads(pickle.dumps(norm)).ppf(0.5))",
    ],
)
def test_whoever_asks_gets_it_whole(code):
    assert ran(f"{code}\n{LOADED}") == [0.0, True]


def test_whoever_asks_after_the_libraries_gets_it_whole():
    code = "from scipy.stats import norm\nimport scipy.stats.mstats\nprint(norm.ppf(0.5))\n"
    assert ran(LIBRARIES + code + LOADED) == [0.0, True]


def test_what_libraries_took_works_when_it_is_called():
    code = """
import numpy as np
from river import drift, linear_model, proba
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import label_ranking_average_precision_score, label_ranking_loss
from sklearn.metrics import roc_auc_score
rng = np.random.default_rng(0)
X, watch = rng.normal(size=(200, 2)), drift.KSWIN(seed=1)
rings = sum(bool(watch.update(v) or watch.drift_detected) for v in np.r_[X[:, 0], 5 + X[:, 1]])
y = np.exp(X[:, 0])
model = HistGradientBoostingRegressor(loss="gamma", max_iter=5).fit(X, y)
line = linear_model.BayesianLinearRegression()
for row, target in zip(X.tolist(), y.tolist()):
    line.learn_one(dict(enumerate(row)), target)
both = proba.MultivariateGaussian(seed=1)
for row in X.tolist():
    both.update({"a": row[0], "b": row[1]})
print([rings, float(model.predict(X).sum()), line.predict_one({0: 1.0, 1: 2.0}),
       float(roc_auc_score(y > 1, X[:, 0] + X[:, 1])),
       float(label_ranking_average_precision_score([[1, 0, 1]], [[0.2, 0.2, 0.1]])),
       float(both({"a": 0.0, "b": 0.5}))])
"""
    as_always = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran(code) == [json.loads(as_always.stdout)]
