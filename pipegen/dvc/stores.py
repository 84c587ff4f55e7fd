"""DVC remotes as plain stores of files: a folder is used directly, every other kind through DVC's own file systems.

Whatever fails for a moment (a connection, a server's 5xx) is tried again with growing waits; what never will succeed
(no permission, no such bucket, a library that is not installed) is said at once.
"""

from __future__ import annotations

import contextlib
import errno
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

T = TypeVar("T")

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further try: a minute of absence is sat out."""
AT_ONCE = 16
"""Files on their way at the same time."""
_NOT_ATOMIC = {"ssh", "sftp", "hdfs", "webhdfs", "webdav", "webdavs"}
"""Kinds on which a file that is being written can be seen: it is written under another name and moved."""
_PERMANENT = (
    PermissionError,
    FileNotFoundError,
    NotADirectoryError,
    IsADirectoryError,
    ImportError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
)
_PERMANENT_NAMES = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "AuthError",
    "RemoteMissingDepsError",
    "ConfigError",
    "RemoteConfigError",
    "RemoteNotFoundError",
    "NoRemoteError",
    "URLMissingError",
    "CertificateError",
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_PASSING = (408, 425, 429)
"""HTTP's answers below 500 that may differ the next time."""


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
        self.shown, self._notify = shown, notify
        self._waiting = threading.Lock()
        self._told = 0.0

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
                raise RemoteError(f"can't write to {self.shown}: {_said(error)}") from error

        self._each(one, sources.items())

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; nothing if it isn't there."""
        try:
            return sorted(self._patiently("look into", lambda: self._names(folder)))
        except FileNotFoundError:
            return []

    def walk(self, folder: str) -> list[Item]:
        """All files below a folder; none if it isn't there."""
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

    def _patiently(self, doing: str, do: Callable[[], T]) -> T:
        for wait in (*WAITS, None):
            try:
                return do()
            except FileNotFoundError:
                raise
            except Exception as error:  # each kind of remote has exceptions of its own
                if wait is None or _is_permanent(error):
                    raise RemoteError(f"can't {doing} {self.shown}: {_said(error)}") from error
                self._tell(f"{self.shown} does not answer ({_said(error)}); trying again")
                time.sleep(wait)
        raise AssertionError("the last wait is None")

    def _tell(self, message: str) -> None:
        with self._waiting:
            if time.monotonic() - self._told > 10:
                self._told = time.monotonic()
                self._notify(message)


def _is_permanent(error: Exception) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    status = getattr(error, "status", None)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in _PASSING
    full = isinstance(error, OSError) and error.errno in _FULL
    return full or refused or isinstance(error, _PERMANENT) or bool(names & _PERMANENT_NAMES)


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__


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
            for name in (name for name in names if not name.startswith(".")):
                stat = os.stat(f"{here}/{name}")
                found.append(
                    Item(os.path.relpath(f"{here}/{name}", self._folder), stat.st_size, stat.st_mtime)
                )
        return found

    def _delete(self, path: str) -> None:
        os.unlink(self._at(path))


class Distant(Store):
    """Any other kind, through the file system objects that DVC has for it."""

    def __init__(self, fs: Any, root: str, shown: str, notify: Callable[[str], None]) -> None:
        super().__init__(shown, notify)
        self._fs, self._root = fs, root
        self.has_runs = fs.protocol not in ("http", "https")
        protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        self._moves = bool(protocols & _NOT_ATOMIC)

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
    return _distant(root, name, options, shown, notify)


def _distant(
    root: Path, name: str, options: Mapping[str, str], shown: str, notify: Callable[[str], None]
) -> Store:
    try:
        from dvc.repo import Repo

        remote = Repo(str(root), config={"remote": {name: {"url": options["url"]}}}).cloud.get_remote(name)
        versioned = remote.fs.version_aware or remote.worktree
        root_path, fs = remote.path, remote.fs
        fs.fs  # noqa: B018  (opens it, where what it needs is not installed)
    except Exception as error:  # whatever DVC and the libraries of that kind raise
        raise RemoteError(f"can't use {shown}: {_said(error)}") from error
    if versioned:
        raise RemoteError(
            f"{shown} is cloud versioned, which has no place for results by hash: agents need a plain one"
        )
    return Distant(fs, root_path, shown, notify)


def _without_secrets(url: str) -> str:
    head, mark, rest = url.partition("://")
    return f"{head}{mark}{rest.rpartition('@')[2]}" if mark else url
