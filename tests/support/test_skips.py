"""With CI=true a run that skipped something fails and says what; only tests of absent recordings may be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SkipsRefused

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
@pytest.mark.skip(reason='too cold')
def test_marked(): pass
def test_called(): pytest.skip('too warm')
@pytest.mark.xfail
def test_expected(): assert 0
def test_good(): pass
"""
MODULE = "import pytest\npytest.skip('too wet', allow_module_level=True)\n"


def run_tests(folder: Path, workers: int, **env: str) -> subprocess.CompletedProcess[str]:
    """pytest under this repository's rules."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        f"-n{workers}",
    ]
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_") and name != "CI"
    }
    env = {**outside, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_a_skip_fails_the_run_in_ci_alone(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_module.py").write_text(MODULE)
    refused = run_tests(tmp_path, 2, CI="true")
    assert refused.returncode == pytest.ExitCode.TESTS_FAILED
    named = refused.stdout.partition("nothing may be skipped")[2]
    for expected in (
        "test_it.py::test_marked: Skipped: too cold",
        "test_it.py::test_called: Skipped: too warm",
        "test_module.py: Skipped: too wet",
    ):
        assert expected in named
    assert "test_expected" not in named
    assert run_tests(tmp_path, 0).returncode == pytest.ExitCode.OK


@pytest.mark.parametrize("keywords", [{}, {"contracts": 1}], ids=["by the reason", "by the mark"])
@pytest.mark.parametrize(("recordings", "skipped"), [("here", 1), ("absent", 0)])
def test_only_absent_recordings_excuse(
    tmp_path: Path, recordings: str, skipped: int, keywords: dict[str, int]
) -> None:
    (tmp_path / "here").mkdir()
    rule = SkipsRefused(tmp_path / recordings)
    said = "Skipped: got an empty parameter set" if keywords else "Skipped: ../shared/contracts is absent"
    place = ("test_it.py", 1, "test_a")
    skip = pytest.TestReport(
        "test_it.py::test_a", place, keywords, "skipped", ("test_it.py", 1, said), "setup"
    )
    rule.pytest_runtest_logreport(skip)
    assert len(rule.skipped) == skipped
