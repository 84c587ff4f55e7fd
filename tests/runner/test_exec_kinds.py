"""Stages of every kind over agents: `.dvc` sources, persistent, frozen, always changing, without outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runner.conftest import MakeBuild
from tests.support.agents import lock_of
from tests.support.repositories import dvc, sh, write

KINDS = """\
pipegen: 1
name: kinds
stages:
  read: {cmd: cp data/raw.csv read.txt, deps: [data/raw.csv], outs: [read.txt]}
  log: {cmd: "cat read.txt >> log.txt", deps: [read.txt], outs: [{log.txt: {persist: true}}]}
  now: {cmd: "cp read.txt now.txt", deps: [read.txt], outs: [now.txt], always_changed: true}
  check: {cmd: "test -s now.txt", deps: [now.txt]}
  always: {cmd: "echo nothing to read"}
  inside: {wdir: sub, cmd: "cp ../read.txt made.txt && chmod +x made.txt", deps: [../read.txt], outs: [made.txt]}
  folder: {cmd: "mkdir -p report && cp sub/made.txt report/", deps: [sub], outs: [{report: {cache: false}}]}
  last:
    cmd: "./sub/made.txt; cat report/made.txt log.txt > last.txt"
    deps: [sub/made.txt, report, log.txt]
    outs: [last.txt]
    ci: {after: [check, always]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""


def with_source(origin: Path) -> None:
    """Put data under a `.dvc` file, pushed."""
    write(origin, {"data/raw.csv": "#!/bin/sh\necho hello\n", "sub/.gitignore": "/made.txt\n"})
    dvc(origin, "add", "-q", "data/raw.csv")
    dvc(origin, "push", "-q")
    sh(origin, "git", "add", "-A")
    sh(origin, "git", "commit", "-qm", "data")


def test_every_kind(make: MakeBuild, tmp_path: Path) -> None:
    build = make(KINDS)
    with_source(build.origin)
    done = build.run()
    assert {each.outcome for each in done.values()} == {"ran"}
    expected = reference_with_data(build.origin, tmp_path / "reference")
    assert lock_of(done["last"].agent) == expected


@pytest.mark.slow
def test_every_kind_again(make: MakeBuild) -> None:
    build = make(KINDS)
    with_source(build.origin)
    expected = lock_of(build.run()["last"].agent)
    again = make(again=True).run()
    outcomes = {stage: each.outcome for stage, each in again.items()}
    assert outcomes == {
        "read": "restored",
        "log": "ran",  # DVC's run cache takes no persistent outputs,
        "now": "ran",
        "check": "ran",  # none of a stage without outputs,
        "always": "ran",
        "inside": "restored",
        "folder": "ran",  # and none of one whose outputs it does not keep
        "last": "restored",
    }
    assert lock_of(again["last"].agent) == expected


def reference_with_data(origin: Path, folder: Path) -> dict[str, object]:
    """What `dvc repro` makes, with the data pulled first."""
    sh(folder.parent, "git", "clone", "-q", str(origin), str(folder))
    dvc(folder, "pull", "-q", "data/raw.csv.dvc")
    dvc(folder, "repro", "-q")
    return lock_of(folder)


FROZEN = """\
pipegen: 1
name: frozen
stages:
  one: {cmd: "date +%s%N > one.txt", deps: [seed.txt], outs: [one.txt], frozen: true}
  two: {cmd: cp one.txt two.txt, deps: [one.txt], outs: [two.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""


def test_a_frozen_stage_keeps_what_the_lock_file_has(make: MakeBuild) -> None:
    build = make(FROZEN.replace(", frozen: true", ""))
    made = build.exec("one").agent
    text = (made / "one.txt").read_text()
    write(
        build.origin,
        {"pipegen.yaml": FROZEN, "dvc.lock": (made / "dvc.lock").read_text(), "seed.txt": "other\n"},
    )
    dvc_yaml = (build.origin / "dvc.yaml").read_text()
    write(build.origin, {"dvc.yaml": dvc_yaml.replace("    cmd: date", "    frozen: true\n    cmd: date")})
    sh(build.origin, "git", "add", "-A")
    sh(build.origin, "git", "commit", "-qm", "frozen")
    done = build.run()
    assert (done["one"].agent / "one.txt").read_text() == text
    assert (done["two"].agent / "two.txt").read_text() == text
    assert done["one"].outcome in ("verified", "unchanged")


def test_a_frozen_stage_without_a_lock_file(make: MakeBuild) -> None:
    done = make(FROZEN).exec("one")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1


def test_the_lock_file_of_the_commit_is_enough(make: MakeBuild) -> None:
    """Data that `dvc push` brought there without a run cache."""
    text = FROZEN.replace(", frozen: true", "")
    build = make(text)
    dvc(build.origin, "repro", "-q")
    dvc(build.origin, "push", "-q")
    sh(build.origin, "git", "add", "-A")
    sh(build.origin, "git", "commit", "-qm", "lock")
    done = build.exec("two", needs=[])
    assert done.code == 0, done.err
    assert done.outcome == "restored"
    assert "in the commit's lock file" in done.out
    assert (done.agent / "two.txt").read_text() == (build.origin / "two.txt").read_text()


def test_a_linked_cache(make: MakeBuild) -> None:
    """`cache.type` is kept to: what is fetched is a link, and everything goes the way of DVC's own objects."""
    build = make(FROZEN.replace(", frozen: true", ""))
    dvc(build.origin, "config", "cache.type", "symlink")
    sh(build.origin, "git", "commit", "-qam", "links")
    done = build.run()
    assert (done["two"].agent / "one.txt").is_symlink()
    assert make(again=True).exec("one").outcome == "restored"


def test_a_description_in_a_subfolder(make: MakeBuild, tmp_path: Path) -> None:
    build = make(FROZEN.replace(", frozen: true", ""))
    outside = tmp_path / "outside"
    outside.mkdir()
    sh(outside, "git", "init", "-q")
    sh(build.origin, "rm", "-rf", ".git")
    sh(outside, "cp", "-r", str(build.origin), "deep")
    dvc(outside / "deep", "config", "core.analytics", "false")
    sh(outside, "git", "add", "-A")
    sh(outside, "git", "commit", "-qm", "start")
    build.origin = outside
    agents = [build.agent() / "deep", build.agent() / "deep"]
    for stage, agent in zip(("one", "two"), agents, strict=True):
        done = build.exec(stage, agent=agent)
        assert done.code == 0, done.err
    assert (agents[1] / "two.txt").read_text() == (agents[0] / "one.txt").read_text()
