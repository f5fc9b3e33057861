"""What scikit-learn and River models need to be told apart, copied and seeded.

scikit-learn is imported where a model of its kind is met: a baseline needs none.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np


def as_dicts(X: np.ndarray, names: list[str]) -> Any:
    """Yield each row as the dict that River wants."""
    return (dict(zip(names, row, strict=False)) for row in X.tolist())


def as_labels(answers: list[Any], unknown: float = -1) -> np.ndarray:
    """Turn River's answers into an array; ``unknown`` stands where a model says None."""
    return np.array([unknown if answer is None else answer for answer in answers])


def refit(model: Any, X: np.ndarray, y: np.ndarray) -> Any:
    """Fit a model again and return it; None if all rows are of one class and it wants two.

    A model that starts warm starts cold where the classes are not those it was fitted on.
    """
    classes = np.unique(y) if y.dtype.kind == "i" else ()
    if len(classes) == 1:
        trial = clone_model(model, None)  # the old model must outlive a fit that fails
        try:
            return trial.fit(X, y)
        except ValueError:
            return None
    known = getattr(model, "classes_", None)
    if known is not None and warm_names(model) and not np.array_equal(known, classes):
        model = clone_model(model, None)
    model.fit(X, y)
    return model


def warm_names(model: Any) -> list[str]:
    """Return the names of a model's parameters that let a fit start from the one before."""
    return [name for name in model.get_params() if name.split("__")[-1] == "warm_start"]


def started_warm(model: Any) -> Any:
    """Return a copy of a model whose fits start from the one before, or say why there is none."""
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    names = warm_names(model) if hasattr(model, "get_params") else []
    if not names:
        raise TypeError(
            f"{type(model).__name__} cannot start warm: it has no parameter warm_start; "
            "choose another model, or warm=False"
        )
    for name in sorted(names, key=len):
        owner = model
        for step in name.split("__")[:-1]:
            if not isinstance(owner, Pipeline):
                raise TypeError(
                    f"{type(owner).__name__} cannot start warm: it fits copies of the model inside "
                    "it, anew each time; choose warm=False"
                )
            owner = owner.get_params()[step]
        ensemble = type(owner).__module__.startswith("sklearn.ensemble")
        if ensemble or hasattr(owner, "n_estimators"):
            raise TypeError(
                f"{type(owner).__name__} cannot start warm: its warm start adds members and never "
                "changes those it has, so new rows would hardly count; choose warm=False"
            )
    return clone(model).set_params(**dict.fromkeys(names, True))


def started_cold(model: Any) -> Any:
    """Return a model whose fits start from nothing, also if it came with ``warm_start=True``."""
    names = warm_names(model) if hasattr(model, "get_params") else []
    if not any(model.get_params()[name] for name in names):
        return model
    from sklearn.base import clone

    return clone(model).set_params(**dict.fromkeys(names, False))


def say_among(model: Any, X: np.ndarray, seen: list[int]) -> np.ndarray:
    """Return predictions among the classes seen so far, from a model that was told of others too.

    scikit-learn's models that learn in parts must be told all classes at first; naive Bayes then
    names a class of which it has not seen a row, or only one.
    """
    if len(seen) == 1:
        return np.full(len(X), seen[0])
    names = ("predict_joint_log_proba", "decision_function", "predict_proba")
    scores = getattr(model, next(name for name in names if hasattr(model, name)))(X)
    if scores.ndim == 1:
        return model.predict(X)
    scores = scores[:, np.searchsorted(model.classes_, seen)]
    return np.asarray(seen)[np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1)]


def probabilities_among(model: Any, X: np.ndarray, classes: int, seen: list[int]) -> np.ndarray:
    """Return (n, classes) probabilities in which a class not seen so far has none."""
    columns = np.searchsorted(model.classes_, seen)
    if hasattr(model, "predict_joint_log_proba"):
        logs = model.predict_joint_log_proba(X)[:, columns]
        logs = np.where(np.isnan(logs), -np.inf, logs)  # of a class with a single row so far
        top = logs.max(axis=1, keepdims=True)
        shares = np.exp(logs - np.where(np.isfinite(top), top, 0))
    else:
        shares = model.predict_proba(X)[:, columns]
    out = np.zeros((len(X), classes))
    total = shares.sum(axis=1, keepdims=True)
    out[:, seen] = np.where(total > 0, shares / np.where(total > 0, total, 1), 1 / len(seen))
    return out


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
    out[:, model.classes_] = model.predict_proba(X)
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


def weight_name(model: Any) -> str:
    """Return the name under which a model takes its rows' weights, or say that it takes none.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_name(Ridge()), weight_name(make_pipeline(Ridge()))
    ('sample_weight', 'ridge__sample_weight')
    """
    from sklearn.pipeline import Pipeline

    step, last = model.steps[-1] if isinstance(model, Pipeline) else ("", model)
    must_take(last, getattr(last, "fit", None) or last.partial_fit, "sample_weight")
    return f"{step}__sample_weight" if step else "sample_weight"


def must_take(model: Any, learn: Any, name: str) -> None:
    """Refuse a model that learns without weights."""
    if name not in inspect.signature(learn).parameters:
        raise TypeError(
            f"{type(model).__name__} takes no weights (its {learn.__name__} has no {name}); "
            "choose another model, or leave the weights out"
        )


def last_step(model: Any) -> Any:
    """Return the last step of a River pipeline; any other model as it is."""
    return list(model.steps.values())[-1] if hasattr(model, "steps") else model


def check_weighs(model: Any) -> None:
    """Refuse a River model that learns without weights."""
    must_take(last_step(model), last_step(model).learn_one, "w")


def seed_names(model: Any) -> list[str]:
    """Return the names of a model's parameters that hold a seed."""
    if hasattr(model, "get_params"):
        return [n for n in model.get_params() if n.split("__")[-1] == "random_state"]
    return ["seed"] if hasattr(last_step(model), "seed") else []


def clone_model(model: Any, seed: int | None) -> Any:
    """Return an unfitted copy of a model, with the seed set wherever it takes one."""
    names = seed_names(model) if seed is not None else []
    if hasattr(model, "get_params"):
        from sklearn.base import clone

        return clone(model).set_params(**dict.fromkeys(names, seed))
    if not hasattr(model, "clone"):
        return copy.deepcopy(model)
    if not names:
        return model.clone()
    steps = getattr(model, "steps", None)
    if steps:
        return model.clone({list(steps)[-1]: {"seed": seed}})
    return model.clone({"seed": seed})
