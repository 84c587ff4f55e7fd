"""A repository with a description and what pipegen generates from it, built by the double."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipegen.description.dumper import dump
from pipegen.targets.jenkins import Jenkins
from tests.doubles.jenkins.scm import git
from tests.support.descriptions import request


@dataclass
class Project:
    """A repository at `path`, on branch `main`, and its generated files by path."""

    path: Path
    files: dict[str, str] = field(default_factory=dict)

    @property
    def jenkinsfile(self) -> str:
        return self.files["Jenkinsfile"]

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        """Commits files; the commit."""
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.path, "rev-parse", "HEAD")

    def branch(self, name: str, files: Mapping[str, str]) -> str:
        """A branch from main with one more commit; leaves main checked out."""
        git(self.path, "checkout", "-q", "-b", name)
        commit = self.commit(files)
        git(self.path, "checkout", "-q", "main")
        return commit


def make(folder: Path, data: dict[str, Any], layout: str, files: Mapping[str, str] | None = None) -> Project:
    """Generates the files of a description in one layout and commits all."""
    described = {**data, "targets": {"jenkins": {"layout": layout}}}
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    project = Project(folder)
    project.files = {file.path: file.text for file in Jenkins().files(request(described)).files}
    project.commit({"pipegen.yaml": dump(described), **project.files, **(files or {})})
    return project
