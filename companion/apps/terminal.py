"""Text that cannot steer a terminal, whatever a table or a file is called."""

from __future__ import annotations

import re

# Control characters but the line end, marks that turn the writing round, halves of characters.
STEERING = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return text in which a character that could steer a terminal is written as its code.

    Names come from tables of strangers. Line ends stay.

    Examples
    --------
    >>> print(visible("sold\x1b[31m, größe"))
    sold\x1b[31m, größe
    """
    return STEERING.sub(lambda match: ascii(match[0])[1:-1], text)


def one_line(error: Exception) -> str:
    r"""Return what an error says on one line, whatever a file or a column is called.

    Examples
    --------
    >>> one_line(ValueError("a\nb\x07"))
    'a b\\x07'
    """
    return visible(" ".join(str(error).splitlines()))
