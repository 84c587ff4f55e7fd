"""A stage's `tests`, of whatever kind, as commands that a runner runs, and what came of them as JUnit suites."""

from __future__ import annotations

import glob
import json
import os
import shlex
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipegen.description.check_words import ModelCheck, ReportedTests, TableCheck, Test
from pipegen.description.writing import to_data
from pipegen.errors import os_error
from pipegen.quality import checker, junit

CHECKER = Path(checker.__file__)


@dataclass(frozen=True)
class Reported:
    """What a test told of itself."""

    suites: Sequence[ET.Element] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    """What a later run compares with, such as the number of rows by path."""


@dataclass(frozen=True)
class ArtifactTest:
    """One of a stage's tests.

    Args:
        test: as the description has it.
        scratch: a folder for files on their way.
        number: tells it from the others there.
    """

    test: Test
    scratch: Path
    number: int

    @property
    def shown(self) -> str:
        """What results call it."""
        return shown(self.test)

    @property
    def must_report(self) -> str:
        """What is wrong where it told nothing of itself; empty for a test whose exit code tells enough."""
        if isinstance(self.test, ReportedTests):
            return f"it wrote no JUnit file that matches {self.test.junit}"
        return "" if isinstance(self.test, str) else "the check came to no end"

    def prepare(self, env: Mapping[str, str], before: Mapping[str, float]) -> tuple[str, dict[str, str]]:
        """The command line for a shell, and its variables.

        Args:
            env: those of the stage's commands.
            before: the facts of the last good run.

        Raises:
            FileError: what it needs can't be written.
        """
        if isinstance(self.test, (TableCheck, ModelCheck)):
            self._write({"check": to_data(self.test), "before": dict(before)})
            return self._checker(env), dict(env)
        options = [env.get("PYTEST_ADDOPTS", ""), f"--junitxml={shlex.quote(str(self._report('xml')))}"]
        command = self.test.run if isinstance(self.test, ReportedTests) else self.test
        return command, {**env, "PYTEST_ADDOPTS": " ".join(filter(None, options))}

    def reported(self, folder: Path, began: float) -> Reported:
        """What it told of itself, once it has run; nothing of a command that tells nothing.

        Args:
            folder: where it ran.
            began: when, in seconds since the epoch: older JUnit files are not of this run.
        """
        if isinstance(self.test, (TableCheck, ModelCheck)):
            return self._of_checker()
        report = self._report("xml")
        suites = junit.read(report)
        report.unlink(missing_ok=True)
        if isinstance(self.test, ReportedTests):
            for path in sorted(glob.glob(str(self.test.junit), root_dir=folder, recursive=True)):
                if os.stat(folder / path).st_mtime >= began - 1:
                    suites += junit.read(folder / path)
        return Reported(suites)

    # ------------------------------------------------------------------------------------------ declared checks

    def _report(self, suffix: str) -> Path:
        return self.scratch / f"test-{self.number}.{suffix}"

    def _write(self, task: Mapping[str, Any]) -> None:
        try:
            self.scratch.mkdir(parents=True, exist_ok=True)
            self._report("check").write_text(json.dumps(task), encoding="utf-8")
        except OSError as error:
            raise os_error(error, "write", self._report("check")) from None

    def _checker(self, env: Mapping[str, str]) -> str:
        """By the stage's interpreter; a table also by pipegen's own, where only that has what it takes."""
        path = env.get("PATH")
        theirs = shutil.which("python", path=path) or shutil.which("python3", path=path) or sys.executable
        files = [str(self._report("check")), str(self._report("json"))]
        if isinstance(self.test, ModelCheck) or theirs == sys.executable:
            return shlex.join([theirs, str(CHECKER), *files, checker.LAST])
        first = shlex.join([theirs, str(CHECKER), *files])
        second = shlex.join([sys.executable, str(CHECKER), *files, checker.LAST])
        return f"{first}; code=$?; if [ $code -ne {checker.LACKING} ]; then exit $code; fi; {second}"

    def _of_checker(self) -> Reported:
        path = self._report("json")
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Reported()
        finally:
            path.unlink(missing_ok=True)
            self._report("check").unlink(missing_ok=True)
        cases = [
            junit.Case(case["name"], self.shown, case["seconds"], case["bad"], case["message"])
            for case in data["cases"]
        ]
        return Reported([junit.suite(self.shown, cases)], data["facts"])


def shown(test: Test) -> str:
    """What results call a test."""
    if isinstance(test, TableCheck):
        return f"table {test.table}"
    if isinstance(test, ModelCheck):
        return f"model {test.model}"
    return str(test.run) if isinstance(test, ReportedTests) else test


def compares_with_last(test: Test) -> bool:
    """Whether it asks for the facts of the last good run."""
    rows = test.rows if isinstance(test, TableCheck) else None
    return rows is not None and (rows.max_increase is not None or rows.max_decrease is not None)
