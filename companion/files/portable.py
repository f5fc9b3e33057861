"""Strategies and River models as data: JSON and arrays, no code.

A file names classes out of the list below, and gives each object its attributes: numbers, text,
arrays, containers and other such objects. Nothing that is not listed is imported, and neither a
constructor nor a method runs. scikit-learn models inside it are kept in skops's own form.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import math
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
import sklearn.base

from companion.files.listed import method_of
from companion.files.private import UnsafeFile

FORMAT = "companion model, format 1"
CLASSES = {
    "companion.hybrids.blend": "Blend",
    "companion.hybrids.champion": "ChampionChallenger",
    "companion.hybrids.following": "Following Ranking Stack",
    "companion.hybrids.paired": "Paired",
    "companion.hybrids.per_key": "PerKey",
    "companion.hybrids.residual": "Residual",
    "companion.hybrids.tuned": "Tuned",
    "companion.lineups": "Cut",
    "companion.lines": "FadingLine FadingLogit Sums",
    "companion.strategies": "Baseline Online Scheduled Static",
    "companion.views": "ByRow Column OnlineAfterFit View",
    "river.compose.pipeline": "Pipeline",
    "river.linear_model.lin_reg": "LinearRegression",
    "river.linear_model.log_reg": "LogisticRegression",
    "river.optim.initializers": "Zeros",
    "river.optim.losses": "CrossEntropy Log Squared",
    "river.optim.schedulers": "Constant",
    "river.optim.sgd": "SGD",
    "river.preprocessing.scale": "StandardScaler",
    "river.preprocessing.scale_target": "TargetStandardScaler",
    "river.stats.mean": "Mean",
    "river.stats.var": "Var",
}
ATOMS = (bool, int, str, type(None))
SEQUENCES = {kind.__name__: kind for kind in (list, tuple, set, frozenset)}
DICTS = {kind.__name__: kind for kind in (dict, OrderedDict, Counter)}
FACTORIES = {"float": float, "int": int}


def to_data(value: Any) -> bytes:
    """Return a strategy or a River model as JSON.

    Raises
    ------
    UnsafeFile
        If a part of it has no form without code; the message names it.

    Examples
    --------
    >>> from companion import Baseline
    >>> from_data(to_data(Baseline("rolling", rows=3)), load_skops=None).rows
    3
    """
    objects: list[Any] = []
    places: dict[int, int] = {}
    alive: list[Any] = []  # so that no two of them have one identity

    def write(value: Any) -> Any:
        """Return a value itself if it is simple, else its place among the objects."""
        if type(value) in ATOMS or (type(value) is float and math.isfinite(value)):
            return value
        if id(value) not in places:
            alive.append(value)
            places[id(value)] = place = len(objects)
            objects.append(None)
            objects[place] = describe(value)
        return [places[id(value)]]

    def describe(value: Any) -> list[Any]:
        """Return what kind of thing it is, and what is needed to make it again."""
        kind = type(value)
        full = f"{kind.__module__}.{kind.__qualname__}"
        if kind is float:
            return ["float", str(value)]
        if kind in SEQUENCES.values():
            return [kind.__name__, [write(item) for item in value]]
        if kind is deque:
            return ["deque", value.maxlen, [write(item) for item in value]]
        if kind in DICTS.values():
            return [kind.__name__, [[write(key), write(item)] for key, item in value.items()]]
        if kind is defaultdict and value.default_factory in FACTORIES.values():
            items = [[write(key), write(item)] for key, item in value.items()]
            return ["defaultdict", value.default_factory.__name__, items]
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufmMU":
            data = io.BytesIO()
            np.save(data, value, allow_pickle=False)
            return [
                "array",
                isinstance(value, np.ndarray),
                base64.b64encode(data.getvalue()).decode(),
            ]
        if full == "river._river_rust.vectordict.VectorDict":
            return [
                "weights",
                [[write(key), write(float(weight))] for key, weight in value.items()],
            ]
        if kind.__qualname__ in CLASSES.get(kind.__module__, "").split():
            state = {name: write(held) for name, held in getattr(value, "__dict__", {}).items()}
            return ["object", kind.__module__, kind.__qualname__, state]
        if isinstance(value, sklearn.base.BaseEstimator):
            import skops.io

            return ["skops", base64.b64encode(skops.io.dumps(value)).decode()]
        if kind is MethodType:
            method_of(value.__self__, value.__name__)
            return ["method", write(value.__self__), value.__name__]
        raise UnsafeFile(
            f"{full} has no form without code; pass on the data and the settings instead, and let "
            "the other side fit it"
        )

    root = write(value)
    return json.dumps({"what": FORMAT, "root": root, "objects": objects}).encode()


def from_data(data: bytes, load_skops: Callable[[bytes], Any]) -> Any:
    """Return what :func:`to_data` wrote, from whoever it comes.

    Parameters
    ----------
    data : bytes
    load_skops : callable
        Takes the bytes of a scikit-learn model, returns it or refuses it.

    Raises
    ------
    UnsafeFile
        If it names a class or a method that is not listed.
    """
    objects, made = json.loads(data)["objects"], {}

    def read(value: Any) -> Any:
        """Return a value; an object is made once, however often it is named."""
        if not isinstance(value, list):
            return value
        (place,) = value
        if place not in made:
            kind, *more = objects[place]
            make(place, kind, *more)
        return made[place]

    def make(place: int, kind: str, *more: Any) -> None:
        """Make an object; what can hold itself is there before it is filled."""
        if kind == "float":
            made[place] = float(more[0])
        elif kind in ("list", "deque"):
            made[place] = [] if kind == "list" else deque(maxlen=more[0])
            made[place].extend(read(item) for item in more[-1])
        elif kind in SEQUENCES:
            made[place] = SEQUENCES[kind](read(item) for item in more[0])
        elif kind in DICTS or kind == "defaultdict":
            made[place] = DICTS[kind]() if kind in DICTS else defaultdict(FACTORIES[more[0]])
            made[place].update({read(key): read(item) for key, item in more[-1]})
        elif kind == "array":
            array = np.load(io.BytesIO(base64.b64decode(more[1])), allow_pickle=False)
            made[place] = array if more[0] else array[()]
        elif kind == "weights":
            rust = importlib.import_module("river._river_rust").vectordict
            made[place] = rust.VectorDict({read(key): float(read(item)) for key, item in more[0]})
        elif kind == "skops":
            made[place] = load_skops(base64.b64decode(more[0]))
        elif kind == "method":
            made[place] = method_of(read(more[0]), more[1])
        elif kind == "object" and more[1] in CLASSES.get(more[0], "").split():
            listed = getattr(importlib.import_module(more[0]), more[1])
            made[place] = object.__new__(listed)
            for name, held in more[2].items():
                bound = isinstance(held, list) and objects[held[0]][0] == "method"
                if name.startswith("__") or (callable(getattr(listed, name, None)) and not bound):
                    raise UnsafeFile(f"it holds {more[1]}.{name} in place of the class's own")
            made[place].__dict__.update({name: read(held) for name, held in more[2].items()})
        else:
            what = " ".join(f"{'.'.join(map(str, more[:2])) or kind:.99}".split())
            raise UnsafeFile(f"it holds {what or 'a thing without a name'}")

    return read(json.loads(data)["root"])
