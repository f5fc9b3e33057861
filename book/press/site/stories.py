"""Each stream's story in numbers: frozen, refitted, online and no change, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import companion
from book.press.files import digest, files_below
from book.press.markdown import table
from book.press.places import BUILD
from companion import compare, streams
from companion.comparison import digits_for
from companion.lineups import table_lineup

SAVED = BUILD / "stories.json"
SHOWN = {
    "no change": "no change", "frozen": "frozen linear", "refitted": "refit linear",
    "online": "online linear", "frozen trees": "frozen boosting",
    "refitted trees": "refit boosting",
}  # fmt: skip
UNORDERED = ("solder",)


def stories() -> list[dict[str, str]]:
    """Return a row for each stream that has an order in time; kept until code or data change."""
    key = digest([Path(__file__), *files_below(Path(companion.__file__).parent)])
    if SAVED.exists():
        saved = json.loads(SAVED.read_text(encoding="utf-8"))
        if saved["key"] == key:
            return saved["rows"]
    rows = [story(name) for name in streams.cards() if name not in UNORDERED]
    SAVED.parent.mkdir(parents=True, exist_ok=True)
    SAVED.write_text(json.dumps({"key": key, "rows": rows}), encoding="utf-8")
    return rows


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


def stream_stories() -> str:
    """Return the errors of the plain strategies on every stream as a Markdown table."""
    head = ["Stream, error in", *SHOWN, "online saves (95 % interval)"]
    rows = []
    for row in stories():
        title = streams.cards()[row["name"]]["title"]
        link = f"[{title}](#data-{row['name'].replace('_', '-')})"
        rows.append([f"{link}, {row['unit']}", *(row[label] for label in SHOWN), row["saved"]])
    return table("stories", "l" + "r" * (len(head) - 1), head, rows)
