"""The report of a comparison: the answer first, on one printed page, the detail behind it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from companion import Baseline, Static, compare, streams
from companion.advice import answer, in_each_tenth, said_of_changes
from companion.show.report import page, three_numbers
from companion.stream import Stream


@pytest.fixture(scope="module")
def result():
    lineup = {"no change": Baseline("no-change"), "frozen linear": Static(LinearRegression()),
              "mean so far": Baseline("mean")}  # fmt: skip
    return compare(streams.bike_sharing(), lineup, reference="frozen linear")


def stepped(rows, level):
    """A comparison in which the frozen model's errors are ``level`` from row 300 on."""
    y = np.zeros(600)
    y[300:] = level
    y += np.random.default_rng(0).uniform(-1, 1, 600)
    lineup = {"mean so far": Baseline("mean"), "no change": Baseline("no-change")}
    time = np.datetime64("2020-01-01") + np.arange(600)
    stream = Stream("steps", np.zeros((600, 1)), y, time=time)
    return compare(stream, lineup, warmup=rows, reference="mean so far")


def test_a_change_of_level_is_found_where_it_is_and_none_where_there_is_none():
    found = stepped(100, 50).changes
    assert found and 300 <= found[0] < 340
    day = np.datetime64("2020-01-01") + found[0]
    assert f"row {found[0]} ({day})" in said_of_changes(stepped(100, 50))
    assert stepped(100, 0).changes == []
    assert "no change" in said_of_changes(stepped(100, 0))


def test_tenths_are_counted(result):
    gain = result.loss("frozen linear") - result.loss("mean so far")
    better = sum(part.mean() > 0 for part in np.array_split(gain, 10))
    assert 0 < better < 10
    assert in_each_tenth(result, "mean so far").startswith(f"In {better} of 10 tenths")


def test_three_numbers_are_those_of_the_table(result):
    scores = {row["strategy"]: row["score"] for row in result.table()}
    (first, error), (second, less) = three_numbers(result, "frozen linear")
    assert first.endswith("of frozen linear")
    assert error == f"{scores['frozen linear']:,.0f} rides a day"
    share = 1 - scores["frozen linear"] / scores["no change"]
    assert second.startswith("less than no change" if share > 0 else "more than no change")
    assert less == f"{abs(share):.0%}"


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type */Page\b", pdf))


def test_the_answer_prints_on_one_page_and_the_detail_after_it(result, browser, tmp_path):
    read = [("rows", "731"), *[(f"column {k}", "numbers") for k in range(40)]]
    path = tmp_path / "report.html"
    path.write_text(page(result, answer(result), read), encoding="utf-8")
    opened = browser.new_page()
    opened.goto(path.as_uri())
    assert opened.locator("details[open]").count() == 0
    assert opened.locator("h1 + .lead").inner_text() == answer(result)[0]
    whole = opened.pdf(prefer_css_page_size=True)
    hidden = "details > :not(summary) { display: none }"
    opened.add_style_tag(content=hidden)
    folded = opened.pdf(prefer_css_page_size=True)
    opened.evaluate("document.querySelector('.appendix').remove()")
    assert pages(opened.pdf(prefer_css_page_size=True)) == 1
    assert pages(whole) > pages(folded) == 2
    opened.close()
