"""A comparison as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import base64
import csv
from collections.abc import Sequence
from html import escape
from typing import Any

from companion.comparison import Comparison, html_table
from companion.show.choices import choice_cells
from companion.show.classes import rare_class_cells
from companion.show.numbers import number_cells
from companion.show.plots import errors_over_time, image

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto;
  padding: 0 1rem; color: #1f2a37; background: #fff; }
img { max-width: 100%; height: auto; border: 1px solid #d9d6cc; border-radius: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { padding: .4rem .9rem; border-bottom: 1px solid #9aa3af; text-align: right; }
th:first-child, .read td { text-align: left; }
.read th { white-space: nowrap; vertical-align: top; }
@media (prefers-color-scheme: dark) { body { color: #e5e7eb; background: #14181e; } }
"""


def csv_text(frame: Any) -> str:
    r"""Return a data frame as CSV in which no text is a formula for a spreadsheet.

    Text that begins like one gets an apostrophe before it, which spreadsheets do not show.

    Examples
    --------
    >>> import pandas as pd
    >>> csv_text(pd.DataFrame({"name": ["=1+1", "frozen"], "error": [-2.0, 3.0]}))
    '"name","error"\n"\'=1+1",-2.0\n"frozen",3.0\n'
    """

    def harmless(cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        line = " ".join(cell.splitlines())
        return f"'{line}" if line.lstrip(" \ufeff")[:1] in tuple("=+-@\t|%") else line

    safe = frame.map(harmless).rename(columns=harmless)
    return safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def page(comparison: Comparison, sentences: Sequence[str], read: Sequence[tuple[str, str]]) -> str:
    """Return the report as HTML: the answer first, then the table, the figure and what was read."""
    window = max(2, len(comparison.loss(comparison.reference)) // 10)
    ranked = [name for name in comparison.ranked() if comparison.diverged(name) is None]
    drawn = list(dict.fromkeys([*ranked[:3], comparison.reference]))
    fig = errors_over_time(comparison, window, title="Error over time", names=drawn)
    picture = base64.b64encode(image(fig)).decode("ascii")
    alt = f"Mean error of the last {window} rows over time for {', '.join(drawn)}."
    title = f"Which strategy pays for {comparison.stream.name}?"
    answer = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    listed = "".join(
        f'<tr><th scope="row">{escape(word)}</th><td>{escape(said)}</td></tr>'
        for word, said in read
    )
    rare, numbers = rare_class_cells(comparison), number_cells(comparison)
    chosen = choice_cells(comparison)
    failed = [f"{name} failed: {why}" for name, why in comparison.failures.items()]
    block = comparison.difference(ranked[0], comparison.reference).block
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{answer}
<h2>The comparison</h2>
<div class="scroll" tabindex="0" role="region" aria-label="The comparison">
{html_table(comparison.cells(seconds=True), caption=comparison.headline(), notes=failed)}
{html_table(rare, caption="The rarest class, beside the error") if rare else ""}
{html_table(numbers, caption="Other measures of the best strategies") if numbers else ""}
{html_table(chosen, caption="What trials on the warm-up chose") if chosen else ""}
</div>
<p>Every row was predicted before its label was known. Intervals hold 95 % of 2,000 moving-block
bootstrap replays (blocks of {block} rows for the first line) of the difference on the same
rows.</p>
<h2>Error over time</h2>
<img src="data:image/png;base64,{picture}" alt="{escape(alt, quote=True)}">
<h2>What was read</h2>
<div class="scroll" tabindex="0" role="region" aria-label="What was read">
<table class="read"><tbody>{listed}</tbody></table>
</div>
</main>
</body>
</html>
"""
