"""Where things are: the repository's root, the chapters, what is built."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
NOTEBOOKS = ROOT / "notebooks"
BUILD = BOOK / "_build"
HTML = BUILD / "html"
OTHER_WORLDS = BOOK / "robustness.json"  # how each verdict fares when rows, seeds, … are others
