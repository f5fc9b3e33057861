"""The licences of all that the lab ships, laid beside it, with a page that lists them."""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from pathlib import Path
from typing import Any

from jinja2 import Template

from book.press.lab import vendored
from book.press.lab.fetch import licences_in
from book.press.lab.python import read_packages
from book.press.places import BOOK

TEXTS = BOOK / "lab" / "licences"
PAGE = Path(__file__).with_suffix(".html")


def licence_of(wheel: Path) -> str:
    """Return all licence texts that a wheel holds, one after the other."""
    texts = []
    with zipfile.ZipFile(wheel) as archive:
        for name in licences_in(archive):
            text = archive.read(name).decode("utf-8", "replace").strip()
            texts.append(f"{name}\n{'-' * len(name)}\n\n{text}\n")
    if not texts:
        raise SystemExit(f"make: {wheel.name} holds no licence; the lab may not ship it so")
    return "\n\n".join(texts)


def put_licences(target: Path, lock: dict[str, Any]) -> None:
    """Lay the licence of everything that the lab ships beside it, with a page that lists them."""
    folder = target / "licences"
    shutil.copytree(TEXTS, folder)
    python = target / "static" / "pyodide"
    shipped = read_packages(python)
    for package in shipped.values():
        text = licence_of(python / package["file_name"])
        (folder / f"{package['name']}.txt").write_text(text, encoding="utf-8")
    # Pyodide's licence, the MPL 2.0, is also that of its package installer.
    shutil.copy(folder / "micropip.txt", folder / "Pyodide.txt")
    for package in ("jupyterlite-core", "jupyterlite-pyodide-kernel"):
        for file in importlib.metadata.files(package):
            if file.name == "LICENSE":
                shutil.copy(file.locate(), folder / f"{package}.txt")
    version = lock["lab"]["pyodide"]
    own = [
        ("Pyodide", version, "Pyodide.txt"),
        ("Python, inside Pyodide", "3.14", "Python.txt"),
        ("Emscripten and musl, inside Pyodide", "", "Emscripten-and-musl.txt"),
        ("OpenBLAS and LAPACK, inside SciPy", "", "OpenBLAS-and-LAPACK.txt"),
        ("JupyterLite", importlib.metadata.version("jupyterlite-core"), "jupyterlite-core.txt"),
        ("The scripts inside JupyterLite", "", "../build/third-party-licenses.json"),
        ("JupyterLite's Python kernel", importlib.metadata.version("jupyterlite-pyodide-kernel"),
         "jupyterlite-pyodide-kernel.txt"),
    ]  # fmt: skip
    own += [(e["name"], e["version"], f"{e['name']}.txt") for e in shipped.values()]
    for package in vendored.packages():
        file = f"{package['name']}.txt"
        shutil.copy(vendored.folder_of(package) / "LICENSE", folder / file)
        own.append((f"{package['name']}, in the page Your stream", package["version"], file))
    page = Template(PAGE.read_text(encoding="utf-8"), autoescape=True)
    text = page.render(works=own, version=version)
    (folder / "index.html").write_text(text, encoding="utf-8")
