"""Several workflows in one file: what they have in common stands once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipegen.plan.model import Job, Plan


def merge(plans: Sequence[Plan]) -> Plan:
    """One plan of several. Equal jobs become one that belongs to all their workflows; others of one name get their workflow's name in front."""
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
        if known is None:
            merged[name] = moved
            break
        if replace(known, workflows=moved.workflows) == moved:
            merged[name] = replace(known, workflows=(*known.workflows, *moved.workflows))
            break
    renamed[job.name] = moved.name
