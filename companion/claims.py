"""The article's 21 claims, and verdicts computed from experiments.

A verdict follows one plain rule. Each piece of evidence is a comparison with a 95 % interval.
It speaks *for* the claim when the whole interval lies on the claimed side of zero, *against* it
when the whole interval lies on the other side, and it is *unclear* otherwise. A claim has several
pieces, and the more one looks, the more often chance alone clears zero: so they are held to Holm's
correction together. All for: supported. Fewer than half for: not supported here. Anything else:
only when, with a condition that is the author's reading of the pieces.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from companion.comparison import Difference, digits_for

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


def predictions() -> dict[str, dict[str, str]]:
    """Return what each claim predicts: the difference, the streams, the rivals, what refutes it.

    Examples
    --------
    >>> sorted(predictions()["S1"])
    ['difference', 'refuted', 'rivals', 'streams']
    """
    text = resources.files("companion").joinpath("predictions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


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
    witnesses : int
        Independent repetitions behind the interval; 0 where it comes from blocks of one
        stream's rows.

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
    witnesses: int = 0

    @property
    def speaks(self) -> str:
        """``"for"``, ``"against"`` or ``"unclear"``, by its own interval."""
        return "for" if self.low > 0 else "against" if self.high < 0 else "unclear"

    @property
    def chance(self) -> float:
        """How often chance alone goes as far to one side or the other: the p-value.

        It is read back from the interval, by Student's curve for witnesses and by the normal one
        for blocks; below 0.05 where the interval is clear of zero.
        """
        from scipy.special import ndtr, ndtri, stdtr, stdtrit

        half = self.value - self.low if self.value > 0 else self.high - self.value
        if half <= 0:
            return 1.0
        far, free = abs(self.value) / half, self.witnesses - 1
        if free > 0:
            return float(2 * stdtr(free, -far * stdtrit(free, 0.975)))
        return float(2 * ndtr(-far * ndtri(0.975)))

    @property
    def digits(self) -> int:
        """How many decimals are shown."""
        return digits_for(max(abs(self.value), abs(self.low), abs(self.high)))

    def shown(self) -> tuple[str, str, str]:
        """Return the value and the interval's ends as they are shown."""
        numbers = (self.value, self.low, self.high)
        return tuple(f"{number:z,.{self.digits}f}".replace("-", "−") for number in numbers)

    def record(self) -> dict[str, Any]:
        """Return plain data, numbers as they are shown; ``Evidence(**record)`` reads it."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high")}
        rounded = {name: float(f"{number:z.{self.digits}f}") for name, number in numbers.items()}
        counted = {"witnesses": self.witnesses} if self.witnesses else {}
        return {"what": self.what, **rounded, "unit": self.unit, **counted}

    def __str__(self) -> str:
        value, low, high = self.shown()
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.what}: {value}{unit} ({low} to {high}), {WORDS[self.speaks]}"


WORDS = {"for": "speaks for the claim", "against": "speaks against it", "unclear": "unclear"}


def evidence(what: str, difference: Difference) -> Evidence:
    """Turn a :class:`~companion.comparison.Difference` into evidence; above zero speaks for.

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
    from scipy.special import stdtrit

    if len(values) < 3:
        raise ValueError(f"{what}: {len(values)} repetitions give no interval; run at least 3")
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = float(stdtrit(len(values) - 1, 0.975)) * (variance / len(values)) ** 0.5
    return Evidence(what, float(mean), float(mean - half), float(mean + half), unit, len(values))


def heard(items: Sequence[Evidence]) -> list[str]:
    """Return what each piece of evidence says when all are heard together.

    The piece that is least likely by chance must clear 0.05 divided by the number of pieces, the
    next one 0.05 divided by one fewer, and so on; after the first that fails, all are unclear.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics 6.

    Examples
    --------
    >>> clear, faint = Evidence("a", 8.0, 5.0, 11.0, ""), Evidence("b", 8.0, 0.1, 15.9, "")
    >>> heard([faint]), heard([faint, clear]), heard([faint, faint])
    (['for'], ['for', 'for'], ['unclear', 'unclear'])
    """
    words, chances = ["unclear"] * len(items), [item.chance for item in items]
    order = sorted(range(len(items)), key=chances.__getitem__)
    for rank, place in enumerate(order):
        if chances[place] >= 0.05 / (len(items) - rank):
            break
        words[place] = items[place].speaks
    return words


def in_words(items: Sequence[Evidence], words: Sequence[str]) -> list[str]:
    """Return each piece of evidence as a line, and where hearing all together weakens it.

    Examples
    --------
    >>> in_words([Evidence("frozen minus online", 8.0, 0.1, 15.9, "rides")], ["unclear"])
    ['frozen minus online: 8.0 rides (0.1 to 15.9), speaks for the claim, but not among so many']
    """
    return [
        f"{item}{'' if word == item.speaks else ', but not among so many'}"
        for item, word in zip(items, words, strict=True)
    ]


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
        lines += [f"- {line}" for line in in_words(self.evidence, heard(self.evidence))]
        return "\n".join([*lines, f"What would change it: {self.would_change}"])

    __repr__ = __str__

    def record(self) -> dict[str, Any]:
        """Return the verdict as plain data, numbers as they are shown."""
        return {
            "claim": self.claim.id,
            "outcome": self.outcome,
            "evidence": [item.record() for item in self.evidence],
            "heard": heard(self.evidence),
            "would_change": self.would_change,
        }

    def html(self) -> str:
        """Return the verdict as a small HTML section."""
        lines = in_words(self.evidence, heard(self.evidence))
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
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
        The condition under which the claim holds, as the author reads the evidence; needed when
        half of the pieces or more, but not all, speak for it.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If the claim is unknown, there is no evidence, a piece of it has an interval without
        width, or divided evidence comes without a condition.

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
    for item in evidence:
        if item.low == item.high != 0:
            raise ValueError(
                f"claim {claim}, {item.what}: {item.low:g} to {item.high:g} cannot "
                "come out otherwise and is no interval; measure the difference on several witnesses"
            )
    speaks = heard(evidence)
    if set(speaks) == {"for"}:
        outcome = "supported"
    elif 2 * speaks.count("for") < len(speaks):
        outcome = "not supported here"
    elif only_when:
        outcome = f"only when {only_when}"
    else:
        raise ValueError(
            f"claim {claim}: the evidence is divided ({', '.join(speaks)}); "
            "say under which condition it holds with only_when"
        )
    return Verdict(CLAIMS[claim], outcome, tuple(evidence), would_change)
