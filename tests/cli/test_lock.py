"""`pipegen lock`: what becomes of the lock file of a build. Builds on the servers' doubles are in `tests/doubles`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.agents import FRAGMENTS, Build, lock_of, make_origin
from tests.support.cli import pipegen
from tests.support.repositories import make_template, sh, write

TEXT = """\
pipegen: 1
name: small
stages:
  one: {cmd: cp seed.txt one.txt, deps: [seed.txt], outs: [one.txt]}
  two: {cmd: cp one.txt two.txt, deps: [one.txt], params: [n], outs: [two.txt]}
workflows: {try: {on: manual, inputs: {N: {sets: n, default: 1}}}}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a repository and the workspace of a job that has all fragments of a build of it."""
    folder = tmp_path_factory.mktemp("built")
    template = make_template(folder / "template")
    files = {"seed.txt": "1\n", "params.yaml": "n: 1\n"}
    origin = make_origin(folder / "origin", template, TEXT, str(folder / "remote"), **files)
    sh(origin, "git", "branch", "-m", "main")
    sh(origin, "git", "checkout", "-q", "--detach")  # so that main takes a push
    build = Build(folder / "build", origin)
    build.run()
    job = build.agent()
    shutil.copytree(build.fragments, job / FRAGMENTS)
    job.rename(folder / "job")
    return folder


@pytest.fixture
def job(built: Path, tmp_path: Path) -> Path:
    """The same to be changed."""
    for name in ("origin", "job"):
        shutil.copytree(built / name, tmp_path / name, symlinks=True)
    sh(tmp_path / "job", "git", "remote", "set-url", "origin", str(tmp_path / "origin"))
    return tmp_path / "job"


def test_published_and_committed(job: Path) -> None:
    origin = job.parent / "origin"
    done = pipegen("lock", "--commit", "--branch", "main", cwd=job)
    assert done.code == 0, done.err
    assert sh(origin, "git", "show", "--format=", "--name-only", "main").split() == ["dvc.lock"]
    published = (job / ".pipegen" / "lock" / "dvc.lock").read_text()
    assert sh(origin, "git", "show", "main:dvc.lock") == published
    assert sh(job, "git", "status", "--porcelain") == "", "the job's own workspace is as it was"
    sh(job, "git", "pull", "-q", "origin", "main")
    assert lock_of(job).keys() == {"one", "two"}


def test_a_branch_that_is_none(job: Path) -> None:
    for branch in ("main:refs/heads/other", "--upload-pack=touch x", "a b"):
        done = pipegen("lock", "--commit", "--branch", branch, cwd=job)
        assert (done.code, done.err) == (5, f"error: no branch can be called {branch!r}\n")
    assert sh(job, "git", "branch", "--list", "other") == ""
    done = pipegen("lock", "--commit", cwd=job)
    assert done.code == 1
    assert "say --branch" in done.err


def test_a_branch_that_was_rewritten(job: Path) -> None:
    origin = job.parent / "origin"
    sh(origin, "git", "checkout", "-q", "main")
    sh(origin, "git", "commit", "-q", "--amend", "-m", "another")
    sh(origin, "git", "checkout", "-q", "--detach")
    before = sh(origin, "git", "rev-parse", "main")
    done = pipegen("lock", "--commit", "--branch", "main", cwd=job)
    assert done.code == 5
    assert "main no longer has the commit that was built" in done.err
    assert sh(origin, "git", "rev-parse", "main") == before


def test_not_committed(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("CHANGE_FORK", "stranger")
        done = pipegen("lock", "--commit", "--branch", "main", cwd=job)
    assert (done.code, "from outside" in done.out) == (0, True)
    shutil.rmtree(job / FRAGMENTS)
    assert pipegen("values", "--workflow", "try", cwd=job).code == 0
    for stage in ("one", "two"):
        assert pipegen("exec", stage, cwd=job).code == 0
    done = pipegen("lock", "--commit", "--branch", "main", "--json", cwd=job)
    assert json.loads(done.out)["outcome"] == "withheld"
    assert "values of its own" in json.loads(done.out)["message"]


def test_nothing_to_bring_together(job: Path) -> None:
    write(job, {"seed.txt": "2\n"})
    sh(job, "git", "commit", "-qam", "more")
    assert "was made from another tree" in pipegen("lock", cwd=job).err
    shutil.rmtree(job / FRAGMENTS)
    done = pipegen("lock", cwd=job)
    assert done.code == 1
    assert "there is no lock fragment of this build" in done.err
