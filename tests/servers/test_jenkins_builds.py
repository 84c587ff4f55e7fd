"""The client for Jenkins: builds, logs, questions, restarts, against what a real controller answered."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipegen.errors import AccessRefused, NotOnServer, ServerError
from pipegen.servers import Run
from pipegen.servers.jenkins.builds import BUILD
from pipegen.servers.model import Question
from tests.servers.exchanges import Exchange, jenkins, needs_recordings
from tests.servers.jenkins_client import client, place, ref
from tests.servers.replay import Faults, Script, serving

pytestmark = needs_recordings


def job(name: str, **changes: object) -> Exchange:
    """What Jenkins says of a job before a build of it is started."""
    recorded = jenkins("27")
    asked = recorded.asked(target=recorded.target.replace("c-inline", name))
    return asked.answered(body=json.dumps({**recorded.json(), **changes}))


def builds(name: str, *found: str, most: int, waiting: object = None, **changes: object) -> Exchange:
    """The list of a job's last builds."""
    data = {"queueItem": waiting, "builds": [{**jenkins(number).json(), **changes} for number in found]}
    tree = f"inQueue,queueItem[id,why],builds[{BUILD}]{{0,{most}}}"
    return (
        jenkins("27")
        .asked(target=f"/jenkins/job/{name}/api/json?tree={tree}")
        .answered(body=json.dumps(data))
    )


def stages(name: str, number: int, recording: str = "68c") -> Exchange:
    """The stages of a build."""
    return jenkins(recording).asked(target=f"/jenkins/job/{name}/{number}/stages/tree")


# ---------------------------------------------------------------------------------------------- starting


def test_the_first_trigger_of_a_job_with_parameters_works() -> None:
    form = jenkins("49").asked(body="LR=0.5&B=true&C=y")
    with serving(Script(job("c-param"), form)) as server:
        given = {"LR": "0.5", "B": "true", "C": "y"}
        started = client(server).trigger(place("c-param", inputs=("LR", "B", "C")), given)
    assert started.ticket == "8" and started.number is None
    with serving(Script(job("c-param"), form.asked(body=None, headers={"Content-Type": None}))) as server:
        assert client(server).trigger(place("c-param", inputs=("LR", "B", "C")), {}).ticket == "8"


def test_a_branch_is_started_with_parameters_once_its_job_knows_them() -> None:
    where = place("mb", folder="pgfolder2", branch="main", inputs=("ALPHA",))
    told = "/jenkins/job/pgfolder2/job/mb/job/main/"
    asked = jenkins("27").asked(target=told + "api/json?" + jenkins("27").target.partition("?")[2])
    learned = [{"_class": "hudson.model.ParametersDefinitionProperty"}]
    knows = asked.answered(body=json.dumps({**jenkins("27").json(), "property": learned}))
    first = jenkins("30").asked(target=told + "build?delay=0sec")
    later = jenkins("mb-ad").asked(target=told + "buildWithParameters?delay=0sec", body="ALPHA=0.9")
    later = later.asked(headers={"Content-Type": "application/x-www-form-urlencoded"})
    with serving(Script(asked, first, knows, later)) as server:
        driver = client(server)
        assert driver.trigger(where, {}).ticket == "4"
        assert driver.trigger(where, {"ALPHA": "0.9"}).ticket == "557"


@pytest.mark.parametrize(
    ("number", "inputs", "error", "says"),
    [
        ("46", ("LR",), ServerError, "Jenkins refuses: c-param is not parameterized (400)"),
        ("49b", ("C",), ServerError, "Jenkins failed with 500"),
        ("49c", (), ServerError, "Jenkins refuses: This page expects a form submission"),
        ("59b", (), ServerError, "is not buildable (409)"),
        ("90d", (), AccessRefused, "the permission Item/Build is missing"),
    ],
)
def test_what_jenkins_does_not_start(
    number: str, inputs: tuple[str, ...], error: type[ServerError], says: str
) -> None:
    recorded = jenkins(number)
    name = recorded.target.split("/job/")[1].split("/")[0]
    how = "buildWithParameters" if inputs else "build"
    given = {inputs[0]: "nope" if number == "49b" else "0.5"} if inputs else {}
    answered = recorded.asked(target=f"/jenkins/job/{name}/{how}?delay=0sec", headers={"Authorization": None})
    with (
        serving(
            Script(
                job(name),
                answered.any_body().asked(headers={"Content-Type": None}) if not inputs else answered,
            )
        ) as server,
        pytest.raises(error) as failure,
    ):
        client(server).trigger(place(name, inputs=inputs), given)
    assert says in failure.value.message and "<" not in failure.value.message


def test_a_disabled_job_is_not_started() -> None:
    with (
        serving(Script(job("c-copy", buildable=False))) as server,
        pytest.raises(ServerError, match="is disabled"),
    ):
        client(server).trigger(place("c-copy"), {})


def test_a_lost_answer_to_a_start_is_looked_up_in_queue_and_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipegen.servers.jenkins.builds.APPEARS", 0.0)
    lost = Faults(drop=1.0, methods=("POST",), at_most=1)
    queued = builds("c-inline", most=1, waiting={"id": 7, "why": "x"})
    with serving(Script(job("c-inline"), jenkins("30"), queued), lost) as server:
        assert client(server).trigger(place("c-inline"), {}).ticket == "7"
    lost = Faults(drop=1.0, methods=("POST",), at_most=1)
    with serving(Script(job("c-inline"), jenkins("30"), builds("c-inline", "39", most=1)), lost) as server:
        assert client(server).trigger(place("c-inline"), {}).number == 1
    never = Faults(refuse=1.0, methods=("POST",), at_most=1)
    with serving(Script(job("c-inline"), builds("c-inline", most=1), jenkins("30")), never) as server:
        assert client(server).trigger(place("c-inline"), {}).ticket == "4"
    away = Faults(refuse=1.0, methods=("POST",), in_a_row=9)
    nothing = [builds("c-inline", most=1)] * 3
    with (
        serving(Script(job("c-inline"), *nothing), away) as server,
        pytest.raises(ServerError, match="it is not known whether c-inline was started: look at http"),
    ):
        client(server).trigger(place("c-inline"), {})


def test_a_branch_has_its_own_job_whose_name_is_quoted_twice() -> None:
    branch = jenkins("mb-a5")
    where = place("mb", folder="pgfolder2", branch="feature/one")
    tree = f"inQueue,queueItem[id,why],builds[{BUILD}]{{0,1}}"
    listed = branch.asked(target=f"/jenkins/job/pgfolder2/job/mb/job/feature%252Fone/api/json?tree={tree}")
    found = {"builds": [jenkins("mb-a6").json()]}
    with serving(Script(listed.answered(body=json.dumps(found)))) as server:
        (run,) = client(server).runs(where, 1)
        target = server.received[0].target
    assert "/job/feature%252Fone/" in target
    assert (run.state, run.cause, run.revision[:8]) == ("passed", "Branch indexing", "3f53f07a")


# ---------------------------------------------------------------------------------------------- looking


def test_a_queue_item_becomes_a_build() -> None:
    with serving(Script(jenkins("31"), jenkins("39"), stages("c-inline", 1))) as server:
        run = client(server).run(ref("c-inline", ticket="4"))
        assert (run.ref.number, run.state, run.label, run.cause) == (
            1,
            "passed",
            "#1",
            "Started by user admin",
        )
        assert run.url == f"{server.url}/jenkins/job/c-inline/1/" and run.seconds == 6.514
    assert [(part.name, part.state, part.agent) for part in run.parts] == [
        ("ok", "passed", "built-in"),
        ("bad", "failed", "built-in"),
        ("later", "skipped", "built-in"),
        ("Post Actions", "passed", "built-in"),
    ]


def test_why_a_build_waits_or_was_never_made() -> None:
    with serving(Script(jenkins("51"), jenkins("53"), jenkins("97f"))) as server:
        driver = client(server)
        assert driver.run(ref("c-long", ticket="12")).reason == "In the quiet period. Expires in 59 sec"
        assert driver.run(ref("c-long", ticket="12")).state == "cancelled"
        waits = driver.run(ref("c-noconc", ticket="502"))
    assert waits.state == "queued" and "is already in progress" in waits.reason


def test_a_queue_item_that_jenkins_forgot_is_found_among_the_builds() -> None:
    listing = builds("c-inline", "39", most=20, queueId=999999)
    listing = listing.asked(target=f"/jenkins/job/c-inline/api/json?tree=builds[{BUILD}]{{0,20}}")
    with serving(Script(jenkins("45"), listing, jenkins("39"), stages("c-inline", 1))) as server:
        assert client(server).run(ref("c-inline", ticket="999999")).ref.number == 1
    with (
        serving(Script(jenkins("45"), listing.answered(body='{"builds":[]}'))) as server,
        pytest.raises(NotOnServer, match="has forgotten the queue item 999999"),
    ):
        client(server).run(ref("c-inline", ticket="999999"))


def test_parallel_and_nested_stages_are_all_shown() -> None:
    build = jenkins("33").asked(target="/jenkins/job/full/1/api/json")
    with serving(Script(build, stages("full", 1, "66"))) as server:
        run = client(server).run(ref("full", 1))
    names = [part.name for part in run.parts]
    assert names[:6] == ["Build", "Par", "A", "B", "B1", "B2"]
    assert run.state == "running" and not run.over


def test_without_the_graph_plugin_the_stages_come_from_the_stage_view() -> None:
    build = jenkins("68")
    missing = jenkins("66b").asked(target="/jenkins/job/c-fail/1/stages/tree")
    with serving(Script(build, missing, jenkins("68b"))) as server:
        run = client(server).run(ref("c-fail", 1))
    assert [(part.name, part.state) for part in run.parts][:2] == [("ok", "passed"), ("bad", "failed")]
    assert run.parts[1].reason == "script returned exit code 7" and run.state == "failed"


def test_a_file_that_does_not_compile_has_no_stages_and_says_where_to_look() -> None:
    build = jenkins("68").asked(target="/jenkins/job/full/1/api/json")
    missing = jenkins("66b").asked(target="/jenkins/job/full/1/stages/tree")
    with serving(Script(build, missing, jenkins("68e"))) as server:
        run = client(server).run(ref("full", 1))
    assert (run.state, run.parts) == ("failed", ()) and "`pipegen logs` shows how" in run.reason


def test_an_unstable_and_an_aborted_build() -> None:
    aborted = jenkins("57"), stages("c-long", 1)
    with serving(Script(jenkins("62"), stages("c-test", 1), *aborted)) as server:
        driver = client(server)
        assert driver.run(ref("c-test", 1)).state == "warned"
        assert driver.run(ref("c-long", 1)).state == "cancelled"


def test_what_never_ran_or_is_gone() -> None:
    listing = builds("c-inline", most=1)
    with serving(Script(jenkins("42"), listing, jenkins("24").asked(target=listing.target))) as server:
        driver = client(server)
        with pytest.raises(NotOnServer, match="c-inline has no build 999; old ones are discarded"):
            driver.run(ref("c-inline", 999))
        with pytest.raises(NotOnServer, match="push has not run on Jenkins yet; `pipegen trigger` starts it"):
            driver.latest(place("c-inline"))
        with pytest.raises(
            NotOnServer, match="c-inline is not on Jenkins: run `pipegen deploy jenkins` first"
        ):
            driver.latest(place("c-inline"))


# ---------------------------------------------------------------------------------------------- logs


def test_a_log_comes_in_pieces_without_notes_and_each_once() -> None:
    pieces = jenkins("34"), jenkins("35"), jenkins("36")
    with serving(Script(*pieces)) as server:
        driver, position, text = client(server), "", ""
        for more in (True, True, False):
            chunk = driver.log(ref("c-inline", 1), "", position)
            assert chunk.more is more
            position, text = chunk.position, text + chunk.text
    assert position == "4437" and "\x1b" not in text and "ha:" not in text
    assert text.startswith("Started by user admin\n[Pipeline] Start of Pipeline\n")
    assert [text.count(f"+ echo line {n}\n") for n in range(1, 6)] == [1] * 5
    assert text == jenkins("38").answer.body.decode()


def test_a_log_that_became_shorter_is_not_given_again() -> None:
    with serving(Script(jenkins("36b"))) as server:
        chunk = client(server).log(ref("c-inline", 1), "", "99999999")
    assert (chunk.text, chunk.position) == ("", "99999999")


def test_the_log_of_one_stage_is_that_of_its_steps() -> None:
    shown = jenkins("65b").asked(target="/jenkins/job/c-test/1/wfapi/describe")
    missing = jenkins("66b").asked(target="/jenkins/job/c-test/1/stages/tree")
    archive = jenkins("65d").asked(target="/jenkins/job/c-test/1/execution/node/8/wfapi/log")
    archive = archive.answered(body=json.dumps({"nodeId": "8", "length": 21, "hasMore": False, "text": "Archiving &lt;a&gt; <b>b</b>\n"}))  # fmt: skip # noqa: E501
    script = (jenkins("62"), missing, shown, jenkins("65c"), jenkins("65d"), archive)
    with serving(Script(*script, *script)) as server:
        driver = client(server)
        chunk = driver.log(ref("c-test", 1), "Train")
        assert chunk.text.startswith("+ mkdir -p models\n+ echo m1\n+ echo {}\n") and not chunk.more
        assert driver.log(ref("c-test", 1), "Train", chunk.position).text == ""
    with (
        serving(Script(jenkins("62"), missing, shown)) as server,
        pytest.raises(NotOnServer, match="build #1 has no stage 'Trane'; it has Train, Test, After"),
    ):
        client(server).log(ref("c-test", 1), "Trane")


# ---------------------------------------------------------------------------------------------- steering

ASKED = Question(id="6f7351657f795bc1357a53142b1184cc", part="Approve", message="Deploy?")


def paused() -> tuple[Exchange, ...]:
    """A build that waits for a person."""
    missing = jenkins("66b").asked(target="/jenkins/job/c-input/1/stages/tree")
    return jenkins("67c"), missing, jenkins("67a"), jenkins("67")


def test_a_question_is_shown_and_answered() -> None:
    answered = jenkins("67f").asked(body="json=%7B%22parameter%22%3A+%5B%5D%7D&proceed=Proceed")
    with serving(Script(*paused(), answered)) as server:
        driver = client(server)
        run = driver.run(ref("c-input", 1))
        (question,) = run.questions
        assert (run.state, question.message, question.part) == ("approval", "Deploy?", "Approve")
        driver.approve(run.ref, question)
    with serving(Script(jenkins("67j"))) as server:
        client(server).approve(ref("c-input", 2), ASKED, accept=False)


def test_an_answer_that_is_not_taken() -> None:
    target, body = jenkins("67f").target, "json=%7B%22parameter%22%3A+%5B%5D%7D&proceed=Proceed"
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": None}
    forbidden = jenkins("67e").asked(target=target, body=body, headers=form)
    gone = jenkins("67i").asked(target=target, body=body, headers=form)
    with serving(Script(forbidden, gone)) as server:
        driver = client(server)
        with pytest.raises(ServerError, match=r"Jenkins refuses: You need to be admin to submit this\."):
            driver.approve(ref("c-input", 1), ASKED)
        with pytest.raises(NotOnServer, match=r"nobody waits any more for 'Deploy\?'"):
            driver.approve(ref("c-input", 1), ASKED)
    lost = Faults(drop=1.0, methods=("POST",), at_most=1)
    answered = jenkins("67f").asked(body=body)
    over = jenkins("68").asked(target="/jenkins/job/c-input/1/api/json"), stages("c-input", 1)
    with serving(Script(answered, *over), lost) as server:
        client(server).approve(ref("c-input", 1), ASKED)
        assert server.count("POST") == 1


def test_a_build_is_stopped_and_a_queue_item_taken_out() -> None:
    with serving(Script(jenkins("56"), jenkins("58"), jenkins("51"), jenkins("52"))) as server:
        driver = client(server)
        driver.cancel(ref("c-long", 1))
        driver.cancel(ref("c-long", 1))
        driver.cancel(ref("c-long", ticket="12"))
    with serving(Script(jenkins("58b"))) as server, pytest.raises(NotOnServer):
        client(server).cancel(ref("c-long", 77))


def failed(name: str, number: int) -> Run:
    return Run(ref=ref(name, number), state="failed", label=f"#{number}")


def test_a_failed_build_is_restarted_from_its_first_bad_stage() -> None:
    tree = stages("c-restart", 1)
    data = tree.json()
    data["data"]["stages"][1]["name"] = "two"
    newest = jenkins("27").asked(target="/jenkins/job/c-restart/api/json?tree=nextBuildNumber")
    newest = newest.answered(body='{"nextBuildNumber":3}')
    seen = builds("c-restart", "96d", most=1)
    with serving(Script(tree.answered(body=json.dumps(data)), newest, jenkins("96c"), seen)) as server:
        again = client(server).resume(failed("c-restart", 1))
    assert again.number == 3


def test_what_can_not_be_restarted_is_built_anew_with_the_same_inputs() -> None:
    tree, where = stages("c-param", 1), place("c-param", inputs=("LR",))
    newest = jenkins("27").asked(target="/jenkins/job/c-param/api/json?tree=nextBuildNumber")
    no_restart = jenkins("58b").asked(
        target="/jenkins/job/c-param/1/restart/restartPipeline",
        body="stageName=bad",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    given = jenkins("40").asked(target="/jenkins/job/c-param/1/api/json?tree=actions[parameters[name,value]]")
    given = given.answered(
        body='{"actions":[{},{"parameters":[{"name":"LR","value":0.5},{"name":"OLD","value":"x"}]}]}'
    )
    start = jenkins("49").asked(body="LR=0.5")
    with serving(Script(tree, newest, no_restart, given, job("c-param"), start)) as server:
        run = Run(ref=replace(ref("c-param", 1), place=where), state="failed", label="#1")
        assert client(server).resume(run).ticket == "8"


def test_what_is_not_over_or_passed_is_not_resumed() -> None:
    with serving(Script()) as server:
        for state, says in (
            ("running", "#1 still runs"),
            ("passed", "#1 passed: there is nothing to resume"),
        ):
            with pytest.raises(ServerError, match=says):
                client(server).resume(replace(failed("c-fail", 1), state=state))
