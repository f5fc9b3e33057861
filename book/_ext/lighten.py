"""Pages without ballast: no icons nobody sees, no search index until somebody searches."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from pathlib import Path

from fontTools import subset

# The theme draws its icons from a font; the script that holds all icons again is not needed.
UNUSED = r'<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"></script>\n?'
SEARCH = r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>\n?'
FRAME = re.compile(r"data:image/webp;base64,([A-Za-z0-9+/=]+)")


def lightened(html: str, page: Path, site: Path) -> str:
    """Return a page without scripts it does not need, its moving pictures as files."""
    html = re.sub(UNUSED, "", html)
    if page.name != "search.html":
        html = re.sub(SEARCH, "", html)
    folder = site / "_images" / "frames"
    folder.mkdir(parents=True, exist_ok=True)
    up = "../" * (len(page.relative_to(site).parts) - 1)

    def as_file(match: re.Match) -> str:
        data = b64decode(match[1])
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.webp"
        (folder / name).write_bytes(data)
        return f"{up}_images/frames/{name}"

    html = FRAME.sub(as_file, html)
    return re.sub(r'<img src="([^"]*frames/)', r'<img loading="lazy" src="\1', html)


def shrink_icons(site: Path) -> None:
    """Keep of the theme's icons only what the pages and the style sheets use."""
    styles = site / "_static" / "styles"
    css = "".join(path.read_text(encoding="utf-8") for path in styles.glob("*.css"))
    used = {
        name for path in site.rglob("*.html")
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
