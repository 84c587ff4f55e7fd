"""The page of mapping: a plan's jobs as the lines that a Jenkinsfile's templates print."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipegen.description.model import Pipeline
from pipegen.description.text import Name
from pipegen.errors import PlanError
from pipegen.plan import files
from pipegen.plan.model import TOOL, Job, Plan, Step, Trigger
from pipegen.targets.jenkins.groovy import command_line, literal
from pipegen.targets.jenkins.words import Words


@dataclass(frozen=True)
class View:
    """One job as its Jenkins stage: ready lines of Groovy, in the order in which the template prints them."""

    name: str
    agent: list[str]
    when: list[str]
    """On which branches or pull requests it runs."""
    wanted: list[str]
    """Whether the first job wants it."""
    options: list[str]
    environment: list[str]
    steps: list[StepView]
    """The commands in order; the first one with the job's beginning before it."""
    always: list[str]
    """After the commands, whatever became of them."""
    cleanup: list[str]
    """After those, whatever became of them."""
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
        self.deployments = [job.name for job in plan.jobs if job.deploys]

    def shared(self) -> dict[str, Any]:
        """What all jobs of the file have in common, for the template of their functions."""
        secrets = dict.fromkeys(name for job in self.plan.jobs for name in job.secrets)
        return {
            "multibranch": self.multibranch,
            "folder": self.plan.folder,
            "clean": self.clean,
            "tool": self.tool,
            "reads": any(job.reads for job in self.plan.jobs),
            "secrets": [(name, self.binding(name)) for name in secrets],
            "affected": self.affected,
        }

    @property
    def affected(self) -> dict[str, str] | None:
        """Where the first job says what is left out, and its stash; None where nothing ever is."""
        if not any(self.can_be_left_out(job) for job in self.plan.jobs):
            return None
        return {"file": files.LEFT_OUT, "stash": posixpath.basename(files.AFFECTED)}

    @staticmethod
    def can_be_left_out(job: Job) -> bool:
        """Whether the first job decides if it runs."""
        return files.AFFECTED in job.reads

    def job(self, job: Job) -> View:
        """One job, with all that Jenkins must be told about it."""
        finish = [f"finish({names(job.writes)})"]
        return View(
            name=job.name,
            agent=self.agent(job.agent),
            when=self.when(job),
            wanted=self.wanted(job),
            options=self.options(job),
            environment=[f"{name} = {literal(value)}" for name, value in job.env.items()],
            steps=self.steps(job),
            always=self.last_commands(job) or finish,
            cleanup=finish if self.last_commands(job) else [],
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
        """Only for its workflows' branches or pull requests."""
        if not self.multibranch:
            return []
        conditions = [c for name in job.workflows for c in conditions_of(self.plan.triggers[name])]
        unique = list(dict.fromkeys(conditions))
        return unique if len(unique) == 1 else block("anyOf", unique)

    def wanted(self, job: Job) -> list[str]:
        """Only if the first job did not leave it out."""
        return [f"expression {{ wanted({literal(job.name)}) }}"] if self.can_be_left_out(job) else []

    def options(self, job: Job) -> list[str]:
        """A lost agent is replaced; locks are taken before the agent, so that waiting holds none."""
        locks = self.locks(job)
        lines = [f"retry(count: {job.retry + 2}, conditions: [agent(), nonresumable()])"]
        if locks:
            extra = ", ".join(f"[resource: {literal(name)}]" for name in locks[1:])
            lines.append(f"lock(resource: {literal(locks[0])}{f', extra: [{extra}]' if extra else ''})")
        return lines

    def locks(self, job: Job) -> list[str]:
        """The lockable resources that a job holds: its mutexes, and its deployment target."""
        return [*job.mutexes, *([f"{self.plan.pipeline}-{job.deploys}"] if job.deploys else [])]

    @property
    def clean(self) -> str:
        """Empties the workspace of an earlier build's files but DVC's cache, which holds only what its hash says."""
        cache = posixpath.normpath(posixpath.join(self.plan.folder, ".dvc/cache"))
        return command_line(["git", "clean", "-ffdxq", "-e", cache])

    @property
    def tool(self) -> str | None:
        """Brings pipegen into a virtual environment of the job. The command itself is the user's shell text."""
        install = self.plan.install
        if not install:
            return None
        then = "\n" if "\n" in install else " && "
        return then.join([f"python3 -m venv {TOOL}", f". {TOOL}/bin/activate", install])

    def steps(self, job: Job) -> list[StepView]:
        """The commands that run in order, each once the one before succeeded."""
        first, *others = [step for step in job.steps if not step.always]
        begin = [f"begin({names(job.reads)})", *self.milestone(job)]
        views = [StepView(first.name, [*begin, self.command(job, first)])]
        return views + [StepView(step.name, [self.command(job, step)]) for step in others]

    def milestone(self, job: Job) -> list[str]:
        """Of two builds that deploy, the older one never overtakes the newer."""
        return [f"milestone(ordinal: {self.milestone_of(job)})"] if job.deploys else []

    def milestone_of(self, job: Job) -> int:
        """The ordinal of a job's milestone, from 1; 0 where it has none."""
        return 1 + self.deployments.index(job.name) if job.deploys else 0

    def last_commands(self, job: Job) -> list[str]:
        """The commands that run whatever became of the others."""
        return [self.command(job, step) for step in job.steps if step.always]

    @staticmethod
    def command(job: Job, step: Step) -> str:
        """One command: its line, its time-out in minutes, and the secrets that it gets."""
        return f"command({literal(command_line(step.command))}, {minutes(job.timeout)}, {items(job.secrets)})"

    def binding(self, name: str) -> str:
        """The binding of one secret. Raises PlanError if Jenkins isn't told where it is."""
        secret = self.words.secrets.get(name)
        if secret is None:
            problem = self.pipeline.source.problem(
                ("secrets", name), f"the secret {name!r} has no `jenkins: {{id: …}}`", key=True
            )
            raise PlanError([problem])
        env = [literal(variable) for variable in self.pipeline.secrets[Name(name)].env]
        credentials = f"credentialsId: {literal(secret.id)}"
        match secret.type:
            case "username_password":
                return (
                    f"usernamePassword({credentials}, usernameVariable: {env[0]}, passwordVariable: {env[1]})"
                )
            case "file":
                return f"file({credentials}, variable: {env[0]})"
            case "ssh_key":
                return f"sshUserPrivateKey({credentials}, keyFileVariable: {env[0]})"
        return f"string({credentials}, variable: {env[0]})"

    def approval(self, job: Job) -> list[str]:
        """The content of an `input` block."""
        if job.approval is None:
            return []
        people = self.words.people.get(job.approval.by)
        if not people:
            at = ("people", job.approval.by)
            raise PlanError(
                [
                    self.pipeline.source.problem(
                        at, f"{job.approval.by!r} has no `jenkins: [users or groups]`", key=True
                    )
                ]
            )
        return [
            f"message {literal(job.approval.message)}",
            "ok 'Approve'",
            f"submitter {literal(','.join(people))}",
            "submitterParameter 'APPROVER'",
        ]

    @staticmethod
    def approval_options(job: Job) -> list[str]:
        """The time-out of an approval includes the job behind it, since Jenkins counts the whole stage."""
        if job.approval is None or job.approval.timeout is None:
            return []
        return [f"timeout(time: {minutes(job.approval.timeout + job.timeout)}, unit: 'MINUTES')"]


def block(head: str, lines: list[str]) -> list[str]:
    """A block of Groovy, its content two blanks further in."""
    return [f"{head} {{", *(f"  {line}" for line in lines), "}"]


def items(values: Iterable[str]) -> str:
    """A Groovy list of texts."""
    return f"[{', '.join(map(literal, values))}]"


def names(paths: Iterable[str]) -> str:
    """A Groovy list of the stashes that carry these files; each is called as its file."""
    return items(posixpath.basename(path) for path in paths)


def minutes(seconds: int) -> int:
    """Whole minutes, rounded up."""
    return -(-seconds // 60)


def conditions_of(trigger: Trigger) -> list[str]:
    """The `when` conditions of one trigger; none for what runs whenever its job does."""
    if trigger.kind == "pull_request":
        return ["changeRequest()"]
    return [f"branch {literal(branch)}" for branch in trigger.branches] if trigger.kind == "push" else []


def branch_regex(branch: str) -> str:
    """A branch pattern as a regular expression, by the rules of Ant globs, which `when { branch }` follows."""
    parts = re.split(r"(\*\*|\*)", branch)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
