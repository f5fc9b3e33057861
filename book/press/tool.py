"""Jupyter's own tools, started without what only makes them slow to start."""

from __future__ import annotations

import sys

# They check their settings with jsonschema. Where JupyterLab has brought this package, that
# compiles grammars for kinds of addresses that no setting here has, for seconds.
WITHOUT = "rfc3987_syntax"


def without_grammars() -> None:
    """Keep this process from compiling them, too."""
    sys.modules.setdefault(WITHOUT, None)  # type: ignore[arg-type]


def command(module: str) -> list[str]:
    """Return the command that starts a tool's ``main``."""
    code = f"import sys; sys.modules[{WITHOUT!r}] = None; from {module} import main; main()"
    return [sys.executable, "-c", code]
