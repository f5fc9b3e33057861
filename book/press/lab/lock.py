"""Choose the lab's Python anew and write book/lab/pyodide-lock.json; run rarely, by hand.

The lab is built from exactly the files that this lock names, each by its sha256. They come from
two places. Pyodide's own files carry the hashes that Pyodide publishes in its npm package. The
rest are wheels from the Python package index, by the hashes that pip verified today.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from book.press.lab.build import LOCK
from book.press.lab.fetch import BROWSER, pip_download

PYODIDE = "314.0.3"
# A Python package that carries Pyodide's files unchanged, for places without Pyodide's own server.
CARRIER = "open-webui==0.12.4"
CARRIER_FOLDER = "open_webui/frontend/pyodide/"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
WANTED = ("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "joblib", "narwhals",
          "micropip", "packaging", "ipython", "jedi", "traitlets", "matplotlib-inline")  # fmt: skip
# What Pyodide itself does not offer: requirement, import names, what it needs.
ADDED = {
    "river": ("river==0.26.1", ["river"], ["numpy", "scipy", "narwhals"]),
    "comm": ("comm==0.2.3", ["comm"], ["traitlets"]),
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def closure(names: tuple[str, ...], packages: dict[str, Any]) -> list[str]:
    """Return the packages and all that they need."""
    keys = {canonicalize_name(key): key for key in packages}
    closed: list[str] = []
    waiting = list(names)
    while waiting:
        key = keys[canonicalize_name(waiting.pop())]
        if key not in closed:
            closed.append(key)
            waiting += packages[key]["depends"]
    return sorted(closed)


def official(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return Pyodide's published lock, and the hashes of its core files, from npm."""
    subprocess.run(["npm", "pack", "--silent", f"pyodide@{PYODIDE}"], cwd=folder, check=True)
    with tarfile.open(next(folder.glob("pyodide-*.tgz"))) as archive:

        def read(name: str) -> bytes:
            return archive.extractfile(f"package/{name}").read()

        return json.loads(read("pyodide-lock.json")), {name: sha256(read(name)) for name in CORE}


def main() -> None:
    """Write the lock and say where each file comes from."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        published, core = official(folder)
        pip_download([CARRIER], folder / "carrier")
        carrier = next((folder / "carrier").glob("*.whl"))
        with zipfile.ZipFile(carrier) as archive:
            inside = {
                path.removeprefix(CARRIER_FOLDER): sha256(archive.read(path))
                for path in archive.namelist() if path.startswith(CARRIER_FOLDER)
            }  # fmt: skip
        for file, digest in core.items():
            if inside.get(file) != digest:
                sys.exit(f"{CARRIER} does not carry {file} of Pyodide {PYODIDE}; choose another")
        packages: dict[str, Any] = {}
        for key in closure(WANTED, published["packages"]):
            entry = dict(published["packages"][key])
            if inside.get(entry["file_name"]) == entry["sha256"]:
                packages[key] = entry | {"origin": "pyodide"}
            else:
                wheel = from_index(f"{entry['name']}=={entry['version']}", folder / key)
                packages[key] = entry | wheel
        for key, (requirement, imports, depends) in ADDED.items():
            packages[key] = {
                "name": key, "version": requirement.split("==")[1], "imports": imports,
                "depends": depends, "install_dir": "site", "package_type": "package",
                "unvendored_tests": False, **from_index(requirement, folder / key),
            }  # fmt: skip
        lock = {
            "lab": {
                "pyodide": PYODIDE, "core": core, "carrier": CARRIER,
                "carrier_sha256": sha256(carrier.read_bytes()), "carrier_folder": CARRIER_FOLDER,
            },
            "info": published["info"],
            "packages": dict(sorted(packages.items())),
        }  # fmt: skip
    LOCK.write_text(json.dumps(lock, indent=1) + "\n", encoding="utf-8")
    for key, entry in lock["packages"].items():
        print(f"{entry['origin']:8} {key} {entry['version']}")


def from_index(requirement: str, folder: Path) -> dict[str, str]:
    """Return the name and the hash of a wheel of the Python package index."""
    pip_download([requirement], folder, *BROWSER)
    wheel = next(folder.glob("*.whl"))
    return {"file_name": wheel.name, "sha256": sha256(wheel.read_bytes()), "origin": "pypi"}


if __name__ == "__main__":
    main()
