"""The way of DVC's own objects: every kind of dependency, output, cache and link that DVC knows.

The order of effects is that of `Stage.reproduce`; what differs is who holds the locks and who runs the command. This is
the only module that builds DVC's objects for stages.
"""

from __future__ import annotations

import importlib
import logging
import operator
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from pipegen.dvc.errors import StageError
from pipegen.dvc.gitignore import Ignored
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.locks import RepositoryLock
from pipegen.dvc.stages import Stage
from pipegen.dvc.ways import Step, Taken, Unusual
from pipegen.errors import PipegenError


class Objects:
    """DVC's repository object, and for each stage DVC's stage object.

    Args:
        root: the DVC repository.
        lock: its lock, which is held around every call.
        ignored: told what DVC adds to `.gitignore` files.
        notify: told DVC's warnings.
        remembers: whether what runs goes into the run cache.

    Raises:
        Unusual: this version of DVC has no such objects; here as from every method.
    """

    def __init__(
        self,
        root: Path,
        lock: RepositoryLock,
        ignored: Ignored,
        notify: Callable[[str], None],
        *,
        remembers: bool = True,
    ) -> None:
        self._ignored, self._remembers = ignored, remembers
        with _dvc_errors():
            _refuse_unknown_inside()
            _quiet(notify)
            from dvc.repo import Repo

            self._repo = Repo(str(root))
            self._repo.lock = lock
            self._repo._lock_depth = 1  # the lock is held around every call: DVC need not take it

    def close(self) -> None:
        """Release DVC's databases."""
        self._repo.close()

    def reasons(self, stage: Stage, entry: Entry) -> list[str]:
        """Why DVC would run it; none where it is up to date."""
        with _dvc_errors():
            loaded = self._load(stage, entry)
            found = (
                ["its command changed" if stage.name else "its file was edited"]
                if loaded.changed_stage()
                else []
            )
            if not stage.frozen:
                if stage.is_callback or stage.always_changed:
                    found.append("it always runs")
                found += _statuses(loaded.deps, "it reads")
            if not found:  # DVC too looks at outputs last; looking takes rights from files in the cache
                found = _statuses(loaded.outs, "it makes")
        return ["it never ran"] if found and stage.name and not entry else found

    def inputs(self, stage: Stage) -> Entry:
        """See `Way.inputs`."""
        with _dvc_errors():
            from dvc.stage.cache import _can_hash
            from dvc.stage.serialize import to_single_stage_lockfile

            loaded = self._load(stage, {})
            if not stage.name or not _can_hash(loaded) or _uncached(loaded):
                return {}
            loaded.save_deps()
            entry: Entry = _plain(to_single_stage_lockfile(loaded))
            return entry

    def begin(self, stage: Stage, entry: Entry, *, force: bool) -> Taken:
        """All that `dvc repro` does before the command, and everything where no command is needed.

        Raises:
            StageError: DVC refuses it.
        """
        with _dvc_errors():
            loaded = self._load(stage, entry)
            if not stage.name:
                self._reproduce_data(loaded)
                return Taken(Step.VERIFIED)
            if stage.frozen:
                self._check_outs_are_there(loaded)
                return Taken(Step.VERIFIED, entry=self._save(loaded))
            missing = [os.path.relpath(path) for path in stage.reads if not os.path.lexists(path)]
            if missing:
                raise StageError(f"it reads {', '.join(missing)}, which does not exist")
            self._remove_outs(loaded)
            if not force:
                if self._restore(loaded):
                    return Taken(Step.RESTORED, entry=self._save(loaded))
                loaded.save_deps()
            return Taken(Step.RUN, loaded=loaded)

    def finish(self, stage: Stage, entry: Entry, loaded: Any) -> Entry:
        """Hash and cache what the command made.

        Raises:
            StageError: an output is missing, or can't be cached.
        """
        with _dvc_errors():
            return self._save(loaded or self._load(stage, entry))

    def abandon(self, stage: Stage, loaded: Any) -> None:
        """Nothing is to be undone."""

    def track(self, paths: list[str]) -> None:
        """`git add` what changed, as `core.autostage` asks."""
        with _dvc_errors():
            context = self._repo.scm_context
            context.track_file(paths)
            context.track_changed_files()
            context.files_to_track = set()

    # ------------------------------------------------------------------------------------------ DVC's steps

    def _load(self, stage: Stage, entry: Entry) -> Any:
        """DVC's object for a stage, filled from its lock entry."""
        from dvc.dvcfile import ProjectFile, SingleStageFile
        from dvc.stage.loader import StageLoader

        if not stage.name:
            return SingleStageFile(self._repo, stage.file).stage
        file = ProjectFile(self._repo, stage.file)
        return StageLoader.load_stage(
            file, stage.name, deepcopy(dict(stage.definition)), deepcopy(dict(entry))
        )

    def _reproduce_data(self, loaded: Any) -> None:
        """Bring a `.dvc` file up to date: DVC hashes its data again, or downloads an import."""
        try:
            if loaded.reproduce(force=True):
                loaded.dump(update_pipeline=False)
        finally:
            self._note_ignored()

    @staticmethod
    def _check_outs_are_there(loaded: Any) -> None:
        from dvc.stage.utils import check_missing_outputs

        check_missing_outputs(loaded)

    @staticmethod
    def _remove_outs(loaded: Any) -> None:
        for out in loaded.outs:
            if out.persist:
                out.unprotect()
            else:
                out.remove()

    def _restore(self, loaded: Any) -> bool:
        """Check its outputs out of the cache if this command on these inputs ran before."""
        from dvc.stage.cache import RunCacheNotFoundError

        try:
            self._repo.stage_cache.restore(loaded)
        except RunCacheNotFoundError:
            return False
        return True

    def _save(self, loaded: Any) -> Entry:
        from dvc.stage.serialize import to_single_stage_lockfile

        try:
            loaded.save(run_cache=self._remembers and not _uncached(loaded))
            for out in loaded.outs:
                out.commit()
        finally:
            self._note_ignored()
        entry: Entry = _plain(to_single_stage_lockfile(loaded))
        return entry

    def _note_ignored(self) -> None:
        """Outputs for which DVC has just added a line to a `.gitignore`."""
        context = self._repo.scm_context
        paths, context.ignored_paths = list(context.ignored_paths), []
        self._ignored.note(paths)


def _uncached(loaded: Any) -> bool:
    """Whether it makes something that DVC is to keep nowhere, for which reason the run cache keeps none of it."""
    return any(not out.use_cache for out in loaded.outs if not (out.is_metric or out.is_plot))


_NEEDED = {
    "dvc.dvcfile": ("ProjectFile", "SingleStageFile.stage"),
    "dvc.output": ("Output.commit", "Output.remove", "Output.status", "Output.unprotect"),
    "dvc.repo": ("Repo.close", "Repo.scm_context"),
    "dvc.repo.scm_context": ("SCMContext.ignore", "SCMContext.track_changed_files", "SCMContext.track_file"),
    "dvc.stage": ("Stage.changed_stage", "Stage.dump", "Stage.reproduce", "Stage.save", "Stage.save_deps"),
    "dvc.stage.cache": ("RunCacheNotFoundError", "StageCache.restore"),
    "dvc.stage.loader": ("StageLoader.load_stage",),
    "dvc.stage.serialize": ("to_single_stage_lockfile",),
    "dvc.stage.utils": ("check_missing_outputs",),
}
"""What of DVC's inside is used here."""


def _refuse_unknown_inside() -> None:
    """Raise ImportError or AttributeError before anything is changed, rather than in the middle."""
    for module, names in _NEEDED.items():
        for name in names:
            operator.attrgetter(name)(importlib.import_module(module))


def _statuses(items: Any, what: str) -> list[str]:
    found: list[str] = []
    for item in items:
        for path, status in item.status().items():
            if isinstance(status, dict):
                found += [f"parameter {key} of {path} is {word}" for key, word in status.items()]
            else:
                found.append(f"{what} {path}, which is {status}")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@contextmanager
def _dvc_errors() -> Iterator[None]:
    """DVC's exceptions and the system's as ours, with the causes that DVC keeps apart; what is missing as `Unusual`."""
    try:
        from dvc.exceptions import DvcException
    except ImportError as error:
        raise Unusual(str(error)) from error
    try:
        yield
    except DvcException as error:
        raise StageError(": ".join(_chain(error))) from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StageError(f"{error.strerror or error}{where}") from error
    except (ImportError, AttributeError, TypeError) as error:
        raise Unusual(str(error)) from error
    except (PipegenError, Unusual):
        raise
    except Exception as error:  # of a place by URL: what the library of that kind raises
        raise StageError(f"{type(error).__name__}: {error}") from error


def _chain(error: BaseException) -> Iterator[str]:
    seen: set[str] = set()
    current: BaseException | None = error
    while current:
        text = str(current).strip()
        if text and text not in seen:
            seen.add(text)
            yield text
        current = current.__cause__


class _Forward(logging.Handler):
    def __init__(self, notify: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._notify = notify

    def emit(self, record: logging.LogRecord) -> None:
        self._notify(record.getMessage())


def _quiet(notify: Callable[[str], None]) -> None:
    """DVC's warnings become notices; its progress bars and messages stay away."""
    import dvc  # noqa: F401  its import sets up the handlers that are replaced here

    logger = logging.getLogger("dvc")
    logger.handlers = [_Forward(notify)]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    for name in ("dvc_objects", "dvc_data"):
        logging.getLogger(name).handlers = []
    for name in ("dvc.progress", "dvc_data.callbacks"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what their progress bars go by
