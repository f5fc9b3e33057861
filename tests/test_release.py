"""The workflows: actions pinned by commit, least permissions, nothing run from outside."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FLOWS = {
    path.stem: path.read_text() for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
MAY_WRITE = {
    ("release", "publish"): {"contents": "write"},
    ("pages", "deploy"): {"pages": "write", "id-token": "write"},
}


def test_the_book_is_published_checked_weekly_and_released():
    assert set(FLOWS) == {"pages", "release", "weekly"}
    triggers = {name: set(yaml.safe_load(text)[True]) for name, text in FLOWS.items()}
    assert "push" in triggers["pages"] and "schedule" in triggers["weekly"]
    for name in ("pages", "weekly"):
        assert ".ci/run" in FLOWS[name]


@pytest.mark.parametrize("name", FLOWS)
def test_actions_are_pinned_by_commit(name):
    used = re.findall(r"uses: (\S+)(.*)", FLOWS[name])
    assert used
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


@pytest.mark.parametrize("name", FLOWS)
def test_permissions_are_the_least(name):
    flow = yaml.safe_load(FLOWS[name])
    assert flow["permissions"] == {}
    for job, about in flow["jobs"].items():
        assert about["permissions"] == MAY_WRITE.get((name, job), {"contents": "read"})
        assert "timeout-minutes" in about
        checkouts = [step for step in about["steps"] if "checkout" in step.get("uses", "")]
        assert not ((name, job) in MAY_WRITE and checkouts)
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", FLOWS)
def test_no_text_of_an_event_is_pasted_into_a_script(name):
    for job in yaml.safe_load(FLOWS[name])["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_a_release_is_audited_and_listed():
    steps = yaml.safe_load(FLOWS["release"])["jobs"]["build"]["steps"]
    runs = [step.get("run", "") for step in steps]
    assert "make audit" in runs
    assert any("sbom.json" in run for run in runs)
    script = (ROOT / "book" / "press" / "checks" / "audit.sh").read_text()
    assert "--strict" in script and "--require-hashes" in script


def test_the_audits_tools_are_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in project["optional-dependencies"]["audit"]:
        assert re.fullmatch(r"[a-z-]+==[0-9.]+", line)


@pytest.mark.parametrize("name", ["numpy", "scikit-learn", "river", "matplotlib"])
def test_the_core_needs_four_packages(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(project["dependencies"]) == 4
    assert any(line.startswith(name) for line in project["dependencies"])
