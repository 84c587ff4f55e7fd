"""The first job that looks at the change, and what becomes of the lock file."""

from __future__ import annotations

from typing import Any

import pytest

from pipegen.plan.build import build
from pipegen.plan.model import Plan
from tests.plan.making import described

JOINED: dict[str, Any] = {
    "a": {"outs": ["a"]},
    "b": {"deps": ["a"], "outs": ["b"], "ci": {"group": "left"}},
    "c": {"deps": ["a"], "outs": ["c"], "ci": {"group": "right"}},
    "d": {"deps": ["b", "c"], "outs": ["m.json"]},
}
FORKED = {name: JOINED[name] for name in "abc"}
PUSH: dict[str, Any] = {"on": {"push": {"branches": ["main"]}}}
NIGHTLY: dict[str, Any] = {"on": {"schedule": "0 6 * * *"}, "branch": "stable"}
ANSWER = ".pipegen/fragments/affected.json"
COMMIT: dict[str, Any] = {"data": {"lock": "commit"}}


def plan_of(stages: dict[str, Any], workflow: dict[str, Any], folder: str = ".", **more: Any) -> Plan:
    gates = {"good": {"metric": "m.json:x", "min": 0}}
    pipeline, resolved = described(stages, workflows={"it": workflow}, gates=gates, **more)
    return build(pipeline, resolved, "it", folder=folder)


def names(plan: Plan) -> list[str]:
    return [job.name for job in plan.jobs]


@pytest.mark.parametrize(
    ("workflow", "folder", "more", "looks"),
    [
        (PUSH, ".", {}, False),
        (PUSH, "sub", {}, True),
        (PUSH, ".", COMMIT, True),
        ({**PUSH, "affected": True}, ".", {}, True),
        ({**PUSH, "affected": False}, "sub", COMMIT, False),
        ({"on": "pull_request"}, "sub", {}, True),
        (NIGHTLY, "sub", COMMIT, False),
        ({"on": "manual"}, "sub", COMMIT, False),
    ],
)
def test_who_looks_first(workflow: dict[str, Any], folder: str, more: dict[str, Any], looks: bool) -> None:
    plan = plan_of(JOINED, {**workflow, "gates": "all"}, folder, **more)
    first, *rest = plan.jobs
    assert (first.name == "affected") == looks
    assert {ANSWER in job.reads for job in rest} == {looks}
    if looks:
        assert [step.command for step in first.steps] == [("pipegen", "affected", "--build")]
        assert (first.writes, first.needs) == ((ANSWER,), ())
        assert plan.by_name["a"].needs == ("affected",)


def test_the_one_last_stage_publishes_the_lock_file() -> None:
    plan = plan_of(JOINED, {**PUSH, "gates": "all"})
    assert names(plan) == ["a", "left", "right", "d", "gates"]
    assert plan.by_name["d"].steps[0].command == ("pipegen", "exec", "d", "--lock")
    assert [job.name for job in plan.jobs if ".pipegen/lock/**" in job.artifacts] == ["d"]
    assert plan.locks == ()


def test_where_several_end_the_graph_a_job_brings_it_together() -> None:
    plan = plan_of(FORKED, {**PUSH, "gates": "all"})
    assert names(plan) == ["a", "left", "right", "lock", "gates"]
    lock, gates = plan.by_name["lock"], plan.by_name["gates"]
    assert lock.steps[0].command == ("pipegen", "lock")
    assert lock.needs == gates.needs == ("left", "right")
    assert lock.reads == gates.reads
    assert all("--lock" not in step.command for job in plan.jobs for step in job.steps)


@pytest.mark.parametrize("stages", [JOINED, FORKED])
def test_it_is_committed_once_the_gates_passed(stages: dict[str, Any]) -> None:
    promote = {"promote": {"model": "m", "to": "staging"}, "models": {"m": {"path": "a"}}}
    workflow = {**PUSH, "gates": "all", "promote": promote["promote"]}
    plan = plan_of(stages, workflow, "deep/er", models=promote["models"], **COMMIT)
    assert names(plan)[-4:] == ["gates", "lock", "register", "promote-to-staging"]
    assert plan.by_name["lock"].steps[0].command == ("pipegen", "lock", "--commit")
    assert plan.by_name["lock"].needs == ("gates",)
    assert plan.locks == ("deep/er/dvc.lock",)


def test_a_run_that_no_commit_starts_is_told_its_branch() -> None:
    command = plan_of(JOINED, NIGHTLY, **COMMIT).by_name["lock"].steps[0].command
    assert command == ("pipegen", "lock", "--commit", "--branch", "stable")


def test_a_run_with_values_of_its_own_commits_nothing() -> None:
    plan = plan_of(JOINED, {**NIGHTLY, "set": {"x": 1}}, **COMMIT)
    assert plan.locks == ()
    assert "lock" not in names(plan)
    assert "--lock" in plan.by_name["d"].steps[0].command


def test_a_workflow_that_runs_no_stage_looks_at_nothing() -> None:
    moves = {**PUSH, "promote": {"model": "m", "from": "a", "to": "b"}}
    plan = plan_of(JOINED, moves, "sub", models={"m": {"path": "a"}}, **COMMIT)
    assert names(plan) == ["promote-to-b"]
