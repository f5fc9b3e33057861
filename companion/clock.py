"""Durations as people write them."""

from __future__ import annotations

import re

import numpy as np


def duration(text: str) -> np.timedelta64:
    """Read a duration such as ``"2D"``, ``"12h"`` or ``"30min"``.

    Examples
    --------
    >>> duration("12h")
    np.timedelta64(12,'h')
    """
    match = re.fullmatch(r"\s*(\d+)\s*(W|D|h|H|min|m|s)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is no duration; write a number and W, D, h, min or s: '2D'")
    unit = {"H": "h", "min": "m"}.get(match[2], match[2])
    return np.timedelta64(int(match[1]), unit)
