"""A CI build in small: one git repository, one DVC remote, and for each stage an agent with a fresh clone.

Agents share nothing else but the fragments, which are copied as a CI server would: those that the plan lets a job read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipegen.dvc.lockfile import LockFile
from pipegen.plan.names import to_name
from pipegen.project import Project
from tests.support.repositories import dvc, sh, write

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = """\
pipegen: 1
name: small
stages:
  source:
    cmd: "cat seed.txt > source.txt; echo source ran"
    deps: [seed.txt]
    outs: [source.txt]
  left:
    cmd: "mkdir -p left/deep; cat source.txt > left/one; echo two > left/deep/two; echo '{\\"rows\\": 2}' > left.json"
    deps: [source.txt]
    params: [left.rows]
    outs: [left]
    metrics: [{left.json: {cache: false}}]
    ci: {tests: ["test -s left/one"]}
  right:
    foreach: [a, b]
    do:
      cmd: "cat source.txt > right-${item}.txt; echo ${item} >> right-${item}.txt"
      deps: [source.txt]
      outs: ["right-${item}.txt"]
  join:
    cmd: "cat left/deep/two left.json right-a.txt right-b.txt > join.txt"
    deps: [left/deep/two, left.json, right-a.txt, right-b.txt]
    outs: [join.txt]
  last:
    cmd: "wc -c < join.txt > last.txt"
    deps: [join.txt]
    outs: [last.txt]
    ci: {after: [right]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
FILES = {"seed.txt": "seed\n", "params.yaml": "left: {rows: 2}  # of the left\n"}
"""A source, a fan-out with a folder and an uncached metric, a join that reads parts of them, and a last stage."""
FRAGMENTS = Path(".pipegen") / "fragments"


@dataclass(frozen=True)
class Done:
    """What became of one `pipegen exec`."""

    code: int
    out: str
    err: str
    agent: Path
    stage: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines for machines."""
        marked = (line for line in self.out.splitlines() if line.startswith("##pipegen "))
        return [json.loads(line.partition(" ")[2]) for line in marked]

    @property
    def outcome(self) -> str:
        return str(self.record["outcome"])

    @property
    def record(self) -> dict[str, Any]:
        found = json.loads((self.agent / ".pipegen" / "records" / f"{to_name(self.stage)}.json").read_text())
        assert isinstance(found, dict)
        return found

    @property
    def fragment(self) -> Path:
        return self.agent / FRAGMENTS / f"{to_name(self.stage)}.lock.json"


class Build:
    """One build of one commit.

    Args:
        folder: its own; agents and fragments come to lie in it.
        origin: the repository.
    """

    def __init__(self, folder: Path, origin: Path) -> None:
        self.folder, self.origin = folder, origin
        self.fragments = folder / "fragments"
        self.fragments.mkdir(parents=True)
        self._agents = 0

    def agent(self) -> Path:
        """A fresh clone, as an agent checks it out."""
        self._agents += 1
        folder = self.folder / f"agent-{self._agents}"
        sh(self.folder, "git", "clone", "-q", str(self.origin), str(folder))
        return folder

    def start(
        self,
        stage: str,
        *options: str,
        agent: Path | None = None,
        needs: list[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> tuple[subprocess.Popen[str], Path]:
        """`pipegen exec` as a process of its own, with the fragments of the direct needs (or those of `needs`)."""
        folder = agent or self.agent()
        if needs is None:
            needs = list(Project.open(folder).graph.reduced().needs(stage))
        for need in needs:
            self.give(need, folder)
        return command(folder, "exec", stage, *options, env=env), folder

    def give(self, stage: str, folder: Path) -> None:
        """Copy a fragment to an agent."""
        source = self.fragments / f"{to_name(stage)}.lock.json"
        (folder / FRAGMENTS).mkdir(parents=True, exist_ok=True)
        if source.exists():
            shutil.copy(source, folder / FRAGMENTS)

    def exec(self, stage: str, *options: str, timeout: float = 120, **more: Any) -> Done:
        """Run a stage on an agent of its own (or on `agent`) to its end, and keep its fragment."""
        process, folder = self.start(stage, *options, **more)
        out, err = process.communicate(timeout=timeout)
        done = Done(process.returncode, out, err, folder, stage)
        if done.fragment.exists():
            shutil.copy(done.fragment, self.fragments)
        return done

    def run(self, *options: str, **more: Any) -> dict[str, Done]:
        """All stages, each on an agent of its own."""
        project = Project.open(self.origin)
        done = {}
        for stage in project.graph.order:
            done[stage] = self.exec(stage, *options, **more)
            assert done[stage].code == 0, done[stage].out + done[stage].err
        return done


def command(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`pipegen` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from pipegen.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", **(env or {})},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def make_origin(folder: Path, template: Path, description: str, remote: str | None, **files: str) -> Path:
    """A repository with a description, its `dvc.yaml`, and a DVC remote.

    Args:
        folder: where it comes to lie.
        template: an empty repository.
        description: the text of `pipegen.yaml`.
        remote: the remote's address.
        files: others, by path.
    """
    shutil.copytree(template, folder, symlinks=True)
    write(folder, {"pipegen.yaml": description, **files})
    if remote:
        config = "[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = "
        (folder / ".dvc" / "config").write_text(f"{config}{remote}\n")
    Project.open(folder).generate(["dvc"]).write()
    sh(folder, "git", "add", "-A")
    sh(folder, "git", "commit", "-qm", "start")
    return folder


def reference(origin: Path, folder: Path) -> dict[str, Any]:
    """The lock entries that `dvc repro` makes of the same commit in one workspace."""
    sh(folder.parent, "git", "clone", "-q", str(origin), str(folder))
    dvc(folder, "repro", "-q")
    return dict(LockFile(str(folder / "dvc.lock")).entries)


def lock_of(folder: Path) -> dict[str, Any]:
    """The lock entries of a workspace."""
    return dict(LockFile(str(folder / "dvc.lock")).entries)
