"""Where each job of a plan stands on the server: its pipeline, stage and job names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipegen.plan.model import Job, Plan
from pipegen.plan.names import to_name

BEGIN = "begin"
"""The stage in front of an approval that would come first: who starts a pipeline starts its first stage unasked."""


@dataclass(frozen=True)
class Place:
    """The three names of a job."""

    pipeline: str
    stage: str
    job: str


@dataclass(frozen=True)
class Box:
    """A GoCD stage: jobs that run at the same time."""

    name: str
    jobs: tuple[Job, ...]


def job_name(job: Job) -> str:
    """The name that GoCD shows; for a chain the names of its ends."""
    if len(job.stages) > 1:
        first, last = job.stages[0], job.stages[-1]
        if job.name.startswith(f"{first}-to-{last}"):
            return f"{to_name(first)}-to-{to_name(last)}" + job.name[len(f"{first}-to-{last}") :]
    return to_name(job.name)


def boxes(levels: Iterable[Iterable[Job]]) -> list[Box]:
    """Levels as GoCD stages. An approval belongs to a whole stage, so a job that needs one stands alone."""
    groups: list[tuple[Job, ...]] = []
    for level in levels:
        free = tuple(job for job in level if not job.approval)
        groups += [free] if free else []
        groups += [(job,) for job in level if job.approval]
    taken = {job_name(group[0]).lower() for group in groups if len(group) == 1}
    found = [
        Box(job_name(group[0]) if len(group) == 1 else unused(f"level-{number}", taken), group)
        for number, group in enumerate(groups, 1)
    ]
    if found and found[0].jobs[0].approval:
        found.insert(0, Box(unused(BEGIN, taken), ()))
    return found


def unused(name: str, taken: set[str]) -> str:
    """`name`, made longer until it is not among `taken` (lower case)."""
    while name.lower() in taken:
        name += "-"
    return name


def places_of(pipeline: str, stages: Iterable[Box]) -> dict[str, Place]:
    """The place of each job, by the plan's name of it."""
    return {job.name: Place(pipeline, box.name, job_name(job)) for box in stages for job in box.jobs}


def way(plan: Plan, places: Mapping[str, Place], producer: Job, consumer: Job) -> str:
    """How `consumer` names the pipeline of `producer` in a fetch: nothing for its own, else a way down.

    It is the shortest. Each pipeline on it is a dependency of the next, and the last one of `consumer`'s.
    """
    if places[producer.name].pipeline == places[consumer.name].pipeline:
        return ""
    towards: dict[str, str] = {}
    queue = [consumer.name]
    for name in queue:  # grows while it is walked
        for need in plan.by_name[name].needs:
            if need not in towards:
                towards[need] = name
                queue.append(need)
    path = [producer.name]
    while towards[path[-1]] != consumer.name:
        path.append(towards[path[-1]])
    return "/".join(places[name].pipeline for name in path)
