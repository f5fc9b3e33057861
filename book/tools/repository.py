"""Change the repository's address everywhere: repository.py NEW_ADDRESS."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ["README.md", "CITATION.cff", "book/run.md", "book/_config.yml", "notebooks/*.ipynb"]


def current(path: Path = ROOT / "book" / "_config.yml") -> str:
    """Return the configured address: the one in book/_config.yml."""
    found = re.search(r"^  url: (https://\S+)$", path.read_text(encoding="utf-8"), re.M)
    if not found:
        raise ValueError(
            f"{path}: there is no address of the repository; add it under repository as url: https://…"
        )
    return found[1]


def main(arguments: list[str]) -> int:
    """Replace the old address by the new one in every place that holds it."""
    if len(arguments) != 1 or not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", arguments[0]):
        print("give one address such as https://github.com/you/your-book", file=sys.stderr)
        return 2
    old, new = current(), arguments[0].removesuffix(".git")
    for path in sorted(path for place in PLACES for path in ROOT.glob(place)):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new), encoding="utf-8")
            print(f"changed {path.relative_to(ROOT)}")
    print("Now run make notebooks and make site.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
