"""The questions cannot be guessed: nothing but what it says tells a right answer from a wrong."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from book.press import chapters
from book.press.course import inventory, questions
from book.press.course.questions import Answer
from book.press.markdown import plain_text

IN_QUIZZES = {
    f"{chapter.name[:2]}, question {k}": asked
    for chapter in chapters.in_order()
    for k, asked in enumerate(questions.quiz(chapter.name), 1)
}
QUIZZES = {name: answers for name, (_, answers) in IN_QUIZZES.items()}
BANK = {question.id: question.answers for question in questions.bank()}
BEFORE, AFTER = ({q.id: q.answers for q in inventory.form(name)} for name in inventory.FORMS)
STEMS = {name: text for name, (text, _) in IN_QUIZZES.items()} | {
    question.id: question.text
    for question in (*questions.bank(), *inventory.form("before"), *inventory.form("after"))
}
SETS = pytest.mark.parametrize(
    "asked", [QUIZZES, BANK, BEFORE, AFTER], ids=["quizzes", "bank", "before", "after"]
)
ABSOLUTE = {"always", "never", "only", "all", "every", "no"}
HEDGE = {"usually", "often", "may", "can", "sometimes", "depends"}


def lengths(answers: tuple[Answer, ...]) -> list[int]:
    return [len(plain_text(answer.text)) for answer in answers]


def right_length(answers: tuple[Answer, ...]) -> int:
    return next(len(plain_text(answer.text)) for answer in answers if answer.right)


def words(answer: Answer) -> set[str]:
    """Give an answer's words; the rival's name *no change* says nothing about certainty."""
    return set(re.findall(r"[a-z]+", answer.text.lower().replace("no change", "")))


def alone(answers: tuple[Answer, ...], telling: set[str]) -> bool:
    return sum(bool(words(answer) & telling) for answer in answers) == 1


def test_every_question_has_three_answers():
    assert {len(answers) for answers in (*QUIZZES.values(), *BANK.values())} == {3}
    assert len(QUIZZES) == 105


@SETS
def test_neither_the_longest_nor_the_shortest_answer_is_the_likely_one(asked):
    longest = sum(right_length(answers) == max(lengths(answers)) for answers in asked.values())
    shortest = sum(right_length(answers) == min(lengths(answers)) for answers in asked.values())
    assert longest / len(asked) <= 0.45, f"the longest answer is right in {longest}"
    assert shortest / len(asked) <= 0.45, f"the shortest answer is right in {shortest}"


def every_word(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", plain_text(text).lower()))


def telling_words(text: str) -> set[str]:
    """Give the long words' first letters, so that *rows* and *row*, *learn* and *learning* meet."""
    return {word[:5] for word in every_word(text) if len(word) > 3}


def with_stem(stem: set[str], answer: set[str], others: list[set[str]]) -> float:
    return len(answer & stem)


def with_others(stem: set[str], answer: set[str], others: list[set[str]]) -> float:
    return len(answer & set().union(*others))


def likeness(stem: set[str], answer: set[str], others: list[set[str]]) -> float:
    """Tell how like the others an answer is: the least like one is the odd one out."""
    return sum(len(answer & other) / max(1, len(answer | other)) for other in others)


def chance(name: str, answers: tuple[Answer, ...], words_of, score, choose) -> float:
    """Return the chance to be right by choosing after a score, and by lot among equals."""
    stem, said = words_of(STEMS[name]), [words_of(answer.text) for answer in answers]
    scores = [score(stem, one, [other for other in said if other is not one]) for one in said]
    chosen = [answer.right for answer, one in zip(answers, scores, strict=True)
              if one == choose(scores)]  # fmt: skip
    return sum(chosen) / len(chosen)


@SETS
@pytest.mark.parametrize("words_of", [every_word, telling_words])
@pytest.mark.parametrize("score", [with_stem, with_others, likeness])
@pytest.mark.parametrize("choose", [min, max])
def test_no_answer_is_the_likely_one_by_the_words_that_it_shares(asked, words_of, score, choose):
    right = sum(chance(name, answers, words_of, score, choose) for name, answers in asked.items())
    assert right / len(asked) <= 0.45, f"{right:.1f} of {len(asked)} are guessed"


@SETS
def test_each_place_is_right_as_often_as_the_others(asked):
    places = Counter([a.right for a in answers].index(True) for answers in asked.values())
    for place in range(3):
        assert 0.25 <= places[place] / len(asked) <= 0.42, f"{'ABC'[place]}: {places[place]}"


@SETS
def test_no_answer_stands_out_by_its_length(asked):
    for name, answers in asked.items():
        assert max(lengths(answers)) <= 2 * min(lengths(answers)) + 4, name


@SETS
def test_no_answer_stands_alone_with_an_absolute_word_or_a_hedge(asked):
    for name, answers in asked.items():
        for telling in (ABSOLUTE, HEDGE):
            assert not alone(answers, telling), f"{name}: {[a.text for a in answers]}"


def test_every_wrong_answer_has_a_belief_behind_it_and_no_right_one():
    for name, answers in (BANK | BEFORE | AFTER).items():
        for answer in answers:
            assert answer.right != bool(answer.belief), f"{name}: {answer.text}"
            assert re.fullmatch(r"(?:[a-z]+[ -]?){2,6}", answer.belief) or answer.right, name


def test_beliefs_that_do_not_fit_the_wrong_answers_are_refused():
    answers = (Answer("As now.", "Right."), Answer("Twice.", "No."))
    with pytest.raises(ValueError, match="q01-1 has 1 wrong answers and 2 beliefs"):
        questions.believed(answers, ["more is better", "less is better"], "q01-1")
