"""Every page opens clean on a phone, light and dark."""

from __future__ import annotations

import pytest
from looks import problems_on_pages


@pytest.mark.browser
def test_every_page_opens_clean(site_url, browser):
    assert problems_on_pages(site_url, browser, width=360) == []
