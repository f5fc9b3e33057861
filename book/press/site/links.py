"""Plain links to glossary, bibliography and data cards become terms, citations and references.

The notebooks hold plain Markdown only, so that they read well in Jupyter, on GitHub and on Colab.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from typing import Any

import pybtex.plugin
from docutils import nodes
from pybtex.database import parse_file
from pybtex.richtext import Text
from sphinx.application import Sphinx

from book.press.places import BOOK
from book.press.site import about

CITE = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?bibliography\.md#([a-z0-9]+)\)")
CARD = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?data\.md#(data-[a-z0-9-]+)\)")
TERM = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?glossary\.md#([a-z0-9-]+)\)")


def slug(term: str) -> str:
    """Return a glossary term as it stands in a link.

    >>> slug("moving-block bootstrap")
    'moving-block-bootstrap'
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


@functools.cache
def glossary() -> dict[str, str]:
    """Return the glossary's terms by their slugs."""
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    block = text.split("```{glossary}")[1].split("```")[0]
    terms = [line for line in block.splitlines() if line and not line[0].isspace()]
    return {slug(term): term for term in terms}


@functools.cache
def authors() -> dict[str, set[str]]:
    """Return the last names of each work's authors, without accents."""
    works = parse_file(BOOK / "references.bib").entries
    return {
        key: {
            unaccented(str(Text.from_latex(name)))
            for person in [*work.persons.get("author", []), *work.persons.get("editor", [])]
            for name in person.last_names
        }
        for key, work in works.items()
    }


def citation(match: re.Match) -> str:
    """Turn a link to a work into a citation; words that are no author's name stay before it."""
    words, key = match[1], match[2]
    plain = unaccented(words)
    named = key not in authors() or any(name in plain for name in authors()[key])
    return f"{{cite:t}}`{key}`" if named else f"{words} {{cite:p}}`{key}`"


def unaccented(text: str) -> str:
    """Return text without accents.

    >>> unaccented("Žliobaitė")
    'Zliobaite'
    """
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def upgrade_links(text: str) -> str:
    """Turn plain links to bibliography, data cards and glossary into citations, references, terms.

    >>> upgrade_links("[Gama](../book/bibliography.md#gama2014survey)")
    '{cite:t}`gama2014survey`'
    >>> upgrade_links("a [stream](../book/glossary.md#stream)")
    'a {term}`stream <stream>`'
    """
    text = CARD.sub(r"{ref}`\1 <\2>`", CITE.sub(citation, text))
    return TERM.sub(lambda m: f"{{term}}`{m[1]} <{glossary().get(m[2], m[2])}>`", text)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Upgrade the links of a page, or of a notebook's Markdown cells, before it is parsed."""
    if not docname.startswith("notebooks/"):
        source[0] = upgrade_links(source[0])
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = upgrade_links("".join(cell["source"]))
    source[0] = json.dumps(notebook)


def add_anchors(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give each work and each term an anchor by which plain links find it: its key, its slug."""
    if page == "book/bibliography":
        keys = {one.citation_id: one.key for one in app.env.get_domain("cite").citations}
        for node in doctree.findall(nodes.citation):
            node["ids"] += [keys[name] for name in node["ids"] if name in keys]
    if page == "book/glossary":
        for node in doctree.findall(nodes.term):
            if (name := slug(node.astext())) not in node["ids"]:
                node["ids"].append(name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # Each citation asks all installed packages for the same style.
    pybtex.plugin.find_plugin = functools.cache(pybtex.plugin.find_plugin)
    app.connect("source-read", on_source_read)
    app.connect("doctree-resolved", add_anchors)
    return about()
