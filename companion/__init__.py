"""companion: frozen, retrained and online models on one footing, on time-ordered data.

Five ideas, five places: a *stream* (:mod:`companion.streams`), a *strategy*
(:mod:`companion.strategies`), a *run* (:mod:`companion.evaluation`), a *comparison*
(:mod:`companion.comparison`) and a *claim* (:mod:`companion.claims`).

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

from importlib import import_module
from typing import Any

from companion.version import VERSION

__version__ = VERSION
HOMES = {
    "advice": ("recommend",),
    "checks": ("check_strategy",),
    "claims": (),
    "comparison": ("Comparison", "compare", "compare_streams"),
    "evaluation": ("Run", "RunFailed", "prequential"),
    "hybrids": ("Blend", "ChampionChallenger", "Paired", "PerKey", "Residual", "Triggered"),
    "intervals": (),
    "metrics": (),
    "monitor": (),
    "show.plots": (),
    "strategies": ("Baseline", "Online", "Scheduled", "Static", "Strategy"),
    "streams": (),
}
PLACES = {name: home for home, names in HOMES.items() for name in names}
MODULES = {home.rpartition(".")[2]: home for home, names in HOMES.items() if not names}
__all__ = sorted([*PLACES, *MODULES])


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that importing the package is quick."""
    if name in MODULES:
        return import_module(f"companion.{MODULES[name]}")
    if name in PLACES:
        return getattr(import_module(f"companion.{PLACES[name]}"), name)
    raise AttributeError(f"module 'companion' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
