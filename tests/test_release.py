"""The release workflow: actions pinned by commit, least permissions, nothing run from outside."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / ".github" / "workflows" / "release.yml").read_text()
FLOW = yaml.safe_load(TEXT)


def test_actions_are_pinned_by_commit():
    used = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_permissions_are_the_least():
    assert FLOW["permissions"] == {}
    assert FLOW["jobs"]["build"]["permissions"] == {"contents": "read"}
    assert FLOW["jobs"]["publish"]["permissions"] == {"contents": "write"}
    assert all("timeout-minutes" in job for job in FLOW["jobs"].values())
    checkout = FLOW["jobs"]["build"]["steps"][0]
    assert checkout["with"]["persist-credentials"] is False
    assert not any("checkout" in step.get("uses", "") for step in FLOW["jobs"]["publish"]["steps"])


def test_no_text_of_an_event_is_pasted_into_a_script():
    for job in FLOW["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_a_release_is_audited_and_listed():
    runs = [step.get("run", "") for step in FLOW["jobs"]["build"]["steps"]]
    assert "make audit" in runs
    assert any("sbom.json" in run for run in runs)
    script = (ROOT / "book" / "tools" / "audit.sh").read_text()
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
