"""The second lock: an unpickler that makes nothing but parts of models.

The first lock is the seal (:mod:`companion.files.seal`): only one's own files come here at all.
This one holds if a key is lost. It finds classes of models and a few names, calls a short list of
functions on plain values, and hands out neither ``getattr`` nor anything that reads files.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ExtensionFileLoader
from types import FunctionType, MethodType, ModuleType
from typing import Any

from companion.files.private import UnsafeFile, on_one_line

FAMILIES = ("companion", "river", "sklearn")
NOT_THESE = (
    "companion.apps", "companion.checks", "companion.files", "companion.scale", "companion.show",
    "companion.streams",
    "river.bandit.datasets", "river.bandit.envs", "river.checks", "river.datasets", "river.stream",
    "sklearn.datasets", "sklearn.externals", "sklearn.utils._testing",
)  # fmt: skip
# Names that a model may hold. Those that are called while a model is read stand in MADE_BY.
NAMES = {
    "builtins": "bool bytes dict float int list set str tuple",
    "copy": "deepcopy",
    "datetime": "date datetime time timedelta timezone",
    "numpy": "array bool dtype float32 float64 int32 int64 mean ndarray ones",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64",
    "numpy.random.bit_generator": "SeedSequence",
    "river._river_rust.vectordict": "euclidean_distance_dict euclidean_distance_tuple",
    "river.feature_extraction.vectorize": "strip_accents_unicode tokenize_using_regex_pattern",
    "river.forest.online_extra_trees": "ExtraTrees._detection_mode_all",
    "river.metrics.mutual_info": "_average_arithmetic",
    "river.naive_bayes.gaussian": "GaussianNB._make_gaussian",
    "river.tree.splitter.ebst_splitter": "EBSTNode._update_estimator_univariate",
    "river.tree.splitter.nominal_splitter_reg": "NominalSplitterReg._update_estimator_univariate",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",
    "scipy.interpolate._bsplines": "BSpline",
    "scipy.sparse._csr": "csr_array csr_matrix",
    "sklearn.cluster._kmeans": "_kmeans_single_lloyd",
    "sklearn.feature_selection._univariate_selection": "f_classif",
    "statistics": "NormalDist",
}
MADE_BY = {
    "builtins": "bytearray complex frozenset iter range set slice",
    "collections": "Counter OrderedDict defaultdict deque",
    "datetime": "date datetime time timedelta timezone",
    "functools": "partial",
    "numpy": "dtype",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy._core.numeric": "_frombuffer",
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random.bit_generator": "__pyx_unpickle_SeedSequence",
    "random": "Random",
}
# Values of these run no code when they are handed to what is listed above.
PLAIN = ("builtins.", "collections.", "functools.", "numpy.", "river.optim.initializers.")
# The methods that River's models hold, by their class: each is looked up by hand.
METHODS = {
    "random.Random": "gauss",
    "river.bandit.thompson.ThompsonSampling": "_clone_reward_obj_with_seed",
    "river.drift.dummy.DummyDriftDetector": "_fixed_trigger _random_trigger",
    "river.drift.page_hinkley.PageHinkley": "_test_both _test_decrease _test_increase",
    "river.ensemble.bagging.LeveragingBaggingClassifier":
        "_leveraging_bag _leveraging_bag_half _leveraging_bag_me _leveraging_bag_wt "
        "_leveraging_subag",
    "river.feature_extraction.kernel_approx.RBFSampler": "_random_weights",
    "river.linear_model.pa.PAClassifier": "_calc_tau_0 _calc_tau_1 _calc_tau_2",
    "river.linear_model.pa.PARegressor": "_calc_tau_0 _calc_tau_1 _calc_tau_2",
    "river.metrics.accuracy.Accuracy": "clone",
    "river.metrics.mae.MAE": "clone",
    "river.multiclass.occ.OutputCodeClassifier": "_next_code",
    "river.preprocessing.random_projection.GaussianRandomProjector": "_rand_gauss",
    "river.preprocessing.random_projection.SparseRandomProjector": "_rand_weights_for_feature",
    "river.preprocessing.scale_target.TargetMinMaxScaler": "_scale _unscale",
    "river.preprocessing.scale_target.TargetStandardScaler": "_scale _unscale",
    "river.stats.mean.Mean": "clone",
}  # fmt: skip


def called(value: Any) -> str:
    """Return the full name of a class or function, or of a value's class; no code of it runs."""
    kind = value if isinstance(value, (type, FunctionType)) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def method_of(owner: Any, name: str) -> Any:
    """Return one of the listed methods of a model's part, found without ``getattr``.

    Raises
    ------
    UnsafeFile
        If the method is not listed for exactly this class.
    """
    if owner is str and name == "lower":  # with it text models split words
        return str.lower
    full = called(type(owner))
    if name in METHODS.get(full, "").split():
        for base in type(owner).__mro__:
            if isinstance(vars(base).get(name), FunctionType):
                return MethodType(vars(base)[name], owner)
    raise UnsafeFile(f"it holds {full}.{name}")


CONTAINERS: dict[bytes, Callable[[Any], Any]] = {  # where a step finds what it adds items to
    pickle.APPEND: lambda reader: reader.stack[-2],
    pickle.SETITEM: lambda reader: reader.stack[-3],
    pickle.APPENDS: lambda reader: reader.metastack[-1][-1],
    pickle.SETITEMS: lambda reader: reader.metastack[-1][-1],
    pickle.ADDITEMS: lambda reader: reader.metastack[-1][-1],
}


def filling(opcode: bytes, where: Callable[[Any], Any]) -> Callable[[ListedUnpickler], None]:
    """Return the step that adds items to a container, for plain containers only."""
    add = pickle._Unpickler.dispatch[opcode[0]]

    def checked(self: ListedUnpickler) -> None:
        self.check_plain(where(self), "items in")
        add(self)

    return checked


class ListedUnpickler(pickle._Unpickler):  # in Python, so that each step can be looked at
    """An unpickler that makes nothing but parts of models, and calls only what is listed."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, data: bytes, name: str, trust: Sequence[str] = ()) -> None:
        super().__init__(io.BytesIO(data))
        self.name, self.trust = name, trust
        self.given: dict[int, Any] = {}  # what find_class gave out, by identity
        self.callable: set[int] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function if it is listed, else refuse the file."""
        full, module = f"{module}.{name}", module.replace("numpy.core.", "numpy._core.")
        makes = name in MADE_BY.get(module, "").split() or full in self.trust
        if full == "builtins.getattr":
            found, makes = method_of, True
        elif makes or name in NAMES.get(module, "").split():
            found = super().find_class(module, name)
        else:
            found, makes = part_of_a_model(module, name)
            if found is None:
                raise self.refusal(full)
        self.given[id(found)] = found
        if makes:
            self.callable.add(id(found))
        return found

    def load_reduce(self) -> None:
        """Call a listed function, on values that run no code when they are used."""
        call, given = self.stack[-2:]
        if id(call) not in self.callable or type(given) is not tuple:
            raise self.refusal(f"a call of {called(call)}")
        for value in given[1:] if call is method_of else given:
            self.check_plain(value, "a call on")
        try:
            super().load_reduce()
        except UnsafeFile as error:
            raise self.refusal(str(error).removeprefix("it holds ")) from None

    def load_build(self) -> None:
        """Fill a new object; what was given out, and so is everybody's, is never changed."""
        new, state = self.stack[-2:]
        shared = isinstance(new, (type, ModuleType, FunctionType, MethodType))
        names = [name for part in (state if type(state) is tuple else (state,))
                 if isinstance(part, dict) for name in part]  # fmt: skip
        if id(new) in self.given or shared or any(str(name).startswith("__") for name in names):
            raise self.refusal(f"a change of {called(new)}")
        super().load_build()

    def check_plain(self, value: Any, what: str) -> None:
        """Refuse a value of a class whose own code would run."""
        full = called(type(value))
        if not (full.startswith(PLAIN) or id(value) in self.given or full in self.trust):
            raise self.refusal(f"{what} {full}")

    def _instantiate(self, kind: Any, given: Any) -> None:  # how old pickles call a class
        raise self.refusal(f"a call of {called(kind)}")

    def refusal(self, what: str) -> UnsafeFile:
        """Say what is not on the list."""
        return UnsafeFile(
            f"{self.name}: it holds {on_one_line(what)}, which is not on the list of what a model "
            "needs; do not load it, unless you made it yourself (then name it in trust)"
        )

    dispatch |= {
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        **{opcode[0]: filling(opcode, where) for opcode, where in CONTAINERS.items()},
    }


def part_of_a_model(module: str, name: str) -> tuple[Any, bool]:
    """Return a class of scikit-learn, River or the companion (or None), and whether to call it.

    It must stand in the family's own code: a module that a family merely imports is none of it.
    Called are only classes in C, Cython or Rust, and the functions that make them: what stands in
    Python is made empty and filled, so that no line of it runs.
    """
    parts = [*module.split("."), *name.split(".")]
    loader = parts[-1] == "newObj" or parts[-1].startswith("__pyx_unpickle_")
    hidden = any(part.startswith("__") for part in (parts[:-1] if loader else parts))
    if parts[0] not in FAMILIES or hidden or module.startswith(NOT_THESE):
        return None, False
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = vars(found)[part]
    except (ImportError, KeyError, TypeError):
        return None, False
    home = getattr(found, "__module__", None) or (module if "_river_rust" in parts else "")
    if home.split(".")[0] not in FAMILIES or home.startswith(NOT_THESE):
        return None, False
    if loader and callable(found):
        return found, True
    if not isinstance(found, type):
        return None, False
    spec = getattr(sys.modules[module], "__spec__", None)
    compiled = isinstance(getattr(spec, "loader", None), ExtensionFileLoader)
    return found, compiled or "_river_rust" in parts
