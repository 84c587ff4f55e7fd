"""Generated files with the real `pipegen exec`: agents that share git and a remote make what `dvc repro` makes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from pipegen.dvc.fragments import Fragment
from pipegen.project import Project
from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.conftest import Start
from tests.doubles.gocd.published import Published
from tests.doubles.gocd.server import GoCDDouble
from tests.doubles.shapes import SHAPES
from tests.support.agents import ROOT, make_origin, reference
from tests.support.repositories import make_template, sh

URL = "https://git.example.com/toy.git"
FILES = {"seed.txt": "seed\n", "other.txt": "other\n", "params.yaml": "a: {k: 1}\nb: [2, 3]\n"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git and DVC repository, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "repository")


class House:
    """A repository with a description and its generated file, and a server that runs it.

    Args:
        folder: where all comes to lie.
        template: an empty repository.
        start: starts servers.
        layout: GoCD's layout.
        agents: how many agents.
        stages: the description's stages.
        options: its other words.
    """

    def __init__(
        self,
        folder: Path,
        template: Path,
        start: Start,
        layout: str,
        agents: int,
        stages: Any,
        **options: Any,
    ) -> None:
        self.folder = folder
        data = {
            "pipegen": 1,
            "name": "toy",
            "repository": URL,
            "targets": {"gocd": {"layout": layout}},
            "stages": stages,
            "workflows": {"push": {"on": {"push": {"branches": ["main"]}}}},
            **options,
        }
        self.origin = folder / "origin"
        make_origin(self.origin, template, yaml.safe_dump(data), str(folder / "remote"), **FILES)
        sh(self.origin, "git", "branch", "-M", "main")
        Project.open(self.origin).generate(["gocd"]).write()
        self.commit("generate")
        tools = folder / "bin"
        tools.mkdir()
        (tools / "pipegen").write_text(f"#!{sys.executable}\nfrom pipegen.cli import main\nmain()\n")
        (tools / "pipegen").chmod(0o755)
        env = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DVC_NO_ANALYTICS": "1",
        }
        made = [Agent(f"agent{number}", {"linux"}, env=env) for number in range(1, agents + 1)]
        self.server: GoCDDouble = start({URL: self.origin}, *made)
        self.server.load(self.origin / "toy.gocd.yaml")

    def commit(self, message: str) -> None:
        """Commit all."""
        sh(self.origin, "git", "add", "-A")
        sh(self.origin, "git", "commit", "-qm", message)

    @property
    def published(self) -> Published:
        """What the jobs of the last run of each pipeline left on the server."""
        return Published([job for name in self.server.pipelines for job in self.server.run(name).jobs])

    def assert_as_repro(self) -> None:
        """The fragments hold what `dvc repro` writes into `dvc.lock`."""
        wanted = reference(self.origin, self.folder / f"reference-{len(list(self.folder.iterdir()))}")
        assert self.published.entries() == wanted

    @property
    def log(self) -> str:
        """All logs, to be shown where something fails."""
        return self.published.log


Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path, template: Path, start: Start) -> Build:
    """Builds a house in a folder of its own."""

    def one(layout: str, agents: int, stages: Any, **options: Any) -> House:
        return House(tmp_path, template, start, layout, agents, stages, **options)

    return one


LAYOUTS, AGENTS = ("levels", "pipelines"), (1, 2, 4)


def combinations() -> list[Any]:
    """Every shape in every layout on every number of agents; those that `make test` runs have each shape once, and
    each layout with each number of agents."""
    found = []
    for row, shape in enumerate(SHAPES):
        for column, (layout, agents) in enumerate(
            (layout, agents) for agents in AGENTS for layout in LAYOUTS
        ):
            marks = () if column == row % 6 else pytest.mark.slow
            found.append(pytest.param(shape, layout, agents, id=f"{shape}-{layout}-{agents}", marks=marks))
    return found


@pytest.mark.parametrize(("shape", "layout", "agents"), combinations())
def test_a_graph_over_agents_makes_what_repro_makes(
    build: Build, shape: str, layout: str, agents: int
) -> None:
    house = build(layout, agents, SHAPES[shape])
    runs = house.server.poll()
    assert all(run.passed for run in runs), house.log
    house.assert_as_repro()


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


@pytest.mark.parametrize("layout", ["levels", pytest.param("pipelines", marks=pytest.mark.slow)])
def test_a_failed_job_is_mended_and_run_again(build: Build, tmp_path: Path, layout: str) -> None:
    house = build(layout, 2, diamond(f"test -e {tmp_path}/mended"))
    house.server.poll()
    name, stage = ("toy-push", "level-2") if layout == "levels" else ("toy-push-b.y", "b.y")
    failed = house.server.run(name).job("b.y")
    assert failed.result == "Failed"
    assert "b@y failed: its command exited with 1" in "\n".join(failed.console.output())
    fragment = Fragment.read(failed.store / "fragments/b.y.lock.json")
    assert (fragment.state, dict(fragment.entries)) == ("failed", {})
    (tmp_path / "mended").touch()
    again = house.server.rerun_jobs(name, stage)
    assert again.passed, house.log
    assert house.server.run("toy-push" if layout == "levels" else "toy-push-c").passed, house.log
    assert house.published.outcomes() == dict.fromkeys(("a", "b@x", "b@y", "c"), "ran")
    house.assert_as_repro()


def test_the_next_commit_runs_only_what_it_changes(build: Build) -> None:
    house = build("levels", 2, SHAPES["two-roots"])
    house.server.poll()
    (house.origin / "other.txt").write_text("changed\n")
    house.commit("change")
    (run,) = house.server.poll()
    assert run.passed, house.log
    assert house.published.outcomes() == {"a": "restored", "b": "ran", "c": "ran"}
    house.assert_as_repro()


def test_a_stage_started_again_changes_nothing(build: Build) -> None:
    house = build("levels", 2, SHAPES["diamond"])
    (run,) = house.server.poll()
    before = house.published.entries()
    house.server.approve("toy-push", "level-2", user="admin")
    assert [(stage.name, stage.counter) for stage in run.stages[-2:]] == [("level-2", 2), ("c", 2)]
    assert run.passed, house.log
    assert house.published.outcomes() == {"a": "ran", "b@x": "restored", "b@y": "restored", "c": "restored"}
    assert house.published.entries() == before


def test_what_a_person_sets_is_in_the_parameters(build: Build, tmp_path: Path) -> None:
    workflow = {"on": "manual", "inputs": {"k": {"sets": "a.k", "default": 1}}}
    house = build("levels", 2, SHAPES["params"], workflows={"try": workflow})
    run = house.server.trigger("toy-try", {"k": "7"})
    assert run.passed, house.log
    params = house.origin / "params.yaml"
    params.write_text(params.read_text().replace("k: 1", "k: 7"))
    house.commit("what it would be in git")
    house.assert_as_repro()


def test_a_cancelled_command_ends_with_all_it_started(build: Build, tmp_path: Path) -> None:
    begun, nap = tmp_path / "begun", f"{5000 + os.getpid()}.5"
    house = build("levels", 2, diamond(f"test -e {begun} || (touch {begun}; sleep {nap})"))
    house.server.poll(settle=False)
    house.server.wait_for(begun.exists)
    house.server.cancel("toy-push", "level-2")
    assert house.server.run("toy-push").results == {"a": "Passed", "level-2": "Cancelled"}
    assert not [one for one in psutil.process_iter(["cmdline"]) if nap in (one.info["cmdline"] or ())]
    assert house.server.rerun_jobs("toy-push", "level-2").passed, house.log
    assert house.server.run("toy-push").passed, house.log
    house.assert_as_repro()
