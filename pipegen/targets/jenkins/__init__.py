"""Jenkins: declarative Jenkinsfiles (`levels`, `chain`), a scripted one (`graph`), and job definitions.

The workflows on push and on pull requests share the multibranch `Jenkinsfile`, in which `when` chooses; every
other workflow has `ci/Jenkinsfile.<workflow>` and a plain job, because a cron in a multibranch file would fire on
every branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pipegen.description.model import Pipeline
from pipegen.errors import PlanError, Problem
from pipegen.plan.merge import merge
from pipegen.plan.model import Plan
from pipegen.targets import Generated, GeneratedFile, Marker, Request, Target
from pipegen.targets.jenkins import limits
from pipegen.targets.jenkins.declarative import declarative
from pipegen.targets.jenkins.graph import scripted
from pipegen.targets.jenkins.jobs import multibranch_job, plain_job
from pipegen.targets.jenkins.view import Mapper, Words
from pipegen.targets.jenkins.words import Agent, Options, People, Secret

MULTIBRANCH = ("push", "pull_request")


class Jenkins(Target):
    """Jenkins' pipelines and jobs."""

    name = "jenkins"
    layouts = ("levels", "chain", "graph")
    words: ClassVar[Mapping[str, type[Any]]] = {
        "targets": Options,
        "agents": Agent,
        "secrets": Secret,
        "people": People,
    }

    def files(self, request: Request) -> Generated:
        """`Jenkinsfile` for branches and pull requests, `ci/Jenkinsfile.<workflow>` for each other workflow."""
        words = self.read_words(request.pipeline)
        files, warnings = [], []
        for plan, multibranch in self.units(request, words.options):
            limits.refuse_too_large(plan)
            path = script_path(plan, multibranch)
            mapper = Mapper(request.pipeline, plan, words, multibranch=multibranch)
            body, said = _fitting(mapper, words.options.layout, path)
            files.append(GeneratedFile(path, Marker.header("\n" + body, "// {}"), plan.workflows))
            warnings += said
        return Generated(tuple(files), tuple(warnings))

    def definitions(self, request: Request) -> Generated:
        """One `config.xml` for each job: `<name>` with the branches, `<name>-<workflow>` for each other workflow."""
        words = self.read_words(request.pipeline)
        files, warnings = [], []
        for plan, multibranch in self.units(request, words.options):
            make = multibranch_job if multibranch else plain_job
            text, said = make(request.pipeline, plan, words.options, script_path(plan, multibranch))
            files.append(GeneratedFile(f"{job_name(plan, multibranch)}.config.xml", text, plan.workflows))
            warnings += said
        return Generated(tuple(files), tuple(warnings))

    def units(self, request: Request, options: Options) -> list[tuple[Plan, bool]]:
        """The plans, one for each file, and whether it is the multibranch one."""
        chains = options.layout != "chain"
        plans = [request.plan(name, chains=chains) for name in request.workflows(self.name)]
        branches = [p for p in plans if p.triggers[p.workflows[0]].kind in MULTIBRANCH]
        others = [p for p in plans if p not in branches]
        return [*([(merge(branches), True)] if branches else []), *((plan, False) for plan in others)]

    def read_words(self, pipeline: Pipeline) -> Words:
        """This target's words. Raises PlanError with every mistake in them."""
        problems = self.check(pipeline)
        if problems:
            raise PlanError(problems)
        return Words(
            options=self.options(pipeline, "targets", self.name, Options) or Options(),
            agents=self._all(pipeline, "agents", Agent),
            secrets=self._all(pipeline, "secrets", Secret),
            people=self._all(pipeline, "people", People),
        )

    def check(self, pipeline: Pipeline) -> list[Problem]:
        """Mistakes in Jenkins' words, and secrets that fill another number of variables than `env` names."""
        return super().check(pipeline) or _secret_problems(self, pipeline)

    def _all(self, pipeline: Pipeline, section: str, cls: type[Any]) -> dict[str, Any]:
        names = getattr(pipeline, section)
        found = {name: self.options(pipeline, section, name, cls) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def _fitting(mapper: Mapper, layout: str, path: str) -> tuple[str, list[Problem]]:
    """The file in the layout wanted, or in `graph`, which has no limit of size, with a warning."""
    if layout == "graph":
        return scripted(mapper), []
    body = declarative(mapper, layout)
    warnings = limits.too_large(mapper.plan, layout, body, path)
    return (scripted(mapper) if warnings else body), warnings


def script_path(plan: Plan, multibranch: bool) -> str:
    """The Jenkinsfile's path beside the description."""
    return "Jenkinsfile" if multibranch else f"ci/Jenkinsfile.{plan.workflows[0]}"


def job_name(plan: Plan, multibranch: bool) -> str:
    """The job's name in Jenkins."""
    return plan.pipeline if multibranch else f"{plan.pipeline}-{plan.workflows[0]}"


def _secret_problems(target: Jenkins, pipeline: Pipeline) -> list[Problem]:
    problems = []
    for name, secret in pipeline.secrets.items():
        words = target.options(pipeline, "secrets", name, Secret)
        if words and words.variables != len(secret.env):
            message = (
                f"credentials of type {words.type} fill {words.variables} of the variables in `env`, "
                f"which names {len(secret.env)}"
            )
            problems.append(pipeline.source.problem(("secrets", name, "env"), message))
    return problems
