"""Print how many mutants each file's tests have killed, and name those that live.

Run by ``make mutants``, after mutmut, which keeps its findings in the folder ``mutants``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

GOAL = 0.9
LIVES = {0: "lives", 5: "no test", 33: "no test", 34: "skipped", 35: "suspicious", None: "not run"}


def by_file(folder: Path) -> dict[str, dict[str, str]]:
    """Return, for each mutated file, what became of each of its mutants."""
    fates = {}
    for path in sorted(folder.rglob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            name = path.relative_to(folder).as_posix().removesuffix(".meta")
            fates[name] = {mutant: LIVES.get(code, "killed") for mutant, code in codes.items()}
    return fates


def main(folder: Path) -> int:
    """Print the table; return 1 if too many mutants of a file live."""
    fates, short = by_file(folder), []
    print(f"{'file':32} {'mutants':>7} {'killed':>7}  share")
    for name, of_file in fates.items():
        killed = sum(fate == "killed" for fate in of_file.values())
        print(f"{name:32} {len(of_file):7} {killed:7}  {killed / len(of_file):5.1%}")
        short += [name] if killed < GOAL * len(of_file) else []
    for of_file in fates.values():
        for mutant, fate in of_file.items():
            if fate != "killed":
                print(f"{fate}: {mutant}")
    if short:
        print(f"mutants: fewer than {GOAL:.0%} were killed in {', '.join(short)}", file=sys.stderr)
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main(Path("mutants/companion")))
