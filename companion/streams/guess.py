"""Which columns of a table may be its target, its time and its key: to be mended by a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from companion.streams.cells import NUMBERS, Survey, empty, look
from companion.streams.clocks import TimeSurvey, decide_time, look_at_times
from companion.streams.rows import BadInput, Block, Source, open_table

LOOKED_AT = 2_000  # rows
FEW = 10
TARGETS = re.compile(r"y|target|label|class|outcome|sales|sold|price|demand|failed|fault", re.I)
TIMES = re.compile(r".*(time|date|day|month|year|stamp|week|hour).*|when|at|t|ts", re.I)
KEYS = re.compile(
    r"(.*[ _-])?(id|key|patient|person|subject|customer|user|client|machine|device|sensor|station|"
    r"store|shop|product|item|account)([ _-]?id)?",
    re.I,
)


@dataclass(frozen=True)
class Guess:
    """What each column of a table may be.

    Attributes
    ----------
    columns : tuple of str
        All columns, in the file's order.
    target : str
    time, key : str or None

    Examples
    --------
    >>> Guess(("day", "sold"), "sold", "day").key is None
    True
    """

    columns: tuple[str, ...]
    target: str
    time: str | None = None
    key: str | None = None


def guess_roles(path: str | Path) -> Guess:
    r"""Look at a table's heading and first rows, and guess target, time and key.

    The time is the first column that can be read as one. The key has the name of one, and comes
    back. The target has the name of one, or is the last column that can be predicted.

    Raises
    ------
    BadInput
        As :func:`companion.streams.tables.read_table`, if the file is no table.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sales.csv"
    ...     rows = "".join(f"2024-01-{k + 1:02d},{k % 3},{k}.5\n" for k in range(30))
    ...     _ = file.write_text("day,shop,sold\n" + rows)
    ...     guess_roles(file)
    Guess(columns=('day', 'shop', 'sold'), target='sold', time='day', key='shop')
    """
    source = open_table(Path(path))
    block = next(source.blocks(LOOKED_AT), None)
    if block is None:  # which whoever reads the table will say
        return Guess(source.columns, source.columns[-1])
    left = [name for name in source.columns if name not in source.unnamed] or [*source.columns]
    time = next((name for name in left if is_time(name, block, source)), None)
    left = [name for name in left if name != time]
    key = next((name for name in left[:-1] if KEYS.fullmatch(name) and recurs(name, block)), None)
    left = [name for name in left if name != key]
    can = [name for name in left if can_be_target(name, block)] or left or [*source.columns]
    target = next((name for name in can if TARGETS.fullmatch(name)), can[-1])
    return Guess(source.columns, target, time, key)


def is_time(name: str, block: Block, source: Source) -> bool:
    """Tell whether all the rows' cells can be read as times, and as nothing else."""
    if block.columns[name].kind not in ("text", "time"):
        return False
    clock = TimeSurvey(source, name, None)
    try:
        look_at_times(clock, block.columns[name], block.lines)
        decide_time(clock)
    except BadInput:
        return False
    numbers = set(clock.forms) <= {"as a number", "in digits"} and not clock.typed
    return not numbers or bool(TIMES.fullmatch(name))


def filled(name: str, block: Block) -> list[str]:
    """Return a column's cells that are not empty."""
    return [text for text in block.columns[name].written() if not empty(text)]


def recurs(name: str, block: Block) -> bool:
    """Tell whether every cell is filled, and most values come back."""
    cells = filled(name, block)
    return len(cells) == len(block) and len(set(cells)) <= len(block) / 2


def can_be_target(name: str, block: Block) -> bool:
    """Tell whether a column holds numbers that change, or a few classes."""
    survey = Survey(LOOKED_AT + 1)
    look(survey, block.columns[name], block.lines)
    if survey.kind in ("other", "time") or len(survey.values) < 2:
        return False
    numbers = survey.kind in ("number", "duration") or survey.count(*NUMBERS) == survey.filled
    return numbers or len(survey.values) <= FEW
