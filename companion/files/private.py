"""Who else can write to a file: nobody, or it is not read."""

from __future__ import annotations

import os
from pathlib import Path


class UnsafeFile(ValueError):
    """A model file that may run somebody else's code; the message names what is wrong.

    Examples
    --------
    >>> str(UnsafeFile("m.skops: it holds os.system"))
    'm.skops: it holds os.system'
    """


def on_one_line(text: str, most: int = 200) -> str:
    r"""Return a stranger's text as part of a sentence: on one line, and not at any length.

    Examples
    --------
    >>> on_one_line("os.\r\nsystem"), len(on_one_line("x" * 5000))
    ('os. system', 200)
    """
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def check_private(path: Path, *, name: str | None = None) -> None:
    """Refuse a file or folder that somebody else owns or can write to (where there are owners).

    Raises
    ------
    UnsafeFile
        One sentence that names the place, the problem and the mend.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_private(Path(folder))
    ...     Path(folder).chmod(0o777)
    ...     try:
    ...         check_private(Path(folder), name="runs")
    ...     except UnsafeFile as error:
    ...         print(error)
    runs: others can write here, so a file in it may not be yours; run chmod go-w on it
    """
    if not hasattr(os, "geteuid"):
        return
    name, about = name or str(path), path.stat()
    if about.st_uid != os.geteuid():
        raise UnsafeFile(
            f"{name}: it belongs to another user, who decides what is in it; "
            "take a folder and a file of your own"
        )
    private_group = about.st_gid == about.st_uid  # a group with one member, as Debian makes them
    if about.st_mode & 0o002 or (about.st_mode & 0o020 and not private_group):
        raise UnsafeFile(
            f"{name}: others can write here, so a file in it may not be yours; run chmod go-w on it"
        )
