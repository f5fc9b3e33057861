"""Shared fixtures: the built site, a browser; under CI=true nothing may skip."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
HTML = ROOT / "book" / "_build" / "html"
# One thread is quickest on data of this size, and gives the same sums on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The tests' own key: the user's is neither made nor read.
os.environ.setdefault("COMPANION_KEY", os.path.join(tempfile.mkdtemp(prefix="key-"), "key"))
# A shell that starts the tests in the background tells them, and all they start, to ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
IN_CI = os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --lab: every chapter goes through the lab, not only the first."""
    parser.addoption("--lab", action="store_true", help="run every chapter in the lab")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cases each reader was given, and each chapter's seconds in the lab."""
    rows: dict[str, dict[str, float]] = {}
    fuzz: list[dict] = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            noted = dict(getattr(report, "user_properties", ()))
            if "fuzz" in noted and report.when == "call":
                fuzz.append(noted["fuzz"])
            found = noted.get("lab")
            if found and report.when == "call":
                name = found["chapter"]
                rows.setdefault(name, {}).update({k: v for k, v in found.items() if k != "chapter"})
    if fuzz:
        columns = ("cases", "read", "refused", "failures")
        terminalreporter.write_line("fuzzed reader     " + "".join(f"{c:>9s}" for c in columns))
        total = {c: sum(one[c] for one in fuzz) for c in columns}
        for one in [*sorted(fuzz, key=lambda one: one["reader"]), {"reader": "all", **total}]:
            cells = "".join(f"{one[c]:9,d}" for c in columns)
            terminalreporter.write_line(f"{one['reader']:18s}{cells}")
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
                [sys.executable, "-m", "book.press.site.build"],
                capture_output=True, text=True, cwd=ROOT,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-4000:]
            built.write_text(testrun_uid)
    return HTML


def site_pages(site: Path) -> list[Path]:
    """Return the pages of a built site, without the lab's and what only helps to make pages."""
    return [
        path for path in site.rglob("*.html")
        if path.relative_to(site).parts[0] not in ("lab", "slides", "_static")
    ]  # fmt: skip


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """Serve the site as `make book` does, under a sub-path of nothing: plain files."""
    from book.press.site import serve

    serving = serve.server(0, site)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}/"
    serving.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Headless Chromium: Playwright's own where there is one, else the system's."""
    from playwright.sync_api import sync_playwright

    from book.press.site.browser import start_browser

    with sync_playwright() as tool:
        try:
            found = start_browser(tool)
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
