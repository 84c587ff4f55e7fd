"""Asking git: one command at a time, its failure told in one line.

What it says of a server is repeated without logins, and it never asks anybody for a password.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipegen.errors import WorkspaceError

_LOGIN = re.compile(r"://[^/@\s]+@")
"""User and password in an address, which git repeats in its messages."""
_TELLING = ("fatal:", "error:", "remote:", "!")
_NOBODY = {"NAME": "pipegen", "EMAIL": "pipegen@localhost"}


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


def unattended(folder: Path) -> dict[str, str]:
    """The variables with which git never asks for a password, and has a name where it knows none."""
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        git(folder, "config", "user.email")
    except WorkspaceError:
        for who in ("AUTHOR", "COMMITTER"):
            for what, value in _NOBODY.items():
                env.setdefault(f"GIT_{who}_{what}", value)
    return env
