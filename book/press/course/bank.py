"""Write the question bank for learning-management systems: to build/bank, or to a folder.

Moodle reads XML, other systems a QTI 2.1 content package: items, a test a chapter, a manifest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from book.press import chapters
from book.press.course import questions
from book.press.course.questions import Question
from book.press.files import zip_bytes
from book.press.places import ROOT
from book.press.render import fill

FILES = {"moodle": "static-vs-dynamic-moodle.xml", "qti": "static-vs-dynamic-qti21.zip"}
FOLDER = "downloads"


def moodle(bank: Sequence[Question]) -> str:
    """Return the bank as Moodle XML, one category for each chapter."""
    return moodle_xml([
        (f"{chapter.number:02d}", f"{chapter.number:02d} {chapter.title}",
         [question for question in bank if question.chapter == chapter.number])
        for chapter in chapters.in_order()
    ])  # fmt: skip


def moodle_xml(categories: Sequence[tuple[str, str, Sequence[Question]]]) -> str:
    """Return questions as Moodle XML, by categories: each an identifier, a title, its questions."""
    return fill("course/templates/moodle.xml", categories=categories)


def qti(bank: Sequence[Question]) -> bytes:
    """Return the bank as a QTI 2.1 content package, a zip archive."""
    files = {f"items/{q.id}.xml": fill("course/templates/qti_item.xml", question=q) for q in bank}
    tests: dict[str, list[Question]] = {}
    for chapter in chapters.in_order():
        if some := [q for q in bank if q.chapter == chapter.number]:
            number = f"{chapter.number:02d}"
            tests[number] = some
            files[f"tests/{number}.xml"] = fill(
                "course/templates/qti_test.xml", chapter=chapter, bank=some
            )
    files["imsmanifest.xml"] = fill("course/templates/qti_manifest.xml", bank=bank, tests=tests)
    return zip_bytes({name: text.encode() for name, text in files.items()})


def write(folder: Path) -> list[Path]:
    """Write both files into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    moodle_file, qti_file = folder / FILES["moodle"], folder / FILES["qti"]
    moodle_file.write_text(moodle(questions.bank()), encoding="utf-8")
    qti_file.write_bytes(qti(questions.bank()))
    return [moodle_file, qti_file]


def main(arguments: list[str]) -> int:
    """Write both files; say where they are and how many questions they hold."""
    try:
        paths = write(Path(arguments[0]) if arguments else ROOT / "build" / "bank")
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{len(questions.bank())} questions in", *paths, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
