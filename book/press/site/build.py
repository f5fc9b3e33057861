"""Build the site into book/_build/html; warnings are errors. Quick when nothing has changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from book.press import tool
from book.press.files import digest, sources
from book.press.places import BUILD, HTML, ROOT

LOG = BUILD / "build.log"
# Jupyter Book writes this page without its type, language and title.
FRONT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Refresh" content="0; url=book/index.html">
<title>Static vs. Dynamic AI Models</title></head>
<body><p><a href="book/index.html">To the book</a></p></body></html>
"""
DONE = BUILD / "done.json"


def made_from() -> str:
    """Return a name for all that the site is made from: files, environment, settings."""
    files = sources()
    names = [path.relative_to(ROOT).as_posix() for path in files]
    settings = [f"{name}={os.environ.get(name, '')}" for name in ("LAB", "BOOK_PDF")]
    return digest(files, sys.version, *settings, *names)


def up_to_date(now: str) -> bool:
    """Tell whether the site was made from the same, and is there whole."""
    done = json.loads(DONE.read_text(encoding="utf-8"))
    return done["made_from"] == now and all(
        (HTML / name).is_file() and (HTML / name).stat().st_size == size
        for name, size in done["files"].items()
    )


def steady() -> dict[str, str]:
    """Return an environment of one thread: quickest on small data, whatever else goes on."""
    return {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONHASHSEED": "0"}


def pages() -> bool:
    """Run Jupyter Book on the repository's root; print its log only if it fails."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *tool.command("jupyter_book.cli.main"), "build", ".",
        "--config", "book/_config.yml", "--toc", "book/_toc.yml",
        "--path-output", "book", "-W", "--keep-going", "-q",
    ]  # fmt: skip
    with open(LOG, "w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=steady())
    if done.returncode:
        print(LOG.read_text(encoding="utf-8")[-6000:], file=sys.stderr)
        print("make: the site was not built; the lines above say why", file=sys.stderr)
    return not done.returncode


def build(ready: Callable[[], None] = lambda: None) -> int:
    """Build what has changed: the pages, then, when ``ready`` has been called, all else."""
    now = made_from()
    if not DONE.exists():
        # A build that failed or was stopped: a page that it has read would pass unread.
        shutil.rmtree(HTML.parent / ".doctrees", ignore_errors=True)
    elif up_to_date(now):
        print(f"The site in {HTML.relative_to(ROOT)} is up to date")
        ready()
        return 0
    DONE.unlink(missing_ok=True)
    tool.without_grammars()
    from book.press.course import handouts
    from book.press.lab import build as lab

    with_lab, end = timed("the lab's Python", lab.start)  # the pages say how large it is
    if not timed("the pages", pages):
        return 1
    (HTML / "index.html").write_text(FRONT, encoding="utf-8")
    ready()
    with ThreadPoolExecutor() as beside:
        lab_ends = beside.submit(timed, "the lab", end)
        timed("slides and notebooks", handouts.make)
        lab_ends.result()
    there = {path.relative_to(HTML).as_posix(): path.stat().st_size
             for path in HTML.rglob("*") if path.is_file()}  # fmt: skip
    # A lab that could not be had is asked for again.
    wanted = with_lab or os.environ.get("LAB") == "0"
    done = {"made_from": now if wanted else "", "files": there}
    DONE.write_text(json.dumps(done), encoding="utf-8")
    print(f"The site is in {HTML.relative_to(ROOT)}")
    return 0


def timed(what: str, make: Callable[[], Any]) -> Any:
    """Make a part, and say how long that took."""
    began = time.monotonic()
    made = make()
    print(f"Made {what}: {time.monotonic() - began:.0f} s", flush=True)
    return made


if __name__ == "__main__":
    sys.exit(build())
