"""The target: numbers to predict, or classes named as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from companion.stream import quoted
from companion.streams.cells import NUMBERS, Cells, Survey, empty, number, times_said
from companion.streams.features import (
    first_reading,
    is_numbers,
    number_note,
    number_style,
    numbers_of,
    refuse_endless,
    refuse_notation,
    settle_units,
)
from companion.streams.rows import BadInput, Source

FEW = 10  # so many different whole numbers, or fewer, are taken for classes
MOST_CLASSES = 10_000


@dataclass(frozen=True)
class Target:
    """How the target's cells are read, and why."""

    column: str
    why: str
    style: str = ""
    classes: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """Return the stream's task."""
        return "classification" if self.classes else "regression"


def decide_target(
    survey: Survey,
    source: Source,
    column: str,
    task: str,
    notes: list[tuple[str, str]],
    classes: Sequence[str] = (),
) -> Target:
    """Return how the target is read; refuse one that leaves nothing to predict."""
    place = f"{source.name}, column {quoted(column)}"
    if survey.kind in ("other", "time"):
        what = "lists or the like" if survey.kind == "other" else "times"
        raise BadInput(f"{place}: holds {what}; choose a target of numbers or classes")
    if classes:
        return Target(column, "the classes were named", classes=tuple(classes))
    if task != "classification" and survey.kind == "text":
        survey = settle_units(survey, source, column)
    as_numbers, why = numbers_or_classes(survey, source, column, task)
    if as_numbers:
        decided = number_target(survey, source, column, why)
        said = number_note(survey, decided.style) if decided.style in ("point", "comma") else ""
        if said:
            notes.append(("target", f"column {quoted(column)}: {said}"))
        return decided
    if task == "auto" and survey.kind == "text":
        refuse_notation(survey, source, column)
    if not survey.values:
        raise BadInput(f"{place}: every cell is empty; choose another target")
    if len(survey.values) == 1:
        raise BadInput(
            f"{place}: there is only one class, {quoted(next(iter(survey.values)))}; "
            "there is nothing to predict; choose another target"
        )
    if len(survey.values) > min(MOST_CLASSES, max(50, survey.filled // 10)):
        count = len(survey.values)
        many = f"more than {MOST_CLASSES:,}" if count > MOST_CLASSES else str(count)
        raise BadInput(
            f"{place}: {many} different values are too many classes; "
            "choose another target, or --task regression if they are numbers"
        )
    if task == "auto" and survey.kind in ("text", "number") and is_numbers(survey):
        said = (
            f"the {len(survey.values)} different whole numbers of {quoted(column)} were taken for "
        )
        notes.append(("target", said + "classes; --task regression takes them for numbers"))
    return Target(column, why, classes=tuple(sorted(survey.values, key=class_order)))


def class_order(name: str) -> tuple[int, Decimal, str]:
    """Sort numbers by size, then words."""
    try:
        value = Decimal(name.strip())
        return (0, value, name) if value.is_finite() else (1, Decimal(0), name)
    except ArithmeticError:
        return 1, Decimal(0), name


def numbers_or_classes(survey: Survey, source: Source, column: str, task: str) -> tuple[bool, str]:
    """Say whether the target is numbers, and why; refuse numbers with words among them."""
    numbers = survey.count(*NUMBERS, "endless")
    if task == "regression":
        if survey.kind in ("text", "category") and numbers < survey.filled:
            if survey.sorts["duration"] == survey.filled:
                return True, "--task regression"
            refuse_word(survey, source, column, numbers)
        return True, "--task regression"
    if task == "classification":
        return False, "--task classification"
    if survey.kind in ("flag", "category"):
        return False, "its cells are words"
    if survey.kind == "duration" or survey.sorts["duration"] == survey.filled > 0:
        return True, "its cells are durations"
    if numbers < survey.filled:
        if len(survey.values) > FEW and numbers >= survey.filled / 2:
            refuse_word(survey, source, column, numbers)
        return False, "its cells are words"
    if len(survey.values) > FEW:
        return True, f"it holds more than {FEW} different numbers"
    style = "comma" if survey.sorts["comma"] else "point"
    if all(number(text, style) % 1 == 0 for text in survey.values):
        return False, f"it holds {len(survey.values)} different whole numbers"
    return True, "it holds numbers that are not whole"


def refuse_word(survey: Survey, source: Source, column: str, numbers: int) -> None:
    """Refuse a target of numbers with other cells among them."""
    line, cell = survey.first_outside(*NUMBERS, "endless")
    words = times_said(survey.filled - numbers, "such cell")
    raise BadInput(
        f"{source.at(line, column)}: {quoted(cell)} is no number ({words} of {survey.filled:,}); "
        "mend it, leave it empty, or choose --task classification"
    )


def number_target(survey: Survey, source: Source, column: str, why: str) -> Target:
    """Return a target of numbers."""
    refuse_endless(survey, source, column)
    style = "typed"
    if survey.kind in ("text", "category"):
        duration = survey.sorts["duration"] > 0
        style = "duration" if duration else number_style(survey, source, column)
    if len(survey.values) == 1:
        kinds = {"number": "point", "text": style, "category": style}
        value = first_reading(survey.values, kinds.get(survey.kind, survey.kind))
        raise BadInput(
            f"{source.name}, column {quoted(column)}: every row holds {value:g}; "
            "there is nothing to predict; choose another target"
        )
    return Target(column, why, style)


def labels_of(target: Target, cells: Cells, lines: np.ndarray, source: Source) -> np.ndarray:
    """Return a block's labels: numbers or class codes; an empty cell is NaN or -1."""
    if not target.classes:
        return numbers_of(cells, target.style)
    codes = {name: code for code, name in enumerate(target.classes)}
    texts = cells.written()
    found = np.array([-1 if empty(text) else codes.get(text, -2) for text in texts], dtype=np.int64)
    strange = np.flatnonzero(found == -2)
    if len(strange):
        row = strange[np.argmin(lines[strange])]
        raise BadInput(
            f"{source.at(int(lines[row]), target.column)}: {quoted(texts[row])} is not among the "
            f"classes {', '.join(target.classes)}; name it too"
        )
    return found
