"""Run notebooks on the lab's own Python under Node, without a browser."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from book.press.lab.python import PRELOADED

SCRIPT = Path(__file__).with_suffix(".mjs")


def run_in_node(node: str, folder: Path, notebook: Path) -> dict[str, Any]:
    """Run a notebook's cells until one fails; return their outputs, and seconds by the clock.

    Parameters
    ----------
    node : str
        The program.
    folder : Path
        That of the lab's Python.
    notebook : Path

    Returns
    -------
    dict
        ``start``: the seconds until Python is there; ``run``: those of all cells; ``cells``: each
        one's ``seconds`` and ``outputs``.
    """
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out.json"
        done = subprocess.run(
            [node, str(SCRIPT), str(folder), str(notebook), str(out), ",".join(PRELOADED)],
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{notebook.name} did not run under Node: {done.stderr[-3000:]}")
        return json.loads(out.read_text(encoding="utf-8"))
