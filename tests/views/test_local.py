"""Pictures of runs here, while they go on and afterwards, and of builds by their records."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from pipegen.records import RunView
from pipegen.runner.last_run import group_of, last_run
from pipegen.runner.trace import Trace, trace_file
from tests.support.agents import DESCRIPTION, FILES, Build, command, make_origin
from tests.support.cli import pipegen
from tests.support.repositories import make_repository, pipegen_run

DVC_FILE = """\
stages:
  prepare: {cmd: "echo a > a", outs: [a]}
  train:
    foreach: [one, two]
    do:
      cmd: "echo '{\\"r2\\": 0.5, \\"deep\\": {\\"rmse\\": 3}}' > ${item}.json; cat a > ${item}"
      deps: [a]
      outs: ["${item}"]
      metrics: ["${item}.json"]
  bad: {cmd: "echo no way; exit 3", deps: [one, two]}
  never: {cmd: "echo x > y", deps: [one], outs: [y]}
"""


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> Path:
    return make_repository(tmp_path / "repository", {"dvc.yaml": DVC_FILE}, template)


def shown(folder: Path) -> RunView:
    done = pipegen("view", "--json", cwd=folder)
    assert done.code == 0, done.text
    return RunView.from_data(json.loads(done.out))


def test_a_run_that_is_over_is_shown_with_results_times_metrics_and_logs(folder: Path) -> None:
    pipegen_run(folder, jobs=1)
    run = shown(folder)
    stages = {stage.name: stage for stage in run.stages}
    assert (run.state, run.server, run.pipeline) == ("failed", "local", "repository")
    assert (len(run.commit), run.branch) == (40, "master")
    assert {name: (stage.state, stage.outcome) for name, stage in stages.items()} == {
        "prepare": ("passed", "ran"),
        "train@one": ("passed", "ran"),
        "train@two": ("passed", "ran"),
        "bad": ("failed", "failed"),
        "never": ("skipped", "skipped"),
    }
    assert stages["train@one"].group == "train"
    assert stages["train@one"].needs == ("prepare",)
    assert [(m.name, m.value) for m in stages["train@one"].metrics] == [("r2", 0.5), ("deep.rmse", 3)]
    assert stages["bad"].tail[-1] == "no way"
    assert (folder / stages["bad"].links[0].url).read_text().endswith("no way\n")
    assert stages["bad"].reasons == ("it never ran",)
    assert stages["prepare"].seconds is not None


def test_a_run_that_finds_all_done_links_the_logs_of_the_one_that_did_it(folder: Path) -> None:
    pipegen_run(folder, "train")
    pipegen_run(folder, "train")
    run = shown(folder)
    assert [stage.outcome for stage in run.stages] == ["unchanged"] * 3
    assert all((folder / stage.links[0].url).is_file() for stage in run.stages)


def test_a_run_that_goes_on_is_running_and_a_killed_one_says_that_it_was(
    tmp_path: Path, template: Path
) -> None:
    text = 'stages: {slow: {cmd: "echo begun; sleep 60", outs: [x]}, after: {cmd: "echo > y", deps: [x], outs: [y]}}'
    folder = make_repository(tmp_path / "slow", {"dvc.yaml": text}, template)
    process = command(folder, "run")
    try:
        for _ in range(600):
            run = last_run(folder, "slow")
            if run and run.stages[0].state == "running":
                break
            time.sleep(0.05)
        assert run
        assert (run.state, [stage.state for stage in run.stages]) == ("running", ["running", "waiting"])
        assert run.stages[0].seconds is not None
    finally:
        process.kill()
        process.communicate()
    run = last_run(folder, "slow")
    assert run
    assert (run.state, run.stages[0].state) == ("cancelled", "cancelled")
    assert "killed" in run.message


def test_a_trace_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / ".pipegen").write_text("in the way")
    with Trace(tmp_path, {"a": ()}) as trace:
        from pipegen.records import StageFinished

        trace(StageFinished("a", "ran"))
    assert (tmp_path / ".pipegen").read_text() == "in the way"


@pytest.mark.parametrize("content", ["", "{", "[]\n", '{"event": "trace", "format": 99}\n', "\x00\n"])
def test_what_is_no_trace_is_no_run(tmp_path: Path, content: str) -> None:
    trace_file(tmp_path).parent.mkdir()
    trace_file(tmp_path).write_text(content)
    assert last_run(tmp_path, "p") is None


def test_who_never_ran_anything_is_told_so(folder: Path) -> None:
    done = pipegen("view", "--html", "x.html", cwd=folder)
    assert (done.code, done.err) == (1, "error: nothing has run here yet: `pipegen run` runs it\n")


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("train@a", "train"),
        ("train", ""),
        ("prep/dvc.yaml:train@a@b", "prep/dvc.yaml:train"),
        ("d@x/dvc.yaml:t", ""),
    ],
)
def test_groups_are_known_by_addresses(address: str, group: str) -> None:
    assert group_of(address) == group


def test_a_page_of_a_folder_links_logs_from_where_it_lies(folder: Path) -> None:
    pipegen_run(folder, "prepare")
    assert pipegen("view", "--html", "out/deep/view.html", cwd=folder).out == "wrote out/deep/view.html\n"
    assert 'href="../../.pipegen/logs/prepare.log"' in (folder / "out/deep/view.html").read_text()


def test_a_page_is_made_again_from_json(folder: Path) -> None:
    pipegen_run(folder, "prepare")
    (folder / "run.json").write_text(pipegen("view", "--json", cwd=folder).out)
    pipegen("view", "--html", "one.html", cwd=folder)
    pipegen("view", "--from", "run.json", "--html", "other.html", cwd=folder)
    one, other = (folder / "one.html").read_text(), (folder / "other.html").read_text()
    assert one.partition("<footer>")[0] == other.partition("<footer>")[0]
    (folder / "run.json").write_text("{}")
    assert "this is no picture of a run" in pipegen("view", "--from", "run.json", "--json", cwd=folder).err


def test_a_build_is_shown_by_the_records_that_its_jobs_left(tmp_path: Path, template: Path) -> None:
    only_a = "test ${item} = a || exit 3; cat source.txt > right-${item}"
    description = DESCRIPTION.replace("cat source.txt > right-${item}", only_a)
    origin = tmp_path / "origin"
    make_origin(origin, template, description, str(tmp_path / "remote"), **FILES)
    build = Build(tmp_path / "build", origin)
    agent = build.agent()
    env = {"BUILD_URL": "https://ci.example.com/job/small/7/", "NODE_NAME": "linux-7"}
    stages = ["source", "left", "right@a", "right@b"]
    done = {stage: build.exec(stage, agent=agent, env=env) for stage in stages}
    assert [each.code for each in done.values()] == [0, 0, 0, 1], done["left"].err
    job = {**env, "BUILD_NUMBER": "7", "PIPEGEN_PLAN": "", "PIPEGEN_WORKFLOWS": "push", "JENKINS_URL": "x"}
    process = command(agent, "view", "--records", "--json", env=job)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    run = RunView.from_data(json.loads(out))
    assert (run.server, run.number, run.workflow, run.state) == ("jenkins", "7", "push", "failed")
    assert run.url == env["BUILD_URL"]
    found = {stage.name: stage for stage in run.stages}
    assert {name: stage.state for name, stage in found.items()} == {
        "source": "passed",
        "left": "passed",
        "right@a": "passed",
        "right@b": "failed",
        "join": "skipped",
        "last": "skipped",
    }
    assert found["left"].agent == "linux-7"
    assert found["left"].tests
    assert (found["left"].tests.total, found["left"].tests.failed) == (1, 0)
    assert [(metric.name, metric.value) for metric in found["left"].metrics] == [("rows", 2)]
    assert found["join"].message == "needs right@b"
    assert found["right@b"].group == "right"
    fragments = agent / ".pipegen" / "fragments"
    fragments.rename(agent / "aside")
    elsewhere = {**job, "BUILD_URL": "https://ci.example.com/job/small/8/"}
    process = command(agent, "view", "--records", "--json", env=elsewhere)
    assert all(
        stage["state"] == "waiting" for stage in json.loads(process.communicate(timeout=60)[0])["stages"]
    )
    (agent / "aside").rename(fragments)
    shutil.rmtree(agent / ".pipegen" / "records")
    process = command(agent, "view", "--records", "--json", env=job)
    run = RunView.from_data(json.loads(process.communicate(timeout=60)[0]))
    assert {stage.name: stage.state for stage in run.stages} == {
        name: stage.state for name, stage in found.items()
    }
    assert run.stages[3].message.startswith("right@b failed: its command")
