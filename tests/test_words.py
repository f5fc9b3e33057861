"""The book's words are counted as they are read: prose, and nothing else."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from book.press import chapters
from book.press.checks import words


def test_only_prose_is_counted(tmp_path):
    path = tmp_path / "a.ipynb"
    text = "## Two words\n\n[A link](https://a.b/c) of *three*: $x$\n\n<b>bold</b>"
    text += "\n\n```python\nno = 1\n```\n"
    aside = "```{admonition} Its title\n:class: tip\nIts own text\n```\n$$\ny = x\n$$"
    cells = [new_markdown_cell(text), new_code_cell("not = 'counted'"), new_markdown_cell(aside)]
    nbformat.write(new_notebook(cells=cells), path)
    assert words.of_page(path) == len("Two words A link of three x bold Its own text".split())


def test_every_page_stands_in_the_list_and_the_sum_is_theirs(capsys):
    words.main()
    counts = {}
    for line in capsys.readouterr().out.splitlines():
        count, name = line.split(maxsplit=1)
        counts[name] = int(count.replace(",", ""))
    assert list(counts) == [*chapters.pages(), "the chapters", "all pages"]
    names = [f"notebooks/{chapter.name}" for chapter in chapters.in_order()]
    assert counts["the chapters"] == sum(counts[name] for name in names)
    assert counts["all pages"] == sum(counts[page] for page in chapters.pages())
