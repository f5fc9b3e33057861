"""Which of the lab's packages a chapter's knobs need, and how many bytes that is."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import companion
import companion.streams
from book.press.lab.python import PACKAGE, loaded_megabytes, read_packages
from book.press.places import ROOT

# Where the names are that these two packages import when they are asked for.
LAZY = {
    "companion": companion.MODULES | companion.PLACES,
    "companion.streams": companion.streams.PLACES,
}
# Modules whose functions import what they need: a strategy's library, the curves of p-values.
WHEN_CALLED = ("companion.lineups", "companion.claims")
# The live book's own needs of the companion; the lab's lock has it bring all that it can use.
COMPANION_NEEDS = ["numpy"]


def modules(code: str, inside: bool = True) -> Iterator[str]:
    """Yield the modules that code imports; ``inside``: also where its functions do.

    >>> sorted(modules("import numpy as np\\nfrom companion import compare"))
    ['companion', 'companion.comparison', 'numpy']
    >>> sorted(modules("from companion.streams import weather"))
    ['companion.streams', 'companion.streams.book']
    """
    tree = ast.parse(code)
    for node in ast.walk(tree) if inside else tree.body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            places = LAZY.get(node.module, {})
            for home in (f"companion.{places[n.name]}" for n in node.names if n.name in places):
                yield home
                # What a package of this kind will be asked for is not known: all that it has.
                yield from {f"companion.{place}" for place in LAZY.get(home, {}).values()}


@functools.cache
def modules_of(file: Path, inside: bool) -> tuple[str, ...]:
    """Return the modules that a file imports."""
    return tuple(modules(file.read_text(encoding="utf-8"), inside))


def file_of(module: str) -> Path | None:
    """Return the file of a module of the companion."""
    path = ROOT / module.replace(".", "/")
    return next((f for f in (path / "__init__.py", path.with_suffix(".py")) if f.is_file()), None)


def imported(code: str) -> set[str]:
    """Return the packages that running code imports, itself or through the companion.

    >>> sorted(imported("from companion.streams import bike_sharing") & {"numpy", "sklearn"})
    ['numpy']
    """
    found: set[str] = set()
    waiting = [(module, True) for module in modules(code)]
    seen = set()
    while waiting:
        module, own = waiting.pop()
        found.add(module.partition(".")[0])
        file = file_of(module) if module.startswith("companion") else None
        if file is None or module in seen:
            continue
        seen.add(module)
        inside = own and module in WHEN_CALLED
        waiting += [(name, False) for name in modules_of(file, inside)]
    return found


def live_packages(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the lab's packages as the live book reads them: the companion brings NumPy alone."""
    packages = read_packages(folder)
    return packages | {PACKAGE: packages[PACKAGE] | {"depends": COMPANION_NEEDS}}


def chosen(names: Iterable[str], folder: Path) -> list[str]:
    """Return the lab's packages that hold the imported ones."""
    shipped = read_packages(folder)
    homes = {name: key for key, one in shipped.items() for name in one["imports"]}
    return sorted({homes[name] for name in names if name in homes} | {PACKAGE, "numpy"})


def megabytes(packages: Iterable[str], folder: Path) -> int:
    """Return what a first touch loads, in MB: Python, and packages with what they need."""
    return loaded_megabytes(packages, live_packages(folder), folder)
