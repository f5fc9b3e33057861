"""Price the verdict: what each strategy of the record costs at the reader's prices.

Only streams of classes are priced, since only there is an error the same thing everywhere: one
wrong row. Costs are those of ``companion.recommend``, for 1,000 rows after the warm-up.
"""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

from sphinx.application import Sphinx

from book.press.markdown import raw_html
from book.press.render import fill
from book.press.site import about, when_built
from book.press.site.claims_map import SPEEDS, recorded_runs

CHAPTERS = ("15_better_together", "17_where_it_starts", "21_choosing")
AFTER = '</section>\n<section id="when-the-other-side-wins">'
FILE = "priced.json"
LATE = ("at once", "a fiftieth of the stream late", "a twentieth of the stream late")


def world(row: Any) -> str:
    """Return what a stream is called in the table; simulated ones by how their rule moves."""
    if not row["real"]:
        return f"simulated, {SPEEDS[str(row['drift'])]}"
    group = str(row["group"])
    return "stocks, up or down" if group == "stocks" else group


def per_thousand(row: Any) -> list[float]:
    """Return a run's wrong rows, retrainings and labels for 1,000 rows after the warm-up."""
    scored = int(row["rows"] - row["warmup"])
    labels = max(0, int(row["labels_used"] - row["warmup"]))
    each = (row["error"] * scored, row["retrainings"], labels)
    return [round(1000 * float(value) / scored, 2) for value in each]


def priced() -> dict[str, list[dict[str, list[list[float]]]]]:
    """Return for each world, label delay and strategy what each of its streams cost."""
    table = recorded_runs()
    table = table[(table["task"] == "classification") & (table["family"] != "tree")]
    worlds: dict[str, list[dict[str, list[list[float]]]]] = {}
    delays = {name: sorted({int(d) for d in table["delay"][table["stream"] == name]})
              for name in set(table["stream"].tolist())}  # fmt: skip
    for row in table:
        by_delay = worlds.setdefault(world(row), [{} for _ in LATE])
        stops = delays[str(row["stream"])]
        by_strategy = by_delay[stops.index(int(row["delay"]))]
        by_strategy.setdefault(str(row["strategy"]), []).append(per_thousand(row))
    order = [f"simulated, {words}" for words in SPEEDS.values()]
    return dict(sorted(worlds.items(), key=lambda item: (
        order.index(item[0]) if item[0] in order else len(order), item[0])))  # fmt: skip


@functools.cache
def data() -> str:
    """Return what is priced, as JSON."""
    return json.dumps(priced(), separators=(",", ":")).replace("<", "\\u003c")


def price_the_verdict() -> str:
    """Return the panel as HTML; a script fills it."""
    return raw_html(fill("site/templates/prices.html", data=data(), address="", late=LATE))


def add_panel(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Put the panel below the verdict of each chapter that prices what it has found."""
    if page.removeprefix("notebooks/") not in CHAPTERS or "body" not in context:
        return
    address = f"../_static/{FILE}?v={hashlib.sha256(data().encode()).hexdigest()[:8]}"
    form = fill("site/templates/prices.html", data="", address=address, late=LATE)
    before, end, after = context["body"].partition(AFTER)
    context["body"] = before + form + end + after
    assert end, page
    app.add_js_file("prices.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", add_panel)
    when_built(app, lambda site: (site / "_static" / FILE).write_text(data(), encoding="utf-8"))
    return about()
