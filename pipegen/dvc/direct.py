"""The effects of a plain stage without DVC's objects.

Plain is: files and folders in the repository, DVC's default kind of cache. Byte for byte what `objects.Objects` does,
for a small part of the time. Whatever is not plain raises `Unusual` before anything was changed, and goes the way of
DVC's objects.
"""

from __future__ import annotations

import os
import shutil
import stat as modes
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipegen.dvc.cache import FILE_MODE, Cache
from pipegen.dvc.errors import StageError
from pipegen.dvc.gitignore import Ignored
from pipegen.dvc.hashing import Hashed, Hasher
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.params import BadParams, ParamsFiles
from pipegen.dvc.runcache import RunCache
from pipegen.dvc.stages import DEFAULT_PARAMS, Out, Stage
from pipegen.dvc.state import State, link_time
from pipegen.dvc.status import Status
from pipegen.dvc.ways import Step, Taken, Unusual

_OUT_FLAGS = {"cache", "desc", "type", "labels", "meta", "remote", "push", "persist"}
_PLOT_FLAGS = {"template", "x", "y", "x_label", "y_label", "title", "header"}
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"


class Direct:
    """Runs plain stages; one for a session."""

    def __init__(
        self,
        root: Path,
        state: State,
        status: Status,
        hasher: Hasher,
        params: ParamsFiles,
        cache: Cache,
        runs: RunCache,
        ignored: Ignored,
        notify: Callable[[str], None],
    ) -> None:
        self._root = str(root)
        self._state, self._status, self._hasher, self._params = state, status, hasher, params
        self._cache, self._runs, self._ignored, self._notify = cache, runs, ignored, notify

    def reasons(self, stage: Stage, entry: Entry) -> list[str]:
        """Why it is not up to date; none where it is.

        Raises:
            Unusual: only DVC can tell.
        """
        return self._status.reasons(stage, entry)

    def inputs(self, stage: Stage) -> Entry:
        """See `Way.inputs`.

        Raises:
            Unusual: the stage is not plain.
            StageError: what it reads is missing.
        """
        self._refuse_unusual(stage)
        if not self._can_be_remembered(stage):
            return {}
        return {
            **self._inputs(stage),
            "outs": [{"path": path} for path in sorted(o.path for o in stage.outs)],
        }

    def begin(self, stage: Stage, entry: Entry, *, force: bool) -> Taken:
        """Hash what it reads, and clear the way for the command.

        Raises:
            Unusual: the stage is not plain, or its result may be in the run cache; nothing was changed.
            StageError: what it reads is missing.
        """
        self._refuse_unusual(stage)
        begun = self._inputs(stage) if not force else {}
        if not force and self._may_be_restored(stage, begun, entry):
            raise Unusual(stage.address)
        for out in stage.outs:
            _remove(out.target)
        return Taken(Step.RUN)

    def _refuse_unusual(self, stage: Stage) -> None:
        """Everything that has rules of its own in DVC."""
        paths = (
            [dep.path for dep in stage.deps] + [p.path for p in stage.params] + [o.path for o in stage.outs]
        )
        targets = [*stage.reads, *stage.writes]
        plain = (
            stage.name
            and not stage.frozen
            and len(targets) == len(paths) == len(set(targets))
            and not any(os.path.isabs(path) or "\\" in path for path in paths)
            and all(target.startswith(self._root + "/") for target in targets)
            and not any(out.persist for out in stage.outs)
            and _flags_are_known(stage)
        )
        if not plain or not (stage.wdir + "/").startswith(self._root + "/") or not os.path.isdir(stage.wdir):
            raise Unusual(stage.address)
        for out in stage.outs:
            if os.path.islink(out.target):
                raise Unusual(out.path)
            if out.cache:
                self._ignored.refuse_unusual(out.target)

    def _inputs(self, stage: Stage) -> dict[str, Any]:
        """The part of the lock entry that a stage has before it runs."""
        entry: dict[str, Any] = {"cmd": stage.cmd}
        deps = []
        for dep in sorted(stage.deps, key=lambda dep: dep.path):
            hashed = self._hasher.hash(dep.target)
            if hashed is None:
                raise StageError(f"it reads {dep.path}, which does not exist")
            deps.append(hashed.entry(dep.path))
        if deps:
            entry["deps"] = deps
        params = {
            p.path: self._values(p.path, p.target, p.keys) for p in sorted(stage.params, key=lambda p: p.path)
        }
        if DEFAULT_PARAMS in params:
            params = {DEFAULT_PARAMS: params.pop(DEFAULT_PARAMS), **params}
        if params:
            entry["params"] = params
        return entry

    def _values(self, path: str, target: str, keys: tuple[str, ...]) -> dict[str, Any]:
        try:
            values = self._params.values(target, keys)
        except BadParams as error:
            raise StageError(f"its parameters can't be read: {error}") from None
        if values is None:
            raise StageError(f"its parameters' file {path} does not exist")
        missing = [key for key in keys if key not in values]
        if missing:
            raise StageError(f"its parameters {', '.join(missing)} are missing from {path}")
        if not all(isinstance(key, str) for key in values) or _has_odd_values(values):
            raise Unusual(path)
        return dict(sorted(values.items()))

    def _may_be_restored(self, stage: Stage, begun: Entry, entry: Entry) -> bool:
        if not (stage.deps or stage.params) or not stage.outs or stage.always_changed:
            return False
        wanted = {**begun, "outs": [{"path": path} for path in sorted(out.path for out in stage.outs)]}
        if self._runs.has(wanted):
            return True
        return bool(entry) and all(entry.get(word) == begun.get(word) for word in ("cmd", "deps", "params"))

    # ------------------------------------------------------------------------------------------ after the command

    def finish(self, stage: Stage, entry: Entry, loaded: Any) -> Entry:
        """Hash and cache what the command made; the answer is the stage's entry for the lock file.

        Raises:
            StageError: something is missing, or can't be cached.
            Unusual: an output is not plain; saving it again by DVC's objects does no harm.
        """
        made_entry = self._inputs(stage)
        made: list[tuple[Out, Hashed]] = []
        for out in stage.outs:
            made.append((out, self._save(stage, out)))
        outs = [hashed.entry(out.path) for out, hashed in sorted(made, key=lambda item: item[0].path)]
        if outs:
            made_entry["outs"] = outs
        remembered = self._can_be_remembered(stage)
        for out, hashed in made:
            if out.cache or remembered:
                self._commit(out, hashed)
        if remembered:
            self._runs.add(made_entry)
        return made_entry

    def abandon(self, stage: Stage, loaded: Any) -> None:
        """Nothing is to be undone."""

    def _save(self, stage: Stage, out: Out) -> Hashed:
        hashed = self._hasher.hash(out.target)
        if hashed is None:
            raise StageError(f"its command did not make {out.path}: output '{out.path}' does not exist")
        if hashed.nfiles is None and os.stat(out.target).st_nlink > 1:
            raise Unusual(out.path)
        if not (hashed.size if hashed.nfiles is None else os.listdir(out.target)):
            self._notify(f"{stage.address}: its output {out.path} is empty")
        if out.cache:
            self._ignored.add(out.target)
        if out.kind == "metrics" and hashed.nfiles is None and not _is_text(out.target):
            raise StageError(f"binary file '{out.path}' cannot be used as metrics")
        return hashed

    @staticmethod
    def _can_be_remembered(stage: Stage) -> bool:
        """DVC's rule for its run cache."""
        if stage.is_callback or stage.always_changed or not stage.outs or not (stage.deps or stage.params):
            return False
        return all(out.cache or out.kind != "outs" for out in stage.outs)

    def _commit(self, out: Out, hashed: Hashed) -> None:
        self._cache.add(hashed, out.target)
        stat = os.stat(out.target)
        if hashed.nfiles is None:
            wanted = FILE_MODE | (modes.S_IEXEC if hashed.is_executable else 0)
            if modes.S_IMODE(stat.st_mode) != wanted:
                os.chmod(out.target, wanted)
            time = link_time(stat.st_mtime)
        else:
            time = link_time((file.path, file.mtime) for file in hashed.files)
        self._state.add_link(out.target, stat.st_ino, time)


def _flags_are_known(stage: Stage) -> bool:
    words = {"outs": _OUT_FLAGS, "metrics": _OUT_FLAGS, "plots": _OUT_FLAGS | _PLOT_FLAGS}
    return all(
        isinstance(flags, Mapping) and flags.keys() <= known
        for kind, known in words.items()
        for item in stage.definition.get(kind) or ()
        if isinstance(item, Mapping)
        for flags in item.values()
    )


def _has_odd_values(value: Any) -> bool:
    """What JSON can't hold goes another way into DVC's hashes."""
    if isinstance(value, Mapping):
        return any(not isinstance(key, str) or _has_odd_values(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return isinstance(value, tuple) or any(_has_odd_values(item) for item in value)
    return isinstance(value, date) or not isinstance(value, (str, int, float, bool, type(None)))


def _is_text(path: str) -> bool:
    """DVC's guess: no NUL, and few bytes that are not ASCII text."""
    with open(path, "rb") as file:
        block = file.read(512)
    return not block or (b"\0" not in block and len(block.translate(None, _TEXT)) / len(block) <= 0.30)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
