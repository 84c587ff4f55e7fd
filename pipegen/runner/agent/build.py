"""What is being built, and by whom: the commit and its tree, and what the CI server says of itself."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.errors import WorkspaceError

_LOGIN = re.compile(r"://[^/@\s]+@")
"""User and password in an address, which git repeats in its messages."""
_TELLING = ("fatal:", "error:", "remote:", "!")


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
    run: str = ""
    """Equal for all stages of one build (of one pipeline, on GoCD): twelve hexadecimal digits."""
    is_foreign: bool = False
    """A pull request from outside: its results are for itself alone."""


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
    commit, tree = git(folder, "rev-parse", "HEAD", "HEAD^{tree}").split()
    agent = env.get("NODE_NAME") or socket.gethostname()
    gocd = _gocd_url(env)
    run = env.get("BUILD_URL") or gocd.rpartition("/")[0].rpartition("/")[0] or f"{agent} {tree}"
    return Build(
        commit,
        tree,
        agent,
        tuple(name for name in env.get("PIPEGEN_WORKFLOWS", "").split(",") if name),
        env.get("BUILD_URL") or gocd,
        hashlib.sha256(run.encode(errors="surrogateescape")).hexdigest()[:12],
        bool(env.get("CHANGE_FORK") or env.get("PIPEGEN_FOREIGN")),
    )


def _gocd_url(env: Mapping[str, str]) -> str:
    words = ("GO_PIPELINE_NAME", "GO_PIPELINE_COUNTER", "GO_STAGE_NAME", "GO_STAGE_COUNTER")
    if not all(env.get(word) for word in words):
        return ""
    server = env.get("GO_SERVER_URL", "").rstrip("/").removesuffix("/go")
    return f"{server}/go/pipelines/" + "/".join(env[word] for word in words)


def _said(text: str) -> str:
    """What git says of a failure in one line, the server's own words among it; without logins."""
    lines = text.strip().splitlines() or ["no message"]
    telling = [line.strip() for line in lines if line.lstrip().startswith(_TELLING)]
    return _LOGIN.sub("://****@", "; ".join(telling or lines[-1:]))


def git(folder: Path, *words: str, env: Mapping[str, str] | None = None, given: str | None = None) -> str:
    """What a git command prints.

    Args:
        folder: where it runs.
        words: its words, without `git`.
        env: its variables, instead of those of this process.
        given: what it reads.

    Raises:
        WorkspaceError: it fails; its own words say why.
    """
    try:
        done = subprocess.run(
            ("git", *words),
            cwd=folder,
            env=env,
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError:
        raise WorkspaceError("git is not installed, or not on the PATH") from None
    if done.returncode:
        raise WorkspaceError(f"git {words[0]} failed in {folder}: {_said(done.stderr)}")
    return done.stdout.strip()
