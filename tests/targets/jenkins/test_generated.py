"""Generated Jenkinsfiles read by real Groovy: accepted, compiled by Jenkins' CPS compiler, and meaning their plan."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pipegen.errors import PlanError
from pipegen.plan.model import Job, Plan
from pipegen.targets import GeneratedFile, Marker, Request
from pipegen.targets.jenkins import Jenkins
from pipegen.targets.jenkins.limits import MOST_WORDS, words_of
from pipegen.targets.jenkins.units import units
from tests.support.descriptions import diamond, hostile, request
from tests.targets.jenkins.harness import GroovyServer, Recorded

pytestmark = pytest.mark.java

LAYOUTS = ("levels", "chain", "graph")
SCHEMA = Path(__file__).parents[4] / "shared/contracts/jenkins/ast-schema.json"
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*/pipegen.yaml"))


def made(
    data: dict[str, Any], layout: str, folder: str = "."
) -> tuple[Request, list[tuple[GeneratedFile, Plan]]]:
    """The request, and each generated file with the plan it was made from."""
    asked = request({**data, "targets": {"jenkins": {"layout": layout}}}, folder)
    return asked, list(_with_plans(asked))


def _with_plans(asked: Request) -> Iterator[tuple[GeneratedFile, Plan]]:
    target = Jenkins()
    plans = [unit.plan for unit in units(asked, target.read_words(asked.pipeline).options)]
    yield from zip(target.files(asked).files, plans, strict=True)


def accepted(groovy: GroovyServer, text: str, layout: str) -> None:
    """The validator and the CPS compiler take it; the validator knows no scripted file."""
    if layout != "graph":
        linted = groovy.lint(text)
        assert linted.errors == []
        if SCHEMA.exists():
            import jsonschema

            jsonschema.validate(linted.model, json.loads(SCHEMA.read_text()))
    assert groovy.compile_cps(text) == []


def means(recorded: Recorded, plan: Plan, target: Request) -> None:
    """Every job's stages, commands, files, variables and credentials are those of the plan, and no others."""
    assert recorded.error is None
    ours = [step for step in recorded.named("sh") if step.arguments["script"].startswith("exec ")]
    wanted = [(step.name, "exec " + shlex.join(step.command), job) for job in plan.jobs for step in job.steps]
    assert sorted(step.arguments["script"] for step in ours) == sorted(line for _, line, _ in wanted)
    for step in ours:
        line = step.arguments["script"]
        jobs = [job for _, wanted_line, job in wanted if wanted_line == line and job.name in step.path]
        assert len(jobs) == 1, (line, step.path)
        job = jobs[0]
        assert set(step.credential_ids) == {
            target.pipeline.secrets[s].servers["jenkins"]["id"] for s in job.secrets
        }
        assert {key: step.env[key] for key in job.env} == dict(job.env)
        assert step.node == label_of(target, job)
    assert sorted(name for _, name in recorded.stashed) == sorted(
        posixpath.basename(p) for j in plan.jobs for p in j.writes
    )
    assert sorted(name for _, name in recorded.unstashed) == sorted(
        posixpath.basename(p) for j in plan.jobs for p in j.reads
    )


def label_of(target: Request, job: Job) -> str:
    """The label on which a job must run, as the recorder says it."""
    agent = target.pipeline.agents.get(job.agent) if job.agent else None
    return agent.servers["jenkins"]["label"] if agent else "any"


def runs_in_order(recorded: Recorded, plan: Plan) -> None:
    """Nothing starts before what it needs has ended."""
    started = {
        path[-1]: i
        for i, event in enumerate(recorded.events)
        if event["type"] == "stage"
        for path in [event["path"]]
    }
    ended = {
        path[-1]: i
        for i, event in enumerate(recorded.events)
        if event["type"] == "stage-end"
        for path in [event["path"]]
    }
    for job in plan.jobs:
        for need in job.needs:
            assert ended[need] < started[job.name]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("folder", [".", "deep/er"])
def test_a_pipeline_is_accepted_and_means_its_plan(groovy: GroovyServer, layout: str, folder: str) -> None:
    data = diamond(
        agents={"linux": {"jenkins": {"label": "linux && !old"}}},
        install="pip install ./dist/pipegen_ci-0.1.0-py3-none-any.whl",
        secrets={
            "s3": {"env": ["ID", "KEY"], "jenkins": {"id": "aws", "type": "username_password"}},
            "cert": {"env": ["CERT"], "jenkins": {"id": "cert", "type": "file"}},
        },
        data={"remote": {"name": "store", "secrets": ["s3"]}},
    )
    data["stages"]["end"]["ci"] = {
        "secrets": ["cert"],
        "mutex": ["db", "gpu"],
        "env": {"N": 4},
        "tests": ["true"],
    }
    asked, files = made(data, layout, folder)
    for file, plan in files:
        accepted(groovy, file.text, layout)
        for seed in (None, 1, 2):
            recorded = groovy.run(file.text, env={"BRANCH_NAME": "main"}, seed=seed)
            means(recorded, plan, asked)
            runs_in_order(recorded, plan)
        end = next(
            step for step in recorded.named("sh") if step.arguments["script"].endswith("exec end --lock")
        )
        assert [b["arguments"].get("resource") for b in end.within if b["name"] == "lock"] in (["db"], [])
        dirs = [b["arguments"].get("path") for b in end.within if b["name"] == "dir"]
        assert dirs == [folder]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_locks_are_taken_before_the_agent(groovy: GroovyServer, layout: str) -> None:
    data = diamond()
    data["stages"]["end"]["ci"] = {"mutex": ["db", "gpu"]}
    _, [(file, _)] = made(data, layout)
    accepted(groovy, file.text, layout)
    recorded = groovy.run(file.text, env={"BRANCH_NAME": "main"})
    if layout == "graph":
        node = next(step for step in recorded.named("node") if step.path[-1] == "end")
        [lock] = [b["arguments"] for b in node.within if b["name"] == "lock"]
        assert lock == {"resource": "db", "extra": [{"resource": "gpu"}]}
    else:
        assert "lock(resource: 'db', extra: [[resource: 'gpu']])" in file.text


@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=hostile())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_hostile_text_arrives_unchanged(groovy: GroovyServer, layout: str, data: dict[str, Any]) -> None:
    asked, files = made(data, layout)
    for file, plan in files:
        accepted(groovy, file.text, layout)
        recorded = groovy.run(file.text, env={"BRANCH_NAME": "main"})
        means(recorded, plan, asked)
        if plan.install:
            tools = {s.arguments["script"] for s in recorded.named("sh") if "venv" in s.arguments["script"]}
            assert all(script.endswith(plan.install) for script in tools)
            assert tools
        if any(job.approval for job in plan.jobs):
            asked_for = {text for event in recorded.events for text in texts(event)}
            assert data["people"]["leads"]["jenkins"][0] in asked_for


def texts(value: Any) -> Iterator[str]:
    """Every text within plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_branches_and_pull_requests_choose_their_workflow(groovy: GroovyServer, layout: str) -> None:
    workflows = {
        "push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"},
        "branches": {"on": {"push": {"branches": ["feature/*"]}}},
        "review": {"on": "pull_request", "gates": ["good"]},
    }
    _, [(file, plan)] = made(diamond(workflows=workflows), layout)
    accepted(groovy, file.text, layout)
    assert plan.workflows == ("push", "branches", "review")
    if layout == "graph":
        for env, gates in [
            ({"BRANCH_NAME": "main"}, ["gates"]),
            ({"BRANCH_NAME": "feature/x"}, []),
            ({"BRANCH_NAME": "PR-1", "CHANGE_ID": "1"}, ["review-gates"]),
        ]:
            recorded = groovy.run(file.text, env=env)
            assert [path[-1] for path in recorded.stages if "gates" in path[-1]] == gates
            assert any(path[-1] == "end" for path in recorded.stages)
        assert groovy.run(file.text, env={"BRANCH_NAME": "feature/a/b"}).stages == []
        assert groovy.run(file.text, env={"BRANCH_NAME": "mainly"}).stages == []
    else:
        conditions = {
            tuple(e["path"])[-1]: [c["name"] for c in e["conditions"]]
            for e in groovy.run(file.text).of_type("when")
        }
        assert conditions["review-gates"] == ["changeRequest"]
        assert conditions["gates"] == ["branch"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_approval_holds_no_agent_and_names_who_approved(groovy: GroovyServer, layout: str) -> None:
    workflows = {
        "release": {
            "on": "manual",
            "promote": {"model": "toy", "from": "staging", "to": "production"},
            "approve": {"by": "leads", "timeout": "1d"},
        }
    }
    data = diamond(
        workflows=workflows,
        models={"toy": {"path": "end.json"}},
        people={"leads": {"jenkins": ["ann", "bob"]}},
        environments={"production": {"deploy": "true"}, "staging": {"deploy": "true"}},
    )
    _, [(file, _)] = made(data, layout)
    assert file.path == "ci/Jenkinsfile.release"
    accepted(groovy, file.text, layout)
    recorded = groovy.run(file.text)
    assert recorded.error is None
    command = next(step for step in recorded.named("sh") if " promote " in step.arguments["script"])
    assert (
        command.arguments["script"]
        == "exec pipegen promote toy --from staging --to production --workflow release"
    )
    milestones = recorded.named("milestone")
    assert [m.arguments["ordinal"] for m in milestones] == [1]
    assert "toy-production" in json.dumps(recorded.events)
    if layout == "graph":
        [asked] = recorded.named("input")
        assert asked.node is None
        assert asked.arguments["submitter"] == "ann,bob"
        assert asked.arguments["submitterParameter"] == "APPROVER"
    else:
        [event] = recorded.of_type("input")
        assert "ann,bob" in json.dumps(event)
        assert "timeout(time: 1510, unit: 'MINUTES')" in file.text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_schedule_inputs_and_values(groovy: GroovyServer, layout: str) -> None:
    workflows = {
        "nightly": {
            "on": {"schedule": "H 6 * * 1-5", "timezone": "Europe/Paris"},
            "set": {"a.b": "{date:%Y}"},
        },
        "try": {
            "on": "manual",
            "inputs": {
                "alpha": {"sets": "a.b", "default": 0.1},
                "kind": {"sets": "a.c", "default": "b", "choices": ["a", "b"]},
            },
        },
    }
    _, files = made(diamond(workflows=workflows), layout)
    assert [file.path for file, _ in files] == ["ci/Jenkinsfile.nightly", "ci/Jenkinsfile.try"]
    for file, _ in files:
        accepted(groovy, file.text, layout)
        recorded = groovy.run(file.text, env={"BRANCH_NAME": "main"})
        assert recorded.error is None
        assert any(" values --workflow " in command for command in recorded.commands)
        # a plain job's later checkouts go back to the commit of the first
        pins = [c for c in recorded.commands if c.startswith("git checkout")]
        assert pins
        assert set(pins) == {'git checkout --quiet --force --detach "$PIPEGEN_REVISION"'}
    nightly, asked = files[0][0].text, files[1][0].text
    assert r"cron('TZ=Europe/Paris\nH 6 * * 1-5')" in nightly
    assert "string(name: 'alpha', defaultValue: '0.1'" in asked
    assert "choice(name: 'kind', choices: ['b', 'a']" in asked


def test_reports_are_made_whatever_the_gates_say(groovy: GroovyServer) -> None:
    workflows = {"push": {"on": {"push": {"branches": ["main"]}}, "gates": "all", "report": {}}}
    for layout in LAYOUTS:
        _, [(file, _)] = made(diamond(workflows=workflows), layout)
        accepted(groovy, file.text, layout)
        red = groovy.run(
            file.text,
            env={"BRANCH_NAME": "main"},
            answers=[{"step": "sh", "match": " gate good", "error": "script returned exit code 1"}],
        )
        assert "exec pipegen report --workflow push" in red.commands


def test_a_file_too_large_for_jenkins_becomes_a_graph(groovy: GroovyServer) -> None:
    def wide(count: int) -> dict[str, Any]:
        stages = {
            f"s{i}": {"cmd": "true", "outs": [f"s{i}.txt"], "ci": {"env": {"N": i}}} for i in range(count)
        }
        return diamond(stages=stages, gates={}, workflows={"push": {"on": {"push": {"branches": ["main"]}}}})

    _, [(small, _)] = made(wide(20), "levels")
    accepted(groovy, small.text, "levels")
    asked, [(large, plan)] = made(wide(200), "levels")
    assert "@Field Map rows" in large.text
    assert [w.code for w in Jenkins().files(asked).warnings] == ["jenkins-size"]
    assert groovy.compile_cps(large.text) == []
    means(groovy.run(large.text, env={"BRANCH_NAME": "main"}), plan, asked)


def test_the_largest_declarative_file_has_room_left(groovy: GroovyServer) -> None:
    """Jenkins itself takes about three quarters of what its bare CPS compiler takes: so much room must be left."""
    count = 20
    while True:
        stages = {f"s{i}": {"cmd": "true", "ci": {"env": {"N": i}}} for i in range(count)}
        workflows = {"push": {"on": {"push": {"branches": ["main"]}}}}
        _, [(file, _)] = made(diamond(stages=stages, gates={}, workflows=workflows), "chain")
        if "@Field" in file.text:
            break
        largest, count = file.text, count + 2
    assert words_of(largest) > 0.9 * MOST_WORDS
    start = largest.index("    stage('s0')")
    end = largest.index("  }\n}\n", start)
    blocks = largest[start:end]
    third = blocks[: blocks.index(f"    stage('s{count // 3}')")].replace("stage('s", "stage('t")
    assert groovy.compile_cps(largest[:end] + third + largest[end:]) == []


def test_the_scheduler_is_sixty_lines_of_fixed_text() -> None:
    from pipegen.targets.jenkins.graph import scheduler

    assert len(scheduler().splitlines()) <= 60
    assert "{{" not in scheduler()


def test_a_thousand_stages(groovy: GroovyServer) -> None:
    stages = {"s0": {"cmd": "true", "outs": ["s0.txt"]}}
    for i in range(1, 999):
        stages[f"s{i}"] = {"cmd": "true", "deps": ["s0.txt"], "outs": [f"s{i}.txt"]}
    stages["end"] = {"cmd": "true", "deps": [f"s{i}.txt" for i in range(1, 999)]}
    _, [(file, plan)] = made(diamond(stages=stages, gates={}), "graph")
    assert groovy.compile_cps(file.text) == []
    recorded = groovy.run(file.text, env={"BRANCH_NAME": "main"})
    assert recorded.error is None
    assert len(recorded.stages) == 1000
    runs_in_order(recorded, plan)


def test_deep_chains_run_in_the_graph(groovy: GroovyServer) -> None:
    """A chain of jobs must not nest one call in the other: the CPS interpreter ends at 1,024."""
    stages = {
        f"s{i}": {
            "cmd": "true",
            "deps": [f"s{i - 1}.txt"] if i else [],
            "outs": [f"s{i}.txt"],
            "ci": {"env": {"N": i}},
        }
        for i in range(700)
    }
    _, [(file, _)] = made(diamond(stages=stages, gates={}), "graph")
    recorded = groovy.run(file.text, env={"BRANCH_NAME": "main"})
    assert recorded.error is None
    assert len(recorded.stages) == 700


def test_too_many_forks_are_refused() -> None:
    stages: dict[str, Any] = {"e0": {"cmd": "true", "outs": ["e0"]}}
    for i in range(1, 202):
        for side in "lr":
            stages[f"{side}{i}"] = {"cmd": "true", "deps": [f"e{i - 1}"], "outs": [f"{side}{i}"]}
        stages[f"e{i}"] = {"cmd": "true", "deps": [f"l{i}", f"r{i}"], "outs": [f"e{i}"]}
    with pytest.raises(PlanError, match="fork 201 times"):
        made(diamond(stages=stages, gates={}), "graph")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_examples(groovy: GroovyServer, path: Path, layout: str) -> None:
    from pipegen.project import Project

    project = Project.open(path)
    asked = Request(
        project.pipeline.replace(targets={"jenkins": {"layout": layout}}), project.stages, project.place
    )
    for file, plan in _with_plans(asked):
        assert Marker(file.text).intact
        accepted(groovy, file.text, layout)
        for env in ({"BRANCH_NAME": "main"}, {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7"}):
            recorded = groovy.run(file.text, env=env)
            assert recorded.error is None
            if layout != "graph":
                means(recorded, plan, asked)
