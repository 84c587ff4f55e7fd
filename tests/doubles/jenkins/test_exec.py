"""Generated files with the real `pipegen exec`: agents that share git and a remote make what `dvc repro` makes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipegen.dvc.fragments import Fragment
from tests.doubles.combinations import combinations
from tests.doubles.conftest import Expected, MakeHouse
from tests.doubles.house import House, agreed, real_pipegen
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build, RunningBuild
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.double import JenkinsDouble
from tests.doubles.jenkins.scm import Change
from tests.doubles.shapes import SHAPES, diamond_with
from tests.support.repositories import sh
from tests.support.warm import Warm

pytestmark = pytest.mark.java

LAYOUTS = ("levels", "chain", "graph")


class Served:
    """A house whose generated files a controller runs.

    Args:
        house: the house.
        jenkins: makes controllers.
        machine: the variables of its agents' machine.
        agents: how many agents.
    """

    def __init__(self, house: House, jenkins: Make, machine: Mapping[str, str], agents: int) -> None:
        self.house, self.origin = house, house.origin
        made = [Agent(f"agent{number}", env=machine) for number in range(1, agents + 1)]
        self.double: JenkinsDouble = jenkins(*made, repo=self.origin, limit=200)  # of a busy machine

    def build(self, file: str = "Jenkinsfile", **how: Any) -> Build:
        return self.double.build(self.origin / file, **how)

    def fragments(self, build: Build) -> list[Fragment]:
        """What the jobs of a build stashed."""
        folder = self.house.folder / f"stashes-{build.number}"
        for name in build.stashes.names():
            build.stashes.get(name, folder)
        found = sorted((folder / ".pipegen" / "fragments").glob("*.lock.json"))
        return [Fragment.read(path) for path in found]

    def entries(self, build: Build) -> dict[str, Any]:
        """What the fragments of a green build say."""
        assert build.result == "SUCCESS", "\n".join(build.log)
        return agreed(self.fragments(build))

    def assert_as_repro(self, build: Build) -> None:
        """The fragments hold what `dvc repro` writes into `dvc.lock`."""
        assert self.entries(build) == self.house.reference()


def outcomes(build: Build) -> dict[str, str]:
    """What became of each stage, by the archived records."""
    records = [json.loads(path.read_text()) for path in build.artifacts.glob(".pipegen/records/*.json")]
    return {record["stage"]: record["outcome"] for record in records}


Serve = Callable[..., Served]


@pytest.fixture
def serve(furnish: MakeHouse, warm_pipegen: Warm, jenkins: Make, tmp_path: Path) -> Serve:
    """Furnishes a house and makes its controller. With `real`, agents have programs that may be killed."""

    def one(layout: str, agents: int, stages: Any, *, real: bool = False, **options: Any) -> Served:
        house = furnish({"jenkins": {"layout": layout}}, stages, **options)
        tools = tmp_path / "bin"
        machine = real_pipegen(tools) if real else warm_pipegen.install(tools, "pipegen")
        return Served(house, jenkins, {**machine, **house.remote.env}, agents)

    return one


@pytest.mark.parametrize(("shape", "layout", "agents", "kind"), combinations(LAYOUTS))
def test_a_graph_over_agents_makes_what_repro_makes(
    serve: Serve, expected: Expected, shape: str, layout: str, agents: int, kind: str
) -> None:
    made = serve(layout, agents, SHAPES[shape], kind=kind)
    assert made.entries(made.build()) == expected(shape, made.house)


def most_slow(layouts: Sequence[str], quick: str) -> list[Any]:
    return [layout if layout == quick else pytest.param(layout, marks=pytest.mark.slow) for layout in layouts]


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "graph"))
def test_a_new_build_of_the_same_commit_goes_on_where_one_failed(
    serve: Serve, tmp_path: Path, layout: str
) -> None:
    made = serve(layout, 2, diamond_with(f"test -e {tmp_path}/mended"))
    failed = made.build()
    assert failed.result == "FAILURE"
    assert outcomes(failed)["b@y"] == "failed"
    assert "c" not in outcomes(failed)
    assert "b@y failed: its command exited with 1" in "\n".join(failed.log)
    (tmp_path / "mended").touch()
    again = made.build()
    made.assert_as_repro(again)
    ran = {stage for stage, outcome in outcomes(again).items() if outcome == "ran"}
    assert ran >= {"b@y", "c"}
    assert ran.isdisjoint(stage for stage, outcome in outcomes(failed).items() if outcome == "ran")


@pytest.mark.parametrize("layout", most_slow(LAYOUTS[:2], "levels"))
def test_a_build_restarted_from_a_stage_uses_the_first_ones_fragments(
    serve: Serve, tmp_path: Path, layout: str
) -> None:
    stages = diamond_with("true")
    stages["c"]["cmd"] = f"test -e {tmp_path}/mended && {stages['c']['cmd']}"
    made = serve(layout, 2, stages)
    failed = made.build()
    assert failed.result == "FAILURE"
    (tmp_path / "mended").touch()
    again = made.build(restart=(failed, "c"))
    assert outcomes(again) == {"c": "ran"}
    made.assert_as_repro(again)


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_an_agent_lost_in_a_command_costs_only_that_command(
    serve: Serve, tmp_path: Path, layout: str
) -> None:
    def lose(line: str, build: RunningBuild) -> None:
        if line == "waiting":
            (agent,) = build.controller.agents.busy()
            (tmp_path / "lost").touch()
            build.lose(agent)

    stages = SHAPES["chain"] | {"b": {**SHAPES["chain"]["b"], "ci": {"group": "own"}}}
    wait = f"(test -e {tmp_path}/lost || (echo waiting; sleep 30))"
    stages["b"] = {**stages["b"], "cmd": f"{wait} && {stages['b']['cmd']}"}
    made = serve(layout, 2, stages, real=True)
    build = made.build(on_line=lose)
    made.assert_as_repro(build)
    assert outcomes(build) == {"a": "ran", "b": "ran", "c": "ran"}


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "chain"))
def test_an_aborted_command_ends_with_all_it_started(serve: Serve, tmp_path: Path, layout: str) -> None:
    def abort(line: str, build: RunningBuild) -> None:
        if line == "waiting":
            threading.Thread(target=build.abort).start()

    made = serve(layout, 2, diamond_with("(echo waiting; sleep 60)"), real=True)
    build = made.build(on_line=abort)
    assert build.result == "ABORTED"
    assert outcomes(build)["b@y"] == "stopped"
    assert {(f.stage, f.state) for f in made.fragments(build)} >= {("a", "done"), ("b@y", "failed")}
    assert made.double.idle()


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "graph"))
def test_fragments_of_a_pull_request_fit_the_merge_of_each_agent(serve: Serve, layout: str) -> None:
    workflows = {"review": {"on": "pull_request"}}
    made = serve(layout, 2, SHAPES["diamond"], workflows=workflows)
    made.house.propose("topic", {"seed.txt": "other seed\n"})
    build = made.build(change=Change("7", "topic"))
    sh(made.origin, "git", "merge", "-q", "topic")
    made.assert_as_repro(build)


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_a_pull_request_from_outside_leaves_no_run_to_be_restored(serve: Serve, layout: str) -> None:
    made = serve(layout, 2, SHAPES["diamond"], workflows={"review": {"on": "pull_request"}})
    made.house.propose("topic", {"seed.txt": "other seed\n"})
    build = made.build(change=Change("7", "topic", fork="somebody"))
    sh(made.origin, "git", "merge", "-q", "topic")
    made.assert_as_repro(build)
    assert not (made.house.folder / "remote" / "runs").exists()
    again = made.build(change=Change("8", "topic"))
    assert set(outcomes(again).values()) == {"ran"}
    assert (made.house.folder / "remote" / "runs").exists()


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_what_a_person_sets_is_in_the_parameters(serve: Serve, layout: str) -> None:
    workflow = {"on": "manual", "inputs": {"k": {"sets": "a.k", "default": 1}}}
    made = serve(layout, 2, SHAPES["params"], workflows={"try": workflow})
    build = made.build("ci/Jenkinsfile.try", branch=None, params={"k": "7"})
    made.house.commit("what it would be in git", {"params.yaml": "a: {k: 7}\nb: [2, 3]\n"})
    made.assert_as_repro(build)
