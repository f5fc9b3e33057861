"""The one configured address: the repository's, and the site's that follows from it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from book.press.places import BOOK

CONFIG = BOOK / "_config.yml"


def repository(path: Path = CONFIG) -> str:
    """Return the address of the repository, as book/_config.yml has it.

    Raises
    ------
    ValueError
        If there is none; the message says where it goes.
    """
    found = re.search(r"^  url: (https://\S+)$", path.read_text(encoding="utf-8"), re.M)
    if not found:
        raise ValueError(
            f"{path}: there is no address of the repository; add it under repository as url: https://…"
        )
    return found[1]


def branch() -> str:
    """Return the branch from which readers take the notebooks."""
    return re.search(r"^  branch: (\S+)$", CONFIG.read_text(encoding="utf-8"), re.M)[1]


def clone() -> str:
    """Return the folder that a clone of the repository makes."""
    return urlsplit(repository()).path.rstrip("/").rpartition("/")[2]


def site() -> str:
    """Return the site's public address, as GitHub Pages derives it from the repository's.

    >>> site().startswith("https://") and site().endswith("/")
    True
    """
    owner, name = urlsplit(repository()).path.strip("/").split("/")
    return f"https://{owner}.github.io/{name}/"
