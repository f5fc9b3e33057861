"""Models in files: read without running what a stranger wrote.

A pickle is a small program. Whoever wrote the file decides what runs when you load it. So the
companion reads only pickles that carry your own seal, and passes models on as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sklearn.base

from companion.files.atomic import write_atomically
from companion.files.listed import ListedUnpickler
from companion.files.portable import FORMAT, from_data, to_data
from companion.files.private import UnsafeFile, check_private, on_one_line
from companion.files.seal import seal, unseal

__all__ = ["UnsafeFile", "check_private", "load_model", "save_model", "seal", "unpickle"]


def unpickle(data: bytes, name: str, trust: Sequence[str] = ()) -> Any:
    """Read a pickle that you sealed, and that holds nothing but models, arrays and containers.

    Parameters
    ----------
    data : bytes
        As :func:`companion.files.seal.seal` returned them.
    name : str
        What to call it if it is refused.
    trust : sequence of str
        Further names to allow, such as ``"my_module.Slow"``.

    Raises
    ------
    UnsafeFile
        If your key did not seal it, or it holds anything else, or it is no whole pickle.

    Examples
    --------
    >>> import os, pickle
    >>> unpickle(seal(pickle.dumps({"weights": [0.5]})), "a.pickle")
    {'weights': [0.5]}
    >>> for data in (pickle.dumps({"weights": [0.5]}), seal(pickle.dumps(os.system))):
    ...     try:
    ...         unpickle(data, "a.pickle")
    ...     except UnsafeFile as error:
    ...         print(str(error).split(",")[0].replace("nt.", "posix."))
    a.pickle: it carries no seal
    a.pickle: it holds posix.system
    """
    held = unseal(data, name)
    try:
        return ListedUnpickler(held, name, trust).load()
    except UnsafeFile:
        raise
    except Exception as error:  # sealed by one's own key, and yet no whole pickle
        raise UnsafeFile(
            f"{name}: it cannot be read ({type(error).__name__}); "
            "read it with the versions that wrote it, or make it again"
        ) from None


def save_model(path: str | Path, model: Any) -> None:
    """Write a fitted model or strategy to a file that can be given to others: data, no code.

    Parameters
    ----------
    path : str or Path
    model : scikit-learn estimator or pipeline, River model or Strategy
        scikit-learn's are written by skops, the others as JSON. Not all can be; see Raises.

    Raises
    ------
    UnsafeFile
        If a part of it has no form without code, such as River's trees and drift detectors.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.linear_model import LinearRegression
    >>> line = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(Path(folder) / "line.skops", line)
    ...     load_model(Path(folder) / "line.skops").predict([[3.0]])
    array([6.])
    """
    if isinstance(model, sklearn.base.BaseEstimator):
        import skops.io

        data = skops.io.dumps(model)
    else:
        try:
            data = to_data(model)
        except UnsafeFile as error:
            raise UnsafeFile(f"{path}: {error}") from None
    write_atomically(Path(path), data)


def load_model(path: str | Path, trust: Sequence[str] = ()) -> Any:
    r"""Read a model that :func:`save_model` wrote, from whoever it comes.

    Nothing in such a file runs. What its numbers make a model say is another matter: a stranger's
    model can be wrong on purpose.

    Parameters
    ----------
    path : str or Path
    trust : sequence of str
        Types to allow in a scikit-learn model besides the usual, such as ``"my_module.Scaler"``.

    Raises
    ------
    UnsafeFile
        If it is no such file, or holds a type that is not allowed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "model.skops"
    ...     _ = file.write_bytes(b"cos\nsystem\n(S'ls'\ntR.")
    ...     try:
    ...         load_model(file)
    ...     except UnsafeFile as error:
    ...         print(str(error).split("model.skops: ")[1])
    this is no model that was passed on; a pickle from somebody else is never loaded
    """
    path = Path(path)
    if not path.is_file():
        raise UnsafeFile(f"{path}: there is no such file; check the name and the folder")
    data = path.read_bytes()
    try:
        if data.startswith(b'{"what": "' + FORMAT.encode()):
            return from_data(data, lambda inner: from_skops(inner, trust))
        return from_skops(data, trust)
    except UnsafeFile as error:
        raise UnsafeFile(
            f"{path}: {error}, which is not on the list of what a model needs; do not load it, "
            "unless you know who made it (then name it in trust)"
        ) from None
    except Exception:
        raise UnsafeFile(
            f"{path}: this is no model that was passed on; a pickle from somebody else is never "
            "loaded"
        ) from None


def from_skops(data: bytes, trust: Sequence[str]) -> Any:
    """Read a scikit-learn model, if all its types are allowed."""
    import skops.io

    unknown = set(skops.io.get_untrusted_types(data=data)) - set(trust)
    if unknown:
        raise UnsafeFile(f"it holds {on_one_line(', '.join(sorted(unknown)))}")
    return skops.io.loads(data, trusted=list(trust))
