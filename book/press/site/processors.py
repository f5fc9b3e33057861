"""Pages are read and written on all processors; Jupyter Book has no setting for it."""

from __future__ import annotations

import os
from typing import Any

from sphinx.application import Sphinx

from book.press.site import about

# They say nothing of it; they number the parts of the contents, and read the contents, once.
SILENT = ("sphinx_multitoc_numbering", "sphinx_external_toc")


def on_inited(app: Sphinx) -> None:
    """Let Sphinx fork; where it can't, it goes on with one process."""
    for name in SILENT:
        extension = app.extensions[name]
        extension.parallel_read_safe = extension.parallel_write_safe = True
    app.parallel = os.cpu_count() or 1


def mixed(app: Sphinx, env: Any, pages: list[str]) -> None:
    """Give each process something of all: neighbours by name take about as long as each other."""
    pages[:] = [page for k in range(4) for page in pages[k::4]]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", on_inited)
    app.connect("env-before-read-docs", mixed)
    return about()
