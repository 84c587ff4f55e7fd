"""`pipegen gc`: what goes from a remote, and what stays."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.support.agents import Build, make_origin
from tests.support.cli import pipegen
from tests.support.http_remote import http_remote
from tests.support.repositories import make_template, sh, write

TEXT = """\
pipegen: 1
name: small
stages:
  one: {cmd: cp seed.txt one.txt, deps: [seed.txt], outs: [one.txt]}
  folder: {cmd: "mkdir folder; cp one.txt folder/a; echo b > folder/b", deps: [one.txt], outs: [folder]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git and DVC repository, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "repository")


@pytest.fixture
def origin(tmp_path: Path, template: Path) -> Path:
    """A repository with its remote."""
    return make_origin(tmp_path / "origin", template, TEXT, str(tmp_path / "remote"), **{"seed.txt": "1\n"})


def build(origin: Path, seed: str, number: int) -> Path:
    """Run all stages on a commit with that seed; the answer is the last agent's folder."""
    write(origin, {"seed.txt": seed})
    sh(origin, "git", "commit", "-q", "--allow-empty", "-am", f"seed {number}")
    return Build(origin.parent / f"build-{number}", origin).run()["folder"].agent


def age(remote: Path, days: float) -> None:
    for path in remote.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - days * 86400,) * 2)


def files(remote: Path) -> set[str]:
    return {path.relative_to(remote).as_posix() for path in remote.rglob("*") if path.is_file()}


def test_gc(origin: Path) -> None:
    remote = origin.parent / "remote"
    kept = build(origin, "kept\n", 1)
    (origin / "dvc.lock").write_bytes((kept / "dvc.lock").read_bytes())
    sh(origin, "git", "checkout", "-q", "-b", "other")
    sh(origin, "git", "add", "dvc.lock")
    sh(origin, "git", "commit", "-qm", "a lock on another branch")
    sh(origin, "git", "checkout", "-q", "-")
    needed = {path for path in files(remote) if path.startswith("files/")}
    build(origin, "gone\n", 2)
    age(remote, 100)
    before = files(remote)
    build(origin, "young\n", 3)
    everything = files(remote)

    done = pipegen("gc", "--json", cwd=origin)
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert files(remote) == everything, "nothing goes unasked"
    assert said["removed"] is False
    gone = set(said["files"])
    assert {path for path in gone if path.startswith("runs/")} == {p for p in before if p.startswith("runs/")}
    assert gone <= before
    assert not gone & needed, "another branch needs it"
    assert len([path for path in gone if path.startswith("files/")]) == 2, (
        "a file and a listing of the second build"
    )

    assert pipegen("gc", "--remove", cwd=origin).code == 0
    assert files(remote) == everything - gone
    assert pipegen("gc", cwd=origin).out == ""


def test_what_a_killed_push_left(origin: Path) -> None:
    remote = origin.parent / "remote"
    build(origin, "one\n", 1)
    half = remote / "files" / "md5" / "ab" / ".half.tmp"
    half.parent.mkdir()
    half.write_text("by half")
    assert pipegen("gc", cwd=origin).out == "", "it may be on its way"
    age(half.parent, 10)
    assert pipegen("gc", "--remove", cwd=origin).out == "files/md5/ab/.half.tmp\n"
    assert not half.exists()


def test_another_repository_on_the_same_remote(origin: Path, template: Path) -> None:
    remote, other = origin.parent / "remote", origin.parent / "other" / "origin"
    other.parent.mkdir()
    make_origin(other, template, TEXT, str(remote), **{"seed.txt": "theirs\n"})
    (other / "dvc.lock").write_bytes((build(other, "theirs\n", 1) / "dvc.lock").read_bytes())
    sh(other, "git", "add", "dvc.lock")
    sh(other, "git", "commit", "-qm", "a lock")
    age(remote, 100)
    assert "files/md5/" in pipegen("gc", cwd=origin).out
    assert "files/md5/" not in pipegen("gc", "--repository", str(other / ".dvc"), cwd=origin).out, (
        "from any folder"
    )


def test_runs_that_can_be_restored_keep_their_data(origin: Path) -> None:
    remote = origin.parent / "remote"
    build(origin, "one\n", 1)
    age(remote, 10)
    assert pipegen("gc", "--keep-runs", "20", cwd=origin).out == ""
    gone = set(pipegen("gc", "--keep-runs", "5", cwd=origin).out.splitlines())
    assert gone == {path for path in files(remote) if not path.startswith("pipegen/")}


def test_run_records_keep_their_data(origin: Path) -> None:
    """While they are young, and where a tag carries the digest; records stay, whatever becomes of the data."""
    remote = origin.parent / "remote"
    build(origin, "one\n", 1)
    age(remote, 100)
    records = {path for path in files(remote) if path.startswith("pipegen/")}
    gone = set(pipegen("gc", cwd=origin).out.split())
    assert gone == files(remote) - records
    (record,) = (path for path in records if path.endswith("-folder.json"))
    sh(
        origin,
        "git",
        "tag",
        "-a",
        "model@v1",
        "-m",
        f"a model\n\nRecord: {Path(record).name.split('-')[3]}\n",
    )
    gone = set(pipegen("gc", cwd=origin).out.split())
    assert gone == {path for path in files(remote) if path.startswith("runs/")}, "all it names stays"
    sh(origin, "git", "tag", "-d", "model@v1")
    age(remote, 1)
    for path in files(remote) - records:
        os.utime(remote / path, (time.time() - 100 * 86400,) * 2)
    gone = set(pipegen("gc", cwd=origin).out.split())
    assert gone == {path for path in files(remote) if path.startswith("runs/")}, "the records are young"


def test_a_remote_that_can_not_be_listed(origin: Path, tmp_path: Path) -> None:
    with http_remote(tmp_path / "served") as remote:
        config = origin / ".dvc" / "config"
        config.write_text(config.read_text().rpartition("url = ")[0] + f"url = {remote.url}\n")
        done = pipegen("gc", cwd=origin)
    assert done.code == 5
    assert "can't be listed over HTTP" in done.err


def test_refused(origin: Path) -> None:
    assert pipegen("gc", "--remove", "--dry-run", cwd=origin).code == 2
    shallow = origin.parent / "shallow"
    sh(origin, "git", "commit", "-q", "--allow-empty", "-m", "more")
    sh(origin.parent, "git", "clone", "-q", "--depth", "1", f"file://{origin}", str(shallow))
    done = pipegen("gc", cwd=shallow)
    assert done.code == 5
    assert "shallow" in done.err
