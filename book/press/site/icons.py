"""The theme's icons, without those that nobody sees."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press.files import kept
from book.press.site import about, book_pages, when_built


def shrink_icons(site: Path) -> None:
    """Keep of the theme's icons only what the pages and the style sheets use."""
    styles = site / "_static" / "styles"
    css = "".join(path.read_text(encoding="utf-8") for path in styles.glob("*.css"))
    used = {
        name for path in book_pages(site)
        for name in re.findall(r"\bfa-[a-z0-9-]+", path.read_text(encoding="utf-8"))
    }  # fmt: skip
    wanted = set(re.findall(r'--pst-icon-[a-z-]+:"\\?([^"]+)"', css))
    book = (styles / "sphinx-book-theme.css").read_text(encoding="utf-8")
    wanted |= set(re.findall(r'content:"\\(f[0-9a-f]{3})"', book))
    rule = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\?([^"]+)"\}')

    def needed(match: re.Match) -> str:
        if not used & set(re.findall(r"fa-[a-z0-9-]+", match[1])):
            return ""
        wanted.add(match[2])
        return match[0]

    theme = styles / "pydata-sphinx-theme.css"
    theme.write_text(rule.sub(needed, theme.read_text(encoding="utf-8")), encoding="utf-8")
    points = sorted(int(c, 16) if len(c) > 1 else ord(c) for c in wanted)
    for whole in (site / "_static" / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        source = repr(points).encode() + whole.read_bytes()
        font = kept("icons", source, lambda whole=whole: cut(whole, points))
        whole.with_suffix(".woff2").write_bytes(font)


def cut(whole: Path, points: list[int]) -> bytes:
    """Return a font with some characters alone."""
    from fontTools import subset

    options, small = subset.Options(flavor="woff2", layout_features=[]), io.BytesIO()
    font, cutter = subset.load_font(str(whole), options), subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    subset.save_font(font, small, options)
    return small.getvalue()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    when_built(app, shrink_icons)
    return about()
