"""Every verdict in planted worlds: it holds where its claim is true, and falls where it is false.

A chapter's own verdict cells run, with the losses that they read planted: once so that the claim
is true, once the other way round, once so that nothing is there. Functions, imports and constants
of the cells before are the chapter's, too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from book.press import chapters
from companion import claims, streams
from companion.comparison import Comparison
from companion.stream import Stream

WORLDS = ("true", "false", "nothing")
RIVALS_OF = {
    1: [["online line"], ["refit line weekly", "refit boosting monthly", "no change"]],
    2: [["frozen trees", "frozen table", "frozen"]],
    3: [["refitted"]],
    4: [["neural network", "random forest", "line, at once", "Scheduled"]],
    5: [["what ships"]],
    6: [["refitted", "refit weekly", "refit daily", "every 7", "every 120"]],
    7: [["at once", "online, rate of the warm-up", "online, rate 0.03", "online, rate 0.3"]],
    8: [["online line"]],
    9: [["+ shrunk and fading"]],
    10: [["refit", "online, guarded"]],
    11: [["faded", "online", "online, with features"]],
    12: [["both", "corrected"]],
    13: [["frozen + peers", "relearnt monthly", "hybrid: load + fleet", "online",
          "own baseline", "retrained classifier"]],
    14: [["frozen", "CUSUM"]],
    15: [["residual", "paired", "champion", "blend"]],
    16: [["weekly"], ["all stations", "with shadow"]],
    17: [["good school", "online", "whole", "1 year", "root"]],
    18: [["quick, watched", "long memory, watched", "jump", "canary"]],
    19: [["online line", "kept", "lost every 30"]],
    20: [["head", "neighbours", 1]],
    21: [[]],
}  # fmt: skip
"""By chapter, who errs least where its claims are true, who next; all others stand behind them."""


class Each(dict):
    """A table that makes what stands at a key, when it is asked for it, and keeps it."""

    def __init__(self, make: Callable[..., Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: Any) -> Any:
        self[key] = self.make(*key if isinstance(key, tuple) else (key,))
        return self[key]


class Planted(Comparison):
    """A comparison whose losses are planted; all else is the companion's."""

    def loss(self, name: str) -> np.ndarray:
        return self.runs[name]


class World:
    """Losses of named rivals, by their tiers in a world."""

    def __init__(self, chapter: int, kind: str) -> None:
        self.kind, self.tiers = kind, RIVALS_OF[chapter]
        self.sign = {"true": 1, "false": -1, "nothing": 0}[kind]
        self.rng = np.random.default_rng(chapter)

    def level(self, *words: Any) -> float:
        """The mean loss of the first of the words that is the name of a rival."""
        last = len(self.tiers)
        tier = next((k for word in words for k, names in enumerate(self.tiers) if word in names),
                    last)  # fmt: skip
        return 3 + self.sign * (tier - last / 2)

    def noisy(self, value: float, *shape: int) -> np.ndarray:
        return value + self.rng.normal(scale=0.05, size=shape)

    def loss(self, *words: Any, shape: tuple[int, ...] = (400,)) -> np.ndarray:
        return self.noisy(self.level(*words), *shape)

    def table(self, *shape: int) -> Each:
        """Losses by name, or by a tuple that holds the name."""
        return Each(lambda *key: self.loss(*key, shape=shape))

    def gap(self, a: str, b: str, *shape: int) -> np.ndarray:
        return self.loss(a, shape=shape) - self.loss(b, shape=shape)

    def run(self, name: str, rows: int = 400, **more: Any) -> SimpleNamespace:
        return SimpleNamespace(loss=self.loss(name, shape=(rows,)), **more)

    def compared(self, rows: int = 400) -> Comparison:
        return Planted(Stream("planted", np.zeros((9, 1)), np.zeros(9)), self.table(rows), {}, "")

    def by_name(self, *names: str) -> dict[str, Comparison]:
        return {name: self.compared() for name in names}


UNIT = SimpleNamespace(unit="")


def chapter_1(w, own):
    bikes = streams.bike_sharing()
    return {
        "bikes": bikes, "days": bikes.time, "rides": bikes.y, "warmup": 146,
        "scored_days": bikes.time[146:], "result": w.compared(585),
        "prequential": lambda strategy, stream, warmup: w.run("memory", len(stream) - warmup),
    }  # fmt: skip


def chapter_2(w, own):
    return {
        "turbine": UNIT, "result": w.compared(), "gain": w.gap("learning table", "frozen", 400),
        "extra": Each(lambda who: w.gap(who, "frozen", 20).tolist()),
    }  # fmt: skip


def chapter_3(w, own):
    harm = {shape: w.gap("frozen", "refitted", 20).tolist() for shape in ("line", "square")}
    return {"races": w.by_name("bikes", "glucose", "weather", "wind turbine"), "harm": harm}


def chapter_4(w, own):
    def prequential(strategy, stream, **options):
        rows = 2.0 ** w.loss(type(strategy).__name__, shape=())
        return w.run("any", cost={"rows_learnt": rows})

    return {
        "cases": {"bikes": (UNIT,), "turbine": (UNIT,)}, "churn": w.table(8),
        "bikes": streams.bike_sharing(), "turbine": streams.wind_turbines("R80711"),
        "prequential": prequential,
    }  # fmt: skip


def chapter_5(w, own):
    def examined():
        """For three models and five places: two estimates of the error, and the error."""
        told = w.sign * np.arange(3) if w.sign else w.rng.normal(size=3)
        return {
            k: np.array([[*w.noisy(told[k], 2), *w.noisy(1 + k, 1)] for _ in range(5)])
            for k in range(3)
        }

    def trial():
        """The gate refuses; what it lets go on is better, or worse, than what it refuses."""
        return ["a check"], (w.loss("candidate", shape=()), w.loss("what ships", shape=()))

    return {
        "exams": {name: examined() for name in ("bikes", "glucose", "weather", "turbine")},
        "trials": {fault: [trial() for _ in range(30)] for fault in (
            "leak", "bad slice", "flipped labels", "noise", "clean", "new units")},
    }  # fmt: skip


def chapter_6(w, own):
    names = ("bikes", "glucose", "weather", "wind turbine")
    return {
        "compare": lambda *rivals, **options: w.compared(),
        "chosen": dict.fromkeys(names, (40, {})),
        "WINDOWS": {name: (UNIT, own["line"], 7, (), 146) for name in names}, "bikes": UNIT,
        "updated": w.compared(), "schedules": w.compared(),
        "by_start": {120: [w.loss("every 120")]},
    }  # fmt: skip


def chapter_7(w, own):
    lots = ["at once"] + 6 * ["late"]
    names = ("bikes", "glucose", "wind turbine")
    return {
        "CASES": dict.fromkeys(names, UNIT),
        "freshness": {name: {"lots": [w.run(when) for when in lots]} for name in names},
        "prequential": lambda *given, label_delay=None: w.run(
            "at once" if label_delay is None else "late"
        ),
        "change": 1200, "losses": w.table(20, 3200), "rows_back": w.table(20),
    }  # fmt: skip


def chapter_8(w, own):
    return {
        "errors": w.table(2, 5), "often": 0, "calm": 1, "pooled": w.table(5),
        "results": w.by_name("bikes", "turbine", "glucose", "weather"),
    }  # fmt: skip


def of_people(w):
    """Losses, persons, and how many rows of the person came before: twenty persons of ten rows."""
    return w.table(200), np.repeat(np.arange(20), 10), np.tile(np.arange(10), 20)


def chapter_9(w, own):
    crowds = ("drivers (ms)", "chicks (g)", "liver patients (log mg/dL)")
    return {"CROWDS": crowds, "found": {crowd: (*of_people(w), ()) for crowd in crowds}}


def chapter_10(w, own):
    return {
        "FAULTS": [f"fault {k}" for k in range(7)],
        "harm": Each(lambda fault: [w.table() for _ in range(15)]),
    }


def chapter_11(w, own):
    def limits():
        """Limits too high by the tier: each day that is not broken costs the more."""
        return Each(lambda name: 5 * w.loss(name, shape=(2000,)))

    return {
        "shares": {symbol: (limits(), w.rng.normal(size=2000), 0, 0)
                   for symbol in ("IBM", "MSFT", "AAPL")},
        "scores": Each(lambda symbol: w.table(400)),
    }  # fmt: skip


def chapter_12(w, own):
    crowds = ("drivers", "liver patients")
    return {
        "crowds": dict.fromkeys(crowds, (UNIT, "")),
        "found": {name: of_people(w) for name in crowds},
        "curves": Each(lambda how: Each(lambda rate: w.loss("corrected"))),
        "frozen": w.loss("factory line"), "naive": w.loss("last prick"),
        "memory": w.loss("memory"),
    }  # fmt: skip


def chapter_13(w, own):
    def shortfall(way):
        return own["LIMIT"] + w.level(way) - 3 + w.rng.normal(size=(48, 10))

    def year(*parts, **more):
        return Each(lambda name: {"inspections": w.loss(name, shape=()), "breakdowns": 0})

    return {
        "halls": [(0, 0)] * 10, "clean": Each(shortfall), "second_year": year,
        "everyone": dict, "speed": {},
        "new": [year() for _ in range(10)], "moved": {-1: [year() for _ in range(10)]},
    }  # fmt: skip


def chapter_14(w, own):
    return {
        "real": Each(lambda who: w.gap("learning", "frozen", 3, 20)),
        "extra": Each(lambda who: w.gap("learning", "frozen", 20)), "costs": w.table(20),
    }  # fmt: skip


def chapter_15(w, own):
    cases, errors = {}, {}
    for k in range(16):
        side = -1 if k % 2 else 1  # where online is better, and where frozen is
        case = (f"group {k}", "stream", 0, "linear")
        cases[case] = {name: {"rehearsal": 1.0, "low": side * 0.2 - 0.1, "high": side * 0.2 + 0.1,
                              "ordered": True} for name in ("frozen", "online")}  # fmt: skip
        cases[case]["refit"] = {"rehearsal": 0.5}
        near = 1.05 if w.kind == "nothing" else 1  # a twentieth more is still near
        errors[case] = {name: float(w.loss(name, shape=())) for name in ("refit", *w.tiers[0])} | {
            name: float(w.loss(name, shape=())) / near for name in ("frozen", "online")
        }
    return {"cases": cases, "errors": errors}


def chapter_16(w, own):
    season = SimpleNamespace(days=range(400), start=60)
    names = ("sensor", "bikes", "turbine")
    return {
        "CASES": dict.fromkeys(names, (season,)), "calm": w.by_name(*names),
        "paid": {name: w.table(48) for name in names}, "harms": w.table(48),
    }  # fmt: skip


def chapter_17(w, own):
    names = ("bikes", "sensor", "weather", "turbine")
    return {
        "CASES": names, "ages": names, "paid": w.table(400),
        "holes": Each(lambda kind: w.table(400)),
        "schools": Each(lambda name, one_way, share: w.loss(
            "bad school" if share else "good school", shape=(8,))),
        "of_trees": Each(lambda name: w.gap("bad school", "good school", 8)), "begin": w.table(40),
        "followed": Each(lambda name: [Each(lambda who: {"extra": w.loss(who)}) for _ in range(5)]),
        "ABSENT": {"strong wind": ("turbine",), "most rainy days": ("weather",),
                   "cold days": ("bikes",)},
    }  # fmt: skip


def chapter_18(w, own):
    def lives(name, fault, gauge):
        return [(float(w.loss(gauge, shape=())), 0.0) for _ in range(5)]

    return {
        "real": w.by_name("bikes", "glucose", "wind turbine"), "lives": Each(lives),
        "made": {name: [w.compared() for _ in range(5)] for name in ("turning", "at rest")},
        "LEARNERS": ("bikes", "turbine", "glucose"),
    }  # fmt: skip


def chapter_19(w, own):
    who = np.repeat(np.arange(20), 20)
    return {
        "came": Each(lambda way: [w.compared()]), "memory": w.by_name("the city", "the clinic"),
        "clinic": Stream("clinic", np.zeros((400, 1)), np.zeros(400), key=who),
    }  # fmt: skip


def chapter_20(w, own):
    names = ("bikes", "glucose", "turbine")

    def slide():
        """Errors along the dial: half of the way in many doublings, in half of one, or in one."""
        way = {"true": np.linspace(0, 1, 10), "false": [0] * 5 + [1] * 5,
               "nothing": [0] * 4 + [0.5] + [1] * 5}[w.kind]  # fmt: skip
        turns = [np.inf, *(2 ** np.arange(8, -1, -1)).tolist()]
        return {k: w.noisy(3 - part, 400) for k, part in zip(turns, way, strict=True)}

    return {
        "STREAMS": {name: (0, 0, 0, "") for name in names},
        "FOUR": {name: (0, 0, 0, "") for name in (*names, "IBM")},
        "slopes": {name: own["middle_half"](slide()) for name in names},
        "tether": {name: w.table(400) for name in names}, "lost": w.table(400),
        "renewal": Each(lambda name: w.sign + w.noisy(0, 400)),
    }  # fmt: skip


def chapter_21(w, own):
    """Forty streams in ten groups, whose rehearsals tell what comes, its contrary, or nothing."""
    menu, every = len(own["MENU"]), np.arange(40)
    future = w.rng.normal(size=(40, menu))
    told = w.sign * future if w.sign else w.rng.normal(size=(40, menu))
    chosen = told.argmin(axis=1)
    return {
        "errors": 2**future, "rehearsal": 2**told, "regret": future - future.min(axis=1)[:, None],
        "cases": every, "real": every >= 0, "group": every // 4, "names": range(10),
        "column": lambda end: future,
        "rules": {"always frozen": 0 * every + 1, "best on average": 0 * every + 4,
                  "decision table": chosen},
    }  # fmt: skip


NAMES = {chapter.number: chapter.name for chapter in chapters.in_order()}


def code_of(number: int) -> list[str]:
    """The chapter's code cells up to the last verdict, without those that IPython alone reads."""
    code = ["".join(c["source"]) for c in chapters.cells(NAMES[number]) if c["cell_type"] == "code"]
    last = max(k for k, source in enumerate(code) if "claims.verdict(" in source)
    return [source for source in code[: last + 1] if "%pip" not in source]


def define(code: list[str], space: dict[str, Any]) -> None:
    """Put into a space what it lacks of the cells' imports, functions, classes and constants."""
    for statement in (s for source in code for s in ast.parse(source).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = {alias.asname or alias.name for alias in statement.names}
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names = {statement.name}
        elif isinstance(statement, ast.Assign):
            names = {n.id for n in ast.walk(statement.targets[0]) if isinstance(n, ast.Name)}
        else:
            continue
        with suppress(NameError, ValueError):  # a default that is computed; a value that is
            if isinstance(statement, ast.Assign):
                ast.literal_eval(statement.value)
            if not names <= set(space):
                exec(compile(ast.Module([statement], []), "a chapter", "exec"), space)


def verdicts_in(number: int, kind: str, monkeypatch, code: list[str] | None = None):
    """Run a chapter's verdict cells in a planted world; return what they say, in their order."""
    said, judge = [], claims.verdict

    def noted(claim, items, *, would_change, only_when="the world is another"):
        said.append(judge(claim, items, would_change=would_change, only_when=only_when))

    monkeypatch.setattr(claims, "verdict", noted)
    code = code or code_of(number)
    space: dict[str, Any] = {}
    define(code, space)
    space |= globals()[f"chapter_{number}"](World(number, kind), space)
    define(code, space)
    for source in code:
        if "claims.verdict(" in source or "gated = {}" in source:
            exec(compile(source, f"chapter {number}", "exec"), space)
    monkeypatch.undo()
    return said


def check(said: list[claims.Verdict], kind: str) -> None:
    for one in said:
        alone = {item.what: item.speaks for item in one.evidence}
        if kind == "true":
            assert one.outcome == "supported", (one.claim.id, alone)
        else:
            assert one.outcome == "not supported here", (one.claim.id, alone)
        if kind == "false":
            assert set(alone.values()) == {"against"}, (one.claim.id, alone)


@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize("number", NAMES)
def test_a_verdict_says_what_is_planted(number, kind, monkeypatch, capsys):
    said = verdicts_in(number, kind, monkeypatch)
    shown = chapters.recorded(NAMES[number])
    assert [(one.claim.id, len(one.evidence)) for one in said] == [
        (record["claim"], len(record["evidence"])) for record in shown
    ]
    check(said, kind)


def test_every_claim_is_among_them():
    assert set(chapters.verdicts()) == set(claims.CLAIMS)


@pytest.mark.parametrize(("number", "as_written", "faulty"), [
    (4, "extra.tolist(), cases", "abs(extra).tolist(), cases"),  # no churn is below zero
    (6, 'race.difference("frozen", "refitted"))', 'race.difference(*sorted('
     '("frozen", "refitted"), key=race.score, reverse=True)))'),  # the worse minus the better
    (14, 'costs["learning", who] - costs["CUSUM", who]', 'costs["learning", who]'),  # no difference
])  # fmt: skip
def test_an_item_that_cannot_fail_is_noticed(number, as_written, faulty, monkeypatch, capsys):
    code = [source.replace(as_written, faulty) for source in code_of(number)]
    assert code != code_of(number)
    check(verdicts_in(number, "true", monkeypatch, code), "true")
    with pytest.raises(AssertionError, match="'for'"):
        check(verdicts_in(number, "false", monkeypatch, code), "false")
