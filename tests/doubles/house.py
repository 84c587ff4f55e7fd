"""A repository with a description and its generated files, whose agents have the real `pipegen exec`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.fragments import Fragment
from pipegen.project import Project
from tests.support.agents import ROOT, make_origin, reference
from tests.support.repositories import sh
from tests.support.s3 import S3

FILES = {"seed.txt": "seed\n", "other.txt": "other\n", "params.yaml": "a: {k: 1}\nb: [2, 3]\n"}
URL = "https://git.example.com/toy.git"


@dataclass(frozen=True)
class Remote:
    """A DVC remote: its words in DVC's configuration, and what a process needs to speak to it."""

    words: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path) -> Remote:
        return cls({"url": str(folder)})

    @classmethod
    def in_s3(cls, s3: S3, name: str) -> Remote:
        """A place of its own in the server's bucket."""
        return cls({"url": f"{s3.url}/{name}", "endpointurl": s3.endpoint}, s3.env)

    @property
    def config(self) -> str:
        """The text of `.dvc/config`."""
        words = "".join(f"    {name} = {value}\n" for name, value in self.words.items())
        return f"[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n{words}"


class House:
    """The repository, on the branch `main`.

    Args:
        folder: where all comes to lie.
        template: an empty repository.
        remote: its DVC remote.
        targets: the description's targets.
        stages: its stages.
        options: its other words.
    """

    def __init__(
        self, folder: Path, template: Path, remote: Remote, targets: Any, stages: Any, **options: Any
    ) -> None:
        self.folder, self.remote = folder, remote
        data = {
            "pipegen": 1,
            "name": "toy",
            "repository": URL,
            "targets": targets,
            "stages": stages,
            "workflows": {"push": {"on": {"push": {"branches": ["main"]}}}},
            **options,
        }
        self.origin = folder / "origin"
        make_origin(self.origin, template, yaml.safe_dump(data), None, **FILES)
        (self.origin / ".dvc" / "config").write_text(remote.config)
        sh(self.origin, "git", "branch", "-M", "main")
        Project.open(self.origin).generate(list(targets)).write()
        self.commit("generate")
        self._references = 0

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> None:
        """Write files, commit all."""
        for name, text in (files or {}).items():
            (self.origin / name).write_text(text)
        sh(self.origin, "git", "add", "-A")
        sh(self.origin, "git", "commit", "-qm", message)

    def propose(self, branch: str, files: Mapping[str, str]) -> None:
        """A branch with a commit of its own, behind `main` by another: what a pull request merges."""
        sh(self.origin, "git", "checkout", "-qb", branch)
        self.commit(branch, files)
        sh(self.origin, "git", "checkout", "-q", "main")
        self.commit("elsewhere", {"unrelated.txt": "x\n"})

    def reference(self) -> dict[str, Any]:
        """The lock entries that `dvc repro` makes of the last commit in one workspace."""
        self._references += 1
        return reference(self.origin, self.folder / f"reference-{self._references}")


def real_pipegen(folder: Path) -> dict[str, str]:
    """Put `pipegen` into a folder; the variables of a machine that has it on its PATH."""
    folder.mkdir()
    (folder / "pipegen").write_text(f"#!{sys.executable}\nfrom pipegen.cli import main\nmain()\n")
    (folder / "pipegen").chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {"PATH": path, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}


def agreed(fragments: Iterable[Fragment]) -> dict[str, Any]:
    """What fragments say together; they agree about every stage."""
    found: dict[str, Any] = {}
    for fragment in fragments:
        for address, entry in fragment.entries.items():
            assert found.setdefault(address, entry) == entry, address
    return found
