"""Generated files, run: what they do on a server with agents, whatever pipegen does there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import stand_in
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.origin import Origin
from tests.doubles.gocd.refusals import Answer, Uncited
from tests.doubles.gocd.runs import PipelineRun
from tests.doubles.gocd.server import GoCDDouble
from tests.targets.gocd.making import PUSH, description, text
from tests.targets.gocd.test_files import MANUAL, PROMOTION, RELEASE

URL = "https://git.example.com/toy.git"
ALL = "a\nb.one\nb.two\nc\n"
LAYOUTS = ["levels", "pipelines"]
Serve = Callable[..., GoCDDouble]


@pytest.fixture
def serve(start: Start, origin: Origin, tmp_path: Path) -> Serve:
    """Generates a description's file, and gives it to a server whose agents have the stand-in."""
    machine = stand_in.install(tmp_path / "bin")

    def one(
        data: Mapping[str, Any], agents: int | list[dict[str, Any]] = 2, *, folder: str = ".", **options: Any
    ) -> GoCDDouble:
        kinds = [{"resources": {"linux"}}] * agents if isinstance(agents, int) else agents
        made = [Agent(f"agent{number}", env=machine, **kind) for number, kind in enumerate(kinds, 1)]
        server = start({URL: origin.path}, *made, **options)
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.gocd.yaml"
        file.write_text(text(data, folder), "utf-8")
        server.load(file)
        return server

    return one


def in_layout(layout: str, **changes: Any) -> dict[str, Any]:
    """The diamond a, b@one and b@two, c."""
    return description(targets={"gocd": {"layout": layout}}, **changes)


def last_job(server: GoCDDouble, pipeline: str, layout: str, counter: int | None = None) -> PipelineRun:
    """The run in which the last job is."""
    return server.run(pipeline if layout == "levels" else f"{pipeline}-c", counter)


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_commit_runs_once_and_fragments_reach_the_end(
    serve: Serve, origin: Origin, layout: str, agents: int
) -> None:
    server = serve(in_layout(layout), agents)
    for number in (1, 2):
        commit = origin.commit({"x": str(number)}, f"commit {number}")
        runs = server.poll()
        assert sorted(run.name for run in runs) == sorted(server.pipelines)
        assert all(run.passed for run in runs)
        assert {run.revision for run in runs} == {commit}
        last = last_job(server, "toy-push", layout)
        assert last.job("c").read("fragments/c.lock.json") == ALL
        assert last.job("c").read("pipegen/logs/c.log") == "log\n"
    assert server.poll() == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_jobs_of_a_level_run_at_once(serve: Serve, origin: Origin, tmp_path: Path, layout: str) -> None:
    wait = "until [ -e {place}/{other} ]; do n=$((n+1)); [ $n -lt 500 ] || exit 9; sleep 0.01; done"
    meet = "touch {place}/{mine}; n=0; " + wait
    scripts = {
        f"behaviour/b.{mine}": meet.format(place=tmp_path, mine=mine, other=other)
        for mine, other in (("one", "two"), ("two", "one"))
    }
    origin.commit(scripts, "each waits for the other")
    server = serve(in_layout(layout), 2)
    assert all(run.passed for run in server.poll())


def test_one_agent_does_one_job_at_a_time(serve: Serve, origin: Origin, tmp_path: Path) -> None:
    alone = f"mkdir {tmp_path}/taken && sleep 0.05 && rmdir {tmp_path}/taken || exit 9"
    origin.commit({"behaviour/b.one": alone, "behaviour/b.two": alone}, "each must be alone")
    (run,) = serve(in_layout("levels"), 1).poll()
    assert run.passed


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_failed_job_runs_again_beside_the_result_of_the_other(
    serve: Serve, origin: Origin, tmp_path: Path, layout: str
) -> None:
    origin.commit({"behaviour/b.one": f"[ -e {tmp_path}/mended ] || exit 3"}, "fails until it is mended")
    server = serve(in_layout(layout))
    runs = server.poll()
    if layout == "levels":
        (run,) = runs
        assert run.results == {"a": "Passed", "level-2": "Failed"}
        assert {job.name: job.result for job in run.stage("level-2").jobs} == {
            "b.one": "Failed",
            "b.two": "Passed",
        }
        failed, stage = run, "level-2"
    else:
        assert {run.name: run.passed for run in runs} == {
            "toy-push-a": True,
            "toy-push-b.one": False,
            "toy-push-b.two": True,
        }
        failed, stage = server.run("toy-push-b.one"), "b.one"
    assert "(exit code: 3)" in failed.job("b.one").console.text
    assert failed.job("b.one").read("fragments/b.one.lock.json") == "a\nb.one\n"
    (tmp_path / "mended").touch()
    again = server.rerun_jobs(failed.name, stage)
    assert again.passed
    last = last_job(server, "toy-push", layout)
    assert last.passed
    assert last.job("c").read("fragments/c.lock.json") == ALL


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_follows_in_one_job_is_left_out_after_a_failure(
    serve: Serve, origin: Origin, layout: str
) -> None:
    chain = {
        "a": {"cmd": "a", "outs": ["a.txt"]},
        "b": {"cmd": "b", "deps": ["a.txt"], "outs": ["b.txt"]},
    }
    origin.commit({"behaviour/a": "exit 4"}, "the first fails")
    server = serve(in_layout(layout, stages=chain))
    (run,) = server.poll()
    (job,) = run.jobs
    assert job.result == "Failed"
    assert [line for line in job.console.output() if line.startswith("pipegen ")] == ["pipegen exec a"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_commits_while_a_run_is_going_on_never_mix(
    serve: Serve, origin: Origin, tmp_path: Path, layout: str
) -> None:
    hold = f"if [ -e first ] && ! [ -e second ]; then until [ -e {tmp_path}/go ]; do sleep 0.01; done; fi"
    first = origin.commit({"behaviour/b.one": hold, "first": "1"}, "first")
    server = serve(in_layout(layout))
    server.poll(settle=False)
    server.wait_for(lambda: any("exec b@one" in job.console.text for job in _jobs(server)))
    second = origin.commit({"second": "2"}, "second")
    server.poll(settle=False)
    (tmp_path / "go").touch()
    server.settle()
    if layout == "pipelines":
        assert [run.revision for run in server.runs("toy-push-c")] == [first, second]
        for run in server.runs("toy-push-c"):
            assert {stage.run.revision for stage in run.upstream.values()} == {run.revision}
    else:
        assert [(run.revision, run.passed) for run in server.runs("toy-push")] == [
            (first, True),
            (second, True),
        ]


def _jobs(server: GoCDDouble) -> list[Any]:
    return [job for name in server.pipelines for run in server.runs(name) for job in run.jobs]


def test_a_timer_starts_what_commits_do_not(serve: Serve, origin: Origin) -> None:
    nightly = {"on": {"schedule": "30 6 * * 1-5"}}
    server = serve(in_layout("levels", workflows={"nightly": nightly}))
    assert server.poll() == []
    assert server.tick(datetime(2026, 11, 22, 6, 30)) == []  # a Sunday
    (run,) = server.tick(datetime(2026, 11, 23, 6, 30))
    assert (run.passed, run.approver) == (True, "timer")


def test_inputs_reach_all_jobs_of_one_pipeline(serve: Serve) -> None:
    manual = {"try": {**MANUAL, "inputs": {"alpha": {"sets": "k", "default": 1}}}}
    server = serve(in_layout("levels", workflows=manual))
    assert server.poll() == []
    run = server.trigger("toy-try", {"alpha": "0.9; $(x) `y` #z"})
    assert run.passed
    assert run.job("start").read("fragments/values.json") == "alpha=0.9; $(x) `y` #z\n"
    assert "'alpha' with value '0.9; $(x) `y` #z'" in run.job("c").console.text
    assert server.trigger("toy-try").job("start").read("fragments/values.json") == "alpha=1\n"


def test_what_a_trigger_sets_stays_in_its_pipeline(serve: Serve) -> None:
    chain = {
        "a": {"cmd": "a", "outs": ["a.txt"], "ci": {"group": "one"}},
        "b": {"cmd": "b", "deps": ["a.txt"], "outs": ["b.txt"], "ci": {"group": "two"}},
    }
    manual = {"try": {**MANUAL, "inputs": {"alpha": {"sets": "k", "default": 1}}}}
    server = serve(in_layout("pipelines", stages=chain, workflows=manual))
    if len(server.pipelines) == 1:
        pytest.fail(f"one pipeline: {server.pipelines}")
    run = server.trigger(server.pipelines[0], {"alpha": "2"})
    server.settle()
    assert run.job("start").read("fragments/values.json") == "alpha=2\n"
    others = [server.run(name) for name in server.pipelines[1:]]
    assert all(run.passed and not run.overrides for run in others)


def test_who_approves_a_release(serve: Serve) -> None:
    server = serve(in_layout("levels", **PROMOTION, workflows={"release": RELEASE}), roles={"leads": {"lea"}})
    run = server.trigger("toy-release", user="anybody")
    assert run.results == {"begin": "Passed"}
    assert not server.locked("toy-release")
    for user in ("bob", "changes"):
        with pytest.raises(Answer, match="not authorized"):
            server.approve("toy-release", "promote-to-production", user=user)
    server.approve("toy-release", "promote-to-production", user="lea")
    assert run.passed
    assert run.stage("promote-to-production").approved_by == "lea"
    assert "pipegen promote m --from staging --to production" in "\n".join(run.jobs[-1].console.output())


def test_an_approval_needs_all_before_it_to_be_green(serve: Serve, origin: Origin, tmp_path: Path) -> None:
    workflow = {**MANUAL, "promote": {"model": "m", "to": "staging"}, "approve": {"by": "leads"}}
    origin.commit({"behaviour/c": "exit 1"}, "fails")
    server = serve(in_layout("levels", **PROMOTION, workflows={"w": workflow}), roles={"leads": {"lea"}})
    run = server.trigger("toy-w")
    waiting = run.definition.stages[-1].name
    with pytest.raises(Answer):
        server.approve("toy-w", waiting, user="lea")


def test_one_promotion_at_a_time(serve: Serve, origin: Origin, tmp_path: Path) -> None:
    promote = {"promote": {"model": "m", "to": "staging"}}
    origin.commit({"behaviour/c": f"until [ -e {tmp_path}/go ]; do sleep 0.01; done"}, "slow")
    server = serve(in_layout("levels", **PROMOTION, workflows={"push": {**PUSH, **promote}}))
    server.poll(settle=False)
    server.wait_for(lambda: "exec c" in "".join(job.console.text for job in _jobs(server)))
    second = origin.commit({"x": "1"}, "second")
    assert server.poll(settle=False) == []
    assert server.locked("toy-push")
    (tmp_path / "go").touch()
    server.settle()
    assert [run.passed for run in server.runs("toy-push")] == [True, True]
    assert server.run("toy-push").revision == second


def test_only_changes_below_the_description_start_it(serve: Serve, origin: Origin) -> None:
    origin.commit({"models/toy/dvc.yaml": "1"}, "the description")
    server = serve(in_layout("levels"), folder="models/toy")
    (run,) = server.poll()
    assert run.passed
    origin.commit({"other/x": "1"}, "elsewhere")
    assert server.poll() == []
    last = origin.commit({"models/toy/deep/er/x": "1"}, "inside")
    (run,) = server.poll()
    assert (run.revision, len(run.cause.modifications)) == (last, 2)


def test_secrets_come_from_the_server_and_stay_out_of_the_log(serve: Serve, origin: Origin) -> None:
    secrets = {"s3": {"env": ["KEY_ID"], "gocd": {"config": "vault", "keys": ["id"]}}}
    stages = {"a": {"cmd": "a", "outs": ["a.txt"], "ci": {"secrets": ["s3"]}}}
    origin.commit({"behaviour/a": 'echo "it is $KEY_ID"; [ "$KEY_ID" = hush-hush ]'}, "tells")
    server = serve(
        in_layout("levels", secrets=secrets, stages=stages), secrets={"vault": {"id": "hush-hush"}}
    )
    (run,) = server.poll()
    assert run.passed
    assert "hush-hush" not in run.job("a").console.text
    assert "it is ******" in run.job("a").console.output()
    assert "'KEY_ID' to value '********'" in run.job("a").console.text
    server = serve(in_layout("levels", secrets=secrets, stages=stages), secrets={})
    (run,) = server.poll()
    assert (run.job("a").result, run.job("a").agent) == ("Failed", None)


def test_jobs_find_their_machines(serve: Serve) -> None:
    stages = {
        "a": {"cmd": "a", "outs": ["a.txt"], "ci": {"agent": "linux"}},
        "b": {"cmd": "b", "outs": ["b.txt"], "ci": {"agent": "gpu"}},
        "c": {"cmd": "c", "outs": ["c.txt"], "ci": {"agent": "linux", "mutex": ["license"]}},
        "d": {"cmd": "d", "outs": ["d.txt"], "ci": {"agent": "linux", "mutex": ["license"]}},
    }
    agents = {
        "linux": {"gocd": {"resources": ["linux"]}},
        "gpu": {"gocd": {"elastic_profile": "gpu"}},
    }
    machines = [
        {"resources": {"linux"}},
        {"elastic_profile": "gpu"},
        {"resources": {"Linux", "mutex-license"}},
    ]
    (run,) = serve(in_layout("levels", stages=stages, agents=agents), machines).poll()
    assert run.passed
    assert run.job("b").agent == "agent2"
    assert {run.job("c").agent, run.job("d").agent} == {"agent3"}
    assert run.job("a").agent in ("agent1", "agent3")


def test_words_arrive_as_they_are(serve: Serve, origin: Origin) -> None:
    hostile = """a#b $HOME `x` "q" 'p' #{NAME} $COUNT {{x}}\\"""
    stages = {"a": {"cmd": "a", "outs": ["a.txt"], "ci": {"env": {"HOSTILE": hostile}}}}
    origin.commit({"behaviour/a": "printf '%s\\n' \"$HOSTILE\""}, "prints")
    (run,) = serve(in_layout("levels", stages=stages)).poll()
    assert hostile in run.job("a").console.output()


def test_the_report_is_where_its_tab_looks(serve: Serve) -> None:
    workflow = {**PUSH, "gates": "all", "report": {}}
    gates = {"good": {"metric": "m.json:x", "min": 1}}
    (run,) = serve(in_layout("levels", workflows={"push": workflow}, gates=gates)).poll()
    assert run.passed
    assert {"report/index.html", "report/report.txt", "testoutput/junit/gates.xml"} <= set(
        run.job("gates").artifacts
    )


def test_install_brings_the_tool(serve: Serve, tmp_path: Path) -> None:
    stages = {"a": {"cmd": "a", "outs": ["a.txt"]}}
    install = f"cp {tmp_path}/bin/pipegen .pipegen/tool/bin/pipegen # by hand"
    (run,) = serve(in_layout("levels", stages=stages, install=install)).poll()
    assert run.passed
    assert "[go] Task: .pipegen/tool/bin/pipegen exec a" in run.job("a").console.text


def test_silence_cancels_and_nothing_follows(serve: Serve, origin: Origin) -> None:
    origin.commit({"behaviour/a": "echo begun; sleep 30"}, "silent")
    server = serve(in_layout("levels"), minute=0.005)
    (run,) = server.poll()
    assert run.results == {"a": "Cancelled"}
    assert run.job("a").artifacts == []
    assert server.rerun_jobs("toy-push", "a", settle=False).counter == 2
    assert server.cancel("toy-push", "a") == "Stage cancelled successfully."


def test_the_config_repository_as_material(serve: Serve, origin: Origin) -> None:
    data = description(targets={"gocd": {"material": "configrepo"}})
    server = serve(data, config=(URL, "main"))
    (run,) = server.poll()
    assert run.passed
    assert run.revision == origin.git("rev-parse", "HEAD").strip()


def test_an_environment_takes_only_its_agents(serve: Serve) -> None:
    data = description(targets={"gocd": {"environment": "lab"}})
    machines = [{"resources": {"linux"}}, {"resources": {"linux"}, "environments": {"lab"}}]
    (run,) = serve(data, machines).poll()
    assert run.passed
    assert {job.agent for job in run.jobs} == {"agent2"}


def test_an_unknown_role_is_refused(serve: Serve) -> None:
    with pytest.raises(Answer, match='Role "leads"'):
        serve(in_layout("levels", **PROMOTION, workflows={"release": RELEASE}))


def test_what_no_recording_shows_is_refused(serve: Serve) -> None:
    server = serve(in_layout("pipelines"))
    server.poll()
    with pytest.raises(Uncited):
        server.trigger("toy-push-c")
