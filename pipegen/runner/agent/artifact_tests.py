"""The tests of what a stage made, one after the other, and one JUnit file about all of them.

A command that is pytest tells its tests one by one (through `PYTEST_ADDOPTS`), and so do declared checks and commands
that name the JUnit files that they write; any other command is one test, which passes if it exits with 0.
"""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipegen.description.check_words import Test
from pipegen.dvc.shell import Command
from pipegen.quality import junit
from pipegen.quality.artifact_tests import ArtifactTest, Reported, shown
from pipegen.runner.agent.commands import Commands, Ended

_SHOWN = 16 * 1024
"""Bytes of a failed command's output that stand in the JUnit file."""


@dataclass
class Results:
    """What became of a stage's tests."""

    suites: list[ET.Element] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """The tests that failed."""
    facts: dict[str, float] = field(default_factory=dict)
    """What a later run compares with."""

    @property
    def counts(self) -> dict[str, int]:
        """Of all tests: how many there are, failed, broke and were skipped."""
        return junit.counts(self.suites)

    def write(self, path: Path, masked: Callable[[str], str]) -> None:
        """Write the JUnit file.

        Args:
            path: where.
            masked: takes secrets out of a text.

        Raises:
            FileError: it can't be written.
        """
        for suite in self.suites:
            for element in suite.iter():
                element.attrib.update({name: masked(value) for name, value in element.attrib.items()})
                element.text = masked(element.text or "")
        junit.write(self.suites, path)


def run_tests(
    stage: str,
    tests: Sequence[Test],
    runner: Commands,
    *,
    folder: Path,
    env: Mapping[str, str],
    scratch: Path,
    deadline: float,
    before: Mapping[str, float] | None = None,
) -> Results:
    """Run every test, also after one has failed.

    Args:
        stage: the address, for names.
        tests: as the description has them.
        runner: runs them.
        folder: where.
        env: their variables.
        scratch: a folder for reports on their way.
        deadline: when they are ended, by `time.monotonic()`.
        before: the facts of the last good run, where they are known.
    """
    results = Results()
    for number, test in enumerate(tests, 1):
        one = ArtifactTest(test, scratch, number)
        line, variables = one.prepare(env, before or {})
        command = Command((one.shown,), (("/bin/sh", "-c", line),), str(folder), variables)
        tail: deque[bytes] = deque(maxlen=2)
        began = time.time()
        ended = runner.run(f"test {number} of {stage}", command, deadline, tail.append)
        reported = one.reported(folder, began)
        results.facts |= reported.facts
        _take(results, stage, one, ended, reported, _end_of(b"".join(tail)))
    return results


def _take(
    results: Results, stage: str, test: ArtifactTest, ended: Ended, reported: Reported, output: str
) -> None:
    """Add what became of one test: what it told itself, and what only its exit code tells."""
    results.suites += reported.suites
    counts = junit.counts(reported.suites)
    told = bool(counts["failures"] or counts["errors"])
    silent = "" if reported.suites else test.must_report
    if told or silent or not ended.ok:
        results.failed.append(test.shown)
    if silent or not reported.suites or (not ended.ok and not told):
        message = ended.message or silent
        bad: junit.Bad | None = "failure" if message else None
        case = junit.Case(test.shown, stage, ended.seconds, bad, message, output if message else "")
        results.suites.append(junit.suite(stage, [case]))


def not_run(stage: str, tests: Sequence[Test], reason: str) -> Results:
    """The same tests, skipped: servers look for a JUnit file in any case."""
    cases = [junit.Case(shown(test), stage, bad="skipped", message=reason) for test in tests]
    return Results([junit.suite(stage, [case]) for case in cases])


def _end_of(output: bytes) -> str:
    """The last whole lines: half a secret would not be recognised."""
    kept = output if len(output) <= _SHOWN else output[-_SHOWN:].partition(b"\n")[2]
    return kept.decode(errors="replace")
