"""Predict first: what came out stays folded until the reader has said what they expect.

Cells tagged ``predict`` answer a chapter's question. The first of them has the form; all open with
it. Without scripts, and in print, nothing is folded.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from sphinx.application import Sphinx

from book.press.render import fill
from book.press.site import about
from book.press.site.cover import WARMUP, runs
from companion import streams
from companion.metrics import rolling_mean

CELL = re.compile(r'<div class="cell [^"]*\btag_predict\b[^"]*"')
OUTPUT = '<div class="cell_output docutils container">'
DRAWN = "01_one_stream_two_models"  # the chapter whose curve is drawn
WINDOW = 60  # days, as in the chapter's figure
TOP, STEP = 4000, 50  # rides a day at the upper edge; a knot moves by
WIDTH, HEIGHT = 400, 180


def curve() -> dict[str, Any]:
    """Return the frozen line's error over time: the path, and the days at which it is drawn."""
    means = rolling_mean(runs()["frozen"]["loss"], WINDOW)[WINDOW - 1 :]
    days = streams.bike_sharing().time[WARMUP + WINDOW - 1 :].astype("datetime64[D]")
    x = np.linspace(20, WIDTH - 20, len(means))
    y = HEIGHT * (1 - means / TOP)
    at = np.linspace(0, len(means) - 1, 7).round().astype(int)
    knots = [{"when": f"{days[k].item():%b %Y}", "x": round(x[k]), "truth": round(means[k])}
             for k in at]  # fmt: skip
    line = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x[::7], y[::7], strict=True))
    return {"knots": knots, "truth": line, "top": TOP, "step": STEP,
            "start": STEP * round(means[0] / STEP),
            "width": WIDTH, "height": HEIGHT}  # fmt: skip


def fold(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Put the form before the first output that answers the chapter's question."""
    if not page.startswith("notebooks/") or not (cell := CELL.search(context.get("body", ""))):
        return
    name = page.removeprefix("notebooks/")
    form = fill("site/templates/predict.html", name=name, curve=curve() if name == DRAWN else None)
    before, after = context["body"][: cell.end()], context["body"][cell.end() :]
    context["body"] = before + after.replace(OUTPUT, form + OUTPUT, 1)
    app.add_js_file("predict.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", fold)
    return about()
