"""What scikit-learn and River models need to be told apart, copied and seeded."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import sklearn.base


def as_dicts(X: np.ndarray, names: list[str]) -> Any:
    """Yield each row as the dict that River wants."""
    return (dict(zip(names, row, strict=False)) for row in X.tolist())


def as_labels(answers: list[Any]) -> np.ndarray:
    """Turn River's answers into an array; a classifier that has seen nothing says -1."""
    return np.array([-1 if answer is None else answer for answer in answers])


def class_probabilities(
    model: Any, X: np.ndarray, classes: int, names: list[str] | None
) -> np.ndarray:
    """Return (n, classes) probabilities; a class that the model has not seen has none."""
    out = np.zeros((len(X), classes))
    if hasattr(model, "predict_proba_one"):
        for row, x in zip(out, as_dicts(X, names), strict=True):
            for code, share in model.predict_proba_one(x).items():
                row[int(code)] = share
            if not row.any():
                row[:] = 1 / classes
        return out
    last = model[-1] if hasattr(model, "steps") else model
    out[:, last.classes_] = model.predict_proba(X)
    return out


def must_have(model: Any, *methods: str, what: str) -> Any:
    """Return the model, or say which method it lacks."""
    for method in methods:
        if not hasattr(model, method):
            raise TypeError(
                f"{what} cannot use {type(model).__name__}: it has no {method}; "
                "give it a scikit-learn estimator or pipeline"
            )
    return model


def seed_names(model: Any) -> list[str]:
    """Return the names of a model's parameters that hold a seed."""
    if hasattr(model, "get_params"):
        return [n for n in model.get_params() if n.split("__")[-1] == "random_state"]
    steps = getattr(model, "steps", None)
    last = list(steps.values())[-1] if steps else model
    return ["seed"] if hasattr(last, "seed") else []


def fresh_model(model: Any, seed: int | None) -> Any:
    """Return an unfitted copy of a model, with the seed set wherever it takes one."""
    names = seed_names(model) if seed is not None else []
    if hasattr(model, "get_params"):
        return sklearn.base.clone(model).set_params(**dict.fromkeys(names, seed))
    if not hasattr(model, "clone"):
        return copy.deepcopy(model)
    if not names:
        return model.clone()
    steps = getattr(model, "steps", None)
    if steps:
        return model.clone({list(steps)[-1]: {"seed": seed}})
    return model.clone({"seed": seed})
