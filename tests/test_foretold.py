"""Predictions for unseen rows: the record is of the words as they stand, and may say failed."""

from __future__ import annotations

import json

import pytest

from book.press.site import foretold as shown
from book.press.upkeep import foretold


def test_each_prediction_has_the_record_of_its_own_words():
    record = json.loads(foretold.RECORD.read_text(encoding="utf-8"))
    assert {one.chapter: foretold.edition(one) for one in foretold.FORETOLD} == {
        int(chapter): found["edition"] for chapter, found in record.items()
    }
    table = shown.claims_foretold()
    assert all(one.words in table for one in foretold.FORETOLD)


def test_a_prediction_that_is_changed_after_its_run_is_not_shown(monkeypatch):
    first, *rest = foretold.FORETOLD
    monkeypatch.setattr(shown, "FORETOLD", (first._replace(words="All is well."), *rest))
    with pytest.raises(ValueError, match=f"chapter {first.chapter}'s prediction is not the one"):
        shown.claims_foretold()


@pytest.mark.parametrize("one", foretold.FORETOLD, ids=lambda one: f"chapter {one.chapter}")
def test_each_prediction_can_fail(one, monkeypatch):
    """Numbers turned into others make it fail, and the table says so."""
    record = json.loads(foretold.RECORD.read_text(encoding="utf-8"))
    numbers = record[str(one.chapter)]["numbers"]
    worlds = [{what: times * value for what, value in numbers.items()} for times in (1, -1, 0, 50)]
    worlds += [numbers | {what: value + step} for what, value in numbers.items()
               for step in (-100, 100)]  # fmt: skip
    assert not all(map(one.holds, worlds))
