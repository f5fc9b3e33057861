"""The runs of a comparison on disk: every run a file, and one that says what belongs together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from companion.evaluation import COSTS, Run
from companion.files.atomic import write_atomically
from companion.files.locks import held
from companion.files.private import on_one_line
from companion.files.runs import run_from_bytes, run_to_bytes, stream_digest
from companion.stream import Stream, quoted

KEPT = ("failures", "reference", "block")


def save_runs(
    folder: Path, stream: Stream, runs: Mapping[str, list[Run]], kept: Mapping[str, Any]
) -> None:
    """Save runs by strategy, and what else the comparison keeps (see ``KEPT``)."""
    with held(folder, "another save"):
        files: dict[str, list[str]] = {}
        for name, seeds in runs.items():
            files[name] = []
            for run in seeds:  # a file is named by its content, so none is ever changed
                data = run_to_bytes(run)
                files[name].append(f"run-{hashlib.sha256(data).hexdigest()[:16]}.npz")
                write_atomically(folder / files[name][-1], data)
        about = {"stream": stream.name, "digest": stream_digest(stream), "runs": files, **kept}
        text = json.dumps(about, ensure_ascii=False)
        write_atomically(folder / "comparison.json", text.encode())
        used = {file for names in files.values() for file in names}
        for path in folder.glob("run-*.npz"):  # of a save before this one
            if path.name not in used:
                path.unlink()


def load_runs(folder: Path, stream: Stream) -> tuple[dict[str, list[Run]], dict[str, Any]]:
    """Read runs that were saved for a stream, and what else the comparison kept."""
    path = folder / "comparison.json"
    if not path.exists():
        raise ValueError(f"{folder}: there is no saved comparison; name the folder given to save")
    about = read_about(path)
    if about["digest"] != stream_digest(stream):
        raise ValueError(
            f"{folder}: the comparison was made on other rows, of a stream "
            f"{quoted(about['stream'])}; give it those, or compare and save again"
        )
    runs = {
        name: [read_run(path.parent / Path(file).name, stream) for file in files]
        for name, files in about["runs"].items()
    }
    return runs, {key: about[key] for key in KEPT}


def read_about(path: Path) -> dict[str, Any]:
    """Read what a saved comparison says of itself."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        about = {key: about[key] for key in ("stream", "digest", "runs", *KEPT)}
        check_about(about)
        return about
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {on_one_line(str(error))}"
        raise ValueError(
            f"{path}: this is no saved comparison ({why}); "
            "restore the file, or compare and save again"
        ) from None


def check_about(about: Mapping[str, Any]) -> None:
    """Refuse what no comparison says of itself."""
    runs, block = about["runs"], about["block"]
    texts = [about["stream"], about["digest"], about["reference"], *about["failures"].values()]
    fits = {
        "runs": runs and all(isinstance(files, list) and files for files in runs.values()),
        "texts": all(isinstance(text, str) for text in sum(runs.values(), texts)),
        "files": all(file.isprintable() and len(file) < 100 for file in sum(runs.values(), [])),
        "reference": about["reference"] in runs,
        "block": block is None or (type(block) is int and block > 0),
    }
    for what, fine in fits.items():
        if not fine:
            raise ValueError(f"{what} are not as they were written")


def read_run(path: Path, stream: Stream) -> Run:
    """Read one run of a saved comparison on a stream."""
    try:
        run = run_from_bytes(path.read_bytes())
        if run.task != stream.task or not np.array_equal(run.y, stream.y[run.first :]):
            raise ValueError("other labels")
        if not set(COSTS) <= set(run.cost):
            raise ValueError("not all costs")
        return run
    except Exception as error:
        raise ValueError(
            f"{path}: this run cannot be read ({type(error).__name__}); "
            "restore the file, or compare and save again"
        ) from None
