"""The rivals that a practitioner would try on a stream, each tuned on the warm-up alike.

A family of models (lines, boosted trees, trees that grow row by row) meets time in each way:
frozen, refitted, triggered, online. All see the same columns and make the same trials. On short
streams the warm-up is too short to choose well what to see, so that the best family members run
once for each thing to see, too.
"""

from __future__ import annotations

import sys
import time as clock
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from companion.comparison import Comparison, compare
from companion.evaluation import arrivals, warmup_rows
from companion.hybrids.following import follow_runs
from companion.hybrids.per_key import PerKey
from companion.hybrids.triggered import Triggered
from companion.hybrids.tuned import Tuned
from companion.lines import FadingLine, FadingLogit
from companion.memory import (
    CALENDAR,
    EVERY_KEY,
    LAST,
    MEAN,
    MEDIAN,
    MEMORY,
    SEASON,
    SEASONS,
    SO_FAR,
    WEIGHT,
    usual_memory,
)  # fmt: skip
from companion.strategies import Scheduled, Static, Strategy
from companion.stream import Stream
from companion.views import ByRow, Column, OnlineAfterFit, View

Build = Callable[[Any], Strategy]
REFERENCE = "frozen linear"
WITHOUT_MODEL = {
    "no change": LAST, "mean of the last 14": MEAN, "median of the last 14": MEDIAN,
    "mean so far": SO_FAR, "last season": SEASON, "mean of the last 4 seasons": SEASONS,
}  # fmt: skip
REFITS = 100  # of a line, or as few as of boosting where so many take long
WORK_OF_A_LINE = 2_500_000_000  # rows times refits, times columns squared, about
WORK = 1_000_000  # rows times refits that boosting may cost, about
EACH_VIEW = (
    5_000  # scored rows up to which the warm-up's choice of what to see is not trusted alone
)
EACH_VIEW_OF_TREES = 100_000  # rows up to which the same holds for boosting
WIDE = 16  # columns for each row that an online line learns at once: many columns take long
TREE_ROWS = 40_000  # streams with more scored rows get no forest that grows row by row
SLOW = ("refit linear, all rows", "triggered", "online")  # on many rows; last under a budget
AFTER_THE_RUNS = 3e-4  # seconds a row that followers and intervals may take
FOLLOWERS: dict[str, dict[str, Any]] = {
    "following the best of the last 100": {"half_life": 100},
    "following the best of the last 500": {"half_life": 500},
    "blend of all": {"half_life": 200, "sharpness": 10},
    "line over all": {"half_life": 500, "sharpness": 10, "stacked": True},
}


def baselines(stream: Stream) -> dict[str, Strategy]:
    """Return the rivals that need no model: what is remembered is a prediction.

    Examples
    --------
    >>> from companion import streams
    >>> from companion.memory import with_memory
    >>> list(baselines(with_memory(streams.bike_sharing())))  # doctest: +NORMALIZE_WHITESPACE
    ['no change', 'mean of the last 14', 'median of the last 14', 'mean so far']
    """
    own = "" if stream.key is None else " per key"
    named = {f"{name}{own}": what for name, what in WITHOUT_MODEL.items()}
    if stream.key is not None:
        named = {"no change": LAST + EVERY_KEY, **named}
    if stream.classes:
        named = {name.replace("mean", "majority"): what for name, what in named.items()}
    columns = {name: columns_of(stream, what) for name, what in named.items()}
    return {name: Column(where) for name, where in columns.items() if where}


def columns_of(stream: Stream, what: str) -> list[int]:
    """Return the columns that remember one thing: none, one, or one for each class."""
    kinds = [f" is {name}" for name in stream.classes] if len(stream.classes) > 2 else [""]
    names = [MEMORY + what + kind for kind in kinds]
    return [stream.features.index(name) for name in names if name in stream.features]


def what_to_see(stream: Stream, rows: int) -> dict[str, tuple[Any, ...]]:
    """Return what a model may be shown, by name, as :class:`companion.views.View` takes it.

    Labels that are never below 0 in the first rows are also learnt as shares of what is remembered:
    a series that has grown, or the key of a larger one, then looks as the others do.

    Examples
    --------
    >>> from companion.memory import with_memory
    >>> toy = with_memory(Stream("toy", np.zeros((9, 1)), np.arange(9.0)), lags=1)
    >>> what_to_see(toy, 5)["memory, change since the last label"]
    ([0, 1, 2, 3, 4], 1)
    >>> what_to_see(toy, 5)["memory, share of the mean"]
    ([0, 1, 2, 3, 4], 2, [1, 2, 3, 4])
    """
    everything = [i for i, name in enumerate(stream.features) if name != WEIGHT]
    remembered = [i for i in everything if stream.features[i].startswith(MEMORY)]
    clock = [i for i in everything if stream.features[i].startswith(CALENDAR)]
    given = [i for i in everything if i not in {*remembered, *clock}]
    seen: dict[str, tuple[Any, ...]] = {}
    if remembered:
        seen["memory"] = (everything,)
        if given:
            seen["memory alone"] = (remembered + clock,)
    if given or clock:
        seen["no memory"] = (given + clock,)
    if stream.task != "regression":
        return seen
    smallest = stream.y[:rows].min()
    changes = {"the last label": LAST, "last season": SEASON}
    shares = {"last season": SEASON}
    if smallest > 0:
        shares = {"the last label": LAST, **shares}
    elif smallest == 0:
        shares = {"the mean": MEAN}
    else:
        changes, shares = {"the median": MEDIAN, **changes}, {}
    for name, what in changes.items():
        for base in columns_of(stream, what):
            seen[f"memory, change since {name}"] = (everything, base)
    for name, what in shares.items():
        for base in columns_of(stream, what):
            seen[f"memory, share of {name}"] = (everything, base, remembered)
    return seen


def lines(classes: int) -> dict[str, Any]:
    """Return the ways in which a line learns from a batch, for so many classes (0: numbers)."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def scaled(line: Any) -> Any:
        return make_pipeline(StandardScaler(), line)

    if classes:
        return {
            f"C {c}": scaled(LogisticRegression(C=c, max_iter=300)) for c in (1, 0.1, 0.01, 0.001)
        }
    ridges = {f"ridge {alpha}": scaled(Ridge(alpha)) for alpha in (0.1, 3, 100)}
    return ridges | {"median": FadingLine(robust=True, ridge=0.01)}  # Huber's takes much longer


def boosting(classes: int) -> dict[str, Any]:
    """Return the ways in which boosted trees learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier as Classifier
    from sklearn.ensemble import HistGradientBoostingRegressor as Regressor

    usual = {"early_stopping": False, "random_state": 0}
    small = usual | {"max_leaf_nodes": 8, "min_samples_leaf": 5, "learning_rate": 0.05}
    if classes:
        return {
            "usual trees": Classifier(**usual),
            "small trees": Classifier(**small),
            "small trees, slowly": Classifier(**small | {"learning_rate": 0.02}),
            "few trees": Classifier(**usual, max_iter=30),
        }
    return {
        "usual trees": Regressor(loss="absolute_error", **usual),
        "small trees": Regressor(loss="absolute_error", **small),
        "usual trees, squares": Regressor(**usual),
        "small trees, squares": Regressor(**small),
    }


def fading_lines(classes: int, rows: int) -> dict[str, Any]:
    """Return the ways in which a line learns row by row, after a warm-up of so many rows."""
    kind = FadingLogit if classes else FadingLine
    lives = (None, max(20, rows // 2), max(10, rows // 8))
    ways = {"no fading" if life is None else f"half-life {life}": kind(life) for life in lives}
    if classes:
        ways["no fading, held back"] = kind(ridge=100)
    else:
        ways[f"half-life {lives[1]}, median"] = kind(lives[1], robust=True, ridge=0.01)
    return ways


def growing_trees(classes: int) -> dict[str, Any]:
    """Return the trees and forests that grow row by row."""
    from river import forest, tree

    if classes:
        return {
            "online tree": tree.HoeffdingAdaptiveTreeClassifier(seed=0),
            "online forest": forest.ARFClassifier(seed=0),
            "online Mondrian forest": forest.AMFClassifier(seed=0),
        }
    return {
        "online tree": tree.HoeffdingAdaptiveTreeRegressor(seed=0),
        "online forest": forest.ARFRegressor(seed=0),
    }


def rivals(
    stream: Stream,
    *,
    warmup: int | float = 0.2,
    label_delay: int | str | np.ndarray = 0,
    quick: bool = False,
    own: Mapping[str, Any] | None = None,
) -> dict[str, Strategy]:
    """Return the rivals by name, the cheapest first.

    Parameters
    ----------
    stream : Stream
        With memory, as :func:`companion.memory.usual_memory` gives it.
    warmup, label_delay
        As for :func:`companion.prequential`.
    quick : bool
        Baselines and lines only.
    own : mapping of str to model, optional
        Models of your own: scikit-learn estimators and pipelines are frozen and refitted, River
        models and what has ``partial_fit`` learn row by row, a strategy runs as it is.

    Examples
    --------
    >>> from companion import streams
    >>> from companion.memory import usual_memory
    >>> list(rivals(usual_memory(streams.bike_sharing()), quick=True))[-3:]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['online linear on memory, change since last season',
     'online linear on memory, share of the last label',
     'online linear on memory, share of last season']
    """
    from river import drift

    first, n, classes = warmup_rows(warmup, len(stream)), len(stream), len(stream.classes)
    order, known_from = arrivals(stream, label_delay)
    late = max(1, int(np.median(known_from - order)))
    seen = what_to_see(stream, first)
    weighed = {"weight": len(stream.features) - 1} if stream.features[-1] == WEIGHT else {}

    def shown_to(model: Any, what: str) -> View:
        return View(model, *seen[what], **weighed)

    def tuned(
        ways: dict[str, Any], build: Build, most: int = 10_000, only: str | None = None
    ) -> Tuned:
        choices = {
            what: {how: build(shown_to(model, what)) for how, model in ways.items()}
            for what in seen
            if only in (None, what)
        }
        return Tuned(choices, late, most)

    def refitted(
        ways: dict[str, Any], refits: int, window: int | None, only: str | None = None
    ) -> Tuned:
        every = max(1, (n - first) // refits)
        return tuned(ways, lambda model: Scheduled(model, every=every, window=window), only=only)

    window, refits = max(10, first), int(np.clip(WORK // n, 10, 20))
    line = lines(classes)
    of_a_line = int(np.clip(WORK_OF_A_LINE // (n * len(stream.features) ** 2), 20, REFITS))
    lineup = baselines(stream)
    lineup["frozen linear"] = tuned(line, Static)
    lineup["refit linear, window"] = refitted(line, of_a_line, window)
    lineup["refit linear, all rows"] = refitted(line, of_a_line, None)
    lineup["triggered linear"] = tuned(
        line, lambda model: Triggered(model, drift.ADWIN(), window=window)
    )
    by_row = fading_lines(classes, first)
    together = max(1, len(stream.features) // WIDE)
    at_once = f", {together} rows at once" if together > 1 else ""
    online_ways = {f"{how}{at_once}": model for how, model in by_row.items()}

    def online(model: Any) -> Strategy:
        return OnlineAfterFit(model, batch=together)

    lineup["online linear"] = tuned(online_ways, online)
    each_view = list(seen) if n - first <= EACH_VIEW and len(seen) > 1 else []
    for what in each_view:
        lineup[f"online linear on {what}"] = tuned(online_ways, online, only=what)
    for name, model in (own or {}).items():
        if isinstance(model, Strategy):
            lineup[name] = model
        elif hasattr(model, "learn_one") or not hasattr(model, "fit"):
            yours = ByRow(model) if hasattr(model, "learn_one") else model
            lineup[f"online {name}"] = tuned({"yours": yours}, OnlineAfterFit)
        else:
            lineup[f"frozen {name}"] = tuned({"yours": model}, Static)
            lineup[f"refit {name}, window"] = refitted({"yours": model}, refits, window)
            lineup[f"refit {name}, all rows"] = refitted({"yours": model}, refits, None)
    if quick:
        return lineup
    trees = boosting(classes)
    lineup["frozen boosting"] = tuned(trees, Static)
    for what in each_view:
        lineup[f"frozen boosting on {what}"] = tuned(trees, Static, only=what)
    lineup["refit boosting, window"] = refitted(trees, refits, window)
    lineup["refit boosting, all rows"] = refitted(trees, refits, None)
    for what in seen if n <= EACH_VIEW_OF_TREES and len(seen) > 1 else []:
        lineup[f"refit boosting on {what}"] = refitted(trees, refits, None, only=what)
    lineup["triggered boosting"] = tuned(
        trees, lambda model: Triggered(model, drift.ADWIN(), window=window)
    )
    if stream.key is not None:
        shared = Static(shown_to(trees["usual trees"], "memory"))
        personal = shown_to(by_row["no fading"], "memory")
        lineup["frozen boosting, corrected per key"] = PerKey(
            shared, OnlineAfterFit(personal), after=5
        )
    for name, tree in growing_trees(classes).items():
        if name == "online tree" or n - first <= TREE_ROWS:
            lineup[name] = tuned({"usual": ByRow(tree)}, OnlineAfterFit, most=1_000)
    return lineup


def race(
    stream: Stream,
    *,
    warmup: int | float = 0.2,
    label_delay: int | str | np.ndarray = 0,
    quick: bool = False,
    own: Mapping[str, Any] | None = None,
    budget: float | None = None,
    **options: Any,
) -> Comparison:
    """Compare all rivals on a stream with its memory, then those that follow the best of them.

    Parameters
    ----------
    stream : Stream
        Without memory; it is added.
    warmup, label_delay, quick, own
        As for :func:`rivals`.
    budget : float, optional
        Seconds: the cheap strategies run first, and what is not finished by then is left out.
    options
        As for :func:`companion.compare`.

    Examples
    --------
    >>> from companion import streams
    >>> result = race(streams.bike_sharing(), quick=True)
    >>> [result.diverged(name) for name in result.runs if name.startswith("following")]
    [None, None]
    """
    until = None if budget is None else clock.time() + budget
    remembering = usual_memory(stream, warmup, label_delay)
    lineup = rivals(remembering, warmup=warmup, label_delay=label_delay, quick=quick, own=own)
    return run_rivals(
        remembering, lineup, warmup=warmup, label_delay=label_delay, until=until, **options
    )


def one_thread() -> AbstractContextManager[Any]:
    """Keep libraries to one thread: small fits in many take longer. A browser has only one.

    Examples
    --------
    >>> with one_thread():
    ...     np.ones((2, 2)) @ np.ones(2)
    array([2., 2.])
    """
    return nullcontext() if sys.platform == "emscripten" else threadpool_limits(1)


def run_rivals(
    stream: Stream,
    lineup: Mapping[str, Strategy],
    *,
    warmup: int | float = 0.2,
    label_delay: int | str | np.ndarray = 0,
    until: float | None = None,
    **options: Any,
) -> Comparison:
    """Run a line-up on a stream with memory, and add those that follow the best of it.

    ``until`` is when all must be done, as ``time.time()`` counts: what comes after the runs has its
    share.
    """
    after = AFTER_THE_RUNS * len(stream)
    if until is not None:  # boosting must have its turn before what takes long on many rows
        lineup = dict(sorted(lineup.items(), key=lambda item: item[0].startswith(SLOW)))
    left = np.inf if until is None else until - clock.time()
    runs_until = None if until is None else until - min(after, left / 4)
    with one_thread():
        result = compare(
            stream, lineup, warmup=warmup, label_delay=label_delay, until=runs_until,
            **{"seeds": range(1), "reference": REFERENCE} | options,
        )  # fmt: skip
    steady = steady_names(result)
    if len(steady) < 2:
        return result
    if result.diverged(result.reference) is not None:
        result = replace(result, reference=steady[0])
    in_time = {
        name: how
        for name, how in followers_on(stream).items()
        if not how.get("stacked") or after < left / 4
    }
    return with_followers(result, steady, label_delay, in_time)


def steady_names(result: Comparison) -> list[str]:
    """Return whom those may hear that follow others: the best first, none that diverged."""
    return [
        name for name in result.ranked() if result.diverged(name) is None and name not in FOLLOWERS
    ]


def followers_on(stream: Stream) -> dict[str, dict[str, Any]]:
    """Return those that can follow others on a stream: a line over the answers needs numbers."""
    return {
        name: how for name, how in FOLLOWERS.items() if not (how.get("stacked") and stream.classes)
    }


def with_followers(
    result: Comparison,
    names: Sequence[str],
    label_delay: int | str | np.ndarray,
    followers: Mapping[str, dict[str, Any]],
) -> Comparison:
    """Add the runs of those that follow the best of the named strategies; no model runs again."""
    members = {name: result.runs[name][0] for name in names}
    first = [run.cost.get("trial_loss", np.nan) for run in members.values()]
    runs = dict(result.runs)
    for name, how in followers.items():
        runs[name] = [follow_runs(members, first, result.stream, label_delay, name, **how)]
    return replace(result, runs=runs)


KINDS = ("none", "frozen", "refit", "triggered", "online", "hybrid")


def kind_of(name: str) -> str:
    """Return how a rival meets time: ``"frozen"``, ``"refit"``, … or ``"none"`` without a model.

    Examples
    --------
    >>> kind_of("refit boosting, all rows"), kind_of("blend of all"), kind_of("no change per key")
    ('refit', 'hybrid', 'none')
    """
    if name in FOLLOWERS or "corrected" in name:
        return "hybrid"
    first = name.split()[0]
    if first in KINDS:
        return first
    plain = name.removesuffix(" per key").replace("majority", "mean")
    return "none" if plain in WITHOUT_MODEL else "online"
