"""Streams: the book's data sets, simulated ones, and tables of your own."""

from importlib import import_module
from typing import Any

HOMES = {
    "stream": ("Stream",),
    "streams.book": (
        "bike_sharing", "chick_weights", "from_river", "glucose", "liver", "load", "sleep_study",
        "solder", "stocks", "weather", "wind_turbines",
    ),
    "streams.catalogue": ("cards",),
    "streams.simulated": ("machines", "simulate"),
    "streams.tables": ("from_csv", "from_frame"),
}  # fmt: skip
PLACES = {name: home for home, names in HOMES.items() for name in names}
__all__ = sorted(PLACES)


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: a list of the streams needs no NumPy."""
    if name in PLACES:
        return getattr(import_module(f"companion.{PLACES[name]}"), name)
    raise AttributeError(f"module 'companion.streams' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
