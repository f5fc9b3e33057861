"""What a class's answers to the concept inventory say of the class, and of each item.

    python -m book.press.course.item_analysis before.csv
    python -m book.press.course.item_analysis before.csv --after after.csv

A file of answers has a head line ``student,1,2,…,24`` and one line for each student; an answer is
a letter, or empty. Columns for questions that the book does not have are counted and named, not
analysed. Nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from book.press.course import inventory
from book.press.course.questions import Question

LETTERS = inventory.LETTERS
UNKNOWN = "unknown here (another edition of the book?), answered by"


@dataclass(frozen=True)
class ItemResult:
    """One item in one class: how many knew it, whether it tells students apart, what misled them.

    Attributes
    ----------
    right : float
        Share of all students who chose the right answer; an empty answer is not right.
    discrimination : float
        Correlation of this item's score with the sum of the others'; nan if either is constant.
    shares : dict of str to float
        Share of students by letter, and by "" for no answer.
    misled : str
        The belief behind the wrong answer that most chose; "" if nobody chose a wrong one.
    """

    right: float
    discrimination: float
    shares: dict[str, float]
    misled: str


def read_answers(path: Path, questions: int) -> tuple[dict[str, list[str]], Counter[str]]:
    """Read a class's answers: for each student a letter, or "", for each question.

    Returns
    -------
    answers : dict of str to list of str
        By student, in the questions' order.
    unknown : Counter of str
        How many students answered each question that the book does not have.

    Raises
    ------
    ValueError
        If the head line, a line's length, a letter or a student's name does not fit.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    wanted = ["student", *map(str, range(1, questions + 1))]
    head = [cell.strip() for cell in lines[0]] if lines else []
    if [name for name in head if name in wanted] != wanted or head[0] != "student":
        raise ValueError(f"{path}, line 1: the head line must be student,1,2,…,{questions}")
    answers: dict[str, list[str]] = {}
    unknown = Counter({name: 0 for name in head if name not in wanted})
    for number, line in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(head):
            raise ValueError(
                f"{path}, line {number}: {len(line)} cells instead of {len(head)}; "
                "write one letter for each question, or leave its cell empty"
            )
        cells = list(zip(head, (cell.strip() for cell in line), strict=True))
        student, *letters = (cell for name, cell in cells if name in wanted)
        unknown.update(name for name, cell in cells if cell and name in unknown)
        if student in answers:
            raise ValueError(f"{path}, line {number}: {student!r} is there twice; keep one")
        for k, letter in enumerate(letters, 1):
            if letter.upper() not in ("", *LETTERS):
                raise ValueError(
                    f"{path}, line {number}: {letter!r} answers question {k}; "
                    f"write one of {', '.join(LETTERS)}, or nothing"
                )
        answers[student] = [letter.upper() for letter in letters]
    if not answers:
        raise ValueError(f"{path}: there is no student in it; write one line for each")
    return answers, unknown


def scores(answers: dict[str, list[str]], questions: tuple[Question, ...]) -> np.ndarray:
    """Return 1 for right and 0 for anything else, shape (students, questions)."""
    right = [LETTERS[[a.right for a in question.answers].index(True)] for question in questions]
    return (np.array(list(answers.values())) == right).astype(float)


def analyse(answers: dict[str, list[str]], questions: tuple[Question, ...]) -> list[ItemResult]:
    """Return what the answers say of each question, in the questions' order."""
    marks = scores(answers, questions)
    results = []
    for k, question in enumerate(questions):
        counts = Counter(letters[k] for letters in answers.values())
        shares = {letter: counts[letter] / len(answers) for letter in (*LETTERS, "")}
        wrong = {LETTERS[place]: answer.belief
                 for place, answer in enumerate(question.answers) if not answer.right}  # fmt: skip
        most = max(wrong, key=lambda letter: shares[letter])
        others = marks.sum(axis=1) - marks[:, k]
        constant = marks[:, k].std() == 0 or others.std() == 0
        results.append(ItemResult(
            right=marks[:, k].mean(),
            discrimination=np.nan if constant else np.corrcoef(marks[:, k], others)[0, 1],
            shares=shares,
            misled=wrong[most] if shares[most] else "",
        ))  # fmt: skip
    return results


def gain(before: float, after: float) -> float:
    """Return the share of what could be gained that was gained; nan if nothing could be.

    >>> gain(0.25, 0.7)
    0.6
    """
    return float("nan") if before == 1 else round((after - before) / (1 - before), 12)


def report(results: list[ItemResult], after: list[ItemResult] | None = None) -> str:
    """Return the results as a table of plain text."""
    lines = [" no.  right  discrimination   A     B     C   none" + "  after  gain" * bool(after)
             + "  most chosen wrong belief"]  # fmt: skip
    for k, item in enumerate(results, 1):
        chosen = "  ".join(f"{item.shares[letter]:4.0%}" for letter in (*LETTERS, ""))
        line = f"{k:4d}  {item.right:5.0%}  {item.discrimination:14.2f}  {chosen}"
        if after:
            then = after[k - 1].right
            line += f"  {then:5.0%}  {gain(item.right, then):4.2f}"
        lines.append(f"{line}  {item.misled or '-'}")
    mean = np.mean([item.right for item in results])
    lines.append(f"mean  {mean:5.0%}")
    if after:
        then = np.mean([item.right for item in after])
        lines.append(f"mean after {then:.0%}, gain {gain(mean, then):.2f} of what could be gained")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the analysis of one class's answers, or of both forms and the gain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="answers to the form given before the course")
    parser.add_argument("--after", type=Path, help="answers to the form given after it")
    options = parser.parse_args(arguments)
    results, others = {}, []
    try:
        for name in inventory.FORMS:
            if path := getattr(options, name):
                questions = inventory.form(name)
                answers, unknown = read_answers(path, len(questions))
                results[name] = analyse(answers, questions)
                for one, count in unknown.items():
                    others.append(f"{path}, question {one!r}: {UNKNOWN} {count} of {len(answers)}")
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(report(**{"results": results["before"], "after": results.get("after")}))
    if others:
        print("", *others, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
