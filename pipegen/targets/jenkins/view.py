"""The page of mapping: a plan's jobs as the lines that a Jenkinsfile's template prints."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipegen.description.model import Pipeline
from pipegen.errors import PlanError
from pipegen.plan.model import TOOL, Job, Plan, Step, Trigger
from pipegen.targets.jenkins.groovy import command_line, literal
from pipegen.targets.jenkins.words import Agent, Options, Secret

CLEAN = "git clean -ffdxq -e .dvc/cache"
"""Leaves nothing of an earlier build in the workspace but DVC's cache, which holds only what its hash says."""
PIN = 'git checkout --quiet --force --detach "${PIPEGEN_REVISION:-HEAD}"'
"""A plain job's `checkout scm` takes the newest commit; this goes back to the one that the build began with."""


@dataclass(frozen=True)
class Words:
    """This target's words of one description, read."""

    options: Options
    agents: Mapping[str, Agent]
    secrets: Mapping[str, Secret]
    people: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class View:
    """One job as its Jenkins stage: ready lines of Groovy, in the order in which the template prints them."""

    name: str
    agent: list[str]
    when: list[str]
    options: list[str]
    environment: list[str]
    steps: list[StepView]
    """The commands in order; the first one with checkout, cleaning, tools and files of other jobs before it."""
    always: list[str]
    """After the commands, whatever became of them."""
    approval: list[str] = field(default_factory=list)
    approval_options: list[str] = field(default_factory=list)
    alone: bool = False
    """Whether it can't stand beside others in one level."""


@dataclass(frozen=True)
class StepView:
    """One command as lines of a `steps` block."""

    name: str
    lines: list[str]


class Mapper:
    """Maps the jobs of one plan."""

    def __init__(self, pipeline: Pipeline, plan: Plan, words: Words, *, multibranch: bool) -> None:
        self.pipeline, self.plan, self.words = pipeline, plan, words
        self.multibranch = multibranch
        roots = [job for job in plan.jobs if not job.needs]
        self.pins_itself = not multibranch and len(roots) == 1
        self.pin_job = roots[0].name if self.pins_itself else None

    def job(self, job: Job) -> View:
        """One job, with all that Jenkins must be told about it."""
        return View(
            name=job.name,
            agent=self.agent(job.agent),
            when=self.when(job),
            options=self.options(job),
            environment=[f"{name} = {literal(value)}" for name, value in job.env.items()],
            steps=self.steps(job),
            always=self.in_folder([*self.last_words(job), *self.publish(job)]),
            approval=self.approval(job),
            approval_options=self.approval_options(job),
            alone=bool(job.approval or job.deploys),
        )

    def agent(self, name: str | None) -> list[str]:
        """The content of an `agent` block; empty for `agent any`."""
        agent = self.words.agents.get(name) if name else None
        if agent is None or (agent.label is None and agent.image is None):
            return []
        if agent.image is None:
            return [f"label {literal(agent.label or '')}"]
        inner = [f"image {literal(agent.image)}"]
        inner += [f"label {literal(agent.label)}"] if agent.label else []
        inner += [f"args {literal(agent.args)}"] if agent.args else []
        return block("docker", inner)

    def when(self, job: Job) -> list[str]:
        """Only for its workflows' branches or pull requests, and decided before an agent or a lock is taken."""
        if not self.multibranch:
            return []
        conditions = [c for name in job.workflows for c in conditions_of(self.plan.triggers[name])]
        unique = list(dict.fromkeys(conditions))
        chosen = unique if len(unique) == 1 else block("anyOf", unique)
        return ["beforeAgent true", "beforeOptions true", *chosen]

    def options(self, job: Job) -> list[str]:
        """A lost agent is replaced; locks are taken before the agent, so that waiting holds none."""
        lines = [f"retry(count: {job.retry + 2}, conditions: [agent(), nonresumable()])"]
        return lines + self.lock([*job.mutexes, *([deployment_lock(self.plan, job.deploys)] if job.deploys else [])])

    @staticmethod
    def lock(names: Sequence[str]) -> list[str]:
        """The `lock` option for these resources, all or none at once."""
        if not names:
            return []
        extra = ", ".join(f"[resource: {literal(name)}]" for name in names[1:])
        return [f"lock(resource: {literal(names[0])}{f', extra: [{extra}]' if extra else ''})"]

    def checkout(self, job: Job) -> list[str]:
        """The one explicit checkout, at the build's revision."""
        if self.multibranch:
            return ["checkout scm", f"sh {literal(self.clean)}"]
        if job.name == self.pin_job:
            return [*block("script", ["env.PIPEGEN_REVISION = checkout(scm).GIT_COMMIT"]), f"sh {literal(self.clean)}"]
        return ["checkout scm", f"sh {literal(PIN)}", f"sh {literal(self.clean)}"]

    @property
    def clean(self) -> str:
        """The line that empties the workspace; the cache lies beside the description."""
        return command_line([*CLEAN.split()[:-1], posixpath.normpath(posixpath.join(self.plan.folder, ".dvc/cache"))])

    def tool(self) -> list[str]:
        """Brings pipegen to the agent, into a virtual environment of the job."""
        if not self.plan.install:
            return []
        then = "\n" if "\n" in self.plan.install else " && "
        return [f"sh {literal(then.join([f'python3 -m venv {TOOL}', f'. {TOOL}/bin/activate', self.plan.install]))}"]

    @staticmethod
    def unstash(job: Job) -> list[str]:
        """Takes the small files of the jobs before."""
        return [f"unstash {literal(posixpath.basename(path))}" for path in job.reads]

    def steps(self, job: Job) -> list[StepView]:
        """The commands that run in order, each once the one before succeeded."""
        first, *others = [step for step in job.steps if not step.always]
        before = [*self.tool(), *self.unstash(job)]
        views = [StepView(first.name, [*self.checkout(job), *self.in_folder([*before, *self.command(job, first)])])]
        return views + [StepView(step.name, self.in_folder(self.command(job, step))) for step in others]

    def last_words(self, job: Job) -> list[str]:
        """The commands that run whatever became of the others."""
        return [line for step in job.steps if step.always for line in self.command(job, step)]

    def command(self, job: Job, step: Step) -> list[str]:
        """One command, with the credentials of its job around it and nowhere else."""
        lines = [f"sh {literal(command_line(step.command))}"]
        bindings = [self.binding(name) for name in job.secrets]
        if bindings:
            lines = block(f"withCredentials([{', '.join(bindings)}])", lines)
        lines = block(f"timeout(time: {minutes(job.timeout)}, unit: 'MINUTES')", lines)
        if job.deploys:
            lines = [f"milestone(ordinal: {1 + self._deployments.index(job.name)})", *lines]
        return lines

    @property
    def _deployments(self) -> list[str]:
        return [job.name for job in self.plan.jobs if job.deploys]

    def binding(self, name: str) -> str:
        """The binding of one secret. Raises PlanError if Jenkins isn't told where it is."""
        secret = self.words.secrets.get(name)
        if secret is None:
            problem = self.pipeline.source.problem(("secrets", name), f"the secret {name!r} has no `jenkins: {{id: …}}`", key=True)
            raise PlanError([problem])
        env = [literal(variable) for variable in self.pipeline.secrets[name].env]
        credentials = f"credentialsId: {literal(secret.id)}"
        match secret.type:
            case "username_password":
                return f"usernamePassword({credentials}, usernameVariable: {env[0]}, passwordVariable: {env[1]})"
            case "file":
                return f"file({credentials}, variable: {env[0]})"
            case "ssh_key":
                return f"sshUserPrivateKey({credentials}, keyFileVariable: {env[0]})"
        return f"string({credentials}, variable: {env[0]})"

    @staticmethod
    def publish(job: Job) -> list[str]:
        """What the job leaves: fragments for others, test results and files for people."""
        lines = [
            f"stash name: {literal(posixpath.basename(path))}, includes: {literal(path)}, allowEmpty: true" for path in job.writes
        ]
        if job.junit:
            lines.append(f"junit testResults: {literal(','.join(job.junit))}, allowEmptyResults: true")
        if job.artifacts:
            lines.append(f"archiveArtifacts artifacts: {literal(','.join(job.artifacts))}, allowEmptyArchive: true")
        return lines

    def approval(self, job: Job) -> list[str]:
        """The content of an `input` block."""
        if job.approval is None:
            return []
        people = self.words.people.get(job.approval.by)
        if not people:
            at = ("people", job.approval.by)
            raise PlanError([self.pipeline.source.problem(at, f"{job.approval.by!r} has no `jenkins: [users or groups]`", key=True)])
        return [
            f"message {literal(job.approval.message)}",
            "ok 'Approve'",
            f"submitter {literal(','.join(people))}",
            "submitterParameter 'APPROVER'",
        ]

    def approval_options(self, job: Job) -> list[str]:
        """The time-out of an approval includes the job behind it, since Jenkins counts the whole stage."""
        if job.approval is None or job.approval.timeout is None:
            return []
        return [f"timeout(time: {minutes(job.approval.timeout + job.timeout)}, unit: 'MINUTES')"]

    def in_folder(self, lines: list[str]) -> list[str]:
        """The lines within the description's folder."""
        if self.plan.folder == "." or not lines:
            return lines
        return block(f"dir({literal(self.plan.folder)})", lines)


def block(head: str, lines: list[str]) -> list[str]:
    """A block of Groovy, its content two blanks further in."""
    return [f"{head} {{", *(f"  {line}" for line in lines), "}"]


def minutes(seconds: int) -> int:
    """Whole minutes, rounded up."""
    return -(-seconds // 60)


def deployment_lock(plan: Plan, to: str) -> str:
    """The lockable resource of one deployment target."""
    return f"{plan.pipeline}-{to}"


def conditions_of(trigger: Trigger) -> list[str]:
    """The `when` conditions of one trigger; none for what runs whenever its job does."""
    if trigger.kind == "pull_request":
        return ["changeRequest()"]
    return [f"branch {literal(branch)}" for branch in trigger.branches] if trigger.kind == "push" else []


def branch_regex(branch: str) -> str:
    """A branch pattern as a regular expression, by the rules of Ant globs, which `when { branch }` follows."""
    parts = re.split(r"(\*\*|\*)", branch)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
