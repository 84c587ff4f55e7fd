"""Generated files, run: what they do on a controller with agents, whatever pipegen does there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import stand_in
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build, RunningBuild
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.credentials import File, UserPassword
from tests.doubles.jenkins.double import JenkinsDouble, Stuck
from tests.doubles.jenkins.gates import Answer
from tests.doubles.jenkins.project import Project, make
from tests.doubles.jenkins.scm import Change, git
from tests.support.descriptions import diamond

pytestmark = pytest.mark.java

LAYOUTS = ["levels", "chain", "graph"]
ALL = {"a", "b", "end", "fan.x", "fan.y", "fan.z"}
Serve = Callable[..., tuple[JenkinsDouble, Project]]


@pytest.fixture
def serve(jenkins: Make, tmp_path: Path) -> Serve:
    """Generates a description's files, and gives them to a controller whose agents have the stand-in."""
    machine = stand_in.install(tmp_path / "bin")

    def one(
        data: dict[str, Any],
        layout: str,
        agents: int | dict[str, set[str]] = 2,
        files: dict[str, str] | None = None,
        **options: Any,
    ) -> tuple[JenkinsDouble, Project]:
        kinds = {f"agent{n}": {"linux"} for n in range(1, agents + 1)} if isinstance(agents, int) else agents
        made = [Agent(name, labels, env=machine) for name, labels in kinds.items()]
        project = make(tmp_path / f"origin-{jenkins.made}", data, layout, files)
        return jenkins(*made, repo=project.path, **options), project

    return one


def described(**more: Any) -> dict[str, Any]:
    return diamond(agents={"linux": {"jenkins": {"label": "linux"}}}, **more)


def fragments(build: Build, stage: str = "end") -> set[str]:
    """The stages whose fragments had reached a stage: archived by a behaviour that copies its own."""
    return set((build.artifacts / f".pipegen/logs/{stage}.seen").read_text().split())


SEEN = {"behaviour/end": 'cp "$fragment" $work/logs/end.seen\n'}


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_fragment_reaches_the_end(serve: Serve, layout: str, agents: int) -> None:
    double, project = serve(described(), layout, agents, SEEN)
    build = double.build(project.jenkinsfile)
    assert build.result == "SUCCESS"
    assert fragments(build) == ALL
    assert max(build.most_busy.values()) == 1
    assert len(build.most_busy) == agents
    assert {stage.status for stage in build.stages} == {"SUCCESS"}
    assert {path.name for path in build.artifacts.rglob("*.log")} == {f"{name}.log" for name in ALL}


@pytest.mark.parametrize("layout", ["levels", "graph"])
def test_jobs_of_a_level_run_at_once(serve: Serve, tmp_path: Path, layout: str) -> None:
    met = "[ -e {0}/x ] && [ -e {0}/y ] && [ -e {0}/z ]"
    wait = f"until {met}; do n=$((n+1)); [ $n -lt 500 ] || exit 9; sleep 0.01; done"
    scripts = {f"behaviour/fan.{n}": f"touch {tmp_path}/{n}; n=0; {wait.format(tmp_path)}\n" for n in "xyz"}
    double, project = serve(described(), layout, 3, scripts)
    assert double.build(project.jenkinsfile).result == "SUCCESS"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_failure_ends_the_build_and_keeps_what_was_made(serve: Serve, layout: str) -> None:
    double, project = serve(described(), layout, 2, {"behaviour/fan.y": "exit 3\n"})
    build = double.build(project.jenkinsfile)
    assert build.result == "FAILURE"
    assert build.error == "script returned exit code 3"
    ran = {call.script.split()[3] for call in build.calls if call.script.startswith("exec pipegen exec")}
    assert ran == {"a", "b", "fan@x", "fan@y"} | ({"fan@z"} if layout != "chain" else set())
    assert build.statuses["fan@y"] == "FAILED"
    assert (build.artifacts / ".pipegen/logs/fan.y.log").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_next_build_runs_after_a_mended_failure(serve: Serve, layout: str) -> None:
    double, project = serve(described(), layout, 2, {"behaviour/fan.y": "exit 3\n", **SEEN})
    assert double.build(project.jenkinsfile).result == "FAILURE"
    project.commit({"behaviour/fan.y": "true\n"})
    assert fragments(double.build(project.jenkinsfile)) == ALL


@pytest.mark.parametrize("layout", ["levels", "chain"])
def test_restart_from_a_stage_finds_the_fragments_of_the_first_run(
    serve: Serve, tmp_path: Path, layout: str
) -> None:
    behaviour = f"[ -e {tmp_path}/mended ] || exit 3\n" + SEEN["behaviour/end"]
    double, project = serve(described(), layout, 2, {"behaviour/end": behaviour})
    first = double.build(project.jenkinsfile)
    assert first.result == "FAILURE"
    (tmp_path / "mended").touch()
    second = double.build(project.jenkinsfile, restart=(first, "end"))
    assert second.result == "SUCCESS"
    assert [call.script for call in second.calls if " exec " in call.script] == [
        "exec pipegen exec end --lock"
    ]
    assert fragments(second) == ALL


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_agent_lost_in_a_command_is_replaced(serve: Serve, layout: str) -> None:
    taken: list[str] = []

    def lose(line: str, build: RunningBuild) -> None:
        if line == "sleeping" and not taken:
            taken.append(next(iter(build.controller.agents.busy())))
            build.lose(taken[0])

    script = {"behaviour/b": "echo sleeping; sleep 1\n", **SEEN}
    double, project = serve(described(), layout, 2, script)
    build = double.build(project.jenkinsfile, on_line=lose)
    assert build.result == "SUCCESS"
    assert fragments(build) == ALL
    tried = [(call.agent, call.code) for call in build.calls if call.script == "exec pipegen exec b"]
    assert [code for _, code in tried] == [None, 0]
    assert tried[0][0] == taken[0] != tried[1][0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_aborted_build_ends_its_commands_and_publishes(serve: Serve, layout: str) -> None:
    def abort(line: str, build: RunningBuild) -> None:
        if line == "sleeping":
            threading.Thread(target=build.abort).start()

    script = {"behaviour/b": "sleep 60 & echo sleeping; wait\n"}
    double, project = serve(described(), layout, 1, script)
    build = double.build(project.jenkinsfile, on_line=abort)
    assert build.result == "ABORTED"
    assert not [call for call in build.calls if "fan@" in call.script]
    assert (build.artifacts / ".pipegen/logs/b.log").exists()
    assert double.idle()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_command_that_never_ends_is_timed_out(serve: Serve, layout: str) -> None:
    """Above pipegen's own time-out stands the server's: of 70 minutes, here of 0.7 seconds."""
    double, project = serve(described(), layout, 2, {"behaviour/end": "sleep 60\n"}, time_scale=1 / 6000)
    build = double.build(project.jenkinsfile)
    assert build.result == "ABORTED"
    assert "Timeout has been exceeded" in build.log[-2]
    assert build.statuses["end"] == "ABORTED"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_label_that_nobody_has_is_told(serve: Serve, layout: str) -> None:
    double, project = serve(described(), layout, {"other": {"windows"}}, limit=2.0)
    with pytest.raises(Stuck, match="waiting in node 'linux'"):
        double.build(project.jenkinsfile)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_other_branches_take_no_agent(serve: Serve, layout: str) -> None:
    double, project = serve(described(), layout)
    project.branch("other", {"x": "1"})
    build = double.build(project.jenkinsfile, branch="other")
    assert build.result == "SUCCESS"
    assert build.most_busy == {}
    assert build.calls == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_secret_reaches_its_stage_and_no_log(serve: Serve, layout: str) -> None:
    secret = 'it\'s $HOME & "more"'
    data = described(
        secrets={
            "s3": {"env": ["ID", "KEY"], "jenkins": {"id": "aws", "type": "username_password"}},
            "cert": {"env": ["CERT"], "jenkins": {"id": "cert", "type": "file"}},
        }
    )
    data["stages"]["end"]["ci"] = {"secrets": ["s3", "cert"]}
    show = 'echo "id $ID key $KEY"; cat "$CERT"; stat -c %a "$CERT"\n'
    scripts = {"behaviour/end": show, "behaviour/a": 'echo "nothing: $ID$KEY$CERT"\n'}
    credentials = {"aws": UserPassword("me", secret), "cert": File("c.pem", "the certificate\n")}
    double, project = serve(data, layout, 2, scripts, credentials=credentials)
    build = double.build(project.jenkinsfile)
    assert build.result == "SUCCESS"
    log = "\n".join(build.log)
    assert "id me key ****" in log
    assert "nothing: \n" in log
    assert "the certificate" in log
    assert "600" in build.log
    assert secret not in log
    (command,) = [call for call in build.calls if call.script == "exec pipegen exec end --lock"]
    assert command.env["KEY"] == secret
    assert not Path(command.env["CERT"]).exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_mutex_holds_over_builds_and_waiting_takes_no_agent(serve: Serve, layout: str) -> None:
    data = described(workflows={"push": {"on": {"push": {"branches": ["main", "dev"]}}}})
    data["stages"]["end"]["ci"] = {"mutex": ["db", "gpu"]}
    double, project = serve(data, layout, 4, {"behaviour/end": "sleep 0.5\n"})
    project.branch("dev", {"x": "1"})
    running = [double.start(project.jenkinsfile, branch=branch) for branch in ("main", "dev")]
    builds = [each.wait() for each in running]
    first, second = sorted(
        (call for build in builds for call in build.calls if call.script == "exec pipegen exec end --lock"),
        key=lambda call: call.start,
    )
    assert first.end <= second.start
    assert double.controller.locks.held() == {}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_newer_commit_ends_the_older_build_of_its_branch(serve: Serve, layout: str) -> None:
    double, project = serve(described(), layout, 2, SEEN)
    double.build(project.jenkinsfile)  # from then on the job knows what its file says
    project.commit({"behaviour/b": "echo sleeping; sleep 60\n"})
    slow = threading.Event()
    older = double.start(
        project.jenkinsfile, on_line=lambda line, _: slow.set() if line == "sleeping" else None
    )
    assert slow.wait(30)
    project.commit({"behaviour/b": "true\n"})
    newer = double.build(project.jenkinsfile)
    assert newer.result == "SUCCESS"
    assert fragments(newer) == ALL
    ended = older.wait()
    assert (ended.result, ended.error) == ("NOT_BUILT", f"Superseded by #{newer.number}")


def release(**approve: Any) -> dict[str, Any]:
    workflow = {
        "on": "manual",
        "promote": {"model": "toy", "from": "staging", "to": "production"},
        "approve": {"by": "leads", **approve},
    }
    return described(
        workflows={"release": workflow},
        models={"toy": {"path": "end.json"}},
        people={"leads": {"jenkins": ["ann", "bob"]}},
        environments={"production": {"deploy": "true"}, "staging": {"deploy": "true"}},
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_a_lead_can_approve_and_waiting_takes_no_agent(serve: Serve, layout: str) -> None:
    double, project = serve(release(), layout)
    busy: list[dict[str, int]] = []

    def look(line: str, build: RunningBuild) -> None:
        if line == "Input requested":
            busy.append(build.controller.agents.busy())

    answers = [Answer("eve"), Answer("bob", after=0.3)]
    text = project.files["ci/Jenkinsfile.release"]
    build = double.build(text, branch=None, answers=answers, on_line=look)
    assert build.result == "SUCCESS"
    assert busy == [{}]
    (command,) = [call for call in build.calls if call.script.startswith("exec pipegen promote")]
    assert command.env["APPROVER"] == "bob"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("answers", [[Answer("ann", approve=False)], []], ids=["refused", "timed out"])
def test_without_approval_nothing_is_promoted(serve: Serve, layout: str, answers: list[Answer]) -> None:
    double, project = serve(release(timeout="1m"), layout, time_scale=1 / 6000)
    build = double.build(project.files["ci/Jenkinsfile.release"], branch=None, answers=answers)
    assert build.result == "ABORTED"
    assert not [call for call in build.calls if call.script.startswith("exec pipegen promote")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_plain_job_stays_on_the_commit_it_began_with(serve: Serve, layout: str) -> None:
    workflows = {"nightly": {"on": {"schedule": "0 6 * * *"}}}
    note = "git rev-parse HEAD > $work/logs/end.commit\n"
    double, project = serve(described(workflows=workflows), layout, 2, {"behaviour/end": note})
    began = git(project.path, "rev-parse", "HEAD")

    def push(line: str, build: RunningBuild) -> None:
        if line == "pipegen exec b":
            project.commit({"newer": "1"})

    build = double.build(project.files["ci/Jenkinsfile.nightly"], branch=None, on_line=push)
    assert build.result == "SUCCESS"
    assert git(project.path, "rev-parse", "HEAD") != began
    assert (build.artifacts / ".pipegen/logs/end.commit").read_text().strip() == began


@pytest.mark.parametrize("layout", LAYOUTS)
def test_agents_build_one_tree_of_a_pull_request_by_different_commits(serve: Serve, layout: str) -> None:
    workflows = {
        "push": {"on": {"push": {"branches": ["main"]}}},
        "review": {"on": "pull_request", "gates": ["good"]},
    }
    note = 'git rev-parse "HEAD^{tree}" > $work/logs/$name.tree; echo "fork $CHANGE_FORK"\n'
    scripts = {f"behaviour/{name}": note for name in ALL}
    double, project = serve(described(workflows=workflows), layout, 2, scripts)
    project.branch("topic", {"new": "1"})
    project.commit({"elsewhere": "1"})
    build = double.build(project.jenkinsfile, change=Change("7", "topic", fork="somebody"))
    assert build.result == "SUCCESS"
    trees = {path.read_text() for path in build.artifacts.rglob("*.tree")}
    assert len(trees) == 1
    assert "fork somebody" in build.log
    assert [call.script for call in build.calls if " gate " in call.script] == [
        "exec pipegen gate good --workflow review"
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_with_shell_syntax_are_only_names(serve: Serve, tmp_path: Path, layout: str) -> None:
    """Branch names, file names and commit messages that would be commands if any shell or Groovy read them."""
    name = "feature/$(touch${IFS}bad)`touch${IFS}bad`'\";touch${IFS}bad&"
    workflows = {"push": {"on": {"push": {"branches": ["feature/*"]}}}}
    double, project = serve(described(workflows=workflows), layout, 1, SEEN)
    project.branch(name, {"$(touch bad)": "x", "`touch bad`;.txt": "y"})
    build = double.build(project.jenkinsfile, branch=name)
    assert build.result == "SUCCESS"
    assert fragments(build) == ALL
    assert {call.env["BRANCH_NAME"] for call in build.calls} == {name}
    assert not list(tmp_path.rglob("bad"))
