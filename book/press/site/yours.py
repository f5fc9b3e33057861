"""The page on which a reader's own table is compared, where the site has a lab."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press.files import digest
from book.press.lab import vendored
from book.press.lab.python import PACKAGE
from book.press.lab.python import edition as python_edition
from book.press.live import needed
from book.press.live.packages import COMPANION_NEEDS, chosen, imported, megabytes
from book.press.places import BOOK, NOTEBOOKS
from book.press.render import fill
from book.press.site import about
from book.press.site.live import python_of, saved_files
from companion.streams.catalogue import DATA

PAGE = "book/your_stream"
PLACE = '<div id="yours"></div>'
BAKERY = NOTEBOOKS / "bakery.csv"  # as chapter 21 makes it
WITHOUT = "<p>This copy of the site was built without Python in its pages.</p>"
SAMPLES = (
    ("bike_sharing.csv.gz", "Bike rides", "Two years of bike rides in Washington"),
    ("liver.csv.gz", "Patients", "Visits of 312 liver patients to one clinic"),
    ("bakery.csv", "A bakery, made up", "This bakery is made up; a rival opens in its second year"),
)  # fmt: skip
PRICES = (
    ("cost_of_error", "One unit of error, or one wrong class"),
    ("cost_of_update", "One retraining"),
    ("cost_of_label", "One label"),
)
# The chapter that explains a strategy: the first pattern that its name fits.
EXPLAINED = (
    ("corrected per key", "09_learning_you"),
    ("^blend|^following|^line over", "15_better_together"),
    ("^frozen", "03_how_models_age"),
    ("^refit", "06_yesterdays_map"),
    ("^triggered", "08_drift_and_recovery"),
    ("^online", "07_one_row_at_a_time"),
    ("", "01_one_stream_two_models"),
)
FILES = (
    "yours.py",
    "python.mjs",
    "later.py",
    "wheels.py",
    "worker.mjs",
    "parquet.mjs",
    "parquet.py",
)
# The line-up imports these when it makes its models.
RUNS = "import joblib, river, sklearn, threadpoolctl\nfrom companion import rivals\n"
READS = "from companion.streams import description, guess, tables\n"
# The report and the table that are taken away.
TAKES = "import matplotlib, pandas\n"
OFFLINE = "offline.js"  # at the site's root: what it answers for must lie below it


@functools.cache
def edition() -> str:
    """Return a name for what the page fetches, so that a browser does not keep what is old."""
    files = [BOOK / "_static" / "live" / name for name in FILES]
    return digest([*files, BAKERY, Path(__file__)])[:8]


def packages_of(folder: Path) -> tuple[list[str], list[str]]:
    """Return the lab's packages that reading a table needs, and those that comparing needs."""
    return chosen(imported(READS), folder), chosen(imported(READS + RUNS), folder)


def all_packages(folder: Path) -> list[str]:
    """Return all packages that Python loads, from the first touch to the report."""
    return chosen(imported(READS + RUNS + TAKES), folder)


def own_files(live: Path) -> dict[str, Path]:
    """Return the page's own files by what it asks for."""
    asked = {
        f"{name}?e={edition()}": live / name
        for name in (*FILES, "needed.py", "yours.json", *(file for file, _, _ in SAMPLES))
    }
    scripts = BOOK / "_static" / "live"
    return asked | {path.relative_to(scripts).as_posix(): path for path in vendored.scripts()}


def add_page(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Put the page's parts where it leaves room for them."""
    if page != PAGE or "body" not in context:
        return
    folder = python_of(app)
    if not folder.is_dir():
        context["body"] = context["body"].replace(PLACE, WITHOUT)
        return
    html = fill(
        "site/templates/your_stream.html", edition=edition(), samples=SAMPLES, prices=PRICES,
        megabytes=megabytes(packages_of(folder)[1], folder),
        saving=megabytes(all_packages(folder), folder),
    )  # fmt: skip
    context["body"] = context["body"].replace(PLACE, html)
    app.add_css_file("live/live.css")
    app.add_css_file("live/yours.css")
    app.add_js_file("live/yours.mjs", type="module")
    app.add_js_file("live/keep.mjs", type="module")


def put_files(app: Sphinx, failure: Exception | None) -> None:
    """Lay the samples beside the scripts, and what the page asks for when it is touched."""
    folder = python_of(app)
    if failure or not folder.is_dir():
        return
    target = Path(app.outdir) / "_static" / "live"
    shutil.copy(needed.__file__, target)
    for path in (*(DATA / file for file, _, _ in SAMPLES[:2]), BAKERY):
        shutil.copy(path, target)
    reads, runs = packages_of(folder)
    asked = {
        "packages": reads, "later": runs, "companion": PACKAGE, "needs": COMPANION_NEEDS,
        "edition": python_edition(folder),
        "explained": [[pattern, f"../notebooks/{name}.html"] for pattern, name in EXPLAINED],
    }  # fmt: skip
    for _, name in EXPLAINED:
        assert (NOTEBOOKS / f"{name}.ipynb").is_file(), name
    about_page = target / "yours.json"
    about_page.write_text(json.dumps(asked), encoding="utf-8")
    shutil.copy(target / OFFLINE, app.outdir)
    files = saved_files(Path(app.outdir), folder, all_packages(folder), own_files(target))
    asked |= {"files": files, "saved": digest([about_page], edition())[:12]}
    about_page.write_text(json.dumps(asked), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", add_page)
    app.connect("build-finished", put_files)
    return about()
