"""`pipegen merge-lock`: git merges of `dvc.lock` that DVC can read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pipegen.dvc.lockfile import LockFile, render
from tests.support.cli import pipegen
from tests.support.repositories import sh

HEAD = "schema: '2.0'\nstages:\n"


def lock(**stages: str) -> str:
    return HEAD + "".join(render(name, {"cmd": cmd}) for name, cmd in stages.items())


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "left_out"),
    [
        (lock(a="1"), lock(a="1", b="2"), lock(a="1", c="3"), lock(a="1", b="2", c="3"), ""),
        (lock(a="1", b="1"), lock(a="2", b="1"), lock(a="1", b="3"), lock(a="2", b="3"), ""),
        (lock(a="1", b="1"), lock(b="1"), lock(a="1", b="2"), lock(b="2"), ""),
        (lock(a="1"), lock(a="2"), lock(a="2"), lock(a="2"), ""),
        (lock(a="1", b="1"), lock(a="2", b="1"), lock(a="3", b="1"), lock(b="1"), "a"),
        (lock(a="1"), lock(a="2"), HEAD.replace("\nstages:", "\nstages: {}"), "", "a"),
        ("", lock(a="1"), lock(b="1"), lock(a="1", b="1"), ""),
    ],
)
def test_merges(tmp_path: Path, base: str, ours: str, theirs: str, merged: str, left_out: str) -> None:
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (tmp_path / name).write_text(text)
    done = pipegen("merge-lock", "base", "ours", "theirs", cwd=tmp_path)
    assert done.code == 0
    assert (tmp_path / "ours").read_text() == merged
    assert done.err == (
        f"dvc.lock: both sides changed {left_out}; left out, so that the next run makes them\n"
        if left_out
        else ""
    )


def test_what_is_no_lock_file(tmp_path: Path) -> None:
    for name in ("base", "ours", "theirs"):
        (tmp_path / name).write_text("<<<<<<< ours\n")
    done = pipegen("merge-lock", "base", "ours", "theirs", cwd=tmp_path)
    assert done.code == 3
    assert (tmp_path / "ours").read_text() == "<<<<<<< ours\n"
    assert pipegen("merge-lock", "base", cwd=tmp_path).code == 2


def test_git_uses_it_once_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sh(tmp_path, "git", "init", "-q", "-b", "main")
    assert pipegen("merge-lock", "--install", cwd=tmp_path).out.startswith("added")
    assert pipegen("merge-lock", "--install", cwd=tmp_path).out.startswith("found")
    tool = tmp_path / ".git" / "bin"
    tool.mkdir()
    (tool / "pipegen").write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "from pipegen.cli import main; main()" "$@"\n'
    )
    (tool / "pipegen").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))

    def commit(text: str) -> None:
        (tmp_path / "dvc.lock").write_text(text)
        sh(tmp_path, "git", "add", "-A")
        sh(tmp_path, "git", "commit", "-qm", "a lock")

    commit(lock(a="1", b="1", c="1"))
    sh(tmp_path, "git", "checkout", "-q", "-b", "other")
    commit(lock(a="2", b="1", c="3", d="1"))
    sh(tmp_path, "git", "checkout", "-q", "main")
    commit(lock(a="1", b="1", c="2", e="1"))
    env_path = os.environ["PATH"]
    sh(tmp_path, "env", f"PATH={env_path}", "git", "merge", "-q", "-m", "merged", "other")
    entries = LockFile(str(tmp_path / "dvc.lock")).entries
    assert {name: entry["cmd"] for name, entry in entries.items()} == {"a": "2", "b": "1", "e": "1", "d": "1"}
