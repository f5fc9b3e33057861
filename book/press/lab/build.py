"""Build the lab: JupyterLite with Python in the browser, made of the site's own files alone.

When the files that it runs cannot be had, the site is built without the lab.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat

from book.press import policies, tool
from book.press.course import assignments, handouts
from book.press.files import digest, files_below, makers
from book.press.lab import vendored
from book.press.lab.fetch import LeftOut, fetch
from book.press.lab.licences import put_licences
from book.press.lab.python import PRELOADED, START, edition, megabytes, put_python
from book.press.places import BOOK, HTML, NOTEBOOKS, ROOT

SOURCES = BOOK / "lab"
LOCK = SOURCES / "pyodide-lock.json"
LAB = HTML / "lab"
CAPSTONE = NOTEBOOKS / "capstone"
APPS = ("notebooks", "tree", "lab", "edit", "consoles")


def contents() -> dict[str, Path]:
    """Choose what the lab holds, in this place alone; return each file's source by its path."""
    own = [NOTEBOOKS / name for name in ("your_own_data.ipynb", "bakery.csv")]
    folders = {
        "notebooks": [*NOTEBOOKS.glob("[0-9]*.ipynb"), *own],
        "assignments": assignments.SOURCES.glob("*.ipynb"),
        "capstone": files_below(CAPSTONE),
    }
    return {f"{folder}/{path.name}": path for folder in folders for path in folders[folder]}


def held(path: Path) -> bytes:
    """Return a file as the lab holds it: of a notebook the student's version."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    if path.parent == assignments.SOURCES:
        notebook = assignments.Assignment(path).release()
        notebook.metadata["companion"] = {"source": digest([path])[:16]}
    else:
        notebook = nbformat.read(path, as_version=4)
        made = handouts.unmarked if path.parent == CAPSTONE else handouts.student
        notebook = made(notebook, path.stem)
    # nbformat would drop that the cells are trusted
    return json.dumps(lab_copy(notebook)).encode()


def edited() -> dict[str, str]:
    """Return a name for what each file is made from."""
    return {place: digest([path]) for place, path in contents().items()}


def put_contents(changed: list[str]) -> None:
    """Put files that have changed into the lab, which is else as it must be."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for place in changed:
        index = LAB / "api" / "contents" / Path(place).parent / "all.json"
        listed = json.loads(index.read_text(encoding="utf-8"))
        file = LAB / "files" / place
        file.write_bytes(held(contents()[place]))
        entry = next(one for one in listed["content"] if one["path"] == place)
        entry |= {"size": file.stat().st_size, "last_modified": now}
        index.write_text(json.dumps(listed, indent=2, sort_keys=True), encoding="utf-8")


def lab_copy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a student's notebook as the lab opens it: folded as its page is, with links.

    A link to a page of the site starts at the site's root; the lab's script puts the root's
    address before it, wherever the site is served from.
    """
    for cell in handouts.linked(notebook, "/").cells:
        if cell.cell_type == "code":
            cell.metadata["trusted"] = True
            if "hide-input" in cell.metadata.get("tags", []):
                cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata["kernelspec"] = {
        "name": "python", "display_name": "Python (in the browser)", "language": "python"
    }  # fmt: skip
    return notebook


def run_lite(command: str, lite: Path, target: Path) -> None:
    """Run a command of JupyterLite; what it only prints as a failure is an error here."""
    options = ["--lite-dir", str(lite), "--output-dir", str(target),
               "--contents", str(lite / "contents"), "--no-sourcemaps"]  # fmt: skip
    options += [option for app in APPS for option in ("--apps", app)]
    done = subprocess.run(
        [*tool.command("jupyterlite_core.app"), command, *options],
        capture_output=True, text=True, cwd=lite,
    )  # fmt: skip
    output = done.stdout + done.stderr
    if done.returncode or re.search(r"^(FAIL|TaskError|TaskFailed)", output, re.M):
        raise SystemExit(f"make: jupyter lite {command} failed:\n{output[-4000:]}")


def settings(python: Path) -> dict[str, Any]:
    """Return the lab's configuration; the lock's address changes with the lock."""
    options = {
        "packages": PRELOADED,
        "lockFileURL": f"./static/pyodide/pyodide-lock.json?edition={edition(python)}",
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Static vs. Dynamic AI Models: the lab",
            "exposeAppInBrowser": True,
            "litePluginSettings": {
                "@jupyterlite/pyodide-kernel-extension:kernel": {
                    "pyodideUrl": f"./static/pyodide/{START}",
                    "disablePyPIFallback": True,
                    "loadPyodideOptions": options,
                }
            },
        },
    }


def put_pages(target: Path, size: int) -> None:
    """Give each of the lab's pages its security policy and the book's bar and look."""
    for name in ("book-lab.js", "book-lab.css"):
        shutil.copy(SOURCES / name, target)
    for page in target.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        up = "../" * (len(page.relative_to(target).parts) - 1)
        head = (
            f'<meta charset="utf-8">{policies.meta(policies.LAB)}'
            f'<link rel="icon" type="image/svg+xml" href="{up}../_static/favicon.svg">'
        )
        html = re.sub(r'<meta charset="utf-8" ?/?>', "", html)
        html = html.replace("<head>", f"<head>{head}", 1)
        html = html.replace("<html>", '<html lang="en">', 1)
        if 'id="jupyter-lite-main"' in html:
            html = html.replace("</head>", (
                f'<link rel="stylesheet" href="{up}book-lab.css"></head>'
            ), 1)  # fmt: skip
            html = html.replace("</body>", (
                f'<script src="{up}book-lab.js" data-megabytes="{size}"></script></body>'
            ), 1)  # fmt: skip
        page.write_text(html, encoding="utf-8")


def mend_listings(target: Path) -> None:
    """Say that packed files are no text, so that JupyterLite leaves their bytes alone."""
    for index in (target / "api" / "contents").rglob("all.json"):
        listed = json.loads(index.read_text(encoding="utf-8"))
        for entry in listed["content"]:
            if entry["name"].endswith(".gz"):
                entry["mimetype"] = "application/gzip"
        index.write_text(json.dumps(listed, indent=2, sort_keys=True), encoding="utf-8")


def made_from(lock: dict[str, Any]) -> str:
    """Return a name for all that the lab is made from but its contents, which may change alone."""
    versions = [importlib.metadata.version(package)
                for package in ("jupyterlite-core", "jupyterlite-pyodide-kernel")]  # fmt: skip
    folders = (SOURCES, ROOT / "companion")
    own = [*makers("lab"), vendored.LISTED, ROOT / "pyproject.toml"]
    own += [Path(assignments.__file__), Path(handouts.__file__)]
    own += [path for folder in folders for path in files_below(folder)]
    return digest(own, json.dumps(lock), *versions)


def begin(cache: Path, lock: dict[str, Any]) -> None:
    """Put the lab's Python in its place, which is all of the lab that the book's pages need."""
    LAB.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LAB.parents[1], prefix="lab-") as name:
        target = Path(name) / "lab"
        (target / "static").mkdir(parents=True)
        python = target / "static" / "pyodide"
        put_python(lock, cache, Path(name), python)
        say(target, {"megabytes": megabytes(python)})
        shutil.rmtree(LAB, ignore_errors=True)
        os.replace(target, LAB)


def finish(lock: dict[str, Any]) -> None:
    """Build all else of a lab that has begun; it is whole when it says what it is made from."""
    python = LAB / "static" / "pyodide"
    with tempfile.TemporaryDirectory(dir=LAB.parents[1], prefix="lab-") as name:
        lite, target = Path(name) / "lite", Path(name) / "lab"
        for place, path in contents().items():
            file = lite / "contents" / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(held(path))
        (lite / "jupyter-lite.json").write_text(json.dumps(settings(python)), encoding="utf-8")
        shutil.copy(SOURCES / "overrides.json", lite)
        run_lite("build", lite, target)
        linked = target / "static" / "pyodide"
        shutil.copytree(python, linked, copy_function=os.link)
        run_lite("check", lite, target)
        mend_listings(target)
        put_licences(target, lock)
        put_pages(target, megabytes(python))
        shutil.rmtree(linked)
        shutil.copytree(target, LAB, dirs_exist_ok=True)
    say(LAB, (about() or {}) | {"made_from": made_from(lock), "contents": edited()})


def say(folder: Path, about: dict[str, Any]) -> None:
    """Write what a lab says of itself."""
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def about() -> dict[str, Any] | None:
    """Return what the site's lab says of itself; None if the site has no lab."""
    path = LAB / "about.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def start() -> tuple[bool, Callable[[], None]]:
    """Begin what of the lab is not up to date; return whether there is one, and how to end it."""
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    try:
        if os.environ.get("LAB") == "0":
            raise LeftOut("LAB=0")
        said, now = about() or {}, edited()
        old = said.get("contents", {})
        if said.get("made_from") != made_from(lock) or old.keys() != now.keys():
            begin(fetch(lock), lock)
            return True, lambda: finish(lock)
        if old != now:
            put_contents([name for name in now if now[name] != old[name]])
            say(LAB, said | {"contents": now})
    except LeftOut as reason:
        shutil.rmtree(LAB, ignore_errors=True)
        print(f"The lab is left out; chapters open on Binder and Colab ({reason}).")
        return False, lambda: None
    return True, lambda: None


def main() -> bool:
    """Bring the site's lab up to date, or say in one line why it is left out."""
    there, end = start()
    end()
    return there


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
