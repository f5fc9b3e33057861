"""What the book adds to Jupyter Book: plain notebooks upgraded, maths as MathML, generated pages.

The notebooks hold plain Markdown only, so that they read well in Jupyter, on GitHub and on Colab.
While the site is built, links to the glossary and the bibliography become real terms and
citations, and a figure's alt text moves to where the site's HTML wants it.
"""

from __future__ import annotations

import functools
import json
import re
import struct
import unicodedata
import zlib
from html import unescape
from pathlib import Path
from typing import Any

import course
import cover
import exports
import lighten
import long_haul
import numpy as np
import pages
import policies
import search
import stories
import teaching
import web
from docutils import nodes
from latex2mathml.converter import convert
from pybtex.database import parse_file
from pybtex.richtext import Text
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from companion import claims, metrics, plots, streams

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
FIGURES = ROOT / "book" / "_build" / "figures"

CITE = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?bibliography\.md#([a-z0-9]+)\)")
CARD = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?data\.md#(data-[a-z0-9-]+)\)")
TERM = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?glossary\.md#([a-z0-9-]+)\)")


def slug(term: str) -> str:
    """Return a glossary term as it stands in a link.

    >>> slug("moving-block bootstrap")
    'moving-block-bootstrap'
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


@functools.cache
def glossary() -> dict[str, str]:
    """Return the glossary's terms by their slugs."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    block = text.split("```{glossary}")[1].split("```")[0]
    terms = [line for line in block.splitlines() if line and not line[0].isspace()]
    return {slug(term): term for term in terms}


@functools.cache
def authors() -> dict[str, set[str]]:
    """Return the last names of each work's authors, without accents."""
    works = parse_file(ROOT / "book" / "references.bib").entries
    return {
        key: {
            unaccented(Text.from_latex(name).render_as("text"))
            for person in [*work.persons.get("author", []), *work.persons.get("editor", [])]
            for name in person.last_names
        }
        for key, work in works.items()
    }


def citation(match: re.Match) -> str:
    """Turn a link to a work into a citation; words that are no author's name stay before it."""
    words, key = match[1], match[2]
    said = unaccented(words)
    named = key not in authors() or any(name in said for name in authors()[key])
    return f"{{cite:t}}`{key}`" if named else f"{words} {{cite:p}}`{key}`"


def unaccented(text: str) -> str:
    """Return text without accents.

    >>> unaccented("Žliobaitė")
    'Zliobaite'
    """
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def upgrade_links(text: str) -> str:
    """Turn plain links to bibliography, data cards and glossary into citations, references, terms.

    >>> upgrade_links("[Gama](../book/bibliography.md#gama2014survey)")
    '{cite:t}`gama2014survey`'
    >>> upgrade_links("a [stream](../book/glossary.md#stream)")
    'a {term}`stream <stream>`'
    """
    text = CARD.sub(r"{ref}`\1 <\2>`", CITE.sub(citation, text))
    return TERM.sub(lambda m: f"{{term}}`{m[1]} <{glossary().get(m[2], m[2])}>`", text)


def upgrade_notebook(text: str) -> str:
    """Upgrade a notebook's links, describe its figures, and say what its folded cells hold."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = upgrade_links("".join(cell["source"]))
            continue
        extra = cell["metadata"].setdefault("mystnb", {})
        if "solution" in cell["metadata"].get("tags", []):
            extra |= {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide it"}
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                extra["image"] = {"alt": alt}
    return json.dumps(notebook)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Sphinx hook: upgrade each page before it is parsed; write the generated parts into it."""
    if docname.startswith("notebooks/"):
        source[0] = upgrade_notebook(source[0])
        return
    source[0] = upgrade_links(source[0])
    for name, make in GENERATED.items():
        block = f"```{{{name}}}\n```"
        if block in source[0]:
            source[0] = source[0].replace(block, make())
            app.env.note_reread()


def visit_math(self: Any, node: nodes.math) -> None:
    """Write inline maths."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    self.body.append(f'<div class="math-block">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def verdicts() -> dict[str, list[tuple[Path, dict[str, Any]]]]:
    """Return every recorded verdict, by claim, with its notebook."""
    found: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for notebook in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        for verdict in pages.recorded(notebook.stem):
            found.setdefault(verdict["claim"], []).append((notebook, verdict))
    return found


def listed(items: list[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["12", "15", "16"])
    '12, 15 and 16'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def badge(outcome: str) -> str:
    """Return an outcome in words, styled by its kind.

    >>> badge("only when labels come fast")
    '[Only when labels come fast]{.outcome .outcome-only}'
    """
    return f"[{outcome.capitalize()}]{{.outcome .outcome-{outcome.split()[0]}}}"


def chapters(claim: claims.Claim) -> str:
    """Return the numbers of a claim's chapters, linked where the chapter is written."""
    written = {int(path.name[:2]): path.name for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")}
    return listed([
        f"[{n}](../notebooks/{written[n]})" if n in written else str(n) for n in claim.chapters
    ])  # fmt: skip


def overview(found: dict[str, list[tuple[Path, dict[str, Any]]]]) -> list[str]:
    """Return the table of all claims, one row each."""
    lines = [":::{table}", ":class: ledger", "",
             "| Id | Claim | Verdict | Chapter |", "|---|---|---|---|"]  # fmt: skip
    for claim in claims.CLAIMS.values():
        tested = [badge(verdict["outcome"]) for _, verdict in found.get(claim.id, [])]
        name = f"[{claim.id}](#claim-{claim.id.lower()})" if tested else claim.id
        verdict = " ".join(tested) or badge("not yet tested").replace("-not", "-open")
        lines += [f"| **{name}** | {claim.text} | {verdict} | {chapters(claim)} |"]
    return [*lines, ":::", ""]


def tally(found: dict[str, list[tuple[Path, dict[str, Any]]]]) -> str:
    """Return how the verdicts divide, counted.

    >>> tally({"S1": [(Path(), {"outcome": "supported"}), (Path(), {"outcome": "only when wet"})]})
    '**1 of 21** claims tested, **2** verdicts: 1 supported, 1 supported only under a condition.'
    """
    kinds = {"supported": "supported", "only": "supported only under a condition",
             "not": "not supported here"}  # fmt: skip
    first = [verdict["outcome"].split()[0] for records in found.values() for _, verdict in records]
    counts = [f"{first.count(kind)} {words}" for kind, words in kinds.items() if kind in first]
    return (f"**{len(found)} of {len(claims.CLAIMS)}** claims tested, **{len(first)}** verdicts: "
            f"{', '.join(counts) or 'none'}.")  # fmt: skip


def ledger() -> str:
    """Return the claims ledger as Markdown: all claims in a table, then the evidence."""
    found = verdicts()
    tested = [claim for claim in claims.CLAIMS.values() if claim.id in found]
    lines = [tally(found), "", *overview(found), "## The evidence", ""]
    for claim in tested:
        lines += [f"(claim-{claim.id.lower()})=", f"### {claim.id}: {claim.text}", ""]
        for notebook, verdict in found[claim.id]:
            lines += [f"{badge(verdict['outcome'])} in [](../notebooks/{notebook.name})", ""]
            lines += [f"- {item}" for item in verdict["evidence"]]
            lines += ["", f"**What would change it:** {verdict['would_change']}", ""]
    return "\n".join(lines)


CARD_ROWS = {
    "span": "When", "who": "Who", "why": "Why", "missing": "Missing values",
    "drift": "Known drift", "limits": "Limits", "source": "Source", "attribution": "Credit",
}  # fmt: skip


def linked(text: str) -> str:
    """Make bare web addresses links.

    >>> linked("UCI, https://doi.org/10.1. Cut.")
    'UCI, <https://doi.org/10.1>. Cut.'
    """
    return re.sub(r"https?://[^\s,;]*[^\s,;.]", r"<\g<0>>", text)


def card_figure(name: str, about: dict[str, Any]) -> str:
    """Draw every label of a stream and return the picture as Markdown."""
    stream = streams.load(name)
    what = about["unit"] or f"share of {stream.classes[1]!r}"
    x, axis, dated = np.arange(len(stream)), "row", stream.time is not None
    if about.get("days_since_start"):
        x, axis, dated = (stream.time - stream.time[0]) / np.timedelta64(1, "D"), "day", False
    elif dated:
        x, axis = stream.time, ""
    heading = f"{about['title']}: {len(stream):,} rows"
    fig, ax = plots.figure(heading, x=axis, y=what, dates=dated, figsize=(8, 3.2))
    many = len(stream) > 5000
    if not stream.classes:
        ax.plot(x, stream.y, ".", color=plots.INK, markersize=3, alpha=0.08 if many else 1)
    if many:
        ax.plot(x, metrics.windowed(stream.y.astype(float), len(stream) // 100),
                color=plots.COLOURS["online"])  # fmt: skip
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"data-{name}.png"
    path.write_bytes(plots.image(fig))
    drawn = "Each dot is the label of one row" if not stream.classes else "The line is the label"
    line = "; the line is their mean over a hundredth of the rows" if many else ""
    alt = f"{drawn}{line}: {what}, {about['span']}. {about['drift']}"
    alt = re.sub(r"[\[\]]", "", alt)
    return f"![{alt}](/{path.relative_to(ROOT).as_posix()}){{.story}}"


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
    lines += [":::", ""]
    lines += [":::{table}", ":class: columns", "", "| Column | Meaning |", "|---|---|"]
    lines += [f"| `{column}` | {meaning} |" for column, meaning in about["columns"].items()]
    return "\n".join([*lines, ":::", ""])


def stream_stories() -> str:
    """Return the errors of the plain rivals on every stream as a Markdown table."""
    rows = stories.stories()
    labels = list(stories.SHOWN)
    head = ["Stream, error in", *labels, "online saves (95 % interval)"]
    lines = [":::{table}", ":class: stories", "", f"| {' | '.join(head)} |",
             "|---|" + "---:|" * (len(labels) + 1)]  # fmt: skip
    for row in rows:
        title = streams.cards()[row["name"]]["title"]
        link = f"[{title}](#data-{row['name'].replace('_', '-')})"
        cells = [f"{link}, {row['unit']}", *(row[label] for label in labels), row["saved"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ":::", ""])


def data_cards() -> str:
    """Return all data cards as Markdown."""
    return "\n".join(card(*item) for item in streams.cards().items())


GENERATED = {
    "claims-ledger": ledger, "data-cards": data_cards, "stream-stories": stream_stories,
    "long-haul": long_haul.page,
    "book-cover": lambda: pages.raw_html(cover.html()), "chapter-cards": pages.chapter_cards,
    "claims-board": lambda: pages.claims_board(verdicts()), "figure-index": pages.figure_index,
    "book-downloads": web.downloads, "slide-decks": teaching.decks,
    "course-downloads": teaching.downloads, **course.generated(),
}  # fmt: skip


class ChapterFigure(SphinxDirective):
    """A figure of a chapter, from its stored outputs: ``{chapter-figure} NOTEBOOK ITS FINDING``."""

    required_arguments = 2
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Write the picture with that title to the build folder and show it with its alt text."""
        name, wanted = self.arguments
        self.env.note_dependency(str(NOTEBOOKS / f"{name}.ipynb"))
        shown = {title: (alt, data) for _, title, alt, data in pages.figures(name)}
        if wanted not in shown:
            raise self.error(
                f"chapter-figure: {name} has no figure {wanted!r}; it has {', '.join(shown)}"
            )
        alt, data = shown[wanted]
        FIGURES.mkdir(parents=True, exist_ok=True)
        target = FIGURES / f"{name}-{slug(wanted)[:60]}.png"
        target.write_bytes(data)
        uri = "/" + target.relative_to(ROOT).as_posix()
        return [nodes.image(uri=uri, alt=alt, classes=["story"])]


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Give each page a description (its first sentence or two) and a security policy."""
    text = ""
    if doctree is not None:
        for paragraph in doctree.findall(nodes.paragraph):
            text = " ".join(paragraph.astext().split())
            if len(text) > 40:
                break
    text = text or f"{context.get('title', page)}: Static vs. Dynamic AI Models"
    if len(text) > 158:
        text = text[:155].rsplit(" ", 1)[0] + " …"
    text = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    tags = context.get("metatags", "")
    if page in web.toc_pages():
        tags += web.social_tags(page, str(context.get("title", page)), unescape(text))
    if 'name="description"' not in tags:
        tags += f'<meta name="description" content="{text}" />\n'
    context["metatags"] = f"{tags}{policies.meta(policies.SITE)}\n"


def lab_first(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Make the lab the first of a chapter's launch buttons, with an address below the site.

    A worked capstone reads a file beside it, which neither the lab nor Colab has: it keeps Binder.
    """
    chapter = any(page == f"notebooks/{one.name}" for one in pages.chapters())
    for group in context.get("header_buttons", []):
        if isinstance(group, dict) and "buttons" in group and not chapter:
            group["buttons"] = [
                button for button in group["buttons"]
                if button.get("text") not in ("JupyterLite", "Colab")
            ]  # fmt: skip
        for button in group.get("buttons", []) if isinstance(group, dict) else []:
            if button.get("text") == "JupyterLite":
                button["url"] = "../" * page.count("/") + button["url"]
                button["text"] = "In your browser"
                button["tooltip"] = (
                    "Run this chapter here, in JupyterLite: nothing to install, nothing sent "
                    f"anywhere, about {app.config.html_context['lab']} MB the first time"
                )
                group["buttons"].sort(key=lambda one: one is not button)


def name_citations(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give each work and each term an anchor by which plain links find it: its key, its slug."""
    if page == "book/bibliography":
        keys = {one.citation_id: one.key for one in app.env.get_domain("cite").citations}
        for node in doctree.findall(nodes.citation):
            node["ids"] += [keys[name] for name in node["ids"] if name in keys]
    if page == "book/glossary":
        for node in doctree.findall(nodes.term):
            if (name := slug(node.astext())) not in node["ids"]:
                node["ids"].append(name)


def place_chapter(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Say under a chapter's title where in the book it stands."""
    one = next((c for c in pages.chapters() if page == f"notebooks/{c.name}"), None)
    if one is None:
        return
    count = len(pages.chapters())
    line = (
        f'<p class="chapter-line" data-chapter="{one.name}">'
        f"Chapter {one.number} of {count} · {one.part} · {one.minutes} minutes · "
        f'<a href="../slides/{one.name}.html">Slides</a>'
        f'<progress value="{one.number}" max="{count}" aria-hidden="true"></progress></p>'
    )
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def add_scripts(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Give the instructor's pages their script, and no other page."""
    if page in ("book/teach_questions", "book/teach_hub"):
        app.add_js_file("teach.js", loading_method="defer")


def polish(html: str) -> str:
    """Mend what the theme leaves: landmarks, roles, a second heading, unused scripts."""
    swaps = [
        (r'<script[^>]*>const THEBE_JS_URL.*?</script>', ""),
        (r'<script[^>]*sphinx-thebe\.js[^>]*></script>', ""),
        (r'<link[^>]*sphinx-thebe\.css[^>]*/?>', ""),
        (r'<script type="text/x-thebe-config">.*?</script>', ""),
        (r"<script>kernelName = .*?</script>", ""),
        (r'(<div id="pst-primary-sidebar")(?! role=)', r'\1 role="navigation" aria-label="Book"'),
        (r'(<div id="jb-print-docs-body" class="onlyprint">\s*)<h1>(.*?)</h1>',
         r'\1<p class="print-title">\2</p>'),
        (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
        (r'(<div class="citation" id="[^"]+") role="doc-biblioentry"', r"\1"),
        (r'<div class="math-block">', '<div class="math-block" tabindex="0">'),
        (r"<th></th>", "<td></td>"),  # pandas leaves the corner of a table a heading without words
    ]  # fmt: skip
    for pattern, new in swaps:
        html = re.sub(pattern, new, html, flags=re.DOTALL)
    return html


def sized(html: str, page: Path) -> str:
    """Give each picture its size, so that nothing jumps; load it when it comes into sight."""

    def mend(match: re.Match) -> str:
        tag, source = match[0], match[1]
        path = page.parent / source
        if " width=" in tag or not path.is_file():
            return tag
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        lazy = "" if page.name == "print.html" else ' loading="lazy"'
        return tag.replace("<img ", f'<img width="{width}" height="{height}"{lazy} ', 1)

    return re.sub(r'<img [^>]*?src="([^":]+\.png)"[^>]*>', mend, html)


def site_pages(site: Path) -> list[Path]:
    """Return the pages of a built site, without the lab's and what only helps to make pages."""
    return [
        path for path in site.rglob("*.html")
        if path.relative_to(site).parts[0] not in ("lab", "slides", "_static")
    ]  # fmt: skip


def finished(html: str, page: Path, site: Path) -> str:
    """Return a page as readers get it; done twice, it does nothing more."""
    return sized(lighten.lightened(polish(html), page, site), page)


def on_finish(app: Sphinx, failure: Exception | None) -> None:
    """Polish every page that was written."""
    if failure:
        return
    site = Path(app.outdir)
    web.write_extras(app)
    exports.write(site / exports.FOLDER)
    (site / "_headers").write_text(policies.headers(site), encoding="utf-8")
    for path in site_pages(site):
        old = path.read_text(encoding="utf-8")
        new = finished(old, path, site)
        if new != old:
            path.write_text(new, encoding="utf-8")
    lighten.shrink_icons(site)


def on_config(app: Sphinx, config: Any) -> None:
    """Set the theme options that Jupyter Book has no setting for."""
    config.html_context |= {"default_mode": "auto"}
    config.html_search_scorer = str(search.write_scorer())
    about = Path(app.outdir) / "lab" / "about.json"
    if about.is_file():
        # A button that comes or goes makes every page anew: Sphinx watches these two settings.
        config.html_context["lab"] = json.loads(about.read_text(encoding="utf-8"))["megabytes"]
        config.html_theme_options["launch_buttons"]["jupyterlite_url"] = "lab/notebooks/index.html"
    config.html_theme_options |= {
        "search_bar_text": "Search this book",
        "show_toc_level": 2,
        "navbar_persistent": [],
        "pygments_light_style": "a11y-high-contrast-light",
        "pygments_dark_style": "a11y-high-contrast-dark",
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Register all of it."""
    app.connect("config-inited", on_config, priority=100)
    app.connect("source-read", on_source_read)
    app.connect("build-finished", on_finish)
    app.connect("doctree-resolved", name_citations)
    app.connect("html-page-context", describe, priority=900)
    app.connect("html-page-context", lab_first, priority=900)
    app.connect("html-page-context", place_chapter)
    app.connect("html-page-context", add_scripts)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.add_directive("chapter-figure", ChapterFigure)
    # A change of the extension makes every page again.
    parts = sorted(Path(__file__).parent.glob("*.py"))
    edition = zlib.crc32(b"".join(path.read_bytes() for path in parts))
    return {
        "version": "1",
        "env_version": edition,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
