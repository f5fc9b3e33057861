"""Chapter 21's advice on streams left out: rehearse tuned candidates, or blend four advisers.

``python -m tests.benchmarks.rehearsal`` runs both on a stream of each group of the record that has
an order in time, lines only, with labels at once and a twentieth of the stream late, and adds what
``rehearsal.csv`` does not hold yet; with names of groups, these only. Nothing is learnt from other
streams, so that every group is left out. The regret is the error over that of the best on the
record's untuned menu, in doublings: below 0, better.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from book.press.upkeep.runs import real_cases
from companion import Blend, claims, prequential
from companion.lineups import record_lineup
from companion.memory import usual_memory
from companion.rivals import rivals
from companion.stream import Stream
from companion.streams.record import runs

TABLE = Path(__file__).parent / "rehearsal.csv"
OF_SEVERAL = {"stocks": "stocks IBM, range", "wind turbines": "wind turbine R80711"}
MENU = ("no change", "frozen", "refit", "triggered", "online", "blend", "paired", "champion")
ADVISERS = {"two advisers": ("frozen", "online"),
            "four advisers": ("frozen", "online", "refit", "no change")}  # fmt: skip


def blended(stream: Stream, names: tuple[str, ...], delay: int) -> float:
    """Return the error of a blend of these untuned strategies."""
    first = len(stream) // 5
    crew = record_lineup(stream, first)
    blend = Blend({name: crew[name] for name in names})
    run = prequential(blend, stream, warmup=first, label_delay=delay, measure_size=False)
    return float(run.loss.mean())


def rehearsed(stream: Stream, delay: int) -> tuple[float, str]:
    """Return error and name of the tuned candidate that won a rehearsal inside the warm-up."""
    first = len(stream) // 5
    seen = usual_memory(stream, first, delay)
    past, half = seen.take(slice(0, first)), first // 2
    later = rivals(seen, warmup=first, label_delay=delay, quick=True)
    tried = {
        name: prequential(one, past, warmup=half, label_delay=delay, measure_size=False).loss.mean()
        for name, one in rivals(past, warmup=half, label_delay=delay, quick=True).items()
        if name in later
    }
    best = min(tried, key=tried.get)
    run = prequential(later[best], seen, warmup=first, label_delay=delay, measure_size=False)
    return float(run.loss.mean()), best


def main() -> None:
    """Run what is not in the table yet, each group one witness."""
    record, rows = runs(), list(csv.DictReader(TABLE.open(encoding="utf-8")))
    done = {(row["group"], int(row["delay"])) for row in rows}
    for case in real_cases():
        stream, group = case.stream, case.group
        if not case.about["ordered"] or OF_SEVERAL.get(group, stream.name) != stream.name:
            continue
        for delay in (0, len(stream) // 20):
            if (group, delay) in done or sys.argv[1:] and group not in sys.argv[1:]:
                continue
            here = record[(record["stream"] == stream.name) & (record["delay"] == delay)]
            here = here[np.isin(here["family"], ("linear", "baseline"))]
            least = here["error"][np.isin(here["strategy"], MENU)].min()
            error, winner = rehearsed(stream, delay)
            found = {rule: blended(stream, names, delay) for rule, names in ADVISERS.items()}
            found["tuned rehearsal"] = error
            regrets = {rule: round(float(np.log2(e / least)), 3) for rule, e in found.items()}
            rows.append({"group": group, "delay": delay, **regrets, "winner": winner})
            with TABLE.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    summary(rows)


def summary(rows: list[dict]) -> None:
    """Write mean and worst regret of each rule over the groups, and its lead over two advisers."""
    groups = list(dict.fromkeys(row["group"] for row in rows))
    by_rule = {
        rule: [np.mean([float(row[rule]) for row in rows if row["group"] == g]) for g in groups]
        for rule in (*ADVISERS, "tuned rehearsal")
    }
    with TABLE.with_name("rehearsal_summary.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["rule", "mean regret", "worst group", "two advisers minus this"])
        for rule, regrets in by_rule.items():
            less = np.subtract(by_rule["two advisers"], regrets).tolist()
            item = claims.evidence_from_seeds("", less, "")
            writer.writerow([rule, f"{np.mean(regrets):.2f}", f"{max(regrets):.2f}",
                             f"{item.value:.2f} ({item.low:.2f} to {item.high:.2f})"])  # fmt: skip


if __name__ == "__main__":
    main()
