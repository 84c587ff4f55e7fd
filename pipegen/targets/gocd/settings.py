"""What a workflow needs from the description in GoCD's words, and every reason why GoCD can't run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipegen.description.model import Pipeline, Workflow
from pipegen.description.text import Name
from pipegen.errors import Problem
from pipegen.plan.model import Plan, Trigger
from pipegen.targets.gocd.limits import UNSAFE_FOLDER
from pipegen.targets.gocd.quartz import to_quartz
from pipegen.targets.gocd.words import Agent, Options, People, Secret

T = TypeVar("T")
ELSEWHERE = "say `servers: [jenkins]` in this workflow"


@dataclass
class Settings:
    """One description's words for GoCD. Collects problems and warnings instead of stopping at the first."""

    pipeline: Pipeline
    options: Options
    read: Callable[[str, str, type[Any]], Any]
    """This target's part of an entry: section, name, class."""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def group(self) -> str:
        """The pipeline group."""
        return str(self.options.group or self.pipeline.name)

    def refuse(self, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        """Note what GoCD can't do."""
        self.problems.append(self.pipeline.source.problem(path, message, hint))

    def warn(self, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        """Note what is lost."""
        problem = self.pipeline.source.problem(path, message, hint)
        if problem not in self.warnings:
            self.warnings.append(problem)

    # What a plan names

    def agents(self, plan: Plan) -> Mapping[str, dict[str, Any]]:
        """For each kind of machine of the plan what its jobs ask for."""
        found: dict[str, dict[str, Any]] = {}
        for name in dict.fromkeys(job.agent for job in plan.jobs if job.agent):
            agent = self._entry(
                "agents", name, Agent, "how GoCD names these machines: `gocd: {resources: [...]}`"
            )
            if agent and agent.elastic_profile:
                found[name] = {"elastic_profile_id": str(agent.elastic_profile)}
            elif agent:
                found[name] = {"resources": list(map(str, agent.resources))}
        self._refuse_mutexes_on_profiles(plan, found)
        return found

    def _refuse_mutexes_on_profiles(self, plan: Plan, agents: Mapping[str, Mapping[str, Any]]) -> None:
        for job in plan.jobs:
            if job.mutexes and job.agent and "elastic_profile_id" in agents.get(job.agent, {}):
                message = (
                    f"the job {job.name!r} has a mutex, which GoCD holds by a resource that one agent has; "
                    f"its machine {job.agent!r} has an elastic profile, and a job can't have both"
                )
                self.refuse(("agents", job.agent, "gocd"), message, "give the stage an agent with resources")

    def secrets(self, plan: Plan) -> Mapping[str, Mapping[str, str]]:
        """For each secret of the plan its variables, with what GoCD fills in."""
        found: dict[str, dict[str, str]] = {}
        for name in dict.fromkeys(name for job in plan.jobs for name in job.secrets):
            secret = self._entry(
                "secrets", name, Secret, "where GoCD keeps it: `gocd: {config: vault, keys: [...]}`"
            )
            if secret:
                env = self.pipeline.secrets[Name(name)].env
                found[name] = {
                    str(variable): f"{{{{SECRET:[{secret.config}][{key}]}}}}"
                    for variable, key in zip(env, secret.keys, strict=False)
                }
        self._refuse_clashes(plan, found)
        return {name: found.get(name, {}) for job in plan.jobs for name in job.secrets}

    def _refuse_clashes(self, plan: Plan, secrets: Mapping[str, Mapping[str, str]]) -> None:
        """GoCD takes each variable of a job once."""
        inputs = {i.name for i in plan.inputs}
        for job in plan.jobs:
            holders: dict[str, str] = {**dict.fromkeys(job.env, "env"), **dict.fromkeys(inputs, "inputs")}
            for name in inputs & job.env.keys():
                self.refuse(
                    ("workflows", plan.workflows[0], "inputs", name),
                    f"{name} is a variable of the job {job.name!r} too",
                    "rename one",
                )
            for secret in job.secrets:
                for variable in secrets.get(secret, {}):
                    other = holders.setdefault(variable, secret)
                    if other != secret:
                        message = f"{variable} comes from {other!r} too, in the job {job.name!r}"
                        self.refuse(("secrets", secret, "env"), message, "rename one of the two variables")

    def approvers(self, plan: Plan) -> Mapping[str, People]:
        """For each group of people who approve their roles and users."""
        found: dict[str, People] = {}
        for job in plan.jobs:
            if job.approval:
                people = self._entry(
                    "people", job.approval.by, People, "who they are on GoCD: `gocd: {roles: [...]}`"
                )
                found[job.approval.by] = people or People()
                if job.approval.timeout is not None:
                    path = ("workflows", plan.workflows[0], "approve", "timeout")
                    self.warn(path, "GoCD waits for an approval without a time-out", ELSEWHERE)
        return found

    def _entry(self, section: str, name: str, cls: type[T], hint: str) -> T | None:
        known = getattr(self.pipeline, section)
        found: T | None = self.read(section, name, cls)
        if found is None:
            path = (section, name) if name in known else (section,) if known else ()
            self.refuse(path, f"{name!r} in `{section}` has no part for GoCD", f"say {hint}")
        return found

    # What starts it

    def branch(self, workflow: str, trigger: Trigger) -> str:
        """The one branch that the workflow runs on."""
        at = ("workflows", workflow, "on")
        if trigger.kind == "pull_request":
            self.refuse(at, "GoCD has no pull requests without a further plugin", ELSEWHERE)
            return ""
        path = (*at, "push", "branches") if trigger.kind == "push" else ("workflows", workflow, "branch")
        for branch in trigger.branches:
            if "*" in branch:
                self.refuse(
                    path,
                    f"GoCD has no branch patterns such as {branch!r} without a further plugin",
                    ELSEWHERE,
                )
        if len(trigger.branches) != 1:
            message = f"a GoCD pipeline follows one branch, and here are {len(trigger.branches)}"
            self.refuse(path, message, "write one workflow for each branch, or " + ELSEWHERE)
        return trigger.branches[0] if trigger.branches else ""

    def timer(self, workflow: str, trigger: Trigger, pipeline: str) -> dict[str, Any] | None:
        """The timer, as the server takes it."""
        if trigger.schedule is None:
            return None
        at = ("workflows", workflow, "on")
        self._check_timezone((*at, "timezone"), trigger.timezone)
        try:
            return {"spec": to_quartz(trigger.schedule, pipeline), "only_on_changes": False}
        except ValueError as error:
            self.refuse((*at, "schedule"), str(error), "write two workflows, one for each")
            return None

    def _check_timezone(self, path: tuple[str, ...], wanted: str | None) -> None:
        server = self.options.timezone
        if wanted and server and wanted != server:
            message = f"GoCD's timers run in the server's zone, {server}; this schedule is in {wanted}"
            self.refuse(path, message, "write the schedule in the server's zone, or " + ELSEWHERE)
        elif wanted and not server:
            message = (
                f"GoCD's timers run in the server's own zone: {wanted} is right only if the server runs in it"
            )
            self.warn(path, message, "say the server's zone: `targets: {gocd: {timezone: " + wanted + "}}`")

    # The rest

    def check_workflow(self, name: str, workflow: Workflow, plan: Plan) -> None:
        """What GoCD lacks and a workflow asks for."""
        if not plan.jobs:
            self.refuse(
                ("workflows", name), "this workflow does nothing, and GoCD takes no pipeline without a job"
            )
        if workflow.timeout is not None:
            self.warn(
                ("workflows", name, "timeout"), "GoCD has no time-out for a whole run; each job keeps its own"
            )
        chosen = list(self.pipeline.gates) if workflow.gates == "all" else workflow.gates
        for gate in chosen:
            if gate in self.pipeline.gates and self.pipeline.gates[gate].warn:
                message = (
                    "GoCD has no state between passed and failed: this gate passes, and is red in the report"
                )
                self.warn(("gates", gate, "warn"), message)

    def check_deployments(self, plans: Mapping[str, Plan]) -> None:
        """GoCD's lock holds one pipeline, so two workflows that deploy to one place are not kept apart."""
        first: dict[str, str] = {}
        for workflow, plan in plans.items():
            for target in (job.deploys for job in plan.jobs if job.deploys):
                other = first.setdefault(target, workflow)
                if other != workflow:
                    message = f"{workflow!r} and {other!r} both promote to {target!r}; GoCD's lock holds one pipeline"
                    self.warn(("workflows", workflow, "promote"), message, "they may deploy at the same time")

    def check_place(self, folder: str) -> None:
        """What must be known of the repository."""
        if self.options.material == "git" and not self.pipeline.repository:
            message = "GoCD must know where to clone this from"
            self.refuse(
                ("name",),
                message,
                "say `repository: <git URL>`, or `targets: {gocd: {material: configrepo}}`",
            )
        if UNSAFE_FOLDER.search(folder):
            self.refuse(
                (), f"GoCD can't work in the folder {folder!r}", "a folder's name may not hold # * or ?"
            )
