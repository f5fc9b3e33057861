"""A notebook's stored outputs as the site wants them: described figures, named folds."""

from __future__ import annotations

import ast
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


def valid(html: str) -> str:
    """Return an output's HTML without what a page may not hold where it stands.

    pandas leaves a table's corner a heading without words, and a style sheet before it; a moving
    figure has a caption, so it needs no role, and its script stands after it. A strategy's name
    may break between its words.

    >>> valid('<style scoped>td {}</style><table><th></th></table>')
    '<table><td></td></table>'
    >>> valid('<th scope="row">ChampionChallenger</th>')
    '<th scope="row">Champion<wbr>Challenger</th>'
    >>> valid('<figure class="companion-frames" role="group"><script>go()</script></figure>')
    '<figure class="companion-frames"></figure><script>go()</script>'
    """
    html = re.sub(r"<style scoped>.*?</style>\s*", "", html, flags=re.S)
    if 'class="companion-frames"' in html:
        html = html.replace(' role="group"', "", 1)
        html = re.sub(r"(<script>.*?</script>)</figure>", r"</figure>\1", html, flags=re.S)
    html = re.sub(r"(<th scope=\"row\">\w*?[a-z])(?=[A-Z]\w*</th>)", r"\1<wbr>", html)
    return html.replace("<th></th>", "<td></td>")


LONG = 15  # lines; longer code is folded
DRAWN = {"fig", "ax", "axes", "_"}


def gist(source: str) -> str:
    """Say in a line what code does: as its first function says, else by the names it makes.

    >>> gist("def ben():\\n    'A line that learns row by row.'\\n\\nprint(ben())")
    'A line that learns row by row'
    >>> gist("def nth(k):\\n    'Every ``k`` rows.'")
    'Every k rows'
    >>> gist("rate, (low, high) = 1, (0, 2)\\nfig, ax = plots.figure()")
    'rate, low, high'
    """
    body = ast.parse(source).body
    made = [part for part in body if isinstance(part, ast.FunctionDef | ast.ClassDef)]
    for said in filter(None, map(ast.get_docstring, made)):
        return said.splitlines()[0].rstrip(".").replace("`", "")
    sets = [name.id for part in body if isinstance(part, ast.Assign)
            for target in part.targets for name in ast.walk(target)
            if isinstance(name, ast.Name) and name.id not in DRAWN]  # fmt: skip
    names = list(dict.fromkeys([part.name for part in made] or sets))
    if "claims.verdict(" in source:
        return "the evidence for the verdict"
    if not names:
        return "what the chapter needs" if "import " in source else "what is shown below"
    return ", ".join(names[:4]) + (" …" if len(names) > 4 else "")


def fold_long(cell: dict[str, Any]) -> None:
    """Fold a cell of long code under a line that says how long it is, and what it does."""
    source = "".join(cell["source"]).strip()
    tags = cell["metadata"].setdefault("tags", [])
    lines = len(source.splitlines())
    if lines <= LONG or {"hide-input", "hide-cell"} & set(tags):
        return
    tags += ["hide-input", "long"]
    cell["metadata"]["mystnb"]["code_prompt_show"] = f"Show the code, {lines} lines: {gist(source)}"


def upgrade_outputs(text: str) -> str:
    """Move a notebook's alt texts to where MyST-NB looks, and say what its folded cells hold."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            continue
        extra = cell["metadata"].setdefault("mystnb", {})
        if "solution" in cell["metadata"].get("tags", []):
            extra |= {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide it"}
        fold_long(cell)
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                extra["image"] = {"alt": alt}
            if "text/html" in output.get("data", {}):
                html = "".join(output["data"]["text/html"])
                output["data"]["text/html"] = singular(valid(html))
    return json.dumps(notebook)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Upgrade each notebook before it is parsed."""
    if docname.startswith("notebooks/"):
        source[0] = upgrade_outputs(source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("source-read", on_source_read)
    return about()
