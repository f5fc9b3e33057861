"""Jupyter's own tools, started without what only makes them slow to start."""

from __future__ import annotations

import sys


def command(module: str) -> list[str]:
    """Return the command that starts a tool's ``main``.

    They check their settings with jsonschema. Where JupyterLab has brought ``rfc3987_syntax``,
    that compiles grammars for kinds of addresses that no setting here has, for seconds.
    """
    code = f"import sys; sys.modules['rfc3987_syntax'] = None; from {module} import main; main()"
    return [sys.executable, "-c", code]
