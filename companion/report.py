"""A comparison as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from companion.compare import Comparison
from companion.markup import table
from companion.plots import errors_over_time, image

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto;
  padding: 0 1rem; color: #1f2a37; background: #fff; }
img { max-width: 100%; height: auto; border: 1px solid #d9d6cc; border-radius: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { padding: .4rem .9rem; border-bottom: 1px solid #9aa3af; text-align: right; }
th:first-child { text-align: left; }
@media (prefers-color-scheme: dark) { body { color: #e5e7eb; background: #14181e; } }
"""


def page(comparison: Comparison, sentences: Sequence[str], notes: Sequence[str]) -> str:
    """Return the report as HTML: the answer first, then the table, the figure and the notes."""
    window = max(2, len(comparison.loss(comparison.reference)) // 10)
    ranked = [row["strategy"] for row in comparison.table()]
    drawn = list(dict.fromkeys([*ranked[:3], comparison.reference]))
    fig = errors_over_time(comparison, window, title="Error over time", names=drawn)
    picture = base64.b64encode(image(fig)).decode("ascii")
    alt = f"Mean error of the last {window} rows over time for {', '.join(drawn)}."
    title = f"Which strategy pays for {comparison.stream.name}?"
    answer = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    noted = f"<h2>What was changed in the data</h2><ul>{listed}</ul>" if notes else ""
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
{table(comparison.cells(), caption=comparison.headline(), notes=failed)}
</div>
<p>Every row was predicted before its label was known. Intervals hold 95 % of 2,000 moving-block
bootstrap replays (blocks of {block} rows for the first line) of the difference on the same
rows.</p>
<h2>Error over time</h2>
<img src="data:image/png;base64,{picture}" alt="{escape(alt, quote=True)}">
{noted}
</main>
</body>
</html>
"""
