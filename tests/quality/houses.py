"""A small repository with gates: one stage makes a metrics file that DVC keeps and one that it does not."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipegen.plan.merge import merge
from pipegen.project import Project
from tests.support.agents import Build, make_origin
from tests.support.cli import Outcome, pipegen
from tests.support.repositories import sh

DESCRIPTION = """\
pipegen: 1
name: houses
stages:
  train:
    cmd: cat scores.txt > metrics.json; cat groups.txt > groups.yaml; cp scores.txt model.pkl
    deps: [scores.txt, groups.txt]
    outs: [model.pkl]
    metrics: [metrics.json, {groups.yaml: {cache: false}}]
  use:
    cmd: wc -c < model.pkl > size.txt
    deps: [model.pkl, groups.yaml]
    outs: [size.txt]
models: {house-price: {path: model.pkl}}
gates:
  good: {metric: "metrics.json:r2", min: 0.75}
  fair: {metric: "groups.yaml:*.rmse", max_spread: 25%}
  no_worse: {metric: "metrics.json:rmse", max_increase: 2%, against: last}
  like_main: {metric: "metrics.json:rmse", max_increase: 2%, against: "branch:main"}
  like_production: {metric: "metrics.json:rmse", max_increase: 2%, against: production}
workflows:
  push: {on: {push: {branches: [main]}}, gates: [good, fair, no_worse]}
"""
GROUPS = "north: {rmse: 100}\nsouth: {rmse: 110}\n"


def scores(r2: float = 0.8, rmse: float = 100) -> str:
    return json.dumps({"r2": r2, "rmse": rmse}) + "\n"


@dataclass
class Houses:
    """The repository `origin`, its remote, and builds of it."""

    folder: Path
    origin: Path
    monkeypatch: pytest.MonkeyPatch
    builds: int = 0

    @property
    def remote(self) -> Path:
        return self.folder / "remote"

    def write(self, **texts: str) -> None:
        """Files of the origin, by name without suffix, committed."""
        for name, text in texts.items():
            suffix = "txt" if name in ("scores", "groups") else "yaml"
            (self.origin / f"{name}.{suffix}").write_text(text)
        sh(self.origin, "git", "add", "-A")
        sh(self.origin, "git", "commit", "-qm", "change")

    def run(self) -> None:
        """All stages, in the origin itself; the lock file is committed."""
        done = pipegen("run", cwd=self.origin)
        assert done.code == 0, done.text
        sh(self.origin, "git", "add", "-A")
        sh(self.origin, "git", "commit", "-qm", "run")

    @property
    def commit(self) -> str:
        return sh(self.origin, "git", "rev-parse", "HEAD").strip()

    def build(self) -> Build:
        """A build of the present commit, its stages run on agents of their own."""
        self.builds += 1
        build = Build(self.folder / f"build-{self.builds}", self.origin)
        build.run()
        return build

    def gate(self, folder: Path, *words: str) -> Outcome:
        """`pipegen gate` as a person calls it."""
        return pipegen("gate", *words, cwd=folder)

    def job(self, build: Build, *words: str, agent: Path | None = None) -> tuple[Outcome, Path]:
        """`pipegen gate` as a job of the server calls it, on an agent of its own."""
        if agent is None:
            agent = build.agent()
            build.give("use", agent)
        project = Project.open(agent)
        with self.monkeypatch.context() as env:
            env.setenv("PIPEGEN_PLAN", merge([project.plan("push")]).digest)
            env.setenv("PIPEGEN_WORKFLOWS", "push")
            return pipegen("gate", *words, "--workflow", "push", cwd=agent), agent


def make_houses(folder: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Houses:
    """The repository, not run yet."""
    files: dict[str, Any] = {"scores.txt": scores(), "groups.txt": GROUPS}
    origin = make_origin(folder / "origin", template, DESCRIPTION, str(folder / "remote"), **files)
    sh(origin, "git", "branch", "-M", "main")
    return Houses(folder, origin, monkeypatch)


def verdicts(outcome: Outcome) -> dict[str, str]:
    """What `--json` says of each gate."""
    return {gate["gate"]: gate["verdict"] for gate in json.loads(outcome.out)["gates"]}


def said(outcome: Outcome, name: str) -> str:
    """All that `--json` says of one gate, in sentences."""
    (gate,) = [gate for gate in json.loads(outcome.out)["gates"] if gate["gate"] == name]
    return "; ".join([*(check["message"] for check in gate["checks"]), gate["waiver"]])


def wipe(folder: Path) -> None:
    """Nothing of a folder is left."""
    shutil.rmtree(folder)
