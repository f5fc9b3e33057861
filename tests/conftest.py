"""Shared fixtures: the built site, a browser; under CI=true nothing may skip."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
HTML = ROOT / "book" / "_build" / "html"
# One thread is quickest on data of this size, and gives the same sums on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
IN_CI = os.environ.get("CI") == "true"
sys.path[:0] = [str(ROOT / "book" / "tools"), str(ROOT / "book" / "_ext"), str(ROOT / "tests")]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --lab: every chapter goes through the lab, not only the first."""
    parser.addoption("--lab", action="store_true", help="run every chapter in the lab")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seconds that each chapter took in the lab."""
    rows: dict[str, dict[str, float]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            found = dict(getattr(report, "user_properties", ())).get("lab")
            if found and report.when == "call":
                name = found["chapter"]
                rows.setdefault(name, {}).update({k: v for k, v in found.items() if k != "chapter"})
    if rows:
        columns = ("Node", "ready", "Run all")
        terminalreporter.write_line("seconds in the lab" + " " * 18 + "Node   ready  Run all")
        for name, times in sorted(rows.items()):
            cells = [f"{times[c]:8.0f}" if c in times else " " * 8 for c in columns]
            terminalreporter.write_line(f"{name:32s}{''.join(cells)}")


@pytest.fixture(scope="session")
def site(testrun_uid: str) -> Path:
    """Build the site as `make site` does, warnings as errors; once, whoever of the workers asks."""
    HTML.parent.mkdir(parents=True, exist_ok=True)
    built = HTML.parent / ".built"
    with FileLock(HTML.parent / ".lock"):
        if not built.exists() or built.read_text() != testrun_uid:
            done = subprocess.run(
                [sys.executable, str(ROOT / "book" / "tools" / "site.py")],
                capture_output=True, text=True, cwd=ROOT,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-4000:]
            built.write_text(testrun_uid)
    return HTML


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """Serve the site as `make book` does, under a sub-path of nothing: plain files."""
    import serve

    serving = serve.server(0, site)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}/"
    serving.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Headless Chromium: Playwright's own where there is one, else the system's."""
    import pdf
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        try:
            found = pdf.start_browser(tool)
        except SystemExit as missing:
            if IN_CI:
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield found
        found.close()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a CI run in which anything was skipped: a skipped test proves nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if IN_CI and skipped:
        for report in skipped:
            print(f"\nskipped under CI=true: {report.nodeid}: {report.longrepr}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
