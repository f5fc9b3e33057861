"""companion: frozen, retrained and online models on one footing, on time-ordered data.

Five ideas, five places: a *stream* (:mod:`companion.streams`), a *strategy*
(:mod:`companion.strategies`), a *run* (:mod:`companion.prequential`), a *comparison*
(:mod:`companion.compare`) and a *claim* (:mod:`companion.claims`).

Examples
--------
>>> from companion import streams, compare, Baseline, Static
>>> from sklearn.linear_model import LinearRegression
>>> bikes = streams.bike_sharing()
>>> result = compare(
...     bikes,
...     {"no change": Baseline("no-change"), "frozen": Static(LinearRegression())},
...     warmup=0.2,
... )
>>> print(result)  # doctest: +ELLIPSIS
bike_sharing: mean absolute error (rides a day), 585 rows scored...
"""

from companion import claims, metrics, monitor, plots, streams
from companion.compare import Comparison, compare, compare_streams
from companion.contract import check_strategy
from companion.hybrids import Blend, ChampionChallenger, Paired, PerKey, Residual, Triggered
from companion.prequential import Run, RunFailed, prequential
from companion.recommend import recommend
from companion.strategies import Baseline, Online, Scheduled, Static, Strategy
from companion.version import VERSION

__version__ = VERSION
__all__ = [
    "Baseline", "Blend", "ChampionChallenger", "Comparison", "Online", "Paired", "PerKey",
    "Residual", "Run", "RunFailed", "Scheduled", "Static", "Strategy", "Triggered",
    "check_strategy", "claims", "compare", "compare_streams", "metrics", "monitor", "plots",
    "prequential", "recommend", "streams",
]  # fmt: skip
