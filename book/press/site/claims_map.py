"""The map of the claims: which hold as the world moves faster and labels come later.

All of it comes from the record of runs: simulated worlds of two tasks, two noises and five seeds,
at eight speeds and three delays. The verdict at a place is the book's own rule for verdicts.
"""

from __future__ import annotations

import functools
import json

import numpy as np

from book.press.markdown import raw_html
from book.press.render import fill
from companion import claims
from companion.streams.record import runs

SPEEDS = {
    "none": "stands still",
    "one slow turn": "turns once, slowly",
    "one mixture": "turns once, row by row",
    "one jump": "jumps once",
    "to and fro": "swings to and fro",
    "jumps every 500": "jumps every 500 rows or so",
    "jumps every 200": "jumps every 200 rows or so",
    "jumps every 100": "jumps every 100 rows or so",
}
DELAYS = {0: "at once", 40: "40 rows late", 100: "100 rows late"}
# Above zero, what the first errs more than the second speaks for the claim (predictions.toml).
COMPARED = {
    "S1": [("refit", "frozen"), ("online", "frozen")],
    "S2": [("frozen", "refit")],
    "D1": [("frozen", "online"), ("refit", "online")],
    "O1": [("frozen", "online"), ("refit", "online"), ("triggered", "online")],
    "H1": [("frozen", "blend"), ("online", "blend")],
    "I2": [("frozen", "refit"), ("triggered", "refit")],
}
KINDS = {"for": "holds", "some": "holds in part", "not": "does not hold"}


recorded_runs = functools.cache(runs)  # which reads a file


@functools.cache
def errors() -> dict[tuple, dict[str, list[float]]]:
    """Return each strategy's errors by seed, for each speed, delay, task and noise."""
    table = recorded_runs()
    worlds: dict[tuple, dict[str, list[float]]] = {}
    for row in table[(table["real"] == 0) & (table["family"] == "linear")]:
        world = (str(row["drift"]), int(row["delay"]), str(row["task"]), float(row["noise"]))
        by_seed = worlds.setdefault(world, {}).setdefault(str(row["strategy"]), [])
        by_seed.append(float(row["error"]))
    return worlds


def pieces(claim: str, speed: str, delay: int) -> list[claims.Evidence]:
    """Return the evidence of the record for a claim at one place of the map."""
    return [
        claims.evidence_from_seeds(
            f"{worse} minus {better}", np.subtract(by[worse], by[better]).tolist(), ""
        )
        for world, by in errors().items()
        if world[:2] == (speed, delay)
        for worse, better in COMPARED[claim]
    ]


def place(claim: str, speed: str, delay: int) -> tuple[str, int, int]:
    """Return a claim's verdict at one place, and how many of its comparisons speak for it.

    >>> place("S2", "none", 0)[0], place("S2", "one jump", 0)[0]
    ('not', 'for')
    """
    said = claims.heard(pieces(claim, speed, delay))
    count, total = said.count("for"), len(said)
    return "for" if count == total else "not" if 2 * count < total else "some", count, total


def claims_map() -> str:
    """Return the map as HTML: stored pictures, and two sliders that a script brings to life."""
    mapped = []
    for name in COMPARED:
        places = [[place(name, speed, delay) for speed in SPEEDS] for delay in DELAYS]
        mapped.append({"claim": claims.CLAIMS[name], "places": places, "json": json.dumps(places)})
    return raw_html(fill(
        "site/templates/claims_map.html", mapped=mapped, speeds=SPEEDS, delays=DELAYS, kinds=KINDS,
        silent=[name for name in claims.CLAIMS if name not in COMPARED],
        words=json.dumps({"speed": list(SPEEDS.values()), "delay": list(DELAYS.values())}),
    ))  # fmt: skip
