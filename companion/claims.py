"""The article's 21 claims, and verdicts computed from experiments.

A verdict follows one plain rule. Each piece of evidence is a comparison with a 95 % interval.
It speaks *for* the claim when the whole interval lies on the claimed side of zero, *against* it
when the whole interval lies on the other side, and it is *unclear* otherwise. All for: supported.
None for: not supported here. Anything else: supported only under the condition that is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from companion.compare import Difference, digits_for

MIME = "application/vnd.companion.verdict+json"


@dataclass(frozen=True)
class Claim:
    """One claim of the article: its id, its text in the book's words, where it is tested.

    Examples
    --------
    >>> CLAIMS["S2"].text
    'A fixed model struggles when conditions change.'
    """

    id: str
    text: str
    part: str
    chapters: tuple[int, ...]


def _claims(*rows: tuple[str, str, str, tuple[int, ...]]) -> dict[str, Claim]:
    return {row[0]: Claim(*row) for row in rows}


CLAIMS = _claims(
    ("S1", "A fixed model excels at the specific task it was trained for.", "Static", (2,)),
    ("S2", "A fixed model struggles when conditions change.", "Static", (1, 3)),
    ("D1", "A dynamic model adjusts to new information as it comes.", "Dynamic", (1, 7, 19)),
    ("B1", "Batch learning is consistent and reliable.", "Batch", (4, 10)),
    ("B2", "Batch processing makes good use of computing resources.", "Batch", (4,)),
    ("B3", "Checking a model before it ships makes production more reliable.", "Batch", (5, 16)),
    ("B4", "A batch model goes stale: it takes in new data only by complete retraining.", "Batch",
     (6,)),
    ("O1", "Online models suit data whose patterns shift often.", "Online", (8,)),
    ("O2", "Online, new information counts at once, not at the next update.", "Online", (7,)),
    ("O3", "Learning from single interactions makes a model personal.", "Online", (9,)),
    ("A1", "In finance, dynamic models adapt to volatility in real time.", "Applications", (11,)),
    ("A2", "In medicine, static models hold established knowledge, dynamic ones fit the patient.",
     "Applications", (12,)),
    ("A3", "Predictive maintenance needs adaptation to changing equipment conditions.",
     "Applications", (13,)),
    ("A4", "In quality control, where consistency counts most, static models excel.",
     "Applications", (14,)),
    ("H1", "Hybrids join the reliability of static with the adaptability of dynamic models.",
     "Hybrids", (12, 15, 16)),
    ("I1", "Static models need care over the quality of their first training data.",
     "Implementation", (17,)),
    ("I2", "Static models need regular retraining schedules.", "Implementation", (6, 16, 17)),
    ("I3", "Dynamic models need monitoring for drift.", "Implementation", (18,)),
    ("I4", "Dynamic models need monitoring for stable learning.", "Implementation", (10, 18)),
    ("F1", "The line between static and dynamic models blurs.", "Outlook", (20,)),
    ("C1", "Choosing between static and dynamic is strategic: no choice is best everywhere.",
     "Outlook", (21,)),
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """One comparison that speaks for or against a claim.

    Attributes
    ----------
    what : str
        What was compared, in words a newcomer understands.
    value, low, high : float
        The difference and its 95 % interval; above zero speaks for the claim.
    unit : str

    Examples
    --------
    >>> print(Evidence("frozen minus online", 8.0, -5.0, 21.0, "rides"))
    frozen minus online: 8.0 rides (−5.0 to 21.0), unclear
    """

    what: str
    value: float
    low: float
    high: float
    unit: str

    @property
    def speaks(self) -> str:
        """``"for"``, ``"against"`` or ``"unclear"``."""
        return "for" if self.low > 0 else "against" if self.high < 0 else "unclear"

    def __str__(self) -> str:
        n = digits_for(max(abs(self.value), abs(self.low), abs(self.high)))
        unit = f" {self.unit}" if self.unit else ""
        value, low, high = (
            f"{number:z,.{n}f}".replace("-", "−") for number in (self.value, self.low, self.high)
        )
        return f"{self.what}: {value}{unit} ({low} to {high}), {WORDS[self.speaks]}"


WORDS = {"for": "speaks for the claim", "against": "speaks against it", "unclear": "unclear"}


def evidence(what: str, difference: Difference) -> Evidence:
    """Turn a :class:`~companion.compare.Difference` into evidence; above zero speaks for.

    Examples
    --------
    >>> print(evidence("frozen minus online", Difference("a", "b", 8.0, 5.0, 11.0, "rides", 9, 3)))
    frozen minus online: 8.0 rides (5.0 to 11.0), speaks for the claim
    """
    return Evidence(what, difference.value, difference.low, difference.high, difference.unit)


def evidence_from_seeds(what: str, values: Sequence[float], unit: str) -> Evidence:
    """Turn one difference a seed into evidence: their mean, and Student's 95 % interval of it.

    Parameters
    ----------
    what : str
    values : sequence of float
        Differences of independent repetitions, at least 3; above zero speaks for the claim.
    unit : str

    References
    ----------
    Student (1908), The probable error of a mean. Biometrika 6.

    Examples
    --------
    >>> print(evidence_from_seeds("frozen minus online", [4.0, 6.0, 5.0, 5.0], "rides"))
    frozen minus online: 5.00 rides (3.70 to 6.30), speaks for the claim
    """
    from scipy.stats import t

    if len(values) < 3:
        raise ValueError(f"{what}: {len(values)} repetitions give no interval; run at least 3")
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = float(t.ppf(0.975, len(values) - 1)) * (variance / len(values)) ** 0.5
    return Evidence(what, float(mean), float(mean - half), float(mean + half), unit)


@dataclass(frozen=True)
class Verdict:
    """What an experiment says of a claim. Shown as the last value of a cell, it is recorded.

    :func:`verdict` makes it.

    Examples
    --------
    >>> verdict("S2", [Evidence("frozen minus online", 8.0, 5.0, 11.0, "rides")],
    ...         would_change="A stream that does not drift.").outcome
    'supported'
    """

    claim: Claim
    outcome: str
    evidence: tuple[Evidence, ...]
    would_change: str

    def __str__(self) -> str:
        lines = [f"Claim {self.claim.id}: {self.claim.text}", f"Verdict: {self.outcome}."]
        lines += [f"- {item}" for item in self.evidence]
        return "\n".join([*lines, f"What would change it: {self.would_change}"])

    __repr__ = __str__

    def record(self) -> dict[str, Any]:
        """Return the verdict as plain data, numbers as they are shown."""
        return {
            "claim": self.claim.id,
            "outcome": self.outcome,
            "evidence": [str(item) for item in self.evidence],
            "would_change": self.would_change,
        }

    def html(self) -> str:
        """Return the verdict as a small HTML section."""
        items = "".join(f"<li>{escape(str(item))}</li>" for item in self.evidence)
        tone = self.outcome.split()[0]
        return (
            f'<div class="companion-verdict" data-outcome="{escape(tone)}">'
            f"<p><strong>Claim {self.claim.id}.</strong> {escape(self.claim.text)}</p>"
            f"<p><strong>Verdict: {escape(self.outcome)}.</strong></p><ul>{items}</ul>"
            f"<p><strong>What would change it:</strong> {escape(self.would_change)}</p></div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self.html(), MIME: self.record()}


def verdict(
    claim: str, evidence: Sequence[Evidence], *, would_change: str, only_when: str = ""
) -> Verdict:
    """Compute the verdict on a claim; as the last value of a cell it is shown and recorded.

    Parameters
    ----------
    claim : str
        The claim's id, such as ``"S2"``.
    evidence : sequence of Evidence
    would_change : str
        What other data or setting might turn the verdict.
    only_when : str
        The condition under which the claim holds; needed when the evidence is divided.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If the claim is unknown, there is no evidence, or divided evidence comes without a
        condition.

    Examples
    --------
    >>> proof = Evidence("frozen minus online", 8.0, 5.0, 11.0, "rides")
    >>> print(verdict("S2", [proof], would_change="a stream that does not change."))
    Claim S2: A fixed model struggles when conditions change.
    Verdict: supported.
    - frozen minus online: 8.0 rides (5.0 to 11.0), speaks for the claim
    What would change it: a stream that does not change.
    """
    if claim not in CLAIMS:
        raise ValueError(f"there is no claim {claim!r}; the claims are {', '.join(CLAIMS)}")
    if not evidence:
        raise ValueError(f"claim {claim}: a verdict needs evidence; give at least one comparison")
    speaks = [item.speaks for item in evidence]
    if set(speaks) == {"for"}:
        outcome = "supported"
    elif "for" not in speaks:
        outcome = "not supported here"
    elif only_when:
        outcome = f"only when {only_when}"
    else:
        raise ValueError(
            f"claim {claim}: the evidence is divided ({', '.join(speaks)}); "
            "say under which condition it holds with only_when"
        )
    return Verdict(CLAIMS[claim], outcome, tuple(evidence), would_change)
