"""What the authors foretold for rows that a chapter had not seen, and what came out."""

from __future__ import annotations

import json

from book.press.upkeep.foretold import FORETOLD, RECORD, edition


def claims_foretold() -> str:
    """Return each prediction beside what was measured, as Markdown; failed ones as well."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    lines = ["| Chapter | Foretold | Measured | Outcome |", "|---|---|---|---|"]
    for one in FORETOLD:
        found = record.get(str(one.chapter), {})
        if found.get("edition") != edition(one):
            raise ValueError(f"{RECORD.name}: chapter {one.chapter}'s prediction is not the one "
                             "that ran; run python -m book.press.upkeep.foretold")  # fmt: skip
        numbers = ", ".join(f"{what}: {value:g}" for what, value in found["numbers"].items())
        outcome = "held" if one.holds(found["numbers"]) else "**failed**"
        lines.append(f"| {one.chapter} | {one.words} | {numbers} | {outcome} |")
    return "\n".join(lines)
