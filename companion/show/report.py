"""A comparison as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import base64
import csv
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from companion.comparison import Comparison, digits_for, html_table
from companion.rivals import kind_of
from companion.show.choices import choice_cells
from companion.show.classes import rare_class_cells
from companion.show.numbers import number_cells
from companion.show.plots import errors_over_time, image
from companion.show.worlds import world_cells, world_title

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto;
  padding: 0 1rem; color: #1f2a37; background: #fff; }
h1 { line-height: 1.25; }
.lead { font-size: 1.25rem; }
dl { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }
dl div { flex: 1 1 12rem; border-top: 3px solid #0072b2; padding-top: .4rem; }
dt { font-size: .95rem; }
dd { margin: 0; font-size: 1.7rem; font-variant-numeric: tabular-nums; }
img { max-width: 100%; height: auto; border: 1px solid #d9d6cc; border-radius: .5rem; }
summary { cursor: pointer; margin-top: 1rem; }
summary h2 { display: inline; font-size: 1.15rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { padding: .4rem .9rem; border-bottom: 1px solid #9aa3af; text-align: right; }
th:first-child, .read td { text-align: left; }
.read th { white-space: nowrap; vertical-align: top; }
@media (prefers-color-scheme: dark) { body { color: #e5e7eb; background: #14181e; } }
@page { size: A4; margin: 14mm; }
@media print {
  body { font-size: 10pt; line-height: 1.4; max-width: none; margin: 0; padding: 0;
    color: #000; background: #fff; }
  .lead { font-size: 12pt; }
  dd { font-size: 15pt; }
  img { max-height: 90mm; }
  .appendix { break-before: page; }
  details::details-content { content-visibility: visible; } /* a printer is given all of it */
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding: .15rem .5rem; }
}
"""

LEADS = "The winner's lead in other worlds, with 95 % intervals"


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


def table_text(comparison: Comparison, name: str) -> str:
    """Return the table with all measures: as JSON if the file's name ends so, else as CSV.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> result = compare(streams.bike_sharing(), {"no change": Baseline("no-change")})
    >>> table_text(result, "out.json")[:30]
    '[{"strategy":"no change","scor'
    """
    frame = comparison.to_frame(measures=True)
    if name.lower().endswith(".json"):
        return frame.to_json(orient="records", force_ascii=False)
    return csv_text(frame)


def three_numbers(comparison: Comparison, best: str) -> list[tuple[str, str]]:
    """Return the best strategy's error, and how much less it is than without a model and frozen.

    Examples
    --------
    >>> from companion import Baseline, compare, streams
    >>> lineup = {"no change": Baseline("no-change"), "mean so far": Baseline("mean")}
    >>> for what, value in three_numbers(compare(streams.bike_sharing(), lineup), "no change"):
    ...     print(what, value, sep=": ")
    mean absolute error of no change: 780 rides a day
    """
    error = comparison.score(best)
    digits = digits_for(error)
    unit = f" {comparison.unit}" if comparison.unit else ""
    numbers = [(f"{comparison.loss_name} of {best}", f"{error:,.{digits}f}{unit}")]
    for kind, words in (("none", "guess without a model"), ("frozen", "frozen model")):
        names = [name for name in comparison.ranked() if kind_of(name) == kind != kind_of(best)]
        if (
            names
            and comparison.diverged(names[0]) is None
            and (other := comparison.score(names[0]))
        ):
            word = "less" if error <= other else "more"
            numbers.append(
                (f"{word} than {names[0]}, the best {words}", f"{abs(1 - error / other):.0%}")
            )
    return numbers


def folded(title: str, tables: str, more: str = "") -> str:
    """Return tables under a heading that opens and shuts.

    Examples
    --------
    >>> print(folded("Who & what", "<table></table>"))
    <details>
    <summary><h2>Who &amp; what</h2></summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Who &amp; what">
    <table></table>
    </div>
    </details>
    """
    title = escape(title, quote=True)
    return (
        f'<details>\n<summary><h2>{title}</h2></summary>\n<div class="scroll" tabindex="0" '
        f'role="region" aria-label="{title}">\n{tables}\n</div>{more}\n</details>'
    )


def page(
    comparison: Comparison,
    sentences: Sequence[str],
    read: Sequence[tuple[str, str]],
    again: Mapping[str, Comparison] | None = None,
) -> str:
    """Return the report as HTML: the answer, three numbers and a figure; the detail is folded.

    It prints on one page, with the detail as an appendix. ``again`` holds runs in other worlds.
    """
    window = max(2, len(comparison.loss(comparison.reference)) // 10)
    ranked = [name for name in comparison.ranked() if comparison.diverged(name) is None]
    drawn = list(dict.fromkeys([*ranked[:3], comparison.reference]))
    fig = errors_over_time(comparison, window, title="Error over time", names=drawn)
    time = comparison.stream.time
    for row in comparison.changes:
        fig.axes[0].axvline(row if time is None else time[row], color="#888", ls=":", zorder=0)
    picture = base64.b64encode(image(fig)).decode("ascii")
    marks = (
        f" Dotted lines stand where ADWIN finds a change of level in {comparison.reference}."
        if comparison.changes else ""
    )  # fmt: skip
    alt = f"Mean error of the last {window} rows over time for {', '.join(drawn)}.{marks}"
    title = f"Which strategy pays for {comparison.stream.name}?"
    lead, *others = [escape(sentence) for sentence in sentences] or [""]
    told = "".join(f"<p>{sentence}</p>" for sentence in others)
    tiles = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>"
        for what, value in three_numbers(comparison, ranked[0])
    )
    listed = "".join(
        f'<tr><th scope="row">{escape(word)}</th><td>{escape(said)}</td></tr>'
        for word, said in read
    )
    failed = [f"{name} failed: {why}" for name, why in comparison.failures.items()]
    tables = html_table(
        comparison.cells(seconds=True), caption=comparison.headline(), notes=failed
    ) + "".join(
        html_table(cells, caption=caption)
        for cells, caption in (
            (rare_class_cells(comparison), "The rarest class, beside the error"),
            (number_cells(comparison), "Other measures of the best strategies"),
            (choice_cells(comparison), "What trials on the warm-up chose"),
        )
        if cells
    )
    worlds = world_cells(comparison, again)
    elsewhere = worlds and folded(world_title(worlds), html_table(worlds, caption=LEADS))
    block = comparison.difference(ranked[0], comparison.reference).block
    method = (
        "<p>Every row was predicted before its label was known. Intervals hold 95 % of 2,000 "
        f"moving-block bootstrap replays (blocks of {block} rows for the first line) of the "
        "difference on the same rows.</p>"
    )
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
<p class="lead">{lead}</p>
<dl>{tiles}</dl>
{told}
<img src="data:image/png;base64,{picture}" alt="{escape(alt, quote=True)}">
<p>{escape(marks.strip())}</p>
<div class="appendix">
{folded("The comparison", tables, method)}
{elsewhere or ""}
{folded("What was read", f'<table class="read"><tbody>{listed}</tbody></table>')}
</div>
</main>
</body>
</html>
"""
