"""Generated files with the real `pipegen exec`: agents that share git and a remote make what `dvc repro` makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipegen.dvc.fragments import Fragment
from tests.doubles.combinations import combinations
from tests.doubles.conftest import Expected, MakeHouse
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.published import Published
from tests.doubles.gocd.server import GoCDDouble
from tests.doubles.house import URL, House, real_pipegen
from tests.doubles.shapes import SHAPES, diamond_with
from tests.support.warm import Warm

LAYOUTS = ("levels", "pipelines")


class Served:
    """A house whose generated file a server runs.

    Args:
        house: the house.
        start: starts servers.
        machine: the variables of its agents' machine.
        agents: how many agents.
    """

    def __init__(self, house: House, start: Start, machine: Mapping[str, str], agents: int) -> None:
        self.house, self.origin = house, house.origin
        made = [Agent(f"agent{number}", {"linux"}, env=machine) for number in range(1, agents + 1)]
        self.server: GoCDDouble = start({URL: self.origin}, *made)
        self.server.load(self.origin / "toy.gocd.yaml")

    @property
    def published(self) -> Published:
        """What the jobs of the last run of each pipeline left on the server."""
        return Published([job for name in self.server.pipelines for job in self.server.run(name).jobs])

    def assert_as_repro(self) -> None:
        """The fragments hold what `dvc repro` writes into `dvc.lock`."""
        assert self.published.entries() == self.house.reference()

    @property
    def log(self) -> str:
        """All logs, to be shown where something fails."""
        return self.published.log


Build = Callable[..., Served]


@pytest.fixture
def build(furnish: MakeHouse, warm_pipegen: Warm, start: Start, tmp_path: Path) -> Build:
    """Furnishes a house and starts its server. With `real`, agents have programs that may be killed."""

    def one(layout: str, agents: int, stages: Any, *, real: bool = False, **options: Any) -> Served:
        house = furnish({"gocd": {"layout": layout}}, stages, **options)
        tools = tmp_path / "bin"
        machine = real_pipegen(tools) if real else warm_pipegen.install(tools, "pipegen")
        return Served(house, start, {**machine, **house.remote.env}, agents)

    return one


@pytest.mark.parametrize(("shape", "layout", "agents", "kind"), combinations(LAYOUTS))
def test_a_graph_over_agents_makes_what_repro_makes(
    build: Build, expected: Expected, shape: str, layout: str, agents: int, kind: str
) -> None:
    made = build(layout, agents, SHAPES[shape], kind=kind)
    runs = made.server.poll()
    assert all(run.passed for run in runs), made.log
    assert made.published.entries() == expected(shape, made.house)


@pytest.mark.parametrize("layout", ["levels", pytest.param("pipelines", marks=pytest.mark.slow)])
def test_a_failed_job_is_mended_and_run_again(build: Build, tmp_path: Path, layout: str) -> None:
    made = build(layout, 2, diamond_with(f"test -e {tmp_path}/mended"))
    made.server.poll()
    name, stage = ("toy-push", "level-2") if layout == "levels" else ("toy-push-b.y", "b.y")
    failed = made.server.run(name).job("b.y")
    assert failed.result == "Failed"
    assert "b@y failed: its command exited with 1" in "\n".join(failed.console.output())
    fragment = Fragment.read(failed.store / "fragments/b.y.lock.json")
    assert (fragment.state, dict(fragment.entries)) == ("failed", {})
    (tmp_path / "mended").touch()
    again = made.server.rerun_jobs(name, stage)
    assert again.passed, made.log
    assert made.server.run("toy-push" if layout == "levels" else "toy-push-c").passed, made.log
    assert made.published.outcomes() == dict.fromkeys(("a", "b@x", "b@y", "c"), "ran")
    made.assert_as_repro()


def test_the_next_commit_runs_only_what_it_changes(build: Build) -> None:
    made = build("levels", 2, SHAPES["two-roots"])
    made.server.poll()
    made.house.commit("change", {"other.txt": "changed\n"})
    (run,) = made.server.poll()
    assert run.passed, made.log
    assert made.published.outcomes() == {"a": "restored", "b": "ran", "c": "ran"}
    made.assert_as_repro()


def test_a_stage_started_again_changes_nothing(build: Build) -> None:
    made = build("levels", 2, SHAPES["diamond"])
    (run,) = made.server.poll()
    before = made.published.entries()
    made.server.approve("toy-push", "level-2", user="admin")
    assert [(stage.name, stage.counter) for stage in run.stages[-2:]] == [("level-2", 2), ("c", 2)]
    assert run.passed, made.log
    assert made.published.outcomes() == {"a": "ran", "b@x": "restored", "b@y": "restored", "c": "restored"}
    assert made.published.entries() == before


def test_one_job_of_a_green_stage_runs_again_alone(build: Build, tmp_path: Path) -> None:
    """run-selected-jobs [R 213]: the other job's fragment stands, what follows runs again and finds both."""
    made = build("levels", 2, diamond_with(f"date +%N >> {tmp_path}/ran"))
    (run,) = made.server.poll()
    before = made.published.entries()
    made.server.rerun_jobs("toy-push", "level-2", ["b.y"])
    assert [(stage.name, stage.counter) for stage in run.stages[-2:]] == [("level-2", 2), ("c", 2)]
    assert run.passed, made.log
    assert made.published.outcomes() == {"a": "ran", "b@x": "ran", "b@y": "restored", "c": "restored"}
    assert made.published.entries() == before
    assert len((tmp_path / "ran").read_text().split()) == 1


def test_what_a_person_sets_is_in_the_parameters(build: Build, tmp_path: Path) -> None:
    workflow = {"on": "manual", "inputs": {"k": {"sets": "a.k", "default": 1}}}
    made = build("levels", 2, SHAPES["params"], workflows={"try": workflow})
    run = made.server.trigger("toy-try", {"k": "7"})
    assert run.passed, made.log
    made.house.commit("what it would be in git", {"params.yaml": "a: {k: 7}\nb: [2, 3]\n"})
    made.assert_as_repro()


def test_a_cancelled_command_ends_with_all_it_started(build: Build, tmp_path: Path) -> None:
    begun, nap = tmp_path / "begun", f"{5000 + os.getpid()}.5"
    made = build("levels", 2, diamond_with(f"test -e {begun} || (touch {begun}; sleep {nap})"), real=True)
    made.server.poll(settle=False)
    made.server.wait_for(begun.exists)
    made.server.cancel("toy-push", "level-2")
    assert made.server.run("toy-push").results == {"a": "Passed", "level-2": "Cancelled"}
    assert not [one for one in psutil.process_iter(["cmdline"]) if nap in (one.info["cmdline"] or ())]
    assert made.server.rerun_jobs("toy-push", "level-2").passed, made.log
    assert made.server.run("toy-push").passed, made.log
    made.assert_as_repro()
