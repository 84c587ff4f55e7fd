"""Bringing data between a DVC remote, the cache on this disk and the workspace: exactly what one stage needs or made.

Every object that arrives is hashed again before anything reads it, so that a damaged one, or one that somebody put
there under a wrong name, does no harm.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat as modes
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from pipegen.dvc.cache import FILE_MODE, Cache, copy_file
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.hashing import Hasher, md5_of
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.moved import Moved
from pipegen.dvc.needs import Outputs
from pipegen.dvc.patience import said
from pipegen.dvc.runcache import folder_of, path_of, read_entry
from pipegen.dvc.settings import Settings
from pipegen.dvc.stages import Stage
from pipegen.dvc.state import State
from pipegen.dvc.stores import RemoteChoice, Store, open_store
from pipegen.dvc.wanted import Wanted, of_out, wanted
from pipegen.dvc.ways import Unusual

_READ_ONLY = 0o444


class Bearer:
    """See `Session.bearer`."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        state: State,
        stages: Mapping[str, Stage],
        remote: RemoteChoice,
        notify: Callable[[str], None],
    ) -> None:
        self._root, self._settings, self._state, self._stages = root, settings, state, stages
        self._remote, self._notify = remote, notify
        self._cache, self._hasher = Cache(settings.cache, state), Hasher(state)
        self._outputs = Outputs(stages.values())
        self._there: set[str] = set()
        """Objects that the remote is known to have."""
        self._damaged: set[str] = set()
        """Objects that the remote has something else under the name of: they are written anew."""
        self._runs: dict[str, list[str]] = {}
        """By folder, the run cache entries that the remote was seen to have."""

    @cached_property
    def store(self) -> Store | None:
        """The remote; None where there is none.

        Raises:
            RemoteError: it can't be used as it is configured.
        """
        return open_store(self._root, self._remote, self._notify)

    # ------------------------------------------------------------------------------------------ to the workspace

    def wanted(self, address: str, entries: Mapping[str, Entry]) -> list[Wanted]:
        """What a stage reads of what others made."""
        return list(wanted(self._stages[address], self._stages, self._outputs, entries))

    def made(self, address: str, entry: Entry, *, cached: bool = False) -> list[Wanted]:
        """What a stage made when it last ran; with `cached` only what DVC keeps."""
        stage = self._stages[address]
        return [of_out(stage, out, entry) for out in stage.outs if out.is_local and (out.cache or not cached)]

    def bring(self, items: Iterable[Wanted]) -> Moved:
        """Put data into the workspace, from the cache or else from the remote.

        Raises:
            RemoteError: the remote can't be reached, has it not, or has something else under its name.
        """
        began = time.monotonic()
        items = list(items)
        moved = self._fetch([item for item in items if item.md5])
        for item in items:
            if item.md5:
                self._put_in_place(item)
        self._leave_to_dvc([item.producer for item in items if not item.md5])
        return Moved(moved.objects, moved.bytes, round(time.monotonic() - began, 3))

    def content(self, item: Wanted) -> bytes | None:
        """What one file holds, leaving the workspace alone; None where the folder that is wanted has no such file.

        Raises:
            RemoteError: the remote can't be reached, has it not, or has something else under its name.
        """
        md5 = item.md5
        if md5.endswith(".dir"):
            self._fetch_objects({md5: item.producer})
            rows = self._rows(item)
            if len(rows) != 1:
                return None
            md5 = str(rows[0]["md5"])
        self._fetch_objects({md5: item.producer})
        return Path(self._cache.path(md5)).read_bytes()

    def _leave_to_dvc(self, producers: list[str]) -> None:
        """Imports, data of older versions of DVC and data under a cloud's own versions."""
        if not producers:
            return
        try:
            from dvc.repo import Repo

            Repo(str(self._root)).pull(targets=list(dict.fromkeys(producers)), remote=self._remote.name)
        except Exception as error:  # whatever DVC and the libraries of that kind raise
            raise RemoteError(f"DVC can't bring {', '.join(producers)}: {said(error)}") from error

    # ------------------------------------------------------------------------------------------ to the cache

    def _fetch(self, items: list[Wanted]) -> Moved:
        listings = {item.md5: item for item in items if item.md5.endswith(".dir")}
        moved = self._fetch_objects({md5: item.producer for md5, item in listings.items()})
        files: dict[str, str] = {}
        for item in items:
            if item.md5.endswith(".dir"):
                files |= {str(row["md5"]): item.producer for row in self._rows(item)}
            else:
                files[item.md5] = item.producer
        rest = self._fetch_objects(files)
        return moved + rest

    def _fetch_objects(self, producers: Mapping[str, str]) -> Moved:
        missing = [md5 for md5 in producers if not os.path.exists(self._cache.path(md5))]
        if not missing:
            return Moved()
        store = self.store
        if store is None:
            names = ", ".join(dict.fromkeys(producers[md5] for md5 in missing))
            raise RemoteError(
                f"what {names} made is not here, and no DVC remote is configured to bring it from"
            )
        return Moved(
            len(missing), sum(store.each(lambda md5: self._fetch_object(store, md5, producers[md5]), missing))
        )

    def _fetch_object(self, store: Store, md5: str, producer: str) -> int:
        target = self._cache.path(md5)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = f"{os.path.dirname(target)}/.{secrets.token_urlsafe(16)}.tmp"
        try:
            if not store.get(_object_path(md5), temporary):
                raise RemoteError(f"{store.shown} has not {_what_of(producer, md5)}")
            if md5_of(temporary) != md5.removesuffix(".dir"):
                self._damaged.add(md5)
                raise RemoteError(
                    f"what {producer} made is damaged on {store.shown}: {_object_path(md5)} is not what its name says; "
                    f"run `pipegen exec {producer} --force`, which writes it anew"
                )
            os.chmod(temporary, _READ_ONLY)
            os.replace(temporary, target)
        finally:
            with suppress(OSError):
                os.unlink(temporary)
        self._there.add(md5)
        stat = os.stat(target)
        self._state.add(target, stat, md5)
        return stat.st_size

    def _rows(self, item: Wanted) -> list[dict[str, Any]]:
        """The files of a folder, those of the wanted part alone."""
        rows = json.loads(Path(self._cache.path(item.md5)).read_bytes())
        if any(_leaves(row["relpath"]) for row in rows):
            raise RemoteError(f"what {item.producer} made names files outside of its folder: {item.md5}")
        if not item.part:
            return list(rows)
        return [
            row for row in rows if row["relpath"] == item.part or row["relpath"].startswith(f"{item.part}/")
        ]

    # ------------------------------------------------------------------------------------------ in place

    def _put_in_place(self, item: Wanted) -> None:
        if not item.md5.endswith(".dir"):
            self._put_file(item.md5, item.target, is_executable=item.is_executable)
            return
        rows = self._rows(item)
        if not item.part:
            self._remove_others(item.target, {str(row["relpath"]) for row in rows})
        os.makedirs(item.target, exist_ok=True)
        for row in rows:
            self._put_file(str(row["md5"]), f"{item.target}/{row['relpath']}")

    def _remove_others(self, folder: str, known: set[str]) -> None:
        if os.path.islink(folder) or os.path.isfile(folder):
            os.unlink(folder)
        for here, _, names in os.walk(folder):
            for name in names:
                path = f"{here}/{name}"
                if os.path.relpath(path, folder).replace(os.sep, "/") not in known:
                    os.unlink(path)

    def _put_file(self, md5: str, target: str, *, is_executable: bool = False) -> None:
        if self._is_there(md5, target):
            return
        if os.path.isdir(target) and not os.path.islink(target):
            shutil.rmtree(target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = f"{os.path.dirname(target)}/.{secrets.token_urlsafe(16)}.tmp"
        try:
            self._settings_link(self._cache.path(md5), temporary, is_executable=is_executable)
            os.replace(temporary, target)
        finally:
            with suppress(OSError):
                os.unlink(temporary)
        self._state.add(target, os.stat(target), md5)

    def _is_there(self, md5: str, target: str) -> bool:
        try:
            found = self._hasher.hash(target) if not os.path.islink(target) else None
        except Unusual:
            return False
        return found is not None and found.md5 == md5

    def _settings_link(self, source: str, target: str, *, is_executable: bool) -> None:
        """Make a file of the workspace, by the first of `cache.type` that this disk can; as DVC does, links stay
        read-only."""
        for kind in self._settings.links:
            with suppress(OSError):
                if kind == "hardlink":
                    os.link(source, target)
                    return
                if kind == "symlink":
                    os.symlink(source, target)
                    return
                if kind == "copy":
                    break
        copy_file(source, target)
        os.chmod(target, FILE_MODE | (modes.S_IEXEC if is_executable else 0))

    # ------------------------------------------------------------------------------------------ the run cache

    def remembered(self, inputs: Entry) -> tuple[Entry, str] | None:
        """What this command made of these inputs, if it ran before and all of it can be had: its entry, and where it
        was found, in words. Its data is in the cache then."""
        if not inputs:
            return None
        folder = self._settings.cache / folder_of(inputs)
        names = (
            sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            if folder.is_dir()
            else []
        )
        for path in (path for path in names if not path.name.startswith(".")):
            entry = read_entry(path)
            if entry and self._can_be_had(entry):
                return entry, "in the run cache here"
        store = self.store
        if store is None or not store.has_runs:
            return None
        self._runs[folder_of(inputs)] = store.names(folder_of(inputs))
        for name in self._runs[folder_of(inputs)]:
            entry = self._fetched_run(store, f"{folder_of(inputs)}/{name}")
            if entry and self._can_be_had(entry):
                return entry, f"on {store.shown}"
        return None

    def _fetched_run(self, store: Store, path: str) -> Entry | None:
        target = self._settings.cache / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{secrets.token_urlsafe(16)}.tmp")
        try:
            if not store.get(path, str(temporary)):
                return None
            entry = read_entry(temporary)
            if entry is None or path_of(entry) != path:
                self._notify(f"{store.shown} has a damaged run cache entry, {path}: it is not used")
                return None
            temporary.chmod(FILE_MODE)
            os.replace(temporary, target)
            return entry
        finally:
            temporary.unlink(missing_ok=True)

    def _can_be_had(self, entry: Entry) -> bool:
        items = [Wanted("its earlier run", "", str(out.get("md5") or "")) for out in entry.get("outs") or ()]
        if not all(item.md5 for item in items):
            return False
        try:
            self._fetch(items)
        except RemoteError as error:
            self._notify(f"an earlier result can't be used: {error.message}")
            return False
        return True

    # ------------------------------------------------------------------------------------------ to the remote

    def push(self, address: str, entry: Entry, *, run: bool, again: bool = False) -> Moved:
        """Bring what a stage made to the remote: its data, then, once all that is there, its run cache entry.

        Args:
            address: the stage.
            entry: its entry in the lock file.
            run: whether other builds may restore this run.
            again: write data even if the remote has something under its name.

        Raises:
            RemoteError: the remote can't be reached, or refuses.
        """
        began = time.monotonic()
        store = self.store
        if store is None:
            return Moved()
        outs = self._stages[address].outs
        kept = {out.path for out in outs if out.cache and out.push and out.is_local}
        entry_file = self._settings.cache / path_of(entry)
        all_pushed = all(out.push for out in outs)  # a run whose data is not there could not be restored
        remembered = run and store.has_runs and all_pushed and entry_file.is_file()
        hashes = [
            str(out["md5"])
            for out in entry.get("outs") or ()
            if "md5" in out and (remembered or out["path"] in kept)
        ]
        moved = self._push_objects(store, hashes, again=again)
        if remembered and (again or not self._has_run(store, path_of(entry))):
            store.put({path_of(entry): str(entry_file)})
        return Moved(moved.objects, moved.bytes, round(time.monotonic() - began, 3))

    def _has_run(self, store: Store, path: str) -> bool:
        """Whether the remote has a run cache entry; one that came there since it was looked for is written again."""
        folder, _, name = path.rpartition("/")
        return name in self._runs[folder] if folder in self._runs else bool(store.present([path]))

    def _push_objects(self, store: Store, hashes: list[str], *, again: bool) -> Moved:
        """A folder's listing goes last: where it is, all its files are."""
        absent = self._absent(store, hashes, again=again)
        listings = [md5 for md5 in absent if md5.endswith(".dir")]
        files = [md5 for md5 in absent if not md5.endswith(".dir")]
        inside = [str(row["md5"]) for md5 in listings for row in self._rows(Wanted("", "", md5))]
        files += self._absent(store, inside, again=again)
        sent = 0
        for group in (dict.fromkeys(files), dict.fromkeys(listings)):
            sources = {_object_path(md5): self._cache.path(md5) for md5 in group}
            store.put(sources)
            sent += sum(os.path.getsize(source) for source in sources.values())
        return Moved(len(set(files)) + len(set(listings)), sent)

    def _absent(self, store: Store, hashes: list[str], *, again: bool) -> list[str]:
        if again:
            return hashes
        asked = [md5 for md5 in hashes if md5 not in self._there]
        there = store.present(map(_object_path, asked))
        return [md5 for md5 in asked if _object_path(md5) not in there or md5 in self._damaged]


def _what_of(producer: str, md5: str) -> str:
    if producer.endswith(".dvc"):
        return f"the data of {producer} ({md5}): `dvc push {producer}` where it is"
    return f"what {producer} made ({md5}): run {producer} again"


def _leaves(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


def _object_path(md5: str) -> str:
    return f"files/md5/{md5[:2]}/{md5[2:]}"
