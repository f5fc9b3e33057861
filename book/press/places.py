"""Where things are: the repository's root, the chapters, what is built."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
NOTEBOOKS = ROOT / "notebooks"
BUILD = BOOK / "_build"
HTML = BUILD / "html"
OTHER_WORLDS = BOOK / "robustness.json"  # how each verdict fares when rows, seeds, … are others
FRAME = re.compile(r"data:image/webp;base64,([A-Za-z0-9+/=]+)")  # of a moving figure
PHONE = BOOK / "phone"  # every figure once more, for narrow windows


def phone_picture(picture: bytes) -> Path:
    """Return where the narrow version of a figure is kept, given the wide one's bytes."""
    return PHONE / f"{hashlib.sha256(picture).hexdigest()[:20]}.webp"
