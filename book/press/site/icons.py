"""The theme's icons, without those that nobody sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fontTools import subset
from sphinx.application import Sphinx

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
    points = [int(c, 16) if len(c) > 1 else ord(c) for c in wanted]
    for whole in (site / "_static" / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        options = subset.Options(flavor="woff2", layout_features=[])
        font = subset.load_font(str(whole), options)
        cut = subset.Subsetter(options)
        cut.populate(unicodes=points)
        cut.subset(font)
        subset.save_font(font, str(whole.with_suffix(".woff2")), options)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    when_built(app, shrink_icons)
    return about()
