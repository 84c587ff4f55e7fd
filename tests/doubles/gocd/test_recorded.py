"""The double, held against what a real server wrote for the same requests."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.doubles.gocd import definitions, recordings
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.origin import Origin
from tests.doubles.gocd.recordings import APP, CONTRACTS, PROVED, answer, comparable, request
from tests.doubles.gocd.refusals import Answer, Uncited
from tests.doubles.gocd.runs import JobRun
from tests.doubles.gocd.server import GoCDDouble

pytestmark = [
    pytest.mark.contracts,
    pytest.mark.skipif(
        not (CONTRACTS.is_dir() and PROVED.is_file()),
        reason="the recordings of real servers (../shared/contracts/gocd) are not here",
    ),
]
FIRST = Agent("agent1", {"bench", "linux"})
SECOND = Agent("agent2", {"linux", "second"})


@pytest.fixture
def app(origin: Origin) -> Origin:
    """The repository of the recordings."""
    origin.commit(recordings.FILES, "Initial commit")
    return origin


def same_log(job: JobRun, number: int, *without: str) -> None:
    """The log is the recorded one, line by line."""
    assert comparable(job.console.text, *without) == comparable(answer(number), *without)


def build(start: Start, app: Origin, agent: Agent) -> GoCDDouble:
    """The recorded pipeline `build`, without what this double refuses."""
    server = start({APP: app.path}, agent, roles={"release-managers": {"rita"}})
    body = request(51, "unit", "release")
    pipeline = body["pipeline"]
    pipeline["tracking_tool"] = None
    pipeline["label_template"] = "b-${COUNT}"  # as it was changed before it ran [R 072]
    pipeline["environment_variables"][1] = {"name": "SECRET", "value": "hidden", "secure": True}
    server.create(body)
    return server


def test_a_job_from_its_checkout_to_its_artifacts(start: Start, app: Origin) -> None:
    server = build(start, app, SECOND)
    (run,) = server.poll()
    same_log(run.job("unit"), 184)
    assert run.job("unit").artifacts == recordings.files(answer(189))
    assert run.job("unit").read("dist/app.txt") == answer(192)
    sums = {
        line.split("=")[0] for line in run.job("unit").store.joinpath("cruise-output/md5.checksum").open()
    }
    assert sums == {line.split("=")[0] for line in answer(200).split("\n") if line and line[0] != "#"}


def test_a_trigger_with_variables(start: Start, app: Origin) -> None:
    server = build(start, app, FIRST)
    server.poll()
    run = server.trigger("build", {"PLAIN": "overridden", "SECRET": "new secret"}, user="admin")
    # the third run on the server, the second here
    log = run.job("unit").console.text.replace("b-2", "b-3").replace("'2'", "'3'")
    assert comparable(log) == comparable(answer(223))


def test_a_variable_that_is_not_configured_is_refused(start: Start, app: Origin) -> None:
    server = build(start, app, FIRST)
    with pytest.raises(Answer) as refused:
        server.trigger("build", {"NOSUCH": "1"})
    assert (refused.value.status, refused.value.message) == (422, answer(224)["message"])


def test_a_manual_stage_and_who_may_start_it(start: Start, app: Origin) -> None:
    server = build(start, app, FIRST)
    (run,) = server.poll()
    assert run.results == {"compile": "Passed"}
    with pytest.raises(Answer) as refused:
        server.approve("build", "gate", user="view")
    assert (refused.value.status, refused.value.message) == (403, answer(206)["message"])
    server.approve("build", "gate", user="rita")
    assert run.job("release").console.output() == ["released by rita"]
    again = server.approve("build", "gate", user="admin")
    assert (again.counter, again.approved_by) == (2, "admin")


def test_what_depends_on_a_stage_runs_and_fetches(start: Start, app: Origin) -> None:
    server = build(start, app, SECOND)
    server.create(request(242))
    server.create(request(243))
    app.commit({"x": "1"}, "second")
    upstream, deploy, prod = server.poll()
    assert (upstream.name, deploy.name, prod.name) == ("build", "deploy", "prod")

    def numbered(job: JobRun) -> str:
        return job.console.text.replace("b-1", "b-4").replace("build/1", "build/4")

    # the order of `find` is the disk's
    without = ("&1|./", "GO_AGENT_RESOURCES")
    assert comparable(numbered(deploy.job("install")), *without) == comparable(answer(255), *without)
    found = [line for line in numbered(deploy.job("install")).split("\n") if "|./" in line or " ./" in line]
    recorded = [line for line in answer(255).split("\n") if " ./" in line]
    assert sorted(line[15:] for line in found) == sorted(line[15:] for line in recorded)
    assert comparable(numbered(deploy.job("check")), *without) == comparable(answer(256), *without)
    assert comparable(numbered(prod.job("go")), *without) == comparable(answer(257), *without)
    assert (
        answer(254)["build_cause"]["material_revisions"][0]["modifications"][0]["revision"]
        == "build/4/compile/1"
    )
    assert deploy.upstream["build"].locator == "build/1/compile/1"


def test_conditions_and_a_failing_task(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(244))
    (run,) = server.poll()
    same_log(run.job("bad"), 260)
    recorded = answer(259)
    assert run.stage("bad").result == recorded["result"]
    assert {job.name: job.result for job in run.jobs} == {
        job["name"]: job["result"] for job in recorded["jobs"]
    }
    states = [transition["state"] for transition in recorded["jobs"][0]["job_state_transitions"]]
    assert run.job("bad").transitions == states


def test_after_a_failure_the_lock_and_the_gate_hold(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(244))
    server.poll()
    assert server.locked("fails")
    with pytest.raises(Answer) as refused:
        server.trigger("fails")
    assert (refused.value.status, refused.value.message) == (409, answer(262)["message"])
    with pytest.raises(Answer) as refused:
        server.approve("fails", "after", user="admin")
    assert (refused.value.status, refused.value.message) == (409, answer(265)["message"])
    server.unlock("fails")
    with pytest.raises(Answer) as refused:
        server.unlock("fails")
    assert refused.value.message == answer(264)["message"]


def test_failed_jobs_run_again_beside_the_others(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(244))
    server.poll()
    stage = server.rerun_jobs("fails", "bad", user="admin")
    recorded = answer(267)
    assert (stage.counter, stage.rerun_of, stage.result) == (
        recorded["counter"],
        recorded["rerun_of_counter"],
        recorded["result"],
    )
    stands_for = {job["name"]: job["original_job_id"] is not None for job in recorded["jobs"]}
    assert {job.name: job.original is not None for job in stage.jobs} == stands_for
    with pytest.raises(Answer) as refused:
        server.rerun_jobs("fails", "bad", ["nope"])
    assert refused.value.message == answer(214)["message"].replace("build/1/compile/2", "fails/1/bad/2")


def test_what_artifact_rules_publish(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(247))
    (run,) = server.poll()
    assert run.job("ok").artifacts == recordings.files(answer(288))
    same_log(run.job("ok"), 289)
    without = ("Cloning", "STDERR", "GO_AGENT_RESOURCES")
    same_log(run.job("missing"), 291, *without)
    same_log(run.job("missingglob"), 292, *without)
    assert {job.name: job.result for job in run.jobs} == {
        job["name"]: job["result"] for job in answer(290)["jobs"]
    }


def test_an_unknown_secret_config_ends_a_job_before_it_reaches_an_agent(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(248))
    (run,) = server.poll()
    assert run.job("j").console.text == answer(294)
    (recorded,) = answer(293)["jobs"]
    assert run.job("j").transitions == [one["state"] for one in recorded["job_state_transitions"]]
    assert (run.job("j").result, run.job("j").agent) == (recorded["result"], recorded["agent_uuid"])


@pytest.mark.parametrize(
    ("job", "number"),
    [
        ("escape", 505),
        ("noshell", 506),
        ("argslines", 508),
        ("nocommand", 509),
        ("nodir", 510),
        ("relcmd", 511),
        ("envs", 512),
        ("fetchmissing", 517),
    ],
)
def test_how_programs_are_started(start: Start, app: Origin, job: str, number: int) -> None:
    without = ("TWO", "|two", "pr|", "pe|")  # how the repositories came, of which there were two
    same_log(semantics(start, app, job), number, *without)


def test_output_in_any_language(start: Start, app: Origin) -> None:
    job = semantics(start, app, "unicode")
    wanted = [line for line in comparable(answer(513)) if line[:2] in ("&1", "&2")]
    assert sorted(line for line in comparable(job.console.text) if line[:2] in ("&1", "&2")) == sorted(wanted)


def semantics(start: Start, app: Origin, job: str, minute: float = 0.06) -> JobRun:
    """One job of the recorded pipeline `sem2`; of its two repositories only the first."""
    server = start({APP: app.path}, Agent("agent2", {"bench", "bulk", "linux"}), minute=minute)
    body = request(494, "p", job)
    del body["pipeline"]["materials"][1]
    server.create(body)
    (run,) = server.poll()
    return run.job(job)


def test_silence_ends_a_job(start: Start, app: Origin) -> None:
    job = semantics(start, app, "slowquiet", minute=0.5)
    without = ("TWO", "pr|", "pe|", "Job completed")
    same_log(job, 518, *without)
    assert (job.result, job.stage.result) == ("Cancelled", "Cancelled")


def test_a_person_cancels(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, SECOND)
    body = request(246)
    body["pipeline"]["name"] = "long2"  # of which only the log is recorded
    (task,) = body["pipeline"]["stages"][0]["jobs"][0]["tasks"]
    del task["attributes"]["on_cancel"]
    task["attributes"]["arguments"][1] = "echo start; sleep 120; echo end of sleep"
    server.create(body)
    run = server.trigger("long2", settle=False)
    server.wait_for(lambda: run.jobs[0].console.output() == ["start"])
    assert server.cancel("long2", "slow") == answer(276)["message"]
    assert server.cancel("long2", "slow") == answer(277)["message"]
    same_log(run.jobs[0], 280)
    assert run.stage("slow").result == answer(278)["result"]


def test_what_runs_on_another_cancel_task_is_not_known(start: Start, app: Origin) -> None:
    with pytest.raises(Uncited):
        start({APP: app.path}, FIRST).create(request(246))


def test_path_filters(start: Start, origin: Origin) -> None:
    server = start({"/srv/repos/filt.git": origin.path}, FIRST)
    server.create(request(492))
    server.create(request(493))
    origin.commit({"docs/a.txt": "1", "code": "1"}, "Initial commit")
    server.poll()
    docs = origin.commit({"docs/a.txt": "2"}, "docs only")
    assert [run.name for run in server.poll()] == ["filt-inv"]
    code = origin.commit({"code": "2"}, "code only")
    (run,) = server.poll()
    recorded = answer(502)["pipelines"][0]["build_cause"]["material_revisions"][0]["modifications"]
    assert (run.name, run.cause.modifications) == ("filt", (code, docs))
    assert [one["comment"] for one in recorded] == ["code only", "docs only"]
    counters = {
        name: answer(number)["pipelines"][0]["counter"] for name, number in (("filt", 502), ("filt-inv", 503))
    }
    assert {name: server.run(name).counter for name in counters} == counters


def fan_of(server: GoCDDouble, folder: Path, *without: str) -> GoCDDouble:
    """Load the four pipelines that ran on a real server, without their naps, and with the time-outs that the strict
    reader wants."""
    data = yaml.safe_load(PROVED.read_text("utf-8").replace("; sleep 2", ""))
    data["pipelines"] = {name: of for name, of in data["pipelines"].items() if name not in without}
    for pipeline in data["pipelines"].values():
        for stage in pipeline["stages"]:
            stage["run"]["jobs"]["j"]["timeout"] = 5
    file = folder / "fan.gocd.yaml"
    file.write_text(yaml.safe_dump(data), "utf-8")
    server.load(file)
    return server


@pytest.fixture
def two_agents(start: Start, origin: Origin) -> GoCDDouble:
    """A server for them."""
    return start({"/srv/repos/fan.git": origin.path}, FIRST, SECOND)


def test_a_fan_in_runs_once_for_each_commit(two_agents: GoCDDouble, origin: Origin, tmp_path: Path) -> None:
    fan = fan_of(two_agents, tmp_path)
    for counter in (1, 2):
        commit = origin.commit({"x": str(counter)}, f"commit {counter}")
        runs = fan.poll()
        order = [run.name for run in runs]
        assert sorted(order) == ["fan-a", "fan-b1", "fan-b2", "fan-c"]
        assert {(run.counter, run.revision, run.passed) for run in runs} == {(counter, commit, True)}
        last = fan.run("fan-c")
        assert {stage.locator for stage in last.upstream.values()} == {
            f"fan-b1/{counter}/run/1",
            f"fan-b2/{counter}/run/1",
        }
    said = fan.run("fan-b1").jobs[0].console.output()
    assert {"GO_DEPENDENCY_LABEL_UP_A=2", "GO_DEPENDENCY_LOCATOR_UP_A=fan-a/2/run/1", "ALPHA=default"} <= set(
        said
    )


def test_what_a_trigger_sets_does_not_cross(two_agents: GoCDDouble, tmp_path: Path) -> None:
    fan = fan_of(
        two_agents, tmp_path, "fan-b2", "fan-c"
    )  # what these do on a commit seen before is not known
    fan.poll()
    run = fan.trigger("fan-a", {"ALPHA": "0.9"})
    assert "ALPHA=0.9" in run.jobs[0].console.output()
    below = fan.run("fan-b1")
    assert below.upstream["up_a"].run is run
    assert "ALPHA=default" in below.jobs[0].console.output()


def test_a_fan_in_on_two_runs_of_one_commit_is_refused(two_agents: GoCDDouble, tmp_path: Path) -> None:
    fan = fan_of(two_agents, tmp_path)
    fan.poll()
    with pytest.raises(Uncited, match="two runs of fan-a of one commit"):
        fan.trigger("fan-a")


def test_a_timer(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(245))
    server.poll()
    run = server.fire_timer("timed")
    recorded = answer(301)["pipelines"][0]["build_cause"]
    assert run
    assert (run.approver, run.forced) == (recorded["approver"], recorded["trigger_forced"])
    assert ("git" in run.cause.changed) == recorded["material_revisions"][0]["changed"]


@pytest.mark.parametrize(
    ("lock", "waiting", "after"), [("unlockWhenFinished", 281, 283), ("lockOnFailure", 284, 286)]
)
def test_locks(start: Start, app: Origin, lock: str, waiting: int, after: int) -> None:
    server = start({APP: app.path}, FIRST)
    body = request(244, "good", "a")
    body["pipeline"]["lock_behavior"] = lock
    server.create(body)
    server.poll()
    assert server.locked("fails") == answer(waiting)["locked"]
    server.approve("fails", "after", user="admin")
    assert server.locked("fails") == answer(after)["locked"]


def test_unlock_when_finished_frees_after_a_failure(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    body = request(244)
    body["pipeline"]["lock_behavior"] = "unlockWhenFinished"
    server.create(body)
    server.poll()
    assert server.locked("fails") == answer(287)["locked"]


def test_an_environment_and_its_agents_keep_to_themselves(start: Start, app: Origin) -> None:
    inside, outside = Agent("agent1", {"linux"}, environments={"qa"}), FIRST
    found = definitions.of_api("bench", request(247, "ok")["pipeline"], "qa")
    (recorded,) = answer(374)["jobs"]
    server = start({APP: app.path}, outside)
    server.define([found])
    (run,) = server.poll()
    assert run.job("ok").state == recorded["state"] == "Scheduled"
    server = start({APP: app.path}, inside)
    server.define([found])
    (run,) = server.poll()
    assert "setting environment variable 'GO_ENVIRONMENT_NAME' to value 'qa'" in run.job("ok").console.text
    server = start({APP: app.path}, inside)
    server.create(request(247, "ok"))
    (run,) = server.poll()
    assert run.job("ok").state == "Scheduled"


def test_a_job_without_an_agent_waits(start: Start, app: Origin) -> None:
    server = start({APP: app.path}, FIRST)
    server.create(request(251))
    (run,) = server.poll()
    (recorded,) = answer(298)["jobs"]
    assert (run.jobs[0].state, run.jobs[0].result) == (recorded["state"], recorded["result"])
