"""How verdicts fare in other worlds: the record is of the code as it stands, or is not shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor

from book.press import chapters
from book.press.site import other_worlds
from book.press.upkeep import robustness
from companion.evaluation import prequential
from companion.strategies import Scheduled
from companion.stream import Stream

FRESH = [name for name in other_worlds.record() if other_worlds.fresh(name)]


@pytest.mark.parametrize("name", FRESH)
def test_the_books_own_world_gives_the_chapters_verdicts(name):
    here = other_worlds.record()[name]["worlds"]["the book's"]
    assert [(one["claim"], one["outcome"]) for one in here] == [
        (one["claim"], one["outcome"].split()[0]) for one in chapters.recorded(name)
    ]
    for one, stored in zip(here, chapters.recorded(name), strict=True):
        for (value, low, high), item in zip(one["pieces"], stored["evidence"], strict=True):
            shown = item["value"], item["low"], item["high"]  # as the chapter rounds them
            digits = max(len(f"{end:g}".partition(".")[2]) for end in shown)
            rounding = max(0.5 * 10.0**-digits, 0.01 * (item["high"] - item["low"]))
            assert (value, low, high) == pytest.approx(shown, rel=0.03, abs=1.001 * rounding)


def test_a_record_of_other_code_is_not_shown(monkeypatch):
    name = FRESH[0]
    claim = chapters.recorded(name)[0]["claim"]
    assert other_worlds.other_worlds(name, claim)
    older = json.loads(json.dumps(other_worlds.record())) | {
        name: other_worlds.record()[name] | {"source": "of older code"}
    }
    monkeypatch.setattr(other_worlds, "record", lambda: older)
    assert other_worlds.other_worlds(name, claim) == ""


def test_a_world_without_some_rows_or_persons_keeps_the_others_with_their_times():
    days = np.datetime64("2020-01-01") + np.arange(10)
    stream = Stream("toy", np.arange(10.0)[:, None], np.arange(10.0), time=days)
    cut = robustness.kept(stream, 0.1, 0.2)
    assert cut.y.tolist() == [1, 2, 3, 4, 5, 6, 7] and cut.time[0] == days[1]
    keyed = Stream("toy", np.zeros((6, 1)), np.arange(6.0), key=np.array(list("abcabc")))
    assert robustness.kept(keyed, 0.4, 0.0).y.tolist() == [1, 2, 4, 5]


def test_a_chapter_is_computed_anew_in_another_world(tmp_path, monkeypatch):
    """A verdict on a planted stream: it holds in the book's rows, and falls without the first."""
    cell = "\n".join([
        "import numpy as np",
        "from companion import claims, streams",
        "rides = streams.bike_sharing().y",
        "gain = [float(np.mean(rides[k::8] - 4600)) for k in range(8)]",
        "claims.verdict('S2', [claims.evidence_from_seeds('less', [-g for g in gain], 'rides')],"
        " would_change='')",
    ])  # fmt: skip
    notebook = {"cells": [{"cell_type": "code", "id": "a", "source": cell, "metadata": {},
                           "outputs": [], "execution_count": None}],
                "metadata": {}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "01_planted.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    run = (
        "from pathlib import Path; from book.press.upkeep import robustness; "
        f"robustness.NOTEBOOKS = Path({str(folder)!r}); import json; "
        "print('\\n' + json.dumps(robustness.verdicts_in('01_planted', {world!r})))"
    )
    import subprocess
    import sys

    said = {}
    for world in ("the book's", "the first tenth left out"):
        done = subprocess.run(
            [sys.executable, "-c", run.format(world=world)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        said[world] = json.loads(done.stdout.strip().splitlines()[-1])[0]["pieces"]
    assert said["the book's"][0][0] > 0 > said["the first tenth left out"][0][0]


@pytest.mark.parametrize("every", [4, "4D"])
def test_a_schedule_that_begins_later_fits_as_often_at_other_dates(every, monkeypatch):
    monkeypatch.setattr(Scheduled, "fit", Scheduled.fit)  # what is put there goes with the test
    days = np.datetime64("2020-01-01") + np.arange(30)
    stream = Stream("toy", np.zeros((30, 1)), np.arange(30.0), time=days)
    fits = []
    for share in (0, 0.5):
        if share:
            robustness.begun_later(share)
        run = prequential(Scheduled(DummyRegressor(), every=every), stream, warmup=2)
        fits.append([row for row, what in run.events if what == "fit"][1:])  # after the warm-up's
    assert [row + 2 for row in fits[0]][: len(fits[1])] == fits[1]
    assert len(fits[0]) - len(fits[1]) in (0, 1) and len(fits[1]) > 4


def test_a_world_that_a_chapters_code_does_not_name_is_refused(tmp_path, monkeypatch):
    plain = {"cells": [{"cell_type": "code", "id": "a", "source": "claims.verdict()",
                        "metadata": {}, "outputs": [], "execution_count": None}],
             "metadata": {}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    (tmp_path / "01_plain.ipynb").write_text(json.dumps(plain), encoding="utf-8")
    monkeypatch.setattr(robustness, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr("companion.claims.verdict", None)  # put back when the test ends
    for world in ("a warm-up half as long", "all rows instead of a cut", "another turbine"):
        with pytest.raises(ValueError, match="the code names no (warm-up|cut|turbine)"):
            robustness.verdicts_in("01_plain", world)
