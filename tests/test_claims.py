"""Claims: what evidence speaks, and the verdict's rule."""

from __future__ import annotations

import json
import tomllib
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from companion.claims import (
    CLAIMS,
    MIME,
    Claim,
    Evidence,
    evidence,
    evidence_from_seeds,
    heard,
    predictions,
    verdict,
)
from companion.comparison import Difference


@pytest.mark.parametrize(
    ("low", "high", "speaks"),
    [
        (1.0, 3.0, "for"),
        (1e-12, 3.0, "for"),
        (0.0, 3.0, "unclear"),
        (-1.0, 3.0, "unclear"),
        (0.0, 0.0, "unclear"),
        (-3.0, 0.0, "unclear"),
        (-3.0, -1e-12, "against"),
        (-3.0, -1.0, "against"),
    ],
)
def test_evidence_speaks_when_its_whole_interval_is_on_one_side(low, high, speaks):
    item = Evidence("a minus b", (low + high) / 2, low, high, "rides")
    assert item.speaks == speaks
    words = {"for": "for the claim", "against": "against it", "unclear": "unclear"}
    assert str(item).startswith("a minus b: ") and str(item).endswith(words[speaks])


def test_evidence_takes_the_numbers_of_a_difference():
    item = evidence("a minus b", Difference("a", "b", 8.0, 5.0, 11.0, "rides", 9, 3))
    assert item == Evidence("a minus b", 8.0, 5.0, 11.0, "rides")


def test_evidence_is_written_with_the_digits_of_its_largest_number():
    assert "2.0 points (−1.0 to 50.0)" in str(Evidence("x", 2, -1, 50, "points"))
    assert "2 points (−500 to 3)" in str(Evidence("x", 2, -500, 3, "points"))
    assert "20.0 (1.0 to 3.0)" in str(Evidence("x", 20, 1, 3, ""))


@pytest.mark.parametrize("values", [[4.0, 6.0, 5.0, 5.0], [1.0, -2.0, 0.5], [3.0, 3.0, 3.0]])
def test_evidence_of_seeds_is_their_mean_with_students_interval(values):
    item = evidence_from_seeds("x", values, "rides")
    mean, error = np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))
    half = stats.t.ppf(0.975, df=len(values) - 1) * error
    expected = (mean, mean - half, mean + half)
    np.testing.assert_allclose((item.value, item.low, item.high), expected)
    assert (item.what, item.unit, item.witnesses) == ("x", "rides", len(values))
    assert type(item.low) is float
    with pytest.raises(ValueError, match="x: 2 repetitions give no interval; run at least 3"):
        evidence_from_seeds("x", values[:2], "rides")


FOR, AGAINST, UNCLEAR = (
    Evidence("x", (a + b) / 2, a, b, "u") for a, b in ((1, 2), (-2, -1), (-1, 1))
)


@pytest.mark.parametrize("witnesses", [0, 3, 40])
@pytest.mark.parametrize("value", [-5.0, -0.1, 0.0, 1.0, 30.0])
def test_chance_is_below_one_in_twenty_where_the_interval_is_clear_of_zero(value, witnesses):
    curve = stats.t(witnesses - 1) if witnesses else stats.norm
    half = curve.ppf(0.975) * 2.0  # a standard error of 2
    item = Evidence("x", value, value - half, value + half, "u", witnesses)
    assert item.chance == pytest.approx(2 * curve.cdf(-abs(value) / 2.0))
    assert (item.chance < 0.05) == (item.speaks != "unclear")
    lopsided = Evidence("x", value, value - half, value + 3 * half, "u", witnesses)
    assert (lopsided.chance < 0.05) == (lopsided.speaks != "unclear")


def test_many_pieces_are_held_to_holms_correction():
    def clear_by(p):
        z = stats.norm.isf(p / 2)
        return Evidence("x", z, z - stats.norm.ppf(0.975), z + stats.norm.ppf(0.975), "u")

    assert heard([clear_by(p) for p in (0.04, 0.016, 0.024)]) == ["for", "for", "for"]
    assert heard([clear_by(p) for p in (0.04, 0.017, 0.024)]) == ["unclear"] * 3
    assert heard([clear_by(p) for p in (0.04, 0.016, 0.026)]) == ["unclear", "for", "unclear"]
    faint = verdict("S1", [clear_by(0.04), clear_by(0.5)], would_change="x", only_when="it rains")
    assert faint.outcome == "not supported here"
    assert "speaks for the claim, but not among so many" in str(faint)
    assert "but not among so many" in faint.html()


@pytest.mark.slow
def test_by_chance_alone_a_true_nothing_is_seldom_supported():
    """Eight pieces on nothing but noise: one is heard in at most one world of twenty."""
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(400):
        items = [evidence_from_seeds("x", rng.normal(size=5), "u") for _ in range(8)]
        wrong += "unclear" != "".join(set(heard(items)))
    assert wrong <= 0.05 * 400 + 2 * np.sqrt(0.05 * 0.95 * 400)


def test_a_count_that_cannot_vary_is_no_evidence():
    with pytest.raises(ValueError, match="claim B2, races: 5 to 5 cannot come"):
        verdict("B2", [Evidence("races", 5.0, 5.0, 5.0, "of 5")], would_change="x")
    assert Evidence("the same run twice", 0.0, 0.0, 0.0, "u").chance == 1.0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_verdict_follows_its_rule_for_all_evidence(count):
    for items in product((FOR, AGAINST, UNCLEAR), repeat=count):
        given = verdict("S1", items, would_change="x", only_when="it rains")
        if all(item is FOR for item in items):
            assert given.outcome == "supported"
        elif sum(item is FOR for item in items) < count / 2:
            assert given.outcome == "not supported here"
        else:
            assert given.outcome == "only when it rains"
            heard = ", ".join(item.speaks for item in items)
            with pytest.raises(ValueError, match=rf"claim S1: .*divided \({heard}\); say under"):
                verdict("S1", items, would_change="x")
        assert given.evidence == items and given.claim is CLAIMS["S1"]


def test_a_verdict_needs_a_claim_and_evidence():
    with pytest.raises(ValueError, match="no claim 'Z9'; the claims are S1, S2, D1"):
        verdict("Z9", [FOR], would_change="x")
    with pytest.raises(ValueError, match="claim S1: a verdict needs evidence"):
        verdict("S1", [], would_change="x")


def test_a_verdict_is_shown_and_recorded_with_all_that_it_rests_on():
    hostile = Evidence("a <b>", 1.5, 1.0, 2.0, "u")
    given = verdict("S2", [hostile, UNCLEAR], would_change="c & d", only_when="<i>")
    text, page = str(given), given._repr_mimebundle_()["text/html"]
    assert repr(given) == text == given._repr_mimebundle_()["text/plain"]
    for words in ("Claim S2", CLAIMS["S2"].text, "only when <i>", "a <b>", "c & d", str(UNCLEAR)):
        assert words in text
    for words in ("Claim S2", CLAIMS["S2"].text, "only when &lt;i&gt;", "a &lt;b&gt;", "c &amp; d"):
        assert words in page
    assert text.splitlines()[-2:] == [f"- {UNCLEAR}", "What would change it: c & d"]
    assert (
        page.count("<li>") == 2
        and "</li><li>" in page
        and 'data-outcome="only"' in page
        and "<b>" not in page
    )
    record = json.loads(json.dumps(given._repr_mimebundle_()[MIME]))
    assert record["claim"] == "S2" and record["outcome"] == "only when <i>"
    assert record["heard"] == ["for", "unclear"]
    assert len(record["evidence"]) == 2 and record["would_change"] == "c & d"
    supported = verdict("S2", [FOR], would_change="x")
    assert 'data-outcome="supported"' in supported.html()


def test_claims_know_their_place():
    assert all(isinstance(claim, Claim) and claim.id == name for name, claim in CLAIMS.items())
    assert CLAIMS["S2"].chapters == (1, 3) and CLAIMS["S2"].part == "Static"
    assert all(claim.chapters and claim.text.endswith(".") for claim in CLAIMS.values())


def test_every_claim_says_beforehand_what_would_refute_it():
    said = predictions()
    assert list(said) == list(CLAIMS)
    for claim, words in said.items():
        assert list(words) == ["difference", "streams", "rivals", "refuted"], claim
        assert all(len(text.split()) >= 4 for text in words.values()), claim
        assert "minus" in words["difference"], claim  # a difference: either sign is possible


def test_every_stored_verdict_follows_from_what_its_pieces_were_heard_to_say():
    for claim, record, _ in stored():
        items, words = [Evidence(**item) for item in record["evidence"]], record["heard"]
        assert all(
            word in (item.speaks, "unclear") for item, word in zip(items, words, strict=True)
        )
        clear = words.count("for")
        kind = "supported" if clear == len(words) else "not" if 2 * clear < len(words) else "only"
        assert record["outcome"].split()[0] == kind, claim


def test_the_newest_change_of_a_verdict_is_what_the_chapter_says_now():
    now = {(claim, place): record["outcome"].split()[0] for claim, record, place in stored()}
    text = (Path(__file__).parents[1] / "book" / "changed_verdicts.toml").read_text("utf-8")
    newest = {}
    for change in tomllib.loads(text)["change"]:
        for claim, chapter, before, after in change["verdicts"]:
            assert before == newest.get((claim, chapter), before) != after
            newest[claim, chapter] = after
        stand = {(claim, chapter) for claim, chapter, *_ in change["kept"]}
        assert len(stand) == len(change["kept"]) and stand <= set(now) - set(newest)
    assert newest and newest.items() <= now.items()
    assert {place for place, kind in now.items() if kind == "not"} <= set(newest)


def stored():
    """Yield the claim, the record and the chapter's number of each verdict."""
    for path in sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for out in cell.get("outputs", []):
                if record := out.get("data", {}).get(MIME):
                    yield record["claim"], record, int(path.name[:2])
