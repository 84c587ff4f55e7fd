"""Runs on GoCD: started, watched, approved, cancelled, unlocked and taken up, as recorded and on a bad network."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import time
from typing import Any

import pytest

from pipegen.errors import AccessRefused, NotOnServer, ServerError, ServerUnavailable
from pipegen.servers.gocd import GoCD, instances, steering
from pipegen.servers.model import LogChunk, Place, Question, Run, RunRef
from tests.servers.exchanges import Exchange, gocd, skip_without_recordings
from tests.servers.gocd_client import a_stage, client, definition, ours, pipeline, place
from tests.servers.gocd_model import GoCDModel, Job, Stage
from tests.servers.gocd_model import Run as Ran
from tests.servers.replay import Faults, Script, serving

skip_without_recordings()
pytestmark = pytest.mark.usefixtures("soon")

JSON = dict[str, Any]
BUILD = gocd(51).body["pipeline"]
"""Two stages; the second, `gate`, waits for a person."""
OPERATOR = gocd(220).headers["Authorization"]
ADMIN = {"Authorization": gocd(29).headers["Authorization"]}


def named(exchange: Exchange, name: str, was: str = "build") -> Exchange:
    return exchange.asked(target=exchange.target.replace(f"/{was}/", f"/{name}/"))


def history(number: int, page: int = 10) -> Exchange:
    recording = gocd(number)
    return recording.asked(target=f"{recording.target.split('?')[0]}?page_size={page}")


def log(number: int, start: int = 0) -> Exchange:
    recording = gocd(number)
    return recording.asked(target=f"{recording.target.split('?')[0]}?startLineNumber={start}")


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "LOOK", 3.0)
    monkeypatch.setattr(steering, "PAUSE", 0.05)


# ------------------------------------------------------------------------------------------ starting


def test_a_start_is_confirmed_and_its_run_is_found_in_the_history() -> None:
    """`schedule` gives no counter; the run is the next one that we started by hand [R 220, 326]."""
    order = gocd(220).asked(headers=ADMIN)
    newer = history(326).asked(headers=ADMIN)
    pages = newer.json()["pipelines"]
    timer = copy.deepcopy(pages[0])
    timer["build_cause"].update(approver="timer")
    older = newer.answered(200, {"pipelines": pages[2:]})
    by_timer = newer.answered(200, {"pipelines": [timer, *pages[2:]]})
    with serving(Script(older, gocd(29), order, by_timer, gocd(229), newer)) as server:
        build = client(server)
        ref = build.trigger(place(BUILD), {})
        assert (ref.number, ref.ticket.split()[0], ref.ticket.split()[2]) == (None, "3", "admin")
        assert build.run(ref).state == "queued"  # the timer's run is not ours
        assert build._runs.find(ref) == 4


def test_values_go_as_variables() -> None:
    variables = [{"name": "alpha", "value": "0.5", "secure": False}]
    order = gocd(222).asked(body={"environment_variables": variables})
    with serving(Script(history(171), gocd(29), order)) as server:
        assert client(server).trigger(place(BUILD), {"alpha": "0.5"}).ticket.startswith("1 ")


@pytest.mark.parametrize(
    ("number", "said", "hint"),
    [
        (221, "Pipeline already triggered", "`pipegen watch` shows it"),
        (234, "Pipeline build is paused", "resume it on the dashboard"),
        (262, "is locked as another instance", "`pipegen unlock` frees it"),
        (272, "is still in progress", "`pipegen cancel` it"),
        (224, "Variable 'NOSUCH' has not been configured", "`pipegen deploy gocd` brings"),
        (219, "build is not on GoCD", "run `pipegen deploy gocd` first"),
        (218, "You are not authorized to perform this action", "an administrator can grant it"),
        (340, "Server is in maintenance mode, please try later", ""),
    ],
)
def test_a_refused_start_says_why_and_what_to_do(number: int, said: str, hint: str) -> None:
    refused = dataclasses.replace(gocd(220).asked(headers=ADMIN), answer=gocd(number).answer)
    with serving(Script(history(171), gocd(29), refused)) as server:
        with pytest.raises(ServerError) as error:
            client(server).trigger(place(BUILD), {})
        assert said in error.value.message
        assert hint in error.value.message
        assert "\n" not in error.value.message


def test_a_start_that_is_refused_later_ends_the_wait() -> None:
    """202 does not mean that a run will come: only the health messages say [R 295]."""
    long = place(pipeline("long", "slow"))
    asked = instances.moment("2026-11-23T02:46:22Z")
    with serving(Script(history(273), gocd(295))) as server:
        run = client(server).run(RunRef(place=long, ticket=f"1 {asked} admin"))
        assert (run.state, run.reason) == ("failed", "Stage [slow] in pipeline [long] is still in progress")
    with serving(Script(history(273), gocd(295))) as server:
        assert client(server).run(RunRef(place=long, ticket=f"1 {asked + 1} admin")).state == "queued"


def test_a_repository_that_can_not_be_read_is_said_while_we_wait() -> None:
    missing = place(pipeline("minimal2", "s"))
    empty = named(history(253), "minimal2", "long")
    with serving(Script(empty, gocd(529))) as server:
        run = client(server).run(RunRef(place=missing, ticket="0 0 admin"))
        assert run.state == "queued"
        assert "Remote branch master not found in upstream origin" in run.reason


# ------------------------------------------------------------------------------------------ reading


def test_a_run_that_waits_for_a_person() -> None:
    where = Place(definitions=(definition(BUILD, parts={"gate/release": ("release",)}),), workflow="push")
    with serving(Script(gocd(172), gocd(178), gocd(270))) as server:
        run = client(server).run(RunRef(place=where, number=1))
        assert client(server).logs(run) == [part.id for part in run.parts[:3]]
    assert (run.state, run.label, run.cause) == (
        "approval",
        "b-1",
        "modified by Bench Dev <dev@example.test>",
    )
    assert run.revision == "623ce0e201e9d4e30aa0d7866384cebb8890eca1"
    assert run.url.endswith("/go/pipelines/value_stream_map/build/1")
    parts = {part.name: part for part in run.parts}
    assert list(parts) == [
        "compile/many-runInstance-1",
        "compile/many-runInstance-2",
        "compile/unit",
        "gate/release",
    ]
    assert parts["gate/release"].state == "approval"
    unit = parts["compile/unit"]
    assert (unit.state, unit.agent, unit.id) == ("passed", "bench-agent-2", "build/1/compile/1/unit")
    assert unit.started == 1795401782.743
    assert unit.seconds == pytest.approx(2.151)
    assert unit.url.endswith("/go/tab/build/detail/build/1/compile/1/unit")
    assert [(q.id, q.part, q.message) for q in run.questions] == [
        ("build/1/gate", "gate", "start gate (for release-managers, admin)")
    ]


def test_a_stage_has_no_result_while_its_jobs_work() -> None:
    """Recorded: `result` said Failed with jobs still Building, and turned to Cancelled later [R 504, 516]."""
    early, late = gocd(504).json(), gocd(516).json()
    assert (early["result"], instances.stage_state(early)) == ("Failed", "running")
    assert (late["result"], instances.stage_state(late)) == ("Cancelled", "cancelled")
    instance = gocd(519).json()
    assert instances.instance_state(instance, {}) == "cancelled"
    instance["stages"][-1]["jobs"][0].update(state="Building", result="Unknown")
    assert instances.instance_state(instance, {}) == "running"


@pytest.mark.parametrize(
    ("stage", "state", "seconds"),
    [
        (178, "passed", 3.313),
        (259, "failed", None),
        (278, "cancelled", None),
        (268, "running", None),
        (298, "queued", None),
    ],
)
def test_each_state_of_a_job(stage: int, state: str, seconds: float | None) -> None:
    found = gocd(stage).json()
    name, counter = found["pipeline_name"], found["pipeline_counter"]
    shape = copy.deepcopy(gocd(172).json())
    inner = copy.deepcopy(shape["stages"][0])
    inner.update(name=found["name"], counter=str(found["counter"]))
    inner["jobs"] = [
        {key: job[key] for key in ("name", "scheduled_date", "state", "result")} for job in found["jobs"]
    ]
    shape.update(name=name, counter=counter, stages=[inner])
    instance = gocd(172).asked(target=f"/go/api/pipelines/{name}/{counter}").answered(200, shape)
    script = Script(instance, gocd(stage), always=[gocd(270), gocd(295)])
    with serving(script) as server:
        run = client(server).run(RunRef(place=place(pipeline(name, found["name"])), number=counter))
    assert (run.state, run.parts[0].state) == (state, state)
    if state == "queued":
        assert run.reason == "no agent has taken it yet"
        assert (run.parts[0].started, run.parts[0].seconds) == (None, None)


def test_why_a_job_waits_is_what_the_server_says() -> None:
    said = list(instances.said_of(gocd(526).json(), "yaml-deploy/install/install", 0.0))
    assert list(map(instances.plain, said)) == [
        "Job yaml-deploy/install/install is currently running but it has not been assigned an agent in the last "
        "6 minute(s). This job may be hung."
    ]


def test_pipelines_that_follow_are_found_by_what_they_are_made_of() -> None:
    """deploy/1 is made of build/4 [R 254]."""
    first = named(gocd(172), "build").asked(target="/go/api/pipelines/build/4")
    instance = {**gocd(172).json(), "counter": 4, "stages": gocd(172).json()["stages"][:1]}
    first = first.answered(200, instance)
    follows = gocd(171).asked(target="/go/api/pipelines/deploy/history?page_size=10")
    follows = follows.answered(200, {"pipelines": [gocd(254).json()]})
    build, deploy = pipeline("build", "compile"), pipeline("deploy", "install", "check")
    deploy["materials"] = gocd(242).body["pipeline"]["materials"]
    where = Place(definitions=(definition(build), definition(deploy)), workflow="push")

    def stage(target: str) -> Exchange:
        return gocd(178).asked(target=f"/go/api/stages/{target}")

    stages = [stage("build/4/compile/1"), stage("deploy/1/install/1"), stage("deploy/1/check/1")]
    with serving(Script(first, follows, *stages, always=[gocd(270)])) as server:
        run = client(server).run(RunRef(place=where, number=4))
        assert run.state == "passed"
        assert [part.definition for part in run.parts[::3]] == ["build", "deploy", "deploy"]
    none = follows.answered(200, {"pipelines": []})
    with serving(Script(first, none, stages[0], always=[gocd(270)])) as server:
        assert (
            client(server).run(RunRef(place=where, number=4)).state == "running"
        )  # it begins some seconds later
    bad = copy.deepcopy(instance)
    bad["stages"][0]["jobs"][0]["result"] = "Failed"
    with serving(Script(first.answered(200, bad), none, stages[0], always=[gocd(270)])) as server:
        assert client(server).run(RunRef(place=where, number=4)).state == "failed"  # and then nothing follows


def test_pipelines_that_need_none_begin_together() -> None:
    """Two that a commit starts, in layout `pipelines`: a start by hand starts both; they are of one commit."""
    one, two = pipeline("house-a", "a"), pipeline("house-b", "b")
    model = GoCDModel()
    model.pipelines["house-a"], model.pipelines["house-b"] = ours(one), ours(two)
    with serving(model) as server:
        gocd_client = client(server)
        run, _ = follow(gocd_client, gocd_client.trigger(place(one, two), {}))
        assert run.state == "passed"
        assert [(part.definition, part.name) for part in run.parts] == [
            ("house-a", "a/a"),
            ("house-b", "b/b"),
        ]
        assert (len(model.runs["house-a"]), len(model.runs["house-b"])) == (1, 1)


def test_the_last_runs() -> None:
    newest = history(326).asked(headers=ADMIN)
    with serving(Script(newest)) as server:
        runs = client(server).runs(place(BUILD), 2)
    assert [(run.ref.number, run.label, run.state, run.parts) for run in runs] == [
        (5, "b-5", "approval", ()),
        (4, "b-4", "approval", ()),
    ]


def test_a_run_that_is_not_there() -> None:
    with serving(Script(gocd(174))) as server, pytest.raises(NotOnServer, match="not found"):
        client(server).run(RunRef(place=place(BUILD), number=999))
    none = history(175).asked(target="/go/api/pipelines/build/history?page_size=10")
    with serving(Script(none)) as server, pytest.raises(NotOnServer, match="build is not on GoCD: run"):
        client(server).trigger(place(BUILD), {})
    empty = named(history(253), "build", "long")
    with serving(Script(empty)) as server, pytest.raises(NotOnServer, match="push has not run on GoCD yet"):
        client(server).latest(dataclasses.replace(place(BUILD), workflow="push"))


# ------------------------------------------------------------------------------------------ logs


def test_a_log_is_read_to_its_end_without_tags() -> None:
    with serving(Script(log(184))) as server:
        chunk = client(server).log(RunRef(place=place(BUILD), number=1), "build/1/compile/1/unit")
    lines = chunk.text.splitlines()
    assert lines[0] == "[go] Job Started: 2026-11-23 02:43:02 UTC"
    assert "building" in lines
    assert lines[-1].startswith("[go] Job completed build/b-1/compile/1/unit")
    assert (chunk.more, chunk.position) == (False, f"build/1/compile/1/unit {len(lines)}")


def test_a_log_is_read_on_from_where_it_was() -> None:
    job = "build/1/compile/1/unit"
    done = gocd(181)
    with serving(Script(log(185, 5), log(186, 5000), done, log(186, 5000))) as server:
        build, ref = client(server), RunRef(place=place(BUILD), number=1)
        assert build.log(ref, job, f"{job} 5").text.startswith("STDERR: Cloning into")
        end = LogChunk(text="", position=f"{job} 5000", more=False)
        assert build.log(ref, job, f"{job} 5000") == end


def test_a_job_without_an_agent_has_no_log_yet() -> None:
    waiting = (
        gocd(181)
        .asked(target="/go/api/jobs/stuck/1/s/1/j")
        .answered(200, {**gocd(181).json(), "state": "Scheduled"})
    )
    over = waiting.answered(200, gocd(181).json())
    with serving(Script(log(299), waiting, log(299), over, log(299))) as server:
        stuck, ref = client(server), RunRef(place=place(pipeline("stuck", "s")), number=1)
        first = stuck.log(ref, "stuck/1/s/1/j")
        assert (first.text, first.more) == ("", True)
        last = stuck.log(ref, "stuck/1/s/1/j", first.position)
        assert (last.text, last.more) == (
            "GoCD has no console log of this job: it never began, or the log was deleted\n",
            False,
        )


def test_a_cancelled_job_has_no_last_line() -> None:
    """Nor has what the server itself adds a line end [R 279, 294]."""
    name = "secretref/1/s/1/j"
    job = gocd(181).asked(target=f"/go/api/jobs/{name}")
    rest = log(294, 1).answered(200, log(294).answer.body.lstrip())
    with serving(Script(log(294), rest, job, rest)) as server:
        secretref, ref = client(server), RunRef(place=place(pipeline("secretref", "s")), number=1)
        first = secretref.log(ref, name)
        assert (first.text, first.more) == ("\n", True)
        last = secretref.log(ref, name, first.position)
    assert last.text.endswith("is referring to non-existent secret config 'nostore'.\n")
    assert not last.more


def test_a_log_of_an_unknown_job() -> None:
    with serving(Script(log(187))) as server, pytest.raises(NotOnServer, match="nojob not found"):
        client(server).log(RunRef(place=place(BUILD), number=1), "build/1/compile/1/nojob")
    with serving(Script(gocd(172))) as server, pytest.raises(NotOnServer, match="train/train has not begun"):
        client(server).log(RunRef(place=place(BUILD), number=1), "train/train")


def test_a_log_by_the_name_of_its_part() -> None:
    with serving(Script(gocd(172), log(184))) as server:
        chunk = client(server).log(RunRef(place=place(BUILD), number=1), "Compile/unit")
    assert chunk.position.startswith("build/1/compile/1/unit ")


# ------------------------------------------------------------------------------------------ steering

GATE = Question(id="build/1/gate", part="gate", message="")


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (209, None, ""),
        (206, AccessRefused, "You are not authorized to perform this action."),
        (212, AccessRefused, "User does not have operate permissions for stage .nope."),
        (265, ServerError, "Cannot schedule after as the previous stage bad has Failed!"),
        (207, ServerError, "Missing required header 'X-GoCD-Confirm'"),
    ],
)
def test_approving(number: int, error: type[Exception] | None, said: str) -> None:
    order = dataclasses.replace(gocd(209), answer=gocd(number).answer)
    with serving(Script(gocd(172), order)) as server:
        build, ref = client(server), RunRef(place=place(BUILD), number=1)
        if error is None:
            build.approve(ref, GATE)
        else:
            with pytest.raises(error, match=said):
                build.approve(ref, GATE)


def test_what_was_approved_is_not_run_again() -> None:
    """A second `run` of a stage that has begun is a re-run [R 211]."""
    with serving(Script(gocd(210))) as server, pytest.raises(ServerError, match="was approved already"):
        client(server).approve(RunRef(place=place(BUILD), number=1), GATE)


def test_gocd_can_not_refuse() -> None:
    with serving(Script()) as server, pytest.raises(ServerError, match="can't refuse gate"):
        client(server).approve(RunRef(place=place(BUILD), number=1), GATE, accept=False)


def test_cancelling_what_works() -> None:
    shape = gocd(273).json()["pipelines"][0]
    instance = gocd(172).asked(target="/go/api/pipelines/long/1").answered(200, shape)
    where = RunRef(place=place(pipeline("long", "slow")), number=1)
    for number in (276, 277):
        cancel = dataclasses.replace(gocd(276), answer=gocd(number).answer)
        with serving(Script(instance, cancel)) as server:
            client(server).cancel(where)
    forbidden = dataclasses.replace(gocd(276), answer=gocd(275).answer)
    with serving(Script(instance, forbidden)) as server, pytest.raises(AccessRefused, match="not authorized"):
        client(server).cancel(where)
    over = gocd(258).asked(target="/go/api/pipelines/long/1")
    with serving(Script(over)) as server:
        client(server).cancel(where)


def test_unlocking() -> None:
    fails = place(pipeline("fails", "bad"))
    free = gocd(261).answered(200, {**gocd(261).json(), "locked": False})
    with serving(Script(gocd(261), gocd(263))) as server:
        client(server).unlock(fails)
    with serving(Script(free)) as server, pytest.raises(ServerError, match="is not locked"):
        client(server).unlock(fails)
    refused = dataclasses.replace(gocd(263), answer=gocd(264).answer)
    with serving(Script(gocd(261), refused, free)) as server:
        client(server).unlock(fails)  # it became free meanwhile
    said = "no pipeline instance is currently in progress"
    with serving(Script(gocd(261), refused, gocd(261))) as server, pytest.raises(ServerError, match=said):
        client(server).unlock(fails)


def test_taking_up_runs_the_bad_jobs_again_and_waits_until_they_do() -> None:
    fails = place(pipeline("fails", "bad"))
    order = gocd(213).asked(target="/go/api/stages/fails/1/bad/1/run-selected-jobs", body={"jobs": ["bad"]})
    again = copy.deepcopy(gocd(258).json())
    again["stages"][0]["counter"] = "2"
    run = Run(ref=RunRef(place=fails, number=1), state="failed", label="1")
    with serving(Script(gocd(258), order, gocd(258), gocd(258).answered(200, again))) as server:
        assert client(server).resume(run) == RunRef(place=fails, number=1)


def test_taking_up_where_a_job_is_gone_is_a_new_run_of_the_same_commit() -> None:
    fails = place(pipeline("fails", "bad"))
    gone = gocd(214).asked(target="/go/api/stages/fails/1/bad/1/run-selected-jobs", body={"jobs": ["bad"]})
    material = gocd(258).json()["build_cause"]["material_revisions"][0]
    revisions = [
        {
            "fingerprint": material["material"]["fingerprint"],
            "revision": material["modifications"][0]["revision"],
        }
    ]
    order = named(gocd(222), "fails").asked(body={"materials": revisions})
    last = gocd(171).asked(target="/go/api/pipelines/fails/history?page_size=10")
    run = Run(ref=RunRef(place=fails, number=1), state="failed", label="1")
    with serving(Script(gocd(258), gone, last, gocd(29), order)) as server:
        assert client(server).resume(run).ticket.startswith("1 ")


def test_nothing_to_take_up() -> None:
    done = Run(ref=RunRef(place=place(BUILD), number=1), state="passed", label="b-1")
    with serving(Script(gocd(172))) as server, pytest.raises(ServerError, match="no job of b-1 failed"):
        client(server).resume(done)


# ------------------------------------------------------------------------------------------ a whole life

WHOLE = pipeline("house-push", a_stage("prepare", "prepare"), a_stage("train", "lasso", "forest"))
GATED = {**WHOLE, "stages": [*WHOLE["stages"], a_stage("release", "release", manual=True)]}


def follow(gocd_client: GoCD, ref: RunRef, seconds: float = 20.0) -> tuple[Run, dict[str, str]]:
    """Watch a run to its end, approving what asks; the run, and the logs of its jobs."""
    until = time.monotonic() + seconds
    logs: dict[str, str] = {}
    positions: dict[str, str] = {}
    open_logs: dict[str, bool] = {}
    while True:
        run = gocd_client.run(ref)
        ref = run.ref
        for question in run.questions:
            with contextlib.suppress(ServerError):  # its answer was lost, so it asks again and is told
                gocd_client.approve(ref, question)
        for name in gocd_client.logs(run) if ref.number else ():
            while open_logs.get(name, True):
                chunk = gocd_client.log(ref, name, positions.get(name, ""))
                logs[name] = logs.get(name, "") + chunk.text
                positions[name], open_logs[name] = chunk.position, chunk.more
                if not chunk.text and chunk.more:
                    break
        if run.over and not any(open_logs.values()):
            return run, logs
        assert time.monotonic() < until, run
        time.sleep(0.02)


def started(model: GoCDModel, body: JSON) -> Place:
    model.pipelines[body["name"]] = ours(body)
    return place(body)


LOG = "[go] Job Started\none\ntwo\nthree\n[go] Job completed\n"


def test_a_run_from_its_start_to_its_end() -> None:
    model = GoCDModel()
    with serving(model) as server:
        gocd_client = client(server)
        ref = gocd_client.trigger(started(model, GATED), {})
        run, logs = follow(gocd_client, ref)
        assert (run.state, run.ref.number, run.cause) == ("passed", 1, "Forced by admin")
        assert {part.name: part.state for part in run.parts} == dict.fromkeys(
            ("prepare/prepare", "train/lasso", "train/forest", "release/release"), "passed"
        )
        assert set(logs.values()) == {LOG}
        assert len(logs) == 4


def test_a_failed_run_is_taken_up_and_passes() -> None:
    model = GoCDModel(fails=("train/lasso",))
    with serving(model) as server:
        gocd_client = client(server)
        run, _ = follow(gocd_client, gocd_client.trigger(started(model, WHOLE), {}))
        assert run.state == "failed"
        again, _ = follow(gocd_client, gocd_client.resume(run))
        assert (again.state, again.ref.number) == ("passed", 1)
        assert len(model.runs["house-push"]) == 1


def test_a_cancelled_run() -> None:
    model = GoCDModel(works=30.0)
    with serving(model) as server:
        gocd_client = client(server)
        ref = gocd_client.trigger(started(model, WHOLE), {})
        gocd_client.cancel(ref)
        assert follow(gocd_client, ref)[0].state == "cancelled"


@pytest.mark.parametrize("seed", range(3))
def test_a_run_is_followed_through_a_bad_network(seed: int) -> None:
    """The run is started once, approved once, and no line of its logs is lost or told twice."""
    model = GoCDModel(works=0.3)
    reading = Faults(seed, refuse=0.1, drop=0.1, truncate=0.1, unavailable=0.1, delay=0.005, in_a_row=3)
    with serving(model, reading) as server:
        gocd_client = client(server, patience=20.0)
        ref = gocd_client.trigger(started(model, GATED), {})
        run, logs = follow(gocd_client, ref, 60.0)
        assert len(reading.happened) > 5
        assert run.state == "passed"
        assert len(model.runs["house-push"]) == 1
        assert [stage.counter for stage in model.runs["house-push"][0].stages] == [1, 1, 1]
        assert set(logs.values()) == {LOG}


def test_a_lost_answer_to_a_start_is_looked_up_and_never_ordered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = GoCDModel()
    with serving(model, Faults(drop=1.0, methods=("POST",), at_most=1)) as server:
        ref = client(server).trigger(started(model, WHOLE), {})
        assert (ref.number, server.count("POST"), len(model.runs["house-push"])) == (1, 1, 1)
    model = GoCDModel(after=99.0)
    monkeypatch.setattr(steering, "LOOK", 0.3)
    with serving(model, Faults(drop=1.0, methods=("POST",), at_most=1)) as server:
        with pytest.raises(ServerUnavailable, match="before you start it again"):
            client(server).trigger(started(model, WHOLE), {})
        assert server.count("POST") == 1


def test_a_lost_answer_to_an_approval_is_looked_up() -> None:
    model = GoCDModel()
    with serving(model, Faults(drop=1.0, methods=("POST",), at_most=2)) as server:
        gocd_client = client(server)
        run, _ = follow(gocd_client, gocd_client.trigger(started(model, GATED), {}))
        assert run.state == "passed"
        assert server.count("POST", "/release/run") == 1


def test_a_history_longer_than_a_page_is_read_by_the_links_to_its_next_pages() -> None:
    body, model = pipeline("house-push", "train"), GoCDModel()
    model.pipelines["house-push"] = ours(body)
    for number in range(1, 231):
        ended = Stage("train", 1, [Job("train", began=float(number), works=1.0)])
        model.runs.setdefault("house-push", []).append(Ran(number, "admin", [], [ended]))
    with serving(model) as server:
        for most, pages in ((100, 1), (215, 3), (500, 3)):
            server.received.clear()
            found = client(server).runs(place(body), most)
            assert [run.ref.number for run in found] == list(range(230, max(0, 230 - most), -1))
            assert server.count("GET", "/history") == pages
