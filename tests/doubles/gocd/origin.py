"""A repository that the tests push to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.doubles.gocd.materials import git

_NAMES = {
    "GIT_AUTHOR_NAME": "Dev",
    "GIT_AUTHOR_EMAIL": "dev@example.com",
    "GIT_COMMITTER_NAME": "Dev",
    "GIT_COMMITTER_EMAIL": "dev@example.com",
}


class Origin:
    """A repository with a working copy, on the branch `main`.

    Args:
        path: its folder, which is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """The output of a git command there."""
        return git(self.path, *arguments, env={**os.environ, **_NAMES})

    def commit(self, files: Mapping[str, str], message: str) -> str:
        """Write files, commit all; the commit. A file that begins with `#!` may be run."""
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            if text.startswith("#!"):
                file.chmod(0o755)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()
