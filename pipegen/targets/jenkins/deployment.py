"""What a description asks of a Jenkins controller: jobs, and the plugins, agents and credentials that they need.

Which plugin brings which directive and step was read off a real controller. Least versions are those in which what is
used first appeared: `disableConcurrentBuilds(abortPrevious:)` (workflow-job-plugin#200) and `retry(conditions:)`
(workflow-basic-steps-plugin#203).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipegen.plan.deployment import Definition, Deployment, Details, Need
from pipegen.plan.model import Job, Plan
from pipegen.targets import Request
from pipegen.targets.jenkins.units import Unit, jenkinsfiles, job_definitions, units
from pipegen.targets.jenkins.words import Words

ALWAYS = ("workflow-job", "workflow-cps", "git")
PLUGINS: Mapping[str, str] = {
    "\npipeline {": "pipeline-model-definition",
    "checkout": "workflow-scm-step",
    "stage(": "pipeline-stage-step",
    "sh(": "workflow-durable-task-step",
    "stash(": "workflow-basic-steps",
    "timestamps": "timestamper",
    "lock(resource:": "lockable-resources",
    "withCredentials(": "credentials-binding",
    "string(credentialsId:": "plain-credentials",
    "file(credentialsId:": "plain-credentials",
    "sshUserPrivateKey(": "ssh-credentials",
    "junit(": "junit",
    "milestone(": "pipeline-milestone-step",
    "input {": "pipeline-input-step",
    " = input(": "pipeline-input-step",
    "docker {": "docker-workflow",
    "docker.image(": "docker-workflow",
}
"""What stands in a generated file, and the plugin that brings it."""
LEAST: Mapping[str, tuple[str, str]] = {
    "workflow-job": ("abortPrevious: true", "1145"),
    "workflow-basic-steps": ("conditions: [agent(), nonresumable()]", "994"),
}
"""Where this stands in a generated file, the plugin must have that version at least."""


def deployment(request: Request, words: Words) -> Deployment:
    """The jobs of a description and what they need."""
    found = units(request, words.options)
    configs = {file.path: file.text for file in job_definitions(request, words, found).files}
    return Deployment(
        pipeline=request.pipeline.name,
        origin=f"{request.pipeline.repository or ''}#{request.folder}",
        folder=(words.options.folder or "").strip("/"),
        definitions=tuple(_definition(unit, configs[f"{unit.job}.config.xml"]) for unit in found),
        details=lambda: _details(request, words, found),
        options={"layout": words.options.layout},
    )


def _details(request: Request, words: Words, found: list[Unit]) -> Details:
    """The Jenkinsfiles, and what stands in them."""
    scripts = {file.path: file.text for file in jenkinsfiles(request, words, found).files}
    plans = [unit.plan for unit in found]
    return Details(
        files=scripts,
        needs=(
            *_plugins(found, scripts.values(), folder=bool(words.options.folder)),
            *_labels(plans, words),
            *_credentials(plans, words),
        ),
    )


def _definition(unit: Unit, text: str) -> Definition:
    plan = unit.plan
    branches = [branch for trigger in plan.triggers.values() for branch in trigger.branches]
    return Definition(
        name=unit.job,
        text=text,
        workflows=plan.workflows,
        script=unit.script,
        branches=tuple(dict.fromkeys(branches)) if unit.multibranch else (),
        inputs=tuple(given.name for given in plan.inputs),
        parts={name: steps for job in plan.jobs for name, steps in _parts(job).items()},
    )


def _parts(job: Job) -> dict[str, tuple[str, ...]]:
    """A job of one command is one Jenkins stage; one of several has a stage for each. What always runs has none."""
    steps = [step.name for step in job.steps if not step.always]
    return {job.name: (steps[0],)} if len(steps) == 1 else {name: (name,) for name in steps}


def _plugins(found: Iterable[Unit], scripts: Iterable[str], *, folder: bool) -> list[Need]:
    text = "".join(scripts)
    names = dict.fromkeys((*ALWAYS, *(plugin for words, plugin in PLUGINS.items() if words in text)))
    if any(unit.multibranch for unit in found):
        names |= dict.fromkeys(("workflow-multibranch", "branch-api"))
    if folder:
        names["cloudbees-folder"] = None
    return [Need(kind="plugin", name=name, detail=_least(name, text)) for name in names]


def _least(plugin: str, text: str) -> str:
    words, version = LEAST.get(plugin, ("", ""))
    return version if words and words in text else ""


def _labels(plans: Iterable[Plan], words: Words) -> list[Need]:
    by: dict[str, dict[str, None]] = {}
    for plan in plans:
        for job in plan.jobs:
            agent = words.agents.get(job.agent) if job.agent else None
            if agent and agent.label:
                by.setdefault(agent.label, {})[job.name] = None
    return [Need(kind="label", name=label, by=tuple(jobs)) for label, jobs in by.items()]


def _credentials(plans: Iterable[Plan], words: Words) -> list[Need]:
    by: dict[tuple[str, str], dict[str, None]] = {}
    for plan in plans:
        for job in plan.jobs:
            for name in job.secrets:
                if name in words.secrets:
                    secret = words.secrets[name]
                    by.setdefault((secret.id, secret.type), {})[job.name] = None
    needs = [Need(kind="credentials", name=i, detail=t, by=tuple(jobs)) for (i, t), jobs in by.items()]
    if words.options.credentials:
        needs.append(Need(kind="credentials", name=words.options.credentials, by=("the checkout",)))
    return needs
