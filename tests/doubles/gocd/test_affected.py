"""The first job of a run: what the change doesn't touch says so, and still hands on; lock files that runs commit."""

from __future__ import annotations

from typing import Any

import pytest

from pipegen.dvc.lockfile import LockFile
from tests.doubles.gocd.runs import PipelineRun
from tests.doubles.gocd.test_exec import Build, Served, build
from tests.doubles.shapes import SHAPES
from tests.support.repositories import sh

__all__ = ["build"]

LAYOUTS = ["levels", pytest.param("pipelines", marks=pytest.mark.slow)]
PUSH = {"on": {"push": {"branches": ["main"]}}}
STAGES: dict[str, Any] = {
    **SHAPES["two-roots"],
    "last": {
        "cmd": "printf '{\"r2\": 0.5}' > m.json && cp seed.txt last.txt",
        "deps": ["seed.txt"],
        "outs": ["last.txt"],
        "metrics": [{"m.json": {"cache": False}}],
    },
    "reader": {
        "cmd": "cat m.json b.txt > read.txt",
        "deps": ["m.json", "b.txt"],
        "outs": ["read.txt"],
        "ci": {"tests": ["test -s read.txt"]},
    },
    "tested": {
        "cmd": "cp seed.txt t.txt",
        "deps": ["seed.txt"],
        "outs": ["t.txt"],
        "ci": {"tests": ["test -s t.txt"]},
    },
}
"""Two roots and what joins them; metrics that DVC doesn't keep; stages with tests."""


def passed(made: Served, runs: list[PipelineRun]) -> None:
    assert runs, "nothing was started"
    assert all(run.passed for run in runs), made.log


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_change_does_not_touch_says_so_and_hands_on(build: Build, layout: str) -> None:
    made = build(layout, 2, STAGES, workflows={"push": {**PUSH, "affected": True}})
    passed(made, made.server.poll())
    assert set(made.published.outcomes().values()) == {"ran"}
    made.assert_as_repro()
    made.house.commit("change", {"other.txt": "changed\n"})
    passed(made, made.server.poll())
    outcomes = made.published.outcomes()
    assert outcomes == {
        **dict.fromkeys(("a", "last"), "unchanged"),
        **dict.fromkeys(("b", "c", "reader"), "ran"),
        "tested": "restored",  # GoCD does not say whether its tests passed
    }
    assert "the change does not touch a: it keeps the result of an earlier build" in made.log
    made.assert_as_repro()
    lock = next(job for job in made.published.jobs if job.name == "lock").read("lock/dvc.lock")
    assert lock == (max(made.house.folder.glob("reference-?")) / "dvc.lock").read_text()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lock_file_is_committed_once(build: Build, layout: str) -> None:
    """The stage `r` makes something else each time. In layout `pipelines` no filter keeps the commit from starting."""
    always = {"cmd": "head -c 8 /dev/urandom > r.txt", "always_changed": True, "outs": ["r.txt"]}
    stages = {**SHAPES["two-roots"], "r": always}
    made = build(layout, 2, stages, data={"lock": "commit"}, workflows={"push": PUSH})
    sh(made.origin, "git", "config", "receive.denyCurrentBranch", "updateInstead")
    made.server.load(made.origin / "toy.gocd.yaml")
    for text in ("one\n", "two\n"):
        made.house.commit("change", {"other.txt": text})
        built = sh(made.origin, "git", "rev-parse", "main").strip()
        passed(made, made.server.poll())
        assert sh(made.origin, "git", "rev-parse", "main^").strip() == built
        assert sh(made.origin, "git", "show", "--format=", "--name-only", "main").split() == ["dvc.lock"]
        assert dict(LockFile(str(made.origin / "dvc.lock")).entries) == made.published.entries()
        committed = sh(made.origin, "git", "rev-parse", "main").strip()
        runs = made.server.poll()
        assert bool(runs) == (layout == "pipelines")
        if runs:
            passed(made, runs)
            assert {made.published.outcomes()[stage] for stage in "abc"} == {"unchanged"}
            assert "this is the build of a lock file that an earlier one committed" in made.log
        assert sh(made.origin, "git", "rev-parse", "main").strip() == committed
