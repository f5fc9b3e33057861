"""Formulas as MathML, which browsers draw without a script."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from book.press.site import about


def visit_math(self: Any, node: nodes.math) -> None:
    """Write inline maths."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, which scrolls where it is too wide, by keyboard too."""
    formula = convert(node.astext(), display="block")
    self.body.append(f'<div class="math-block" tabindex="0">{formula}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return about()
