"""The site's extension: links upgraded, alt text moved, maths as MathML, pages generated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import book_site

ROOT = Path(__file__).parents[1]


def test_links_become_citations_and_terms():
    text = (
        "see [Gama](../book/bibliography.md#gama2014survey) on [drift](glossary.md#concept-drift)"
    )
    wanted = "see {cite:t}`gama2014survey` on {term}`drift <concept drift>`"
    assert book_site.upgrade_links(text) == wanted


def test_hyphenated_terms_are_found():
    link = "[x](../book/glossary.md#moving-block-bootstrap)"
    assert book_site.upgrade_links(link) == "{term}`x <moving-block bootstrap>`"


def test_alt_text_moves_to_where_the_site_wants_it():
    output = {"data": {"image/png": ""}, "metadata": {"image/png": {"alt": "a line"}}}
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [output]}
    done = json.loads(book_site.upgrade_notebook(json.dumps({"cells": [cell]})))
    assert done["cells"][0]["metadata"]["mystnb"]["image"]["alt"] == "a line"


def test_plain_notebooks_hold_no_directives():
    """They must read well on GitHub and Colab, which know no MyST."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                assert not re.search(r"^(```|:::)\{|\{[a-z:]+\}`", source, re.M), path.name


def test_every_glossary_link_and_citation_exists():
    bib = (ROOT / "book" / "references.bib").read_text()
    keys = set(re.findall(r"^@\w+\{([a-z0-9]+),", bib, re.M))
    used: set[str] = set()
    for path in [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]:
        text = path.read_text()
        for match in book_site.CITE.finditer(text):
            used.add(match[2])
        for match in book_site.TERM.finditer(text):
            assert match[2] in book_site.glossary(), (path.name, match[2])
    assert used <= keys
    assert keys == used, f"in the bibliography but never cited: {keys - used}"


def test_formulas_are_mathml_and_no_script_is_needed(site):
    text = (site / "book" / "notation.html").read_text()
    assert text.count("<math") > 8
    assert not re.search("<script[^>]*mathjax", text, re.I)
