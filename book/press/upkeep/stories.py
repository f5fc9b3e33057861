"""Run the plain strategies on every stream that has an order: what the data page shows."""

from __future__ import annotations

import json

from book.press.site.stories import RECORD, SHOWN
from companion import compare, streams
from companion.comparison import digits_for
from companion.lineups import table_lineup

UNORDERED = ("solder",)


def ordered() -> list[str]:
    """Name the streams that have an order in time."""
    return [name for name in streams.cards() if name not in UNORDERED]


def story(name: str) -> dict[str, str]:
    """Return one stream's errors, and how much online saves against frozen with its interval."""
    stream = streams.load(name)
    rivals = table_lineup(stream)
    shown = {label: rivals[rival] for label, rival in SHOWN.items()}
    result = compare(stream, shown, seeds=range(1), reference="frozen")
    digits = digits_for(result.score("frozen"))
    gap = result.difference("frozen", "online")
    numbers = {label: f"{result.score(label):,.{digits}f}" for label in shown}
    span = f"{gap.value:z,.{digits}f} ({gap.low:z,.{digits}f} to {gap.high:z,.{digits}f})"
    return {"name": name, "unit": result.unit, **numbers, "saved": span.replace("-", "−")}


def main() -> None:
    """Write the record."""
    rows = [story(name) for name in ordered()]
    RECORD.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
