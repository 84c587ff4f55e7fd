"""What each kind of workflow becomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.errors import DescriptionError, PlanError
from pipegen.plan.context import OVERHEAD
from pipegen.plan.model import VIEW, Approval, Plan
from pipegen.plan.names import to_address, to_name
from tests.plan.making import PUSH, jobs, needs, planned

STAGES: dict[str, Any] = {
    "prep": {"outs": ["p"]},
    "left": {"deps": ["p"], "outs": ["l"]},
    "right": {"deps": ["p"], "outs": ["r"], "ci": {"tests": ["pytest"], "secrets": ["token"]}},
    "best": {"deps": ["l", "r"], "outs": ["model"], "metrics": ["m.json"]},
}
MORE: dict[str, Any] = {
    "secrets": {name: {"env": [name.upper()]} for name in ("token", "smtp", "forge", "s3", "prod")},
    "gates": {"good": {"metric": "m.json:r2", "min": 0.5}, "fair": {"metric": "m.json:gap", "max": 0.1}},
    "models": {"m": {"path": "model"}},
    "people": {"leads": {}},
    "agents": {"linux": {}, "edge": {}},
    "mail": {"server": "smtps://mail.example.com:465", "from": "ci@example.com", "secrets": ["smtp"]},
    "forge": {"type": "github", "url": "https://git.example.com", "secrets": ["forge"]},
    "environments": {
        "production": {
            "deploy": "./deploy", "agent": "edge", "timeout": "2h", "env": {"TIER": "1"}, "secrets": ["prod"],
        }
    },
}  # fmt: skip


def workflow(more: dict[str, Any] | None = None, **words: Any) -> Plan:
    """The plan of one workflow, on push if it says nothing else."""
    return planned(STAGES, "it", workflows={"it": {**PUSH, **words}}, **{**MORE, **(more or {})})


def commands(plan: Plan) -> list[str]:
    """All but the pages."""
    return [" ".join(step.command) for job in plan.jobs for step in job.steps if step.name != VIEW]


def test_push_runs_the_stages_and_then_the_gates() -> None:
    plan = workflow(gates=["good"])
    assert [(job.name, job.needs) for job in plan.jobs] == [
        ("prep", ()),
        ("left", ("prep",)),
        ("right", ("prep",)),
        ("best", ("left", "right")),
        ("gates", ("best",)),
    ]
    assert commands(plan)[-2:] == ["pipegen exec best --lock", "pipegen gate good --workflow it"]
    assert (plan.triggers["it"].kind, plan.triggers["it"].branches) == ("push", ("main",))


def test_each_job_reads_the_fragments_of_its_direct_needs_and_writes_its_own() -> None:
    plan = workflow(gates="all")
    best, gates = plan.by_name["best"], plan.by_name["gates"]
    assert best.reads == (".pipegen/fragments/left.lock.json", ".pipegen/fragments/right.lock.json")
    assert best.writes == gates.reads == (".pipegen/fragments/best.lock.json",)
    assert plan.producers[best.reads[1]].name == "right"


def test_a_chain_needs_the_fragment_of_its_last_stage_only() -> None:
    chain = {"a": {"outs": ["a"]}, "b": {"deps": ["a"], "metrics": ["m.json"]}}
    plan = planned(chain, workflows={"push": {**PUSH, "gates": "all"}}, **MORE)
    assert plan.by_name["a-to-b"].writes == (
        ".pipegen/fragments/a.lock.json",
        ".pipegen/fragments/b.lock.json",
    )
    assert plan.by_name["gates"].reads == (".pipegen/fragments/b.lock.json",)


def test_a_last_stage_counts_even_where_its_job_is_not_the_last() -> None:
    stages = {
        "a": {"outs": ["a"], "ci": {"group": "g"}},
        "end": {"metrics": ["m.json"], "ci": {"group": "g"}},
        "b": {"deps": ["a"], "ci": {"env": {"N": "1"}}},
    }
    gates = planned(stages, workflows={"push": {**PUSH, "gates": "all"}}, **MORE).by_name["gates"]
    assert gates.needs == ("b",)
    assert set(gates.reads) == {".pipegen/fragments/end.lock.json", ".pipegen/fragments/b.lock.json"}


def test_only_the_job_of_tests_has_a_junit_file() -> None:
    plan = workflow(gates="all")
    assert {job.name: job.junit for job in plan.jobs if job.junit} == {
        "right": (".pipegen/junit/right.xml",),
        "gates": (".pipegen/junit/gates-it.xml",),
    }


def test_review_comments_with_the_forges_secret() -> None:
    plan = workflow(on="pull_request", gates="all", comment="metrics")
    gates = plan.by_name["gates"]
    assert [step.name for step in gates.steps] == ["gates", "report", "view"]
    assert [step.always for step in gates.steps] == [False, True, True], (
        "the report is made whatever gates say"
    )
    assert gates.secrets == ("forge",)
    assert ".pipegen/report/**" in gates.artifacts
    assert plan.triggers["it"].kind == "pull_request"


def test_a_report_without_gates_is_the_job_report() -> None:
    plan = workflow(report={"mail": ["a@example.com"]})
    assert plan.jobs[-1].name == "report"
    assert [step.always for step in plan.jobs[-1].steps] == [False, True]
    assert plan.jobs[-1].secrets == ("smtp",)


def test_each_job_leaves_a_page_but_those_before_the_stages() -> None:
    plan = workflow(on="manual", gates="all", promote={"model": "m", "to": "staging"}, set={"month": "1"})
    assert {job.name: job.page for job in plan.jobs} == {
        "start": None,
        "prep": ".pipegen/view/prep.html",
        "left": ".pipegen/view/left.html",
        "right": ".pipegen/view/right.html",
        "best": ".pipegen/view/best.html",
        **dict.fromkeys(("gates", "register", "promote-to-staging"), ".pipegen/view/index.html"),
    }
    for job in plan.jobs[-3:]:
        assert job.steps[-1].command == ("pipegen", "view", "--html", ".pipegen/view/index.html")
        assert job.steps[-1].always


def test_nightly_fixes_its_values_first() -> None:
    plan = workflow(
        on={"schedule": "0 6 * * *", "timezone": "Europe/Paris"}, branch="prod", set={"month": "{date:%Y-%m}"}
    )
    start, prep, *others = plan.jobs
    assert (start.name, start.needs, start.writes) == ("start", (), (".pipegen/fragments/values.json",))
    assert " ".join(start.steps[0].command) == "pipegen values --workflow it"
    assert prep.needs == ("start",)
    assert all(".pipegen/fragments/values.json" in job.reads for job in (prep, *others))
    assert [job.needs for job in others] == [("prep",), ("prep",), ("left", "right")]
    trigger = plan.triggers["it"]
    assert (trigger.kind, trigger.schedule, trigger.timezone) == ("schedule", "0 6 * * *", "Europe/Paris")
    assert trigger.branches == ("prod",)


def test_inputs_are_asked_and_fixed() -> None:
    asked = {
        "alpha": {"sets": "alpha", "default": 0.1, "choices": [0.1, 0.5]},
        "on_all": {"sets": "all", "default": True},
    }
    plan = workflow(on="manual", inputs=asked)
    assert [(i.name, i.default, i.choices, i.description) for i in plan.inputs] == [
        ("alpha", "0.1", ("0.1", "0.5"), "sets alpha"),
        ("on_all", "True", (), "sets all"),
    ]
    assert plan.jobs[0].name == "start"
    assert plan.triggers["it"].branches == ("main",)


def test_promotion_registers_then_promotes_what_this_run_made() -> None:
    plan = workflow(on="manual", gates="all", promote={"model": "m", "to": "staging"})
    assert [(job.name, job.needs) for job in plan.jobs[-3:]] == [
        ("gates", ("best",)),
        ("register", ("gates",)),
        ("promote-to-staging", ("register",)),
    ]
    assert commands(plan)[-2:] == [
        "pipegen register m --workflow it",
        "pipegen promote m --to staging --workflow it",
    ]
    assert (plan.jobs[-1].deploys, plan.jobs[-1].approval, plan.jobs[-1].agent) == ("staging", None, "linux")


def test_a_release_runs_no_stage() -> None:
    promote = {"model": "m", "from": "staging", "to": "production"}
    plan = workflow(on="manual", promote=promote, approve={"by": "leads", "timeout": "1d"}, env={"WHY": "it"})
    (job,) = plan.jobs
    assert " ".join(job.steps[0].command) == "pipegen promote m --from staging --to production --workflow it"
    assert (job.needs, job.reads, job.stages) == ((), (), ())
    assert job.approval == Approval(by="leads", message="Promote m to production?", timeout=86400)
    assert (job.agent, job.secrets, job.timeout) == ("edge", ("prod",), 7200 + OVERHEAD)
    assert job.env == {"WHY": "it", "TIER": "1"}


def test_an_approval_may_wait_for_ever() -> None:
    plan = workflow(on="manual", promote={"model": "m", "to": "staging"}, approve={"by": "leads"})
    assert plan.jobs[-1].approval == Approval(by="leads", message="Promote m to staging?", timeout=None)


def test_a_workflow_of_some_stages_runs_what_they_need() -> None:
    plan = workflow(stages=["left"])
    assert [job.stages for job in plan.jobs] == [("prep", "left")]


def test_the_data_remotes_secret_reaches_every_job_and_others_only_who_asks() -> None:
    plan = workflow({"data": {"remote": {"name": "store", "secrets": ["s3"]}}}, gates="all")
    assert {job.name: job.secrets for job in plan.jobs} == {
        "prep": ("s3",),
        "left": ("s3",),
        "right": ("s3", "token"),
        "best": ("s3",),
        "gates": ("s3",),
    }


def test_variables_of_stage_workflow_and_pipeline_in_that_order() -> None:
    stages = {"a": {"ci": {"env": {"A": "stage"}}}}
    plan = planned(
        stages, env={"A": 1, "B": 1, "C": 1}, workflows={"push": {**PUSH, "env": {"A": 2, "B": 2}}}
    )
    assert plan.jobs[0].env == {"A": "stage", "B": "2", "C": "1"}


def test_install_gives_commands_a_tool_of_their_own() -> None:
    assert (
        commands(planned({"a": {}}, install="pip install x"))[0] == ".pipegen/tool/bin/pipegen exec a --lock"
    )


def test_paths_outside_the_folder_are_known() -> None:
    from pipegen.plan.build import build
    from tests.plan.making import described

    pipeline, stages = described({"a": {"deps": ["../lib/x.py", "../../../beyond", "in.py"]}})
    assert build(pipeline, stages, "push", folder="ml/houses").outside == ("ml/lib/x.py",)


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ({"gates": {"metrics": ["m.json"]}}, "two jobs would be called 'gates'"),
        (
            {"Gates": {"metrics": ["m.json"]}},
            "two jobs would be called 'gates', or 'Gates' to a server that minds case",
        ),
        (
            {"a": {"ci": {"group": "gates"}}, "b": {"ci": {"group": "gates"}}},
            "two jobs would be called 'gates'",
        ),
        ({"t": {}, "T": {}}, "have one name on a server that ignores case"),
    ],
)
def test_equal_names_are_refused(stages: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        planned(stages, workflows={"push": {**PUSH, "gates": "all"}}, **MORE)


def test_an_unknown_workflow_says_the_nearest() -> None:
    with pytest.raises(PlanError, match=r"there is no workflow 'pusch'; did you mean 'push'\?"):
        planned({"a": {}}, "pusch")


def test_a_circle_is_no_plan() -> None:
    with pytest.raises(DescriptionError, match="in a circle"):
        planned({"a": {"deps": ["b"], "outs": ["a"]}, "b": {"deps": ["a"], "outs": ["b"]}})


def test_digest_is_the_same_each_time_and_another_for_every_change() -> None:
    plan = workflow(gates="all")
    assert workflow(gates="all").digest == plan.digest
    job = plan.jobs[0]
    changed = [
        replace(plan, folder="sub"),
        replace(plan, install="pip install x"),
        replace(plan, timeout=1),
        replace(plan, jobs=plan.jobs[1:]),
        replace(plan, jobs=(plan.jobs[1], job, *plan.jobs[2:])),
        replace(plan, jobs=(replace(job, timeout=1), *plan.jobs[1:])),
        replace(plan, jobs=(replace(job, env={"N": "1"}), *plan.jobs[1:])),
        replace(plan, jobs=(replace(job, secrets=("token",)), *plan.jobs[1:])),
    ]
    digests = {other.digest for other in changed} | {plan.digest}
    assert len(digests) == len(changed) + 1


HOSTILE = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(st.lists(HOSTILE, min_size=1, max_size=4, unique_by=lambda item: to_name(f"t@{item}").lower()))
def test_any_items_name_survives(items: list[str]) -> None:
    """DVC takes nearly any text as an item; each stays one job that runs exactly its stage, with files of its own."""
    stage = {"foreach": {item: {"n": i} for i, item in enumerate(items)}, "do": {"cmd": "true ${item.n}"}}
    try:
        plan = planned({"t": stage}, chains=False)
    except DescriptionError:
        return  # what DVC itself refuses, such as `${`
    running = [job for job in plan.jobs if job.name != "lock"]
    assert [job.stages for job in running] == [(f"t@{item}",) for item in items]
    for job in running:
        (step,) = job.steps
        assert step.command[:3] == ("pipegen", "exec", job.stages[0])
        (fragment,) = job.writes
        assert (
            to_address(fragment.removeprefix(".pipegen/fragments/").removesuffix(".lock.json"))
            == job.stages[0]
        )
    assert len(plan.producers) == len(items)


@given(needs(7))
def test_every_fragment_that_is_read_comes_from_a_job_before(edges: dict[str, list[str]]) -> None:
    if not edges:
        return
    stages = {name: {"outs": [name], "deps": edges[name]} for name in edges}
    plan = planned(stages)
    graph, seen = plan.graph, set()
    for job in plan.jobs:
        assert set(job.needs) <= seen
        assert {plan.producers[path].name for path in job.reads} <= graph.ancestors(job.name)
        seen.add(job.name)
    assert sorted(a for level in plan.levels for job in level for a in job.stages) == sorted(edges)
    assert set(jobs(plan)) == seen
