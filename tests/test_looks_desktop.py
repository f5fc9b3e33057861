"""Every page opens clean on a desktop, light and dark."""

from __future__ import annotations

import pytest
from looks import AXE, AXE_SCRIPT, TIMES, WHOLE, found_by_axe, problems_on_pages


@pytest.mark.browser
def test_every_page_opens_clean(site_url, browser):
    assert problems_on_pages(site_url, browser, width=1280) == []


@pytest.mark.browser
def test_a_look_that_was_asked_often_hides_no_other(browser):
    page, often = browser.new_page(), {}

    def found(body: str) -> list[str]:
        page.set_content(f'<html lang="en"><title>Toy</title><main><h1>Toy</h1>{body}</main>')
        page.evaluate(AXE_SCRIPT)
        return [one.partition(" ")[0] for one in found_by_axe(page, WHOLE, AXE, often)]

    good, pale = "<p>black on white</p>" * 2 * TIMES, '<p style="color: #bbb">{}</p>'
    assert found(good) == []
    assert found(good + pale.format("pale")) == ["color-contrast"]
    assert found(f'<div style="background: #222">{good}</div>') == ["color-contrast"]
    assert found(good + '<p>black on white, <a href="/" style="color: #00e">a link</a></p>') == []
    bare = '<a href="/" style="color: #00e; text-decoration: none">a link</a>'
    assert found(f"<p>{bare}</p>" * 2 * TIMES) == []
    assert found(good + f"<p>black on white, {bare}</p>") == ["link-in-text-block"]
    # The same is not asked for ever.
    assert found(pale.format("pale") * 2 * TIMES) == ["color-contrast"]
    assert found(pale.format("pale")) == []
    page.close()
