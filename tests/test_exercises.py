"""Each exercise says what a right result looks like, and does not give the result away."""

from __future__ import annotations

import re

import pytest

from book.press import chapters

NUMBER = re.compile(r"\d[\d,.]*\d")  # of two digits or more


def exercises() -> dict[str, tuple[str, dict]]:
    """Return each exercise's statement, without its hint, and the cell with its solution."""
    found = {}
    for chapter in chapters.in_order():
        cells = chapters.cells(chapter.name)
        for cell, after in zip(cells, cells[1:], strict=False):
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown" and "### Exercise " in text:
                name = re.search(r"### Exercise (\d)", text)[1]
                found[f"{chapter.name[:2]}.{name}"] = (text, after)
    return found


EXERCISES = exercises()


def numbers(text: str) -> set[str]:
    return {number.replace(",", "").rstrip(".") for number in NUMBER.findall(text)}


def printed(cell: dict) -> str:
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def test_every_exercise_is_seen():
    assert len(EXERCISES) == 127
    assert all("solution" in cell["metadata"]["tags"] for _, cell in EXERCISES.values())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_check_stands_before_the_hint_and_is_short(name):
    text, solution = EXERCISES[name]
    statement, hint = text.split("<details><summary>Hint</summary>")
    assert text.count("**Check:**") == 1 and "**Check:**" in statement
    check = statement.split("**Check:**")[1].strip()
    assert 4 <= len(check.split()) <= 22 and check.endswith(".")
    given = numbers("".join(solution["source"]) + statement.split("**Check:**")[0])
    told = numbers(check) & numbers(printed(solution)) - given
    assert not told, f"the check of exercise {name} gives {told} away"


def test_what_chapter_7_asks_can_be_computed_without_the_solution():
    """The rows scored and the rate are said: who computes it from the statement gets the same."""
    import numpy as np
    from river import preprocessing

    from companion import streams

    statement = EXERCISES["07.4"][0]
    rate = float(re.search(r"rate (0\.\d+)", statement)[1])
    first = int(re.search(r"\[(\d+):\]", statement)[1])
    bikes = streams.bike_sharing()
    scaler, rows = preprocessing.StandardScaler(), []
    for row in bikes.X.tolist():
        x = dict(enumerate(row))
        scaler.learn_one(x)
        rows.append(list(scaler.transform_one(x).values()))
    X = np.array(rows)
    lots = [int(m) for m in re.search(r"\$m\$ = (\d+), (\d+) and (\d+)", statement).groups()]
    lines = []
    for lot in lots:
        weights, level, said = np.zeros(X.shape[1]), 0.0, []
        for start in range(0, len(X), lot):
            rows = X[start : start + lot]
            said.extend(rows @ weights + level)
            push = rate * 2 * (rows @ weights + level - bikes.y[start : start + lot])
            weights, level = weights - (push[:, None] * rows).mean(axis=0), level - push.mean()
        error = np.abs(np.array(said) - bikes.y)[first:].mean()
        lines.append(f"lots of {lot:2d}: {error:,.0f} rides a day")
    assert printed(EXERCISES["07.4"][1]).splitlines() == lines
