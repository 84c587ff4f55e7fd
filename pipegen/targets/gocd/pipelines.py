"""A workflow's plan as pipelines in the form of GoCD's pipeline API, version 11; the YAML is written from the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipegen.description.text import Name
from pipegen.plan.model import Job, Plan, Trigger
from pipegen.targets.gocd import jobs
from pipegen.targets.gocd.jobs import JSON, Surroundings, literal, variables
from pipegen.targets.gocd.places import Box, Place, boxes, job_name, places_of
from pipegen.targets.gocd.settings import Settings
from pipegen.targets.gocd.words import People

CODE = "code"
"""The git material."""


@dataclass(frozen=True)
class Drawn:
    """One pipeline, a line that says to people what starts it, and what it is made of."""

    pipeline: JSON
    starts: str
    workflow: str
    parts: Mapping[str, tuple[str, ...]]
    """For each `stage/job` the steps that it does, by their names; those that always run are not told."""


def pipelines(settings: Settings, workflow: str, plan: Plan) -> list[Drawn]:
    """The pipelines of one workflow in the layout that the options name; problems are noted in `settings`."""
    return _Workflow(settings, workflow, plan).pipelines()


class _Workflow:
    def __init__(self, settings: Settings, workflow: str, plan: Plan) -> None:
        self.settings, self.plan = settings, plan
        self.name = f"{settings.pipeline.name}-{workflow}"
        self.trigger: Trigger = plan.triggers[workflow]
        settings.check_workflow(workflow, settings.pipeline.workflows[Name(workflow)], plan)
        self.branch = settings.branch(workflow, self.trigger)
        self.timer = settings.timer(workflow, self.trigger, self.name)
        self.agents, self.secrets = settings.agents(plan), settings.secrets(plan)
        self.people: Mapping[str, People] = settings.approvers(plan)
        self.workflow = workflow

    def pipelines(self) -> list[Drawn]:
        if not self.plan.jobs:
            return []
        if self.settings.options.layout == "pipelines" and self._one_each_is_safe():
            return self._one_each()
        return [self._levels()]

    def _one_each_is_safe(self) -> bool:
        """Whether a fan-in starts once.

        After a commit it does, since all its pipelines wait for the same revision. A timer or a person starts a run on
        a commit that was there before: nothing then holds a pipeline back until all that it needs have run again.
        """
        joined = [job.name for job in self.plan.jobs if len(job.needs) > 1]
        roots = [job.name for job in self.plan.jobs if not job.needs]
        if self.trigger.kind == "push" or not (joined or len(roots) > 1):
            return True
        why = f"{joined[0]!r} needs several jobs" if joined else f"{len(roots)} jobs need none"
        message = f"this workflow is one pipeline (layout `levels`): it starts without a commit, and {why}"
        self.settings.warn(("workflows", self.workflow), message)
        return False

    def _levels(self) -> Drawn:
        stages = boxes(self.plan.levels)
        return self._pipeline(
            self.name,
            stages,
            places_of(self.name, stages),
            self._git(self._filter(), [literal(path) for path in self.plan.locks]),
            first=True,
            jobs=self.plan.jobs,
        )

    def _one_each(self) -> list[Drawn]:
        stages = {job.name: boxes([[job]]) for job in self.plan.jobs}
        places = {
            job.name: place for job in self.plan.jobs for place in self._place(job, stages[job.name]).values()
        }
        return [
            self._pipeline(
                places[job.name].pipeline,
                stages[job.name],
                places,
                [*self._git(None), *(_upstream(places[need]) for need in job.needs)],
                first=not job.needs,
                jobs=[job],
            )
            for job in self.plan.jobs
        ]

    def _place(self, job: Job, stages: Iterable[Box]) -> dict[str, Place]:
        return places_of(f"{self.name}-{job_name(job)}", stages)

    def _pipeline(
        self,
        name: str,
        stages: Sequence[Box],
        places: Mapping[str, Place],
        materials: list[JSON],
        *,
        first: bool,
        jobs: Sequence[Job],
    ) -> Drawn:
        shared = _in_all(job.env for job in jobs)
        inputs = {i.name: i.default for i in self.plan.inputs} if first else {}
        ours = {"PIPEGEN_WORKFLOWS": ",".join(self.plan.workflows), "PIPEGEN_PLAN": self.plan.digest}
        around = Surroundings(
            plan=self.plan, places=places, agents=self.agents, secrets=self.secrets, shared=shared
        )
        by_hand = first and self.trigger.kind != "push"
        pipeline = {
            "name": name,
            "label_template": "${COUNT}",
            "lock_behavior": "unlockWhenFinished" if any(job.deploys for job in jobs) else "none",
            "parameters": [],
            "environment_variables": variables({**shared, **inputs, **ours}),
            "materials": materials,
            "stages": [self._stage(box, around, by_hand=by_hand and box is stages[0]) for box in stages],
            "tracking_tool": None,
            "timer": self.timer if first else None,
        }
        parts = {
            f"{box.name}/{places[job.name].job}": tuple(step.name for step in job.steps if not step.always)
            for box in stages
            for job in box.jobs
        }
        return Drawn(pipeline, self._starts(jobs if not first else ()), self.workflow, parts)

    def _stage(self, box: Box, around: Surroundings, *, by_hand: bool) -> JSON:
        return {
            "name": box.name,
            "fetch_materials": True,
            "clean_working_directory": True,
            "never_cleanup_artifacts": False,
            "approval": self._approval(box, by_hand=by_hand),
            "environment_variables": [],
            "jobs": [jobs.job(job, around) for job in box.jobs] or [jobs.begin(box.name)],
        }

    def _approval(self, box: Box, *, by_hand: bool) -> JSON:
        """Who may start a stage. Where no commit starts the workflow, its first stage is manual."""
        asked = next((job.approval for job in box.jobs if job.approval), None)
        people = self.people[asked.by] if asked else People()
        return {
            "type": "manual" if asked or by_hand else "success",
            "allow_only_on_success": asked is not None,
            "authorization": {"roles": list(people.roles), "users": list(people.users)},
        }

    def _git(self, only: list[str] | None, but: list[str] | None = None) -> list[JSON]:
        """The repository, and which of its changes start a run: those of some paths only, or all but those."""
        attributes = {
            "url": literal(self.settings.pipeline.repository or ""),
            "branch": literal(self.branch),
            "destination": None,
            "filter": {"ignore": only or but} if only or but else None,
            "invert_filter": bool(only),
            "name": CODE,
            "auto_update": True,
            "submodule_folder": None,
            "shallow_clone": False,
        }
        return [{"type": "git", "attributes": attributes}]

    def _filter(self) -> list[str] | None:
        """Only what the pipeline can see starts it; GoCD's patterns end in the form that was seen to work."""
        if "." in (self.plan.folder, *self.plan.outside):
            return None
        return [
            f"{self.plan.folder}/**/*",
            *(pattern for path in self.plan.outside for pattern in (path, f"{path}/**/*")),
        ]

    def _starts(self, needing: Sequence[Job]) -> str:
        if needing:
            return "after " + ", ".join(need for job in needing for need in job.needs)
        if self.trigger.kind == "push":
            return f"on each commit to {self.branch}"
        if self.trigger.schedule is not None:
            zone = f" {self.trigger.timezone}" if self.trigger.timezone else ""
            return f"at {self.trigger.schedule}{zone}, on {self.branch}"
        return f"by hand, on {self.branch}"


def _upstream(place: Place) -> JSON:
    attributes = {
        "pipeline": place.pipeline,
        "stage": place.stage,
        "name": place.pipeline,
        "auto_update": True,
        "ignore_for_scheduling": False,
    }
    return {"type": "dependency", "attributes": attributes}


def _in_all(envs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The variables that all have, with one value."""
    first, *others = envs
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
