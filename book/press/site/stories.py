"""Each stream's story in numbers: frozen, refitted, online and no change, side by side."""

from __future__ import annotations

import json

from book.press.markdown import table
from book.press.places import BOOK
from companion import streams

RECORD = BOOK / "stories.json"  # written by `make runs`
SHOWN = {
    "no change": "no change", "frozen": "frozen linear", "refitted": "refit linear",
    "online": "online linear", "frozen trees": "frozen boosting",
    "refitted trees": "refit boosting",
}  # fmt: skip


def stream_stories() -> str:
    """Return the errors of the plain strategies on every stream as a Markdown table."""
    head = ["Stream, error in", *SHOWN, "online saves (95 % interval)"]
    rows = []
    for row in json.loads(RECORD.read_text(encoding="utf-8")):
        title = streams.cards()[row["name"]]["title"]
        link = f"[{title}](#data-{row['name'].replace('_', '-')})"
        rows.append([f"{link}, {row['unit']}", *(row[label] for label in SHOWN), row["saved"]])
    return table("stories", "l" + "r" * (len(head) - 1), head, rows)
