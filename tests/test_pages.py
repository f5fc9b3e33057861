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


def test_folded_solutions_say_so():
    cell = {"cell_type": "code", "metadata": {"tags": ["solution"]}, "source": "", "outputs": []}
    done = json.loads(book_site.upgrade_notebook(json.dumps({"cells": [cell]})))
    assert done["cells"][0]["metadata"]["mystnb"]["code_prompt_show"] == "Show the solution"


def test_ledger_shows_a_verdict_or_says_that_there_is_none(monkeypatch):
    record = {
        "claim": "B2", "outcome": "only when rows are few", "would_change": "More rows.",
        "evidence": ["batch minus row by row: 2.0 s (1.0 to 3.0), speaks for the claim"],
    }  # fmt: skip
    found = {"B2": [(Path("notebooks/04_batch.ipynb"), record)]}
    monkeypatch.setattr(book_site, "verdicts", lambda: found)
    text = book_site.ledger()
    assert "**1 of 21** claims tested, **1** verdicts: 1 supported only under" in text
    assert text.count("[Not yet tested]") == 20
    assert "[Only when rows are few]{.outcome .outcome-only}" in text
    assert "2.0 s (1.0 to 3.0)" in text and "04_batch.ipynb" in text
    assert text.index("| **") < text.index("## The evidence")


def test_pictures_get_their_size(tmp_path):
    from companion import plots

    fig, _ = plots.figure("t", x="", y="")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "a.png").write_bytes(plots.image(fig))
    html = book_site.sized(
        '<img alt="a" src="a.png" /><img alt="b" src="gone.png" />', folder / "x"
    )
    assert re.match(r'<img width="\d+" height="\d+" loading="lazy" alt="a"', html)
    assert html.endswith('<img alt="b" src="gone.png" />')
    assert book_site.sized(html, folder / "x") == html


def test_formulas_become_mathml():
    from types import SimpleNamespace

    from docutils import nodes

    for visit, node in (
        (book_site.visit_math, nodes.math("", r"\hat{y}_t")),
        (book_site.visit_math_block, nodes.math_block("", r"\frac{1}{n}")),
    ):
        writer = SimpleNamespace(body=[])
        try:
            visit(writer, node)
        except nodes.SkipNode:
            pass
        assert "<math" in writer.body[0] and "\\" not in writer.body[0]


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


def test_cards_show_every_chapter_with_its_claims_and_minutes():
    import pages

    text = pages.chapter_cards()
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        assert f"../notebooks/{path.stem}.html" in text, f"{path.stem} is not in book/_toc.yml"
    assert [one.number for one in pages.chapters()] == list(range(1, len(pages.chapters()) + 1))
    assert all(20 < one.minutes < 90 and one.hook for one in pages.chapters())


def test_board_words_each_verdict():
    import pages

    found = {"B2": [(Path("x.ipynb"), {"outcome": "only when rows are few; then it pays"})]}
    text = pages.claims_board(found)
    assert text.count("<li>") == 21 and text.count("board-open") == 20
    assert "Only when rows are few</span>" in text and "claims.html#claim-b2" in text


def test_every_figure_has_its_finding_and_place(site):
    import pages

    html = (site / "book" / "figures.html").read_text(encoding="utf-8")
    for one in pages.chapters():
        chapter = (site / "notebooks" / f"{one.name}.html").read_text(encoding="utf-8")
        found = list(pages.figures(one.name))
        assert len(found) >= 4, one.name
        for place, title, alt, _ in found:
            assert title and alt, one.name
            assert not place or f'id="{place}"' in chapter, (one.name, place)
        assert html.count(f"../notebooks/{one.name}.html") >= len(found)


def test_the_cover_is_drawn_from_the_data_and_described():
    import cover

    html = cover.html()
    assert html.count("<svg") == 2 and html.count(f'aria-label="{cover.ALT}"') == 2
    rides, predictions = cover.lines()
    miss = {name: abs(line - rides[cover.WARMUP :]).mean() for name, line in predictions.items()}
    assert miss["online"] < miss["frozen"]  # what the description says
