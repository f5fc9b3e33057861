"""The command line's small commands: they need no model, no table and no plot."""

from __future__ import annotations

import argparse

from companion.files.private import UnsafeFile
from companion.files.seal import key_name, key_path, rotate_key, user_key
from companion.streams.bad_input import BadInput
from companion.streams.catalogue import DATA, cards


def run_key(args: argparse.Namespace) -> int:
    """``companion key``: say where the key of checkpoints is, or change it."""
    try:
        if args.rotate:
            print(
                f"{rotate_key()}: a new key; checkpoints that the old one sealed are refused now."
            )
        print(f"{key_path()}: the key {key_name(user_key())} seals your checkpoints.")
    except UnsafeFile as error:
        raise BadInput(str(error)) from None
    return 0


def run_streams(args: argparse.Namespace) -> int:
    """``companion streams``: list the data sets."""
    for name, card in cards().items():
        size = (DATA / card["file"]).stat().st_size / 1000
        kind = "real" if card["real"] else "simulated"
        print(f"{name}: {card['title']}, {card['rows']:,} rows, {kind}, {size:,.0f} kB")
        print(f"  {card['span']}")
        print(f"  licence: {card['licence']}; source: {card['source']}")
    return 0
