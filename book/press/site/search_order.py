"""Search finds chapters first, mends misspelt words, and knows what else a thing is called.

Pagefind was looked at: it mends no misspelling, and its WebAssembly would need a wider page policy.
"""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

from book.press import chapters
from book.press.markdown import plain_text
from book.press.places import BOOK, BUILD
from book.press.site import about

SCRIPT = Path(__file__).with_suffix(".js")
SCORER = BUILD / "scorer.js"
USUAL = 4  # times that a word stands in the chapters, and must be known


def key_terms() -> dict[str, list[tuple[str, int]]]:
    """Return each chapter's key terms, headings and title, and in how many chapters before."""
    found: dict[str, list[tuple[str, int]]] = {}
    seen: dict[str, int] = {}
    for chapter in chapters.in_order():
        text = chapters.markdown_of(chapter.name)
        line = re.search(r"\*\*Key terms:\*\* (.*)", text)[1]
        terms = re.findall(r"\[([^\]]+)\]", line)
        headings = re.findall(r"^##+ (.*)$", text.split("## Quiz")[0], re.M)
        for term in [*terms, chapter.title, *map(plain_text, headings)]:
            seen[term] = seen.get(term, 0) + 1
            found.setdefault(f"notebooks/{chapter.name}", []).append((term, seen[term]))
    return found


def spellings() -> list[str]:
    """Return the words towards which a misspelt one is mended, those of most headings first,
    then those that the chapters use often.
    """
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    texts = [term for terms in key_terms().values() for term, _ in terms]
    texts += [*re.findall(r"^\S.*$", text, re.M), *synonyms(), *synonyms().values()]
    counted = Counter(word for one in texts for word in re.findall(r"[a-z]{4,}", one.lower()))
    told = " ".join(plain_text(chapters.markdown_of(one.name)) for one in chapters.in_order())
    usual = Counter(re.findall(r"[a-z]{4,}", told.lower()))
    known = [word for word, _ in counted.most_common()]
    return known + [word for word, n in usual.most_common() if n >= USUAL and word not in counted]


def synonyms() -> dict[str, str]:
    """Return what readers may type, and the book's words for it."""
    return tomllib.loads((BOOK / "synonyms.toml").read_text(encoding="utf-8"))


def write_scorer() -> Path:
    """Write the script that ranks search results; return its path."""
    SCORER.parent.mkdir(parents=True, exist_ok=True)
    text = SCRIPT.read_text(encoding="utf-8")
    for name, data in (("TERMS", key_terms()), ("WORDS", spellings()), ("SYNONYMS", synonyms())):
        text = text.replace(name, json.dumps(data))
    if not SCORER.exists() or SCORER.read_text(encoding="utf-8") != text:
        SCORER.write_text(text, encoding="utf-8")
    return SCORER


def on_config(app: Sphinx, config: Any) -> None:
    """Let the page of results rank by the script; find each word's stem once, not once a page."""
    config.html_search_scorer = str(write_scorer())
    SearchEnglish.stem = functools.cache(SearchEnglish.stem)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", on_config, priority=100)
    return about()
