"""The site's extension: links upgraded, alt text moved, maths as MathML, pages generated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from book.press import chapters
from book.press.site import cover, figures, landing, ledger, links, mathml, outputs
from book.press.upkeep import stories

ROOT = Path(__file__).parents[1]


def test_links_become_citations_and_terms():
    text = (
        "see [Gama](../book/bibliography.md#gama2014survey) on [drift](glossary.md#concept-drift)"
    )
    wanted = "see {cite:t}`gama2014survey` on {term}`drift <concept drift>`"
    assert links.upgrade_links(text) == wanted


def test_hyphenated_terms_are_found():
    link = "[x](../book/glossary.md#moving-block-bootstrap)"
    assert links.upgrade_links(link) == "{term}`x <moving-block bootstrap>`"


def test_alt_text_moves_to_where_the_site_wants_it():
    output = {"data": {"image/png": ""}, "metadata": {"image/png": {"alt": "a line"}}}
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [output]}
    done = json.loads(outputs.upgrade_outputs(json.dumps({"cells": [cell]})))
    assert done["cells"][0]["metadata"]["mystnb"]["image"]["alt"] == "a line"


def test_folded_solutions_say_so():
    cell = {"cell_type": "code", "metadata": {"tags": ["solution"]}, "source": "", "outputs": []}
    done = json.loads(outputs.upgrade_outputs(json.dumps({"cells": [cell]})))
    assert done["cells"][0]["metadata"]["mystnb"]["code_prompt_show"] == "Show the solution"


@pytest.mark.parametrize(
    "lines, tags, folded", [(15, [], False), (16, [], True), (16, ["hide-cell"], False)]
)
def test_long_code_is_folded_under_a_line_that_says_what_it_does(lines, tags, folded):
    source = "\n".join(["rate = 1"] * lines)
    cell = {"cell_type": "code", "metadata": {"tags": tags}, "source": source, "outputs": []}
    (done,) = json.loads(outputs.upgrade_outputs(json.dumps({"cells": [cell]})))["cells"]
    assert ("hide-input" in done["metadata"]["tags"]) == folded
    said = done["metadata"]["mystnb"].get("code_prompt_show", "")
    assert said == (f"Show the code, {lines} lines: rate" if folded else "")


def test_ledger_shows_a_verdict_or_says_that_there_is_none(monkeypatch):
    record = {
        "claim": "B2", "outcome": "only when rows are few", "would_change": "More rows.",
        "heard": ["unclear"],
        "evidence": [
            {"what": "batch minus row by row", "value": 2.0, "low": 1.0, "high": 3.0, "unit": "s"}
        ],
    }  # fmt: skip
    found = {"B2": [(Path("notebooks/04_batch.ipynb"), record)]}
    monkeypatch.setattr(chapters, "verdicts", lambda: found)
    text = ledger.claims_ledger()
    assert "**1 of 21** claims tested, **1** verdicts: 1 supported only under" in text
    assert text.count('<span class="outcome outcome-open">Not yet tested</span>') == 20
    assert text.count('<span class="outcome outcome-only">Only when rows are few</span>') == 1
    assert "[Only when rows are few]{.outcome .outcome-only}" in text
    assert "0 for, 1 unclear, 0 against" in text and 'class="speaks-unclear"' in text
    assert text.count('<li data-part="') == 21 and 'data-verdict="only"' in text
    assert "2.00 s (1.00 to 3.00), speaks for the claim, but not among so many" in text
    assert text.index('<ol class="ledger">') < text.index("## The evidence")
    assert "04_batch.ipynb" in text


def test_pictures_get_their_size_and_a_narrow_version(tmp_path, monkeypatch):
    from book.press import places
    from companion import plots

    monkeypatch.setattr(places, "PHONE", tmp_path / "kept")
    fig, _ = plots.figure("t", x="", y="")
    (tmp_path / "a.png").write_bytes(plots.image(fig))
    pictures = {"a.png": tmp_path / "a.png"}
    text = '<img alt="a" src="i/a.png" /><img alt="b" src="i/gone.png" />'
    size = r'width="\d+" height="\d+"'
    html = figures.sized(text, pictures, tmp_path)
    link = r'<a class="figure-link figure-scrolls" href="i/a.png">'
    assert re.match(rf'{link}<img {size} loading="lazy" alt="a"', html)
    assert html.endswith('<img alt="b" src="i/gone.png" />')
    assert figures.sized(html, pictures, tmp_path) == html
    kept = places.phone_picture((tmp_path / "a.png").read_bytes())
    kept.parent.mkdir()
    kept.write_bytes(plots.image(fig, "webp"))
    html = figures.sized(text, pictures, tmp_path)
    source = rf'<source media="[^"]+" srcset="i/phone/{kept.name}" {size}>'
    assert re.match(rf'<a class="figure-link" href="i/a.png"><picture>{source}<img {size}', html)
    assert (tmp_path / "phone" / kept.name).read_bytes() == kept.read_bytes()


@pytest.mark.parametrize(("head", "wide"), [("an incomprehensibility", True), ("a", False)])
def test_a_table_too_wide_for_a_phone_names_each_cell(head, wide):
    from docutils import nodes
    from docutils.core import publish_doctree

    from book.press.site.stacked import Stack

    rows = "".join(f"   * - {cell}\n     - {cell}\n     - {cell}\n" for cell in (head, "12"))
    tree = publish_doctree(f".. list-table::\n   :header-rows: 1\n\n{rows}")
    Stack(tree).run()
    (table,) = tree.findall(nodes.table)
    assert ("stacked" in table["classes"]) == wide
    cells = [entry.astext() for entry in table.findall(nodes.entry)][3:]
    assert cells == [f"{head}: 12" if wide else "12"] * 3


def test_formulas_become_mathml():
    from types import SimpleNamespace

    from docutils import nodes

    for visit, node in (
        (mathml.visit_math, nodes.math("", r"\hat{y}_t")),
        (mathml.visit_math_block, nodes.math_block("", r"\frac{1}{n}")),
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
        for match in links.CITE.finditer(text):
            used.add(match[2])
        for match in links.TERM.finditer(text):
            assert match[2] in links.glossary(), (path.name, match[2])
    assert used <= keys
    assert keys == used, f"in the bibliography but never cited: {keys - used}"


def test_formulas_are_mathml_and_no_script_is_needed(site):
    text = (site / "book" / "notation.html").read_text()
    assert text.count("<math") > 8
    assert not re.search("<script[^>]*mathjax", text, re.I)


def test_cards_show_every_chapter_with_its_claims_and_minutes():
    text = landing.chapter_cards()
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        assert f"../notebooks/{path.stem}.html" in text, f"{path.stem} is not in book/_toc.yml"
    assert [one.number for one in chapters.in_order()] == list(
        range(1, len(chapters.in_order()) + 1)
    )
    assert all(20 < one.minutes < 90 and one.hook for one in chapters.in_order())


def test_board_words_each_verdict(monkeypatch):
    found = {"B2": [(Path("x.ipynb"), {"outcome": "only when rows are few; then it pays"})]}
    monkeypatch.setattr(chapters, "verdicts", lambda: found)
    text = landing.claims_board()
    assert text.count("<li>") == 21 and text.count("board-open") == 20
    assert "Only when rows are few</span>" in text and "claims.html#claim-b2" in text


def test_every_figure_has_its_finding_and_place(site):
    html = (site / "book" / "figures.html").read_text(encoding="utf-8")
    for one in chapters.in_order():
        chapter = (site / "notebooks" / f"{one.name}.html").read_text(encoding="utf-8")
        found = list(chapters.figures(one.name))
        assert len(found) >= 4, one.name
        for place, title, alt, _ in found:
            assert title and alt, one.name
            assert not place or f'id="{place}"' in chapter, (one.name, place)
        assert html.count(f"../notebooks/{one.name}.html") >= len(found)


def test_the_cover_is_drawn_from_the_data_and_described():
    html = cover.book_cover()
    assert html.count("<svg") == 2 and html.count(f'aria-label="{cover.ALT}"') == 2
    rides, predictions = cover.lines()
    miss = {name: abs(line - rides[cover.WARMUP :]).mean() for name, line in predictions.items()}
    assert miss["online"] < miss["frozen"]  # what the description says


@pytest.mark.parametrize("name", stories.ordered())
def test_a_streams_story_is_what_its_strategies_do_now(name):
    recorded = json.loads(stories.RECORD.read_text(encoding="utf-8"))
    assert [row["name"] for row in recorded] == stories.ordered()
    assert next(row for row in recorded if row["name"] == name) == stories.story(name)
