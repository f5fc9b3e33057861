"""Pages are light and do not jump. Times are printed by `make speed`, not tested: they are the
machine's as much as the page's."""

from __future__ import annotations

import pytest

from book.press import chapters
from book.press.checks import speed


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_pages_are_light_and_nothing_jumps(site_url, browser, width):
    over = []
    for page in chapters.pages():
        found = speed.measure(browser, f"{site_url}{page}.html", width)
        over += [what for what in speed.too_much(page, found) if what.endswith(("bytes", "CLS"))]
    assert not over
