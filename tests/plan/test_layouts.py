"""Estimates against a simulation of each layout, second by second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.plan.layouts import UNKNOWN, Shape, Timing, critical_path, durations, estimate
from pipegen.plan.model import Plan
from tests.plan.making import needs, planned


def simulated(plan: Plan, shape: Shape, seconds: dict[str, float], overhead: float) -> float:
    """When the last job ends, each starting as soon as its layout lets it."""
    ends: dict[str, float] = {}
    level_of = {job.name: depth for depth, level in enumerate(plan.levels) for job in level}
    jobs = sorted(plan.jobs, key=lambda job: level_of[job.name]) if shape == "levels" else plan.jobs
    for job in jobs:
        if shape == "chain":
            waits_for = list(ends)
        elif shape == "levels":
            waits_for = [name for name in ends if level_of[name] < level_of[job.name]]
        else:
            waits_for = list(job.needs)
        start = max((ends[name] + overhead for name in waits_for), default=0.0)
        ends[job.name] = start + sum(seconds[address] for address in job.stages)
    return max(ends.values(), default=0.0)


@given(needs(7), st.data(), st.integers(0, 30))
@pytest.mark.parametrize("shape", ["levels", "chain", "needs"])
def test_estimate_is_what_a_simulation_gives(
    shape: Shape, edges: dict[str, list[str]], data: st.DataObject, overhead: int
) -> None:
    if not edges:
        return
    stages = {name: {"outs": [name], "deps": edges[name]} for name in edges}
    seconds = {name: float(data.draw(st.integers(0, 100))) for name in edges}
    plan = planned(stages, chains=shape != "chain")
    assert estimate(plan, Timing(shape, overhead), durations(plan, seconds)) == simulated(
        plan, shape, seconds, overhead
    )


def test_the_example_of_the_design() -> None:
    """A critical path of 8 s where levels need 13 s."""
    stages = {
        "a": {"outs": ["a"]},
        "slow": {"deps": ["a"], "outs": ["s"]},
        "quick": {"deps": ["a"], "outs": ["q"]},
        "long": {"deps": ["q"], "outs": ["l"], "ci": {"env": {"N": "1"}}},
        "end": {"deps": ["l", "s"]},
    }
    plan = planned(stages)
    taken = durations(plan, {"a": 1, "slow": 6, "quick": 1, "long": 5, "end": 1})
    assert estimate(plan, Timing("levels", 0), taken) == 13
    assert estimate(plan, Timing("needs", 0), taken) == 8
    assert set(critical_path(plan, taken)) in ({"a", "slow", "end"}, {"a", "quick", "long", "end"})


def test_what_was_never_timed_counts_as_the_median() -> None:
    plan = planned({"a": {}, "b": {}, "c": {}, "d": {}})
    taken = durations(plan, {"a": 1.0, "b": 5.0, "c": 30.0, "gone": 1000.0})
    assert (taken.seconds["d"], taken.recorded, taken.guess) == (5.0, 3, 5.0)


def test_without_any_recording_all_count_the_same() -> None:
    plan = planned({"a": {"outs": ["a"]}, "b": {"deps": ["a"]}})
    taken = durations(plan, {})
    assert taken.recorded == 0
    assert set(taken.seconds.values()) == {UNKNOWN}
    assert estimate(plan, Timing("needs", 19), taken) == 2 * UNKNOWN, "one job: nothing between its stages"


def test_jobs_that_are_no_stage_cost_their_start_only() -> None:
    gates = {"good": {"metric": "m.json:r2", "min": 0.5}}
    workflows = {"push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"}}
    plan = planned({"a": {"metrics": ["m.json"]}}, gates=gates, workflows=workflows)
    assert estimate(plan, Timing("levels", 13), durations(plan, {"a": 10})) == 10 + 13


def test_a_plan_without_stages() -> None:
    more = {
        "models": {"m": {"path": "m"}},
        "workflows": {
            "push": {"on": "manual", "promote": {"model": "m", "from": "staging", "to": "production"}}
        },
    }
    plan = planned({"a": {"outs": ["m"]}}, **more)
    assert estimate(plan, Timing("levels", 13), durations(plan, {})) == 0
    assert critical_path(plan, durations(plan, {})) == ()
