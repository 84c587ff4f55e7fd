"""DVC remotes as plain stores of files: a folder and a plain S3 bucket (`s3.py`) are used directly, every other kind
through DVC's own file systems."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pipegen.dvc.errors import RemoteError
from pipegen.dvc.patience import Patience, said

T = TypeVar("T")

AT_ONCE = 16
"""Files on their way at the same time."""
_NOT_ATOMIC = {"ssh", "sftp", "hdfs", "webhdfs", "webdav", "webdavs"}
"""Kinds on which a file that is being written can be seen: it is written under another name and moved."""
_CONNECTED = {"ssh", "sftp"}
"""Kinds that keep one connection, which once lost must be made anew."""


@dataclass(frozen=True)
class RemoteChoice:
    """Which remote to use."""

    name: str | None = None
    """None for DVC's default."""
    url: str | None = None
    """Where it is, if DVC's configuration doesn't say."""


@dataclass(frozen=True)
class Item:
    """A file on a remote."""

    path: str
    size: int
    modified: float
    """Seconds since the epoch."""


class Store(ABC):
    """Files by relative path.

    Args:
        shown: how messages call it.
        notify: told when it is waited for.
    """

    has_runs = True
    """Whether DVC keeps run caches on a remote of this kind."""

    def __init__(self, shown: str, notify: Callable[[str], None]) -> None:
        self.shown = shown
        self._patience = Patience(shown, notify)

    @abstractmethod
    def _has(self, path: str) -> bool: ...

    @abstractmethod
    def _get(self, path: str, target: str) -> None: ...

    @abstractmethod
    def _put(self, source: str, path: str) -> None: ...

    @abstractmethod
    def _names(self, folder: str) -> list[str]: ...

    @abstractmethod
    def _walk(self, folder: str) -> list[Item]: ...

    @abstractmethod
    def _delete(self, path: str) -> None: ...

    def present(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` that are there."""
        wanted = list(dict.fromkeys(paths))
        found = self._each(lambda path: self._patiently("look into", lambda: self._has(path)), wanted)
        return {path for path, there in zip(wanted, found, strict=True) if there}

    def get(self, path: str, target: str) -> bool:
        """Bring one file to `target`; False if it isn't there."""
        try:
            self._patiently("read from", lambda: self._get(path, target))
        except FileNotFoundError:
            return False
        return True

    def put(self, sources: Mapping[str, str]) -> None:
        """Bring files there, each whole or not at all; `sources` has the local file by path."""

        def one(item: tuple[str, str]) -> None:
            try:
                self._patiently("write to", lambda: self._put(item[1], item[0]))
            except FileNotFoundError as error:
                raise RemoteError(f"can't write to {self.shown}: {said(error)}") from error

        self._each(one, sources.items())

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; nothing if it isn't there."""
        try:
            return sorted(self._patiently("look into", lambda: self._names(folder)))
        except FileNotFoundError:
            return []

    def walk(self, folder: str) -> list[Item]:
        """All files below a folder, those by half too that a killed process left; none if it isn't there."""
        try:
            return self._patiently("look into", lambda: self._walk(folder))
        except FileNotFoundError:
            return []

    def delete(self, paths: Iterable[str]) -> None:
        """Remove files; those that are gone already count as removed."""

        def one(path: str) -> None:
            with contextlib.suppress(FileNotFoundError):
                self._patiently("remove from", lambda: self._delete(path))

        self._each(one, paths)

    @staticmethod
    def _each(do: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
        items = list(items)
        if len(items) < 2:
            return [do(item) for item in items]
        with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
            return list(pool.map(do, items))

    def each(self, do: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
        """Do something for many files, several at once."""
        return self._each(do, items)

    def hurry(self) -> None:
        """From here on nothing is tried again."""
        self._patience.is_short = True

    def _patiently(self, doing: str, do: Callable[[], T]) -> T:
        return self._patience(doing, do)


class Folder(Store):
    """A folder, of this machine or mounted."""

    def __init__(self, folder: Path, shown: str, notify: Callable[[str], None]) -> None:
        super().__init__(shown, notify)
        self._folder = str(folder)

    def _at(self, path: str) -> str:
        return f"{self._folder}/{path}"

    def _has(self, path: str) -> bool:
        return os.path.exists(self._at(path))

    def _get(self, path: str, target: str) -> None:
        shutil.copyfile(self._at(path), target)

    def _put(self, source: str, path: str) -> None:
        target = self._at(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = f"{os.path.dirname(target)}/.{secrets.token_urlsafe(12)}.tmp"
        try:
            shutil.copyfile(source, temporary)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _names(self, folder: str) -> list[str]:
        return [name for name in os.listdir(self._at(folder)) if not name.startswith(".")]

    def _walk(self, folder: str) -> list[Item]:
        found = []
        for here, _, names in os.walk(self._at(folder)):
            for name in names:
                stat = os.stat(f"{here}/{name}")
                found.append(
                    Item(os.path.relpath(f"{here}/{name}", self._folder), stat.st_size, stat.st_mtime)
                )
        return found

    def _delete(self, path: str) -> None:
        os.unlink(self._at(path))


class Distant(Store):
    """Any other kind, through the file system objects that DVC has for it."""

    def __init__(self, connect: Callable[[], Any], shown: str, notify: Callable[[str], None]) -> None:
        super().__init__(shown, notify)
        self._connect, self._connecting = connect, threading.Lock()
        try:
            remote = self._patience("use", connect)
        except FileNotFoundError as error:  # of a key, say
            raise RemoteError(f"can't use {shown}: {said(error)}") from error
        self._connected_at = time.monotonic()
        self._fs, self._root = remote.fs, remote.path
        protocol = self._fs.protocol
        protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self.has_runs = not protocols & {"http", "https"}
        self.is_versioned = bool(self._fs.version_aware or remote.worktree)
        self._moves = bool(protocols & _NOT_ATOMIC)
        if protocols & _CONNECTED:
            self._patience.prepare = self._reconnect

    def _reconnect(self) -> None:
        with self._connecting:
            just_now = time.monotonic() - self._connected_at < 1.0  # by another thread
            if not just_now:
                self._fs = self._connect().fs
                self._connected_at = time.monotonic()

    def _at(self, path: str) -> str:
        return str(self._fs.join(self._root, *path.split("/")))

    def _has(self, path: str) -> bool:
        return bool(self._fs.exists(self._at(path)))

    def _get(self, path: str, target: str) -> None:
        self._fs.get_file(self._at(path), target)

    def _put(self, source: str, path: str) -> None:
        target = self._at(path)
        parent = self._fs.parent(target)
        self._fs.makedirs(parent, exist_ok=True)
        if not self._moves:
            self._fs.put_file(source, target)
            return
        temporary = self._fs.join(parent, f".{secrets.token_hex(12)}.tmp")
        self._fs.put_file(source, temporary)
        self._fs.mv(temporary, target)

    def _names(self, folder: str) -> list[str]:
        self._fs.fs.invalidate_cache()  # others write there while we look
        paths = self._fs.ls(self._at(folder), detail=False)
        return [name for name in (path.rstrip("/").rpartition("/")[2] for path in paths) if name[:1] != "."]

    def _walk(self, folder: str) -> list[Item]:
        self._fs.fs.invalidate_cache()
        found = self._fs.fs.find(self._at(folder), detail=True)
        root = self._root.strip("/") + "/"
        return [
            Item(path.strip("/").removeprefix(root), int(info.get("size") or 0), _time_of(info))
            for path, info in found.items()
        ]

    def _delete(self, path: str) -> None:
        self._fs.rm_file(self._at(path))


def _time_of(info: Mapping[str, Any]) -> float:
    """When a file was last written; now, which keeps it, where this kind of remote doesn't say."""
    for word in ("LastModified", "last_modified", "modified", "mtime", "updated"):
        value = info.get(word)
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, datetime):
            return value.timestamp()
    return time.time()


def open_store(root: Path, choice: RemoteChoice, notify: Callable[[str], None]) -> Store | None:
    """The store of a DVC repository's remote; None where none is configured.

    Raises:
        RemoteError: the configuration is wrong, or what this kind of remote needs is not installed.
    """
    from pipegen.dvc.s3 import Bucket, is_plain
    from pipegen.dvc.settings import remote_of

    name, options = remote_of(root, choice.name)
    if options is None and choice.url and name:
        options = {"url": choice.url}
    if name is None or options is None:
        if choice.name:
            raise RemoteError(
                f"there is no DVC remote {choice.name!r}: give its `url` in `data: {{remote: …}}`, or `dvc remote add`"
            )
        return None
    url = options.get("url", "")
    shown = f"the DVC remote {name!r} ({_without_secrets(url)})"
    if set(options) == {"url"} and "://" not in url:
        return Folder(Path(url) if os.path.isabs(url) else root / url, shown, notify)

    def by_dvc() -> Store:
        return _distant(root, name, options, shown, notify)

    if is_plain(options):
        with contextlib.suppress(ImportError):
            return Bucket(options, shown, notify, by_dvc)
    return by_dvc()


def _distant(
    root: Path, name: str, options: Mapping[str, str], shown: str, notify: Callable[[str], None]
) -> Store:
    def connect() -> Any:
        from dvc.repo import Repo

        remote = Repo(str(root), config={"remote": {name: {"url": options["url"]}}}).cloud.get_remote(name)
        remote.fs.fs  # noqa: B018  (opens it, where what it needs is not installed)
        return remote

    store = Distant(connect, shown, notify)
    if store.is_versioned:
        raise RemoteError(
            f"{shown} is cloud versioned, which has no place for results by hash: agents need a plain one"
        )
    return store


def _without_secrets(url: str) -> str:
    head, mark, rest = url.partition("://")
    return f"{head}{mark}{rest.rpartition('@')[2]}" if mark else url
