"""An alarm log: one JSON object a line, which outlives a crash in the middle of a line."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Alarm:
    """One line of an alarm log: the row, what was seen, its value and the limit it broke.

    Examples
    --------
    >>> Alarm(120, "loss", 4.2, 3.0).row
    120
    """

    row: int
    what: str
    value: float
    limit: float


def write_alarm(path: str | Path, alarm: Alarm) -> None:
    """Add an alarm to a log: one JSON object a line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_alarm(Path(folder) / "alarms.jsonl", Alarm(120, "loss", 4.2, 3.0))
    ...     read_alarms(Path(folder) / "alarms.jsonl")
    [Alarm(row=120, what='loss', value=4.2, limit=3.0)]
    """
    with open(path, "a+b") as file:
        torn = file.tell() and file.seek(-1, 2) and file.read(1) != b"\n"
        file.write((b"\n" if torn else b"") + json.dumps(asdict(alarm)).encode() + b"\n")


def read_alarms(path: str | Path) -> list[Alarm]:
    """Read an alarm log; a line cut short by a crash is left out, those after it are not.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "alarms.jsonl"
    ...     write_alarm(file, Alarm(120, "loss", 4.2, 3.0))
    ...     _ = file.write_text(file.read_text() + '{"row": 13')
    ...     len(read_alarms(file))
    1
    """
    found = []
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        for start in [match.start() for match in re.finditer(r'\{"row"', line)]:
            try:
                alarm = Alarm(**json.JSONDecoder().raw_decode(line, start)[0])
            except (ValueError, TypeError, RecursionError):
                continue  # torn
            numbers = all(type(value) in (int, float) for value in (alarm.value, alarm.limit))
            if type(alarm.row) is int and isinstance(alarm.what, str) and numbers:
                found.append(alarm)
    return found
