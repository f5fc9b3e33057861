"""Check that notebooks are fit to be committed: executed in order, clean, described."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

from companion import claims

# A formula that runs into the text before or after it is not set as a formula.
RUN_IN = re.compile(r"^(> ?)?[^$>\n]+\n(> ?)?\$\$|\$\$ *\n(> ?)?[^$>\s]", re.M)


def broken_record(n: int, record: object) -> list[str]:
    """Return what is wrong with a recorded verdict, in at most one sentence."""
    if not isinstance(record, dict):
        return [f"cell {n} records a verdict that is none; end it with claims.verdict(...)"]
    claim, outcome = record.get("claim"), str(record.get("outcome", ""))
    if claim not in claims.CLAIMS:
        return [
            f"cell {n} records a verdict on {claim!r}, which is no claim; see companion/claims.py"
        ]
    if outcome not in ("supported", "not supported here") and not outcome.startswith("only when "):
        return [f"cell {n} records the outcome {outcome!r}; let claims.verdict compute it"]
    for field in ("evidence", "heard", "would_change"):
        if not record.get(field):
            return [
                f"cell {n} records a verdict without {field!r}; end it with claims.verdict(...)"
            ]
    try:
        [claims.Evidence(**item) for item in record["evidence"]]
    except TypeError:
        return [f"cell {n} records evidence that is none; end it with claims.verdict(...)"]
    return []


def problems(path: Path) -> list[str]:
    """Return what is wrong with a notebook, one sentence each."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        why = str(error).splitlines()[0]
        return [f"this is no notebook ({why[:80]}); restore it, or save it again in Jupyter"]
    faults = []
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        faults.append("the kernel is not python3; run make notebooks")
    code = [(n, cell) for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for wanted, (n, cell) in enumerate(code, 1):
        if cell.execution_count != wanted:
            faults.append(f"cell {n} was not executed in order; run make notebooks ALL=1")
            break
    for n, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and RUN_IN.search(cell.source):
            faults.append(f"cell {n}: a $$ formula needs an empty line before and after it")
        if not cell.source.strip():
            faults.append(f"cell {n} is empty; remove it")
        if "execution" in cell.metadata:
            faults.append(f"cell {n} holds time stamps; run make notebooks ALL=1")
        for output in cell.get("outputs", ()):
            if claims.MIME in output.get("data", {}):
                faults += broken_record(n, output["data"][claims.MIME])
            if output.output_type == "error":
                faults.append(f"cell {n} ends in an error; mend it")
            if output.get("name") == "stderr":
                faults.append(f"cell {n} prints to stderr; mend the warning's cause")
            pictured = "image/png" in output.get("data", {})
            about = output.get("metadata", {}).get("image/png", {})
            if pictured and not (about.get("alt") and about.get("title")):
                faults.append(f"cell {n} shows a figure without alt text; end it with plots.show")
    return faults


def main(paths: list[str]) -> int:
    """Print every problem; exit 1 if there is any."""
    bad = [f"{path}: {what}" for path in paths for what in problems(Path(path))]
    print("\n".join(bad) if bad else f"{len(paths)} notebooks are clean")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
