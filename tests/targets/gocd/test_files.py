"""What becomes of a description on GoCD."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipegen.description.load import load, loads
from pipegen.description.stages import resolve
from pipegen.targets import Marker, Request, load_target
from pipegen.targets.gocd import GoCD
from tests.targets.gocd.making import (
    DIAMOND,
    PUSH,
    definitions,
    description,
    generate,
    pipelines,
    refusal,
    request,
    text,
    warnings,
)
from tests.targets.gocd.reader import read_file
from tests.targets.gocd.shapes import JSON

EXAMPLES = sorted(path.parent for path in Path(__file__).parents[3].glob("examples/*/pipegen.yaml"))
MANUAL: dict[str, Any] = {"on": "manual"}
PROMOTION: dict[str, Any] = {
    "models": {"m": {"path": "c.txt"}},
    "people": {"leads": {"gocd": {"roles": ["leads"], "users": ["ann"]}}},
}
RELEASE: dict[str, Any] = {
    "on": "manual",
    "promote": {"model": "m", "from": "staging", "to": "production"},
    "approve": {"by": "leads"},
}


def jobs_of(pipeline: JSON) -> dict[str, JSON]:
    return {job["name"]: job for stage in pipeline["stages"] for job in stage["jobs"]}


def stage_names(pipeline: JSON) -> list[str]:
    return [stage["name"] for stage in pipeline["stages"]]


def variables_of(holder: JSON) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in holder["environment_variables"]}


def commands_of(job: JSON) -> list[list[str]]:
    return [
        [t["attributes"]["command"], *t["attributes"]["arguments"]]
        for t in job["tasks"]
        if t["type"] == "exec"
    ]


def fetches_of(job: JSON) -> list[tuple[str, str, str, str]]:
    fetches = [t["attributes"] for t in job["tasks"] if t["type"] == "fetch"]
    return [(f["pipeline"], f["stage"], f["job"], f["source"]) for f in fetches]


def without_digests(text: str) -> str:
    """They change with any change of the plan, and are tested elsewhere."""
    return re.sub(r"(?<=digest: )\w+|(?<=PIPEGEN_PLAN: )\S+", "…", text)


def test_is_found_as_a_target() -> None:
    assert isinstance(load_target("gocd"), GoCD)


def test_the_whole_file() -> None:
    """The one file that is compared as it stands, to see that it reads well."""
    data = description(
        install="pip install pipegen-ci",
        agents={"linux": {"gocd": {"resources": ["linux"]}}},
        workflows={"push": PUSH, "nightly": {"on": {"schedule": "0 6 * * 1-5"}}},
    )
    expected = (Path(__file__).parent / "toy.gocd.yaml").read_text("utf-8")
    assert without_digests(text(data)) == without_digests(expected)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("layout", ["levels", "pipelines"])
@pytest.mark.parametrize("folder", [".", "examples/one"])
def test_examples_are_read_strictly_and_agree_with_the_api(example: Path, layout: str, folder: str) -> None:
    pipeline = load(example / "pipegen.yaml")
    options = {**pipeline.targets.get("gocd", {}), "layout": layout}
    asked = Request(pipeline.replace(targets={"gocd": options}), resolve(pipeline, example), folder)
    (file,) = GoCD().files(asked).files
    assert file.path == f"{pipeline.name}.gocd.yaml"
    assert Marker(file.text).intact
    assert read_file(file.text) == definitions(asked)


def test_the_example_of_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gocd.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    pipeline = loads(block)
    asked = Request(pipeline, resolve(pipeline, Path()), ".")
    (file,) = GoCD().files(asked).files
    assert read_file(file.text) == definitions(asked)


def test_nothing_is_written_without_a_workflow() -> None:
    assert not generate(description(workflows={})).files
    assert not generate(description(workflows={"push": {**PUSH, "servers": ["jenkins"]}})).files


def test_levels_are_stages_and_fragments_travel() -> None:
    (pipeline,) = pipelines(description()).values()
    assert pipeline["name"] == "toy-push"
    assert stage_names(pipeline) == ["a", "level-2", "c"]
    jobs = jobs_of(pipeline)
    assert list(jobs) == ["a", "b.one", "b.two", "c"]
    assert commands_of(jobs["b.one"]) == [["pipegen", "exec", "b@one"]]
    assert fetches_of(jobs["b.one"]) == [("", "a", "a", "fragments/a.lock.json")]
    assert fetches_of(jobs["c"]) == [
        ("", "level-2", f"b.{x}", f"fragments/b.{x}.lock.json") for x in ("one", "two")
    ]
    assert all(stage["clean_working_directory"] for stage in pipeline["stages"])
    assert variables_of(pipeline)["PIPEGEN_WORKFLOWS"] == "push"
    assert len(variables_of(pipeline)["PIPEGEN_PLAN"]) == 16


def test_a_stage_called_like_a_level_keeps_its_name() -> None:
    stages = {"Level-2": DIAMOND["a"], "b": DIAMOND["b"]}
    (pipeline,) = pipelines(description(stages=stages)).values()
    assert stage_names(pipeline) == ["Level-2", "level-2-", "lock"]


def test_a_chain_is_one_job_named_by_its_ends() -> None:
    data = description(
        stages={"x": {"foreach": ["i"], "do": {"cmd": "x", "outs": ["x"]}}, "y": {"cmd": "y", "deps": ["x"]}}
    )
    (pipeline,) = pipelines(data).values()
    (job,) = jobs_of(pipeline).values()
    assert job["name"] == "x.i-to-y"
    assert [command[2] for command in commands_of(job)] == ["x@i", "y"]


def test_every_kept_pattern_also_matches_a_fragment() -> None:
    """GoCD fails a job whose artifact pattern matches nothing, and only fragments are sure to exist."""
    for job in jobs_of(pipelines(description())["toy-push"]).values():
        fragments = [a["source"] for a in job["artifacts"] if a["destination"] == "fragments"]
        kept = [a["source"] for a in job["artifacts"] if a["destination"] == "pipegen"]
        assert kept == [
            f"*/{path.split('/')[-1].removesuffix('.lock.json')}.*".join([".pipegen/", ""])
            for path in fragments
        ]


def test_tests_and_report() -> None:
    stages = {"a": {**DIAMOND["a"], "ci": {"tests": ["pytest"]}}}
    gates = {"good": {"metric": "m.json:x", "min": 1}}
    data = description(stages=stages, gates=gates, workflows={"push": {**PUSH, "gates": "all", "report": {}}})
    jobs = jobs_of(pipelines(data)["toy-push"])
    assert {"type": "test", "source": ".pipegen/junit", "destination": "testoutput"} in jobs["a"]["artifacts"]
    assert [task["attributes"]["run_if"] for task in jobs["gates"]["tasks"] if task["type"] == "exec"] == [
        [],
        ["any"],
        ["any"],
    ]
    assert jobs["gates"]["tabs"] == [
        {"name": "report", "path": "report/index.html"},
        {"name": "pipegen", "path": "pipegen/view/index.html"},
    ]
    page = {"type": "build", "source": ".pipegen/view/index.html", "destination": "pipegen/view"}
    assert page in jobs["gates"]["artifacts"]
    assert {"type": "build", "source": ".pipegen/report/*", "destination": "report"} in jobs["gates"][
        "artifacts"
    ]


def test_timeout_lies_above_that_of_exec() -> None:
    data = description(stages={"a": {"cmd": "a", "ci": {"timeout": "90s", "retry": 1}}})
    asked = request(data)
    (job,) = jobs_of(pipelines(data)["toy-push"]).values()
    assert job["timeout"] * 60 > asked.plan("push").jobs[0].timeout > 2 * 90


def test_install_is_one_script_before_the_first_command() -> None:
    data = description(install="pip install x\npip install y", stages={"a": DIAMOND["a"]})
    (job,) = jobs_of(pipelines(data)["toy-push"]).values()
    script = (
        "set -e\npython3 -m venv .pipegen/tool\n. .pipegen/tool/bin/activate\npip install x\npip install y\n"
    )
    assert commands_of(job) == [["sh", "-c", script], [".pipegen/tool/bin/pipegen", "exec", "a", "--lock"]]


def test_a_subfolder_is_the_working_directory_and_the_filter() -> None:
    stages = {
        "a": {"cmd": "a", "deps": ["../lib/x.py"], "outs": ["a"]},
        "b": {"foreach": ["i", "j"], "do": {"cmd": "b", "deps": ["a"]}},
    }
    (pipeline,) = pipelines(description(stages=stages), "models/toy").values()
    (material,) = pipeline["materials"]
    assert material["attributes"]["invert_filter"]
    assert material["attributes"]["filter"] == {
        "ignore": ["models/toy/**/*", "models/lib/x.py", "models/lib/x.py/**/*"]
    }
    for job in jobs_of(pipeline).values():
        for task in job["tasks"]:
            if task["type"] == "exec":
                assert task["attributes"]["working_directory"] == "models/toy"
            else:
                own = "" if task["attributes"]["source"] == "fragments" else "/fragments"
                assert task["attributes"]["destination"] == f"models/toy/.pipegen{own}"
        assert all(artifact["source"].startswith("models/toy/.pipegen/") for artifact in job["artifacts"])


def test_a_dependency_on_the_whole_repository_leaves_no_filter() -> None:
    (pipeline,) = pipelines(description(stages={"a": {"cmd": "a", "deps": ["../.."]}}), "models/toy").values()
    assert pipeline["materials"][0]["attributes"]["filter"] is None


def test_agents_are_resources_or_profiles() -> None:
    agents = {
        "linux": {"gocd": {"resources": ["linux", "big"]}},
        "gpu": {"gocd": {"elastic_profile": "gpu"}},
        "any": {"gocd": {}},
    }
    stages = {kind: {"cmd": "x", "ci": {"agent": kind}} for kind in agents}
    jobs = jobs_of(pipelines(description(agents=agents, stages=stages))["toy-push"])
    assert jobs["linux"]["resources"] == ["linux", "big"]
    assert (jobs["gpu"]["elastic_profile_id"], jobs["gpu"]["resources"]) == ("gpu", [])
    assert jobs["any"]["resources"] == []


def test_a_mutex_is_a_resource_of_one_agent() -> None:
    agents = {"linux": {"gocd": {"resources": ["linux"]}}, "gpu": {"gocd": {"elastic_profile": "gpu"}}}
    stage = {"cmd": "x", "ci": {"mutex": ["license"]}}
    jobs = jobs_of(pipelines(description(agents=agents, stages={"a": stage}))["toy-push"])
    assert jobs["a"]["resources"] == ["linux", "mutex-license"]
    stage["ci"] = {"mutex": ["license"], "agent": "gpu"}
    assert "elastic profile" in refusal(description(agents=agents, stages={"a": stage}))


def test_secrets_reach_only_who_asks() -> None:
    secrets = {"s3": {"env": ["ID", "KEY"], "gocd": {"config": "vault", "keys": ["i", "k"]}}}
    stages = {"a": {"cmd": "a", "ci": {"secrets": ["s3"], "env": {"A": 1}}}, "b": {"cmd": "b"}}
    jobs = jobs_of(pipelines(description(secrets=secrets, stages=stages, env={"E": "x"}))["toy-push"])
    assert variables_of(jobs["a"]) == {
        "A": "1",
        "ID": "{{SECRET:[vault][i]}}",
        "KEY": "{{SECRET:[vault][k]}}",
    }
    assert variables_of(jobs["b"]) == {}


def test_what_all_jobs_have_stands_once() -> None:
    stages = {"a": {"cmd": "a", "ci": {"env": {"E": "own"}}}, "b": {"cmd": "b"}}
    pipeline = pipelines(description(stages=stages, env={"E": "x", "F": "y"}))["toy-push"]
    assert variables_of(pipeline).keys() == {"F", "PIPEGEN_WORKFLOWS", "PIPEGEN_PLAN"}
    assert {name: variables_of(job) for name, job in jobs_of(pipeline).items()} == {
        "a": {"E": "own"},
        "b": {"E": "x"},
        "lock": {"E": "x"},
    }


def test_a_schedule_is_a_timer_on_a_manual_stage() -> None:
    nightly = {"on": {"schedule": "0 6 * * 1-5"}, "branch": "stable"}
    pipeline = pipelines(description(workflows={"nightly": nightly}))["toy-nightly"]
    assert pipeline["timer"] == {"spec": "0 0 6 ? * MON-FRI", "only_on_changes": False}
    assert [stage["approval"]["type"] for stage in pipeline["stages"]] == ["manual", "success", "success"]
    assert pipeline["materials"][0]["attributes"]["branch"] == "stable"


def test_inputs_are_variables_with_defaults() -> None:
    workflow = {**MANUAL, "inputs": {"alpha": {"sets": "train.alpha", "default": 0.5}}}
    stages = {"a": {**DIAMOND["a"], "params": ["train.alpha"]}}
    for layout in ("levels", "pipelines"):
        found = pipelines(
            description(targets={"gocd": {"layout": layout}}, workflows={"try": workflow}, stages=stages)
        )
        holders = [name for name, pipeline in found.items() if variables_of(pipeline).get("alpha") == "0.5"]
        assert holders == ["toy-try" if layout == "levels" else "toy-try-start"]


def test_a_promotion_waits_for_people_and_holds_a_lock() -> None:
    pipeline = pipelines(description(**PROMOTION, workflows={"release": RELEASE}))["toy-release"]
    assert pipeline["lock_behavior"] == "unlockWhenFinished"
    begin, promote = pipeline["stages"]
    assert (begin["name"], begin["approval"]["type"]) == ("begin", "manual")
    assert commands_of(begin["jobs"][0]) == [["git", "rev-parse", "HEAD"]]
    assert promote["approval"] == {
        "type": "manual",
        "allow_only_on_success": True,
        "authorization": {"roles": ["leads"], "users": ["ann"]},
    }


def test_a_timer_never_approves() -> None:
    release = {**RELEASE, "on": {"schedule": "0 6 * * *"}}
    pipeline = pipelines(description(**PROMOTION, workflows={"release": release}))["toy-release"]
    assert pipeline["timer"]
    assert not pipeline["stages"][0]["approval"]["authorization"]["roles"]
    assert pipeline["stages"][1]["approval"]["authorization"]["roles"] == ["leads"]


def test_one_pipeline_each_joined_by_materials() -> None:
    found = pipelines(description(targets={"gocd": {"layout": "pipelines"}}), "models/toy")
    first, *rest = found
    assert first == "toy-push-affected"
    assert rest == ["toy-push-a", "toy-push-b.one", "toy-push-b.two", "toy-push-c"]
    upstreams = {
        name: [m["attributes"]["pipeline"] for m in pipeline["materials"] if m["type"] == "dependency"]
        for name, pipeline in found.items()
    }
    assert upstreams["toy-push-a"] == ["toy-push-affected"]
    assert upstreams["toy-push-c"] == ["toy-push-b.one", "toy-push-b.two"]
    assert fetches_of(jobs_of(found["toy-push-b.one"])["b.one"]) == [
        ("toy-push-affected/toy-push-a", "affected", "affected", "fragments"),
        ("toy-push-a", "a", "a", "fragments/a.lock.json"),
    ]
    assert {pipeline["materials"][0]["attributes"]["filter"] for pipeline in found.values()} == {None}


def test_a_pipeline_further_up_is_named_by_the_way_to_it() -> None:
    """The run's values are read by all jobs, and come from the first."""
    stages = {"a": DIAMOND["a"], "b": {**DIAMOND["b"], "foreach": ["one"]}}
    stages["b"]["do"] = {**DIAMOND["b"]["do"], "ci": {"group": "own"}}
    workflow = {**MANUAL, "inputs": {"alpha": {"sets": "x", "default": 1}}}
    found = pipelines(
        description(targets={"gocd": {"layout": "pipelines"}}, stages=stages, workflows={"try": workflow})
    )
    assert fetches_of(jobs_of(found["toy-try-own"])["own"])[0] == (
        "toy-try-start/toy-try-a", "start", "start", "fragments/values.json",
    )  # fmt: skip


def test_a_fan_in_without_commits_is_one_pipeline() -> None:
    data = description(targets={"gocd": {"layout": "pipelines"}}, workflows={"try": MANUAL})
    assert list(pipelines(data)) == ["toy-try"]
    assert "'c' needs several jobs" in warnings(data)
    two = description(
        targets={"gocd": {"layout": "pipelines"}},
        workflows={"try": MANUAL},
        stages={"a": {"cmd": "a"}, "b": {"cmd": "b"}},
    )
    assert list(pipelines(two)) == ["toy-try"]
    assert "'lock' needs several jobs" in warnings(two)


def test_an_approved_pipeline_waits_behind_a_first_stage() -> None:
    workflow = {**PUSH, "promote": {"model": "m", "to": "production"}, "approve": {"by": "leads"}}
    found = pipelines(
        description(**PROMOTION, targets={"gocd": {"layout": "pipelines"}}, workflows={"push": workflow})
    )
    last = found["toy-push-promote-to-production"]
    assert stage_names(last) == ["begin", "promote-to-production"]
    assert [stage["approval"]["type"] for stage in last["stages"]] == ["success", "manual"]
    locks = {name: pipeline["lock_behavior"] for name, pipeline in found.items()}
    assert [name for name, lock in locks.items() if lock != "none"] == ["toy-push-promote-to-production"]


def test_options() -> None:
    options = {"group": "pricing", "environment": "lab", "material": "configrepo"}
    data = description(targets={"gocd": options})
    written = text(data)
    (entry,) = read_file(written)
    assert entry["group"] == "pricing"
    assert "environments:\n  lab:\n    pipelines:\n      - toy-push\n" in written
    assert "type: configrepo" in written
    assert "git.example.com" not in written
    (sent,) = definitions(request(data))
    assert sent["pipeline"]["materials"][0]["attributes"]["url"] == "https://git.example.com/toy.git"


def test_is_deterministic() -> None:
    assert text(description()) == text(description())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"repository": None}, "say `repository: <git URL>`"),
        ({"workflows": {"r": {"on": "pull_request"}}}, "servers: [jenkins]"),
        ({"workflows": {"p": {"on": {"push": {"branches": ["feature/*"]}}}}}, "servers: [jenkins]"),
        ({"workflows": {"p": {"on": {"push": {"branches": ["a", "b"]}}}}}, "servers: [jenkins]"),
        ({"workflows": {"p": {**MANUAL, "branch": "f/*"}}}, "servers: [jenkins]"),
        ({"workflows": {"p": {"on": {"schedule": "0 6 1 * 1"}}}}, "only one of them"),
        (
            {
                "targets": {"gocd": {"timezone": "UTC"}},
                "workflows": {"p": {"on": {"schedule": "0 6 * * *", "timezone": "Europe/Paris"}}},
            },
            "UTC",
        ),
        ({"agents": {"gpu": {"jenkins": {"label": "gpu"}}}}, "'gpu' in `agents` has no part for GoCD"),
        (
            {"secrets": {"s": {"env": ["S"]}}, "data": {"remote": {"name": "r", "secrets": ["s"]}}},
            "'s' in `secrets` has no part for GoCD",
        ),
        (
            {**PROMOTION, "people": {"leads": {"jenkins": ["x"]}}, "workflows": {"r": RELEASE}},
            "'leads' in `people` has no part for GoCD",
        ),
        ({"stages": {"x-runInstance-1": {"cmd": "x"}}}, "no job called 'x-runInstance-1'"),
        (
            {
                "targets": {"gocd": {"layout": "pipelines"}},
                "name": "n" * 100,
                "stages": {"s" * 180: {"cmd": "x"}},
            },
            "GoCD takes 255",
        ),
        ({"workflows": {"Push": PUSH, "push": PUSH}}, "ignores case"),
        ({"workflows": {"push": {**PUSH, "stages": []}}}, "does nothing"),
    ],
)
def test_is_refused(changes: dict[str, Any], says: str) -> None:
    assert says in refusal({key: value for key, value in description(**changes).items() if value is not None})


@pytest.mark.parametrize("folder", ["a#b", "a*b", "..", ".ci/toy", "../x"])
def test_folders_that_gocd_cannot_work_in(folder: str) -> None:
    assert "GoCD" in refusal(description(), folder)


def test_all_problems_at_once() -> None:
    workflows = {"r": {"on": "pull_request"}, "p": {"on": {"push": {"branches": ["*"]}}}}
    data = description(workflows=workflows)
    del data["repository"]
    assert refusal(data).count("GoCD") >= 3


def test_equal_variables_are_refused() -> None:
    secrets = {"s": {"env": ["A"], "gocd": {"config": "c", "keys": ["k"]}}}
    stages = {"a": {"cmd": "a", "ci": {"secrets": ["s"], "env": {"A": 1}}}}
    assert "A comes from 'env' too" in refusal(description(secrets=secrets, stages=stages))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"workflows": {"p": {"on": {"schedule": "0 6 * * *", "timezone": "Europe/Paris"}}}},
            "the server's own zone",
        ),
        ({"workflows": {"p": {**PUSH, "timeout": "2h"}}}, "no time-out for a whole run"),
        (
            {**PROMOTION, "workflows": {"r": {**RELEASE, "approve": {"by": "leads", "timeout": "1d"}}}},
            "without a time-out",
        ),
        (
            {
                "gates": {"g": {"metric": "m.json:x", "min": 1, "warn": True}},
                "workflows": {"p": {**PUSH, "gates": "all"}},
            },
            "is red in the report",
        ),
        ({**PROMOTION, "workflows": {"r": RELEASE, "q": RELEASE}}, "GoCD's lock holds one pipeline"),
    ],
)
def test_what_is_lost_is_said(changes: dict[str, Any], says: str) -> None:
    data = description(**changes)
    assert says in warnings(data)
    read_file(text(data))


def test_nothing_is_said_where_nothing_is_lost() -> None:
    workflow = {"on": {"schedule": "0 6 * * *", "timezone": "Europe/Paris"}}
    assert not warnings(
        description(targets={"gocd": {"timezone": "Europe/Paris"}}, workflows={"push": PUSH, "p": workflow})
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"targets": {"gocd": {"layuot": "levels"}}}, "layout"),
        ({"targets": {"gocd": {"layout": "graph"}}}, "'graph' is not known here"),
        ({"targets": {"gocd": {"timezone": "Paris"}}}, "time zone"),
        ({"agents": {"x": {"gocd": {"resources": ["a"], "elastic_profile": "b"}}}}, "not both"),
        ({"agents": {"x": {"gocd": {"resources": ["a!"]}}}}, "resource"),
        (
            {"secrets": {"x": {"env": ["A", "B"], "gocd": {"config": "c", "keys": ["k"]}}}},
            "1 keys stand here for 2 variables: A, B",
        ),
        ({"secrets": {"x": {"env": ["A"], "gocd": {"config": "c]", "keys": ["k"]}}}}, "name of a secret"),
        ({"people": {"x": {"gocd": {}}}}, "nobody is named"),
        ({"people": {"x": {"gocd": ["leads"]}}}, "mapping is expected"),
    ],
)
def test_wrong_words(changes: dict[str, Any], says: str) -> None:
    problems = GoCD().check(request(description(**changes)).pipeline)
    assert says in "\n".join(map(str, problems))
