"""Several workflows in one file: what they have in common stands once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipegen.errors import PlanError
from pipegen.plan.model import Job, Plan


def merge(plans: Sequence[Plan]) -> Plan:
    """One plan of several.

    Equal jobs become one that belongs to all their workflows; others of one name get their workflow's name in front.

    Raises:
        PlanError: even so two different jobs would have one name.
    """
    if len(plans) == 1:
        return plans[0]
    merged: dict[str, Job] = {}
    for plan in plans:
        renamed: dict[str, str] = {}
        for job in plan.jobs:
            _merge_job(job, plan.workflows[0], merged, renamed)
    first = plans[0]
    return replace(
        first,
        workflows=tuple(name for plan in plans for name in plan.workflows),
        triggers={name: trigger for plan in plans for name, trigger in plan.triggers.items()},
        timeout=max(plan.timeout for plan in plans),
        inputs=(),
        jobs=tuple(merged.values()),
    )


def _merge_job(job: Job, workflow: str, merged: dict[str, Job], renamed: dict[str, str]) -> None:
    moved = replace(job, needs=tuple(renamed.get(need, need) for need in job.needs))
    for name in (job.name, f"{workflow}-{job.name}"):
        known = merged.get(name)
        moved = replace(moved, name=name)
        same = known is not None and replace(known, workflows=moved.workflows) == moved
        if known is None or same:
            before = known.workflows if known else ()
            merged[name] = replace(moved, workflows=(*before, *moved.workflows))
            renamed[job.name] = name
            return
    message = f"two different jobs would be called {moved.name!r}"
    raise PlanError(f"{message}; rename the stage, group or workflow of that name")
