"""Choose what of a chapter goes on slides: by rule, and by a human's word in the cells' metadata.

A chapter's Markdown is prose, and prose does not belong on slides. What does belong there is found
by rule: the claims, each figure with its finding, the prediction as a poll, the key lines of code,
the knobs, the verdict with its evidence, some quiz questions, the summary. The prose becomes the
speaker's notes.

The rule can be overruled for a code cell in its metadata, under ``slideshow``:

- ``slide_type``: ``skip`` leaves the cell out, ``slide`` or ``subslide`` takes it in.
- ``show``: what to show instead of all of the cell: a function by its name, lines up to an empty
  one by how they begin, or ``output``.
- ``title``: the slide's title, where a section's heading will not do.

``slides.py --mark`` writes the rule's choice into notebooks that have none, to be changed there.
"""

from __future__ import annotations

import ast
import base64
import functools
import io
import itertools
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "book" / "_ext")]

import pages  # noqa: E402

from companion import claims  # noqa: E402

MINUTES = {
    "title": 2, "figure": 3, "zoom": 1, "moving": 3, "code": 4, "table": 3, "output": 2, "knobs": 6,
    "verdict": 2, "evidence": 1, "quiz": 2, "summary": 1, "end": 1, "poll": 3,
}  # fmt: skip
ASK = {
    "figure": "What do you see first? How would this picture look if its title were wrong?",
    "moving": "What will the next frame look like?",
    "table": "Cover the numbers: in which order would you have put the rows?",
    "code": "What does each line do? Which one would you change to break it?",
    "output": "Is that more or less than you would have guessed?",
    "verdict": "Do you agree? What would you want to see before you signed it?",
    "evidence": "Which line speaks loudest, and which would you want to measure again?",
    "knobs": "Before each run: up, down or the same?",
    "poll": "Is it clear what is asked? No answers yet.",
    "summary": "Which experiment showed this?",
}
# Sizes in pixels on a slide of 1280 by 720.
WIDE, HIGH, LEAST_CODE, BEST_CODE, LEAST_TEXT = 1172, 560, 21, 34, 17
MOST_WORDS, CLICKERS = 45, 3


@dataclass
class Slide:
    """One slide: what it shows, as cells of a notebook, and what the speaker may say and ask."""

    kind: str
    title: str
    place: str
    cells: list[nbformat.NotebookNode]
    level: str = "subslide"
    style: str = ""
    say: list[str] = field(default_factory=list)
    ask: list[str] = field(default_factory=list)
    seen: str = ""
    minutes: int = 0

    def __post_init__(self) -> None:
        self.minutes = self.minutes or MINUTES[self.kind]


# ------------------------------------------------------------------ words


def words_of(markdown: str) -> str:
    """Return a paragraph for the notes: links become their words, other marks stay.

    >>> words_of("a *good* [model](x.md#y)")
    'a *good* model'
    """
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown).strip()


def sentences(text: str) -> list[str]:
    """Split a paragraph into its sentences.

    >>> sentences('Who wins, "as now"? Ben, or *no change*? Write.')
    ['Who wins, "as now"?', 'Ben, or *no change*?', 'Write.']
    """
    parts = re.split(r"(?<=[.?!]) (?=[A-Z*\"$`])|(?<=[.?!][\"”*]) (?=[A-Z*\"$`])", text)
    return [part for part in map(str.strip, parts) if part]


def questions(paragraphs: list[str]) -> list[str]:
    """Return the questions that stand in some prose."""
    found = [one for text in paragraphs for one in sentences(text)]
    return [one for one in found if one.rstrip('*"”').endswith("?")]


def count(text: str) -> int:
    """Return the number of words; numbers are none.

    >>> count("two of 3 *words*")
    3
    """
    return len(re.findall(r"\S*[^\W\d_]\S*", text))


@functools.cache
def renderer() -> Any:
    """Return what makes HTML of Markdown, formulas as MathML."""
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(latex: str, how: dict[str, Any]) -> str:
        return convert(latex, display="block" if how["display_mode"] else "inline")

    markdown = MarkdownIt("commonmark", {"html": True, "typographer": True})
    markdown.enable(["table", "smartquotes"])
    return markdown.use(dollarmath_plugin, renderer=formula)


def html_of(markdown: str) -> str:
    """Return Markdown as HTML."""
    return renderer().render(markdown)


def inline(markdown: str) -> str:
    """Return a line of Markdown as HTML, its links as plain words."""
    return renderer().renderInline(words_of(markdown))


# ------------------------------------------------------------------ pictures


def bands(picture: Image.Image) -> list[tuple[int, int]]:
    """Return the rows of a picture that hold anything, as runs from top to bottom."""
    import numpy as np

    pixels = np.asarray(picture).astype(int)
    inked = (abs(pixels - pixels[0, 0]).sum(axis=2) > 30).any(axis=1)
    edges = np.flatnonzero(np.diff(np.r_[0, inked.astype(int), 0]))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def without_title(picture: Image.Image) -> Image.Image:
    """Cut a figure's title off, which stands above everything else: the slide has it in large."""
    (top, bottom), *rest = bands(picture)
    if rest and top < 16 and bottom - top < 34:
        return picture.crop((0, (bottom + rest[0][0]) // 2, *picture.size))
    return picture


def rows_of_panels(picture: Image.Image) -> list[Image.Image]:
    """Cut a figure of two rows of panels between the rows; none if it is not one."""
    runs = bands(picture)
    large = [k for k, (a, b) in enumerate(runs) if b - a > 0.25 * picture.height]
    if len(large) != 2 or large[1] - large[0] < 2:
        return []
    # The band above the lower panels holds their titles.
    name = large[1] - 1
    cut = (runs[name - 1][1] + runs[name][0]) // 2
    return [picture.crop((0, 0, picture.width, cut)),
            picture.crop((0, cut, *picture.size))]  # fmt: skip


def too_small(picture: Image.Image) -> bool:
    """Tell whether a figure's words would be too small on a slide; they are 22 pixels in it."""
    return 22 * min(1216 / picture.width, 600 / picture.height) < LEAST_TEXT


def picture_cell(picture: Image.Image, alt: str) -> nbformat.NotebookNode:
    """Return a cell that shows a picture."""
    data = io.BytesIO()
    few = picture.quantize(255, method=Image.Quantize.FASTOCTREE)
    colours = few.getpalette()
    ground = 3 * few.getpixel((0, 0))
    colours[ground : ground + 3] = picture.getpixel((0, 0))  # the paper's, exactly
    few.putpalette(colours)
    few.save(data, "PNG", optimize=True)
    about = {"alt": alt, "width": picture.width, "height": picture.height}
    shown = nbformat.v4.new_output(
        "display_data", {"image/png": base64.b64encode(data.getvalue()).decode("ascii")},
        metadata={"image/png": about},
    )  # fmt: skip
    return hidden(nbformat.v4.new_code_cell("", outputs=[shown]))


# ------------------------------------------------------------------ cells


def markdown_cell(text: str) -> nbformat.NotebookNode:
    """Return a Markdown cell."""
    return nbformat.v4.new_markdown_cell(text)


def hidden(cell: nbformat.NotebookNode, kind: str = "-") -> nbformat.NotebookNode:
    """Let a cell show its output alone."""
    cell.metadata["transient"] = {"remove_source": True}
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def heading(title: str, unseen: bool = False) -> nbformat.NotebookNode:
    """Return a slide's title as a cell."""
    if unseen:
        return markdown_cell(f'<h2 class="unseen">{escape(title)}</h2>')
    return markdown_cell(f"## {words_of(title)}")


def printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed."""
    return "".join(out.text for out in cell.get("outputs", []) if out.output_type == "stream")


def shown(cell: nbformat.NotebookNode, kind: str) -> str:
    """Return what a cell shows, as data of one kind."""
    return "".join(out.get("data", {}).get(kind, "") for out in cell.get("outputs", []))


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def choice(cell: nbformat.NotebookNode) -> dict[str, str]:
    """Return what a human chose for a cell; empty if nothing."""
    found = cell.metadata.get("slideshow", {})
    return {} if found.get("slide_type") in (None, "", "-") else dict(found)


def excerpt(source: str, name: str) -> str:
    """Return a function or class of a cell by its name, or a paragraph of it by its first words.

    >>> excerpt("x = 1\\ndef f():\\n    return 2\\nf()", "f")
    'def f():\\n    return 2'
    >>> excerpt("x = 1\\n\\ny = 2\\nprint(y)\\n\\nz = 3", "y =")
    'y = 2\\nprint(y)'
    """
    for node in ast.parse(source).body:
        if getattr(node, "name", None) == name:
            return ast.get_source_segment(source, node)
    for part in re.split(r"\n\n+", source):
        if part.strip().startswith(name):
            return textwrap.dedent(part)
    raise SystemExit(f"slides: nothing named {name!r} in a cell that is to show it")


def code_size(*texts: str) -> int:
    """Return the size at which code and output fit a slide, in pixels."""
    lines = [line for text in texts for line in text.rstrip().splitlines()]
    wide = WIDE / (0.602 * max(map(len, lines)))
    high = (HIGH - 40 * len(texts)) / (1.32 * len(lines))
    return int(min(BEST_CODE, wide, high))


# ------------------------------------------------------------------ what goes on slides


def key_code(cells: list[nbformat.NotebookNode]) -> tuple[int, str] | None:
    """Return the cell that builds the idea from nothing, and the function of it that fits a slide.

    It is the first with a function, before the experiment; an empty name means all of the cell.
    """
    for n, cell in enumerate(cells):
        if cell.cell_type == "markdown" and re.search(r"^## The experiment", cell.source, re.M):
            return None
        if cell.cell_type != "code" or {"hide-input", "knob", "solution"} & set(tags(cell)):
            continue
        if choice(cell).get("slide_type") == "skip":
            continue
        names = [node.name for node in ast.parse(plain_python(cell.source)).body
                 if isinstance(node, ast.FunctionDef | ast.ClassDef)]  # fmt: skip
        if not names:
            continue
        if code_size(*filter(None, (cell.source, few_lines(cell)))) >= 24:
            return n, ""
        for name in names:
            if code_size(excerpt(cell.source, name)) >= 24:
                return n, name
    return None


def plain_python(source: str) -> str:
    """Return a cell without the lines that only IPython reads."""
    return re.sub(r"^(\s*)%pip .*$", r"\1pass", source, flags=re.M)


def few_lines(cell: nbformat.NotebookNode) -> str:
    """Return a cell's printed output if it is short enough to stand below its code."""
    text = printed(cell)
    return text if len(text.splitlines()) <= 4 else ""


def marks(notebook: nbformat.NotebookNode) -> dict[int, dict[str, str]]:
    """Return the choices that stand, by the number of the cell: a human's, or the rule's."""
    cells = notebook.cells
    found = {n: choice(cell) for n, cell in enumerate(cells) if choice(cell)}
    found |= {n: {"slide_type": "skip"} for n, cell in enumerate(cells) if "solution" in tags(cell)}
    taken = [n for n, one in found.items() if one["slide_type"] != "skip"]
    if not any(cells[n].cell_type == "code" for n in taken) and (key := key_code(cells)):
        n, name = key
        found[n] = {"slide_type": "subslide"} | ({"show": name} if name else {})
    return found


class Chapter:
    """A chapter's slides, gathered in the order of its notebook."""

    def __init__(self, name: str, notebook: nbformat.NotebookNode) -> None:
        self.name, self.notebook = name, notebook
        self.about = next(one for one in pages.chapters() if one.name == name)
        self.slides: list[Slide] = []
        self.section = self.part = ""
        self.turned = False  # whether a heading came since the last slide
        self.waiting: list[str] = []  # prose for the next slide
        self.tables = 0
        self.fresh = True  # whether a section has no slide yet
        self.chosen = marks(notebook)

    def add(self, kind: str, title: str, *cells: nbformat.NotebookNode, **more: Any) -> Slide:
        """Append a slide; it takes the prose that waits for one."""
        if not self.turned and self.waiting and self.slides and kind != "title":
            # Prose explains the picture before it and leads up to code; a short last line leads on.
            last = self.waiting[-1]
            leads = len(self.waiting) > 1 and (count(last) < 15 or last.endswith(":"))
            cut = 0 if kind in ("code", "table") else len(self.waiting) - leads
            self.slides[-1].say += self.waiting[:cut]
            self.waiting = self.waiting[cut:]
        one = Slide(kind, title, self.part or self.section, list(cells), say=self.waiting, **more)
        if self.fresh:
            one.level = "slide"
        self.waiting, self.turned, self.fresh = [], False, False
        self.slides.append(one)
        return one

    def read(self) -> list[Slide]:
        """Return the slides."""
        first, *rest = self.notebook.cells
        self.open(first.source)
        for n, cell in enumerate(rest, 1):
            if cell.cell_type == "markdown":
                self.read_prose(cell.source)
            else:
                self.read_code(cell, self.chosen.get(n, {}))
        self.close()
        return self.slides

    def open(self, head: str) -> None:
        """The title, its claims; the hook and the objectives for the speaker."""
        listed = "".join(
            f'<li><span class="id">{one}</span> <span>{escape(claims.CLAIMS[one].text)}</span></li>'
            for one in self.about.claims
        )
        told = [self.about.title, *(claims.CLAIMS[one].text for one in self.about.claims)]
        hook, words = "", 6 + count(" ".join(told))
        for sentence in sentences(self.about.hook):
            if words + count(f"{hook} {sentence}") > MOST_WORDS:
                break
            hook = f"{hook} {sentence}".strip()
        where = f"Chapter {self.about.number} of {len(pages.chapters())} · {self.about.part}"
        self.section = "Claims under test"
        one = self.add("title", self.about.title, markdown_cell(
            f'<p class="number">{escape(where)}</p>\n<h1>{escape(self.about.title)}</h1>\n'
            f'<p class="hook">{escape(hook)}</p>\n'
            f"<ul>{listed}</ul>"
        ), level="slide")  # fmt: skip
        blocks = head.split("\n\n")[1:]
        one.say = [words_of(text) for text in blocks if not text.startswith(("**", "- ", "1. "))]
        goals = re.findall(r"^\d\. (.*)$", head, re.M)
        one.say += ["Afterwards they can " + " ".join(map(words_of, goals))]
        one.ask = questions(one.say)
        self.section = ""

    def read_prose(self, text: str) -> None:
        """Take headings, the prediction and paragraphs from a Markdown cell."""
        for block in re.split(r"\n\n+", text.strip()):
            title = re.match(r"(##+) (.*)", block)
            if title:
                if self.section == "Quiz" or title[2] == "Quiz":
                    self.quiz(text)
                self.flush()
                level, name = title.groups()
                self.part = words_of(name) if len(level) > 2 else ""
                self.section = self.section if len(level) > 2 else words_of(name)
                self.fresh |= len(level) == 2
                self.turned = True
            elif block.startswith("> **Predict before you run.**"):
                self.poll(" ".join(line.lstrip("> ") for line in block.splitlines()))
            elif self.section == "Summary" and not block.startswith("**"):
                self.summary(block)
            elif self.section not in ("Quiz", "Exercises", "Summary"):
                if not block.startswith(("> **Derivation", "<", "|", "```")):
                    self.waiting.append(words_of(block))

    def flush(self) -> None:
        """Give the prose that came after a slide to it, at the end of a section."""
        if not self.turned and self.slides:
            self.slides[-1].say += self.waiting
            self.waiting = []

    def read_code(self, cell: nbformat.NotebookNode, chosen: dict[str, str]) -> None:
        """Take figures, tables, verdicts and chosen code from a code cell."""
        if chosen.get("slide_type") == "skip":
            return
        title = chosen.get("title") or self.part or self.section
        html = shown(cell, "text/html")
        if claims.MIME in str(cell.get("outputs", "")):
            for out in cell.outputs:
                if claims.MIME in out.get("data", {}):
                    self.verdict(out.data[claims.MIME])
        elif shown(cell, "image/png"):
            self.figures(cell)
        elif "companion-frames" in html:
            name = re.search(r'aria-label="([^"]*)"', html)[1].lower()
            seen = re.search(r"<figcaption>(.*?)</figcaption>", html, re.S)[1]
            title = f"Moving figure: {name}"
            self.add("moving", title, heading(title, unseen=True), hidden(copied(cell)), seen=seen)
        elif "knob" in tags(cell):
            self.knobs(cell)
        elif "companion-table" in html and (chosen.get("show") == "output" or not self.tables):
            self.tables += 1
            pad = min(14, (HIGH / (2 + html.count("<tr>")) - 37) / 2)
            self.add("table", title, heading(title), hidden(copied(cell)),
                     style=f"--pad: {pad:.0f}px")  # fmt: skip
        elif chosen:
            self.code(cell, chosen, title)
        elif self.section == "When the other side wins" and self.fresh and self.ends_here(cell):
            self.code(cell, {"show": "output"}, title)

    def ends_here(self, cell: nbformat.NotebookNode) -> bool:
        """Tell whether no figure or table follows in this section, but this cell printed some."""
        cells = self.notebook.cells
        for later in cells[cells.index(cell) + 1 :]:
            if later.cell_type == "markdown" and re.search(r"^## ", later.source, re.M):
                break
            if re.search("image/png|companion-frames|companion-table", str(later.get("outputs"))):
                return False
        return bool(printed(cell))

    def figures(self, cell: nbformat.NotebookNode) -> None:
        """A figure with its finding; where its words would be small, its rows once more, larger."""
        for out in cell.outputs:
            if "image/png" not in out.get("data", {}):
                continue
            about = out.metadata["image/png"]
            whole = Image.open(io.BytesIO(base64.b64decode(out.data["image/png"]))).convert("RGB")
            picture = without_title(whole)
            self.add("figure", about["title"], heading(about["title"]),
                     picture_cell(picture, about["alt"]), seen=about["alt"])  # fmt: skip
            if too_small(picture):
                rows = zip(("upper", "lower"), rows_of_panels(picture), strict=False)
                for name, row in rows:
                    alt = f"The {name} row of the same picture, larger. {about['alt']}"
                    self.add("zoom", about["title"], heading(about["title"]),
                             picture_cell(row, alt), seen=f"The {name} row, larger.")  # fmt: skip

    def code(self, cell: nbformat.NotebookNode, chosen: dict[str, str], title: str) -> None:
        """The lines that matter; what they print comes with the next key."""
        show = chosen.get("show", "")
        if show == "output":
            text = printed(cell) or shown(cell, "text/plain")
            lines = text.strip().splitlines()
            if all(map(LINE.fullmatch, lines)) and len(in_parts(lines)) == 1:
                self.add("evidence", title, heading(title), markdown_cell(evidence_table(lines)))
                return
            only = nbformat.v4.new_output("stream", name="stdout", text=text)
            bare = hidden(nbformat.v4.new_code_cell("", outputs=[only]))
            self.sized("output", title, [heading(title), bare], text)
            return
        source = excerpt(cell.source, show) if show else cell.source
        text = "" if source.startswith(("def ", "class ")) and show else few_lines(cell)
        parts = [heading(title), nbformat.v4.new_code_cell(source)]
        if text:
            only = nbformat.v4.new_output("stream", name="stdout", text=text)
            parts.append(hidden(nbformat.v4.new_code_cell("", outputs=[only]), "fragment"))
        self.sized("code", title, parts, *filter(None, (source, text)))

    def sized(self, kind: str, title: str, cells: list, *texts: str) -> None:
        """Add a slide of code or output, at the size that fits; say so if none does."""
        size = code_size(*texts)
        if size < LEAST_CODE:
            raise SystemExit(
                f"slides: {self.name}: {texts[0].splitlines()[0]!r} … is too long for a slide; "
                "name one of its functions under slideshow.show in the cell's metadata"
            )
        self.add(kind, title, *cells, style=f"--code: {size}px")

    def poll(self, text: str) -> None:
        """The prediction: first the situation, then the questions, both short enough to read."""
        parts = sentences(words_of(text.removeprefix("**Predict before you run.**").strip()))
        asked = [k for k, one in enumerate(parts) if one.rstrip('*"”').endswith("?")]
        begin, end = asked[0], asked[-1] + 1
        before, asks, after = parts[:begin], joined(parts[begin:end]), parts[end:]
        self.flush()
        self.turned = True
        if count(" ".join(before)) < 4:  # "Three questions."
            before = []
        most, numbered = MOST_WORDS - 4, list(enumerate(asks, 1))
        if count(" ".join(parts[:end])) <= most:
            blocks = [paragraph(before) + question_list(numbered)]
        else:
            blocks = [paragraph(lot) for lot in in_lots(before, most)]
            blocks += [
                question_list(lot) for lot in in_lots(numbered, most + 5, text=lambda one: one[1])
            ]
        title = "Predict before you run"
        for block in blocks:
            one = self.add("poll", title, heading(title), markdown_cell(block), minutes=1)
        one.minutes = 2 if len(blocks) > 1 else 3
        one.say += after
        one.ask = ["Everybody writes down an answer before anybody speaks. Then show of hands."]
        self.turned = True  # what follows leads on, it does not explain the poll

    def knobs(self, cell: nbformat.NotebookNode) -> None:
        """The numbers to turn, live."""
        lines = cell.source.split("\n\n")[0].rstrip()
        title = "Turn the knobs"
        tries = [one for text in self.waiting for one in re.findall(r"^\d\. (.*)$", text, re.M)]
        short = [sentences(one)[0] for one in tries]
        parts = [heading(title), nbformat.v4.new_code_cell(lines)]
        if short and count(" ".join(short)) <= MOST_WORDS:
            listed = "".join(f"<li>{inline(one)}</li>" for one in short)
            parts.append(markdown_cell(f"<ol>{listed}</ol>"))
        self.sized("knobs", title, parts, lines)

    def verdict(self, record: dict[str, Any]) -> None:
        """The verdict on a claim, then its evidence."""
        claim, outcome = record["claim"], record["outcome"]
        kind = outcome.split()[0]
        lead, _, rest = outcome.partition(" when ")
        said = f"{lead} when …" if rest else outcome
        more = f'\n<p class="when">… {escape(rest)}.</p>' if rest else ""
        lines = record["evidence"]
        found = [LINE.fullmatch(line)["says"] for line in lines]
        split = [f"{found.count(words)} {key}" for key, words in claims.WORDS.items()]
        tally = f"{len(lines)} measurements: " + ", ".join(s for s in split if s[:2] != "0 ")
        text = escape(claims.CLAIMS[claim].text)
        one = self.add("verdict", f"The verdict on {claim}", markdown_cell(
            f'<h2><span class="id">{claim}</span> {text}</h2>\n'
            f'<p class="outcome {kind}">{escape(said.capitalize())}</p>{more}'
            f'\n<p class="tally">{tally}</p>'
        ))  # fmt: skip
        one.say.append(f"**What would change it:** {record['would_change']}")
        parts = in_parts(lines)
        for k, part in enumerate(parts, 1):
            title = f"{claim}: the evidence" + (f", {k} of {len(parts)}" if len(parts) > 1 else "")
            self.add("evidence", title, heading(title), markdown_cell(evidence_table(part)))

    def quiz(self, text: str) -> None:
        """The shortest questions as clickers: the answer comes with the next key."""
        if self.section == "Quiz":
            return
        found = []
        for part in text.split("**Question ")[1:]:
            asked = words_of(re.sub(r"^\d+\.\*\*\s*", "", part.split("<details")[0].strip()))
            answers = re.findall(
                r'<details class="answer"><summary>([A-Z])\. (.*?)</summary>\s*(.*?)\s*</details>',
                part, re.S,
            )  # fmt: skip
            size = count(asked) + sum(count(option) + 1 for _, option, _ in answers)
            found.append((size, len(found), asked, answers))
        self.flush()
        self.section, self.part, self.fresh = "Quiz", "", True
        for _, _, asked, answers in sorted(sorted(found)[:CLICKERS], key=lambda one: one[1]):
            items, notes = [], []
            for letter, option, reply in answers:
                right = reply.startswith("Right")
                tick = '<span class="fragment tick" data-fragment-index="0">right</span>'
                item = '<li class="fragment right" data-fragment-index="0">' if right else "<li>"
                item += f"<b>{letter}</b> <span>{inline(option)}</span>"
                items.append(item + (tick if right else "") + "</li>")
                notes.append(f"**{letter}.** {words_of(reply)}")
            one = self.add("quiz", asked, heading(asked),
                           markdown_cell(f"<ol>{''.join(items)}</ol>"))  # fmt: skip
            one.say = notes
            one.ask = ["Show of hands, letter by letter. One voice for each answer, then the key."]
        self.waiting = []

    def summary(self, text: str) -> None:
        """The summary, sentence by sentence."""
        self.waiting = []
        lines = sentences(words_of(text))
        for k, line in enumerate(lines, 1):
            title = f"Summary, {k} of {len(lines)}"
            self.add("summary", title, heading(title, unseen=True), markdown_cell(line))

    def close(self) -> None:
        """What to do at home, and what comes next."""
        text = "\n".join(c.source for c in self.notebook.cells if c.cell_type == "markdown")
        kinds = re.findall(r"^### Exercise \d+ \((.*?)\)", text, re.M)
        mixed = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        chapter = f"../notebooks/{self.name}.html"
        items = [f'<a href="{chapter}">The chapter</a>, with all its numbers',
                 f'<a href="{chapter}#exercises">The exercises</a>: {mixed}']  # fmt: skip
        for one in pages.chapters()[pages.chapters().index(self.about) + 1 :][:1]:
            items.append(f'Next: <a href="{one.name}.html">{escape(one.title)}</a>')
        self.section, self.fresh, self.waiting = "Exercises", True, []
        listed = "".join(f"<li>{item}</li>" for item in items)
        self.add("end", "Now you", heading("Now you"), markdown_cell(f"<ul>{listed}</ul>"))


def copied(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a cell with its HTML alone."""
    new = nbformat.v4.new_code_cell("")
    for out in cell.outputs:
        if "text/html" in out.get("data", {}):
            # reveal.js has controls of its own.
            data = {"text/html": out.data["text/html"].replace('"controls"', '"moves"')}
            new.outputs.append(nbformat.v4.new_output("display_data", data))
    return new


def in_lots(parts: list, most: int, text: Callable[[Any], str] = str) -> list[list]:
    """Divide sentences, in order, into lots of no more than so many words each.

    >>> in_lots(["One two.", "Three.", "Four."], 3)
    [['One two.', 'Three.'], ['Four.']]
    """
    lots: list[list] = []
    for one in parts:
        if lots and count(" ".join(map(text, [*lots[-1], one]))) <= most:
            lots[-1].append(one)
        else:
            lots.append([one])
    return lots


def paragraph(parts: list[str]) -> str:
    """Return sentences as a paragraph; nothing, if there are none."""
    return f"<p>{inline(' '.join(parts))}</p>" if parts else ""


def question_list(numbered: list[tuple[int, str]]) -> str:
    """Return numbered questions as a list that goes on from the slide before."""
    items = "".join(f"<li>{inline(text)}</li>" for _, text in numbered)
    return f'<ol start="{numbered[0][0]}">{items}</ol>'


ASKS = re.compile(
    r"((And|But|Or|So) )?(\w+ ){0,2}(who|whose|what|which|how|when|where|why|will|would|does|do|"
    r"did|is|are|was|were|can|could|should|must|has|have|may)\b",
    re.I,
)


def joined(parts: list[str]) -> list[str]:
    """Join what does not ask to the question after it, and bare answers to the one before.

    >>> joined(["How much?", "The same, or more?", "It stops.", "Who wins?"])
    ['How much? The same, or more?', 'It stops. Who wins?']
    """
    found, held = [], ""
    for one in parts:
        held = f"{held} {one}".strip()
        if not one.rstrip('*"”').endswith("?"):
            continue
        if (
            found
            and held == one
            and not ASKS.match(one)
            and not one.startswith(("And", "But", "Then"))
        ):
            found[-1] += f" {one}"
        else:
            found.append(held)
        held = ""
    return found


NUMBER = r"−?[\d.,]+"
LINE = re.compile(
    rf"(?P<what>.*): (?P<value>{NUMBER})(?P<unit>.*?) \((?P<low>{NUMBER}) to (?P<high>{NUMBER})\), "
    f"(?P<says>{'|'.join(map(re.escape, claims.WORDS.values()))})"
)


def in_parts(lines: list[str]) -> list[list[str]]:
    """Divide evidence over as few slides as will hold it, as evenly as they can."""

    def fits(part: list[str]) -> bool:
        told = [LINE.fullmatch(line) for line in part]
        rows = sum(24 + 35 * max(2, -(-len(one["what"]) // 27)) for one in told)
        words = sum(count(one["what"] + one["unit"]) for one in told)
        return rows <= HIGH - 70 and words <= MOST_WORDS - 4

    for wanted in range(1, len(lines)):
        ends = [round(k * len(lines) / wanted) for k in range(wanted + 1)]
        parts = [lines[a:b] for a, b in itertools.pairwise(ends)]
        if all(map(fits, parts)):
            return parts
    return [[line] for line in lines]


def evidence_table(lines: list[str]) -> str:
    """Return lines of evidence as a table, each with its interval drawn against zero.

    The lines have units of their own, so each is drawn to its own scale: a picture of direction
    and of doubt, not of size.
    """
    rows = []
    for line in lines:
        part = LINE.fullmatch(line)
        if part is None:
            raise SystemExit(f"slides: this evidence cannot be read: {line!r}")
        value, low, high = (
            float(part[key].replace(",", "").replace("−", "-")) for key in ("value", "low", "high")
        )
        scale = 112 / (max(abs(value), abs(low), abs(high)) or 1)
        at, a, b = (f"{125 + scale * x:.1f}" for x in (value, low, high))
        kind = next(key for key, words in claims.WORDS.items() if words == part["says"])
        rows.append(
            f'<tr class="{kind}"><th scope="row">{escape(part["what"])}</th>'
            '<td><svg viewBox="0 0 250 40" aria-hidden="true">'
            '<line class="zero" x1="125" x2="125" y1="2" y2="38"/>'
            f'<line class="range" x1="{a}" x2="{b}" y1="20" y2="20"/>'
            f'<circle cx="{at}" cy="20" r="9"/></svg></td>'
            f"<td>{part['value']}{escape(part['unit'])}<br>({part['low']} to {part['high']})</td>"
            f'<td class="says">{kind}</td></tr>'
        )
    head = (
        '<tr><th scope="col">Difference</th><th scope="col"><span class="unseen">Picture: </span>'
        'against ◂ ▸ for</th><th scope="col">and 95 % interval</th><th scope="col">speaks</th></tr>'
    )
    return f'<table class="evidence"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'
