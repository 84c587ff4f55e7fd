"""Which workflows share a file and a job, and the text of each. The main way through this target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipegen.errors import Problem
from pipegen.plan.merge import merge
from pipegen.plan.model import Plan
from pipegen.targets import Generated, GeneratedFile, Marker, Request
from pipegen.targets.jenkins import limits
from pipegen.targets.jenkins.declarative import declarative
from pipegen.targets.jenkins.graph import scripted
from pipegen.targets.jenkins.jobs import multibranch_job, plain_job
from pipegen.targets.jenkins.view import Mapper
from pipegen.targets.jenkins.words import Options, Words

NAME = "jenkins"
MULTIBRANCH = ("push", "pull_request")
"""The triggers whose workflows share the multibranch file."""


class Unit(NamedTuple):
    """One file and its job."""

    plan: Plan
    multibranch: bool

    @property
    def script(self) -> str:
        """The Jenkinsfile's path beside the description."""
        return "Jenkinsfile" if self.multibranch else f"ci/Jenkinsfile.{self.plan.workflows[0]}"

    @property
    def job(self) -> str:
        """The job's name in Jenkins."""
        return self.plan.pipeline if self.multibranch else f"{self.plan.pipeline}-{self.plan.workflows[0]}"


def jenkinsfiles(request: Request, words: Words, of: Sequence[Unit] | None = None) -> Generated:
    """The Jenkinsfile of each unit; of those in `of` where they are known already."""
    files: list[GeneratedFile] = []
    warnings: list[Problem] = []
    for unit in units(request, words.options) if of is None else of:
        limits.refuse_too_large(unit.plan)
        mapper = Mapper(request.pipeline, unit.plan, words, multibranch=unit.multibranch)
        body, said = _fitting(mapper, words.options.layout, unit.script)
        files.append(GeneratedFile(unit.script, Marker.header("\n" + body, "// {}"), unit.plan.workflows))
        warnings += said
    return Generated(tuple(files), tuple(warnings))


def job_definitions(request: Request, words: Words, of: Sequence[Unit] | None = None) -> Generated:
    """The `config.xml` of each unit's job; of those in `of` where they are known already."""
    files: list[GeneratedFile] = []
    warnings: list[Problem] = []
    for unit in units(request, words.options) if of is None else of:
        make = multibranch_job if unit.multibranch else plain_job
        text, said = make(request.pipeline, unit.plan, words.options, unit.script)
        files.append(GeneratedFile(f"{unit.job}.config.xml", text, unit.plan.workflows))
        warnings += said
    return Generated(tuple(files), tuple(warnings))


def units(request: Request, options: Options) -> list[Unit]:
    """The workflows on push and on pull requests together, every other one alone."""
    chains = options.layout != "chain"
    plans = [request.plan(name, chains=chains) for name in request.workflows(NAME)]
    branches = [plan for plan in plans if plan.triggers[plan.workflows[0]].kind in MULTIBRANCH]
    others = [Unit(plan, False) for plan in plans if plan not in branches]
    return [Unit(merge(branches), True), *others] if branches else others


def _fitting(mapper: Mapper, layout: str, path: str) -> tuple[str, list[Problem]]:
    """The file in the layout wanted, or in `graph`, which has no limit of size, with a warning."""
    if layout == "graph":
        return scripted(mapper), []
    body = declarative(mapper, layout)
    warnings = limits.too_large(mapper.plan, layout, body, path)
    return (scripted(mapper) if warnings else body), warnings
