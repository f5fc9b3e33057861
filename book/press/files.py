"""Files: which ones something is made from, a name for what they hold, archives of them."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from book.press.places import BOOK, BUILD, NOTEBOOKS, ROOT

PRESS = Path(__file__).parent
LEFT = {"__pycache__", ".ipynb_checkpoints"}  # by Python and Jupyter
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the only time that all archives can hold


def files_below(folder: Path) -> list[Path]:
    """Return a folder's files in a fixed order, without what Python and Jupyter leave there."""
    return [
        path for path in sorted(folder.rglob("*"))
        if path.is_file() and not LEFT & set(path.parts)
    ]  # fmt: skip


def sources() -> list[Path]:
    """Return every file that the site may be made from."""
    folders = (BOOK, NOTEBOOKS, ROOT / "companion", ROOT / "tests" / "benchmarks")
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in folders:
        for top, inside, names in os.walk(folder):
            inside[:] = [name for name in inside if name not in LEFT and Path(top, name) != BUILD]
            found += [Path(top, name) for name in names]
    return sorted(found)


def makers(*folders: str) -> list[Path]:
    """Return the code that makes some of the products: what all share, and their folders'."""
    own = [path for folder in folders for path in files_below(PRESS / folder)]
    return [*sorted(PRESS.glob("*.py")), *own]


def digest(paths: Iterable[Path], *more: str) -> str:
    """Return a name for what files hold, in the order given, and for some words."""
    found = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@functools.cache
def code_of_site() -> str:
    """Return a name for the code that makes the pages."""
    return digest(makers("site"))


def kept(folder: str, source: bytes, make: Callable[[], bytes]) -> bytes:
    """Return what is made from some bytes: what an earlier build kept, else made and kept now."""
    path = BUILD / folder / hashlib.sha256(code_of_site().encode() + source).hexdigest()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(make())
        os.replace(part, path)  # whole or not at all: two parts of a build may make the same
    return path.read_bytes()


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip archive, the same bytes from the same files.

    >>> zip_bytes({"b": b"2", "a": b"1"}) == zip_bytes({"a": b"1", "b": b"2"})
    True
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            about = zipfile.ZipInfo(name, FIRST_DAY)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, data)
    return packed.getvalue()
