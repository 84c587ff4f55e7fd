"""Several workflows in one file."""

from __future__ import annotations

from typing import Any

import pytest

from pipegen.errors import PlanError
from pipegen.plan.build import build
from pipegen.plan.merge import merge
from pipegen.plan.model import Plan
from tests.plan.making import PUSH, described

STAGES: dict[str, Any] = {"a": {"outs": ["a"]}, "b": {"deps": ["a"], "metrics": ["m.json"]}}
GATES: dict[str, Any] = {
    "good": {"metric": "m.json:r2", "min": 0.5},
    "fair": {"metric": "m.json:gap", "max": 0.1},
}


def merged(stages: dict[str, Any] = STAGES, **workflows: Any) -> Plan:
    """The workflows of one description in one plan, no stages sharing a job."""
    pipeline, resolved = described(stages, gates=GATES, workflows=workflows)
    return merge([build(pipeline, resolved, name, chains=False) for name in workflows])


def shape(plan: Plan) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(job.name, job.needs, job.workflows) for job in plan.jobs]


def test_one_plan_stays_itself() -> None:
    pipeline, resolved = described(STAGES)
    plan = build(pipeline, resolved, "push")
    assert merge([plan]) is plan


def test_equal_jobs_stand_once_for_both_workflows() -> None:
    plan = merged(push={**PUSH, "gates": ["good"]}, review={"on": "pull_request", "gates": ["good", "fair"]})
    assert shape(plan) == [
        ("a", (), ("push", "review")),
        ("b", ("a",), ("push", "review")),
        ("gates", ("b",), ("push",)),
        ("review-gates", ("b",), ("review",)),
    ]
    assert plan.workflows == ("push", "review")
    assert {name: trigger.kind for name, trigger in plan.triggers.items()} == {
        "push": "push",
        "review": "pull_request",
    }


def test_what_needs_a_renamed_job_follows_it() -> None:
    plan = merged(push=PUSH, review={"on": "pull_request", "env": {"N": "1"}})
    assert shape(plan) == [
        ("a", (), ("push",)),
        ("b", ("a",), ("push",)),
        ("review-a", (), ("review",)),
        ("review-b", ("review-a",), ("review",)),
    ]


def test_a_later_workflow_shares_with_the_first_of_equal_jobs() -> None:
    one, other = (
        {"on": "pull_request", "env": {"N": "1"}},
        {"on": {"push": {"branches": ["x"]}}, "env": {"N": "1"}},
    )
    plan = merged(push=PUSH, review=one, branch=other, again={"on": {"push": {"branches": ["y"]}}})
    assert [(job.name, job.workflows) for job in plan.jobs if job.stages == ("a",)] == [
        ("a", ("push", "again")),
        ("review-a", ("review",)),
        ("branch-a", ("branch",)),
    ]


def test_the_longest_time_out_holds() -> None:
    assert (
        merged(push={**PUSH, "timeout": "1h"}, review={"on": "pull_request", "timeout": "3h"}).timeout
        == 3 * 3600
    )


def test_no_job_is_lost_to_a_name_that_is_taken() -> None:
    stages = {**STAGES, "review-gates": {}}
    with pytest.raises(PlanError, match="two different jobs would be called 'review-gates'"):
        merged(stages, push={**PUSH, "gates": ["good"]}, review={"on": "pull_request", "gates": ["fair"]})
