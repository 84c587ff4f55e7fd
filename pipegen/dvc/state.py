"""DVC's two databases outside the repository: the hashes of files it has seen, and the links it has made.

They are caches: what is missing there is computed again. Reading is one SQL query a file; what a run adds is kept in
memory and written in one go.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_HASH_VERSION = 1
_SET_HASH = (
    "INSERT INTO Cache(key, raw, store_time, expire_time, access_time, tag, mode, filename, value)"
    " VALUES (?, 1, 0, null, 0, null, 1, null, ?) ON CONFLICT(key, raw) DO UPDATE SET value = excluded.value"
)


class State:
    """The hashes that DVC knows, by absolute path.

    Args:
        root: the DVC repository.
        site_cache: see `Settings`.
    """

    def __init__(self, root: Path, site_cache: Path) -> None:
        self._root = root
        self._folder = site_cache / "repo" / _token(root)
        self._new_hashes: dict[str, str] = {}
        self._new_links: dict[str, tuple[int, str]] = {}
        self._connection: sqlite3.Connection | None = None

    def md5(self, path: str, stat: os.stat_result) -> str | None:
        """The hash of a file if DVC has seen it in this state (inode, time, size)."""
        raw = self._new_hashes.get(path) or self._stored(path)
        if not raw:
            return None
        try:
            known = json.loads(raw)
            if known["checksum"] == _checksum(stat) and known.get("version") == _HASH_VERSION:
                md5 = known["hash_info"].get("md5")
                return md5 if isinstance(md5, str) else None
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        return None

    def _stored(self, path: str) -> str | None:
        try:
            rows = (
                self._reader()
                .execute("SELECT value FROM Cache WHERE key = ? AND raw = 1", (path,))
                .fetchall()
            )
        except sqlite3.Error:
            return None
        return rows[0][0] if rows and isinstance(rows[0][0], str) else None

    def _reader(self) -> sqlite3.Connection:
        if self._connection is None:
            file = self._folder / "hashes" / "local" / "cache.db"
            self._connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)
        return self._connection

    def add(self, path: str, stat: os.stat_result, md5: str) -> None:
        """Remember the hash of a file."""
        entry = {
            "version": _HASH_VERSION,
            "checksum": _checksum(stat),
            "size": stat.st_size,
            "hash_info": {"md5": md5},
        }
        self._new_hashes[path] = json.dumps(entry)

    def add_link(self, path: str, inode: int, mtime: str) -> None:
        """Remember that DVC put an output into the workspace, so that `dvc checkout` may remove it again."""
        self._new_links[os.path.relpath(path, self._root)] = (inode, mtime)

    def write(self) -> None:
        """Bring the databases up to date. They are caches: a failure is no error."""
        try:
            self._write_hashes()
            self._write_links()
        except (sqlite3.Error, OSError):
            self._new_hashes.clear()
            self._new_links.clear()

    def _write_hashes(self) -> None:
        if not self._new_hashes:
            return
        file = self._folder / "hashes" / "local" / "cache.db"
        if not file.exists():
            self._open("hashes/local").close()
        with sqlite3.connect(file, timeout=60) as connection:
            connection.executemany(_SET_HASH, list(self._new_hashes.items()))
        connection.close()
        self._new_hashes.clear()

    def _write_links(self) -> None:
        if not self._new_links:
            return
        links = self._open("links")
        with links.transact():
            for path, link in self._new_links.items():
                links[path] = link
        links.close()
        self._new_links.clear()

    def _open(self, name: str) -> Any:
        """One of the databases as DVC opens it, made if it is not there."""
        import diskcache

        folder = self._folder
        if not folder.parent.exists():
            mask = os.umask(0)
            try:
                folder.parent.mkdir(parents=True, mode=0o777)
            finally:
                os.umask(mask)
        return diskcache.Cache(str(folder / name), timeout=60, disk_pickle_protocol=4, cull_limit=0)

    def close(self) -> None:
        """Close what is open."""
        if self._connection:
            self._connection.close()
            self._connection = None


def _checksum(stat: os.stat_result) -> str:
    text = str(([stat.st_ino, stat.st_mtime, stat.st_size],))
    return str(int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16))


def link_time(times: Iterable[tuple[str, float]] | float) -> str:
    """What DVC keeps as the time of a link: of a file in nanoseconds, of a folder a hash over all its files' times."""
    if isinstance(times, float):
        return str(round(times * 1_000_000_000))
    data = json.dumps(dict(times), sort_keys=True).encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _token(root: Path) -> str:
    """How DVC names the folder of a repository's databases."""
    marker = root / ".dvc" / "tmp" / "btime"
    try:
        with marker.open("x"):
            pass
    except FileExistsError:
        pass
    parts = (str(root), None, os.path.getmtime(marker), getpass.getuser(), _major_version(), 0)
    return hashlib.md5(str(parts).encode(), usedforsecurity=False).hexdigest()


def _major_version() -> int:
    """DVC's, without importing it."""
    spec = find_spec("dvc")
    if spec and spec.origin:
        try:
            text = Path(spec.origin).with_name("_version.py").read_text(encoding="utf-8")
        except OSError:
            text = ""
        found = re.search(r"^__version__ = (?:version = )?'(\d+)\.", text, re.MULTILINE)
        if found:
            return int(found[1])
    from dvc.version import version_tuple

    return int(version_tuple[0])
