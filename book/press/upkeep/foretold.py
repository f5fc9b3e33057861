"""Predictions for rows that their chapters had not seen, written down before they ran.

Five experiments ask the reader for a prediction, and were looked at before the authors had written
down one of their own. So each has one here, for other rows or random numbers. The file was
committed first; then ``python -m book.press.upkeep.foretold`` ran the chapter's code and wrote
``book/foretold.json``. A prediction that is changed afterwards has no record any more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from book.press import chapters
from book.press.files import digest
from book.press.places import BOOK
from book.press.upkeep.robustness import run_quietly
from companion.files.atomic import write_atomically

RECORD = BOOK / "foretold.json"
SOURCE = Path(__file__).read_text(encoding="utf-8")
Numbers = dict[str, float]


class Foretold(NamedTuple):
    """What was foretold for a chapter: in words, how it is measured, and when it holds."""

    chapter: int
    words: str
    begins: str  # the cell with the experiment, by how its code begins
    measure: Callable[[dict[str, Any]], Numbers]
    holds: Callable[[Numbers], bool]


def heavy_tails(known: dict[str, Any]) -> Numbers:
    """Chapter 4: eight comparisons in worlds without a difference, now with heavy tails."""
    import numpy as np

    claims, rng, fooled = known["claims"], np.random.default_rng(1), np.zeros(2)
    for _ in range(500):
        items = [claims.evidence_from_seeds("", rng.standard_t(3, size=8).tolist(), "")
                 for _ in range(8)]  # fmt: skip
        alone = [item.speaks for item in items]
        fooled += [set(words) != {"unclear"} for words in (alone, claims.heard(items))]
    return {"% of worlds alone": fooled[0] / 5, "together": fooled[1] / 5}


def later_weather(known: dict[str, Any]) -> Numbers:
    """Chapter 8: the next 3,500 days."""
    days = known["streams"].weather().take(slice(3500, 7000))
    loss = {name: known["losses"](make("weather"), days)
            for name, make in known["MODELS"].items() if name != "no change"}  # fmt: skip
    forests = [name for name in loss if "forest" in name or "patches" in name]
    ends = [known["intervals"].block_bootstrap_interval(loss["adaptive tree"] - loss[name])
            for name in forests]  # fmt: skip
    best = min(loss[name].mean() for name in forests)
    return {
        "forests clearly better than the tree": sum(low > 0 for low, _ in ends),
        "frozen line minus best forest, wrong in 100": 100 * (loss["frozen line"].mean() - best),
    }


def other_bands(known: dict[str, Any]) -> Numbers:
    """Chapter 11: the three other turbines, and the ranges of two other shares."""
    import numpy as np

    streams = known["streams"]
    new = [streams.wind_turbines(name) for name in ("R80721", "R80736", "R80790")]
    new += [streams.stocks(name, "range") for name in ("MSFT", "AAPL")]
    banded = [known["four_bands"](stream) for stream in new]

    def kept(way: str) -> int:
        hits = [np.mean(error <= half) for error, half in (one[way] for one in banded)]
        return sum(abs(hit - known["PROMISE"]) <= 0.02 for hit in hits)

    return {"frozen bands that keep the promise": kept("line, frozen"),
            "adaptive bands that do": kept("line, adaptive"), "of": len(new)}  # fmt: skip


def sooner_and_dearer(known: dict[str, Any]) -> Numbers:
    """Chapter 13: will it stand within three hours, where a missed hour costs forty calls?"""
    import numpy as np

    code = known["code"].replace("R, AHEAD = 20, 6", "R, AHEAD = 40, 3")
    code = code.replace('label_delay="6h"', 'label_delay="3h"')
    exec(code.partition("print(f")[0], known)  # noqa: S102 (the chapter's own code)
    event, price, calls = known["event_now"], known["price"], known["calls"]
    base = price(known["chances"]["frozen line"] > 1 / 40, event)

    def extra(name: str) -> np.ndarray:
        return 1000 * (price(calls[name], event) - base)

    low, _ = known["intervals"].block_bootstrap_interval(
        extra("frozen line, above 1/2"), block=4 * 24 * 28
    )
    _, high = known["intervals"].block_bootstrap_interval(
        extra("frozen line, set each month"), block=4 * 24 * 28
    )
    return {"% of hours": 100 * event.mean(), "above 1/2 costs more by at least": low,
            "set each month costs more by at most": high}  # fmt: skip


def other_orders(known: dict[str, Any]) -> Numbers:
    """Chapter 14: twenty other orders of the boards."""
    import numpy as np

    lines = [known["mask_line"](seed) for seed in range(20, 40)]
    table = {name: np.array([known["records"](line, *known["opened"](line, *known["WATCH"][name]))
                             for line in lines])
             for name in ("held only", "held, 1 in 10, weighted")}  # fmt: skip
    held, weighted = table.values()
    return {
        "orders in which weighted is cheaper": np.sum(weighted[:, 0] < held[:, 0]),
        "% escaped, held only": held[:, 3].mean(),
        "by its records": held[:, 4].mean(),
    }


FORETOLD = (
    Foretold(
        4, "In 500 worlds whose differences have heavy tails (Student's t, 3 degrees of freedom), "
        "something is clear in 20 to 40 % alone, and in at most 7 % together.",
        "rng, fooled", heavy_tails,
        lambda n: 20 <= n["% of worlds alone"] <= 40 and n["together"] <= 7,
    ),
    Foretold(
        8, "On days 3,501 to 7,000 of the weather all three forests are clearly better than the "
        "tree, and the frozen line is at most two in 100 worse than the best of them.",
        "MODELS = {", later_weather,
        lambda n: n["forests clearly better than the tree"] == 3
        and n["frozen line minus best forest, wrong in 100"] <= 2,
    ),
    Foretold(
        11, "On three other turbines and the ranges of two other shares the frozen band keeps its "
        "promise, to two points, on at most one, the adaptive one on all five.",
        "PROMISE = 0.9", other_bands,
        lambda n: n["frozen bands that keep the promise"] <= 1
        and n["adaptive bands that do"] == n["of"],
    ),
    Foretold(
        13, "Asked whether a turbine will stand within three hours, where a missed hour costs "
        "forty calls: above one half is clearly dearer than above one in forty, and a limit set "
        "each month is not clearly cheaper.",
        "R, AHEAD = 20, 6", sooner_and_dearer,
        lambda n: n["above 1/2 costs more by at least"] > 0
        and n["set each month costs more by at most"] > 0,
    ),
    Foretold(
        14, "In 20 other orders of the boards the weighted twin is cheaper than the one that sees "
        "held boards only in at least 18; of that one's misses its records show less than a tenth.",
        "is_new = ", other_orders,
        lambda n: n["orders in which weighted is cheaper"] >= 18
        and n["by its records"] < n["% escaped, held only"] / 10,
    ),
)  # fmt: skip


def edition(one: Foretold) -> str:
    """Return a name for a prediction as it stands: its words, its measure, when it holds."""
    code = SOURCE.partition("\nFORETOLD = (")[2]
    entry = code.partition(f"\n        {one.chapter}, ")[2].partition("\n    ),")[0]
    measure = SOURCE.partition(f"\ndef {one.measure.__name__}(")[2].partition("\n\n\n")[0]
    return digest([], one.words, entry, measure)[:16]


def known_before(one: Foretold) -> dict[str, Any]:
    """Run a chapter's code up to and with the experiment; return what it has defined."""
    name = next(chapter.name for chapter in chapters.in_order() if chapter.number == one.chapter)
    code = ["".join(cell["source"]) for cell in chapters.cells(name) if cell["cell_type"] == "code"]
    last = next(k for k, source in enumerate(code) if source.startswith(one.begins))
    return run_quietly(code[: last + 1]) | {"code": code[last]}


def main() -> int:
    """Run what has no record yet; keep what came out, whichever way."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    for one in FORETOLD:
        if record.get(str(one.chapter), {}).get("edition") == edition(one):
            continue
        numbers = {what: float(f"{value:.4g}")
                   for what, value in one.measure(known_before(one)).items()}  # fmt: skip
        record[str(one.chapter)] = {"edition": edition(one), "numbers": numbers}
        write_atomically(RECORD, (json.dumps(record, indent=1) + "\n").encode())
        print(one.chapter, "held" if one.holds(numbers) else "failed", numbers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
