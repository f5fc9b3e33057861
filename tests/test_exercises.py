"""Each exercise says what a right result looks like, and does not give the result away."""

from __future__ import annotations

import json
import re
from gzip import decompress
from html import unescape

import numpy as np
import pytest

from book.press import chapters
from book.press.course.handouts import answer
from book.press.upkeep.answers import answers
from companion.exercises import ANSWERS as STORED
from companion.exercises import check

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


ANSWERS = answers()


def said(capsys, name: str, *answer) -> str:
    check(name, *answer)
    return capsys.readouterr().out


def test_the_stored_answers_are_what_the_solutions_print():
    """The tests of the notebooks compute what is printed; `make notebooks` writes the file."""
    assert json.loads(decompress(STORED.read_bytes())) == ANSWERS
    per_chapter = [name.split(".")[0] for name in ANSWERS]
    assert all(per_chapter.count(str(chapter.number)) >= 2 for chapter in chapters.in_order())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_cell_for_an_answer_says_how_it_is_checked(name):
    number = f"{int(name[:2])}.{name[3:]}"
    cell = answer(number)
    assert (f'check("{number}", ...)' in cell) == (number in ANSWERS)
    assert ("no check by machine" in cell) == (number not in ANSWERS)


def test_each_chapter_says_how_to_check():
    for chapter in chapters.in_order():
        text = "\n".join("".join(cell["source"]) for cell in chapters.cells(chapter.name))
        told = re.findall(
            r"^`check\(\"([\d.]+)\", answer\)`, from `companion.exercises`", text, re.M
        )
        assert len(told) == 1 and told[0] in ANSWERS, chapter.name


@pytest.mark.parametrize("name", ANSWERS)
def test_the_right_answer_is_right_and_a_wrong_one_gives_nothing_away(name, capsys):
    values = ANSWERS[name]["values"]
    asked = said(capsys, name)
    assert f"asks for {len(values)} number" in asked and "No answer yet" in asked
    assert said(capsys, name, np.array(values)) == f"Exercise {name}: right.\n"
    assert said(capsys, name, dict(enumerate(values))) == f"Exercise {name}: right.\n"
    off = values[-1] + 3 + 2 * ANSWERS[name]["within"][-1]
    wrong = [said(capsys, name, np.array(values) * 1.1 + 2), said(capsys, name, values[1:]),
             said(capsys, name, [*values[:-1], off]), said(capsys, name, "none"),
             said(capsys, name, np.full(len(values), np.nan))]  # fmt: skip
    assert not any(": right." in text for text in wrong)
    statement = "".join(EXERCISES[f"{float(name):04.1f}"][0])
    known = numbers(statement) | numbers(asked) | numbers(name) | {"1000", str(len(values) - 1)}
    hidden = numbers(" ".join(f"{value:g}" for value in values)) - known
    assert not hidden & numbers(" ".join([asked, *wrong])), (name, wrong)


def test_what_is_no_answer_is_said_to_be_none(capsys):
    assert said(capsys, "7.1", None).endswith("No answer yet.\n")
    assert said(capsys, "7.1", [1, np.nan]).endswith("is one that is no number: nan.\n")


def test_a_slip_is_named(capsys):
    assert "A hundred times" in said(capsys, "2.3", [7, 32])
    assert "A hundredth" in said(capsys, "3.3", [0.26, 0.29, 0.49, 0.26])
    assert "sign" in said(capsys, "7.1", (-2, -1))
    assert "share of the others" in said(capsys, "14.1", [85, 77])
    assert "another order" in said(capsys, "7.1", {"level": 1, "weight": 2})
    assert "1 of 2 right. Look again at number 2" in said(capsys, "7.1", [2, 9])
    assert "This is none: 'much'" in said(capsys, "1.1", "much")
    assert "for '1.9': compare with what its Check says" in said(capsys, "1.9", 1)


def test_the_page_offers_the_check_in_each_exercise_s_cell(site):
    for chapter in chapters.in_order():
        html = (site / "notebooks" / f"{chapter.name}.html").read_text(encoding="utf-8")
        cells = [unescape(cell) for cell in re.findall(r'data-answer="([^"]*)"', html)]
        names = [
            f"{int(name[:2])}.{name[3:]}" for name in EXERCISES if name[:2] == chapter.name[:2]
        ]
        assert len(cells) == len(names)
        for name, cell in zip(names, cells, strict=True):
            assert cell == answer(name)
