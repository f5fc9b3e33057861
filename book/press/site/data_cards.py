"""The data cards: where each stream comes from, what it means, and a picture of its labels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from book.press.files import digest, files_below, kept
from book.press.markdown import table
from book.press.places import ROOT
from book.press.site.figures import put_picture
from book.press.upkeep import phone
from companion import metrics, plots, streams

CARD_ROWS = {
    "span": "When", "who": "Who", "why": "Why", "missing": "Missing values",
    "drift": "Known drift", "limits": "Limits", "source": "Source", "attribution": "Credit",
}  # fmt: skip
# The code behind a picture; the data's digest is on its card.
DRAWN_BY = [
    *(path for path in files_below(ROOT / "companion" / "streams") if path.suffix == ".py"),
    *(ROOT / "companion" / name for name in ("stream.py", "metrics.py", "show/plots.py")),
    Path(phone.__file__),
]
MANY = 5000  # rows: more are drawn pale, with their mean


def linked(text: str) -> str:
    """Make bare web addresses links.

    >>> linked("UCI, https://doi.org/10.1. Cut.")
    'UCI, <https://doi.org/10.1>. Cut.'
    """
    return re.sub(r"https?://[^\s,;]*[^\s,;.]", r"<\g<0>>", text)


def card_figure(name: str, about: dict[str, Any]) -> str:
    """Draw every label of a stream and return the picture as Markdown."""

    def known(what: str, make: Callable[[], bytes]) -> bytes:
        return kept("cards", digest(DRAWN_BY, repr(about), name, what).encode(), make)

    what, alt = json.loads(known("words", lambda: json.dumps(words(name, about)).encode()))
    picture = known("wide", lambda: plots.image(drawn(name, what, about)))
    small = known("narrow", lambda: phone.small(drawn(name, what, about)) or b"")
    return f"![{alt}]({put_picture(f'data-{name}', picture, small)}){{.story}}"


def words(name: str, about: dict[str, Any]) -> tuple[str, str]:
    """Return what a stream's labels are, and the description of their picture."""
    stream = streams.load(name)
    what = about["unit"] or f"share of {stream.classes[1]!r}"
    drawn_as = "Each dot is the label of one row" if not stream.classes else "The line is the label"
    many = len(stream) > MANY
    line = "; the line is their mean over a hundredth of the rows" if many else ""
    alt = f"{drawn_as}{line}: {what}, {about['span']}. {about['drift']}"
    return what, re.sub(r"[\[\]]", "", alt)


def drawn(name: str, what: str, about: dict[str, Any]) -> Figure:
    """Draw a stream's labels."""
    stream = streams.load(name)
    x, axis, dated = np.arange(len(stream)), "row", stream.time is not None
    if about.get("days_since_start"):
        x, axis, dated = (stream.time - stream.time[0]) / np.timedelta64(1, "D"), "day", False
    elif dated:
        x, axis = stream.time, ""
    heading = f"{about['title']}: {len(stream):,} rows"
    fig, ax = plots.figure(heading, x=axis, y=what, dates=dated, figsize=(8, 3.2))
    many = len(stream) > MANY
    if not stream.classes:
        ax.plot(x, stream.y, ".", color=plots.INK, markersize=3, alpha=0.08 if many else 1)
    if many:
        ax.plot(x, metrics.rolling_mean(stream.y.astype(float), len(stream) // 100),
                color=plots.COLOURS["online"])  # fmt: skip
    return fig


def card(name: str, about: dict[str, Any]) -> str:
    """Return one data card as Markdown."""
    kind = "real" if about["real"] else "simulated"
    unit = f" ({about['unit']})" if about["unit"] else ""
    lines = [f"(data-{name.replace('_', '-')})=", f"## {about['title']}", "",
             f"{about['rows']:,} rows, {kind}. The label is `{about['label']}`{unit}.", "",
             card_figure(name, about), "",
             "```python", "from companion import streams", "", f"stream = streams.{name}()", "```",
             "", ":::{list-table}", ":class: card-table", ":stub-columns: 1", ""]  # fmt: skip
    rows = [(heading, linked(about[key])) for key, heading in CARD_ROWS.items()]
    rows += [("Licence", f"[{about['licence']}]({about['licence_url']})"),
             ("Checksum", f"sha256 `{about['sha256'][:16]}…`")]  # fmt: skip
    for heading, text in rows:
        lines += [f"* - {heading}", f"  - {text}"]
    columns = [(f"`{column}`", meaning) for column, meaning in about["columns"].items()]
    lines += [":::", "", table("columns", "ll", ["Column", "Meaning"], columns)]
    return "\n".join(lines)


def data_cards() -> str:
    """Return all data cards as Markdown."""
    return "\n".join(card(*item) for item in streams.cards().items())
