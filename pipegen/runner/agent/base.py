"""What a build is compared with: what its server built before, or the branch that a pull request goes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.errors import WorkspaceError
from pipegen.runner.affected import commit_of, common_ancestor


@dataclass(frozen=True)
class Base:
    """A commit that this build goes on from."""

    commit: str
    """Empty where there is none."""
    why: str
    """How it was found, or why there is none."""
    passed: bool = True
    """Whether what was built then is known to have passed. GoCD says only what it built last."""


def base_of(folder: Path, env: Mapping[str, str]) -> Base:
    """The base of this build, by the variables of its server.

    There is none, so that everything counts as touched, for a first build and wherever git can't reach it: a branch
    that was forced elsewhere, a shallow clone.

    Args:
        folder: in the repository.
        env: has Jenkins' `CHANGE_TARGET` for a pull request; `PIPEGEN_BASE`, which the generated file sets to the
            commit of this branch that last passed; or GoCD's `GO_FROM_REVISION_CODE`, the first commit of this run.
    """
    if env.get("CHANGE_TARGET"):
        target = env["CHANGE_TARGET"]
        return _reached(folder, f"refs/remotes/origin/{target}", f"where it leaves {target}", is_branch=True)
    if env.get("PIPEGEN_BASE"):
        return _reached(folder, env["PIPEGEN_BASE"], "the last commit of this branch that passed")
    if env.get("GO_FROM_REVISION_CODE"):
        before = f"{env['GO_FROM_REVISION_CODE']}^"
        return _reached(folder, before, "the commit before those of this run", passed=False)
    return Base("", "no earlier build of this branch passed, or the server does not say which did")


def _reached(folder: Path, revision: str, why: str, *, is_branch: bool = False, passed: bool = True) -> Base:
    try:
        commit, ancestor = commit_of(folder, revision), common_ancestor(folder, revision)
    except WorkspaceError:
        return Base("", f"{why} can't be reached here")
    if ancestor != commit and not is_branch:
        return Base("", f"{why} is not part of it any more")
    return Base(ancestor, why, passed)
