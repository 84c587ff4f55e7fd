"""Running stages with exactly DVC's effects, many at a time.

One thread owns a session and calls it; only the commands themselves run elsewhere. While any call works, DVC's repository
lock is held; between calls, so while commands run, it is free, as with `dvc repro`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from pipegen.dvc.gitignore import AddedLines
from pipegen.dvc.locks import PathLocks, RepositoryLock
from pipegen.dvc.objects import DvcObjects, StageError
from pipegen.dvc.results import Results
from pipegen.dvc.shell import Command, command_of
from pipegen.dvc.stages import Stage


class Step(Enum):
    """What became of a stage when it was begun."""

    UNCHANGED = "unchanged"
    RESTORED = "restored"
    """Its result came from the run cache."""
    VERIFIED = "verified"
    """A frozen stage or a `.dvc` file: its data was hashed anew, nothing ran."""
    RUN = "run"
    """Its command is to be run now; then `finish` or `abandon` must be called."""
    BUSY = "busy"
    """Another process uses its files: begin it again later."""


@dataclass(frozen=True)
class Begun:
    """The answer to `begin`."""

    step: Step
    reasons: tuple[str, ...] = ()
    """Why it is not up to date; for BUSY, who is in the way."""
    command: Command | None = None


@dataclass
class _Running:
    stage: Stage
    loaded: Any
    held: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))


class Session:
    """See `Workspace.session`. The process works in the workspace's folder while it is open, as DVC's objects need."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        stages: Mapping[str, Stage],
        order: Sequence[str],
        notify: Callable[[str], None],
    ) -> None:
        self._root, self._folder, self._stages = root, folder, stages
        self._notify = notify
        tmp = root / ".dvc" / "tmp"
        self._lock = RepositoryLock(tmp, notify)
        self._paths = PathLocks(tmp, notify)
        self._results = Results(stages, order, tmp)
        self._ignored = AddedLines()
        self._rank = {address: rank for rank, address in enumerate(order)}
        self._running: dict[str, _Running] = {}
        self._built: DvcObjects | None = None
        self._came_from = ""

    def __enter__(self) -> Session:
        (self._root / ".dvc" / "tmp").mkdir(parents=True, exist_ok=True)
        self._came_from = os.getcwd()
        os.chdir(self._folder)
        with self._lock:
            replayed = self._results.replay()
        if replayed:
            self._notify(f"took over {len(replayed)} finished stages of a run that was killed: {', '.join(replayed)}")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for address in list(self._running):
                self.abandon(address)
            with self._lock:
                self._results.write()
                self._ignored.put_in_order()
                if self._built:
                    self._built.track([os.path.relpath(path, self._folder) for path in self._results.changed])
                    self._built.close()
        finally:
            os.chdir(self._came_from)

    @property
    def _objects(self) -> DvcObjects:
        if not self._built:
            self._built = DvcObjects(self._root, self._lock, self._notify)
        return self._built

    def begin(self, address: str, *, force: bool = False, env: Mapping[str, str] | None = None) -> Begun:
        """Do all of a stage that comes before its command.

        Args:
            address: the stage.
            force: run it even if it is up to date or in the run cache.
            env: variables for its command, over those of the process.

        Raises:
            StageError: DVC refuses it.
        """
        stage = self._stages[address]
        held = (list(stage.reads), list(stage.writes))
        with self._lock:
            busy = self._paths.try_acquire(*held)
            if busy:
                return Begun(Step.BUSY, (busy,))
            begun = None
            try:
                begun = self._begin(stage, force, env or {})
            finally:
                if begun and begun.step is Step.RUN:
                    self._running[address].held = held
                else:
                    self._paths.release(*held)
        return begun

    def _begin(self, stage: Stage, force: bool, env: Mapping[str, str]) -> Begun:
        loaded = self._objects.load(stage, self._results.entry(stage.address))
        reasons = ["forced"] if force else self._reasons(stage, loaded)
        if not reasons:
            return Begun(Step.UNCHANGED)
        if not stage.name:
            self._objects.reproduce_data(loaded)
            self._note_ignored(stage)
            return Begun(Step.VERIFIED, tuple(reasons))
        if stage.frozen:
            self._objects.verify_outs(loaded)
            self._save(stage, loaded)
            return Begun(Step.VERIFIED, tuple(reasons))
        missing = [os.path.relpath(path, self._folder) for path in stage.reads if not os.path.lexists(path)]
        if missing:
            raise StageError(f"it reads {', '.join(missing)}, which does not exist")
        self._objects.remove_outs(loaded)
        if not force:
            if self._objects.restore(loaded):
                self._save(stage, loaded)
                return Begun(Step.RESTORED, tuple(reasons))
            self._objects.save_deps(loaded)
        self._running[stage.address] = _Running(stage, loaded)
        return Begun(Step.RUN, tuple(reasons), command_of(stage, self._root, env))

    def reasons(self, address: str) -> list[str]:
        """Why a stage is not up to date, changing nothing; none where it is."""
        stage = self._stages[address]
        with self._lock:
            return self._reasons(stage, self._objects.load(stage, self._results.entry(address)))

    def _reasons(self, stage: Stage, loaded: Any) -> list[str]:
        found = self._objects.reasons(stage, loaded)
        return ["it never ran"] if found and stage.name and not self._results.entry(stage.address) else found

    def finish(self, address: str) -> None:
        """Do all of a stage that comes after its command succeeded.

        Raises:
            StageError: an output is missing or can't be cached. The stage counts as abandoned.
            FileError: the journal can't be written.
        """
        running = self._running[address]
        with self._lock:
            try:
                self._save(running.stage, running.loaded)
            finally:
                self._paths.release(*running.held)
                del self._running[address]

    def _save(self, stage: Stage, loaded: Any) -> None:
        try:
            entry = self._objects.save(loaded)
        finally:
            self._note_ignored(stage)
        self._results.add(stage.address, entry)

    def _note_ignored(self, stage: Stage) -> None:
        self._ignored.note(self._objects.newly_ignored(), self._rank[stage.address])

    def abandon(self, address: str) -> None:
        """The command of a stage failed or was stopped: nothing of it is kept."""
        running = self._running.pop(address)
        with self._lock:
            self._paths.release(*running.held)

    def write_if_due(self) -> None:
        """Write the lock files if finished stages have waited for that long enough.

        Raises:
            FileError: one can't be written.
        """
        if self._results.due:
            with self._lock:
                self._results.write()
