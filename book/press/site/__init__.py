"""The site: a small Sphinx extension for each thing that it adds to Jupyter Book."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press.files import makers


@functools.cache
def about() -> dict[str, Any]:
    """Return what each extension says of itself; a change of any of them makes every page anew."""
    code = b"".join(path.read_bytes() for path in makers("site", "course", "live"))
    return {
        "version": "1", "env_version": zlib.crc32(code),
        "parallel_read_safe": True, "parallel_write_safe": True,
    }  # fmt: skip


def when_built(app: Sphinx, write: Callable[[Path], Any]) -> None:
    """Call a function with the built site's folder, if the build did not fail."""
    app.connect("build-finished", lambda app, failure: failure or write(Path(app.outdir)))
