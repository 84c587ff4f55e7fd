"""The first job of a build: what it finds touched, and that it knows the results of all else as `exec` does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipegen.dvc.fragments import Fragment, fragments_in
from tests.runner.conftest import MakeBuild
from tests.support.agents import DESCRIPTION, FRAGMENTS, Build, command
from tests.support.repositories import sh, write

ALL = {"source", "left", "right@a", "right@b", "join", "last"}
TESTED = DESCRIPTION.replace('["test -s left/one"]', '["sh checks/left.sh"]')
PYTHON = "python: {requirements: [requirements.txt]}\n"
FILES = {
    "seed.txt": "seed\n",
    "params.yaml": "left: {rows: 2}\n",
    "checks/left.sh": "true\n",
    "checks/x.py": "1\n",
}


def looked(folder: Path, **env: str) -> dict[str, Any]:
    """What `pipegen affected --build` finds on an agent."""
    process = command(folder, "affected", "--build", "--json", env=env)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    found = json.loads(out)
    assert isinstance(found, dict)
    assert json.loads((folder / FRAGMENTS / "affected.json").read_text()) == {"answer": 1, **found}
    return found


def head(folder: Path) -> str:
    return sh(folder, "git", "rev-parse", "HEAD").strip()


def changed(build: Build, files: Mapping[str, str]) -> tuple[Path, str]:
    """A fresh clone of the next commit, and the commit before it."""
    before = head(build.origin)
    write(build.origin, files)
    sh(build.origin, "git", "add", "-A")
    sh(build.origin, "git", "commit", "-qm", "change")
    return build.agent(), before


def test_what_is_known_of_what_a_change_does_not_touch(make: MakeBuild, tmp_path: Path) -> None:
    """After a build of parts of a folder, metrics that DVC doesn't keep, parameters, a foreach."""
    built = make(TESTED, **FILES)
    built.run()
    each_change(built)
    what_is_left_out_is_taken_over(built)
    (tmp_path / "remote").rename(tmp_path / "elsewhere")
    agent, before = changed(built, {"unrelated.txt": "y\n"})
    assert set(looked(agent, PIPEGEN_BASE=before)["runs"]) == ALL


def each_change(built: Build) -> None:
    made = {f.stage: f.entries[f.stage] for f in fragments_in(built.fragments)}
    cases: list[tuple[dict[str, str], set[str]]] = [
        ({"unrelated.txt": "x\n"}, set()),
        ({"params.yaml": "left: {rows: 2}\nother: 1\n"}, set()),
        ({"params.yaml": "left: {rows: 3}\n"}, {"left", "join", "last"}),
        ({"params.yaml": FILES["params.yaml"]}, {"left", "join", "last"}),
        ({"checks/x.py": "2\n"}, {"left", "join", "last"}),
        ({"seed.txt": "other\n"}, ALL),
        ({"seed.txt": "seed\n"}, ALL),
        ({"pipegen.yaml": f"{TESTED}{PYTHON}", "requirements.txt": "a\n"}, ALL),
        ({"requirements.txt": "b\n"}, {"left", "join", "last"}),
        ({"pipegen.yaml": TESTED}, ALL),
    ]
    for files, runs in cases:
        agent, before = changed(built, files)
        found = looked(agent, PIPEGEN_BASE=before)
        if files.get("params.yaml") == FILES["params.yaml"]:
            assert found["left_out"] == ["source", "right@a", "right@b"], "the base had other parameters"
        assert set(found["runs"]) == runs, files
        assert set(found["left_out"]) == ALL - runs
        known = {f.stage: f for f in fragments_in(agent / FRAGMENTS)}
        assert set(known) == ALL - runs
        assert all(made[stage] == fragment.entries[stage] for stage, fragment in known.items())
        assert not (agent / ".dvc" / "cache" / "files").exists(), "no data was brought"
        if "left" in known:
            assert known["left"].files["left"]["left.json"].content == b'{"rows": 2}\n'


def what_is_left_out_is_taken_over(built: Build) -> None:
    agent, before = changed(built, {"unrelated.txt": "again\n"})
    looked(agent, PIPEGEN_BASE=before)
    (agent / FRAGMENTS / "affected.json").unlink()
    for stage in ("join", "last"):
        (agent / FRAGMENTS / f"{stage}.lock.json").unlink()
    process = command(agent, "exec", "join", "--force")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert (agent / "join.txt").read_text() == 'two\n{"rows": 2}\nseed\na\nseed\nb\n'
    fragment = Fragment.read(agent / FRAGMENTS / "join.lock.json")
    assert set(fragment.entries) == ALL - {"last"}


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, "no earlier build of this branch passed, or the server does not say which did"),
        ({"PIPEGEN_BASE": "0" * 40}, "the last commit of this branch that passed can't be reached here"),
        ({"PIPEGEN_BASE": "other"}, "the last commit of this branch that passed is not part of it any more"),
        ({"CHANGE_ID": "7", "CHANGE_TARGET": "gone"}, "where it leaves gone can't be reached here"),
        ({"GO_FROM_REVISION_CODE": "first"}, "the commit before those of this run can't be reached here"),
    ],
)
def test_without_a_base_everything_runs(make: MakeBuild, env: dict[str, str], why: str) -> None:
    build = make()
    origin = build.origin
    sh(origin, "git", "tag", "first")
    sh(origin, "git", "checkout", "-qb", "side")
    sh(origin, "git", "commit", "-q", "--allow-empty", "-m", "on the side")
    sh(origin, "git", "tag", "other")
    sh(origin, "git", "checkout", "-q", "-")
    sh(origin, "git", "commit", "-q", "--allow-empty", "-m", "next")
    assert looked(build.agent(), **env)["runs"] == dict.fromkeys(ALL, why)


def test_a_shallow_clone_has_no_base(make: MakeBuild) -> None:
    build = make()
    before = head(build.origin)
    sh(build.origin, "git", "commit", "-q", "--allow-empty", "-m", "next")
    sh(build.folder, "git", "clone", "-q", "--depth", "1", f"file://{build.origin}", "shallow")
    assert set(looked(build.folder / "shallow", PIPEGEN_BASE=before)["runs"]) == ALL
