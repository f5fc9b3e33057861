"""A notebook's stored outputs as the site wants them: described figures, named folds."""

from __future__ import annotations

import json
import re
from typing import Any

from sphinx.application import Sphinx

from book.press.site import about


def singular(html: str) -> str:
    """Return labels in which one is one: "1 days" becomes "1 day".

    >>> singular('["0 days seen", "1 days seen", "21 days seen"]')
    '["0 days seen", "1 day seen", "21 days seen"]'
    """
    return re.sub(r"(?<![\d.,])1 (day|row|week|month|year)s\b", r"1 \1", html)


def upgrade_outputs(text: str) -> str:
    """Move a notebook's alt texts to where MyST-NB looks, and say what its folded cells hold."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            continue
        extra = cell["metadata"].setdefault("mystnb", {})
        if "solution" in cell["metadata"].get("tags", []):
            extra |= {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide it"}
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                extra["image"] = {"alt": alt}
            if "text/html" in output.get("data", {}):
                html = "".join(output["data"]["text/html"])
                # pandas leaves the corner of a table a heading without words
                output["data"]["text/html"] = singular(html.replace("<th></th>", "<td></td>"))
    return json.dumps(notebook)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Upgrade each notebook before it is parsed."""
    if docname.startswith("notebooks/"):
        source[0] = upgrade_outputs(source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("source-read", on_source_read)
    return about()
