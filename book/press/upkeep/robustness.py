"""Compute every verdict again in other worlds: other rows, warm-ups, schedules, random numbers.

A chapter's code runs as it stands, up to its last verdict; what it asks the companion for is
changed on the way, and the warm-up, the cut and the turbine where the code names them.
``book/robustness.json`` says for each verdict what came out in each world. A world in which a
chapter's code cannot run (it may name a row that is not there) is left out, and the record says
why.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib import metadata
from typing import Any

import nbformat

from book.press.places import NOTEBOOKS, OTHER_WORLDS
from companion.files.atomic import write_atomically

WORLDS: dict[str, dict[str, Any]] = {
    "the book's": {},
    "the first twentieth left out": {"first": 0.05},
    "the first tenth left out": {"first": 0.1},
    "the last tenth left out": {"last": 0.1},
    "the last fifth left out": {"last": 0.2},
    "a warm-up half as long": {"warm-up": 0.5},
    "a warm-up half as long again": {"warm-up": 1.5},
    "a warm-up two and a half times as long": {"warm-up": 2.5},
    "every schedule begun half a period later": {"late": 0.5},
    "all rows instead of a cut": {"cut": None},
    "another turbine": {"turbine": "90"},
    "blocks half as long": {"block": 0.5},
    "blocks twice as long": {"block": 2},
    "other random numbers": {"seed": 1},
    "other random numbers again": {"seed": 2},
}
WORDS = ("only_when", "would_change", "alt")
LONGEST = 900  # seconds that a chapter may take in one world


def kept(stream: Any, first: float, last: float) -> Any:
    """Return a stream without its first and last share: of its keys, if it has any, or its rows.

    >>> from companion import streams
    >>> bikes = streams.bike_sharing()
    >>> len(bikes), len(kept(bikes, 0.1, 0.0)), len(kept(bikes, 0.0, 0.2))
    (731, 658, 585)
    """
    import numpy as np

    units = np.arange(len(stream)) if stream.key is None else stream.key
    names = np.array(list(dict.fromkeys(units)))
    stay = names[int(first * len(names)) : len(names) - int(last * len(names))]
    rows = np.flatnonzero(np.isin(units, stay))
    return replace(stream.take(rows), time=None if stream.time is None else stream.time[rows])


def everywhere(old: Any, new: Any) -> None:
    """Put a function in the place of another, wherever the companion has imported it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("companion"):
            for key, value in list(vars(module).items()):
                if value is old:
                    setattr(module, key, new)


def other_warmup(code: str, times: float) -> str:
    """Return code in which the warm-up, where it is named, is so many times as long.

    >>> other_warmup("warmup = int(0.2 * len(bikes))", 1.5)
    'warmup = int(0.3 * len(bikes))'
    >>> other_warmup("first, fifth = 146, len(stream) // 5", 0.5)
    'first, fifth = 146, int(0.1 * len(stream))'
    >>> other_warmup("compare(bikes, rivals, warmup=146)", 0.5)
    'compare(bikes, rivals, warmup=73)'
    """
    share = f"{0.2 * times:.2g}"
    code = re.sub(r"((?:warmup ?= ?)|int\()0\.2\b", rf"\g<1>{share}", code)
    code = re.sub(r"(len\([\w.\[\]]+\)) // 5\b", rf"int({share} * \1)", code)
    return re.sub(r"\b((?:warmup|first|SCHOOL) ?= ?)(\d{3,})\b",
                  lambda found: f"{found[1]}{int(times * int(found[2]))}", code)  # fmt: skip


def other_turbine(code: str, end: str) -> str:
    """Return code in which the first turbine has changed places with the one that ends so.

    >>> other_turbine('one, three = "R80711", ["R80711", "R80721", "R80790"]', "90")
    'one, three = "R80790", ["R80790", "R80721", "R80711"]'
    """
    ends = {"11": end, end: "11"}
    return re.sub(f"R807(11|{end})\\b", lambda found: f"R807{ends[found[1]]}", code)


def uncut(code: str, _: Any = None) -> str:
    """Return code in which a shipped stream is taken whole where it was cut.

    >>> uncut("streams.glucose().take(slice(0, 6000)).y, bikes.take(slice(0, warmup))")
    'streams.glucose().y, bikes.take(slice(0, warmup))'
    """
    return re.sub(r"(streams\.\w+\([^()]*\))\.take\(slice\([^()]*\)\)", r"\1", code)


REWRITES = {"warm-up": other_warmup, "cut": uncut, "turbine": other_turbine}


def begun_later(share: float) -> None:
    """Let each schedule's first period be longer, so that all its fits come at other dates."""
    from companion.strategies import Scheduled

    fit = Scheduled.fit

    def fit_and_wait(self: Scheduled, X: Any, y: Any, **extra: Any) -> None:
        fit(self, X, y, **extra)
        if self.period is None:
            self.stable_for += int(share * self.every)
        else:
            self.stable_until += share * self.period

    Scheduled.fit = fit_and_wait  # type: ignore[method-assign]


def change(
    first: float = 0, last: float = 0, block: float = 1, seed: int = 0, late: float = 0
) -> None:
    """Change what the companion gives to whoever asks it from now on."""
    import numpy as np

    import companion.comparison  # noqa: F401 (so that it is there to be changed)
    from companion import intervals, streams
    from companion.streams import book as shipped

    if first or last:
        for load in [getattr(shipped, name) for name in streams.HOMES["streams.book"]]:
            everywhere(load, partial(lambda load, *a, **k: kept(load(*a, **k), first, last), load))
    length, draw = intervals.block_length, np.random.default_rng
    if block != 1:
        everywhere(length, lambda d: max(1, min(int(block * length(d)), len(d) // 2)))
    if late:
        begun_later(late)
    if seed:
        np.random.default_rng = lambda s=None: draw([s, seed] if isinstance(s, int) else s)


def judged_code(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the cells of code up to the chapter's last verdict: what other worlds run again."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return code[: 1 + max(k for k, source in enumerate(code) if "claims.verdict(" in source)]


def without_words(source: str) -> str:
    """Return code without what is only read: a verdict's words, a figure's title and text.

    >>> without_words('claims.verdict("S1", found, would_change="A storm.")')
    'claims.verdict("S1", found, would_change=)'
    >>> without_words('plots.show(fig, "Two lines.")')
    'plots.show(fig, )'
    """
    with contextlib.suppress(SyntaxError):  # a cell with a line for the shell
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        words = [key.value for call in calls for key in call.keywords if key.arg in WORDS]
        named = {"plots.show": slice(1, None), "plots.figure": slice(1), "plots.panels": slice(1)}
        words += [word for call in calls
                  for word in call.args[named.get(ast.unparse(call.func), slice(0))]]  # fmt: skip
        lines = source.encode().splitlines(keepends=True)
        starts = [sum(map(len, lines[:k])) for k in range(len(lines))]
        text = source.encode()
        for word in sorted(words, key=lambda word: (-word.lineno, -word.col_offset)):
            begin = starts[word.lineno - 1] + word.col_offset
            end = starts[word.end_lineno - 1] + word.end_col_offset
            text = text[:begin] + text[end:]
        return text.decode()
    return source


def digest(name: str) -> str:
    """Return a digest of the code behind a chapter's verdicts; exercises may change without it."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    code = [without_words(source) for source in judged_code(notebook)]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()[:16]


def run_quietly(code: list[str], forgiven: str = "\0") -> dict[str, Any]:
    """Run a chapter's cells, showing nothing; return what they have defined.

    An error ends it, except in a cell that holds the forgiven words.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from IPython.core.interactiveshell import InteractiveShell

    from companion.show import plots

    plots.show = lambda fig, *rest, **more: plt.close(fig)
    os.chdir(NOTEBOOKS)
    shell = InteractiveShell()
    with contextlib.redirect_stdout(io.StringIO()):
        for source in code:
            done = shell.run_cell(source, silent=True)
            if forgiven not in source:
                done.raise_error()
    return shell.user_ns


def verdicts_in(name: str, world: str) -> list[dict[str, Any]]:
    """Run a chapter's code in a world; return its verdicts: claim, outcome, what the pieces say."""
    from companion import claims

    found: list[dict[str, Any]] = []
    judge = claims.verdict

    def noted(claim: str, evidence: Any, **words: str) -> None:
        words["only_when"] = words.get("only_when") or "the world is another"
        said = judge(claim, evidence, **words)
        found.append({
            "claim": claim, "outcome": said.outcome.split()[0],
            "pieces": [[float(f"{end:.4g}") for end in (piece.value, piece.low, piece.high)]
                       for piece in evidence],
        })  # fmt: skip

    world_is = dict(WORLDS[world])
    rewrites = {name: world_is.pop(name) for name in REWRITES if name in world_is}
    change(**world_is)
    claims.verdict = noted
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    code = judged_code(notebook)
    for name, value in rewrites.items():
        before, code = code, [REWRITES[name](source, value) for source in code]
        if code == before:
            raise ValueError(f"the code names no {name}")
    run_quietly(code, forgiven="plots.")  # a figure may point at a row that this world has not
    return found


def versions() -> str:
    """Return the versions that a verdict's numbers may depend on, in words."""
    tools = ("numpy", "scipy", "scikit-learn", "river")
    python = "Python " + ".".join(map(str, sys.version_info[:2]))
    return ", ".join([python, *(f"{tool} {metadata.version(tool)}" for tool in tools)])


def run(name: str, world: str) -> list[dict[str, Any]] | str:
    """Run a chapter in a world, in a process of its own; return its verdicts, or why none."""
    command = [sys.executable, "-m", "book.press.upkeep.robustness", "--one", name, world]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST,
                              env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it took more than {LONGEST} seconds"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> int:
    """Fill the record: worlds that are missing, all of them where a chapter's code has changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("CHAPTER", "WORLD"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("only", nargs="*", help="how the files' names begin, such as 07")
    options = parser.parse_args()
    if options.one:
        print("\n" + json.dumps(verdicts_in(*options.one)))
        return 0
    record = json.loads(OTHER_WORLDS.read_text("utf-8")) if OTHER_WORLDS.is_file() else {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
            source = digest(path.stem)
            if options.only and not path.name.startswith(tuple(options.only)):
                continue
            known = record.get(path.stem, {})
            same = (known.get("source"), known.get("versions")) == (source, versions())
            said = known["worlds"] if same else {}
            missing = [world for world in WORLDS if world not in said]
            if not missing:
                continue
            for world, verdicts in zip(
                missing, pool.map(partial(run, path.stem), missing), strict=True
            ):
                said[world] = verdicts  # kept at once: a night may be cut short
                worlds = {world: said[world] for world in WORLDS if world in said}
                record[path.stem] = {"source": source, "versions": versions(), "worlds": worlds}
                write_atomically(OTHER_WORLDS, (json.dumps(record, indent=1) + "\n").encode())
            left = [world for world, verdicts in said.items() if isinstance(verdicts, str)]
            print(f"{path.stem}: {len(WORLDS) - len(left)} worlds; without {left}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
