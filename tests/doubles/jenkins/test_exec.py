"""Generated files with the real `pipegen exec`: agents that share git and a remote make what `dvc repro` makes."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipegen.dvc.fragments import Fragment
from pipegen.project import Project
from tests.doubles.jenkins.agents import Agent
from tests.doubles.jenkins.build import Build, RunningBuild
from tests.doubles.jenkins.conftest import Make
from tests.doubles.jenkins.double import JenkinsDouble
from tests.doubles.jenkins.scm import Change
from tests.doubles.shapes import SHAPES
from tests.support.agents import ROOT, make_origin, reference
from tests.support.repositories import make_template, sh

pytestmark = pytest.mark.java

FILES = {"seed.txt": "seed\n", "other.txt": "other\n", "params.yaml": "a: {k: 1}\nb: [2, 3]\n"}
LAYOUTS, AGENTS = ("levels", "chain", "graph"), (1, 2, 4)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git and DVC repository, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "repository")


class House:
    """A repository with a description and its generated files, and a controller that runs them.

    Args:
        folder: where all comes to lie.
        template: an empty repository.
        jenkins: makes controllers.
        layout: the layout of the Jenkinsfiles.
        agents: how many agents.
        stages: the description's stages.
        options: its other words.
    """

    def __init__(
        self,
        folder: Path,
        template: Path,
        jenkins: Make,
        layout: str,
        agents: int,
        stages: Any,
        **options: Any,
    ) -> None:
        self.folder = folder
        data = {
            "pipegen": 1,
            "name": "toy",
            "repository": "https://git.example.com/toy.git",
            "targets": {"jenkins": {"layout": layout}},
            "stages": stages,
            "workflows": {"push": {"on": {"push": {"branches": ["main"]}}}},
            **options,
        }
        self.origin = folder / "origin"
        make_origin(self.origin, template, yaml.safe_dump(data), None, **FILES)
        config = f"[core]\n    remote = store\n['remote \"store\"']\n    url = {folder / 'remote'}\n"
        (self.origin / ".dvc" / "config").write_text(config)
        sh(self.origin, "git", "branch", "-M", "main")
        Project.open(self.origin).generate(["jenkins"]).write()
        self.commit("generate")
        tools = folder / "bin"
        tools.mkdir()
        (tools / "pipegen").write_text(f"#!{sys.executable}\nfrom pipegen.cli import main\nmain()\n")
        (tools / "pipegen").chmod(0o755)
        path = os.pathsep.join([str(tools), os.environ["PATH"]])
        env = {"PATH": path, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
        made = [Agent(f"agent{number}", env=env) for number in range(1, agents + 1)]
        self.double: JenkinsDouble = jenkins(*made, repo=self.origin)
        self.references = 0

    def commit(self, message: str) -> None:
        """Commit all."""
        sh(self.origin, "git", "add", "-A")
        sh(self.origin, "git", "commit", "-qm", message)

    def build(self, file: str = "Jenkinsfile", **how: Any) -> Build:
        return self.double.build(self.origin / file, **how)

    def fragments(self, build: Build) -> list[Fragment]:
        """What the jobs of a build stashed."""
        folder = self.folder / f"stashes-{build.number}"
        for name in build.stashes.names():
            build.stashes.get(name, folder)
        return [
            Fragment.read(path) for path in sorted((folder / ".pipegen" / "fragments").glob("*.lock.json"))
        ]

    def assert_as_repro(self, build: Build) -> None:
        """The fragments agree about every stage, and hold what `dvc repro` writes into `dvc.lock`."""
        assert build.result == "SUCCESS", "\n".join(build.log)
        found: dict[str, Any] = {}
        for fragment in self.fragments(build):
            for address, entry in fragment.entries.items():
                assert found.setdefault(address, entry) == entry, address
        self.references += 1
        assert found == reference(self.origin, self.folder / f"reference-{self.references}")


def outcomes(build: Build) -> dict[str, str]:
    """What became of each stage, by the archived records."""
    records = [json.loads(path.read_text()) for path in build.artifacts.glob(".pipegen/records/*.json")]
    return {record["stage"]: record["outcome"] for record in records}


Furnish = Callable[..., House]


@pytest.fixture
def house(tmp_path: Path, template: Path, jenkins: Make) -> Furnish:
    """Makes a house in the test's folder."""

    def one(layout: str, agents: int, stages: Any, **options: Any) -> House:
        return House(tmp_path, template, jenkins, layout, agents, stages, **options)

    return one


def combinations() -> list[Any]:
    """Every shape in every layout on every number of agents. Those that are not slow have each shape once, and each
    layout with each number of agents."""
    pairs = [(layout, agents) for agents in AGENTS for layout in LAYOUTS]
    return [
        pytest.param(
            shape,
            layout,
            agents,
            id=f"{shape}-{layout}-{agents}",
            marks=() if column == row % len(pairs) else pytest.mark.slow,
        )
        for row, shape in enumerate(SHAPES)
        for column, (layout, agents) in enumerate(pairs)
    ]


@pytest.mark.parametrize(("shape", "layout", "agents"), combinations())
def test_a_graph_over_agents_makes_what_repro_makes(
    house: Furnish, shape: str, layout: str, agents: int
) -> None:
    made = house(layout, agents, SHAPES[shape])
    made.assert_as_repro(made.build())


def diamond(b: str) -> dict[str, Any]:
    """The diamond, with a command in front of b@y."""
    stages = json.loads(json.dumps(SHAPES["diamond"]))
    stages["b"]["foreach"] = {"x": "true", "y": b}
    stages["b"]["do"] = {
        "cmd": "${item} && cat a.txt > b.${key}.txt && echo b.${key}.txt >> b.${key}.txt",
        "deps": ["a.txt"],
        "outs": ["b.${key}.txt"],
    }
    return dict(stages)


def most_slow(layouts: Sequence[str], quick: str) -> list[Any]:
    return [layout if layout == quick else pytest.param(layout, marks=pytest.mark.slow) for layout in layouts]


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "graph"))
def test_a_new_build_of_the_same_commit_goes_on_where_one_failed(
    house: Furnish, tmp_path: Path, layout: str
) -> None:
    made = house(layout, 2, diamond(f"test -e {tmp_path}/mended"))
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
    house: Furnish, tmp_path: Path, layout: str
) -> None:
    stages = diamond("true")
    stages["c"]["cmd"] = f"test -e {tmp_path}/mended && {stages['c']['cmd']}"
    made = house(layout, 2, stages)
    failed = made.build()
    assert failed.result == "FAILURE"
    (tmp_path / "mended").touch()
    again = made.build(restart=(failed, "c"))
    assert outcomes(again) == {"c": "ran"}
    made.assert_as_repro(again)


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_an_agent_lost_in_a_command_costs_only_that_command(
    house: Furnish, tmp_path: Path, layout: str
) -> None:
    def lose(line: str, build: RunningBuild) -> None:
        if line == "waiting":
            (agent,) = build.controller.agents.busy()
            (tmp_path / "lost").touch()
            build.lose(agent)

    stages = SHAPES["chain"] | {"b": {**SHAPES["chain"]["b"], "ci": {"group": "own"}}}
    wait = f"(test -e {tmp_path}/lost || (echo waiting; sleep 30))"
    stages["b"] = {**stages["b"], "cmd": f"{wait} && {stages['b']['cmd']}"}
    made = house(layout, 2, stages)
    build = made.build(on_line=lose)
    made.assert_as_repro(build)
    assert outcomes(build) == {"a": "ran", "b": "ran", "c": "ran"}


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "chain"))
def test_an_aborted_command_ends_with_all_it_started(house: Furnish, tmp_path: Path, layout: str) -> None:
    def abort(line: str, build: RunningBuild) -> None:
        if line == "waiting":
            threading.Thread(target=build.abort).start()

    made = house(layout, 2, diamond("(echo waiting; sleep 60)"))
    build = made.build(on_line=abort)
    assert build.result == "ABORTED"
    assert outcomes(build)["b@y"] == "stopped"
    assert {(f.stage, f.state) for f in made.fragments(build)} >= {("a", "done"), ("b@y", "failed")}
    assert made.double.idle()


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "graph"))
def test_fragments_of_a_pull_request_fit_the_merge_of_each_agent(house: Furnish, layout: str) -> None:
    workflows = {"review": {"on": "pull_request"}}
    made = house(layout, 2, SHAPES["diamond"], workflows=workflows)
    sh(made.origin, "git", "checkout", "-qb", "topic")
    (made.origin / "seed.txt").write_text("other seed\n")
    made.commit("topic")
    sh(made.origin, "git", "checkout", "-q", "main")
    (made.origin / "unrelated.txt").write_text("x\n")
    made.commit("elsewhere")
    build = made.build(change=Change("7", "topic"))
    sh(made.origin, "git", "merge", "-q", "topic")
    made.assert_as_repro(build)


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_what_a_person_sets_is_in_the_parameters(house: Furnish, layout: str) -> None:
    workflow = {"on": "manual", "inputs": {"k": {"sets": "a.k", "default": 1}}}
    made = house(layout, 2, SHAPES["params"], workflows={"try": workflow})
    build = made.build("ci/Jenkinsfile.try", branch=None, params={"k": "7"})
    params = made.origin / "params.yaml"
    params.write_text(params.read_text().replace("k: 1", "k: 7"))
    made.commit("what it would be in git")
    made.assert_as_repro(build)
