"""Running stages with exactly DVC's effects, many at a time.

One thread owns a session and calls it; only the commands themselves run elsewhere. While any call works, DVC's repository
lock is held; between calls, so while commands run, it is free, as with `dvc repro`.

Each stage goes one of two ways. Whether it is up to date, and all effects of a plain stage, are worked out here without
importing DVC; for the rest, DVC's own objects do the work. `tests/dvc/` compares both with the `dvc` command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pipegen.dvc.cache import Cache
from pipegen.dvc.direct import Direct
from pipegen.dvc.errors import StageError
from pipegen.dvc.gitignore import Ignored
from pipegen.dvc.hashing import Hasher, Unusual
from pipegen.dvc.locks import PathLocks, RepositoryLock
from pipegen.dvc.objects import DvcObjects
from pipegen.dvc.params import ParamsFiles
from pipegen.dvc.results import Results
from pipegen.dvc.runcache import RunCache
from pipegen.dvc.settings import Settings
from pipegen.dvc.shell import Command, command_of
from pipegen.dvc.stages import Stage
from pipegen.dvc.state import State
from pipegen.dvc.status import Status


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


@dataclass(frozen=True)
class _Running:
    loaded: Any
    """DVC's object; None for a stage that goes the direct way."""
    held: tuple[list[str], list[str]]


class Session:
    """See `Workspace.session`. The process works in the workspace's folder while it is open, as DVC's objects need."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        stages: Mapping[str, Stage],
        order: Sequence[str],
        notify: Callable[[str], None],
        *,
        may_be_direct: bool = True,
    ) -> None:
        self._root, self._folder, self._stages, self._order = root, folder, stages, order
        self._notify = notify
        self._may_be_direct = may_be_direct
        self._running: dict[str, _Running] = {}
        self._built: DvcObjects | None = None
        self._came_from = ""

    def __enter__(self) -> Session:
        tmp = self._root / ".dvc" / "tmp"
        tmp.mkdir(parents=True, exist_ok=True)
        self._settings = Settings.read(self._root)
        self._lock = RepositoryLock(tmp, self._notify, hardlink=self._settings.hardlink_lock)
        self._paths = PathLocks(tmp, hardlink=self._settings.hardlink_lock)
        self._results = Results(self._stages, self._order, tmp)
        self._set_up_direct_way()
        self._came_from = os.getcwd()
        os.chdir(self._folder)
        with self._lock:
            replayed = self._results.replay()
        if replayed:
            self._notify(f"took over {len(replayed)} finished stages of a run that was killed: {', '.join(replayed)}")
        return self

    def _set_up_direct_way(self) -> None:
        self._state = State(self._root, self._settings.site_cache)
        hasher, params = Hasher(self._state), ParamsFiles()
        cache = Cache(self._settings.cache, self._state)
        self._status = Status(hasher, params, cache, self._folder)
        ranks = {
            out.target: rank
            for rank, address in enumerate(self._order)
            for out in self._stages[address].outs
            if out.cache and out.is_local
        }
        self._ignored = Ignored(self._root, ranks, use_git=not self._settings.no_scm)
        runs = RunCache(self._settings.cache)
        direct = Direct(self._root, self._state, hasher, params, cache, runs, self._ignored, self._notify)
        self._direct = direct if self._may_be_direct and self._settings.plain_cache else None

    def __exit__(self, *_: object) -> None:
        try:
            for address in list(self._running):
                self.abandon(address)
            with self._lock:
                self._write()
                changed = [*self._results.changed, *self._ignored.put_in_order()]
                if changed and self._settings.autostage:
                    self._objects.track([os.path.relpath(path, self._folder) for path in changed])
                if self._built:
                    self._built.close()
                self._state.close()
        finally:
            os.chdir(self._came_from)

    @property
    def _objects(self) -> DvcObjects:
        if not self._built:
            self._state.write()
            self._built = DvcObjects(self._root, self._lock, self._notify)
        return self._built

    # ------------------------------------------------------------------------------------------ judging

    def reasons(self, address: str) -> list[str]:
        """Why a stage is not up to date, changing nothing; none where it is.

        Raises:
            StageError: DVC refuses it.
        """
        with self._lock:
            return self._reasons(self._stages[address])

    def _reasons(self, stage: Stage) -> list[str]:
        entry = self._results.entry(stage.address)
        if self._may_be_direct:
            try:
                return self._status.reasons(stage, entry)
            except Unusual:
                pass
        found = self._objects.reasons(stage, self._objects.load(stage, entry))
        return ["it never ran"] if found and stage.name and not entry else found

    # ------------------------------------------------------------------------------------------ running

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
        with self._lock:
            reasons = ["forced"] if force else self._reasons(stage)
            if not reasons:
                return Begun(Step.UNCHANGED)
            held = (list(stage.reads), list(stage.writes))
            busy = self._paths.try_acquire(*held)
            if busy:
                return Begun(Step.BUSY, (busy,))
            with self._released_unless_running(address, held), _system_errors():
                step, loaded = self._begin(stage, force)
                if step is Step.RUN:
                    self._running[address] = _Running(loaded, held)
        command = command_of(stage, self._root, env or {}) if step is Step.RUN else None
        return Begun(step, tuple(reasons), command)

    @contextmanager
    def _released_unless_running(self, address: str, held: tuple[list[str], list[str]]) -> Iterator[None]:
        try:
            yield
        finally:
            if address not in self._running:
                self._paths.release(*held)

    def _begin(self, stage: Stage, force: bool) -> tuple[Step, Any]:
        entry = self._results.entry(stage.address)
        if self._direct:
            try:
                self._direct.begin(stage, entry, force=force)
                return Step.RUN, None
            except Unusual:
                pass
        return self._begin_by_objects(stage, entry, force)

    def _begin_by_objects(self, stage: Stage, entry: Mapping[str, Any], force: bool) -> tuple[Step, Any]:
        loaded = self._objects.load(stage, entry)
        if not stage.name:
            self._objects.reproduce_data(loaded)
            self._ignored.note(self._objects.newly_ignored())
            return Step.VERIFIED, loaded
        if stage.frozen:
            self._objects.verify_outs(loaded)
            self._results.add(stage.address, self._saved_by_objects(loaded))
            return Step.VERIFIED, loaded
        missing = [os.path.relpath(path, self._folder) for path in stage.reads if not os.path.lexists(path)]
        if missing:
            raise StageError(f"it reads {', '.join(missing)}, which does not exist")
        self._objects.remove_outs(loaded)
        if not force:
            if self._objects.restore(loaded):
                self._results.add(stage.address, self._saved_by_objects(loaded))
                return Step.RESTORED, loaded
            self._objects.save_deps(loaded)
        return Step.RUN, loaded

    def finish(self, address: str) -> None:
        """Do all of a stage that comes after its command succeeded.

        Raises:
            StageError: an output is missing or can't be cached. The stage counts as abandoned.
            FileError: the journal can't be written.
        """
        stage, running = self._stages[address], self._running[address]
        with self._lock:
            try:
                with _system_errors():
                    self._results.add(address, self._finish(stage, running.loaded))
            finally:
                self._paths.release(*running.held)
                del self._running[address]

    def _finish(self, stage: Stage, loaded: Any) -> Mapping[str, Any]:
        if self._direct and loaded is None:
            try:
                return self._direct.finish(stage)
            except Unusual:
                loaded = self._objects.load(stage, self._results.entry(stage.address))
        return self._saved_by_objects(loaded)

    def _saved_by_objects(self, loaded: Any) -> Mapping[str, Any]:
        try:
            return self._objects.save(loaded)
        finally:
            self._ignored.note(self._objects.newly_ignored())

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
                self._write()

    def _write(self) -> None:
        self._results.write()
        self._state.write()


@contextmanager
def _system_errors() -> Iterator[None]:
    """A full disk or a cache without permission stands against the stage, not against the run."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StageError(f"{error.strerror or error}{where}") from error
