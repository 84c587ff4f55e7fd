"""Committing the lock file that a build made: alone, on top of its branch as that is now, never forced."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipegen.dvc.lockfile import LockFile
from pipegen.errors import WorkspaceError
from pipegen.git import git, unattended
from pipegen.plan import files

TRAILER = "Pipegen-Built"
"""In the message of such a commit: what was built, apart from the lock file itself."""
_ATTEMPTS = 10


@dataclass(frozen=True)
class Sources:
    """What of a repository a description is made of.

    Args:
        folder: the description's folder, absolute.
        place: the same relative to the repository's root.
        outside: paths outside it on which stages depend, relative to the root.
        locks: its lock files, relative to the folder.
    """

    folder: Path
    place: str
    outside: tuple[str, ...]
    locks: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Relative to the root; none stands for all."""
        return () if "." in (self.place, *self.outside) else (self.place, *self.outside)

    @property
    def from_folder(self) -> tuple[str, ...]:
        """The same as git takes them anywhere in the repository."""
        return tuple(f":(top){path}" for path in self.paths)

    def digest(self, revision: str) -> str:
        """A hash of all of it but the lock files, at a revision."""
        locks = set(files.inside(self.place, self.locks))
        listing = git(self.folder, "ls-tree", "-r", "-z", "--full-tree", revision, "--", *self.paths)
        kept = (row for row in listing.split("\0") if row.partition("\t")[2] not in locks)
        return hashlib.sha256("\0".join(kept).encode(errors="surrogateescape")).hexdigest()

    def is_lock_commit(self) -> bool:
        """Whether what is built differs by nothing but the lock file from what an earlier build built and committed it
        for. Of a pull request that is merged to be built, the branch's own last commit counts too."""
        said = git(
            self.folder, "log", "-1", f"--format=%(trailers:key={TRAILER},valueonly)", "HEAD"
        ).splitlines()
        if len(git(self.folder, "rev-list", "--parents", "-1", "HEAD").split()) > 2:
            said += git(
                self.folder, "log", "-1", f"--format=%(trailers:key={TRAILER},valueonly)", "HEAD^2"
            ).splitlines()
        said = [line.strip() for line in said if line.strip()]
        return bool(said) and self.digest("HEAD") in said


def branch_of(env: Mapping[str, str]) -> str | None:
    """The branch that a build came from, by the variables of Jenkins and GoCD; None where they don't say."""
    if env.get("CHANGE_ID"):
        return env.get("CHANGE_BRANCH") or None
    return env.get("BRANCH_NAME") or env.get("GO_MATERIAL_BRANCH_CODE") or None


def commit(sources: Sources, texts: Mapping[str, str], branch: str, notify: Callable[[str], None]) -> str:
    """Commit lock files on top of a branch and push it; the commit, or nothing where the branch has them already.

    What the branch has got since the build began stays as it is there, entry by entry.

    Args:
        sources: the description.
        texts: what the lock files are to hold, by path from the description's folder.
        branch: where to.
        notify: told why it takes longer.

    Raises:
        WorkspaceError: git can't fetch or push; its own words say why.
    """
    try:
        git(sources.folder, "check-ref-format", f"refs/heads/{branch}")
    except WorkspaceError:
        raise WorkspaceError(f"no branch can be called {branch!r}") from None
    env = unattended(sources.folder)
    message = f"Update {' and '.join(texts)}\n\n{TRAILER}: {sources.digest('HEAD')}\n"
    for _ in range(_ATTEMPTS):
        tip = _tip(sources.folder, branch, env)
        if not os.environ.get("CHANGE_ID"):
            _refuse_rewritten(sources.folder, branch, tip)
        new = {path: _rebased(sources, path, text, tip) for path, text in texts.items()}
        changed = {path: text for path, text in new.items() if text != _text_at(sources, tip, path)}
        if not changed:
            return ""
        made = committed(sources, changed, tip, message, env)
        try:
            git(sources.folder, "push", "--quiet", "origin", f"{made}:refs/heads/{branch}", env=env)
            return made
        except WorkspaceError:
            if _tip(sources.folder, branch, env) == tip:
                raise
            notify(f"{branch} got further commits meanwhile: the lock file goes on top of them")
    raise WorkspaceError(
        f"{branch} got further commits {_ATTEMPTS} times while its lock file was pushed: run the job again"
    )


def _tip(folder: Path, branch: str, env: Mapping[str, str]) -> str:
    git(folder, "fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{branch}", env=env)
    return git(folder, "rev-parse", "FETCH_HEAD")


def _refuse_rewritten(folder: Path, branch: str, tip: str) -> None:
    try:
        git(folder, "merge-base", "--is-ancestor", "HEAD", tip)
    except WorkspaceError:
        raise WorkspaceError(
            f"{branch} no longer has the commit that was built, so its lock file is not committed there"
        ) from None


def _text_at(sources: Sources, revision: str, path: str) -> str:
    """A lock file at a revision; empty where it has none."""
    (where,) = files.inside(sources.place, [path])
    if not git(sources.folder, "ls-tree", "--full-tree", revision, "--", where):
        return ""
    text = git(sources.folder, "cat-file", "blob", f"{revision}:{where}")
    return f"{text}\n" if text else ""


def _rebased(sources: Sources, path: str, text: str, tip: str) -> str:
    """A lock file of this build on top of that of the branch."""
    with tempfile.TemporaryDirectory(prefix="pipegen-") as folder:
        built, ours, theirs = (
            _lock(f"{folder}/{name}", content)
            for name, content in (
                ("built", _text_at(sources, "HEAD", path)),
                ("ours", text),
                ("theirs", _text_at(sources, tip, path)),
            )
        )
        news = {
            name: entry
            for name, entry in ours.entries.items()
            if entry != built.entries.get(name) and theirs.entries.get(name) == built.entries.get(name)
        }
        return theirs.updated(news) if news else theirs.text


def _lock(path: str, text: str) -> LockFile:
    Path(path).write_text(text, encoding="utf-8")
    return LockFile(path)


def committed(
    sources: Sources, texts: Mapping[str, str], tip: str, message: str, env: Mapping[str, str]
) -> str:
    """A commit on top of `tip` that changes these lock files alone; no branch and no working copy is touched.

    Args:
        sources: the description.
        texts: what the lock files are to hold, by path from the description's folder.
        tip: its parent.
        message: of the commit.
        env: the variables of git.
    """
    folder = sources.folder
    with _index(env) as own:
        git(folder, "read-tree", tip, env=own)
        for path, text in texts.items():
            (where,) = files.inside(sources.place, [path])
            blob = git(folder, "hash-object", "-w", "--stdin", given=text)
            git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{where}", env=own)
        tree = git(folder, "write-tree", env=own)
        return git(folder, "commit-tree", tree, "-p", tip, env=own, given=message)


@contextmanager
def _index(env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="pipegen-") as folder:
        yield {**env, "GIT_INDEX_FILE": f"{folder}/index"}
