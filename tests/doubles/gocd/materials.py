"""The repository as the server sees it: polling, path filters, checking out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.gocd.console import PREPARE, PREPARE_ERROR, Console
from tests.doubles.gocd.definitions import Git
from tests.doubles.gocd.refusals import Uncited

# What the agent's git may know of this machine: nothing of the caller's.
ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


def git(folder: Path, *arguments: str, env: Mapping[str, str]) -> str:
    """The output of a git command; CalledProcessError if it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**env, **ENV}, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class Commit:
    """One modification."""

    revision: str
    files: tuple[str, ...]


class Repository:
    """One branch of one repository, polled.

    Args:
        url: as the pipelines name it.
        path: where it really lies on this machine.
        branch: the branch.
        folder: where the server keeps its own clone.
        env: the environment of git.
    """

    def __init__(self, url: str, path: str, branch: str, folder: Path, env: Mapping[str, str]) -> None:
        self.url, self.branch = url, branch
        self._path, self._folder, self._env = path, folder, env
        self.commits: list[Commit] = []
        """What polling has seen, oldest first. What was there before the first poll is one commit: the last [R 503]."""

    def poll(self) -> None:
        """Take over the commits that are new since the last time, all of them [R 502]."""
        if not self._folder.exists():
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            git(self._folder.parent, "clone", "-q", "--bare", self._path, self._folder.name, env=self._env)
        git(
            self._folder, "fetch", "-q", self._path, f"+{self.branch}:refs/heads/{self.branch}", env=self._env
        )
        head = git(self._folder, "rev-parse", f"refs/heads/{self.branch}", env=self._env).strip()
        if not self.commits:
            self.commits.append(self._commit(head))
            return
        last = self.commits[-1].revision
        if git(self._folder, "merge-base", last, head, env=self._env).strip() != last:
            raise Uncited("a branch that was moved back")
        new = git(self._folder, "rev-list", "--reverse", f"{last}..{head}", env=self._env).split()
        self.commits += [self._commit(revision) for revision in new]

    def _commit(self, revision: str) -> Commit:
        shown = ("show", "--name-only", "--format=", "--root", "-z", "-m", "--first-parent", revision)
        return Commit(revision, tuple(filter(None, git(self._folder, *shown, env=self._env).split("\0"))))

    def position(self, revision: str | None) -> int:
        """Where a commit stands among those seen; -1 for none."""
        return next((n for n, commit in enumerate(self.commits) if commit.revision == revision), -1)

    def since(self, revision: str | None, until: str) -> list[Commit]:
        """The commits behind one up to another, newest first; for a pipeline that never ran the last alone."""
        end = self.position(until)
        start = self.position(revision) if revision else end - 1
        return self.commits[start + 1 : end + 1][::-1]


def starts(material: Git, commits: list[Commit]) -> bool:
    """Whether commits start a run: if any has a file that the filter lets through [R 500 to 503]."""
    if not material.patterns:
        return bool(commits)
    rules = [re.compile(_filter(pattern)) for pattern in material.patterns]

    def wanted(file: str) -> bool:
        return any(rule.fullmatch(file) for rule in rules) == material.only_these

    return any(wanted(file) for commit in commits for file in commit.files)


def _filter(pattern: str) -> str:
    """[S IgnoredFiles.processedPattern]: `**` is any number of folders, `*` all but a slash."""
    found = ""
    for part in pattern.split("/"):
        if part == "**":
            found += "([^/]*/)*"
        else:
            found += re.escape(part).replace(r"\*", "[^/]*") + "/"
    return found.removesuffix("/")


@dataclass(frozen=True)
class Checkout:
    """A working copy on an agent.

    Args:
        material: what is checked out.
        path: where it really lies.
        home: the agent's folder, for the log's paths [R 184].
        folder: the working copy.
        env: the agent's environment.
    """

    material: Git
    path: str
    home: Path
    folder: Path
    env: Mapping[str, str]

    def at(self, revision: str, console: Console) -> None:
        """Bring the working copy to a commit, line by line as in [R 184], and [R 292] where there is one already."""
        shown = self.folder.relative_to(self.home)
        place = self.material.destination or "files"
        console.go(PREPARE, f"Start updating {place} at revision {revision} from {self.material.url}")
        if not (self.folder / ".git").exists():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            console.line(PREPARE_ERROR, f"STDERR: Cloning into '{self.folder}'...")
            clone = ("clone", "-q", "--branch", self.material.branch, self.path, str(self.folder))
            git(self.folder.parent, *clone, env=self.env)
            console.line(PREPARE_ERROR, "STDERR: done.")
        console.line(PREPARE, "[GIT] Fetching changes")
        git(self.folder, "fetch", "-q", "origin", env=self.env)
        console.line(PREPARE, "[GIT] Performing git gc")
        console.line(PREPARE, f"[GIT] Reset working directory {shown}")
        console.line(PREPARE, "[GIT] Cleaning all unversioned files in working copy")
        self._clean()
        console.line(PREPARE, "[GIT] Cleaning submodule configurations in .git/config")
        console.line(PREPARE, f"[GIT] Updating working copy to revision {revision}")
        git(self.folder, "reset", "-q", "--hard", revision, env=self.env)
        head = git(self.folder, "log", "-1", "--format=%h %s", env=self.env).strip()
        console.line(PREPARE, f"HEAD is now at {head}")
        console.line(PREPARE, "[GIT] Removing modified files in submodules")
        console.line(PREPARE, "[GIT] Cleaning all unversioned files in working copy")
        self._clean()
        console.go(PREPARE, "Done.")
        console.line(PREPARE)

    def _clean(self) -> None:
        git(self.folder, "clean", "-q", "-dff", env=self.env)
