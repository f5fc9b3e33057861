"""Compile the lab's Python ahead: a browser would do it anew at each start, for seconds.

Where Node is, the lab's own Python compiles the modules that the chapters import. They lie beside
their sources, which stay as they were published: for each package in a wheel of its own, for
Python's library in its archive. What has been compiled once is kept in the cache.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from book.press.files import digest
from book.press.lab.fetch import licences_in
from book.press.live.needed import MAGIC
from book.press.places import NOTEBOOKS, ROOT

SCRIPT = Path(__file__).with_suffix(".mjs")
LIBRARY = "python_stdlib.zip"
SLOWER = "The lab's Python is not compiled ahead, and starts more slowly"
KERNEL = ["pyodide-kernel", "jedi"]  # the lab's own; no chapter imports it
EARLY = (1980, 1, 1, 0, 0, 0)  # the same bytes from the same files
ASK = """
import contextlib, json, sys
for statement in json.loads(sys.stdin.read()):
    with contextlib.suppress(Exception):  # what only an instructor's machine has
        exec(statement, {})
print(json.dumps(sorted(sys.modules)))
"""


def imports(shipped: set[str]) -> list[str]:
    """Return the import statements of the chapters and of the companion, of shipped modules."""
    chapters = [
        MAGIC.sub(r"\1pass", cell.source)
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    ]  # fmt: skip
    own = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("companion/**/*.py"))]
    found = {
        ast.unparse(node): None
        for code in [*chapters, *own] for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Import | ast.ImportFrom) and top_of(node) in shipped
    }  # fmt: skip
    return list(found)


def top_of(node: ast.Import | ast.ImportFrom) -> str:
    """Return the package that an import statement names first; "" if it names its own."""
    name = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
    return (name or "").partition(".")[0]


def modules(statements: list[str]) -> list[str]:
    """Return the names of the modules that import statements bring in, on this machine."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ASK], input=json.dumps(statements),
                          capture_output=True, text=True, check=True, cwd=ROOT)  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def compiled(python: Path, packages: Mapping[str, dict[str, Any]], cache: Path) -> Path | None:
    """Return the folder of what is compiled for the lab's Python; None, said why, without it.

    Parameters
    ----------
    python : Path
        The folder of the lab's Python, as it was published.
    packages : mapping of str to dict
        Those that it has, as its lock describes them.
    cache : Path
    """
    node = shutil.which("node")
    if node is None:
        print(f"{SLOWER}: there is no Node")
        return None
    statements = imports({module for one in packages.values() for module in one["imports"]})
    files = [SCRIPT, *sorted(path for path in python.iterdir() if path.suffix != ".json")]
    kept = cache / f"compiled-{digest(filter(Path.is_file, files), ASK, *statements)[:16]}"
    if kept.is_dir():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        listed, out = Path(name) / "modules.json", Path(name) / "out"
        listed.write_text(json.dumps(modules(statements)), encoding="utf-8")
        done = subprocess.run(
            [node, str(SCRIPT), str(python), str(listed), str(out), ",".join(KERNEL)],
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"{SLOWER}: Node 20 or later could not do it ({reason[:200]})")
            return None
        out.rename(kept)
    return kept


def wheels(folder: Path, packages: Mapping[str, dict[str, Any]], target: Path) -> dict[str, Path]:
    """Write a wheel for each package of which something is compiled; return them by package."""
    written = {}
    for package, one in packages.items():
        files = files_in(folder / one["file_name"])
        if files:
            name, version = f"{package}-compiled".replace("-", "_"), one["version"]
            about = f"{name}-{version}.dist-info"
            with zipfile.ZipFile(target / one["file_name"]) as whole:
                files |= {
                    f"{about}/licenses/{text}": whole.read(text) for text in licences_in(whole)
                }
            said = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            files[f"{about}/METADATA"] = said.encode()
            files[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nTag: py3-none-any\n"
            written[package] = target / f"{name}-{version}-py3-none-any.whl"
            add(written[package], files)
    return written


def files_in(folder: Path) -> dict[str, bytes]:
    """Return what is compiled of an archive, by the place where Python looks for it."""
    found = sorted(folder.rglob("*.pyc"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def add(archive: Path, files: Mapping[str, bytes]) -> None:
    """Add files to an archive; the same bytes whenever it is made."""
    with zipfile.ZipFile(archive, "a") as opened:
        for place, data in files.items():
            opened.writestr(zipfile.ZipInfo(place, EARLY), data, zipfile.ZIP_DEFLATED)
