"""Model files without strangers' code: a list of what may be read, and a look at who may write.

A pickle is a small program. Whoever wrote the file decides what runs when you load it. So the
companion reads only what is on a list, refuses everything else by name, and takes pickles only
from places where nobody but you can write.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from companion.store import write_whole

FAMILIES = ("companion", "river", "sklearn")
NOT_THESE = (
    "companion.cli", "companion.serving", "river.checks", "river.datasets", "river.stream",
    "sklearn.datasets", "sklearn.externals", "sklearn.utils._testing",
)  # fmt: skip
HELPERS = {
    "builtins": "bool bytearray bytes complex dict float frozenset int iter list object range set "
    "slice str tuple",
    "collections": "Counter OrderedDict defaultdict deque",
    "copy": "deepcopy",
    "copyreg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "functools": "partial",
    "numpy": "bool dtype float32 float64 int32 int64 ndarray",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy._core.numeric": "_frombuffer",
    "numpy.random._generator": "Generator",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64",
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
    "random": "Random",
    "statistics": "NormalDist",
    "scipy.sparse._csr": "csr_array csr_matrix",
}


class UnsafeFile(ValueError):
    """A model file that may run somebody else's code; the message names what is wrong.

    Examples
    --------
    >>> str(UnsafeFile("m.skops: it holds os.system"))
    'm.skops: it holds os.system'
    """


def check_private(path: Path, *, name: str | None = None) -> None:
    """Refuse a file or folder that somebody else owns or can write to (where there are owners).

    Raises
    ------
    UnsafeFile
        One sentence that names the place, the problem and the mend.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_private(Path(folder))
    ...     Path(folder).chmod(0o777)
    ...     try:
    ...         check_private(Path(folder), name="runs")
    ...     except UnsafeFile as error:
    ...         print(error)
    runs: others can write here, so a file in it may not be yours; run chmod go-w on it
    """
    if not hasattr(os, "geteuid"):
        return
    name, about = name or str(path), path.stat()
    if about.st_uid != os.geteuid():
        raise UnsafeFile(
            f"{name}: it belongs to another user, who decides what is in it; "
            "take a folder and a file of your own"
        )
    private_group = about.st_gid == about.st_uid  # a group with one member, as Debian makes them
    if about.st_mode & 0o002 or (about.st_mode & 0o020 and not private_group):
        raise UnsafeFile(
            f"{name}: others can write here, so a file in it may not be yours; run chmod go-w on it"
        )


class ListedUnpickler(pickle.Unpickler):
    """An unpickler that looks up nothing but what is on the list."""

    def __init__(self, data: bytes, name: str, trust: Sequence[str]) -> None:
        super().__init__(io.BytesIO(data))
        self.name, self.trust = name, trust

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function if it is listed, else refuse the file."""
        full = f"{module}.{name}"
        if full == "builtins.getattr":
            return self.attribute
        listed = name in HELPERS.get(module.replace("numpy.core.", "numpy._core."), "").split()
        if listed or full in self.trust or is_part_of_a_model(module, name):
            return super().find_class(module, name)
        raise self.refusal(full)

    def attribute(self, owner: Any, name: str) -> Any:
        """Return a method of a model's part: all that models ask ``getattr`` for."""
        kind = owner if isinstance(owner, type) else type(owner)
        own = kind.__module__.split(".")[0] in (*FAMILIES, "random") or owner is str
        if not own or name.startswith("__"):
            raise self.refusal(f"{kind.__module__}.{kind.__name__}.{name}")
        return getattr(owner, name)

    def refusal(self, what: str) -> UnsafeFile:
        """Say what is not on the list."""
        return UnsafeFile(
            f"{self.name}: it holds {what}, which is not on the list of what a model needs; "
            "do not load it, unless you made it yourself (then name it in trust)"
        )


def is_part_of_a_model(module: str, name: str) -> bool:
    """Whether it is a class of scikit-learn, River or the companion, or a function of River.

    It must stand in the family's own code: a module that a family merely imports is none of it.
    """
    parts = [*module.split("."), *name.split(".")]
    last = parts[-1]
    loader = last.startswith("__pyx_unpickle_") or last == "newObj"  # how Cython's classes are made
    hidden = any(part.startswith("__") for part in parts[:-1]) or (
        last.startswith("__") and not loader
    )
    if parts[0] not in FAMILIES or hidden or module.startswith(NOT_THESE):
        return False
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    home = getattr(found, "__module__", None) or (module if "_river_rust" in parts else "")
    ours = home.split(".")[0] in FAMILIES and not home.startswith(NOT_THESE) and callable(found)
    return ours and (isinstance(found, type) or parts[0] == "river" or loader)


def unpickle(data: bytes, name: str, trust: Sequence[str] = ()) -> Any:
    """Read a pickle that may hold nothing but models, arrays and plain containers.

    Parameters
    ----------
    data : bytes
    name : str
        What to call it if it is refused.
    trust : sequence of str
        Further names to allow, such as ``"my_module.Slow"``.

    Raises
    ------
    UnsafeFile
        If it holds anything else.

    Examples
    --------
    >>> unpickle(pickle.dumps({"weights": [0.5]}), "a.pickle")
    {'weights': [0.5]}
    >>> try:
    ...     unpickle(pickle.dumps(os.system), "a.pickle")
    ... except UnsafeFile as error:
    ...     print(str(error).split(",")[0].replace("nt.", "posix."))
    a.pickle: it holds posix.system
    """
    return ListedUnpickler(data, name, trust).load()


def save_model(path: str | Path, model: Any) -> None:
    """Write a fitted scikit-learn model to a file that can be given to others (skops, no pickle).

    Parameters
    ----------
    path : str or Path
    model : scikit-learn estimator or pipeline

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
    import skops.io

    write_whole(Path(path), skops.io.dumps(model))


def load_model(path: str | Path, trust: Sequence[str] = ()) -> Any:
    r"""Read a model that :func:`save_model` wrote, from whoever it comes.

    Parameters
    ----------
    path : str or Path
    trust : sequence of str
        Types to allow besides those of scikit-learn and NumPy, such as ``"my_module.Scaler"``.

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
    this is no skops file; a pickle from somebody else is never loaded
    """
    import skops.io

    path = Path(path)
    if not path.is_file():
        raise UnsafeFile(f"{path}: there is no such file; check the name and the folder")
    data = path.read_bytes()
    try:
        unknown = set(skops.io.get_untrusted_types(data=data)) - set(trust)
    except Exception:
        raise UnsafeFile(
            f"{path}: this is no skops file; a pickle from somebody else is never loaded"
        ) from None
    if unknown:
        raise UnsafeFile(
            f"{path}: it holds {', '.join(sorted(unknown))}, which is not on the list of what a "
            "model needs; do not load it, unless you know who made it (then name it in trust)"
        )
    return skops.io.loads(data, trusted=list(trust))
