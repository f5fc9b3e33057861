"""Ask the Nu HTML Checker, the W3C's, what is wrong with the pages of the built site.

Its one file comes from the npm registry, once, and is accepted by its hash; Java runs it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from book.press.lab.fetch import CACHE
from book.press.places import HTML
from companion.files.atomic import write_atomically

PACKAGE = "vnu-jar@26.9.27"
# What `npm view vnu-jar@26.9.27 dist.integrity` says.
SHA512 = "TkQd5DFfOaWC9ebtvozTsrH2Vaod3jYg+vrOeREzIXxBexLz9+rS2DNtjn7+RPUiZhgli0SghgBX6RJRNea0KA=="


def missing() -> str:
    """Say what must be installed before pages can be checked; "" if nothing."""
    gone = [name for name in ("java", "npm") if not shutil.which(name)]
    return f"checking HTML needs {' and '.join(gone)} (Java 11 or later, Node 20)" if gone else ""


def checker() -> Path:
    """Return the checker, fetched if it is not in the cache."""
    jar = CACHE / f"{PACKAGE.replace('@', '-')}.jar"
    if jar.exists():
        return jar
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([shutil.which("npm"), "pack", "--silent", PACKAGE],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        packed = next(Path(folder).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if found != SHA512:
            raise ValueError(f"{PACKAGE} is not the published file: its SHA-512 is {found}")
        CACHE.mkdir(parents=True, exist_ok=True)
        with tarfile.open(packed) as files:
            write_atomically(jar, files.extractfile("package/build/dist/vnu.jar").read())
    return jar


def faults(pages: list[Path]) -> list[str]:
    """Return each error on the pages: its file and line, what is wrong, and what stands there."""
    command = ["java", "-Xss4m", "-jar", str(checker()), "--errors-only", "--exit-zero-always",
               "--stdout", "--format", "json", *map(str, pages)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"the HTML checker failed: {done.stderr.strip()[-300:]}")
    return [
        f"{one.get('url', '').rpartition('/')[2]}, line {one.get('lastLine', '?')}: "
        f"{one['message']} ({' '.join(one.get('extract', '').split())})"
        for one in json.loads(done.stdout)["messages"]
    ]


def pages(site: Path) -> list[Path]:
    """Return the pages of the built site and its slides; the lab's are JupyterLite's."""
    return [path for path in sorted(site.rglob("*.html"))
            if path.relative_to(site).parts[0] not in ("lab", "_static")]  # fmt: skip


if __name__ == "__main__":
    found = [missing()] if missing() else faults(pages(HTML))
    print("\n".join(found) or "no error on any page")
    sys.exit(bool(found))
