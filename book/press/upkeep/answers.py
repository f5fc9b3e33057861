"""Write what ``companion.exercises.check`` compares with, from what the solutions print.

``book/exercises.toml`` says what each exercise asks for, and which printed numbers answer it. A
number is right up to the rounding of its last printed digit, or within what the entry says.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tomllib
from typing import Any

from book.press import chapters
from book.press.places import BOOK
from companion.exercises import ANSWERS

ENTRIES = BOOK / "exercises.toml"


def solutions() -> dict[str, str]:
    """Return what each exercise's solution prints, by the exercise's number."""
    found = {}
    for chapter in chapters.in_order():
        name = ""
        for cell in chapters.cells(chapter.name):
            if asked := re.search(r"^#+ Exercise (\d+)", "".join(cell["source"]), re.M):
                name = f"{int(chapter.name[:2])}.{asked[1]}"
            elif "solution" in cell["metadata"].get("tags", []):
                found[name] = "".join("".join(out.get("text", "")) for out in cell["outputs"])
    return found


def numbers(pattern: str, printed: str) -> list[str]:
    """Return the numbers that a pattern's groups catch in a text, in order.

    >>> numbers(r"^. (.*)", "a 1,401 578\\nb +0.5")
    ['1401', '578', '+0.5']
    """
    return [word.strip(",").replace(",", "")
            for match in re.finditer(pattern, printed, re.M)
            for group in match.groups() if group
            for word in group.split()]  # fmt: skip


def answers() -> dict[str, dict[str, Any]]:
    """Return for each exercise with numbers what it asks, the numbers, and how near is right."""
    printed, made = solutions(), {}
    for name, entry in tomllib.loads(ENTRIES.read_text(encoding="utf-8")).items():
        words = numbers(entry["take"], printed[name])
        if not words:
            raise SystemExit(f"{ENTRIES.name}: {name}: {entry['take']!r} finds no number in what "
                             "the solution prints")  # fmt: skip
        digits = [len(word.partition(".")[2]) for word in words]
        made[name] = {key: entry[key] for key in ("asks", "hint") if key in entry} | {
            "values": [float(word) for word in words],
            "within": [entry.get("within", 0.6 * 10**-digit) for digit in digits],
        }
    return made


def main() -> int:
    """Write the file, if it is not what it should be."""
    made = answers()
    if not ANSWERS.exists() or json.loads(gzip.decompress(ANSWERS.read_bytes())) != made:
        ANSWERS.write_bytes(gzip.compress(json.dumps(made).encode(), mtime=0))
        print(f"Wrote the answers to {len(made)} exercises")
    return 0


if __name__ == "__main__":
    sys.exit(main())
