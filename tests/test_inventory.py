"""The concept inventory: its two forms are parallel, and the analysis counts as by hand."""

from __future__ import annotations

import csv
import io
import math
from xml.etree import ElementTree

import pytest

from book.press.course import inventory, item_analysis, questions
from book.press.course.questions import Answer, Question


def test_both_forms_ask_for_the_same_24_beliefs_in_the_same_order():
    before, after = (inventory.form(name) for name in inventory.FORMS)
    beliefs = [item["belief"] for item in inventory.items()]
    assert len(before) == len(after) == len(set(beliefs)) == 24
    for belief, first, second in zip(beliefs, before, after, strict=True):
        assert first.outcome == second.outcome and first.outcome in questions.outcomes()
        assert first.text != second.text
        for question in (first, second):
            assert belief in [answer.belief for answer in question.answers], question.id
            assert sum(answer.right for answer in question.answers) == 1


def test_every_belief_of_the_inventory_stands_behind_an_answer_of_the_bank():
    named = {answer.belief for question in questions.bank() for answer in question.answers}
    for item in inventory.items():
        assert {item["belief"], item["before"]["other"], item["after"]["other"]} <= named, item


def test_the_forms_take_as_long_to_read():
    sizes = [
        sum(len(f"{q.text} {' '.join(a.text for a in q.answers)}".split()) for q in form)
        for form in map(inventory.form, inventory.FORMS)
    ]
    assert max(sizes) <= 1.1 * min(sizes), sizes


def test_the_sheets_do_not_give_the_key_away_and_the_key_fits_them():
    files = inventory.files()
    rows = list(csv.DictReader(io.StringIO(files["inventory-key.csv"])))
    assert len(rows) == 48
    for row in rows:
        question = inventory.form(row["form"])[int(row["item"]) - 1]
        right = question.answers["ABC".index(row["right"])]
        assert right.right and row[row["right"]] == "right"
    for name in inventory.FORMS:
        sheet = files[f"inventory-{name}.html"]
        assert sheet.count("<li>") == 72 and "Right" not in sheet
        assert not any(f"belief: {item['belief']}" in sheet for item in inventory.items())
        tree = ElementTree.fromstring(files[f"inventory-{name}-moodle.xml"].encode())
        assert [q.get("type") for q in tree] == ["category"] + ["multichoice"] * 24


# --- the analysis ----------------------------------------------------------------------------


def asked(number: int) -> Question:
    """Give a made-up question whose right answer is A; B and C follow from two beliefs."""
    answers = (Answer("x", "Right."), Answer("y", "No.", "b"), Answer("z", "No.", "c"))
    return Question(f"t-{number}", 1, "1.1", 1, f"Question {number}?", answers, False)


QUESTIONS = (asked(1), asked(2), asked(3))
CLASS = {"s1": ["A", "A", "A"], "s2": ["A", "A", "C"], "s3": ["A", "B", "C"], "s4": ["B", "C", ""]}


def test_difficulty_discrimination_and_distractors_are_those_computed_by_hand():
    """The scores are 111, 110, 100, 000; the sums of the others for item 1 are 2, 1, 0, 0."""
    one, two, three = item_analysis.analyse(CLASS, QUESTIONS)
    assert (one.right, two.right, three.right) == (0.75, 0.5, 0.25)
    # Item 1: products of deviations 3/4, squares 3/4 and 11/4. Item 2: 1, 1 and 2.
    assert one.discrimination == pytest.approx(math.sqrt(3 / 11))
    assert two.discrimination == pytest.approx(math.sqrt(1 / 2))
    assert three.discrimination == pytest.approx(math.sqrt(3 / 11))
    assert one.shares == {"A": 0.75, "B": 0.25, "C": 0, "": 0}
    assert three.shares == {"A": 0.25, "B": 0, "C": 0.5, "": 0.25}
    assert (one.misled, three.misled) == ("b", "c")


def test_an_item_that_all_know_discriminates_nobody():
    every = {"s1": ["A", "A", "B"], "s2": ["A", "B", "B"]}
    first = item_analysis.analyse(every, QUESTIONS)[0]
    assert first.right == 1 and math.isnan(first.discrimination) and first.misled == ""


def test_the_gain_is_the_share_of_what_was_left():
    assert item_analysis.gain(0.5, 0.75) == 0.5 and item_analysis.gain(0.5, 0.25) == -0.5
    assert math.isnan(item_analysis.gain(1, 1))


def write(path, rows):
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


HEAD = ["student", *map(str, range(1, 25))]


def test_the_tool_reads_two_files_and_prints_every_item(tmp_path, capsys):
    keys = [[inventory.LETTERS[[a.right for a in q.answers].index(True)]
             for q in inventory.form(name)] for name in inventory.FORMS]  # fmt: skip
    before = write(tmp_path / "b.csv", [HEAD, ["Ada", *keys[0]], ["Ben", *[""] * 24]])
    after = write(tmp_path / "a.csv", [HEAD, ["Ada", *keys[1]], ["Ben", *keys[1]]])
    assert item_analysis.main([str(before), "--after", str(after)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 27 and lines[1].split()[:3] == ["1", "50%", "1.00"]
    assert lines[-1] == "mean after 100%, gain 1.00 of what could be gained"


def test_columns_of_questions_that_the_book_does_not_have_are_named_and_counted(tmp_path, capsys):
    plain = write(tmp_path / "p.csv", [HEAD, ["Ada", *"A" * 24], ["Ben", *"B" * 24]])
    more = write(tmp_path / "m.csv", [
        [*HEAD[:3], "25", *HEAD[3:], "b03-9"],
        ["Ada", "A", "A", "E", *"A" * 22, "C"], ["Ben", "B", "B", "", *"B" * 22, "A"],
    ])  # fmt: skip
    said = []
    for path in (plain, more):
        assert item_analysis.main([str(path)]) == 0
        said.append(capsys.readouterr().out)
    assert said[1].startswith(said[0])
    unknown = "unknown here (another edition of the book?)"
    assert said[1].removeprefix(said[0]).split("\n")[1:3] == [
        f"{more}, question '25': {unknown}, answered by 1 of 2",
        f"{more}, question 'b03-9': {unknown}, answered by 2 of 2",
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["who", "1"]], "line 1: the head line"),
        ([HEAD[:-1]], "line 1: the head line"),
        ([[*HEAD, "24"]], "line 1: the head line"),
        ([HEAD], "no student"),
        ([HEAD, ["Ada", "A"]], "line 2: 2 cells instead of 25"),
        ([HEAD, ["Ada", "E", *[""] * 23]], "'E' answers question 1"),
        ([HEAD, ["Ada", *[""] * 24], ["Ada", *["A"] * 24]], "line 3: 'Ada' is there twice"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_sentence(tmp_path, capsys, rows, words):
    assert item_analysis.main([str(write(tmp_path / "x.csv", rows))]) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
