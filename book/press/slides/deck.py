"""A deck while its chapter is read: the slides so far, and the prose that waits for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import nbformat

from book.press.chapters import ChapterFacts
from book.press.slides.cells import LEAST_CODE, code_size
from book.press.slides.words import count

MINUTES = {
    "title": 2, "figure": 3, "zoom": 1, "moving": 3, "code": 4, "table": 3, "output": 2, "knobs": 6,
    "verdict": 2, "evidence": 1, "quiz": 2, "summary": 1, "end": 1, "poll": 3,
}  # fmt: skip


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


@dataclass
class Deck:
    """A chapter's slides, gathered in the order of its notebook."""

    chapter: ChapterFacts
    slides: list[Slide] = field(default_factory=list)
    section: str = ""
    subsection: str = ""
    prose: list[str] = field(default_factory=list)  # for the next slide
    heading_since: bool = False  # whether a heading came since the last slide
    section_begins: bool = True  # whether a section has no slide yet
    has_table: bool = False

    @property
    def place(self) -> str:
        """The heading under which the chapter is being read."""
        return self.subsection or self.section

    def begin(self, section: str) -> None:
        """Begin a section; prose that came after the last slide stays with it."""
        self.give_prose()
        self.section, self.subsection, self.section_begins = section, "", True

    def add(self, kind: str, title: str, *cells: nbformat.NotebookNode, **more: Any) -> Slide:
        """Append a slide; it takes the prose that waits for one."""
        if not self.heading_since and self.prose and self.slides and kind != "title":
            # Prose explains the picture before it and leads up to code; a short last line leads on.
            last = self.prose[-1]
            leads = len(self.prose) > 1 and (count(last) < 15 or last.endswith(":"))
            cut = 0 if kind in ("code", "table") else len(self.prose) - leads
            self.slides[-1].say += self.prose[:cut]
            self.prose = self.prose[cut:]
        slide = Slide(kind, title, self.place, list(cells), say=self.prose, **more)
        if self.section_begins:
            slide.level = "slide"
        self.prose, self.heading_since, self.section_begins = [], False, False
        self.slides.append(slide)
        return slide

    def add_code(self, kind: str, title: str, cells: list, *texts: str) -> None:
        """Append a slide of code or output, at the size that fits; say so if none does."""
        size = code_size(*texts)
        if size < LEAST_CODE:
            raise SystemExit(
                f"slides: {self.chapter.name}: {texts[0].splitlines()[0]!r} … is too long for a "
                "slide; name one of its functions under slideshow.show in the cell's metadata"
            )
        self.add(kind, title, *cells, style=f"--code: {size}px")

    def give_prose(self) -> None:
        """Give the prose that came after a slide to it, at the end of a section."""
        if not self.heading_since and self.slides:
            self.slides[-1].say += self.prose
            self.prose = []
