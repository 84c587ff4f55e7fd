"""The lock files during a run: entries come in as stages finish, and go to disk in DVC's order, in batches."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pipegen.dvc.journal import Finished, Journal
from pipegen.dvc.lockfile import Entry, LockFile
from pipegen.dvc.stages import Stage

WRITE_EVERY = 2.0
"""Seconds within which a finished stage stands in the lock file."""


class Results:
    """The entries of all stages, as far as known.

    Args:
        stages: all stages by address.
        order: their addresses in DVC's order.
    """

    def __init__(self, stages: Mapping[str, Stage], order: Sequence[str], dvc_tmp: Path) -> None:
        self._stages = stages
        self._rank = {(stages[a].lock_file, stages[a].name): rank for rank, a in enumerate(order)}
        self._journal = Journal(dvc_tmp)
        self._files: dict[str, LockFile] = {}
        self._finished: dict[str, dict[str, Entry]] = {}
        self._added: dict[str, set[str]] = {}
        self._unwritten: set[str] = set()
        self._written_at = time.monotonic()
        self.changed: list[str] = []
        """Lock files that were written."""

    def entry(self, address: str) -> Entry:
        """What the lock file says of a stage; empty where it says nothing."""
        stage = self._stages[address]
        if not stage.lock_file:
            return {}
        finished = self._finished.get(stage.lock_file, {}).get(stage.name)
        return finished or self._file(stage.lock_file).entries.get(stage.name, {})

    def _file(self, path: str) -> LockFile:
        if path not in self._files:
            self._files[path] = LockFile(path)
        return self._files[path]

    def add(self, address: str, entry: Entry) -> None:
        """Take the entry of a finished stage; from here on it survives a kill."""
        stage = self._stages[address]
        before = self._file(stage.lock_file).entries.get(stage.name)
        if entry == before and stage.name not in self._finished.get(stage.lock_file, {}):
            return
        self._journal.append(Finished(stage.lock_file, stage.name, entry, before))
        self._take(stage.lock_file, stage.name, entry)

    def adopt(self, address: str, entry: Entry) -> None:
        """Take an entry that another machine made. It outlives no kill: whoever gave it has it still."""
        stage = self._stages[address]
        if self.entry(address) != entry:
            self._take(stage.lock_file, stage.name, entry)

    def _take(self, path: str, name: str, entry: Entry) -> None:
        if name not in self._file(path).entries:
            self._added.setdefault(path, set()).add(name)
        self._finished.setdefault(path, {})[name] = entry
        self._unwritten.add(path)

    def replay(self) -> list[str]:
        """Take what killed processes had finished, and write it; the answer names the stages."""
        taken: list[str] = []
        journals = list(self._journal.abandoned())
        for journal in journals:
            for path, names in journal.added.items():
                self._adopt(path, names)
            for item in journal.finished:
                if self._is_news(item):
                    self._take(item.lock_file, item.name, item.entry)
                    taken.append(item.name)
        if self._unwritten:
            self.write()
        for journal in journals:
            journal.path.unlink(missing_ok=True)
        return taken

    def _adopt(self, path: str, names: Collection[str]) -> None:
        """Go on where a killed run was: what it had added keeps no place of its own yet."""
        entries = self._file(path).entries
        for name in names:
            if name in entries:
                self._added.setdefault(path, set()).add(name)
                self._finished.setdefault(path, {})[name] = entries[name]

    def _is_news(self, item: Finished) -> bool:
        if not Path(item.lock_file).parent.is_dir():
            return False
        known = self._finished.get(item.lock_file, {}).get(item.name)
        current = known or self._file(item.lock_file).entries.get(item.name)
        return current in (item.before, known) and current != item.entry

    @property
    def due(self) -> bool:
        """Whether entries wait longer than they should."""
        return bool(self._unwritten) and time.monotonic() - self._written_at >= WRITE_EVERY

    def write(self) -> None:
        """Bring all lock files up to date. The repository lock must be held.

        Raises:
            FileError: one can't be written; its entries stay in the journal.
        """
        for path in sorted(self._unwritten):
            current = LockFile(path)
            added = self._added.get(path, set())
            finished = self._finished[path]
            names = sorted(finished, key=lambda name: self._rank.get((path, name), len(self._rank)))
            text = current.updated({name: finished[name] for name in names}, behind=added)
            if text != current.text:
                current.write(text)
                self.changed = [*dict.fromkeys([*self.changed, path])]
            self._unwritten.discard(path)
        if self._added:
            self._journal.start_over(self._added)
        else:
            self._journal.remove()
        self._written_at = time.monotonic()

    def close(self) -> None:
        """Write what is unwritten; the run is over.

        Raises:
            FileError: a lock file can't be written; its entries stay in the journal.
        """
        self.write()
        self._journal.remove()
