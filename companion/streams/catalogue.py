"""The catalogue of the book's data sets: where they are, and what their cards say."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"


def cards() -> dict[str, dict[str, Any]]:
    """Return the card of every data set that travels with the book, by name.

    Examples
    --------
    >>> cards()["bike_sharing"]["licence"]
    'CC BY 4.0'
    """
    found = (path for path in sorted(DATA.glob("*.toml")) if path.stem != "runs")  # no stream
    return {path.stem: read_card(path) for path in found}


def read_card(path: Path) -> dict[str, Any]:
    """Read one card, or say why it cannot be used.

    Raises
    ------
    ValueError
        If it is no TOML, or does not name its data file and the file's sha256.
    """
    try:
        card = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: this card is no TOML ({error}); mend it there") from None
    for key in ("file", "sha256", "title", "licence", "source"):
        if key not in card:
            raise ValueError(f"{path}: this card has no {key!r}; add it (other cards show how)")
    return card
