"""The effects of a stage by DVC's own objects: every kind of dependency, output, cache and link that DVC knows.

The order of effects is that of `Stage.reproduce`; what differs is who holds the locks and who runs the command. This is
the only module that builds DVC's objects for stages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from pipegen.dvc.errors import StageError
from pipegen.dvc.locks import RepositoryLock
from pipegen.dvc.stages import Stage


class DvcObjects:
    """DVC's repository object, and for each stage DVC's stage object."""

    def __init__(self, root: Path, lock: RepositoryLock, notify: Callable[[str], None]) -> None:
        from dvc.repo import Repo

        _quiet(notify)
        with _dvc_errors():
            self.repo = Repo(str(root))
        self.repo.lock = lock
        self.repo._lock_depth = 1  # the lock is held around every call: DVC's own functions need not take it

    def close(self) -> None:
        """Release DVC's databases."""
        self.repo.close()

    def load(self, stage: Stage, entry: Mapping[str, Any]) -> Any:
        """DVC's object for a stage, filled from its lock entry."""
        from dvc.dvcfile import ProjectFile, SingleStageFile
        from dvc.stage.loader import StageLoader

        with _dvc_errors():
            if not stage.name:
                return SingleStageFile(self.repo, stage.file).stage
            file = ProjectFile(self.repo, stage.file)
            return StageLoader.load_stage(file, stage.name, deepcopy(dict(stage.definition)), deepcopy(dict(entry)))

    def reasons(self, stage: Stage, loaded: Any) -> list[str]:
        """Why DVC would run it; none where it is up to date."""
        with _dvc_errors():
            found = ["its command changed"] if stage.name and loaded.changed_stage() else []
            if not stage.name and loaded.changed_stage():
                found.append("its file was edited")
            if not stage.frozen:
                if stage.is_callback or stage.always_changed:
                    found.append("it always runs")
                found += _statuses(loaded.deps, "")
            return found + _statuses(loaded.outs, "output ")

    def reproduce_data(self, loaded: Any) -> None:
        """Bring a `.dvc` file up to date: DVC hashes its data again, or downloads an import."""
        with _dvc_errors():
            if loaded.reproduce(force=True):
                loaded.dump(update_pipeline=False)

    def verify_outs(self, loaded: Any) -> None:
        """What DVC does for a frozen stage instead of running it.

        Raises:
            StageError: an output is missing.
        """
        from dvc.stage.utils import check_missing_outputs

        with _dvc_errors():
            check_missing_outputs(loaded)

    def remove_outs(self, loaded: Any) -> None:
        """Clear the way for the command; persistent outputs stay and become writable."""
        with _dvc_errors():
            for out in loaded.outs:
                if out.persist:
                    out.unprotect()
                else:
                    out.remove()

    def restore(self, loaded: Any) -> bool:
        """Check its outputs out of the cache if this command on these inputs ran before."""
        from dvc.stage.cache import RunCacheNotFoundError

        with _dvc_errors():
            try:
                self.repo.stage_cache.restore(loaded)
            except RunCacheNotFoundError:
                return False
            return True

    def save_deps(self, loaded: Any) -> None:
        """Hash what it reads, before the command can change it.

        Raises:
            StageError: something it reads is missing.
        """
        with _dvc_errors():
            loaded.save_deps()

    def save(self, loaded: Any) -> Mapping[str, Any]:
        """Hash and cache what the command made; the answer is the stage's entry for the lock file.

        Raises:
            StageError: an output is missing, or can't be cached.
        """
        from dvc.stage.serialize import to_single_stage_lockfile

        with _dvc_errors():
            uncached = any(not out.use_cache for out in loaded.outs if not (out.is_metric or out.is_plot))
            loaded.save(run_cache=not uncached)
            for out in loaded.outs:
                out.commit()
            entry: Mapping[str, Any] = _plain(to_single_stage_lockfile(loaded))
            return entry

    def newly_ignored(self) -> list[str]:
        """The outputs for which a line was added to a `.gitignore` since the last time this was asked."""
        context = self.repo.scm_context
        paths, context.ignored_paths = list(context.ignored_paths), []
        return paths

    def track(self, paths: list[str]) -> None:
        """`git add` what changed, where `core.autostage` asks for it."""
        with _dvc_errors():
            context = self.repo.scm_context
            context.track_file(paths)
            if context.autostage and context.files_to_track:
                context.track_changed_files()
            context.files_to_track = set()


def _statuses(items: Any, what: str) -> list[str]:
    found: list[str] = []
    for item in items:
        for path, status in item.status().items():
            if isinstance(status, dict):
                found += [f"parameter {key} in {path} is {word}" for key, word in status.items()]
            else:
                found.append(f"{what}{path} is {status}")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@contextmanager
def _dvc_errors() -> Iterator[None]:
    """DVC's exceptions and the system's, as ours, with the causes that DVC keeps apart."""
    from dvc.exceptions import DvcException

    try:
        yield
    except DvcException as error:
        raise StageError(": ".join(_chain(error))) from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StageError(f"{error.strerror or error}{where}") from error


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
        self.notify = notify

    def emit(self, record: logging.LogRecord) -> None:
        self.notify(record.getMessage())


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
