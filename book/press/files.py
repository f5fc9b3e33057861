"""Files: which ones something is made from, a name for what they hold, archives of them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

PRESS = Path(__file__).parent
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the only time that all archives can hold


def files_below(folder: Path) -> list[Path]:
    """Return a folder's files in a fixed order, without what Python and Jupyter leave there."""
    return [
        path for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    ]  # fmt: skip


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
