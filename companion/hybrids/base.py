"""What strategies made of others share.

A hybrid composes strategies. It knows nothing of data sets.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from companion.metrics import LOSSES
from companion.strategies import Strategy, forget_work


def columns_for(member: Strategy, extra: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what this member needs of what the whole was given."""
    return {name: extra[name] for name in member.needs}


def rows_of(extra: Mapping[str, np.ndarray], rows: Any) -> dict[str, np.ndarray]:
    """Return some rows of everything that was given."""
    return {name: values[rows] for name, values in extra.items()}


def row_slice(k: int) -> slice:
    """Return row k as a slice of one row."""
    return slice(k, k + 1)


class Hybrid(Strategy):
    """What strategies made of others share: they are copied, seeded and counted together.

    Examples
    --------
    >>> from companion.strategies import Baseline
    >>> class Mean(Hybrid):
    ...     def __init__(self, *members):
    ...         self.first, self.second = members
    >>> both = Mean(Baseline("seasonal", rows=7), Baseline("no-change"))
    >>> both.needs, len(both.members())
    (('row',), 2)
    """

    task = "regression"

    def members(self) -> list[Strategy]:
        """Return the parts."""
        return [value for value in vars(self).values() if isinstance(value, Strategy)]

    def clone(self, seed: int | None = None) -> Strategy:
        """Return an untouched copy, each part seeded."""
        twin = copy.copy(self)
        forget_work(twin)
        for name, value in vars(self).items():
            if isinstance(value, Strategy):
                setattr(twin, name, value.clone(seed))
            elif isinstance(value, dict | list):
                setattr(twin, name, copy.deepcopy(value))
        return twin

    def set_schema(self, features: tuple[str, ...], classes: int) -> None:
        """Tell every part what the stream knows."""
        self.task = "classification" if classes else "regression"
        self.classes = classes
        for member in self.members():
            member.set_schema(features, classes)

    @property
    def needs(self) -> tuple[str, ...]:
        """What the parts need."""
        return tuple(dict.fromkeys(name for member in self.members() for name in member.needs))

    @property
    def is_random(self) -> bool:
        """Whether another seed may give another result."""
        return any(member.is_random for member in self.members())

    @property
    def fits(self) -> int:
        """Changes of all parts."""
        return sum(member.fits for member in self.members())

    @property
    def rows_learnt(self) -> int:
        """Rows shown to all parts."""
        return sum(member.rows_learnt for member in self.members())

    def losses(self, y: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return the loss of each row."""
        return LOSSES[self.task](y, answers)
