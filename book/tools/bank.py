"""Write the question bank for learning-management systems: bank.py [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import exports  # noqa: E402
import questions  # noqa: E402


def main(arguments: list[str]) -> int:
    """Write both files; say where they are and how many questions they hold."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "bank"
    try:
        paths = exports.write(folder)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{len(questions.bank())} questions in", *paths, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
