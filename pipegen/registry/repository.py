"""The tags of a repository as its server has them: read afresh, and added to by compare-and-swap, never forced.

Whoever saw the same state wants to make the tag of the same name, and the server takes a name once. What it has is kept
beside the clone's own tags, which may be older, or of somebody's own making.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipegen.errors import PipegenError, WorkspaceError
from pipegen.git import git, unattended
from pipegen.registry import notes
from pipegen.registry.history import History, Version, history_of
from pipegen.registry.notes import Notes
from pipegen.registry.tags import FULL_FORMAT, ModelTag, check_environment, read_tags, tag_prefix

_SEEN = "refs/pipegen/tags"
"""Where this clone keeps the tags that the server has."""
_HELD = "refs/pipegen/deploying"
"""On the server, one for each environment into which somebody deploys."""
_ATTEMPTS = 5


class Overtaken(PipegenError):
    """Somebody else was faster: what was seen is not so any more."""


class Busy(PipegenError):
    """Somebody deploys into the environment, or died while doing so."""


class StillBroken(PipegenError):
    """A deployment failed, and so did bringing back what was there before: nobody knows what is in service."""


@dataclass
class Registry:
    """The models of one description.

    Args:
        folder: the description's, absolute.
        place: the same relative to the repository's root.
    """

    folder: Path
    place: str = "."
    _env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._env = unattended(self.folder)

    # ------------------------------------------------------------------------------------------ what is there

    def refresh(self) -> None:
        """Bring here what the server has, and all history with it.

        Raises:
            WorkspaceError: there is no server, or it can't be reached.
        """
        if "origin" not in git(self.folder, "remote").split():
            raise WorkspaceError(
                f"the repository of {self.folder} has no remote called origin: versions are tags that others must see"
            )
        shallow = git(self.folder, "rev-parse", "--is-shallow-repository") == "true"
        words = ("fetch", "--quiet", "--no-tags", "--prune", *(("--unshallow",) if shallow else ()))
        for attempt in range(_ATTEMPTS):
            try:
                git(self.folder, *words, "origin", f"+refs/tags/*:{_SEEN}/*", env=self._env)
                return
            except WorkspaceError as error:
                if "cannot lock ref" not in error.message or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.1 * (attempt + 1))  # another process works in the same clone

    def histories(self, *, fresh: bool = True) -> list[History]:
        """Of every model that has tags.

        Args:
            fresh: what the server has; else what was last seen of it, or the clone's own tags.

        Raises:
            WorkspaceError: git, or the server, can't be used.
        """
        if fresh:
            self.refresh()
        tags = self._tags(_SEEN) or ([] if fresh else self._tags("refs/tags"))
        return [history_of(model, tags) for model in dict.fromkeys(tag.model for tag in tags)]

    def history(self, model: str, *, fresh: bool = True) -> History:
        """Of one model; empty where it has no tags."""
        return next((one for one in self.histories(fresh=fresh) if one.model == model), History(model, ()))

    def _tags(self, where: str) -> list[ModelTag]:
        depth = where.count("/") + 1
        form = FULL_FORMAT.replace("strip=2", f"strip={depth}")
        return read_tags(git(self.folder, "for-each-ref", f"--format={form}", where), self.place)

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether a commit is part of another's history, or the same."""
        try:
            git(self.folder, "merge-base", "--is-ancestor", one, other)
        except WorkspaceError:
            return False
        return True

    def is_older(self, one: Version, other: Version) -> bool:
        """Whether a version is older: of a commit before the other's; else, by its number."""
        if one.built != other.built:
            if self.is_ancestor(one.built, other.built):
                return True
            if self.is_ancestor(other.built, one.built):
                return False
        return one.rank < other.rank

    # ------------------------------------------------------------------------------------------ additions

    def add_version(self, history: History, version: str, commit: str, said: Notes) -> None:
        """Tag a commit as a version, on the server and here.

        Raises:
            Overtaken: the version was given away meanwhile.
            WorkspaceError: the server can't be reached, or refuses.
        """
        self._add(f"{tag_prefix(history.model, self.place)}@{version}", commit, said, history)

    def assign(
        self, history: History, version: Version, environment: str, said: Notes, *, cancels: bool = False
    ) -> str:
        """Say that a version serves in an environment, or with `cancels` that it no longer does; the tag's name.

        Raises:
            Overtaken: somebody else did so since `history` was read.
            WorkspaceError: the server can't be reached, or refuses.
        """
        check_environment(environment)
        sign = "!" if cancels else ""
        number = history.counter(environment) + 1
        name = f"{tag_prefix(history.model, self.place)}#{environment}{sign}#{number}"
        self._add(name, version.commit, said, history)
        return name

    def _add(self, name: str, commit: str, said: Notes, history: History) -> None:
        moment = max(int(time.time()), history.last_time + 1)  # GTO sorts by it
        made = self._tag_object(name, commit, said, moment)
        try:
            git(self.folder, "push", "--quiet", "origin", f"{made}:refs/tags/{name}", env=self._env)
        except WorkspaceError:
            there = self._on_server(f"refs/tags/{name}")
            if not there:
                raise
            if there != made:
                raise Overtaken(f"{name} was made by somebody else meanwhile") from None
        git(self.folder, "update-ref", f"{_SEEN}/{name}", made)
        git(self.folder, "update-ref", f"refs/tags/{name}", made)

    def _tag_object(self, name: str, commit: str, said: Notes, moment: int) -> str:
        numbered = Notes(said.says, (*said.trailers, (notes.NONCE, secrets.token_hex(8))))
        who = git(self.folder, "var", "GIT_COMMITTER_IDENT", env=self._env).rsplit(" ", 2)[0]
        head = f"object {commit}\ntype commit\ntag {name}\ntagger {who} {moment} +0000\n\n"
        return git(self.folder, "mktag", env=self._env, given=head + numbered.text)

    def _on_server(self, ref: str) -> str:
        """What a reference is on the server; empty where it has none."""
        return git(self.folder, "ls-remote", "origin", ref, env=self._env).partition("\t")[0]

    # ------------------------------------------------------------------------------------------ one at a time

    @contextmanager
    def deploying(
        self, environment: str, commit: str, says: str, *, take_over: bool = False
    ) -> Iterator[None]:
        """Alone among all who deploy into an environment, wherever they are.

        It is left held where the block raises `StillBroken`, or where this process dies: then nobody knows what is in
        service, and the next one has to take over.

        Args:
            environment: its name.
            commit: one that the server has.
            says: who does what, for those who are refused.
            take_over: go on though somebody else holds it.

        Raises:
            Busy: somebody else deploys.
        """
        check_environment(environment)
        place = "" if self.place == "." else f"{self.place}/"
        ref = f"{_HELD}/{place}{environment}"
        made = self._hold(ref, commit, says, take_over=take_over)
        try:
            yield
        except StillBroken:
            raise
        except BaseException:
            with suppress(PipegenError):  # what went wrong before is what counts
                self._release(ref, made)
            raise
        self._release(ref, made)

    def _hold(self, ref: str, commit: str, says: str, *, take_over: bool) -> str:
        made = self._tag_object("deploying", commit, Notes(says), int(time.time()))
        there = self._on_server(ref)
        if there and not take_over:
            raise self._busy(ref, there)
        try:
            git(
                *(self.folder, "push", "--quiet", f"--force-with-lease={ref}:{there}"),
                *("origin", f"{made}:{ref}"),
                env=self._env,
            )
        except WorkspaceError:
            now = self._on_server(ref)
            if now in ("", there):
                raise
            raise self._busy(ref, now) from None
        return made

    def _busy(self, ref: str, held: str) -> Busy:
        environment = ref.removeprefix(f"{_HELD}/")
        try:
            git(self.folder, "fetch", "--quiet", "--no-tags", "origin", ref, env=self._env)
            head, _, text = git(self.folder, "cat-file", "tag", held).partition("\n\n")
            stamp = int(head.splitlines()[-1].rsplit(" ", 2)[1])
            when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(stamp))
            told = f": {text.splitlines()[0]}, since {when} UTC"
        except (WorkspaceError, IndexError, ValueError):
            told = ""
        return Busy(
            f"somebody deploys into {environment}{told}. Try again when that is over; if it died, say --take-over, "
            "which deploys anew whatever it left"
        )

    def _release(self, ref: str, made: str) -> None:
        lease = f"--force-with-lease={ref}:{made}"
        for attempt in range(_ATTEMPTS):
            try:
                git(self.folder, "push", "--quiet", lease, "origin", f":{ref}", env=self._env)
                return
            except WorkspaceError as error:
                if attempt == _ATTEMPTS - 1:
                    raise WorkspaceError(
                        f"the deployment is over, but {ref} on the git server, which keeps others out, is still there: "
                        f"{error.message}. Say --take-over the next time"
                    ) from None
                time.sleep(0.5 * (attempt + 1))
