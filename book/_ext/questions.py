"""The question bank: the chapters' quizzes, tagged, and questions that stand in no chapter."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pages
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

ROOT = Path(__file__).parents[2]
BANK = ROOT / "book" / "questions.toml"
LEVELS = {1: "recognise", 2: "explain or apply", 3: "carry over or weigh"}
ANSWER = re.compile(
    r'<details class="answer"><summary>(?:[A-Z]\. )?(.*?)</summary>\s*(.*?)\s*</details>', re.S
)


@dataclass(frozen=True)
class Answer:
    """One answer and what to say to somebody who gives it."""

    text: str
    feedback: str

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
        words = pages.plain_text(self.text).split()
        more = " …" if len(words) > 9 else ""
        return f"{self.id.upper()} {' '.join(words[:9])}{more}"


@functools.cache
def outcomes() -> dict[str, str]:
    """Return what a reader can do after each chapter: "3.2" is chapter 3's second objective."""
    found = {}
    for one in pages.chapters():
        head = pages.markdown_of(one.name).split("**Time:**")[0]
        for number, text in re.findall(r"^(\d)\. (.*?)[;.]?$", head, re.M):
            found[f"{one.number}.{number}"] = text
    return found


def quiz(name: str) -> list[tuple[str, tuple[Answer, ...]]]:
    """Return the questions of a chapter's quiz, each with its answers."""
    part = pages.markdown_of(name).split("\n## Quiz\n")[1].split("\n## Exercises")[0]
    found = []
    for block in re.split(r"\*\*Question \d+\.\*\* ", part)[1:]:
        answers = tuple(Answer(*pair) for pair in ANSWER.findall(block))
        found.append((block.split("<details")[0].strip(), answers))
    return found


@functools.cache
def bank() -> tuple[Question, ...]:
    """Return every question, chapter by chapter: the quiz first, then what only the bank has."""
    noted = tomllib.loads(BANK.read_text(encoding="utf-8"))
    found = []
    for one in pages.chapters():
        tags = noted["tags"].get(one.name, [])
        asked = quiz(one.name)
        check_tags(one.name, [text for text, _ in asked], tags)
        for k, ((text, answers), (_, outcome, level)) in enumerate(zip(asked, tags, strict=True)):
            name = f"q{one.number:02d}-{k + 1}"
            found.append(
                Question(name, one.number, outcome, level, text, mixed(answers, text), True)
            )
        extra = [q for q in noted["extra"] if q["outcome"].split(".")[0] == str(one.number)]
        for k, q in enumerate(extra):
            name, text = f"b{one.number:02d}-{k + 1}", q["text"]
            answers = mixed(tuple(Answer(*a) for a in q["answers"]), text)
            found.append(Question(name, one.number, q["outcome"], q["level"], text, answers, False))
    return tuple(found)


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


@functools.cache
def parser(mathml: bool) -> MarkdownIt:
    """Return a Markdown parser; formulas become MathML, or TeX between backslash brackets."""
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True})
    parser = parser.enable("smartquotes").use(dollarmath_plugin, double_inline=True)

    def formula(renderer: object, tokens: list, index: int, *_: object) -> str:
        tex = tokens[index].content
        return convert(tex) if mathml else escape(f"\\({tex}\\)")

    parser.renderer.rules["math_inline"] = formula.__get__(parser.renderer)
    return parser


def html(markdown: str, mathml: bool = True) -> str:
    """Return a line of Markdown as HTML, without a paragraph around it.

    >>> html("Why *no change*?")
    'Why <em>no change</em>?'
    >>> html("near $3/n$", mathml=False)
    'near \\\\(3/n\\\\)'
    """
    return parser(mathml).renderInline(unlinked(markdown)).strip()


def unlinked(markdown: str) -> str:
    """Return Markdown whose links became their words: they would lead nowhere outside the book."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown)


def overview() -> str:
    """Return how many questions each chapter has, by level, as a Markdown table."""
    lines = [":::{table}", ":class: columns bank-counts", "",
             "| Chapter | in its quiz | only here | level 1 | 2 | 3 |",
             "|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    everything = bank()
    for one in [*pages.chapters(), None]:
        some = [q for q in everything if one is None or q.chapter == one.number]
        name = f"[{one.number}. {one.title}](#bank-{one.number})" if one else "**all**"
        levels = Counter(q.level for q in some)
        known = sum(q.in_quiz for q in some)
        cells = [known, len(some) - known, *(levels[level] for level in LEVELS)]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ":::", ""])


def page() -> str:
    """Return the bank as Markdown: a filter that a script fills, then every question."""
    lines = [pages.raw_html('<form class="bank-filter" data-bank-filter hidden></form>'), ""]
    for one in pages.chapters():
        lines += [f"(bank-{one.number})=", f"### {one.number}. {one.title}", "", "```{raw} html"]
        lines += [card(q) for q in bank() if q.chapter == one.number]
        lines += ["```", ""]
    return "\n".join(lines)


def card(question: Question) -> str:
    """Return one question as HTML: its tags, its answers, and the feedback folded away."""
    place = "in the chapter's quiz" if question.in_quiz else "only in the bank"
    rows = "".join(
        f"<li>{html(answer.text)}<br><span class='bank-say'>{html(answer.feedback)}</span></li>"
        for answer in question.answers
    )
    choices = "".join(f"<li>{html(answer.text)}</li>" for answer in question.answers)
    return (
        f'<article class="bank-card" id="{question.id}" data-chapter="{question.chapter}" '
        f'data-outcome="{question.outcome}" data-level="{question.level}" '
        f'data-place="{"quiz" if question.in_quiz else "bank"}">'
        f"<p><b>{question.id.upper()}</b> {html(question.text)}</p>"
        f'<ol class="bank-choices">{choices}</ol>'
        f"<details><summary>What to say to each answer to {question.id.upper()}</summary>"
        f'<ol class="bank-choices">{rows}</ol></details>'
        f'<p class="bank-tags">Outcome {question.outcome}: '
        f"{html(outcomes()[question.outcome])} · level {question.level}, "
        f"{LEVELS[question.level]} · {place}</p></article>"
    )
