"""Every term of the glossary is linked where the book uses it first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from book.press.site import links

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
PAGES = [*CHAPTERS, ROOT / "book" / "scaling.md"]  # in the order in which they are read
# Words that are also said in their everyday sense: linked at least once, where a chapter means
# the term, but not wherever the letters come first.
EVERYDAY = {"doubling", "escape", "hindsight", "interval", "key", "log", "prior", "store", "tab",
            "task", "variance", "window"}  # fmt: skip


def paragraphs(path: Path) -> Iterator[str]:
    """Give a page's running text: no headings, claims, aims, formulas, code, quiz or exercises."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells)
        text = re.sub(r"^## Quiz\n.*?(?=^## Summary)", "", text, flags=re.M | re.S)
    for part in re.split(r"\n\s*\n", text):
        if not re.match(r"#|\$\$|\d\. |- \*\*[A-Z]\d|\*\*(Claim|You should|After|Time)", part):
            yield part


def said(term: str) -> re.Pattern[str]:
    """Match a term in a text, also as a plural, and with a hyphen or a blank between its words."""
    words = re.split(r"[ -]", term)
    stem = re.escape(words[-1])
    last = stem[:-1] + "(?:y|ies)" if stem.endswith("y") else stem + "(?:s|es)?"
    return re.compile(
        r"(?<![\w-])" + "[ -]".join([*map(re.escape, words[:-1]), last]) + r"(?![\w-])", re.I
    )


def test_every_term_is_linked_where_it_is_first_used():
    text = [(path, part) for path in PAGES for part in paragraphs(path)]
    wrong = []
    for slug, term in links.glossary().items():
        link = f"glossary.md#{slug})"
        linked = [k for k, (_, part) in enumerate(text) if link in part]
        plain = [
            k for k, (_, part) in enumerate(text)
            if said(term).search(re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|\$[^$]*\$", "", part))
        ]  # fmt: skip
        if linked and (term in EVERYDAY or not plain or linked[0] <= plain[0]):
            continue
        path, part = text[plain[0]] if plain else (Path("no chapter"), "")
        later = f"linked only in {text[linked[0]][0].name}" if linked else "nowhere linked"
        wrong.append(f"{term} ({later}): {path.name} uses it first, in {part[:200]!r}")
    assert not wrong, "\n".join(["", *wrong])


def test_a_links_words_hold_no_marks():
    """A term's link shows its words as they stand: emphasis goes round the link."""
    marked = re.compile(r"\[[*_][^\]]*\]\([^)]*glossary[^)]*\)")
    assert [
        found for path in PAGES for part in paragraphs(path) for found in marked.findall(part)
    ] == []
