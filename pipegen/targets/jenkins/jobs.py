"""Job definitions: the `config.xml` of a multibranch and of a plain job, as recorded from a real controller."""

from __future__ import annotations

import posixpath

from pipegen.description.model import Pipeline
from pipegen.errors import PlanError, Problem
from pipegen.plan.model import Plan
from pipegen.targets.jenkins.declarative import cron_text
from pipegen.targets.jenkins.view import branch_regex
from pipegen.targets.jenkins.words import Options
from pipegen.targets.jenkins.xml import text
from pipegen.targets.templates import render


def multibranch_job(
    pipeline: Pipeline, plan: Plan, options: Options, script: str
) -> tuple[str, list[Problem]]:
    """The job that has one job for each branch whose name a workflow takes."""
    branches = [branch for trigger in plan.triggers.values() for branch in trigger.branches]
    warnings = []
    if any(trigger.kind == "pull_request" for trigger in plan.triggers.values()):
        warnings.append(_no_pull_requests(pipeline, plan))
    config = render(
        "jenkins",
        "multibranch.config.xml.j2",
        {"xml": text},
        description=_description(pipeline, plan),
        repository=_repository(pipeline, plan),
        credentials=options.credentials or "",
        branches="|".join(branch_regex(branch) for branch in dict.fromkeys(branches)) or ".*",
        script=posixpath.normpath(posixpath.join(plan.folder, script)),
        keep=options.keep,
    )
    return config, warnings


def plain_job(pipeline: Pipeline, plan: Plan, options: Options, script: str) -> tuple[str, list[Problem]]:
    """The job of one workflow, with its parameters and its timer, so that both hold before the first run."""
    trigger = plan.triggers[plan.workflows[0]]
    config = render(
        "jenkins",
        "plain.config.xml.j2",
        {"xml": text},
        description=_description(pipeline, plan),
        repository=_repository(pipeline, plan),
        credentials=options.credentials or "",
        branch=trigger.branches[0],
        script=posixpath.normpath(posixpath.join(plan.folder, script)),
        inputs=plan.inputs,
        cron=cron_text(trigger.schedule, trigger.timezone) if trigger.schedule else None,
        keep=options.keep,
    )
    return config, []


def _description(pipeline: Pipeline, plan: Plan) -> str:
    owner = f", owner {pipeline.owner}" if pipeline.owner else ""
    says = "Written by pipegen from pipegen.yaml; changes here are overwritten."
    return f"{pipeline.name}: {', '.join(plan.workflows)}{owner}. {says}"


def _repository(pipeline: Pipeline, plan: Plan) -> str:
    if pipeline.repository is None:
        message = f"Jenkins' job for {', '.join(plan.workflows)} must know where the repository is"
        raise PlanError([pipeline.source.problem((), message, 'add `repository: "https://…"`')])
    return pipeline.repository


def _no_pull_requests(pipeline: Pipeline, plan: Plan) -> Problem:
    name = next(name for name, trigger in plan.triggers.items() if trigger.kind == "pull_request")
    message = (
        f"a plain git source finds no pull requests, so workflow {name!r} waits for a forge's branch source"
    )
    hint = "in the job, replace the git source by GitHub's, GitLab's or Bitbucket's branch source"
    return pipeline.source.problem(("workflows", name), message, hint, key=True, code="jenkins-pull-requests")
