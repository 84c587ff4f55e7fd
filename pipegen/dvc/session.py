"""Running stages with exactly DVC's effects, many at a time.

One thread owns a session and calls it; only the commands themselves run elsewhere. While any call works, DVC's
repository lock is held; between calls, so while commands run, it is free, as with `dvc repro`.

Each stage goes one of three ways: a plain one is worked out here without importing DVC; for the rest DVC's own objects
do the work; where this DVC has no such objects, its command line does. `tests/dvc/` compares all with the command line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipegen.dvc.cache import Cache
from pipegen.dvc.command_line import CommandLine
from pipegen.dvc.direct import Direct
from pipegen.dvc.errors import StageError
from pipegen.dvc.gitignore import Ignored
from pipegen.dvc.hashing import Hasher
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.locks import PathLocks, RepositoryLock
from pipegen.dvc.objects import Objects
from pipegen.dvc.params import ParamsFiles
from pipegen.dvc.results import Results
from pipegen.dvc.runcache import RunCache
from pipegen.dvc.settings import Settings
from pipegen.dvc.shell import Command, command_of
from pipegen.dvc.stages import Stage
from pipegen.dvc.state import State
from pipegen.dvc.status import Status
from pipegen.dvc.ways import Step, Taken, Unusual, Way

if TYPE_CHECKING:
    from pipegen.dvc.bearer import Bearer
    from pipegen.dvc.foresight import Foresight
    from pipegen.dvc.stores import RemoteChoice

Paths = tuple[list[str], list[str]]


@dataclass(frozen=True)
class Begun:
    """The answer to `begin`."""

    step: Step
    reasons: tuple[str, ...] = ()
    """Why it is not up to date; for BUSY, who is in the way."""
    command: Command | None = None


@dataclass(frozen=True)
class _Running:
    way: Way
    taken: Taken
    held: Paths


class Session:
    """See `Workspace.session`. The process works in the workspace's folder while it is open, as DVC's objects need.

    Args:
        may_be_direct: False leaves every stage to DVC.
        remembers: whether what runs goes into the run cache.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        stages: Mapping[str, Stage],
        order: Sequence[str],
        notify: Callable[[str], None],
        *,
        may_be_direct: bool = True,
        remembers: bool = True,
    ) -> None:
        self._root, self._folder, self._stages, self._order = root, folder, stages, order
        self._notify = notify
        self._may_be_direct, self._remembers = may_be_direct, remembers
        self._running: dict[str, _Running] = {}
        self._objects: Objects | None = None
        self._command_line = CommandLine(folder, self._write)
        self._came_from = ""

    def __enter__(self) -> Session:
        tmp = self._root / ".dvc" / "tmp"
        tmp.mkdir(parents=True, exist_ok=True)
        self._settings = Settings.read(self._root)
        self._lock = RepositoryLock(tmp, self._notify, hardlink=self._settings.hardlink_lock)
        self._paths = PathLocks(tmp, hardlink=self._settings.hardlink_lock)
        self._results = Results(self._stages, self._order, tmp)
        self._state = State(self._root, self._settings.site_cache)
        self._ignored = Ignored(self._root, self._ranks(), use_git=not self._settings.no_scm)
        self._hasher = Hasher(self._state)
        self._direct = self._direct_way()
        with self._lock:
            replayed = self._results.replay()
        if replayed:
            self._notify(
                f"took over {len(replayed)} finished stages of a run that was killed: {', '.join(replayed)}"
            )
        self._came_from = os.getcwd()
        os.chdir(self._folder)
        return self

    def _ranks(self) -> dict[str, int]:
        """For each cached output its place in DVC's order."""
        return {
            out.target: rank
            for rank, address in enumerate(self._order)
            for out in self._stages[address].outs
            if out.cache and out.is_local
        }

    def _direct_way(self) -> Direct:
        hasher, params = self._hasher, ParamsFiles()
        cache = Cache(self._settings.cache, self._state)
        runs = RunCache(self._settings.cache, grows=self._remembers)
        status = Status(hasher, params, cache, self._folder)
        return Direct(
            self._root, self._state, status, hasher, params, cache, runs, self._ignored, self._notify
        )

    def __exit__(self, *_: object) -> None:
        try:
            for address in list(self._running):
                self.abandon(address)
            with self._lock:
                self._results.close()
                self._state.write()
                changed = [*self._results.changed, *self._ignored.put_in_order()]
                if changed and self._settings.autostage:
                    self._built_objects().track([os.path.relpath(path, self._folder) for path in changed])
                if self._objects:
                    self._objects.close()
                self._state.close()
        finally:
            os.chdir(self._came_from)

    # ------------------------------------------------------------------------------------------ the ways

    def _ways(self, *, judging: bool) -> Iterator[Way]:
        if self._may_be_direct and (judging or self._settings.plain_cache):
            yield self._direct
        with contextlib.suppress(Unusual):
            yield self._built_objects()
        yield self._command_line

    def _built_objects(self) -> Objects:
        if not self._objects:
            self._state.write()
            self._objects = Objects(
                self._root, self._lock, self._ignored, self._notify, remembers=self._remembers
            )
        return self._objects

    def reasons(self, address: str) -> list[str]:
        """Why a stage is not up to date, changing nothing; none where it is.

        Raises:
            StageError: DVC refuses it.
        """
        with self._lock:
            return self._reasons(self._stages[address])

    def _reasons(self, stage: Stage) -> list[str]:
        entry = self._results.entry(stage.address)
        for way in self._ways(judging=True):
            try:
                return way.reasons(stage, entry)
            except Unusual:
                continue
        raise AssertionError("the command line takes every stage")

    # ------------------------------------------------------------------------------------------ what others made

    def entry(self, address: str) -> Entry:
        """What is known of a stage's last run, in the lock file's words; empty where nothing is."""
        return self._results.entry(address)

    def adopt(self, entries: Mapping[str, Entry]) -> None:
        """Take entries, by address, that other machines made, into the lock files."""
        for address, entry in entries.items():
            self._results.adopt(address, entry)
        with self._lock:
            self._write()

    def inputs(self, address: str) -> Entry:
        """What a stage reads now, in the lock file's words, and the paths of what it makes.

        Empty where the run cache never keeps what it makes.

        Raises:
            StageError: what it reads is missing.
        """
        stage = self._stages[address]
        with self._lock:
            for way in self._ways(judging=True):
                try:
                    return way.inputs(stage)
                except Unusual:
                    continue
        raise AssertionError("the command line takes every stage")

    def bearer(self, remote: RemoteChoice) -> Bearer:
        """What brings data here from a remote, and from here to it; it shares this session's hashes."""
        from pipegen.dvc.bearer import Bearer

        return Bearer(self._root, self._settings, self._state, self._stages, remote, self._notify)

    def foresight(self, remote: RemoteChoice) -> Foresight | None:
        """What tells which results stages are known to have, bringing no data; None where there is no remote."""
        from pipegen.dvc.foresight import Foresight

        store = self.bearer(remote).store
        tmp = self._root / ".dvc" / "tmp"
        return Foresight(self._stages, store, self._hasher, ParamsFiles(), tmp) if store else None

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
                way, taken = self._begin(stage, force)
                if taken.entry is not None:
                    self._results.add(address, taken.entry)
                if taken.step is Step.RUN and not taken.locks_itself:
                    self._running[address] = _Running(way, taken, held)
        if taken.step is Step.BUSY:
            return Begun(Step.BUSY, (taken.reason,))
        if taken.step is not Step.RUN:
            return Begun(taken.step, tuple(reasons))
        self._running.setdefault(address, _Running(way, taken, ([], [])))
        return Begun(Step.RUN, tuple(reasons), taken.command or command_of(stage, self._root, env or {}))

    @contextmanager
    def _released_unless_running(self, address: str, held: Paths) -> Iterator[None]:
        try:
            yield
        finally:
            if address not in self._running:
                self._paths.release(*held)

    def _begin(self, stage: Stage, force: bool) -> tuple[Way, Taken]:
        entry = self._results.entry(stage.address)
        for way in self._ways(judging=False):
            try:
                return way, way.begin(stage, entry, force=force)
            except Unusual:
                continue
        raise AssertionError("the command line takes every stage")

    def hash_ahead(self, address: str) -> None:
        """Hash the large files that the command of a stage made. May be called in any thread, before `finish`."""
        for path in self._stages[address].writes:
            self._hasher.hash_large(path)

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
                    entry = self._finish(stage, running)
                if stage.name:
                    self._results.add(address, entry)
            finally:
                self._paths.release(*running.held)
                del self._running[address]

    def _finish(self, stage: Stage, running: _Running) -> Entry:
        entry = self._results.entry(stage.address)
        try:
            return running.way.finish(stage, entry, running.taken.loaded)
        except Unusual:
            if running.way is self._direct:
                with contextlib.suppress(Unusual):
                    return self._built_objects().finish(stage, entry, None)
            raise StageError("this version of DVC can't save what its command made") from None

    def abandon(self, address: str) -> None:
        """The command of a stage failed or was stopped: nothing of it is kept."""
        running = self._running.pop(address)
        with self._lock:
            running.way.abandon(self._stages[address], running.taken.loaded)
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
