"""Which stages a change can touch: those that read what it changed, that it defines anew, and all that need them."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipegen.description.commands import paths_in
from pipegen.description.stages import ResolvedStage
from pipegen.dvc.params import BadParams, ParamsFiles
from pipegen.errors import WorkspaceError
from pipegen.git import git
from pipegen.plan.graph import Graph

_OF_PYTEST = ("conftest.py", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def commit_of(folder: Path, revision: str) -> str:
    """The commit that a branch, a tag or another name stands for.

    Raises:
        WorkspaceError: there is none here.
    """
    try:
        return git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except WorkspaceError:
        raise WorkspaceError(
            f"git knows no commit {revision!r} in {folder}: fetch it (`git fetch`)"
        ) from None


@contextmanager
def tree_of(root: Path, revision: str) -> Iterator[Path]:
    """A folder with all files of a revision, gone afterwards.

    Raises:
        WorkspaceError: there is no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="pipegen-") as folder:
        env = {**os.environ, "GIT_INDEX_FILE": f"{folder}/.index"}
        files = Path(folder) / "files"
        files.mkdir()
        git(root, "read-tree", commit_of(root, revision), env=env)
        git(root, "checkout-index", "--all", f"--prefix={files}/", env=env)
        yield files


def common_ancestor(folder: Path, revision: str) -> str:
    """The last commit that the present one and another have both.

    Raises:
        WorkspaceError: there is no such revision, or the clone has no such commit (a shallow one may not).
    """
    commit = commit_of(folder, revision)
    try:
        return git(folder, "merge-base", commit, "HEAD")
    except WorkspaceError:
        raise WorkspaceError(
            f"{revision} and the present commit have nothing in common in {folder}: fetch more of the history "
            "(`git fetch --unshallow`)"
        ) from None


def changed_paths(folder: Path, base: str) -> list[str]:
    """What differs between a commit and the present one, relative to `folder`."""
    names = git(folder, "diff", "--name-only", "--no-renames", "-z", "--relative=", base, "HEAD")
    prefix = git(folder, "rev-parse", "--show-prefix")
    return [os.path.relpath(name, prefix or ".") for name in names.split("\0") if name]


def affected(
    stages: Mapping[str, ResolvedStage],
    graph: Graph,
    changed: list[str],
    folder: Path,
    before: Mapping[str, ResolvedStage] | None,
    folder_before: Path,
) -> dict[str, str]:
    """The stages that a change can touch, each with the reason, in the graph's order.

    Args:
        stages: all stages now.
        graph: what each needs.
        changed: paths that differ, relative to `folder`.
        folder: the description's folder now.
        before: all stages before the change; None where its description can't be read.
        folder_before: the description's folder before the change.
    """
    params = ParamsFiles()
    found: dict[str, str] = {}
    for address in graph.order:
        need = next((need for need in graph.needs(address) if need in found), None)
        reason = _reason(stages[address], changed, before, folder, folder_before, params)
        if reason or need:
            found[address] = reason or f"it needs {need}"
    return found


def _reason(
    stage: ResolvedStage,
    changed: list[str],
    before: Mapping[str, ResolvedStage] | None,
    folder: Path,
    folder_before: Path,
    params: ParamsFiles,
) -> str:
    if before is None:
        return "the description before the change can't be read"
    if stage.address not in before:
        return "it is new"
    if stage != before[stage.address]:
        return "its definition changed"
    if stage.always_changed or not (stage.deps or stage.params or stage.outs):
        return "it always runs"
    for path in changed:
        if any(_touches(path, dep) for dep in stage.deps):
            return f"it reads {path}"
        if any(_may_be_read(path, word) for word in _words_of_tests(stage)):
            return f"its tests may read {path}"
    for file, keys in stage.params.items():
        if file in changed and _values(params, folder / file, keys) != _values(
            params, folder_before / file, keys
        ):
            return f"its parameters in {file} changed"
    return ""


def _touches(changed: str, dep: str) -> bool:
    """Whether a changed path is, lies in, or is the `.dvc` file of a dependency (or of a folder that it lies in)."""
    if changed == dep or changed.startswith(dep.rstrip("/") + "/"):
        return True
    data = changed.removesuffix(".dvc")
    return data != changed and (
        dep == data or dep.startswith(data + "/") or data.startswith(dep.rstrip("/") + "/")
    )


def _words_of_tests(stage: ResolvedStage) -> list[str]:
    return [word for test in stage.ci.tests if isinstance(test, str) for word in paths_in(test)]


def _may_be_read(changed: str, word: str) -> bool:
    """Whether a test whose command names `word` may read a changed file: that one, one beside it, or what pytest reads
    in the folders above."""
    folder, above = posixpath.dirname(word), posixpath.dirname(changed)
    beside = bool(folder) and changed.startswith(f"{folder}/")
    of_pytest = posixpath.basename(changed) in _OF_PYTEST and (
        not above or f"{folder}/".startswith(f"{above}/")
    )
    return _touches(changed, word) or beside or of_pytest


def _values(params: ParamsFiles, path: Path, keys: tuple[str, ...]) -> object:
    try:
        return params.values(str(path), keys)
    except BadParams as error:
        return str(error)
