"""What holds for all tests: recordings, Hypothesis, and the rule that CI skips nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dvc.logger  # noqa: F401  # its handlers keep the stdout of their first import: not one that a test replaced
import hypothesis
import pytest

CONTRACTS = Path(__file__).resolve().parents[2] / "shared" / "contracts"
"""Requests and answers recorded from real servers; not part of this repository."""

CI = os.environ.get("CI") == "true"

# No deadline: how fast an example is says more about the machine than the code. In CI the same examples each time.
hypothesis.settings.register_profile("pipegen", deadline=None, derandomize=CI, print_blob=True)
hypothesis.settings.load_profile("pipegen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, saying so, what needs recordings that are not here."""
    if CONTRACTS.is_dir():
        return
    absent = pytest.mark.skip(reason="no recordings: ../shared/contracts is absent")
    for item in items:
        if "contracts" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller's terminal wants changes no test."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


class SkipsRefused:
    """Makes a run fail that skipped anything but tests of absent recordings, and names what was skipped.

    Args:
        recordings: where the recordings lie, if they are here.
    """

    def __init__(self, recordings: Path) -> None:
        self._recordings = recordings
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test; one that is expected to fail (`wasxfail`) was run."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole module."""
        if report.skipped:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        of_recordings = "shared/contracts" in reason or "contracts" in getattr(report, "keywords", ())
        excused = of_recordings and not self._recordings.is_dir()
        if not excused:
            self.skipped.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A green run with skips is a failed one."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say which, before pytest's own last line."""
        if self.skipped:
            terminalreporter.section("CI=true: nothing may be skipped", red=True)
            for line in self.skipped:
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that reports decides; the workers of pytest-xdist have a `workerinput`."""
    if CI and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipsRefused(CONTRACTS), "skips-refused")
