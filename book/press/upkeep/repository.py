"""Change the repository's address everywhere: give the new one."""

from __future__ import annotations

import re
import sys

from book.press import address
from book.press.places import ROOT

PLACES = ["README.md", "CITATION.cff", "book/run.md", "book/_config.yml", "notebooks/*.ipynb"]


def main(arguments: list[str]) -> int:
    """Replace the old address by the new one in every place that holds it."""
    if len(arguments) != 1 or not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", arguments[0]):
        print("give one address such as https://github.com/you/your-book", file=sys.stderr)
        return 2
    old, new = address.repository(), arguments[0].removesuffix(".git")
    for path in sorted(path for place in PLACES for path in ROOT.glob(place)):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new), encoding="utf-8")
            print(f"changed {path.relative_to(ROOT)}")
    print("Now run make notebooks and make site.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
