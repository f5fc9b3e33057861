"""The question bank: the chapters' quizzes, tagged, and questions that stand in no chapter."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from dataclasses import dataclass, replace

from book.press import chapters
from book.press.markdown import plain_text
from book.press.places import BOOK

BANK = BOOK / "questions.toml"
LEVELS = {1: "recognise", 2: "explain or apply", 3: "carry over or weigh"}
ANSWER = re.compile(
    r'<details class="answer"><summary>(?:[A-Z]\. )?(.*?)</summary>\s*(.*?)\s*</details>', re.S
)


@dataclass(frozen=True)
class Answer:
    """One answer, what to say to somebody who gives it, and the belief behind a wrong one."""

    text: str
    feedback: str
    belief: str = ""

    @property
    def right(self) -> bool:
        """Tell whether it is the right one: its feedback says so in its first word."""
        return bool(re.match(r"Right\b", self.feedback))


@dataclass(frozen=True)
class Question:
    """One question: where it stands, which outcome it tests, how hard it is."""

    id: str
    chapter: int
    outcome: str
    level: int
    text: str
    answers: tuple[Answer, ...]
    in_quiz: bool

    @property
    def title(self) -> str:
        """Return a name for lists: its number and its first words."""
        words = plain_text(self.text).split()
        more = " …" if len(words) > 9 else ""
        return f"{self.id.upper()} {' '.join(words[:9])}{more}"


@functools.cache
def outcomes() -> dict[str, str]:
    """Return what a reader can do after each chapter: "3.2" is chapter 3's second objective."""
    found = {}
    for chapter in chapters.in_order():
        head = chapters.markdown_of(chapter.name).split("**Time:**")[0]
        for number, text in re.findall(r"^(\d)\. (.*?)[;.]?$", head, re.M):
            found[f"{chapter.number}.{number}"] = text
    return found


def quiz(name: str) -> list[tuple[str, tuple[Answer, ...]]]:
    """Return the questions of a chapter's quiz, each with its answers."""
    text = chapters.markdown_of(name).split("\n## Quiz\n")[1]
    return questions_in(text.split("\n## Exercises")[0])


def questions_in(markdown: str) -> list[tuple[str, tuple[Answer, ...]]]:
    """Return the quiz questions in some Markdown, each with its answers."""
    found = []
    for block in re.split(r"\*\*Question \d+\.\*\* ", markdown)[1:]:
        answers = tuple(Answer(*pair) for pair in ANSWER.findall(block))
        found.append((block.split("<details")[0].strip(), answers))
    return found


@functools.cache
def bank() -> tuple[Question, ...]:
    """Return every question, chapter by chapter: the quiz first, then what only the bank has."""
    noted = tomllib.loads(BANK.read_text(encoding="utf-8"))
    found = []
    for chapter in chapters.in_order():
        tags = noted["tags"].get(chapter.name, [])
        asked = quiz(chapter.name)
        check_tags(chapter.name, [text for text, _ in asked], tags)
        for k, ((text, answers), (_, outcome, level, beliefs)) in enumerate(
            zip(asked, tags, strict=True)
        ):
            name = f"q{chapter.number:02d}-{k + 1}"
            answers = mixed(believed(answers, beliefs, name), text)
            found.append(Question(name, chapter.number, outcome, level, text, answers, True))
        extra = [q for q in noted["extra"] if q["outcome"].startswith(f"{chapter.number}.")]
        for k, q in enumerate(extra):
            name, text = f"b{chapter.number:02d}-{k + 1}", q["text"]
            answers = mixed(tuple(Answer(*a) for a in q["answers"]), text)
            found.append(
                Question(name, chapter.number, q["outcome"], q["level"], text, answers, False)
            )
    return tuple(found)


def believed(answers: tuple[Answer, ...], beliefs: list[str], name: str) -> tuple[Answer, ...]:
    """Give each wrong answer the belief that leads to it, in the order in which they stand.

    Parameters
    ----------
    answers : tuple of Answer
        A question's answers.
    beliefs : list of str
        One name for each wrong answer.
    name : str
        The question, for the error.

    Returns
    -------
    tuple of Answer

    Raises
    ------
    ValueError
        If there are not as many names as wrong answers.

    Examples
    --------
    >>> pair = (Answer("As now.", "Right."), Answer("Twice.", "No."))
    >>> believed(pair, ["growth in proportion"], "q01-1")[1].belief
    'growth in proportion'
    """
    wrong = [answer for answer in answers if not answer.right]
    if len(wrong) != len(beliefs):
        raise ValueError(
            f"book/questions.toml: {name} has {len(wrong)} wrong answers and {len(beliefs)} "
            "beliefs; name one belief for each wrong answer, in their order"
        )
    named = {id(answer): replace(answer, belief=belief)
             for answer, belief in zip(wrong, beliefs, strict=True)}  # fmt: skip
    return tuple(named.get(id(answer), answer) for answer in answers)


def of_chapter(number: int) -> list[Question]:
    """Return a chapter's questions."""
    return [question for question in bank() if question.chapter == number]


def mixed(answers: tuple[Answer, ...], text: str) -> tuple[Answer, ...]:
    """Return answers in an order that chance chose once, so that no place is the likely one."""

    def lot(answer: Answer) -> str:
        return hashlib.sha256(f"{text}{answer.text}".encode()).hexdigest()

    return tuple(sorted(answers, key=lot))


def check_tags(name: str, asked: list[str], tags: list[list]) -> None:
    """Refuse tags that no longer fit a chapter's quiz, in one sentence that says what to do."""
    for k in range(max(len(asked), len(tags))):
        if k >= len(tags):
            raise ValueError(
                f"book/questions.toml: {name} has no tags for question {k + 1} "
                f"({asked[k][:40]!r}); add its beginning, its outcome and its level"
            )
        if k >= len(asked) or not asked[k].startswith(tags[k][0]):
            raise ValueError(
                f"book/questions.toml: {name}, line {k + 1} begins {tags[k][0]!r}, but the quiz "
                f"has {asked[k][:40] if k < len(asked) else 'none'!r}; bring them together"
            )
