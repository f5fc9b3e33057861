"""Search finds chapters first: a chapter's key terms count more than a word somewhere on a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pages

ROOT = Path(__file__).parents[2]
SCORER = ROOT / "book" / "_build" / "scorer.js"

# Sphinx calls score() with each result; the numbers it gives by itself are 5 to 15.
SCRIPT = """var Scorer = ((keyTerms) => {
  const words = (text) => text.toLowerCase().split(/[^a-z0-9]+/).filter((word) => word.length > 2);
  const asked = words(new URLSearchParams(location.search).get("q") || "");
  const bonus = ([term, rank]) => {
    const known = words(term);
    const both = known.filter((word) => asked.includes(word)).length;
    return (20 * both) / Math.max(known.length, asked.length, 1) / rank;
  };
  return {
    score: ([page, title, anchor, about, score]) => {
      const terms = keyTerms[page];
      if (!terms) return page.startsWith("book/") ? score / 10 : score;
      return score + 10 + Math.max(...terms.map(bonus));
    },
    objNameMatch: 11, objPartialMatch: 6, objPrio: {0: 15, 1: 5, 2: -5}, objPrioDefault: 0,
    title: 15, partialTitle: 7, term: 5, partialTerm: 2,
  };
})(TERMS);
"""


def key_terms() -> dict[str, list[tuple[str, int]]]:
    """Return each chapter's key terms, headings and title, and in how many chapters before."""
    found: dict[str, list[tuple[str, int]]] = {}
    seen: dict[str, int] = {}
    for one in pages.chapters():
        text = pages.markdown_of(one.name)
        line = re.search(r"\*\*Key terms:\*\* (.*)", text)[1]
        terms = re.findall(r"\[([^\]]+)\]", line)
        headings = re.findall(r"^##+ (.*)$", text.split("## Quiz")[0], re.M)
        for term in [*terms, one.title, *map(pages.plain_text, headings)]:
            seen[term] = seen.get(term, 0) + 1
            found.setdefault(f"notebooks/{one.name}", []).append((term, seen[term]))
    return found


def write_scorer() -> Path:
    """Write the script that ranks search results; return its path."""
    SCORER.parent.mkdir(parents=True, exist_ok=True)
    text = SCRIPT.replace("TERMS", json.dumps(key_terms()))
    if not SCORER.exists() or SCORER.read_text(encoding="utf-8") != text:
        SCORER.write_text(text, encoding="utf-8")
    return SCORER
