"""The lab's Python: Pyodide, its packages, the kernel's and the companion, with one lock."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from book.press.files import digest
from book.press.lab.compiled import LIBRARY, add, compiled, files_in, wheels
from book.press.lab.fetch import files_of
from book.press.places import BOOK, ROOT

START = "start.mjs"  # by which it is started: in the lab, and in the book's pages
PACKAGE = "static-vs-dynamic-companion"
# Loaded while Python starts; pandas because the companion imports it only when it needs it.
PRELOADED = [
    "micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython",
    "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "river", PACKAGE,
]  # fmt: skip
KERNEL = Path(sys.prefix, "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension")
# What JupyterLab itself takes of a first visit; a test measures the sum.
INTERFACE_MB = 8


def companion_wheel(folder: Path) -> Path:
    """Build the companion's wheel, the same bytes from the same sources."""
    source = folder / "source"
    shutil.copytree(ROOT / "companion", source / "companion",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)],
        capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"make: the companion's wheel was not built:\n{done.stderr}")
    return next(folder.glob("*.whl"))


def entry(wheel: Path, imports: Iterable[str], depends: Iterable[str]) -> dict[str, Any]:
    """Return a wheel's entry in Pyodide's lock."""
    name, version = wheel.name.split("-")[:2]
    return {
        "name": name.replace("_", "-"), "version": version, "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(), "imports": [*imports],
        "depends": [*depends], "install_dir": "site", "package_type": "package",
        "unvendored_tests": False, "origin": "built",
    }  # fmt: skip


def put_python(lock: dict[str, Any], cache: Path, parts: Path, target: Path) -> None:
    """Put Pyodide, its packages, the kernel's and the companion beside each other, with a lock.

    The companion's wheel changes and keeps its name, so a folder named by its hash holds it: a
    browser that has kept an older one asks anew.
    """
    target.mkdir(parents=True)
    pyodide, index = files_of(lock)
    for name in (*pyodide, *index):
        shutil.copyfile(cache / name, target / name)
    packages = dict(lock["packages"])
    own = companion_wheel(parts)
    needs = {
        own: (["companion"], ["numpy", "scipy", "scikit-learn", "river", "matplotlib"]),
        next((KERNEL / "static/pypi").glob("piplite-*.whl")): (["piplite"], ["micropip"]),
        next((KERNEL / "static/pypi").glob("ipykernel-*.whl")): (["ipykernel"], []),
        next((KERNEL / "static/pypi").glob("pyodide_kernel-*.whl")): (
            ["pyodide_kernel"], ["ipython", "jedi", "comm", "ipykernel"],
        ),
    }  # fmt: skip
    for wheel, (imports, depends) in needs.items():
        about = entry(wheel, imports, depends)
        if wheel == own:
            about["file_name"] = f"companion-{about['sha256'][:12]}/{wheel.name}"
        (target / about["file_name"]).parent.mkdir(exist_ok=True)
        shutil.copyfile(wheel, target / about["file_name"])
        packages[about["name"]] = about
    put_lock(target, lock, packages)
    if folder := compiled(target, packages, cache):
        for name, wheel in wheels(folder, packages, target).items():
            about, whole = entry(wheel, (), ()), packages[name]
            packages[about["name"]] = about
            packages[name] = whole | {"depends": [*whole["depends"], about["name"]]}
        add(target / LIBRARY, files_in(folder / LIBRARY))
        put_lock(target, lock, packages)
    shutil.copyfile(BOOK / "lab" / START, target / START)


def put_lock(folder: Path, lock: Mapping[str, Any], packages: Mapping[str, Any]) -> None:
    """Write the lock by which Pyodide finds its packages."""
    shipped = {"info": lock["info"], "packages": packages}
    (folder / "pyodide-lock.json").write_text(json.dumps(shipped), encoding="utf-8")


def edition(folder: Path) -> str:
    """Return a name for what starts Python, so that a browser does not keep what is old."""
    return digest([folder / name for name in ("pyodide-lock.json", START)])[:12]


def read_packages(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the packages that the lab ships, by name, as its lock describes them."""
    return json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]


def loaded_files(
    wanted: Iterable[str], packages: Mapping[str, dict[str, Any]], folder: Path
) -> list[Path]:
    """Return the files that are Python, with the wanted packages and what they need."""
    names, waiting = set(), list(wanted)
    while waiting:
        if (name := waiting.pop()) not in names:
            names.add(name)
            waiting += [need.replace("_", "-") for need in packages[name]["depends"]]
    files = [folder / packages[name]["file_name"] for name in sorted(names)]
    return files + [path for path in folder.iterdir() if path.suffix in (".mjs", ".wasm", ".zip")]


def loaded_megabytes(
    wanted: Iterable[str], packages: Mapping[str, dict[str, Any]], folder: Path
) -> int:
    """Return how many MB Python is, with the wanted packages and what they need."""
    return round(sum(path.stat().st_size for path in loaded_files(wanted, packages, folder)) / 1e6)


def megabytes(folder: Path) -> int:
    """Return what a first visit loads, in MB: Python, the packages loaded with it, JupyterLab."""
    return loaded_megabytes(PRELOADED, read_packages(folder), folder) + INTERFACE_MB
