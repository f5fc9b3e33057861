"""A seal on every file that holds a pickle, so that nobody's pickle is read but one's own.

Whoever writes a pickle decides what runs when it is read, and no list of allowed names can make a
stranger's pickle safe. So the companion makes one secret key for each user. What it pickles it
seals with that key (HMAC-SHA256 over all of it), and it looks at the seal before anything else.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import sys
from pathlib import Path

from companion.files.atomic import write_atomically
from companion.files.private import UnsafeFile, check_private

SEAL = re.compile(rb"sealed by companion, key ([0-9a-f]{8}): ([0-9a-f]{64})\n")
BYTES = 32


def key_path() -> Path:
    """Return where this user's key is kept: ``COMPANION_KEY``, or a file in the user's data folder.

    Examples
    --------
    >>> key_path().is_absolute()
    True
    """
    if named := os.environ.get("COMPANION_KEY"):
        return Path(named).absolute()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data.absolute() / "static-vs-dynamic" / "key"


def user_key() -> bytes:
    """Return this user's key; it is made the first time, readable by nobody else.

    Raises
    ------
    UnsafeFile
        If it cannot be made or read, or others can read or replace it.

    Examples
    --------
    >>> len(user_key())
    32
    """
    path = key_path()
    try:
        if not path.exists():
            write_key(path, once=True)
        check_private(path.parent)
        check_private(path)
        if hasattr(os, "geteuid") and path.stat().st_mode & 0o077:
            raise UnsafeFile(
                f"{path}: others can read your key; make another with companion key --rotate"
            )
        key = path.read_bytes()
    except OSError as error:
        raise UnsafeFile(
            f"{path}: your key cannot be made or read ({error.strerror}); "
            "let COMPANION_KEY name a file in a folder of your own"
        ) from None
    if len(key) != BYTES:
        raise UnsafeFile(f"{path}: this is no key; make one with companion key --rotate")
    return key


def write_key(path: Path, *, once: bool) -> None:
    """Write a new key; if two processes do so ``once``, both then have the first one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, secrets.token_bytes(BYTES), mode=0o600, once=once)


def rotate_key() -> Path:
    """Make a new key, and return where it is. What the old one sealed is refused from now on.

    Raises
    ------
    UnsafeFile
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from unittest.mock import patch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with patch.dict(os.environ, COMPANION_KEY=f"{folder}/key"):
    ...         rotate_key() == key_path()
    True
    """
    path = key_path()
    try:
        write_key(path, once=False)
    except OSError as error:
        raise UnsafeFile(
            f"{path}: the new key was not written ({error.strerror}); the old one still holds"
        ) from None
    return path


def key_name(key: bytes) -> str:
    """Return the name by which a seal says which key made it; it gives nothing of the key away.

    Examples
    --------
    >>> key_name(b"not a good key")
    'a32cbcfa'
    """
    return hmac.digest(key, b"name", "sha256").hex()[:8]


def seal(content: bytes) -> bytes:
    """Return content with this user's seal before it.

    Examples
    --------
    >>> seal(b"weights")[:24], unseal(seal(b"weights"), "a file")
    (b'sealed by companion, key', b'weights')
    """
    key = user_key()
    mark = hmac.digest(key, content, "sha256").hex()
    return f"sealed by companion, key {key_name(key)}: {mark}\n".encode() + content


def unseal(data: bytes, name: str) -> bytes:
    """Return sealed content, if this user sealed it and nothing of it has changed since.

    Raises
    ------
    UnsafeFile
        If there is no seal, another key made it, or the content does not fit it.

    Examples
    --------
    >>> for data in (b"a bare pickle", seal(b"weights")[:-1]):
    ...     try:
    ...         unseal(data, "a.ckpt")
    ...     except UnsafeFile as error:
    ...         print(str(error).split(";")[0])
    a.ckpt: it carries no seal, so a stranger may have written it
    a.ckpt: damaged: its content does not fit its seal
    """
    found, key = SEAL.match(data), user_key()
    if found is None or found[1].decode() != key_name(key):
        whose = "it carries no seal, so a stranger may have written it" if found is None else (
            "another key sealed it: somebody else's, another machine's, or one of yours from "
            "before you changed it"
        )  # fmt: skip
        raise UnsafeFile(
            f"{name}: {whose}; nothing of it was read, for it could run code; to pass a model on, "
            "write it with companion.files.safe.save_model, and read it with load_model"
        )
    content = data[found.end() :]
    if not hmac.compare_digest(found[2].decode(), hmac.digest(key, content, "sha256").hex()):
        raise UnsafeFile(
            f"{name}: damaged: its content does not fit its seal; delete it, or restore a copy"
        )
    return content
