"""What a page puts off importing is there as soon as anybody asks for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIVE = Path(__file__).parents[1] / "book" / "_static" / "live"
LINES = """
from river.drift import ADWIN, KSWIN, PageHinkley
from river.linear_model import LinearRegression, LogisticRegression
from river.preprocessing import StandardScaler, TargetStandardScaler
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
"""
LIBRARIES = f"""{LINES}
from river.forest import ARFRegressor
from sklearn.ensemble import *
from sklearn.linear_model import *
"""
INSIDE = {
    "scipy.stats": "scipy.stats._stats_py", "scipy.optimize": "scipy.optimize._optimize",
    "scipy.special": "scipy.special._ufuncs", "numpy.f2py": "numpy.f2py.crackfortran",
    "numpy.testing": "numpy.testing._private",
}  # fmt: skip
LOADED = f"import json, sys\nprint(json.dumps('{INSIDE['scipy.stats']}' in sys.modules))"


def ran(code: str) -> list:
    """Run code where the module is put off; return what its lines of output say."""
    done = subprocess.run(
        [sys.executable, "-c", f"import later\n{code}"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(LIVE)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("code", "put_off"), [(LINES, [*INSIDE]), (LIBRARIES, ["scipy.stats"])])
def test_libraries_are_imported_without_what_is_put_off(code, put_off):
    there = ran(f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))")[0]
    assert not {INSIDE[name] for name in put_off} & set(there)


def test_all_that_is_put_off_is_here():
    assert ran("import json\nprint(json.dumps(later.PUT_OFF))") == [list(INSIDE)]


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


@pytest.mark.parametrize(
    "code",
    [
        "from scipy.special import expit\nprint(expit(0.0) - 0.5)",
        "from scipy import special\nprint(special.expit(0.0) - 0.5)",
        "import scipy.special._ufuncs as u\nprint(u.expit(0.0) - 0.5)",
        "import scipy.optimize\nprint(scipy.optimize.minimize_scalar(abs, (-1, 3)).fun * 0)",
        "from scipy.optimize._linesearch import line_search_wolfe1 as f\nprint(0.0 * callable(f))",
        "from scipy.integrate import solve_ivp\n"
        "print(solve_ivp(lambda t, y: 0 * y, (0, 1), [0.0]).y[0, -1])",
        "from scipy.integrate._ivp.ivp import OdeResult, OptimizeResult\n"
        "print(float(isinstance(OdeResult(), OptimizeResult)) - 1)",
        "import numpy as np\nnp.testing.assert_allclose(1, 1)\nprint(0.0)",
        "from numpy.testing import IS_WASM\nprint(float(IS_WASM))",
        "g = {'__name__': 'sklearn.utils'}\nexec('from numpy.testing import IS_WASM', g)\n"
        "print(float(g['IS_WASM']))",
        "import numpy as np\nprint(0.0 * len(np.f2py.get_include()))",
    ],
)
def test_whoever_asks_the_others_gets_them_whole(code):
    assert ran(LINES + code) == [0.0]


def test_a_package_that_gathers_names_still_knows_its_source():
    code = "import inspect, json, sklearn.linear_model as lm\n"
    assert ran(
        f"{code}print(json.dumps('import LinearRegression' in inspect.getsource(lm)))\n"
        "print(json.dumps(lm.__loader__.is_package('sklearn.linear_model')))"
    ) == [True, True]


NAMES = """
import importlib, json, pkgutil, warnings
warnings.simplefilter("ignore")
found = {}
for top in ("river", "sklearn"):
    package = importlib.import_module(top)
    for one in pkgutil.walk_packages(package.__path__, f"{top}."):
        if one.ispkg and "test" not in one.name and "externals" not in one.name:
            try:
                module = importlib.import_module(one.name)
            except ImportError:
                continue
            for name in dir(module):
                if name.startswith("__"):
                    continue
                value = getattr(module, name)
                listed = name in getattr(module, "__all__", [])
                if listed or type(value).__name__ not in ("module", "_Feature"):
                    place = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
                    found[f"{one.name}.{name}"] = [type(value).__name__, *map(str, place)]
print(json.dumps(found))
"""


def test_a_package_that_gathers_names_gives_the_same_ones():
    plain = subprocess.run(
        [sys.executable, "-c", NAMES], capture_output=True, text=True, check=True
    )
    theirs, (mine,) = json.loads(plain.stdout), ran(NAMES)
    assert len(theirs) > 900
    lost = {name: what for name, what in theirs.items() if mine.get(name) != what}
    assert not lost


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("import river.facto\nriver.facto.base", "river.facto.ffm"),
        ("from sklearn.linear_model import LinearRegression", "sklearn.linear_model._logistic"),
        ("from river.preprocessing import StandardScaler", "river.preprocessing.lda"),
        ("from river import linear_model\nlinear_model.LinearRegression", "river.linear_model.pa"),
    ],
)
def test_of_a_package_that_gathers_names_only_what_is_asked_for_is_imported(code, left):
    assert ran(f"{code}\nimport json, sys\nprint(json.dumps({left!r} in sys.modules))") == [False]


def test_a_function_is_not_hidden_by_its_module_of_the_same_name():
    code = "import json, river.bandit.evaluate as module\nfrom river import bandit\n"
    assert ran(f"{code}print(json.dumps(callable(bandit.evaluate)))") == [True]


def test_a_gathered_name_that_is_not_there_is_missed_as_always():
    code = """
import json, sklearn.linear_model as lm
try:
    lm.LinearRegresion
except AttributeError as error:
    print(json.dumps(str(error)))
try:
    from sklearn.linear_model import LinearRegresion
except ImportError as error:
    print(json.dumps(str(error).partition(" (")[0]))
from sklearn.linear_model import *
print(json.dumps([callable(Ridge), "Ridge" in dir(lm)]))
"""
    assert ran(code) == [
        "module 'sklearn.linear_model' has no attribute 'LinearRegresion'",
        "cannot import name 'LinearRegresion' from 'sklearn.linear_model'",
        [True, True],
    ]


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
