"""The commands that start, watch and steer runs, against a controller that remembers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pipegen.cli.watching import watch
from pipegen.deployed import Deployed
from pipegen.project import Project
from tests.servers.exchanges import needs_recordings
from tests.servers.jenkins_model import NOTE, JenkinsModel, Stage
from tests.servers.replay import Faults
from tests.servers.toy import PLACE, STAGES, TOKEN, ok, running, said
from tests.support.cli import pipegen

pytestmark = [needs_recordings, pytest.mark.usefixtures("soon")]


def deployed(folder: Path, model: JenkinsModel) -> None:
    """The project is there."""
    ok(pipegen("deploy", "--yes", cwd=folder))
    assert len(model.jobs) == 5


def test_trigger_follows_a_new_job_with_inputs_from_the_queue_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel((Stage("start"), *STAGES))
    with running(model, monkeypatch):
        deployed(folder, model)
        outcome = pipegen("trigger", "try", "--input", "size=large", "--follow", cwd=folder)
        text = ok(outcome)
    assert "started try on Jenkins" in outcome.err
    assert model.jobs[f"{PLACE}-try"].builds[0].parameters == {"size": "large"}
    for line in ("prepare: restored in", "train: ran in 2.5s"):
        assert line in text, text
    assert "toy" in text and "3 tests" in text and "r2 0.81" in text and "ag1" in text
    assert "3 of 3 done" in text


def test_a_run_that_fails_ends_the_following_with_1_and_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = said(
        "stage_finished", "train", outcome="failed", seconds=1.0, message="train failed: exit code 3"
    )
    model = JenkinsModel((STAGES[0], Stage("train", 0.05, fails=True, lines=(broken,)), Stage("later")))
    with running(model, monkeypatch):
        deployed(folder, model)
        outcome = pipegen("trigger", "nightly", "-f", cwd=folder)
        assert outcome.code == 1 and "train failed: exit code 3" in outcome.out
        assert "failed" in ok(pipegen("status", "nightly", cwd=folder))
        assert pipegen("watch", "nightly", cwd=folder).code == 1
        pictures = [
            json.loads(line) for line in pipegen("watch", "nightly", "--json", cwd=folder).out.splitlines()
        ]
        assert pictures[-1]["state"] == "failed" and pictures[-1]["commit"].startswith("3f53f07")
        states = {stage["name"]: stage["state"] for stage in pictures[-1]["stages"]}
        assert states == {"prepare": "passed", "train": "failed"}


def test_trigger_refuses_what_the_workflow_does_not_take(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(JenkinsModel(), monkeypatch) as server:
        for words, says in (
            (("try", "-i", "sise=large"), "has no input 'sise'; did you mean 'size'?"),
            (("try", "-i", "size=larg"), "'larg' is no choice for the input 'size'; did you mean 'large'?"),
            (("nightly", "-b", "x"), "runs on one branch on Jenkins"),
            ((), "which workflow? There are push, nightly, try"),
            (("nigthly",), "there is no workflow 'nigthly'"),
        ):
            outcome = pipegen("trigger", *words, cwd=folder)
            assert outcome.code == 3 and says in outcome.err, outcome.err
        assert not server.received
        missing = pipegen("trigger", "nightly", cwd=folder)
        assert missing.code == 7 and "is not on Jenkins: run `pipegen deploy jenkins` first" in missing.err


def test_a_branch_that_jenkins_has_not_seen_is_looked_for_and_built_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel(STAGES, branches=("main", "feature/one"))
    with running(model, monkeypatch):
        deployed(folder, model)
        ok(pipegen("trigger", "push", "--branch", "feature/one", "-f", cwd=folder))
        assert len(model.jobs[f"{PLACE}/feature%2Fone"].builds) == 1
        ok(pipegen("trigger", "push", "--branch", "feature/one", "-f", cwd=folder))
        assert len(model.jobs[f"{PLACE}/feature%2Fone"].builds) == 2
        wrong = pipegen("trigger", "push", "--branch", "other", cwd=folder)
        assert wrong.code == 7 and "takes no branch 'other', only main, feature/*" in wrong.err
        runs = ok(pipegen("status", cwd=folder))
        assert "push" in runs and "has not run yet" in runs and "passed" in runs


def test_logs_of_a_run_and_of_a_stage_are_whole_and_without_jenkins_notes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel(STAGES)
    with running(model, monkeypatch):
        deployed(folder, model)
        ok(pipegen("trigger", "nightly", cwd=folder))
        outcome = pipegen("logs", "--follow", cwd=folder)
        assert ok(outcome) and "the log of nightly #1" in outcome.err
        assert outcome.out == model.jobs[f"{PLACE}-nightly"].builds[0].log().replace(NOTE, "")
        stage = pipegen("logs", "prepare", "-w", "nightly", cwd=folder)
        assert stage.out == "".join(f"{line}\n" for line in STAGES[0].lines)
        wrong = pipegen("logs", "trane", "-w", "nightly", cwd=folder)
        assert wrong.code == 7 and "there is no stage 'trane' in #1; it has prepare, train" in wrong.err


def test_a_run_that_waits_for_a_person_is_approved_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel((STAGES[0], Stage("train", 0.05, asks="Promote to production?")))
    with running(model, monkeypatch):
        deployed(folder, model)
        ok(pipegen("trigger", "nightly", cwd=folder))
        time.sleep(0.3)
        assert "waits for" in ok(pipegen("status", "nightly", cwd=folder))
        asked = pipegen("approve", "nightly", cwd=folder)
        assert asked.code == 1 and "Approve nightly #1: Promote to production? Say --yes" in asked.err
        assert "approved nightly #1: Promote to production?" in ok(
            pipegen("approve", "nightly", "-y", cwd=folder)
        )
        ok(pipegen("watch", "nightly", cwd=folder))
        again = pipegen("approve", "nightly", "-y", cwd=folder)
        assert again.code == 1 and "waits for no approval: it is passed" in again.err

        ok(pipegen("trigger", "nightly", cwd=folder))
        time.sleep(0.3)
        assert "rejected nightly #2" in ok(pipegen("approve", "nightly", "--reject", "-y", cwd=folder))
        assert model.jobs[f"{PLACE}-nightly"].builds[1].result == "ABORTED"


def test_cancel_stops_a_build_or_takes_it_out_of_the_queue(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel((Stage("prepare", 60),), after=0.0)
    with running(model, monkeypatch):
        deployed(folder, model)
        ok(pipegen("trigger", "nightly", cwd=folder))
        assert "cancelled nightly #1" in ok(pipegen("cancel", "nightly", cwd=folder))
        assert model.jobs[f"{PLACE}-nightly"].builds[0].result == "ABORTED"
        assert "is over already: it is cancelled" in ok(pipegen("cancel", "nightly", cwd=folder))
        model.after = 60.0
        monkeypatch.setattr("pipegen.cli.trigger.NUMBERED_IN", 0.1)
        queued = ok(pipegen("trigger", "nightly", cwd=folder))
        assert "queued: In the quiet period" in queued
        ok(pipegen("cancel", "nightly", cwd=folder))
        assert not model.jobs[f"{PLACE}-nightly"].queue


def test_resume_restarts_from_the_stage_that_failed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = JenkinsModel((STAGES[0], Stage("train", 0.02, fails=True)))
    with running(model, monkeypatch) as server:
        deployed(folder, model)
        assert pipegen("trigger", "nightly", "-f", cwd=folder).code == 1
        model.stages = STAGES
        text = ok(pipegen("resume", "nightly", "-f", cwd=folder))
        assert "train" in text and server.count("POST", "restart/restartPipeline") == 1
        builds = model.jobs[f"{PLACE}-nightly"].builds
        assert [build.cause for build in builds][1] == "Restarted from build #1, stage train"
        nothing = pipegen("resume", "nightly", cwd=folder)
        assert nothing.code == 7 and "#2 passed: there is nothing to resume" in nothing.err


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_network_starts_nothing_twice_and_shows_every_line_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    model = JenkinsModel(STAGES)
    with running(model, monkeypatch):
        deployed(folder, model)
    faults = Faults(seed, refuse=0.1, drop=0.15, truncate=0.1, unavailable=0.1, delay=0.01)
    monkeypatch.setattr("pipegen.servers.jenkins.builds.APPEARS", 1.0)
    with running(model, monkeypatch, faults):
        text = ok(pipegen("trigger", "try", "-f", "-i", "size=large", cwd=folder))
        assert text.count("train: ran in 2.5s") == 1 and "2 of 3 done" in text
        log = ok(pipegen("logs", "-f", "-w", "try", cwd=folder))
        ok(pipegen("trigger", "nightly", "-f", cwd=folder))
    builds = model.jobs[f"{PLACE}-try"].builds
    assert [build.parameters for build in builds] == [{"size": "large"}]
    assert builds[0].log().replace(NOTE, "") in log
    assert len(model.jobs[f"{PLACE}-nightly"].builds) == 1
    assert faults.happened


@pytest.mark.parametrize("seed", [100, 109])
def test_a_bad_network_answers_stops_and_takes_up_a_run_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    asks = (STAGES[0], Stage("train", 0.05, asks="Go on?"), Stage("later", 0.02, fails=True))
    model = JenkinsModel(asks, branches=("main", "feature/a"))
    with running(model, monkeypatch):
        deployed(folder, model)
    faults = Faults(seed, refuse=0.12, drop=0.15, truncate=0.12, unavailable=0.1, delay=0.01)
    monkeypatch.setattr("pipegen.servers.jenkins.builds.APPEARS", 1.0)
    with running(model, monkeypatch, faults):
        ok(pipegen("trigger", "nightly", cwd=folder))
        until = time.monotonic() + 20
        while json.loads(pipegen("status", "nightly", "--json", cwd=folder).out)["state"] != "approval":
            assert time.monotonic() < until
        ok(pipegen("approve", "nightly", "--yes", cwd=folder))
        assert pipegen("watch", "nightly", cwd=folder).code == 1
        model.stages = (*STAGES, Stage("later", 60))
        ok(pipegen("resume", "nightly", cwd=folder))
        ok(pipegen("cancel", "nightly", cwd=folder))
        model.stages = STAGES
        ok(pipegen("trigger", "push", "-b", "feature/a", "-f", cwd=folder))
    assert [build.result for build in model.jobs[f"{PLACE}-nightly"].builds] == ["FAILURE", "ABORTED"]
    assert len(model.jobs[f"{PLACE}/feature%2Fa"].builds) == 1 and len(faults.happened) > 2


def test_ctrl_c_ends_the_watching_and_never_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = JenkinsModel((Stage("prepare", 60),))
    with running(model, monkeypatch) as server:
        deployed(folder, model)
        ok(pipegen("trigger", "nightly", cwd=folder))

        def interrupt_once_it_watches() -> None:
            while not server.count("GET", "progressiveText"):
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt_once_it_watches, daemon=True).start()
        outcome = pipegen("watch", "nightly", cwd=folder)
        assert outcome.code == 130 and "the run goes on: `pipegen watch nightly`" in outcome.err
        assert server.count("POST", "/stop") == 0
        assert model.jobs[f"{PLACE}-nightly"].builds[0].result is None


def test_which_server_is_meant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = pipegen("status", "nightly", cwd=folder)
    assert nowhere.code == 7 and "no server is configured: set PIPEGEN_JENKINS_URL" in nowhere.err
    monkeypatch.setenv("PIPEGEN_JENKINS_URL", "http://127.0.0.1:9/jenkins")
    monkeypatch.setenv("PIPEGEN_GOCD_URL", "http://127.0.0.1:9/go")
    text = (folder / "pipegen.yaml").read_text()
    (folder / "pipegen.yaml").write_text(
        text.replace("{jenkins: {folder: ml/toys}}", "{jenkins: {}, gocd: {}}")
    )
    both = pipegen("status", "nightly", cwd=folder)
    assert (
        both.code == 7 and "which server? jenkins and gocd are configured: say --server jenkins" in both.err
    )
    other = pipegen("status", "nightly", "--server", "jenkinz", cwd=folder)
    assert other.code == 7 and "there is no server 'jenkinz'; there are jenkins, gocd" in other.err
    assert TOKEN not in both.text


def test_history_lists_the_last_runs_on_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = JenkinsModel((Stage("prepare", 0.01),), after=0.0)
    with running(model, monkeypatch):
        deployed(folder, model)
        assert "nothing has run there yet" in ok(pipegen("history", "-s", "jenkins", cwd=folder))
        for _ in range(3):
            ok(pipegen("trigger", "nightly", "-f", cwd=folder))
        lines = ok(pipegen("history", "--server", "jenkins", "-n", "2", cwd=folder)).splitlines()
        assert [line.split()[:3] for line in lines] == [
            ["nightly", "#3", "passed"],
            ["nightly", "#2", "passed"],
        ]
        data = json.loads(pipegen("history", "-s", "jenkins", "-w", "nightly", "--json", cwd=folder).out)
        assert [run["number"] for run in data] == [3, 2, 1] and data[0]["cause"] == "Started by user admin"


class Terminal(io.StringIO):
    """Text in memory that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_picture_is_redrawn_and_its_last_state_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with running(JenkinsModel(STAGES), monkeypatch), contextlib.redirect_stdout(Terminal()) as screen:
        there = Deployed.of(Project.open(folder), "jenkins")
        for change in there.server.compare(there.deployment):
            there.server.apply(change)
        follower = there.follow(there.trigger(there.place("nightly"), {}))
        assert watch(follower).state == "passed"
    text = screen.getvalue()
    assert text.count("toy nightly 1 on Jenkins: ") > 2 and "\x1b[2K" in text
    assert "r2 0.81" in text.rpartition("\x1b[2K")[2] and text.endswith("2 of 2 done\x1b[0m\n")


def test_jenkins_has_nothing_to_unlock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEGEN_JENKINS_URL", "http://127.0.0.1:9/jenkins")
    outcome = pipegen("unlock", "nightly", cwd=folder)
    assert outcome.code == 7 and "Jenkins has no lock of its own" in outcome.err
