"""Pages and files from templates, which lie in folders beside the code that fills them."""

from __future__ import annotations

from html import escape

import jinja2

from book.press.files import PRESS
from book.press.markdown import line_html

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(PRESS), undefined=jinja2.StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
)  # fmt: skip
TEMPLATES.filters |= {"escape": escape, "e": escape, "line": line_html}


def fill(template: str, **values: object) -> str:
    """Return a template with its values; what is not HTML already it passes through ``e``."""
    return TEMPLATES.get_template(template).render(values)
