"""The tests of what a stage made: its `tests` commands, and one JUnit file about all of them.

A command that is pytest tells its tests one by one (through `PYTEST_ADDOPTS`); any other command is one test, which
passes if it exits with 0.
"""

from __future__ import annotations

import shlex
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipegen.dvc.shell import Command
from pipegen.errors import os_error
from pipegen.runner.agent.commands import Commands, Ended

_SHOWN = 16 * 1024
"""Bytes of a failed command's output that stand in the JUnit file."""
_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")
"""What XML can't hold."""


@dataclass
class Results:
    """What became of a stage's tests."""

    suites: list[ET.Element] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """The commands that failed."""

    @property
    def counts(self) -> dict[str, int]:
        """Of all tests: how many there are, failed, broke and were skipped."""
        words = ("tests", "failures", "errors", "skipped")
        return {word: sum(int(suite.get(word) or 0) for suite in self.suites) for word in words}

    def write(self, path: Path, masked: Callable[[str], str]) -> None:
        """Write the JUnit file.

        Args:
            path: where.
            masked: takes secrets out of a text.

        Raises:
            FileError: it can't be written.
        """
        root = ET.Element("testsuites", {word: str(count) for word, count in self.counts.items()})
        root.extend(self.suites)
        for element in root.iter():
            element.attrib.update({name: masked(value) for name, value in element.attrib.items()})
            element.text = masked(element.text or "")
        ET.indent(root)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
        except OSError as error:
            raise os_error(error, "write", path) from None


def run_tests(
    stage: str,
    tests: Sequence[str],
    runner: Commands,
    *,
    folder: Path,
    env: Mapping[str, str],
    scratch: Path,
    deadline: float,
) -> Results:
    """Run every test command, also after one has failed.

    Args:
        stage: the address, for names.
        tests: the commands, each for a shell.
        runner: runs them.
        folder: where.
        env: their variables.
        scratch: a folder for reports on their way.
        deadline: when they are ended, by `time.monotonic()`.
    """
    results = Results()
    for number, test in enumerate(tests, 1):
        report = scratch / f"pytest-{number}.xml"
        options = " ".join(
            filter(None, [env.get("PYTEST_ADDOPTS", ""), f"--junitxml={shlex.quote(str(report))}"])
        )
        command = Command(
            (test,), (("/bin/sh", "-c", test),), str(folder), {**env, "PYTEST_ADDOPTS": options}
        )
        tail: deque[bytes] = deque(maxlen=2)
        ended = runner.run(f"test {number} of {stage}", command, deadline, tail.append)
        suites = _read(report)
        report.unlink(missing_ok=True)
        results.suites += suites
        told = any(int(suite.get(word) or 0) for suite in suites for word in ("failures", "errors"))
        if not ended.ok:
            results.failed.append(test)
        if not suites or (not ended.ok and not told):
            results.suites.append(_suite(stage, test, ended, _end_of(b"".join(tail))))
    return results


def not_run(stage: str, tests: Sequence[str], reason: str) -> Results:
    """The same tests, skipped: servers look for a JUnit file in any case."""
    results = Results()
    for test in tests:
        suite, case = _empty(stage, test, 0.0)
        suite.set("skipped", "1")
        ET.SubElement(case, "skipped", {"message": _xml(reason)})
        results.suites.append(suite)
    return results


def _suite(stage: str, test: str, ended: Ended, output: str) -> ET.Element:
    suite, case = _empty(stage, test, ended.seconds)
    if not ended.ok:
        suite.set("failures", "1")
        ET.SubElement(case, "failure", {"message": _xml(ended.message)}).text = _xml(output)
    return suite


def _end_of(output: bytes) -> str:
    """The last whole lines: half a secret would not be recognised."""
    shown = output if len(output) <= _SHOWN else output[-_SHOWN:].partition(b"\n")[2]
    return shown.decode(errors="replace")


def _empty(stage: str, test: str, seconds: float) -> tuple[ET.Element, ET.Element]:
    suite = ET.Element(
        "testsuite",
        {
            "name": _xml(stage),
            "tests": "1",
            "failures": "0",
            "errors": "0",
            "skipped": "0",
            "time": f"{seconds:.3f}",
        },
    )
    case = ET.SubElement(
        suite, "testcase", {"classname": _xml(stage), "name": _xml(test), "time": f"{seconds:.3f}"}
    )
    return suite, case


def _read(report: Path) -> list[ET.Element]:
    """What pytest wrote about itself; nothing where the command was something else."""
    try:
        root = ET.parse(report).getroot()
    except (OSError, ET.ParseError):
        return []
    return [root] if root.tag == "testsuite" else list(root.iter("testsuite"))


def _xml(text: str) -> str:
    return text.translate(_ILLEGAL).encode("utf-8", "replace").decode()
