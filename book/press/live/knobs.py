"""A chapter's knobs, read from its knob cell: the code says the values, the metadata the rest.

The metadata lists, for each knob, its name, a label with its unit, and the stops at which it can
stand: numbers, or Python source; a stop may be a pair of source and the words that are shown.
Under ``evidence`` it may say what the cell's numbers say of a claim, for each comparison: the
claim, the words, and Python source, in which ``knob_result`` is what the cell shows last.
Under ``tuned`` stand values that the chapter searched for long before, by their names: the page
takes them as they were found.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from book.press.live.needed import MAGIC, needed

PREFIX = "knob_"


@dataclass(frozen=True)
class Knob:
    """A knob: its label, the Python source of each stop, the words shown for it, where it stands.

    Attributes
    ----------
    name, label : str
    sources, shown : tuple of str
    stored : int
        The stop that the notebook's code has.
    """

    name: str
    label: str
    sources: tuple[str, ...]
    shown: tuple[str, ...]
    stored: int

    @property
    def kind(self) -> str:
        """What it is turned with: a switch, a slider for numbers, else a choice."""
        if set(self.sources) == {"False", "True"}:
            return "switch"
        numbers = sum(text.lstrip("-")[:1].isdigit() for text in self.sources)
        return "slider" if numbers > 1 else "choice"


def source_of(stop: Any) -> tuple[str, str]:
    """Return a stop's Python source and the words that are shown for it.

    >>> source_of(0.03), source_of('"Ann"'), source_of(["None", "all"])
    (('0.03', '0.03'), ("'Ann'", 'Ann'), ('None', 'all'))
    """
    source, shown = stop if isinstance(stop, list) else (stop, None)
    if not isinstance(source, str):
        return repr(source), shown or repr(source)
    source = ast.unparse(ast.parse(source, mode="eval"))
    return source, shown or source.strip("'")


def stored_values(code: str) -> dict[str, str]:
    """Return the source of the values that a knob cell's code gives its knobs.

    >>> stored_values("knob_rate = 0.1  # how fast\\nprint(knob_rate)")
    {'rate': '0.1'}
    """
    return {
        target.id.removeprefix(PREFIX): ast.unparse(node.value)
        for node in ast.parse(code).body if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.startswith(PREFIX)
    }  # fmt: skip


def same(a: str, b: str) -> bool:
    """Tell whether two sources are the same value: ``3`` is ``3.0``."""
    try:
        return float(a) == float(b)
    except ValueError:
        return a == b


def read_knobs(cell: dict[str, Any], where: str) -> list[Knob]:
    """Return the knobs of a knob cell.

    Raises
    ------
    ValueError
        If a knob is not set in the code, or the value in the code is none of its stops.
    """
    values, found = stored_values("".join(cell["source"])), []
    for about in cell["metadata"].get("knobs", ()):
        name = about["name"]
        if name not in values:
            raise ValueError(f"{where}: the metadata names the knob {name}, the code sets no "
                             f"{PREFIX}{name}; take one out")  # fmt: skip
        sources, shown = zip(*map(source_of, about["stops"]), strict=True)
        stored = [k for k, source in enumerate(sources) if same(source, values[name])]
        if len(stored) != 1:
            raise ValueError(f"{where}: {PREFIX}{name} is {values[name]} in the code; let one stop "
                             f"in the metadata be that, not only {', '.join(sources)}")  # fmt: skip
        found.append(Knob(name, about["label"], sources, shown, stored[0]))
    return found


@dataclass(frozen=True)
class Turning:
    """What a chapter's page needs to turn its knobs: the knobs, their cell, what runs before it.

    ``evidence`` has, for each comparison that bears on a claim, the claim, the words, the source;
    ``tuned`` the source of the values that are taken as the chapter found them.
    """

    knobs: list[Knob]
    cell: str
    before: str
    evidence: list[list[str]]
    tuned: dict[str, str]


def given(code: str, values: dict[str, str]) -> str:
    """Return code that sets names to values, where it computed them.

    >>> given("rate = best(range(9))\\nprint(rate)", {"rate": "0.1"})
    'rate = 0.1\\nprint(rate)'
    """
    tree = ast.parse(MAGIC.sub(r"\1pass", code))
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if name in values:
                node.value = ast.parse(values[name], mode="eval").body
    return ast.unparse(tree)


def literal(value: Any) -> str:
    """Return the source of numbers, words, or lists, tuples and tables of such.

    >>> literal({"a": (np.float64(0.1), 3)})
    "{'a': (0.1, 3)}"
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    source = repr(value.item() if isinstance(value, np.generic) else value)
    ast.literal_eval(source)  # an error of anything else
    return source


def search(notebook: Path) -> dict[str, str]:
    """Return the values that a chapter searches for before its knobs, found anew."""
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    for k, cell in enumerate(cells):
        if names := cell.metadata.get("tuned"):
            found: dict[str, Any] = {"__name__": "__main__"}
            exec(needed([c.source for c in cells[:k]], "\n".join(names)), found)
            return {name: literal(found[name]) for name in names}
    return {}


def turning(notebook: Path) -> Turning | None:
    """Return a chapter's knobs with their code; None if it has no knob cell."""
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    for k, cell in enumerate(cells):
        if "knob" in cell.metadata.get("tags", ()):
            knobs = read_knobs(cell, notebook.stem)
            evidence = cell.metadata.get("evidence", [])
            # A stop or a piece of evidence may name what only it needs.
            more = [source for knob in knobs for source in knob.sources]
            more += [source for _, _, source in evidence]
            tuned = cell.metadata.get("tuned", {})
            earlier = [given(c.source, tuned) if tuned else c.source for c in cells[:k]]
            before = needed(earlier, "\n".join([cell.source, *more]))
            return Turning(knobs, cell.source, before, evidence, tuned)
    return None


def control(knob: Knob) -> str:
    """Return a knob's control as HTML; it needs the page's script to do anything."""
    at = f'id="live-{knob.name}" name="{knob.name}"'
    label = escape(knob.label)
    if knob.kind == "switch":
        true = knob.sources.index("True")
        checked = " checked" if knob.stored == true else ""
        return f'<label><input type="checkbox" {at} data-true="{true}"{checked}> {label}</label>'
    stops = [escape(text) for text in knob.shown]
    if knob.kind == "slider":
        last, shown = len(stops) - 1, stops[knob.stored]
        return (
            f'<label for="live-{knob.name}">{label}</label>'
            f'<input type="range" {at} min="0" max="{last}" value="{knob.stored}" '
            f'data-stops="{"|".join(stops)}" aria-valuetext="{shown}">'
            f'<output for="live-{knob.name}">{shown}</output>'
        )
    options = "".join(
        f'<option value="{k}"{" selected" if k == knob.stored else ""}>{text}</option>'
        for k, text in enumerate(stops)
    )
    return f'<label for="live-{knob.name}">{label}</label><select {at}>{options}</select>'


def recomputed(one: Turning) -> str:
    """Return what a chapter's knobs recompute, and what not, in words.

    >>> recomputed(Turning([], "", "", [["D1", "", ""], ["S2", "", ""]], {}))
    'They recompute what stands below them, and what it says of claims D1 and S2.'
    """
    claims = sorted({claim for claim, _, _ in one.evidence})
    tuned = " What the chapter tuned before stays as tuned." if one.tuned else ""
    if not claims:
        return f"They recompute what stands below them; the verdict rests on other runs.{tuned}"
    named = f"claim{'s' * (len(claims) > 1)} {' and '.join(claims)}"
    return f"They recompute what stands below them, and what it says of {named}.{tuned}"


def panel(name: str, one: Turning, megabytes: int, saving: int, edition: str) -> str:
    """Return a chapter's panel as HTML, its knobs as they stand in the notebook.

    Python and what the knobs need are so many ``megabytes``; ``saving`` are those of all its cells.
    """
    rows = "".join(f'<div class="live-knob">{control(knob)}</div>' for knob in one.knobs)
    return (
        f'<form class="live" data-live="{name}" data-edition="{edition}" '
        f'autocomplete="off" aria-label="Knobs">{rows}'
        '<div class="live-do"><button type="button" class="book-button" data-do="start">'
        "▶ Turn the knobs here</button>"
        f'<span class="live-cost">Python, {megabytes} MB once, stays on this page</span></div>'
        f'<p class="live-note">{recomputed(one)}</p>'
        '<p class="live-status" role="status"></p>'
        '<p class="live-keep"><button type="button" class="book-button" '
        f'data-keep="{name}.json?e={edition}" data-saving="{saving}" hidden></button> '
        '<span class="live-kept" role="status"></span></p></form>'
    )
