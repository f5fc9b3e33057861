"""What a strategy is made of: the versions of its packages, and the code of one's own."""

from __future__ import annotations

import hashlib
import io
import pickle
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import joblib
import numpy as np

PACKAGES = ("numpy", "scipy", "scikit-learn", "river", "joblib")
OURS = Path(__file__).parents[1]


def code_of(value: Any) -> set[str]:
    """Return what says which code stands behind a value: versions, and digests of source.

    Packages count by their version, this one by its files. Functions and classes of one's own
    count by what they do: their instructions, constants and defaults, and all of one's own that
    they call in turn.

    Examples
    --------
    >>> from companion import Baseline
    >>> sorted({word.split()[0] for word in code_of(Baseline("mean"))})
    ['companion', 'joblib', 'numpy', 'python', 'river', 'scikit-learn', 'scipy']
    """
    words = {f"{name} {installed(name)}" for name in PACKAGES}
    words |= {f"python {platform.python_version()}", f"companion {companion_digest()}"}
    seen: set[int] = set()
    names = Names(io.BytesIO())
    names.dump(value)
    for thing in names.met:
        words |= set(walk(thing, seen))
    return words


class Names(pickle.Pickler):
    """A pickler that notes the classes and functions it meets."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.met: list[Any] = []

    def reducer_override(self, value: Any) -> Any:
        """Note a class or function, and pickle it as always."""
        if isinstance(value, (type, FunctionType)):
            self.met.append(value)
        return NotImplemented


def walk(value: Any, seen: set[int]) -> Iterator[str]:
    """Yield the digests of a class or function of one's own, and of what it uses."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if id(value) in seen or module is None:
        return
    seen.add(id(value))
    if not is_own(module):
        yield f"{module.__name__.split('.')[0]} {version(module)}"
    elif isinstance(value, type):
        for base in value.__mro__[1:]:
            yield from walk(base, seen)
        for name, held in sorted(vars(value).items()):
            if name not in ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__"):
                yield from member(name, held, seen)
    elif isinstance(value, FunctionType):
        yield from member(value.__name__, value, seen)


def member(name: str, held: Any, seen: set[int]) -> Iterator[str]:
    """Yield the digest of one thing that a class or function holds, and of what it uses."""
    held = getattr(held, "__func__", getattr(held, "fget", held))
    if isinstance(held, FunctionType):
        defaults = (held.__defaults__, held.__kwdefaults__)
        yield f"{name} {digest(instructions(held.__code__))} {constant(defaults)}"
        cells = [cell.cell_contents for cell in held.__closure__ or ()]
        uses = set(used_names(held.__code__))
        for other in [*cells, *(held.__globals__.get(n) for n in sorted(uses))]:
            inside = [vars(other).get(n) for n in sorted(uses)] if is_own(other) else [other]
            for thing in inside:
                if isinstance(thing, (type, FunctionType)):
                    yield from walk(thing, seen)
                elif not isinstance(thing, ModuleType):
                    yield f"{name} uses {constant(thing)}"
    elif isinstance(held, type):
        yield from walk(held, seen)
    else:
        yield f"{name} is {constant(held)}"


def instructions(code: CodeType) -> str:
    """Return what a function does, line numbers left out."""
    constants = [
        instructions(part) if isinstance(part, CodeType) else repr(part) for part in code.co_consts
    ]
    return repr((code.co_code, constants, code.co_names, code.co_varnames))


def used_names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function, or one inside it, looks up."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from used_names(part)


def constant(value: Any) -> str:
    """Return a digest of a plain value; of others only the class, which has a digest of its own."""
    if isinstance(value, (int, float, str, bytes, tuple, list, dict, set, np.ndarray, type(None))):
        try:
            return joblib.hash(value, "sha1")
        except Exception:
            pass
    return type(value).__qualname__


def is_own(module: Any) -> bool:
    """Whether a module is neither Python's, nor a package's that was installed, nor the book's."""
    if not isinstance(module, ModuleType) or module.__name__ == "builtins":
        return False
    file = getattr(module, "__file__", None)
    root = module.__name__.split(".")[0]
    if file is None:
        return root == "__main__"
    installed = {"site-packages", "dist-packages"} & set(Path(file).parts)
    return (
        root not in sys.stdlib_module_names
        and root != "companion"
        and not installed
        or (root == "__main__")
    )


def version(module: Any) -> str:
    """Return the version of a module's package."""
    root = sys.modules.get(module.__name__.split(".")[0]) if module else None
    return str(getattr(root, "__version__", ""))


@cache
def installed(package: str) -> str:
    """Return the version of a package that is installed, imported so far or not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


@cache
def companion_digest() -> str:
    """Return a digest of this package's own source."""
    files = sorted(OURS.rglob("*.py"))
    return digest("".join(path.read_text(encoding="utf-8") for path in files))


def digest(text: str) -> str:
    """Return a short digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
