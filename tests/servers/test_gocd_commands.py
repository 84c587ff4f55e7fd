"""The commands against a GoCD that remembers: from a description to a run that passed, over good and bad networks."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipegen.servers.gocd import steering
from tests.servers.exchanges import PASSWORD, USER, needs_recordings
from tests.servers.gocd_model import GoCDModel
from tests.servers.replay import Faults, ReplayServer, serving
from tests.servers.toy import said
from tests.support.cli import Outcome, pipegen
from tests.support.run_pages import rows, states

pytestmark = [needs_recordings, pytest.mark.usefixtures("soon")]

DESCRIPTION = """\
pipegen: 1
name: toy
repository: "https://git.example.com/toy.git"
install: "pip install pipegen-ci"
targets: {gocd: {group: bench}}
agents: {linux: {gocd: {resources: [linux]}}}
defaults: {agent: linux}
people: {leads: {gocd: {roles: [leads]}}}
stages:
  prepare: {cmd: echo 1 > a.txt, outs: [a.txt]}
  train:
    foreach: [lasso, forest]
    do: {cmd: "cat a.txt > ${item}.txt", deps: [a.txt], outs: ["${item}.txt"]}
models: {toy: {path: lasso.txt}}
environments: {production: {deploy: ./d.sh, verify: ./v.sh, rollback: ./b.sh}}
workflows:
  push: {on: {push: {branches: [main]}}}
  nightly: {on: {schedule: "0 6 * * 1-5"}, branch: main, promote: {model: toy, to: staging}}
  try: {on: manual, inputs: {size: {sets: "params.yaml:size", default: small, choices: [small, large]}}}
  release: {on: manual, promote: {model: toy, from: staging, to: production}, approve: {by: leads}}
"""
LINES = {
    "prepare/prepare": (
        said("stage_started", "prepare"),
        said("stage_finished", "prepare", outcome="restored", seconds=0.1),
    ),
    "level-2/train.lasso": (
        said("stage_started", "train@lasso"),
        said("tested", "train@lasso", tests=3, failures=0, errors=0, skipped=1),
        said("stage_finished", "train@lasso", outcome="ran", seconds=2.5, metrics={"r2": 0.81}),
    ),
}


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project for GoCD, with its generated file."""
    monkeypatch.setattr(steering, "PAUSE", 0.02)
    monkeypatch.setattr(steering, "LOOK", 5.0)
    for left in ("Jenkinsfile", "ci"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            (folder / left).unlink()
    _write(folder, DESCRIPTION)
    return folder


def _write(folder: Path, text: str) -> None:
    (folder / "pipegen.yaml").write_text(text)
    assert pipegen("generate", "-t", "gocd", "--force", cwd=folder).code == 0


@contextlib.contextmanager
def running(
    model: GoCDModel, monkeypatch: pytest.MonkeyPatch, faults: Faults | None = None
) -> Iterator[ReplayServer]:
    """A server that the environment names."""
    with serving(model, faults) as server:
        monkeypatch.setenv("PIPEGEN_GOCD_URL", f"{server.url}/go/")
        monkeypatch.setenv("PIPEGEN_GOCD_USER", USER)
        monkeypatch.setenv("PIPEGEN_GOCD_PASSWORD", PASSWORD)
        yield server


def ok(outcome: Outcome) -> str:
    """What a command printed that did what it was asked."""
    assert outcome.code == 0, outcome.text
    return outcome.text


ALL = ["toy-nightly", "toy-push", "toy-release", "toy-try"]


def test_deploy_makes_all_then_nothing_then_the_one_change_and_prunes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = GoCDModel()
    with running(model, monkeypatch) as server:
        assert "+ pipeline toy-push" in ok(pipegen("deploy", "gocd", "--dry-run", cwd=project))
        assert not model.pipelines
        first = ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert "created pipeline toy-release" in first
        assert sorted(model.pipelines) == ALL
        server.received.clear()
        assert "nothing to do: 4 unchanged" in ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert server.count("GET", "/api/admin/pipelines/") == 4
        assert server.count("POST") + server.count("PUT") == 0

        _write(project, DESCRIPTION.replace("prepare: {cmd", "prepare: {ci: {timeout: 20m}, cmd"))
        changed = ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert "+prepare/prepare timeout: 40" in changed
        assert "updated pipeline toy-push" in changed
        assert model.pipelines["toy-push"]["stages"][0]["jobs"][0]["timeout"] == 40

        without = "".join(
            line for line in DESCRIPTION.splitlines(keepends=True) if not line.startswith("  try:")
        )
        _write(project, without)
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert "toy-try" in model.pipelines
        assert "deleted pipeline toy-try" in ok(pipegen("deploy", "gocd", "--yes", "--prune", cwd=project))
        assert sorted(model.pipelines) == [name for name in ALL if name != "toy-try"]


def test_somebodys_edit_stops_all_with_the_difference(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GoCDModel()
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        model.pipelines["toy-push"]["label_template"] = "by-hand-${COUNT}"
        del model.pipelines["toy-try"]
        outcome = pipegen("deploy", "gocd", "--yes", cwd=project)
        assert outcome.code == 7
        assert "-label_template: by-hand-${COUNT}" in outcome.out
        assert "toy-try" not in model.pipelines
        ok(pipegen("deploy", "gocd", "--yes", "--force", cwd=project))
        assert model.pipelines["toy-push"]["label_template"] == "${COUNT}"
        assert sorted(model.pipelines) == ALL


def test_a_server_that_is_closed_or_lacks_agents_is_told_first(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = GoCDModel()
    for agent in model.agents["_embedded"]["agents"]:
        agent["agent_config_state"] = "Disabled"
    with running(model, monkeypatch):
        outcome = pipegen("deploy", "gocd", "--yes", cwd=project)
        assert outcome.code == 7
        assert "no enabled agent has linux" in outcome.err
        assert not model.pipelines
        model.maintenance = True
        assert "maintenance mode" in pipegen("deploy", "gocd", "--dry-run", cwd=project).text


def test_two_descriptions_share_an_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one adds to it is not taken for what the other adds."""
    model = GoCDModel()
    model.environments["prod"] = []
    model.agents["_embedded"]["agents"][0]["environments"] = [{"name": "prod"}]
    for name in ("one", "two"):
        (project / name).mkdir()
        text = DESCRIPTION.replace("name: toy", f"name: {name}").replace(
            "group: bench", "group: bench, environment: prod"
        )
        (project / name / "pipegen.yaml").write_text(text)
    (project / "pipegen.yaml").unlink()
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--all", ".", "--yes", cwd=project))
        assert sorted(model.environments["prod"]) == sorted(model.pipelines)
        assert len(model.pipelines) == 8
        assert "8 unchanged" in ok(pipegen("deploy", "gocd", "--all", ".", "--yes", cwd=project))


def test_a_run_is_started_with_a_value_and_followed_to_its_end(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = GoCDModel(lines={**LINES, "level-3/train.lasso": LINES["level-2/train.lasso"]})
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        text = ok(pipegen("trigger", "try", "-i", "size=large", "--follow", cwd=project))
        assert model.runs["toy-try"][0].variables == [{"name": "size", "value": "large", "secure": False}]
        for part in ("prepare: restored", "train@lasso: ran in 2.5s", "3 tests", "r2 0.81", "bench-agent-1"):
            assert part in text, text
        picture = json.loads(ok(pipegen("status", "try", "--json", cwd=project)))
        assert (picture["state"], picture["server"], picture["number"]) == ("passed", "gocd", "1")
        assert "try" in ok(pipegen("history", "--server", "gocd", cwd=project))


def test_the_page_of_a_run_that_failed_and_was_taken_up(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = project / "out" / "run.html"
    lines = {"prepare/prepare": LINES["prepare/prepare"]}
    model = GoCDModel(fails=("level-2/train.lasso",), lines=lines)
    with running(model, monkeypatch) as server:
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert pipegen("trigger", "push", "--follow", cwd=project).code == 1
        ok(pipegen("view", "push", "--html", str(page), cwd=project))
        found = rows(page)
        assert {name: row.state for name, row in found.items() if "@" in name or name == "prepare"} == {
            "prepare": "passed",
            "train@lasso": "failed",
            "train@forest": "passed",
        }
        assert found["prepare"].agent == "bench-agent-1"
        assert found["prepare"].log.startswith(f"{server.url}/go/")
        assert ">GoCD</a>" in page.read_text("utf-8")
        ok(pipegen("resume", "push", "--follow", cwd=project))
        ok(pipegen("view", "push", "--html", str(page), cwd=project))
        assert set(states(page).values()) == {"passed"}


def test_a_run_that_fails_is_taken_up_and_its_log_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = GoCDModel(
        fails=("level-2/train.lasso",), lines={"level-2/train.lasso": ("Traceback", "ValueError: x")}
    )
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert pipegen("trigger", "push", "--follow", cwd=project).code == 1
        log = ok(pipegen("logs", "train@lasso", "-w", "push", cwd=project))
        assert "ValueError: x" in log and "&1|" not in log
        assert "passed" in ok(pipegen("resume", "push", "--follow", cwd=project))
        assert len(model.runs["toy-push"]) == 1
        assert pipegen("resume", "push", cwd=project).code != 0


def test_a_workflow_of_many_pipelines_is_one_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layout `pipelines`: each starts when those that it depends on have passed."""
    _write(project, DESCRIPTION.replace("group: bench", "group: bench, layout: pipelines"))
    model = GoCDModel(fails=("train.forest/train.forest",))
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        assert {"toy-push-prepare", "toy-push-train.lasso", "toy-push-train.forest"} <= set(model.pipelines)
        failed = pipegen("trigger", "push", "--follow", cwd=project)
        assert failed.code == 1
        assert "train@forest: failed" in failed.out and "train@lasso: passed" in failed.out
        assert "passed" in ok(pipegen("resume", "push", "--follow", cwd=project))
        assert {len(runs) for runs in model.runs.values() if runs} == {1}


def test_a_release_waits_for_a_person(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GoCDModel(works=0.05)
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        ok(pipegen("trigger", "release", cwd=project))
        until = time.monotonic() + 20
        while json.loads(pipegen("status", "release", "--json", cwd=project).out)["state"] != "approval":
            assert time.monotonic() < until
        assert "start promote-to-production (for leads)" in ok(
            pipegen("approve", "release", "-y", cwd=project)
        )
        ok(pipegen("watch", "release", cwd=project))
        assert pipegen("approve", "release", "-y", cwd=project).code == 1


def test_cancel_and_unlock(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GoCDModel(works=60.0)
    with running(model, monkeypatch):
        ok(pipegen("deploy", "gocd", "--yes", cwd=project))
        ok(pipegen("trigger", "push", cwd=project))
        assert "cancelled" in ok(pipegen("cancel", "push", cwd=project))
        assert pipegen("watch", "push", cwd=project).code == 1
        model.locked.add("toy-release")
        locked = pipegen("trigger", "release", cwd=project)
        assert locked.code == 7 and "`pipegen unlock`" in locked.err
        ok(pipegen("unlock", "release", cwd=project))
        assert "is not locked" in pipegen("unlock", "release", cwd=project).err
        ok(pipegen("trigger", "release", cwd=project))


@pytest.mark.parametrize("seed", range(2))
def test_a_bad_network_makes_and_starts_nothing_twice(
    project: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Either it is done once, or the command says that it is not."""
    model = GoCDModel(works=0.2, lines=LINES)
    faults = Faults(seed, refuse=0.1, drop=0.1, truncate=0.1, unavailable=0.1, delay=0.005)
    with running(model, monkeypatch, faults):
        for _ in range(5):
            if pipegen("deploy", "gocd", "--yes", cwd=project).code == 0:
                break
        assert sorted(model.pipelines) == ALL
        text = ok(pipegen("trigger", "push", "--follow", cwd=project))
        assert len(model.runs["toy-push"]) == 1
        assert len(faults.happened) > 5
        assert text.count("train@lasso: ran in 2.5s") == 1
