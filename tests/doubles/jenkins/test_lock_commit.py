"""`data: {lock: commit}`: the last job commits the lock file alone; the build of that commit ends in its first job."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pipegen.dvc.lockfile import LockFile
from tests.doubles.jenkins.build import RunningBuild
from tests.doubles.jenkins.scm import Change
from tests.doubles.jenkins.test_affected import jobs
from tests.doubles.jenkins.test_exec import LAYOUTS, Serve, Served, most_slow, serve
from tests.doubles.shapes import SHAPES
from tests.support.repositories import sh

__all__ = ["serve"]
pytestmark = pytest.mark.java

COMMIT: dict[str, Any] = {"data": {"lock": "commit"}}
WORKFLOWS = {
    "push": {"on": {"push": {"branches": ["main"]}}},
    "review": {"on": "pull_request"},
    "nightly": {"on": {"schedule": "0 6 * * *"}},
}


def furnished(serve: Serve, layout: str, stages: Any, **options: Any) -> Served:
    """A house whose repository takes pushes, as a server's does."""
    made = serve(layout, 2, stages, **COMMIT, **options)
    sh(made.origin, "git", "config", "receive.denyCurrentBranch", "updateInstead")
    return made


def head(made: Served, branch: str = "main") -> str:
    return sh(made.origin, "git", "rev-parse", branch).strip()


def changed_by_last(made: Served, branch: str = "main") -> list[str]:
    return sh(made.origin, "git", "show", "--format=", "--name-only", branch).split()


def entries(made: Served) -> dict[str, Any]:
    return dict(LockFile(str(made.origin / "dvc.lock")).entries)


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "levels"))
def test_a_build_commits_its_lock_file_once(serve: Serve, layout: str) -> None:
    """The stage `r` makes something else each time: without an end, each build would commit anew."""
    always = {"cmd": "head -c 8 /dev/urandom > r.txt", "always_changed": True, "outs": ["r.txt"]}
    made = furnished(serve, layout, {**SHAPES["two-roots"], "r": always}, workflows=WORKFLOWS)
    built = head(made)
    first = made.build()
    assert first.result == "SUCCESS", "\n".join(first.log)
    assert sh(made.origin, "git", "rev-parse", "main^").strip() == built
    assert changed_by_last(made) == ["dvc.lock"]
    assert entries(made) == made.entries(first)
    committed = head(made)
    second = made.build()
    assert (second.result, jobs(second)) == ("SUCCESS", {"affected"})
    assert head(made) == committed
    made.house.commit("change", {"other.txt": "changed\n"})
    third = made.build()
    assert third.result == "SUCCESS", "\n".join(third.log)
    assert jobs(third) == {"affected", "b", "c", "r", "lock"}
    assert changed_by_last(made) == ["dvc.lock"]
    assert entries(made) == made.entries(third)
    assert jobs(made.build()) == {"affected"}


@pytest.mark.parametrize("layout", most_slow(LAYOUTS, "graph"))
def test_a_race_is_rebased_and_what_came_between_is_built(serve: Serve, layout: str) -> None:
    made = furnished(serve, layout, SHAPES["two-roots"], workflows=WORKFLOWS)
    pushed: list[str] = []

    def push(line: str, build: RunningBuild) -> None:
        if line.endswith("exec pipegen lock --commit") and not pushed:
            pushed.append("x")
            made.house.commit("meanwhile", {"other.txt": "changed\n"})
            pushed[0] = head(made)

    first = made.build(on_line=push)
    assert first.result == "SUCCESS", "\n".join(first.log)
    assert sh(made.origin, "git", "rev-parse", "main^").strip() == pushed[0]
    assert changed_by_last(made) == ["dvc.lock"]
    second = made.build()
    assert second.result == "SUCCESS", "\n".join(second.log)
    assert jobs(second) == {"affected", "b", "c", "lock"}
    assert entries(made) == made.entries(second)
    assert jobs(made.build()) == {"affected"}


def test_pull_requests(serve: Serve) -> None:
    made = furnished(serve, "levels", SHAPES["two-roots"], workflows=WORKFLOWS)
    made.house.propose("topic", {"other.txt": "changed\n"})
    before = head(made, "topic")
    outside = made.build(change=Change("7", "topic", fork="somebody"))
    assert outside.result == "SUCCESS", "\n".join(outside.log)
    assert "not committed: a pull request from outside commits nothing" in outside.log
    assert head(made, "topic") == before
    inside = made.build(change=Change("8", "topic"))
    assert inside.result == "SUCCESS", "\n".join(inside.log)
    assert sh(made.origin, "git", "rev-parse", "topic^").strip() == before
    assert changed_by_last(made, "topic") == ["dvc.lock"]
    again = made.build(change=Change("8", "topic"))
    assert (again.result, jobs(again)) == ("SUCCESS", {"affected"})
    assert sh(made.origin, "git", "rev-parse", "topic^").strip() == before
    # what its message says counts for nothing from outside, where it may be made up
    assert "lock" in jobs(made.build(change=Change("9", "topic", fork="somebody")))


def test_a_scheduled_run_commits_to_its_branch_and_its_commit_ends_the_build_of_the_push(
    serve: Serve,
) -> None:
    made = furnished(serve, "levels", SHAPES["two-roots"], workflows=WORKFLOWS)
    built = head(made)
    night = made.build("ci/Jenkinsfile.nightly", branch=None)
    assert night.result == "SUCCESS", "\n".join(night.log)
    assert sh(made.origin, "git", "rev-parse", "main^").strip() == built
    committed = head(made)
    assert jobs(made.build()) == {"affected"}
    again = made.build("ci/Jenkinsfile.nightly", branch=None)
    assert jobs(again) == {"a", "b", "c", "lock"}
    assert "main has it already" in again.log
    assert head(made) == committed


def test_a_push_that_is_refused_is_told_in_gits_words(serve: Serve, tmp_path: Path) -> None:
    made = furnished(serve, "levels", SHAPES["single"], workflows={"push": WORKFLOWS["push"]})
    hook = made.origin / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho this branch is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    built = head(made)
    build = made.build()
    assert build.result == "FAILURE"
    (said,) = [line for line in build.log if line.startswith("error: git push failed")]
    assert "remote: this branch is protected" in said
    assert head(made) == built


def test_builds_of_one_branch_wait_for_each_other(serve: Serve) -> None:
    """A commit would end the build that made it, if a newer commit ended older builds."""
    made = furnished(serve, "levels", SHAPES["single"], workflows={"push": WORKFLOWS["push"]})
    made.build()
    made.house.commit("change", {"seed.txt": "changed\n"})
    begun = threading.Event()
    running = made.double.start(
        made.origin / "Jenkinsfile", on_line=lambda line, _: begun.set() if "exec a" in line else None
    )
    assert begun.wait(60)
    queued = made.double.start(made.origin / "Jenkinsfile")
    assert running.wait().result == "SUCCESS"
    assert queued.wait().result == "SUCCESS"
