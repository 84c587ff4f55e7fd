"""The first job of a build: what the change can't touch takes no agent, and a build with nothing to do ends there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipegen.project import Project
from tests.doubles.jenkins.build import Build
from tests.doubles.jenkins.scm import Change
from tests.doubles.jenkins.test_exec import LAYOUTS, Serve, Served, most_slow, outcomes, serve
from tests.doubles.shapes import SHAPES
from tests.support.repositories import sh

__all__ = ["serve"]
pytestmark = pytest.mark.java

PUSH = {"on": {"push": {"branches": ["main"]}}, "affected": True}
WORKFLOWS = {"push": PUSH, "review": {"on": "pull_request", "affected": True}}
LAST = {
    "cmd": "printf '{\"r2\": 0.5}' > m.json && cp c.txt last.txt",
    "deps": ["c.txt"],
    "outs": ["last.txt"],
}
STAGES: dict[str, Any] = {
    **SHAPES["two-roots"],
    "last": {
        **LAST,
        "metrics": [{"m.json": {"cache": False}}],
        "ci": {"group": "own", "tests": ["test -s m.json"]},
    },
    "reader": {
        "cmd": "cat m.json > read.txt",
        "deps": ["m.json"],
        "outs": ["read.txt"],
        "ci": {"group": "other"},
    },
    "part": {"cmd": "cat d/one > p.txt", "deps": ["d/one"], "outs": ["p.txt"], "ci": {"group": "third"}},
    "folder": {
        "cmd": "mkdir -p d/e; cp seed.txt d/one; cp seed.txt d/e/two",
        "deps": ["seed.txt"],
        "outs": ["d"],
    },
}
"""`a` from the seed and `b` from another file, both in `c`; behind it metrics that DVC doesn't keep; and a part of a
folder."""


def jobs(build: Build) -> set[str]:
    """The stages and other things for which commands ran, but the pages of the run."""
    words = [
        call.script.removeprefix("exec ").split() for call in build.calls if call.script.startswith("exec ")
    ]
    return {word[2] if word[1] == "exec" else word[1] for word in words} - {"view"}


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_what_a_change_does_not_touch_takes_no_agent(serve: Serve, layout: str) -> None:
    made = serve(layout, 2, STAGES, workflows=WORKFLOWS)
    made.assert_as_repro(first := made.build())
    assert jobs(first) == {"affected", *STAGES, "lock"}
    made.house.commit("change", {"other.txt": "changed\n"})
    made.assert_as_repro(second := made.build())
    assert jobs(second) == {"affected", "b", "c", "last", "reader", "lock"}
    assert outcomes(second) == {"b": "ran", "c": "ran", "last": "ran", "reader": "restored"}
    if layout != "graph":
        assert second.stage("a").status == "NOT_BUILT" or second.stage("a").agent is None
    made.house.commit("elsewhere", {"unrelated.txt": "x\n"})
    made.assert_as_repro(third := made.build())
    assert jobs(third) == {"affected", "lock"}
    assert lock_of(third) == lock_of(second)
    assert repro_lock(made) == lock_of(third)


def lock_of(build: Build) -> str:
    """The lock file that a build published."""
    return (build.artifacts / ".pipegen/lock/dvc.lock").read_text()


def repro_lock(made: Served) -> str:
    """The lock file of the last `dvc repro`."""
    return (max(made.house.folder.glob("reference-?")) / "dvc.lock").read_text()


def test_without_a_base_everything_runs_and_a_failure_is_no_base(serve: Serve, tmp_path: Path) -> None:
    stages = {**SHAPES["two-roots"], "c": {**SHAPES["two-roots"]["c"]}}
    stages["c"]["cmd"] = f"test -e {tmp_path}/mended && {stages['c']['cmd']}"
    made = serve("levels", 1, stages, workflows=WORKFLOWS)
    assert made.build().result == "FAILURE"
    (tmp_path / "mended").touch()
    made.assert_as_repro(second := made.build())
    assert "compared with nothing" in second.log
    assert jobs(second) == {"affected", "a", "b", "c"}
    sh(made.origin, "git", "checkout", "-q", "--orphan", "anew")
    made.house.commit("other history", {"unrelated.txt": "x\n"})
    sh(made.origin, "git", "branch", "-M", "main")
    made.assert_as_repro(forced := made.build())
    assert jobs(forced) == {"affected", "a", "b", "c"}


def test_a_result_that_is_gone_is_made_again(serve: Serve) -> None:
    made = serve("levels", 1, SHAPES["two-roots"], workflows=WORKFLOWS)
    made.build()
    entry = made.house.reference()["a"]
    md5 = entry["outs"][0]["md5"]
    (made.house.folder / "remote" / "files" / "md5" / md5[:2] / md5[2:]).unlink()
    made.house.commit("elsewhere", {"unrelated.txt": "x\n"})
    made.assert_as_repro(second := made.build())
    assert jobs(second) == {"affected", "a", "c"}
    assert "runs      a: no result of it on what it reads is known" in second.log


def test_a_restarted_build_has_the_fragments_of_what_was_left_out(serve: Serve, tmp_path: Path) -> None:
    stages = dict(SHAPES["two-roots"])
    stages["c"] = {**stages["c"], "cmd": f"test ! -e {tmp_path}/broken && {stages['c']['cmd']}"}
    made = serve("levels", 1, stages, workflows=WORKFLOWS)
    made.build()
    made.house.commit("change", {"other.txt": "changed\n"})
    (tmp_path / "broken").touch()
    failed = made.build()
    assert failed.result == "FAILURE"
    (tmp_path / "broken").unlink()
    again = made.build(restart=(failed, "c"))
    assert jobs(again) == {"c"}
    made.assert_as_repro(again)


def test_a_pull_request_is_compared_with_where_it_goes(serve: Serve) -> None:
    made = serve("levels", 2, SHAPES["two-roots"], workflows=WORKFLOWS)
    made.build()
    made.house.propose("topic", {"other.txt": "changed\n"})
    build = made.build(change=Change("7", "topic"))
    sh(made.origin, "git", "merge", "-q", "topic")
    made.assert_as_repro(build)
    assert jobs(build) == {"affected", "b", "c"}


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "graph"))
def test_a_change_elsewhere_ends_the_build_of_a_subfolder(serve: Serve, layout: str) -> None:
    stages = dict(SHAPES["two-roots"])
    stages["b"] = {**stages["b"], "deps": ["other.txt", "../shared.txt"]}
    gates = {"good": {"metric": "m.json:r2", "min": 0}}
    stages["c"] = {**stages["c"], "cmd": f"{stages['c']['cmd']}; printf '{{\"r2\": 1}}' > m.json"}
    stages["c"]["metrics"] = ["m.json"]
    made = serve(layout, 1, {"a": SHAPES["single"]["a"]})
    move_into_subfolder(made, stages, gates, layout)
    first = made.build("sub/Jenkinsfile")
    assert first.result == "SUCCESS", "\n".join(first.log)
    assert jobs(first) == {"affected", "a", "b", "c", "gate"}
    made.house.commit("elsewhere", {"unrelated.txt": "x\n"})
    second = made.build("sub/Jenkinsfile")
    assert (second.result, jobs(second)) == ("SUCCESS", {"affected"})
    made.house.commit("what b reads", {"shared.txt": "x\n"})
    third = made.build("sub/Jenkinsfile")
    assert third.result == "SUCCESS", "\n".join(third.log)
    assert jobs(third) == {"affected", "b", "c", "gate"}


def move_into_subfolder(made: Served, stages: Any, gates: Any, layout: str) -> None:
    """Another description of the same repository, in its folder `sub`."""
    import yaml

    sub = made.origin / "sub"
    sub.mkdir()
    sh(made.origin, "git", "rm", "-q", "-r", "--cached", ".")
    for name in (".dvc", "seed.txt", "other.txt", "params.yaml"):
        (made.origin / name).rename(sub / name)
    for name in ("pipegen.yaml", "dvc.yaml", "Jenkinsfile"):
        (made.origin / name).unlink()
    data = {
        "pipegen": 1,
        "name": "toy",
        "repository": "https://git.example.com/toy.git",
        "targets": {"jenkins": {"layout": layout}},
        "stages": stages,
        "gates": gates,
        "workflows": {"push": {"on": {"push": {"branches": ["main"]}}, "gates": "all"}},
    }
    (sub / "pipegen.yaml").write_text(yaml.safe_dump(data))
    (made.origin / "shared.txt").write_text("shared\n")
    Project.open(sub).generate(["jenkins", "dvc"]).write()
    made.house.commit("into a folder")
