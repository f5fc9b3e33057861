"""Execute notebooks and store their outputs; only those whose code has changed, unless told."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from book.press.live.knobs import search
from book.press.places import NOTEBOOKS, ROOT
from book.press.upkeep import phone
from companion.files.atomic import write_atomically


def source_hash(notebook: nbformat.NotebookNode) -> str:
    """Return a digest of the notebook's code; the tests compare outputs, whatever else changed."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()[:16]


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from machine to machine and from day to day; join split text outputs."""
    version = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    notebook.metadata["language_info"] = version
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"
    }  # fmt: skip
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        joined: list = []
        for output in cell.outputs:
            last = joined[-1] if joined else None
            same = last and last.output_type == output.output_type == "stream"
            if same and last.name == output.name:
                last.text += output.text
            else:
                joined.append(output)
        cell.outputs = joined


def execute(path: Path, every: bool) -> bool:
    """Execute one notebook if need be; return whether all went well."""
    notebook = nbformat.read(path, as_version=4)
    digest = source_hash(notebook)
    if not every and notebook.metadata.get("companion", {}).get("source") == digest:
        print(f"{path.name}: up to date")
        return True
    resources = {"metadata": {"path": str(path.parent)}}
    phones = ["--IPKernelApp.extra_extensions=book.press.upkeep.phone"]
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources,
                            extra_arguments=phones)  # fmt: skip
    try:
        client.execute()
    except CellExecutionError as error:
        failed = next(
            (n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"
             and any(out.output_type == "error" for out in cell.outputs)), -1,
        )  # fmt: skip
        print(
            f"{path.name}, cell {failed}: {error.ename}: {error.evalue}; "
            "mend the cell and run make notebooks again (the stored file was left as it was)",
            file=sys.stderr,
        )
        return False
    clean(notebook)
    notebook.metadata["companion"] = {"source": digest}
    write_atomically(path, (nbformat.writes(notebook) + "\n").encode())
    keep_tuned(path)
    print(f"{path.name}: executed")
    return True


def keep_tuned(path: Path) -> None:
    """Write down the values that a chapter tunes before its knobs, for its page."""
    found = search(path)
    if found:
        notebook = nbformat.read(path, as_version=4)
        next(c for c in notebook.cells if "tuned" in c.metadata).metadata["tuned"] = found
        write_atomically(path, (nbformat.writes(notebook) + "\n").encode())


def main() -> int:
    """Execute the notebooks in reading order, on one thread, as the tests do."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["PYTHONPATH"] = str(ROOT)  # so that a kernel finds what draws for phones
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", default="0", help="1 executes all")
    parser.add_argument("only", nargs="*", help="how the files' names begin, such as 07")
    options = parser.parse_args()
    paths = [
        path for path in [*sorted(NOTEBOOKS.glob("[0-9]*.ipynb")),
                          *sorted(NOTEBOOKS.glob("capstone/*.ipynb")),
                          *NOTEBOOKS.glob("your_own_data.ipynb")]
        if not options.only or path.name.startswith(tuple(options.only))
    ]  # fmt: skip
    results = [execute(path, options.all == "1") for path in paths]
    phone.forget_old()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
