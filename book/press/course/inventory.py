"""The concept inventory: 24 beliefs, asked before and after a course in two parallel forms."""

from __future__ import annotations

import csv
import functools
import io
import tomllib

from book.press import policies
from book.press.course.questions import Answer, Question, mixed
from book.press.markdown import raw_html, table
from book.press.places import BOOK
from book.press.render import fill

INVENTORY = BOOK / "inventory.toml"
FORMS = ("before", "after")
LETTERS = "ABC"


@functools.cache
def items() -> list[dict]:
    """Return the items as ``book/inventory.toml`` has them."""
    return tomllib.loads(INVENTORY.read_text(encoding="utf-8"))["item"]


@functools.cache
def form(name: str) -> tuple[Question, ...]:
    """Return one form's questions: "before" or "after", the same beliefs in the same order."""
    asked = []
    for k, item in enumerate(items(), 1):
        said = item[name]
        beliefs = (item["belief"], said["other"])
        answers = (Answer(said["right"], "Right."), *(
            Answer(text, f"This answer follows from a belief: {belief}.", belief)
            for text, belief in zip(said["wrong"], beliefs, strict=True)
        ))  # fmt: skip
        chapter = int(item["outcome"].split(".")[0])
        text, mix = said["text"], mixed(answers, said["text"])
        asked.append(Question(f"{name}-{k:02d}", chapter, item["outcome"], 2, text, mix, False))
    return tuple(asked)


def key() -> str:
    """Return the key of both forms as CSV: the right letter, and the belief behind each other."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["form", "item", "outcome", "belief", "right", *LETTERS])
    for name in FORMS:
        for k, (item, question) in enumerate(zip(items(), form(name), strict=True), 1):
            right = LETTERS[[answer.right for answer in question.answers].index(True)]
            beliefs = [answer.belief or "right" for answer in question.answers]
            rows.writerow([name, k, item["outcome"], item["belief"], right, *beliefs])
    return text.getvalue()


def sheet(name: str) -> str:
    """Return one form as a page to print, without the key."""
    return fill(
        "course/templates/inventory.html",
        form=name, questions=form(name), policy=policies.meta(policies.SITE),
    )  # fmt: skip


def files() -> dict[str, str]:
    """Return what the site offers: sheets, files for Moodle, and the key, by file name."""
    from book.press.course import bank

    found = {"inventory-key.csv": key()}
    for name in FORMS:
        title = f"Concept inventory, {name} the course"
        found[f"inventory-{name}.html"] = sheet(name)
        found[f"inventory-{name}-moodle.xml"] = bank.moodle_xml(
            [(f"inventory-{name}", title, form(name))]
        )
    return found


def concept_inventory() -> str:
    """Return the beliefs as a Markdown table, and the files as links."""
    rows = [[k, item["says"], item["outcome"]] for k, item in enumerate(items(), 1)]
    links = "".join(
        f'<li>{name.capitalize()} the course: <a href="inventory-{name}.html">a sheet '
        f'to print</a>, <a href="../downloads/inventory-{name}-moodle.xml" download>a file for '
        "Moodle</a></li>"
        for name in FORMS
    )
    links += '<li><a href="../downloads/inventory-key.csv" download>The key, with beliefs</a></li>'
    beliefs = table("columns", "rll", ["No.", "Belief", "Outcome"], rows)
    return f"{raw_html(f'<ul>{links}</ul>')}\n\n{beliefs}"
