"""Every page is valid HTML, as the Nu HTML Checker hears it."""

from __future__ import annotations

import pytest

from book.press.checks import nu

pytestmark = pytest.mark.skipif(bool(nu.missing()), reason=nu.missing() or "all is there")


def test_every_page_is_valid(site):
    pages = nu.pages(site)
    assert len(pages) > 70
    assert nu.faults(pages) == []


def test_a_fault_is_found(tmp_path):
    page = tmp_path / "page.html"
    inside = "<details><summary><p>Open</p></summary></details>"
    page.write_text(f"<!DOCTYPE html><html lang='en'><title>t</title>{inside}", encoding="utf-8")
    (fault,) = nu.faults([page])
    assert fault.startswith("page.html, line 1: Element “p” not allowed")
    assert "“summary”" in fault
