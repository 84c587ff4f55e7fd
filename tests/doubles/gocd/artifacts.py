"""Publishing and fetching: where GoCD's agent puts files, and where it finds them."""

from __future__ import annotations

import fnmatch
import hashlib
import itertools
import os
import re
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.gocd.console import UPLOAD, UPLOAD_ERROR, Console
from tests.doubles.gocd.definitions import Artifact
from tests.doubles.gocd.refusals import Uncited

CHECKSUMS = "cruise-output/md5.checksum"
WILDCARD = re.compile(r"[*?]")


def fits(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a path is what a pattern of Ant's directory scanner says, both as their parts: `**` is any number of
    folders, none included [M Ant patterns]."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(fits(pattern[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and fits(pattern[1:], path[1:])


def matches(root: Path, pattern: str) -> list[Path]:
    """What a rule stands for: folders first, then files that lie in none of these folders [R 288, 289,
    S WildcardScanner.getFiles]."""
    if "[" in pattern:
        raise Uncited(f"the artifact pattern {pattern!r}")
    if not WILDCARD.search(pattern):
        found = root / pattern
        return [found] if found.exists() else []
    folders: list[Path] = []
    files: list[Path] = []
    for folder, below, names in os.walk(root):
        below.sort()
        here = Path(folder)
        for found_here, entries in ((folders, below), (files, sorted(names))):
            paths = (here / entry for entry in entries)
            found_here += [p for p in paths if fits(pattern.split("/"), p.relative_to(root).parts)]
    return [*folders, *(file for file in files if file.parent not in folders)]


def destination(rule: Artifact, root: Path, file: Path) -> str:
    """The folder in the store: the rule's own, and the path behind the part before the first wildcard
    [R 288, S ArtifactPlan.destinationUrl]."""
    if not WILDCARD.search(rule.source):
        return rule.destination
    before = "/".join(itertools.takewhile(lambda part: not WILDCARD.search(part), rule.source.split("/")))
    parent = file.parent.relative_to(root).as_posix()
    rest = ("" if parent == "." else parent).removeprefix(before)
    return rule.destination + (rest if not rest or rest.startswith("/") else f"/{rest}")


@dataclass
class Publisher:
    """The end of a job: its files go from the working folder into the store.

    Args:
        root: the job's working folder.
        store: the job's folder on the server.
        console: its log.
        name: how the log calls the working folder [R 291].
    """

    root: Path
    store: Path
    console: Console
    name: str

    def publish(self, rules: Sequence[Artifact]) -> bool:
        """All of them, even after one failed; whether none did [R 291]."""
        failed = []
        tests = [rule for rule in rules if rule.kind == "test"]
        for rule in rules:
            if rule.kind == "build" and not self._build(rule):
                failed.append(rule.source)
            elif tests and rule is tests[0]:
                self._tests(
                    tests
                )  # all at the place of the first [R 184, S ArtifactPlan.publishTestArtifact]
        if failed:
            # [R 291, 292]: twice `[go]`, as the agent writes it; [S ArtifactPlan.printArtifactInfo]
            rules_shown = "".join(f"[{source}]" for source in failed)
            self.console.go(UPLOAD_ERROR, f"[go] Uploading finished. Failed to upload {rules_shown}.")
        return not failed

    def _build(self, rule: Artifact) -> bool:
        found = matches(self.root, rule.source)
        if not found:  # [R 291, 292]: fails the job
            message = f"The rule [{rule.source}] cannot match any resource under [{self.name}]"
            self.console.go(UPLOAD_ERROR, message)
            return False
        for file in found:
            self.upload(file, destination(rule, self.root, file))
        return True

    def _tests(self, rules: Sequence[Artifact]) -> None:
        """A missing folder of tests is said, and fails nothing [S ArtifactPlan.uploadTestResult]."""
        files: list[Path] = []
        for rule in rules:
            found = matches(self.root, rule.source)
            if not found:
                message = (
                    f"The directory {self.root / rule.source} specified as a test artifact was not found."
                )
                self.console.go(UPLOAD_ERROR, f"{message} Please check your configuration")
            for file in found:
                self.upload(file, destination(rule, self.root, file))
            files += found
        if not files:
            self.console.go(UPLOAD_ERROR, "No files were found in the Test Results folders")
            return
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result"
            result.mkdir()
            (result / "index.html").write_text(report(files), "utf-8")
            self.upload(result / "index.html", "testoutput")  # [R 184, 189]: at both places
            self.upload(result, "testoutput")

    def upload(self, file: Path, folder: str) -> None:
        """A file, or a folder with all that is in it, keeping its own name [R 288]."""
        self.console.go(UPLOAD, f"Uploading artifacts from {file} to {folder or '[defaultRoot]'}")
        target = self.store / folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            shutil.copytree(file, target, dirs_exist_ok=True)
            new = [path for path in sorted(target.rglob("*")) if path.is_file()]
        else:
            shutil.copy2(file, target)
            new = [target]
        self._note(new)

    def _note(self, files: Iterable[Path]) -> None:
        """Their MD5 sums [R 200]."""
        sums = self.store / CHECKSUMS
        sums.parent.mkdir(parents=True, exist_ok=True)
        with sums.open("a", encoding="utf-8") as out:
            for file in files:
                out.write(f"{file.relative_to(self.store).as_posix()}={md5(file)}\n")


def md5(file: Path) -> str:
    """The sum that the server keeps for a file [R 200]."""
    return hashlib.md5(file.read_bytes()).hexdigest()


def report(found: Iterable[Path]) -> str:
    """A page of test results. That there is one is recorded [R 189]; what it says is not, so it only counts."""
    files = [file for path in found for file in ([path] if path.is_file() else sorted(path.rglob("*.xml")))]
    tests = failures = 0
    for file in files:
        if file.suffix == ".xml":
            suites = list(ET.parse(file).getroot().iter("testsuite"))
            tests += sum(int(suite.get("tests", 0)) for suite in suites)
            failures += sum(int(suite.get("failures", 0)) + int(suite.get("errors", 0)) for suite in suites)
    return f"<html><body>tests: {tests}, failures: {failures}</body></html>\n"
