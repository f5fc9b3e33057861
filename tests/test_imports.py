"""What an import costs, counted in modules: seconds depend on the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

import companion
from companion import streams

HEAVY = ("sklearn", "scipy", "pandas", "matplotlib", "river", "joblib")


def loaded(code):
    code += "\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import companion", ()),
        ("from companion.stream import Stream, duration", ()),
        ("from companion import metrics, intervals", ()),
        ("from companion import streams; streams.bike_sharing()", ()),
    ],
)
def test_an_import_brings_only_what_it_needs(code, allowed):
    assert not {name for name in HEAVY if name not in allowed} & loaded(code)


@pytest.mark.parametrize(
    "words",
    ["--help", "compare --help", "streams", "check", "compare table.csv --nothing", "nothing", ""],
)
def test_help_lists_and_wrong_options_need_no_library(words):
    brought = loaded(f"""
import sys
from companion.__main__ import main

sys.argv = ["companion", *{words.split()}]
try:
    sys.exit(main())
except SystemExit as end:
    assert end.code == {0 if words.endswith("help") or words == "streams" else 2}
""")
    assert "companion" in brought
    assert not {"numpy", *HEAVY} & brought


@pytest.mark.parametrize("module", [companion, streams])
def test_every_public_name_is_there_and_stands_in_the_listing(module):
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)
    with pytest.raises(AttributeError, match=f"{module.__name__}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018
