"""Steps that touch files: stash and unstash, archiveArtifacts, junit."""

from __future__ import annotations

import shutil
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles.jenkins import ant
from tests.doubles.jenkins.scopes import Abort, Refused

UNSAFE = "?*/\\%!@#$^&|<>[]:;"
"""hudson.model.Jenkins.checkGoodName; quirks/stash-bad-name."""

Say = Callable[[str], None]


@dataclass
class Stashes:
    """The stashes of one build, on the controller."""

    folder: Path

    def put(self, workspace: Path, arguments: dict[str, Any], say: Say) -> None:
        """quirks/stash-across-agents, quirks/stash-overwrite: mode bits and links are kept, empty folders are not."""
        name = arguments["name"]
        for sign in name:
            if sign in UNSAFE:
                raise Abort(f"‘{sign}’ is an unsafe character")
        defaults = arguments.get("useDefaultExcludes", True)
        files = ant.found(workspace, arguments.get("includes", ""), arguments.get("excludes", ""), defaults)
        if not files and not arguments.get("allowEmpty"):
            raise Abort(f"No files included in stash ‘{name}’")
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self._file(name)
        if kept.exists():
            say(f"Warning: overwriting stash ‘{name}’")
        with tarfile.open(kept.with_suffix(".new"), "w") as tar:
            for path in files:
                tar.add(workspace / path, str(path), recursive=False)
        kept.with_suffix(".new").rename(kept)
        say(f"Stashed {len(files)} file(s)")

    def get(self, name: str, workspace: Path) -> None:
        """quirks/unstash-missing, quirks/stash-across-agents. Files that are there are replaced."""
        if not self._file(name).exists():
            raise Abort(f"No such saved stash ‘{name}’")
        workspace.mkdir(parents=True, exist_ok=True)
        with tarfile.open(self._file(name)) as tar:
            for member in tar.getmembers():
                (workspace / member.name).unlink(missing_ok=True)
                tar.extract(member, workspace, filter="fully_trusted")

    def names(self) -> set[str]:
        return {path.stem for path in self.folder.glob("*.tar")}

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.tar"


def archive(workspace: Path, arguments: dict[str, Any], store: Path, say: Say) -> None:
    """quirks/archive-no-files, quirks/archive-allow-empty; contracts/jenkins/63-artifacts-tree."""
    unknown = set(arguments) - {"artifacts", "allowEmptyArchive", "excludes", "fingerprint"}
    if unknown:
        raise Refused(f"archiveArtifacts({', '.join(sorted(unknown))})")
    pattern = arguments["artifacts"]
    say("Archiving artifacts")
    files = ant.found(workspace, pattern, arguments.get("excludes", ""))
    if not files:
        message = f'No artifacts found that match the file pattern "{pattern}". Configuration error?'
        if not arguments.get("allowEmptyArchive"):
            raise Abort(message)
        say(message)
    for path in files:
        if (workspace / path).is_file():
            (store / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(workspace / path, store / path)


@dataclass(frozen=True)
class Case:
    """One test as Jenkins counts it (contracts/jenkins/61-testReport)."""

    class_name: str
    name: str
    status: str
    """PASSED, FAILED or SKIPPED."""
    stages: tuple[str, ...] = ()
    """The stages around the step that read it."""


@dataclass
class Tests:
    """The test report of one build."""

    cases: list[Case] = field(default_factory=list)

    def read(
        self, workspace: Path, arguments: dict[str, Any], stages: tuple[str, ...], say: Say
    ) -> dict[str, int]:
        """quirks/junit-no-files, quirks/junit-allow-empty; an error counts as failed."""
        say("Recording test results")
        files = ant.found(workspace, arguments["testResults"])
        cases = [case for path in files for case in _cases(workspace / path, stages)]
        if not cases:
            self._empty(files, bool(arguments.get("allowEmptyResults")), say)
        self.cases += cases
        say("[Checks API] No suitable checks publisher found.")
        count = [case.status for case in cases].count
        failed, skipped, passed = count("FAILED"), count("SKIPPED"), count("PASSED")
        return {"failCount": failed, "skipCount": skipped, "passCount": passed, "totalCount": len(cases)}

    @staticmethod
    def _empty(files: list[Path], allowed: bool, say: Say) -> None:
        none = "No test report files were found. Configuration error?"
        if not files:
            say(none)
        if not allowed:
            raise Abort(none if not files else "None of the test reports contained any result")
        say("None of the test reports contained any result")


def _cases(path: Path, stages: tuple[str, ...]) -> list[Case]:
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        raise Refused(f"junit: {path.name} is no XML ({error})") from None
    return [
        Case(case.get("classname", ""), case.get("name", ""), _status(case), stages)
        for case in root.iter("testcase")
    ]


def _status(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "FAILED"
    return "SKIPPED" if case.find("skipped") is not None else "PASSED"
