"""A small error that comes of looking away is named, and the rare class has figures of its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from companion import Baseline, Static, compare
from companion.show.classes import rare_class_cells, rare_class_sentences, rarest
from companion.stream import Stream


def fraud(share=0.03, rows=2000, seed=0, classes=("no", "yes")):
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < share).astype(int)
    X = np.column_stack([rng.normal(size=rows) + 3 * y, rng.normal(size=rows)])
    return Stream("fraud", X, y, task="classification", classes=classes)


def test_figures_are_those_of_the_definitions():
    stream = fraud()
    result = compare(stream, {"m": Baseline("majority"), "line": Static(LogisticRegression())})
    cells = {row[0]: row[1:] for row in rare_class_cells(result)}
    run = result.runs["line"][0]
    hits = ((run.predictions == 1) & (run.y == 1)).sum()
    assert cells["line"] == [
        f"{np.mean([1 - hits / (run.y == 1).sum(), np.mean(run.predictions[run.y == 0])]):.3f}",
        f"{hits / (run.y == 1).sum():.3f}",
        f"{hits / run.predictions.sum():.3f}",
        f"{sk.average_precision_score(run.y, run.predictions):.3f}",
    ]
    assert cells["m"][1:3] == ["0.000", "none named"]


@pytest.mark.parametrize(("share", "rare"), [(0.02, True), (0.5, False), (0.97, True)])
def test_a_class_is_rare_by_its_share_whichever_it_is(share, rare):
    result = compare(fraud(share), {"m": Baseline("no-change")})
    assert (rarest(result) is not None) == rare
    if rare:
        assert rarest(result)[0] == (1 if share < 0.5 else 0)
    assert bool(rare_class_cells(result)) == rare


def test_a_model_that_misses_all_is_not_praised():
    stream = fraud(0.01)
    result = compare(stream, {"m": Baseline("majority"), "line": Static(LogisticRegression())})
    assert "looking away" in rare_class_sentences(result, "m")[0]
    found = rare_class_sentences(result, "line")[0]
    assert "looking away" not in found and "finds" in found


def test_the_command_shows_them_beside_the_error(tmp_path):
    stream = fraud(0.01, rows=600, seed=3)
    lines = [f"{a},{b},{('no', 'yes')[c]}" for (a, b), c in zip(stream.X, stream.y, strict=True)]
    (tmp_path / "f.csv").write_text("a,b,fraud\n" + "\n".join(lines))
    done = subprocess.run(
        [sys.executable, "-m", "companion", "compare", "f.csv", "--target", "fraud", "--quick"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "recall of 'yes'" in done.stdout and "PR area" in done.stdout
    assert "Class 'yes' is rare" in done.stdout
