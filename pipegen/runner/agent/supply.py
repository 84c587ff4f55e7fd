"""What a stage must have before it can run: lock entries and data of all it needs, or its own earlier result."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipegen.dvc import fragments
from pipegen.dvc.bearer import Bearer
from pipegen.dvc.errors import RemoteError, StageError
from pipegen.dvc.fragments import Carried, Merged
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.moved import Moved
from pipegen.dvc.runcache import folder_of
from pipegen.dvc.session import Session
from pipegen.dvc.wanted import Wanted
from pipegen.dvc.workspace import Workspace
from pipegen.errors import RunFailed
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.task import AgentTask

HERE = "here already"
"""Where a result was found that is up to date in this workspace."""


@dataclass
class Supply:
    """Brings what a stage needs into the workspace."""

    task: AgentTask
    workspace: Workspace
    session: Session
    bearer: Bearer
    console: Console
    stamp: str
    """What this build is made of: see `Fragment.stamp`."""
    entries: dict[str, Entry] = field(default_factory=dict)
    """By address, of all stages that it needs."""
    fetched: Moved = field(default_factory=Moved)
    """All that came from the remote."""
    _merged: Merged = field(default_factory=Merged)

    def take_over(self) -> None:
        """The lock entries of all it needs: from fragments, else by restoring what ran before.

        Raises:
            StageError: a fragment is of another build, or two disagree.
            RunFailed: a stage that it needs has not run for this tree, or failed.
        """
        needed = self.task.ancestors
        self._merged = fragments.merge(fragments.fragments_in(self.task.fragments), needed, self.stamp)
        self.entries = {a: self._merged.entries[a] for a in needed if a in self._merged.entries}
        self.session.adopt(self.entries)
        for address in needed:
            if address not in self.entries:
                self.entries[address] = self._restore_missing(address)

    def _restore_missing(self, address: str) -> Entry:
        """A stage whose fragment is not here, from the lock file of the commit or from the run cache."""
        said = self._merged.failed.get(address)
        if said is not None:
            raise RunFailed(f"{address}, which {self.task.address} needs, failed: {said}")
        lacking = f"{address}, which {self.task.address} needs, has not run for this tree"
        nowhere = f"it has no fragment in {self.task.fragments}"
        try:
            self._bring(address)
            found = self.known_result(address)
        except StageError as error:
            raise RunFailed(f"{lacking}: {nowhere}, and {error.message}") from None
        if found is None:
            raise RunFailed(
                f"{lacking}: {nowhere}, and no run of it is in the run cache; run {address} first"
            )
        self.console.notice(f"{address} has no fragment here; its result was {found[1]}")
        self._merged.files[address] = fragments.carried(self.workspace.stages[address], self.task.folder)
        return found[0]

    def fetch(self) -> None:
        """Only what the stage reads, and what it adds to or keeps if it is persistent or frozen.

        Raises:
            RemoteError: the remote can't be reached, or has it not.
            StageError: what DVC does not keep did not travel either.
        """
        stage = self.workspace.stages[self.task.address]
        self._bring(stage.address)
        locked = self.session.entry(stage.address)
        if locked and (stage.frozen or any(out.persist for out in stage.outs)):
            self._put(self.bearer.made(stage.address, locked, cached=True))  # git may have the others

    def _bring(self, address: str) -> None:
        """Put what a stage reads into the workspace: from the remote, and what travelled in fragments."""
        self._put(self.bearer.wanted(address, self.entries))
        stage = self.workspace.stages[address]
        for other in self.workspace.needs[address]:
            if other in self.entries and other != address:
                carried, entry = self._merged.files.get(other, {}), self.entries[other]
                fragments.put_carried(stage, self.workspace.stages[other], carried, entry, self.task.folder)

    def _put(self, items: list[Wanted]) -> None:
        self.fetched += self.bearer.bring(items)

    def known_result(self, address: str) -> tuple[Entry, str] | None:
        """The entry of an earlier run on the same inputs, whose outputs are now in place, and where it was found."""
        stage = self.workspace.stages[address]
        inputs = {} if stage.frozen else self.session.inputs(address)
        locked = self.session.entry(address)
        if locked and not self.session.reasons(address):
            return locked, HERE
        if inputs and locked and folder_of(inputs) == folder_of(locked):
            try:
                self._put(self.bearer.made(address, locked))
                return locked, "in the commit's lock file"
            except RemoteError as error:
                self.console.notice(f"the lock file knows {address}, but {error.message}")
        found = self.bearer.remembered(inputs)
        if found is None:
            return None
        self._put(self.bearer.made(address, found[0]))
        self.session.adopt({address: found[0]})
        return found

    def carried(self) -> dict[str, dict[str, Carried]]:
        """By address, the files of what it needs that travel in fragments."""
        return {a: dict(files) for a, files in self._merged.files.items() if files and a in self.entries}
