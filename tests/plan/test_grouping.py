"""Which stages share an agent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.errors import PlanError
from pipegen.plan.graph import Graph
from pipegen.plan.grouping import group_stages
from tests.plan.making import described, jobs, needs, planned

AGENTS: dict[str, Any] = {"agents": {"linux": {}, "gpu": {}}}
CHAIN: dict[str, Any] = {
    "a": {"outs": ["a"]},
    "b": {"deps": ["a"], "outs": ["b"]},
    "c": {"deps": ["b"], "outs": ["c"]},
}


def shared(stages: dict[str, Any], **more: Any) -> dict[str, tuple[str, ...]]:
    """The stages of each job."""
    return {job.name: job.stages for job in planned(stages, **more).jobs if job.stages}


def with_ci(**ci: Any) -> dict[str, Any]:
    """The chain with this `ci` on its middle stage."""
    return {**CHAIN, "b": {**CHAIN["b"], "ci": ci}}


def test_a_chain_shares_its_agent() -> None:
    assert shared(CHAIN) == {"a-to-c": ("a", "b", "c")}


def test_chains_can_be_parted() -> None:
    assert shared(CHAIN, chains=False) == {"a": ("a",), "b": ("b",), "c": ("c",)}


def test_a_need_that_another_implies_parts_no_chain() -> None:
    assert shared({**CHAIN, "c": {"deps": ["a", "b"], "outs": ["c"]}}) == {"a-to-c": ("a", "b", "c")}


def test_a_fork_ends_a_chain_and_a_join_begins_one() -> None:
    stages = {
        **CHAIN,
        "left": {"deps": ["c"], "outs": ["l"]},
        "right": {"deps": ["c"], "outs": ["r"]},
        "join": {"deps": ["l", "r"], "outs": ["j"]},
        "last": {"deps": ["j"]},
    }
    assert shared(stages) == {
        "a-to-c": ("a", "b", "c"),
        "left": ("left",),
        "right": ("right",),
        "join-to-last": ("join", "last"),
    }


@pytest.mark.parametrize(
    "ci",
    [{"agent": "gpu"}, {"secrets": ["token"]}, {"env": {"N": "1"}}, {"mutex": ["db"]}],
    ids=lambda ci: next(iter(ci)),
)
def test_what_a_stage_demands_for_itself_parts_a_chain(ci: dict[str, Any]) -> None:
    more = {**AGENTS, "secrets": {"token": {"env": ["TOKEN"]}}}
    assert shared(with_ci(**ci), **more) == {"a": ("a",), "b": ("b",), "c": ("c",)}


@pytest.mark.parametrize("defaults", [{}, {"agent": "linux"}])
def test_naming_the_agent_that_is_the_default_parts_none(defaults: dict[str, Any]) -> None:
    assert shared(with_ci(agent="linux"), **AGENTS, defaults=defaults) == {"a-to-c": ("a", "b", "c")}


def test_equal_demands_in_another_spelling_are_equal() -> None:
    stages = {
        "a": {"outs": ["a"], "ci": {"env": {"N": 1, "M": "x"}, "mutex": ["p", "q"]}},
        "b": {"deps": ["a"], "ci": {"env": {"M": "x", "N": "1"}, "mutex": ["q", "p"]}},
    }
    assert shared(stages) == {"a-to-b": ("a", "b")}


def test_a_secret_reaches_only_the_job_of_the_stage_that_asks() -> None:
    plan = jobs(planned(with_ci(secrets=["token"]), secrets={"token": {"env": ["TOKEN"]}}))
    assert {name: job.secrets for name, job in plan.items()} == {"a": (), "b": ("token",), "c": ()}


def test_a_group_shares_one_job_whatever_its_form() -> None:
    stages = {name: {**stage, "ci": {"group": "g"}} for name, stage in CHAIN.items()}
    apart = {**stages, "x": {"ci": {"group": "g"}}}
    assert shared(apart) == {"g": ("a", "b", "c", "x")}


def test_a_groups_job_has_what_its_stages_ask_for_together() -> None:
    stages = {
        "a": {
            "outs": ["a"],
            "ci": {"group": "g", "timeout": "10m", "retry": 2, "env": {"N": "1"}, "mutex": ["m"]},
        },
        "b": {
            "deps": ["a"],
            "ci": {"group": "g", "timeout": "20m", "secrets": ["token"], "mutex": ["m", "n"]},
        },
    }
    (job,) = planned(stages, secrets={"token": {"env": ["TOKEN"]}}).jobs
    assert (job.env, job.secrets, job.mutexes, job.retry) == ({"N": "1"}, ("token",), ("m", "n"), 2)
    assert job.timeout == (3 * 10 + 20 + 10) * 60, "three attempts, one attempt, and ten minutes around them"


def test_a_group_that_gives_way_to_the_stage_of_its_name() -> None:
    alone = {"a": {"ci": {"group": "b"}}, "b": {"outs": ["b"]}}
    assert shared(alone) == {"b-group": ("a",), "b": ("b",)}
    chained = {**CHAIN, "a-to-c": {}}
    assert shared(chained) == {"a-to-c-group": ("a", "b", "c"), "a-to-c": ("a-to-c",)}


def test_a_chain_between_long_names_is_named_shortly() -> None:
    first, last = "f" * 150, "l" * 150
    plan = planned({first: {"outs": ["x"]}, "mid": {"deps": ["x"], "outs": ["y"]}, last: {"deps": ["y"]}})
    assert [job.name for job in plan.jobs] == [f"{first}-and-2-more"]


def test_a_group_of_two_agents_is_refused() -> None:
    stages = {"a": {"ci": {"group": "g"}}, "b": {"ci": {"group": "g", "agent": "gpu"}}}
    with pytest.raises(
        PlanError, match=r"the group 'g' shares one agent, but 'a' wants 'linux' and 'b' 'gpu'"
    ):
        planned(stages, **AGENTS)


def test_a_group_of_two_values_is_refused_wherever_they_stand() -> None:
    stages = {
        "a": {"ci": {"group": "g"}},
        "b": {"ci": {"group": "g", "env": {"N": "1"}}},
        "c": {"ci": {"group": "g", "env": {"N": "2", "M": "x"}}},
    }
    with pytest.raises(PlanError, match=r"different values of N(\n|$)"):
        planned(stages)


def test_a_stage_between_the_stages_of_a_group_is_refused_with_the_circle() -> None:
    stages = {
        "a": {"outs": ["a"], "ci": {"group": "g"}},
        "x": {"deps": ["a"], "outs": ["x"], "ci": {"env": {"N": "1"}}},
        "y": {"deps": ["x"], "outs": ["y"], "ci": {"env": {"N": "1"}}},
        "b": {"deps": ["y"], "ci": {"group": "g"}},
    }
    with pytest.raises(PlanError, match=r"the group 'g' can't share one agent.*\n    ┌─► g\n    └── x-to-y"):
        planned(stages)


@given(needs(7), st.data())
def test_any_grouping_keeps_the_order(edges: dict[str, list[str]], data: st.DataObject) -> None:
    agents = {name: data.draw(st.sampled_from(["linux", "gpu"])) for name in edges}
    pipeline, stages = described(
        {n: {"outs": [n], "deps": edges[n], "ci": {"agent": agents[n]}} for n in edges} or {"none": {}},
        **AGENTS,
    )
    graph = Graph(edges or {"none": []})
    groups, contracted = group_stages(pipeline, stages, graph, chains=True)
    members = {group.name: group.stages for group in groups}
    ran: list[str] = []
    for name in contracted.order:
        for stage in members[name]:
            assert set(graph.needs(stage)) <= set(ran)
            ran.append(stage)
        assert len({agents.get(stage) for stage in members[name]}) == 1
    assert sorted(ran) == sorted(graph)


@given(needs(7))
def test_sharing_an_agent_delays_no_stage(edges: dict[str, list[str]]) -> None:
    if not edges:
        return
    pipeline, stages = described({n: {"outs": [n], "deps": edges[n]} for n in edges})
    graph = Graph(edges)
    groups, contracted = group_stages(pipeline, stages, graph, chains=True)
    weights = {group.name: float(len(group.stages)) for group in groups}
    assert sum(weights[name] for name in contracted.critical_path(weights)) == len(graph.levels)
