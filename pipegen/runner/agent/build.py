"""What is being built, and by whom: the commit and its tree, and what the CI server says of itself."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.errors import WorkspaceError
from pipegen.git import git
from pipegen.records import StageRecord

_GOCD = re.compile(r"/go/pipelines/([^/]+)/([^/]+)/")


@dataclass(frozen=True)
class Build:
    """The build that a stage belongs to."""

    commit: str
    tree: str
    """The hash of the commit's content: equal for the merge commits that each agent makes of one pull request."""
    agent: str
    workflows: tuple[str, ...] = ()
    url: str = ""
    """Of the build on its server; empty where there is none."""
    job: str = ""
    """What GoCD calls the job."""
    run: str = ""
    """Equal for all stages of one build (of one pipeline, on GoCD): twelve hexadecimal digits."""
    is_foreign: bool = False
    """A pull request from outside: its results are for itself alone."""

    def has(self, record: StageRecord) -> bool:
        """Whether a record is of this build. Agents keep their folders, so records of earlier builds may lie about."""
        if record.tree != self.tree:
            return False
        if not record.url or not self.url or record.url == self.url:
            return True
        one, other = _GOCD.search(record.url), _GOCD.search(self.url)
        if one is None or other is None:
            return False
        # each pipeline of a layout that has several counts for itself
        of_many = one[1] != other[1] and record.workflows == self.workflows
        return of_many or one.groups() == other.groups()

    @property
    def is_on_gocd(self) -> bool:
        """Whether GoCD runs it, where the pipelines of one layout have a run each."""
        return bool(_GOCD.search(self.url))


def build_of(folder: Path, env: Mapping[str, str] | None = None) -> Build:
    """The build that this process belongs to.

    Args:
        folder: in the git repository.
        env: the variables that Jenkins and GoCD set; the process's own for None. Jenkins' `CHANGE_FORK` is set for a
            pull request from a fork; other servers can set `PIPEGEN_FOREIGN`.

    Raises:
        WorkspaceError: there is no git, or no commit.
    """
    env = os.environ if env is None else env
    try:
        commit, tree = git(folder, "rev-parse", "HEAD", "HEAD^{tree}").split()
    except WorkspaceError as error:
        raise WorkspaceError(f"there is no commit to build here: {error.message}") from None
    agent = env.get("NODE_NAME") or socket.gethostname()
    gocd = _gocd_url(env)
    run = env.get("BUILD_URL") or gocd.rpartition("/")[0].rpartition("/")[0] or f"{agent} {tree}"
    return Build(
        commit,
        tree,
        agent,
        tuple(name for name in env.get("PIPEGEN_WORKFLOWS", "").split(",") if name),
        env.get("BUILD_URL") or gocd,
        env.get("GO_JOB_NAME", "") if gocd else "",
        hashlib.sha256(run.encode(errors="surrogateescape")).hexdigest()[:12],
        bool(env.get("CHANGE_FORK") or env.get("PIPEGEN_FOREIGN")),
    )


def _gocd_url(env: Mapping[str, str]) -> str:
    words = ("GO_PIPELINE_NAME", "GO_PIPELINE_COUNTER", "GO_STAGE_NAME", "GO_STAGE_COUNTER")
    if not all(env.get(word) for word in words):
        return ""
    server = env.get("GO_SERVER_URL", "").rstrip("/").removesuffix("/go")
    return f"{server}/go/pipelines/" + "/".join(env[word] for word in words)
