"""The packages of other people that the repository holds: what reads Parquet in a page."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from book.press.places import BOOK

FOLDER = BOOK / "_static" / "live" / "parquet"
LISTED = FOLDER / "packages.toml"


def packages() -> list[dict[str, Any]]:
    """Return name, version, archive and the files' sha256 of each package."""
    return tomllib.loads(LISTED.read_text(encoding="utf-8"))["package"]


def folder_of(package: dict[str, Any]) -> Path:
    """Return where a package's files are; the address changes with the version."""
    return FOLDER / f"{package['name']}-{package['version']}"


def scripts() -> list[Path]:
    """Return the files that a browser loads."""
    return [
        folder_of(package) / name
        for package in packages() for name in package["files"] if name.endswith(("js", "mjs"))
    ]  # fmt: skip
