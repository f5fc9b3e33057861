"""The claims ledger: every claim with its verdicts as a card, and the evidence behind them."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from book.press import chapters
from book.press.chapters import Verdicts
from book.press.markdown import raw_html
from book.press.places import BOOK
from book.press.render import fill
from book.press.site.conditions import whose
from book.press.site.other_worlds import KINDS, other_worlds
from companion import claims, streams

CHANGED = BOOK / "changed_verdicts.toml"
Records = list[tuple[Path, dict[str, Any]]]
LINE = 9  # pixels that one comparison is high in a card's figure
HALF = 90  # pixels from zero to either side


def listed(items: list[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["12", "15", "16"])
    '12, 15 and 16'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def badge(outcome: str) -> str:
    """Return an outcome in words, styled by its kind.

    >>> badge("only when labels come fast")
    '[Only when labels come fast]{.outcome .outcome-only}'
    """
    return f"[{outcome.capitalize()}]{{.outcome .outcome-{kind(outcome)}}}"


def kind(outcome: str) -> str:
    """Return an outcome's kind: "supported", "only" or "not".

    >>> kind("only when labels come fast")
    'only'
    """
    return outcome.split()[0]


def standing(records: Records) -> str:
    """Return how a claim stands over all its chapters: on every page in the same words.

    >>> standing([(Path("01_a.ipynb"), {"outcome": "supported"}),
    ...           (Path("07_b.ipynb"), {"outcome": "only when wet"}),
    ...           (Path("19_c.ipynb"), {"outcome": "only when dry"})])
    'supported in chapter 1, only under a condition in chapters 7 and 19'
    """
    by_kind: dict[str, list[str]] = {}
    for notebook, record in records:
        by_kind.setdefault(kind(record["outcome"]), []).append(str(int(notebook.name[:2])))
    return ", ".join(
        f"{KINDS[name]} in chapter{'s' * (len(numbers) > 1)} {listed(numbers)}"
        for name, numbers in by_kind.items()
    )


def overall(records: Records) -> str:
    """Return the kind of a claim over all its chapters; "only" where they are divided.

    >>> overall([(Path("01_a.ipynb"), {"outcome": "supported"}),
    ...          (Path("07_b.ipynb"), {"outcome": "only when wet"})])
    'only'
    """
    kinds = {kind(record["outcome"]) for _, record in records}
    return kinds.pop() if len(kinds) == 1 else "only"


def with_standing(html: str, chapter: str) -> str:
    """Say below each verdict of a page whose its condition is, and how it fares elsewhere."""

    def add(found: re.Match[str]) -> str:
        to = f"../book/claims.html#claim-{found[2].lower()}"
        lines = []
        if said := whose(found[2], int(chapter[:2]), found[3]):
            lines.append(f'{said} (<a href="../book/claims.html#conditions">conditions</a>)')
        if elsewhere := other_worlds(chapter, found[2]):
            lines.append(f'In <a href="../book/claims.html#other-worlds">other worlds</a>: '
                         f"{elsewhere}.")  # fmt: skip
        records = chapters.verdicts().get(found[2], [])
        if len(records) > 1:
            lines.append(f'In the whole book: {standing(records)} (<a href="{to}">ledger</a>).')
        return found[1] + "".join(f'<p class="standing">{line}</p>' for line in lines) + "</div>"

    verdict = (r'(<div class="companion-verdict"[^>]*><p><strong>Claim (\w+)\.'
               r".*?<strong>Verdict: (.*?)\.</strong>.*?)</div>")  # fmt: skip
    return re.sub(verdict, add, html, flags=re.S)


@functools.cache
def data_of(notebook: str) -> tuple[str, ...]:
    """Return the names of the streams that a chapter loads, as their cards have them."""
    code = "\n".join("".join(c["source"]) for c in chapters.cells(notebook)
                     if c["cell_type"] == "code")  # fmt: skip
    loaded = set(re.findall(r"\bstreams\.(\w+)\(", code))
    return tuple(name for name in streams.cards() if name in loaded)


@dataclass(frozen=True)
class Counts:
    """How many comparisons speak for a claim, against it, or leave it unclear."""

    speaks_for: int
    unclear: int
    against: int

    def __str__(self) -> str:
        return f"{self.speaks_for} for, {self.unclear} unclear, {self.against} against"


def counts(record: dict[str, Any]) -> Counts:
    """Count a verdict's comparisons.

    >>> str(counts({"heard": ["for", "for", "unclear"]}))
    '2 for, 1 unclear, 0 against'
    """
    said = record["heard"]
    return Counts(said.count("for"), said.count("unclear"), said.count("against"))


def figure(record: dict[str, Any]) -> str:
    """Draw a verdict's comparisons as intervals about zero, each on its own scale, as SVG."""
    lines = []
    for k, (item, word) in enumerate(zip(record["evidence"], record["heard"], strict=True)):
        widest = max(abs(item["low"]), abs(item["high"])) or 1
        low, value, high = (round(HALF * (1 + item[end] / widest))
                            for end in ("low", "value", "high"))  # fmt: skip
        y = LINE * k + LINE / 2 + 1
        lines.append(
            f'<g class="speaks-{word}">'
            f'<line x1="{low}" x2="{max(high, low + 1)}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{value}" cy="{y}" r="2.5"/></g>'
        )
    height = LINE * len(lines) + 2
    label = escape(f"{counts(record)}; each comparison with its interval, on its own scale")
    return (
        f'<svg class="ledger-figure" viewBox="-4 0 {2 * HALF + 8} {height}" width="{2 * HALF + 8}" '
        f'height="{height}" role="img" aria-label="{label}">'
        f'<line class="zero" x1="{HALF}" x2="{HALF}" y1="0" y2="{height}"/>{"".join(lines)}</svg>'
    )


def overview(verdicts: Verdicts) -> str:
    """Return all claims as cards, which a script can filter by part, verdict and data."""
    titles = {name: about["title"] for name, about in streams.cards().items()}
    cards = []
    for claim in claims.CLAIMS.values():
        records = verdicts.get(claim.id, [])
        used = sorted({name for notebook, _ in records if notebook.exists()
                       for name in data_of(notebook.stem)})  # fmt: skip
        cards.append({
            "claim": claim, "standing": standing(records) if len(records) > 1 else "",
            "kinds": " ".join(sorted({kind(record["outcome"]) for _, record in records})) or "open",
            "data": used,
            "tested": [
                {"outcome": record["outcome"], "kind": kind(record["outcome"]),
                 "page": f"../notebooks/{notebook.stem}.html", "number": int(notebook.name[:2]),
                 "counts": counts(record), "figure": figure(record),
                 "read": kind(record["outcome"]) == "only",
                 "elsewhere": other_worlds(notebook.stem, claim.id).partition(";")[0]}
                for notebook, record in records
            ],
        })  # fmt: skip
    shown = sorted({name for card in cards for name in card["data"]})
    choices = json.dumps({
        "part": [[p, p] for p in dict.fromkeys(c.part for c in claims.CLAIMS.values())],
        "verdict": [[name, words] for name, words in KINDS.items()],
        "data": [[name, titles[name]] for name in shown],
    })  # fmt: skip
    return raw_html(fill("site/templates/ledger_cards.html", cards=cards, choices=choices))


def tally(verdicts: Verdicts) -> str:
    """Return how the verdicts divide, counted.

    >>> tally({"S1": [(None, {"outcome": "supported"}), (None, {"outcome": "only when wet"})]})
    '**1 of 21** claims tested, **2** verdicts: 1 supported, 1 supported only under a condition.'
    """
    kinds = {"supported": "supported", "only": "supported only under a condition",
             "not": "not supported here"}  # fmt: skip
    first = [kind(record["outcome"]) for records in verdicts.values() for _, record in records]
    numbers = [f"{first.count(name)} {words}" for name, words in kinds.items() if name in first]
    return (f"**{len(verdicts)} of {len(claims.CLAIMS)}** claims tested, **{len(first)}** "
            f"verdicts: {', '.join(numbers) or 'none'}.")  # fmt: skip


def prediction(said: dict[str, str]) -> str:
    """Return what a claim predicts, and what would refute it.

    >>> prediction(claims.predictions()["O2"])[:62]
    '**Prediction:** above zero is the error of a model that is giv'
    """
    return (f"**Prediction:** above zero is {said['difference']}; on {said['streams']}; "
            f"rivals: {said['rivals']}. **Refuted** where {said['refuted']}.")  # fmt: skip


def changed() -> list[str]:
    """Return which verdicts are others than they were, as lines of Markdown, the newest first."""
    lines = ["## What changed", ""]
    for change in reversed(tomllib.loads(CHANGED.read_text(encoding="utf-8"))["change"]):
        lines += [f"**{change['date']:%-d %B %Y}.** {change['why']}", ""]
        lines += [
            f"- [{claim}](#claim-{claim.lower()}), chapter {chapter}: it was *{KINDS[before]}*, "
            f"it is *{KINDS[after]}*"
            for claim, chapter, before, after in change["verdicts"]
        ]
        lines += [
            f"- [{claim}](#claim-{claim.lower()}), chapter {chapter}: as it was, with {new} new "
            f"pieces and {gone} gone{', under another condition' * other}"
            for claim, chapter, new, gone, other in change["kept"]
        ]
        lines += [""]
    return lines


def claims_ledger() -> str:
    """Return the claims ledger as Markdown: all claims as cards, then the evidence."""
    verdicts, predictions = chapters.verdicts(), claims.predictions()
    lines = [tally(verdicts), "", overview(verdicts), "", "## The evidence", ""]
    for claim in claims.CLAIMS.values():
        if claim.id not in verdicts:
            continue
        lines += [f"(claim-{claim.id.lower()})=", f"### {claim.id}: {claim.text}", ""]
        lines += [prediction(predictions[claim.id]), ""]
        for notebook, verdict in verdicts[claim.id]:
            lines += [f"{badge(verdict['outcome'])} in [](../notebooks/{notebook.name})", ""]
            items = [claims.Evidence(**item) for item in verdict["evidence"]]
            lines += [f"- {line}" for line in claims.in_words(items, verdict["heard"])]
            if said := whose(claim.id, int(notebook.name[:2]), verdict["outcome"]):
                lines += ["", f"**[Whose condition?](#conditions)** {said}"]
            if elsewhere := other_worlds(notebook.stem, claim.id):
                lines += ["", f"**In [other worlds](#other-worlds):** {elsewhere}."]
            lines += ["", f"**What would change it:** {verdict['would_change']}", ""]
    return "\n".join([*lines, *changed()])
