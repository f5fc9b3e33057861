"""Print the whole book into one PDF with headless Chromium, beside the built site's pages."""

from __future__ import annotations

import sys

from book.press.places import HTML, ROOT
from book.press.site.browser import site_in_browser

PDF = HTML / "static-vs-dynamic.pdf"
FOOT = (
    '<div style="font-size:8px;width:100%;text-align:center;color:#555">'
    'Static vs. Dynamic AI Models · <span class="pageNumber"></span></div>'
)


def main() -> int:
    """Print the page that holds the whole book."""
    with site_in_browser() as (browser, address):
        page = browser.new_page()
        page.set_default_timeout(300_000)  # ms; hundreds of pictures, and a machine may be busy
        page.goto(f"{address}/book/print.html")
        page.evaluate("document.fonts.ready.then(() => true)")  # the pictures are there
        page.pdf(
            path=PDF, format="A4", print_background=True, tagged=True, outline=True,
            display_header_footer=True, header_template="<span></span>", footer_template=FOOT,
            margin={"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
        )  # fmt: skip
    print(f"The PDF is {PDF.relative_to(ROOT)}, {PDF.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
