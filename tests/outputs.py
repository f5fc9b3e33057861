"""Compare what a notebook shows with what is stored in it: words exactly, numbers nearly."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

NUMBER = re.compile(r"(?<![\w.])[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")
PICTURE = re.compile(r"data:image/[a-z]+;base64,[^\"']+")
SECONDS = re.compile(r" +(CPU time|[\d,]+\.\d CPU s)$", re.MULTILINE)
KINDS = ("text/plain", "text/html")
KNOWN = tomllib.loads(
    (Path(__file__).parent / "lab_differences.toml").read_text(encoding="utf-8")
)["differs"]  # fmt: skip


def texts(outputs: list[dict[str, Any]]) -> list[str]:
    """Return a cell's outputs as texts: what was printed first, then each value that was shown."""
    printed = "".join("".join(out["text"]) for out in outputs if out["output_type"] == "stream")
    found = [SECONDS.sub("SECONDS", printed)] if printed else []
    for out in outputs:
        data = out.get("data", {})
        found += [PICTURE.sub("PICTURE", "".join(data[kind])) for kind in KINDS if kind in data]
        if out["output_type"] == "error":
            found.append(f"an error: {out.get('evalue')}")
    return found


def value(number: str) -> float:
    """Return a number as it was written.

    >>> value("−1,401")
    -1401.0
    """
    return float(number.rstrip(",").replace(",", "").replace("−", "-"))


def last_place(number: str) -> float:
    """Return what one more in the last place shown is worth.

    >>> last_place("1,401"), last_place("0.25"), last_place("1.5e-3")
    (1.0, 0.01, 0.0001)
    """
    digits, _, power = number.partition("e")
    return float(f"1e{int(power or 0) - len(digits.partition('.')[2])}")


def differences(stored: str, found: str, largest: float = 0, words: str = "(?!)") -> list[str]:
    """Return where two texts differ: in words, or in a number by more than its last place.

    >>> differences("error 1,401 rides", "error 1,402 rides")
    []
    >>> differences("error 1,401 rides", "error 1,404 rides")
    ['1,401 became 1,404']
    >>> differences("error 1,401 rides", "error 1,404 rides", largest=3)
    []
    >>> differences("supported", "not supported here")
    ['“supported” became “not supported here”']
    >>> differences("gap: for", "gap: against", words="for|against")
    []
    """
    stored, found = (re.sub(words, "", text) for text in (stored, found))
    before, after = (
        [" ".join(part.split()) for part in NUMBER.split(text)] for text in (stored, found)
    )
    if len(before) != len(after):
        return [f"“{stored.strip()}” became “{found.strip()}”"]
    wrong = [f"“{a}” became “{b}”" for a, b in zip(before, after, strict=True) if a != b]
    for a, b in zip(NUMBER.findall(stored), NUMBER.findall(found), strict=True):
        allowed = max(largest, last_place(a), last_place(b))
        if abs(value(a) - value(b)) > allowed * (1 + 1e-6):
            wrong.append(f"{a} became {b}")
    return wrong


def compare(name: str, stored: list[dict[str, Any]], found: list[list[dict]]) -> list[str]:
    """Compare a notebook's code cells with the outputs found; return what is wrong."""
    wrong = []
    if len(stored) != len(found):
        wrong.append(f"{len(found)} of {len(stored)} cells ran")
    for n, (cell, outputs) in enumerate(zip(stored, found, strict=False)):
        code = "".join(cell["source"])
        allowed = [
            one for one in KNOWN if one["notebook"] == name and code.startswith(one["cell"])
        ]  # fmt: skip
        options = {key: one[key] for one in allowed for key in ("largest", "words") if key in one}
        before, after = texts(cell["outputs"]), texts(outputs)
        if len(before) != len(after):
            wrong.append(f"code cell {n}: {len(before)} outputs became {len(after)}: {after}")
            continue
        for a, b in zip(before, after, strict=True):
            wrong += [f"code cell {n}: {what}" for what in differences(a, b, **options)]
        if allowed and not any(map(differences, before, after)):
            wrong.append(f"code cell {n} no longer differs; take it out of lab_differences.toml")
    return wrong
