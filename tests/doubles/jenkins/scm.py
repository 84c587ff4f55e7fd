"""`checkout scm`: the repository and revision of a build, brought to a workspace by git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.jenkins.scopes import Abort

_GIT = {
    **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "jenkins",
    "GIT_AUTHOR_EMAIL": "jenkins@example.com",
    "GIT_COMMITTER_NAME": "jenkins",
    "GIT_COMMITTER_EMAIL": "jenkins@example.com",
}


@dataclass(frozen=True)
class Change:
    """A pull request: its number, branch and target."""

    id: str
    branch: str
    target: str = "main"
    fork: str | None = None
    """Whose repository it comes from, if not the job's own."""


@dataclass(frozen=True)
class Source:
    """What a build checks out.

    A branch job stays at the revision with which its build began (contracts/jenkins/mb-a7); a plain job of one branch
    takes what that branch has at each checkout. A pull request is merged anew in each workspace, so the commits differ
    and the trees don't (git plugin, MergeWithGitSCMExtension).
    """

    url: str
    branch: str
    revision: str | None
    change: Change | None = None

    def check_out(self, workspace: Path, say: Callable[[str], None]) -> dict[str, str]:
        """The variables that the step returns (contracts/jenkins/mb-a7, 60b-git-console)."""
        if (workspace / ".git").exists():
            say("Fetching changes from the remote Git repository")
        else:
            say("Cloning the remote Git repository")
            say(f"Cloning repository {self.url}")
            workspace.mkdir(parents=True, exist_ok=True)
            git(workspace, "init", "-q")
            git(workspace, "config", "remote.origin.url", self.url)
        git(workspace, "fetch", "-q", "--force", "--", self.url, "+refs/heads/*:refs/remotes/origin/*")
        commit = self._merged(workspace) if self.change else self._plain(workspace)
        say(f"Checking out Revision {commit} ({self.branch})")
        shown = self.branch if self.revision else f"origin/{self.branch}"
        return {"GIT_COMMIT": commit, "GIT_BRANCH": shown, "GIT_URL": self.url}

    def _plain(self, workspace: Path) -> str:
        commit = self.revision or git(workspace, "rev-parse", f"refs/remotes/origin/{self.branch}^{{commit}}")
        git(workspace, "checkout", "-q", "-f", commit)
        return commit

    def _merged(self, workspace: Path) -> str:
        assert self.change and self.revision
        target, head = self.revision.split("+")
        git(workspace, "checkout", "-q", "-f", target)
        git(workspace, "merge", "-q", "--no-ff", "-m", f"Merge commit '{head}' into HEAD", head)
        return git(workspace, "rev-parse", "HEAD")


def resolve(url: str, branch: str, change: Change | None) -> str:
    """The revision of a branch job's build: a commit, or target and head of a pull request."""
    names = [change.target, change.branch] if change else [branch]
    return "+".join(git(Path(url), "rev-parse", f"refs/heads/{name}^{{commit}}") for name in names)


def git(folder: Path, *arguments: str) -> str:
    """Raises Abort with what git says."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=_GIT, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise Abort(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
