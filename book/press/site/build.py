"""Build the site into book/_build/html; warnings are errors. Quick when nothing has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from book.press.course import handouts
from book.press.lab import build as lab
from book.press.places import BUILD, HTML, ROOT

LOG = BUILD / "build.log"
# Jupyter Book writes this page without its type, language and title.
FRONT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Refresh" content="0; url=book/index.html">
<title>Static vs. Dynamic AI Models</title></head>
<body><p><a href="book/index.html">To the book</a></p></body></html>
"""


def build() -> int:
    """Run Jupyter Book on the repository's root; print its log only if it fails."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    lab.main()
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".",
        "--config", "book/_config.yml", "--toc", "book/_toc.yml",
        "--path-output", "book", "-W", "--keep-going", "-q",
    ]  # fmt: skip
    with open(LOG, "w", encoding="utf-8") as log:
        # One thread: quickest on data of this size, whatever else the machine is doing.
        environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
    if done.returncode:
        # A page that was read with a warning would pass unread the next time.
        shutil.rmtree(HTML.parent / ".doctrees", ignore_errors=True)
        print(LOG.read_text(encoding="utf-8")[-6000:], file=sys.stderr)
        print("make: the site was not built; the lines above say why", file=sys.stderr)
        return 1
    (HTML / "index.html").write_text(FRONT, encoding="utf-8")
    handouts.make()
    print(f"The site is in {HTML.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(build())
