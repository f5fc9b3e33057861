"""Build the lab: JupyterLite with Python in the browser, made of the site's own files alone.

Everything that the lab runs is named, by its sha256, in ``book/lab/pyodide-lock.json``. The files
are fetched once into a cache that outlives ``make clean`` and are accepted by their hash, wherever
they come from. When they cannot be had, the site is built without the lab.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import platformdirs

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import handouts  # noqa: E402
import policies  # noqa: E402

SOURCES = ROOT / "book" / "lab"
LOCK = SOURCES / "pyodide-lock.json"
LAB = ROOT / "book" / "_build" / "html" / "lab"
CACHE = Path(platformdirs.user_cache_dir("static-vs-dynamic", appauthor=False))
# Where Pyodide's makers publish its files.
PUBLISHED = "https://cdn.jsdelivr.net/pyodide/v{version}/full"
# The kind of wheel that runs in the browser, as pip's options.
BROWSER = ("--platform", "pyemscripten_2026_0_wasm32", "--platform", "any",
           "--implementation", "cp", "--abi", "cp314", "--python-version", "3.14")  # fmt: skip
PACKAGE = "static-vs-dynamic-companion"
# Loaded while Python starts; pandas because the companion imports it only when it needs it.
PRELOADED = [
    "micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython",
    "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "river", PACKAGE,
]  # fmt: skip
KERNEL = Path(sys.prefix, "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension")
APPS = ("notebooks", "tree", "lab", "edit", "consoles")
# What JupyterLab itself takes of a first visit; a test measures the sum.
INTERFACE_MB = 8


class LeftOut(Exception):
    """The lab's files cannot be had here; the message says why."""


# ------------------------------------------------------------------ what the lab holds


def contents() -> Iterator[tuple[str, nbformat.NotebookNode]]:
    """Choose what the lab holds: each student's notebook with its path, in this place alone."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        chapter = nbformat.read(path, as_version=4)
        yield f"notebooks/{path.name}", lab_copy(handouts.student(chapter, path.stem))


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


# ------------------------------------------------------------------ fetching


def pip_download(requirements: list[str], folder: Path, *options: str) -> None:
    """Let pip download wheels; a requirement may end in ``--hash=sha256:…``."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write("\n".join(requirements) + "\n")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "30",
        "--dest", str(folder), *(options or ("--python-version", "3.11")), "-r", file.name,
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    finally:
        os.unlink(file.name)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        more = f" and {len(requirements) - 1} more" if len(requirements) > 1 else ""
        name = requirements[0].split()[0]
        raise LeftOut(f"pip could not download {name}{more}: {reason.removeprefix('ERROR: ')}")


def wanted(lock: dict[str, Any]) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Return the files that Pyodide publishes and those of the package index, with their hashes."""
    ours = {entry["file_name"]: entry for entry in lock["packages"].values()}
    pyodide = {name: e["sha256"] for name, e in ours.items() if e["origin"] == "pyodide"}
    index = {name: e for name, e in ours.items() if e["origin"] == "pypi"}
    return lock["lab"]["core"] | pyodide, index


def fits(path: Path, digest: str) -> bool:
    """Tell whether a file is there and has the hash it must have."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def keep(data: bytes, path: Path, digest: str) -> bool:
    """Put a file into the cache, whole, if it has the hash it must have."""
    if hashlib.sha256(data).hexdigest() != digest:
        return False
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    os.replace(part, path)
    return True


def from_address(address: str, missing: dict[str, str], folder: Path) -> None:
    """Fetch what is missing from a folder, or from below a web address; the first failure ends."""
    for name, digest in missing.items():
        where = f"{address.rstrip('/')}/{name}"
        if address.startswith(("https://", "http://")):
            with urllib.request.urlopen(where, timeout=20) as answer:
                data = answer.read()
        else:
            data = Path(where).read_bytes()
        if not keep(data, folder / name, digest):
            raise OSError(f"{where} is not the official file")


def from_carrier(lab: dict[str, Any], missing: dict[str, str], folder: Path) -> None:
    """Take what is missing out of the Python package that carries Pyodide's files unchanged."""
    with tempfile.TemporaryDirectory() as name:
        pip_download([f"{lab['carrier']} --hash=sha256:{lab['carrier_sha256']}"], Path(name))
        with zipfile.ZipFile(next(Path(name).glob("*.whl"))) as archive:
            for file, digest in missing.items():
                if not keep(archive.read(lab["carrier_folder"] + file), folder / file, digest):
                    raise OSError(f"{file} in {lab['carrier']} is not the official file")


def fetch(lock: dict[str, Any]) -> Path:
    """Return the folder that holds all of the lock's files, fetched and checked.

    Pyodide's files come from the first source that has them: the cache, the folder or address in
    the environment variable PYODIDE_MIRROR, Pyodide's own server, a package of the Python index.
    """
    folder = CACHE / f"pyodide-{lock['lab']['pyodide']}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LeftOut(f"the cache {folder} cannot be written ({error.strerror})") from None
    pyodide, index = wanted(lock)

    def lacking() -> dict[str, str]:
        return {name: sha for name, sha in pyodide.items() if not fits(folder / name, sha)}

    mirror = os.environ.get("PYODIDE_MIRROR")
    published = PUBLISHED.format(version=lock["lab"]["pyodide"])
    reasons = []
    for source in filter(None, (mirror, published)):
        if missing := lacking():
            print(f"Fetching {len(missing)} files of the lab from {source} ...", flush=True)
            try:
                from_address(source, missing, folder)
            except OSError as error:
                reasons.append(f"{source}: {getattr(error, 'reason', error)}")
    if missing := lacking():
        print(f"Fetching {len(missing)} files of the lab with pip (about 106 MB) ...", flush=True)
        try:
            from_carrier(lock["lab"], missing, folder)
        except (LeftOut, OSError) as error:
            raise LeftOut("; ".join([*reasons, str(error)])) from None
    others = {name: one["sha256"] for name, one in index.items()}
    if mirror and (missing := {n: sha for n, sha in others.items() if not fits(folder / n, sha)}):
        with contextlib.suppress(OSError):
            from_address(mirror, missing, folder)
    if missing := [e for name, e in index.items() if not fits(folder / name, e["sha256"])]:
        lines = [f"{e['name']}=={e['version']} --hash=sha256:{e['sha256']}" for e in missing]
        pip_download(lines, folder, *BROWSER)
    return folder


# ------------------------------------------------------------------ building


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


def entry(wheel: Path, imports: list[str], depends: list[str]) -> dict[str, Any]:
    """Return a wheel's entry in Pyodide's lock."""
    name, version = wheel.name.split("-")[:2]
    return {
        "name": name.replace("_", "-"), "version": version, "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(), "imports": imports,
        "depends": depends, "install_dir": "site", "package_type": "package",
        "unvendored_tests": False, "origin": "built",
    }  # fmt: skip


def put_python(lock: dict[str, Any], cache: Path, parts: Path, target: Path) -> None:
    """Put Pyodide, its packages, the kernel's and the companion beside each other, with a lock.

    The companion's wheel changes and keeps its name, so a folder named by its hash holds it: a
    browser that has kept an older one asks anew.
    """
    target.mkdir(parents=True)
    pyodide, index = wanted(lock)
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
        one = entry(wheel, imports, depends)
        if wheel == own:
            one["file_name"] = f"companion-{one['sha256'][:12]}/{wheel.name}"
        (target / one["file_name"]).parent.mkdir(exist_ok=True)
        shutil.copyfile(wheel, target / one["file_name"])
        packages[one["name"]] = one
    shipped = {"info": lock["info"], "packages": packages}
    (target / "pyodide-lock.json").write_text(json.dumps(shipped), encoding="utf-8")


def megabytes(folder: Path) -> int:
    """Return what a first visit loads, in MB: Python, the packages loaded with it, JupyterLab."""
    packages = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    names, waiting = set(), list(PRELOADED)
    while waiting:
        if (name := waiting.pop()) not in names:
            names.add(name)
            waiting += [need.replace("_", "-") for need in packages[name]["depends"]]
    files = [folder / packages[name]["file_name"] for name in names]
    files += [path for path in folder.iterdir() if path.suffix in (".mjs", ".wasm", ".zip")]
    return round(sum(path.stat().st_size for path in files) / 1e6) + INTERFACE_MB


def run_lite(command: str, lite: Path, target: Path) -> None:
    """Run a command of JupyterLite; what it only prints as a failure is an error here."""
    options = ["--lite-dir", str(lite), "--output-dir", str(target),
               "--contents", str(lite / "contents"), "--no-sourcemaps"]  # fmt: skip
    options += [part for app in APPS for part in ("--apps", app)]
    done = subprocess.run(
        [sys.executable, "-c", "from jupyterlite_core.app import main; main()", command, *options],
        capture_output=True, text=True, cwd=lite,
    )  # fmt: skip
    output = done.stdout + done.stderr
    if done.returncode or re.search(r"^(FAIL|TaskError|TaskFailed)", output, re.M):
        raise SystemExit(f"make: jupyter lite {command} failed:\n{output[-4000:]}")


def settings(python: Path) -> dict[str, Any]:
    """Return the lab's configuration; the lock's address changes with the lock."""
    edition = hashlib.sha256((python / "pyodide-lock.json").read_bytes()).hexdigest()[:12]
    options = {
        "packages": PRELOADED,
        "lockFileURL": f"./static/pyodide/pyodide-lock.json?edition={edition}",
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Static vs. Dynamic AI Models: the lab",
            "exposeAppInBrowser": True,
            "litePluginSettings": {
                "@jupyterlite/pyodide-kernel-extension:kernel": {
                    "pyodideUrl": "./static/pyodide/pyodide.mjs",
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


IS_LICENCE = re.compile(
    r"\.dist-info/licenses/|(^|[/_.-])(LICEN[CS]E|COPYING|NOTICE)(?![a-z])", re.I
)


def licence_of(wheel: Path) -> str:
    """Return all licence texts that a wheel holds, one after the other."""
    texts = []
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if IS_LICENCE.search(name) and not name.endswith((".py", "/")):
                text = archive.read(name).decode("utf-8", "replace").strip()
                texts.append(f"{name}\n{'-' * len(name)}\n\n{text}\n")
    if not texts:
        raise SystemExit(f"make: {wheel.name} holds no licence; the lab may not ship it so")
    return "\n\n".join(texts)


def put_licences(target: Path, lock: dict[str, Any]) -> None:
    """Lay the licence of everything that the lab ships beside it, with a page that lists them."""
    folder = target / "licences"
    shutil.copytree(SOURCES / "licences", folder)
    python = target / "static" / "pyodide"
    shipped = json.loads((python / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    for one in shipped.values():
        text = licence_of(python / one["file_name"])
        (folder / f"{one['name']}.txt").write_text(text, encoding="utf-8")
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
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{version}</td>'
        f'<td><a href="{file}">{file.rpartition("/")[2]}</a></td></tr>'
        for name, version, file in own
    )
    source = f"https://github.com/pyodide/pyodide/tree/{version}"
    (folder / "index.html").write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>What the lab is made of</title></head>"
        '<body style="font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; '
        'padding: 0 1rem"><main><h1>What the lab is made of</h1>'
        "<p>The lab ships these works unchanged, each under its own licence. The source code of "
        f'Pyodide, which is under the Mozilla Public License 2.0, is at <a href="{source}">'
        f'{source}</a>.</p><table><thead><tr><th scope="col">Work</th><th scope="col">Version</th>'
        f'<th scope="col">Licence</th></tr></thead><tbody>{rows}</tbody></table></main></body>'
        "</html>",
        encoding="utf-8",
    )


def digest(lock: dict[str, Any]) -> str:
    """Return a name for all that the lab is made from."""
    found = hashlib.sha256(json.dumps(lock).encode())
    for package in ("jupyterlite-core", "jupyterlite-pyodide-kernel"):
        found.update(importlib.metadata.version(package).encode())
    own = [
        Path(__file__),
        Path(handouts.__file__),
        Path(policies.__file__),
        ROOT / "pyproject.toml",
    ]
    for folder in (SOURCES, ROOT / "companion", ROOT / "notebooks"):
        own += [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in own:
        if "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts:
            found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def build(cache: Path, lock: dict[str, Any]) -> None:
    """Build the lab into the site, whole or not at all."""
    LAB.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LAB.parents[1], prefix="lab-") as name:
        parts = Path(name)
        lite, target = parts / "lite", parts / "lab"
        for path, notebook in contents():
            file = lite / "contents" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            # nbformat would drop that the cells are trusted.
            file.write_text(json.dumps(notebook), encoding="utf-8")
        python = parts / "python"
        put_python(lock, cache, parts, python)
        (lite / "jupyter-lite.json").write_text(json.dumps(settings(python)), encoding="utf-8")
        shutil.copy(SOURCES / "overrides.json", lite)
        run_lite("build", lite, target)
        (target / "static").mkdir(exist_ok=True)
        python = python.rename(target / "static" / "pyodide")
        run_lite("check", lite, target)
        size = megabytes(python)
        put_licences(target, lock)
        put_pages(target, size)
        about = {"megabytes": size, "made_from": digest(lock)}
        (target / "about.json").write_text(json.dumps(about), encoding="utf-8")
        shutil.rmtree(LAB, ignore_errors=True)
        os.replace(target, LAB)


def about() -> dict[str, Any] | None:
    """Return what the site's lab says of itself; None if the site has no lab."""
    path = LAB / "about.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def main() -> bool:
    """Bring the site's lab up to date, or say in one line why it is left out."""
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    try:
        if os.environ.get("LAB") == "0":
            raise LeftOut("LAB=0")
        if (about() or {}).get("made_from") != digest(lock):
            build(fetch(lock), lock)
    except LeftOut as reason:
        shutil.rmtree(LAB, ignore_errors=True)
        print(f"The lab is left out; chapters open on Binder and Colab ({reason}).")
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
