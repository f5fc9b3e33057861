"""What must run before a cell: the earlier statements that it needs, and no others.

A chapter's figures and long comparisons stand before its knob cell; most of them it does not need.
The page's worker has a copy of this file: it needs Python alone.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MAGIC = re.compile(r"^(\s*)%.*$", re.M)
DEFINITE = (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@dataclass
class Statement:
    """A statement at the top of a cell, and the global names that it has to do with."""

    code: str
    binds: set[str]
    changes: set[str]  # what it may change in place
    uses: set[str]  # before it binds them itself
    uses_later: set[str]  # used in a function's body, when that is called
    definite: bool


def root(node: ast.expr) -> str | None:
    """Return the name that an expression such as ``name.more[0]`` begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def changed(statement: ast.stmt) -> Iterator[str | None]:
    """Yield the names whose objects a statement may change: by storing into them, or by a call."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return
    for node in ast.walk(statement):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            yield root(node)
        elif isinstance(node, ast.AugAssign):
            yield root(node.target)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield root(node.value) if isinstance(node.value.func, ast.Attribute) else None


COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")


def inner_names(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the global names that the functions and classes of a scope use."""
    for child in table.get_children():
        # A comprehension at the top runs at once: ``asked_for`` looks into it.
        if table.get_type() != "module" or child.get_name() not in COMPREHENSIONS:
            yield from (s.get_name() for s in child.get_symbols() if s.is_global())
        yield from inner_names(child)


def asked_for(node: ast.AST, bound: set[str]) -> Iterator[str]:
    """Yield the names that a statement uses before it has bound them itself; add to ``bound``."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            if name not in bound:
                yield name
        case ast.Name(id=name):
            bound.add(name)
        case ast.Assign(targets=targets, value=value):
            for child in (value, *targets):
                yield from asked_for(child, bound)
        case ast.For(target=target, iter=source, body=body, orelse=otherwise):
            for child in (source, target, *body, *otherwise):
                yield from asked_for(child, bound)
        case ast.If(test=test, body=body, orelse=otherwise):
            yield from asked_for(test, bound)
            for branch in (body, otherwise):
                inside = set(bound)
                for child in branch:
                    yield from asked_for(child, inside)
        case ast.AugAssign(target=target, value=value):
            yield from (name for name in [root(target)] if name not in bound)
            yield from asked_for(value, bound)
        case ast.FunctionDef() | ast.ClassDef() | ast.Lambda():
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr) and not isinstance(node, ast.Lambda):
                    yield from asked_for(child, bound)  # decorators and bases
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = set(bound)
            for loop in node.generators:
                for child in (loop.iter, loop.target, *loop.ifs):
                    yield from asked_for(child, own)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from asked_for(child, own)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from asked_for(child, bound)


def read(code: str) -> Statement:
    """Return a statement with its names."""
    node = ast.parse(code).body[0]
    table = symtable.symtable(code, "cell", "exec")
    return Statement(
        code,
        {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()},
        {name for name in changed(node) if name},
        {name for name in asked_for(node, set()) if name},
        set(inner_names(table)),
        isinstance(node, DEFINITE),
    )


def statements(code: str) -> list[Statement]:
    """Return a cell's statements; one that imports several names is taken apart.

    >>> [one.code for one in statements("from companion import claims, plots")]
    ['from companion import claims', 'from companion import plots']
    """
    code = MAGIC.sub(r"\1pass", code)
    found = []
    for node in ast.parse(code).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in node.names:
                alone = ast.parse(ast.unparse(node)).body[0]
                alone.names = [name]
                found.append(read(ast.unparse(alone)))
        else:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            found.append(read("\n".join(code.splitlines()[first - 1 : node.end_lineno])))
    return found


def needed(earlier: list[str], cell: str, whole: Collection[int] = ()) -> str:
    """Return the statements of earlier cells that a cell needs, in their order.

    Cells whose numbers are in ``whole`` count with all that they do: what a reader has written may
    change a name in ways that its code does not show.

    >>> print(needed(["import a, b", "x = a.f()\\ny = b.g()", "x.append(1)", "print(y)"], "x"))
    import a
    x = a.f()
    x.append(1)
    >>> print(needed(["from math import *", "y = 2"], "sqrt(4)", whole={0}))
    from math import *
    """
    parts = [statements(code) for code in earlier]
    before = [one for part in parts for one in part]
    own = statements(cell)
    every, end = before + own, len(before) + len(own)
    kept: set[int] = set()
    asked: set[tuple[str, int]] = set()
    waiting = []

    def keep(k: int) -> None:
        if k not in kept:
            one = every[k]
            kept.add(k)
            waiting.extend((name, k) for name in one.uses | one.uses_later | one.changes)
            waiting.extend((name, end) for name in one.uses_later)

    for k, of_whole in enumerate([n in whole for n, part in enumerate(parts) for _ in part]):
        if of_whole:
            keep(k)
    for k in range(len(before), end):
        keep(k)
    while waiting:
        name, until = waiting.pop()
        if (name, until) in asked:
            continue
        asked.add((name, until))
        for k in reversed(range(until)):
            if name in every[k].binds | every[k].changes:
                keep(k)
            if name in every[k].binds and every[k].definite:
                break
    return "\n".join(every[k].code for k in sorted(kept) if k < len(before))
