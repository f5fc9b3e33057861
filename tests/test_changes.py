"""After a change the site is as if built anew, and no more of it is made than must be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from book.press import chapters
from book.press import site as extensions
from book.press.site import build, generated, links

ROOT = Path(__file__).parents[1]
CHAPTER = "04_everything_at_once"


@pytest.mark.parametrize(
    "file",
    [
        "book/questions.toml", "book/references.bib", "book/synonyms.toml", "book/robustness.json",
        "book/measured.json", "book/changed_verdicts.toml", "book/_config.yml", "book/_toc.yml",
        "book/_static/book.css", "book/press/site/templates/layout.html",
        "book/press/site/ledger.py", "book/press/course/guide.py", "book/press/chapters.py",
        "companion/predictions.toml", "companion/metrics.py", "requirements.lock",
        "tests/benchmarks/long_haul.csv",
    ],
)  # fmt: skip
def test_what_may_change_any_page_changes_all(file):
    assert (ROOT / file).is_file()
    assert ROOT / file in extensions.shared()


def test_a_chapter_and_a_deck_change_their_own_pages_alone():
    shared = extensions.shared()
    for file in (f"notebooks/{CHAPTER}.ipynb", "book/glossary.md", "book/slides/deck.css"):
        assert (ROOT / file).is_file()
        assert ROOT / file not in shared
        assert ROOT / file in build.sources()


def test_a_term_of_the_glossary_changes_all_pages(monkeypatch):
    before = extensions.about.__wrapped__()["env_version"]
    assert extensions.about.__wrapped__()["env_version"] == before
    monkeypatch.setattr(links, "glossary", lambda: {"one": "one"})
    assert extensions.about.__wrapped__()["env_version"] != before


def test_a_page_is_read_anew_when_its_words_or_a_generated_part_change(tmp_path, monkeypatch):
    pages = {"a": tmp_path / "a.md", "b": tmp_path / "b.md", "c": tmp_path / "c.ipynb"}
    env = types.SimpleNamespace(found_docs=set(pages), doc2path=pages.get)
    app = types.SimpleNamespace(env=env)

    def changed():
        """Read what is to be read anew, b in another process, as Sphinx does."""
        found = sorted(generated.outdated(app, env))
        there = types.SimpleNamespace(env=types.SimpleNamespace(doc2path=pages.get, said={}))
        for page in found if env.said else pages:
            generated.on_source_read(there if page == "b" else app, page, [""])
        generated.merged(app, env, there.env.said.keys(), there.env)
        return found

    pages["a"].write_text("Words.\n\n```{claims-board}\n```\n")
    pages["b"].write_text("Words.\n")
    pages["c"].write_text("{}")
    part = {"claims-board": "one"}
    monkeypatch.setattr(generated, "part", part.get)
    assert changed() == [] and set(env.said) == set(pages)  # all are new: Sphinx knows
    assert changed() == []
    part["claims-board"] = "two"
    assert changed() == ["a"] and changed() == []
    dated = pages["c"].stat().st_mtime
    pages["c"].write_text("[]")
    os.utime(pages["c"], (dated - 100, dated - 100))  # as from an archive
    assert changed() == ["c"]
    pages["b"].write_text("Other words.\n")
    assert changed() == ["b"] and changed() == []
    env.found_docs.remove("b")
    pages["b"].unlink()
    assert changed() == []


@pytest.fixture
def small_site(tmp_path, monkeypatch):
    """Return the folder of a site of one page that is there whole."""
    monkeypatch.setattr(build, "HTML", tmp_path)
    monkeypatch.setattr(build, "DONE", tmp_path / "done.json")
    (tmp_path / "index.html").write_text("page")
    done = {"made_from": "now", "files": {"index.html": 4}}
    build.DONE.write_text(json.dumps(done))
    return tmp_path


def test_a_site_is_up_to_date_while_it_is_whole_and_its_sources_are_the_same(small_site):
    assert build.up_to_date("now")
    assert not build.up_to_date("then")
    (small_site / "index.html").write_text("half")
    assert build.up_to_date("now")  # of the same size
    (small_site / "index.html").write_text("")
    assert not build.up_to_date("now")
    (small_site / "index.html").unlink()
    assert not build.up_to_date("now")


def test_what_a_site_is_made_from_is_told_by_names_and_settings(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "ROOT", tmp_path)
    one, other = tmp_path / "one.md", tmp_path / "other" / "one.md"
    other.parent.mkdir()
    one.write_text("1")
    other.write_text("1")
    monkeypatch.setattr(build, "sources", lambda: [one])
    names = [build.made_from()]
    monkeypatch.setattr(build, "sources", lambda: [other])
    names.append(build.made_from())
    other.write_text("2")
    names.append(build.made_from())
    monkeypatch.setenv("LAB", "0" if os.environ.get("LAB") != "0" else "1")
    names.append(build.made_from())
    assert len(set(names)) == 4


# ------------------------------------------------------------------ the whole book, changed


def run_build(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "book.press.site.build"], capture_output=True, text=True, cwd=folder,
        env={**os.environ, "LAB": "0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def held(folder: Path) -> dict[str, bytes]:
    """Return what a site's files hold; of the search's index not the words that no page has.

    MyST-NB writes its style sheet after the pages: only a later build can add its checksum.
    """
    site = folder / "book" / "_build" / "html"
    files = {
        p.relative_to(site).as_posix(): re.sub(
            rb"(/mystnb\.[0-9a-f]+\.css)\?v=[0-9a-f]+", rb"\1", p.read_bytes()
        )
        for p in site.rglob("*")
        if p.is_file()
    }
    index = json.loads(re.search(rb"\((.*)\)", files["searchindex.js"], re.S)[1])
    for kind in ("terms", "titleterms"):
        index[kind] = {word: pages for word, pages in index[kind].items() if pages != []}
    return files | {"searchindex.js": json.dumps(index).encode()}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the checkout, to be changed."""
    folder = tmp_path / "checkout"
    left = shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, folder, ignore=left)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.slow
def test_a_changed_chapter_is_made_anew_alone_and_the_change_can_be_undone(copy, pytestconfig):
    """A changed sentence in ``make test``; a title and the way back, too, with ``--lab``."""
    run_build(copy)
    assert "up to date" in run_build(copy)
    before = held(copy)
    notebook = copy / "notebooks" / f"{CHAPTER}.ipynb"
    as_it_was = notebook.read_text(encoding="utf-8")
    title = chapters.facts(CHAPTER).title

    edit(notebook, "## Quiz", 'A sentence that was not here.\\n",\n    "\\n",\n    "## Quiz')
    run_build(copy)
    after = held(copy)
    new = changed(before, after)
    assert b"A sentence that was not here." in after[f"notebooks/{CHAPTER}.html"]
    assert b"A sentence that was not here." in after["book/print.html"]
    assert "searchindex.js" in new
    pages = {name for name in new if name.endswith(".html")}
    assert pages <= {f"notebooks/{CHAPTER}.html", f"slides/{CHAPTER}.html", "book/print.html"}
    if not pytestconfig.getoption("--lab"):
        return

    edit(notebook, f"# {title}", "# Another title")
    run_build(copy)
    after = held(copy)
    for page in ("notebooks/21_choosing.html", "book/index.html", "book/glossary.html"):
        assert b"Another title" in after[page] and title.encode() not in after[page], page

    notebook.write_text(as_it_was, encoding="utf-8")
    run_build(copy)
    assert changed(before, held(copy)) == set()
