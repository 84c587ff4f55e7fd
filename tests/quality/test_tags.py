"""Which version serves: read as GTO itself reads the same tags."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipegen.registry.tags import FORMAT, serving

MODEL = "house-price"
ENV = {
    **os.environ,
    **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
HISTORIES = {
    "nothing": "",
    "only registered": "0 register",
    "assigned": "0 register, 0 production",
    "a newer one": "0 register, 0 production, 1 register, 1 production",
    "an older one again": "0 register, 1 register, 1 production, 0 production",
    "another environment": "0 register, 0 production, 1 register, 1 staging",
    "taken back": "0 register, 0 production, 1 register, 1 production, 1 production!",
    "all taken back": "0 register, 0 production, 0 production!",
    "deregistered": "0 register, 0 production, 1 register, 1 production, 1 deregister",
    "another model": "0 register, 0 production, 1 other",
}
"""Steps, each with the number of its commit."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tags")
    git(folder, "init", "-q")
    for number in range(3):
        git(folder, "commit", "-q", "--allow-empty", "-m", str(number))
    return folder


def git(folder: Path, *words: str, at: int = 0) -> str:
    env = {**ENV, "GIT_COMMITTER_DATE": f"{1_790_000_000 + at} +0000"} if at else ENV
    return subprocess.run(
        ("git", *words), cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout


def tags_of(steps: list[tuple[int, str]]) -> list[tuple[str, int]]:
    """The tags that GTO would make of these steps, each with its commit; a step that it would refuse is left out."""
    names: dict[str, int] = {}
    for counter, (commit, word) in enumerate(steps, 1):
        version = f"{MODEL}@v1.0.{commit}"
        if word == "register" and version not in names:
            names[version] = commit
        elif word == "deregister" and version in names and f"{version}!" not in names:
            names[f"{version}!"] = commit
        elif word.startswith(("production", "staging")) and version in names and f"{version}!" not in names:
            names[f"{MODEL}#{word}#{counter}"] = commit
        elif word == "other":
            names[f"other-model#production#{counter}"] = commit
    return list(names.items())


def by_gto(folder: Path) -> str | None:
    from gto.constants import VersionSort
    from gto.registry import GitRegistry

    with GitRegistry.from_url(str(folder)) as registry:
        artifacts = registry.get_state().get_artifacts()
        if MODEL not in artifacts:
            return None
        found = artifacts[MODEL].get_vstages(sort=VersionSort.Timestamp).get("production")
    return str(found[0].commit_hexsha) if found else None


def here(folder: Path, place: str = ".", model: str = MODEL) -> tuple[str, str] | None:
    lines = git(folder, "for-each-ref", f"--format={FORMAT}", "refs/tags").split("\n")
    found = serving(lines, model, "production", place)
    return (found.commit, found.version) if found else None


@pytest.mark.parametrize("history", HISTORIES)
def test_as_gto_reads_them(repository: Path, history: str) -> None:
    steps = [(int(step[0]), step[2:]) for step in HISTORIES[history].split(", ") if step]
    commits = git(repository, "rev-list", "--reverse", "HEAD").split()
    for name in git(repository, "tag").split():
        git(repository, "tag", "-d", name)
    for second, (name, commit) in enumerate(tags_of(steps), 1):
        git(repository, "tag", "-a", "-m", "x", name, commits[commit], at=second)
    found = here(repository)
    assert (found[0] if found else None) == by_gto(repository)
    if found:
        assert found[1] == f"v1.0.{commits.index(found[0])}"


def test_other_tags_and_other_folders(repository: Path) -> None:
    for name in git(repository, "tag").split():
        git(repository, "tag", "-d", name)
    git(repository, "tag", "v1.0.0")
    git(repository, "tag", "release/production")
    git(repository, "tag", "prices=house-price#production#1")
    assert here(repository) is None
    assert here(repository, "prices") == (git(repository, "rev-parse", "HEAD").strip(), "")
    assert here(repository, "prices", "house") is None
