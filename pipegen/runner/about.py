"""Who runs what, from where and why: what is kept of a run beside its results."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipegen.description.model import Pipeline
from pipegen.errors import WorkspaceError
from pipegen.git import git

_TRAILER = re.compile(r"^Hypothesis:[ \t]*(\S.*(?:\n[ \t]+\S.*)*)$", re.MULTILINE | re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]+@")
_NOBODY = {"", "changes", "timer", "anonymous"}
"""What GoCD says in `GO_TRIGGER_USER` where no person started the pipeline, or none that it knows."""
_TAG = re.compile(r"\s*([A-Za-z0-9_.\-/]+)\s*=\s*(.*?)\s*")
_PACKAGE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)\.dist-info")
TAGS = "PIPEGEN_TAGS"
"""The variable that gives a run tags: `KEY=VALUE`, several with commas between them."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What is kept of a run beside its results; see the fields of these names in `StageRecord`."""

    user: str = ""
    source: str = ""
    commit: str = ""
    branch: str = ""
    hypothesis: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """As fields of a record."""
        return asdict(self)


def about_build(pipeline: Pipeline, place: str, folder: Path, env: Mapping[str, str] | None = None) -> About:
    """What is known of a CI server's build.

    Args:
        pipeline: the description.
        place: its folder in the repository, `.` for the root.
        folder: the same on this disk.
        env: the variables that Jenkins and GoCD set; the process's own for None.
    """
    env = os.environ if env is None else env
    head = _head(folder)
    return About(
        user=_started_by(env) or head.author,
        source=_source(pipeline, place),
        commit=head.commit,
        branch=env.get("BRANCH_NAME") or env.get("GIT_BRANCH") or _gocd_branch(env),
        hypothesis=hypothesis_in(head.message),
        tags=tags_of(env.get(TAGS, "").split(",")),
    )


def about_here(
    pipeline: Pipeline | None,
    place: str,
    folder: Path,
    *,
    hypothesis: str = "",
    tags: Mapping[str, str] | None = None,
) -> About:
    """What is known of a run that somebody starts on this machine.

    Args:
        pipeline: the description; None where there is none.
        place: its folder in the repository, `.` for the root.
        folder: the same on this disk.
        hypothesis: what the run is to show; else the commit's own trailer says.
        tags: beside those of the environment.
    """
    head = _head(folder)
    return About(
        user=_person(folder),
        source=(_source(pipeline, place) if pipeline else "") or str(folder),
        commit=head.commit,
        branch=head.branch,
        hypothesis=hypothesis or hypothesis_in(head.message),
        tags={**tags_of(os.environ.get(TAGS, "").split(",")), **(tags or {})},
    )


def hypothesis_in(message: str) -> str:
    """The last `Hypothesis:` trailer of a commit's message, on one line; empty where it has none."""
    found = _TRAILER.findall(message)
    return " ".join(found[-1].split()) if found else ""


def tags_of(words: list[str]) -> dict[str, str]:
    """Tags out of `KEY=VALUE`; what is none is passed over."""
    found = (_TAG.fullmatch(word) for word in words)
    return {each[1]: each[2] for each in found if each}


def packages(environment: str, env: Mapping[str, str]) -> dict[str, str]:
    """What is installed for the `python` of commands, by normalized name, as `pip freeze` would list it.

    The names of its folders tell, so that no Python starts and no file is read.

    Args:
        environment: the folder of the environment that `python:` made; empty for the `python` on the PATH.
        env: the variables of the commands.
    """
    found: dict[str, str] = {}
    prefix = Path(environment) if environment else _prefix(env)
    for folder in sorted(prefix.glob("lib/python3*/*-packages")) if prefix else ():
        for name in sorted(_names(folder)):
            package = _PACKAGE.fullmatch(name)
            if package:  # names are normalized as PEP 503 says
                found[re.sub(r"[-_.]+", "-", package["name"]).lower()] = package["version"]
    return dict(sorted(found.items()))


def _prefix(env: Mapping[str, str]) -> Path | None:
    python = shutil.which("python", path=env.get("PATH")) or shutil.which("python3", path=env.get("PATH"))
    return Path(python).absolute().parent.parent if python else None


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _started_by(env: Mapping[str, str]) -> str:
    """Who started a build, or wrote its pull request; Jenkins' `BUILD_USER` is set by the plugin build-user-vars."""
    gocd = env.get("GO_TRIGGER_USER", "")
    person = env.get("BUILD_USER_ID") or env.get("BUILD_USER") or env.get("CHANGE_AUTHOR") or ""
    return person or ("" if gocd in _NOBODY else gocd)


def _gocd_branch(env: Mapping[str, str]) -> str:
    """The branch of GoCD's material, which is named where the generated file names it."""
    return env.get("GO_MATERIAL_BRANCH_CODE") or env.get("GO_MATERIAL_BRANCH") or ""


def _source(pipeline: Pipeline, place: str) -> str:
    """`REPOSITORY#FOLDER`, as MLflow writes it; without logins."""
    repository = _LOGIN.sub("://", str(pipeline.repository)) if pipeline.repository else ""
    return f"{repository}#{place}" if repository and place != "." else repository


@dataclass(frozen=True)
class _Head:
    commit: str = ""
    author: str = ""
    branch: str = ""
    message: str = ""
    parents: int = 0


def _head(folder: Path) -> _Head:
    """The commit that is checked out. Servers merge a pull request on their own to build it: the message of a merge
    without a hypothesis is that of what was merged."""
    head = _Head()
    with contextlib.suppress(WorkspaceError):  # no commit, or one that a shallow clone has not
        head = _shown(folder, "HEAD")
        if head.parents > 1 and not hypothesis_in(head.message):
            head = replace(head, message=_shown(folder, "HEAD^2").message)
    return head


def _shown(folder: Path, revision: str) -> _Head:
    format_ = "%H%x00%an <%ae>%x00%D%x00%P%x00%B"
    commit, author, names, parents, message = git(
        folder, "log", "-1", f"--format={format_}", revision, "--"
    ).split("\0", 4)
    branch = re.match(r"HEAD -> ([^,]+)", names)
    return _Head(commit, author, branch[1] if branch else "", message, len(parents.split()))


def _person(folder: Path) -> str:
    """Who works here, as git knows them; else the name that they logged in with."""
    with contextlib.suppress(WorkspaceError):
        return git(folder, "var", "GIT_AUTHOR_IDENT").rpartition(" ")[0].rpartition(" ")[0]
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return ""
