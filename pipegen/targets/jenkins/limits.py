"""Jenkins' size limits, as measured on a real controller, with a margin.

Its linter accepts every one of these; the build fails. What counts is bytecode: a declarative file ran with 50 stages that
each have an agent, environment, when and post, and failed with 60; with 94 plain ones, and failed with 101.
"""

from __future__ import annotations

from pipegen.errors import PlanError, Problem
from pipegen.plan.model import Job, Plan

RICH_STAGES = 50
PLAIN_STAGES = 90
MARGIN = 0.8
"""The share of a limit that we use."""
LIST_ELEMENTS = 250
MAP_ENTRIES = 125


def fitting_layout(plan: Plan, wanted: str, file: str) -> tuple[str, list[Problem]]:
    """The layout wanted, or `graph`, which has no such limit, with a warning."""
    used = sum(map(_weight, plan.jobs))
    if wanted == "graph" or used <= MARGIN:
        return wanted, []
    message = (
        f"{file} would fill {used:.0%} of what Jenkins compiles in layout {wanted!r} ({len(plan.jobs)} jobs); "
        "it is written in layout 'graph'"
    )
    hint = "say `layout: graph` to choose it, or group stages (`ci: {group: …}`) to have fewer jobs"
    return "graph", [Problem(message, hint=hint, code="jenkins-size")]


def _weight(job: Job) -> float:
    nested = len(job.steps) if len(job.steps) > 1 else 0
    return 1 / RICH_STAGES + nested / PLAIN_STAGES


def refuse_too_large(plan: Plan, text: str) -> None:
    """Raise PlanError for what no layout can hold."""
    if len(plan.inputs) > MARGIN * LIST_ELEMENTS:
        raise PlanError(f"a Jenkins job holds {int(MARGIN * LIST_ELEMENTS)} inputs at most, the workflow has {len(plan.inputs)}")
    most = max((len(job.env) for job in plan.jobs), default=0)
    if most > MARGIN * MAP_ENTRIES:
        raise PlanError(f"a Jenkins job holds {int(MARGIN * MAP_ENTRIES)} environment variables at most, one would have {most}")
