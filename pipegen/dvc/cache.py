"""DVC's cache on this disk, where files are kept under their hashes, read-only."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import stat as modes
from pathlib import Path
from typing import Any

from pipegen.dvc.hashing import Hashed
from pipegen.dvc.state import State
from pipegen.dvc.ways import Unusual

_READ_ONLY = 0o444
_CLONE = 0x40049409  # Linux: share the blocks of a file, where the file system can


def _masks() -> tuple[int, int]:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask, 0o777 & ~mask


FILE_MODE, FOLDER_MODE = _masks()


class Cache:
    """The files of `cache.dir`, with DVC's default kind of links (copies)."""

    def __init__(self, folder: Path, state: State) -> None:
        self._folder = str(folder / "files" / "md5")
        self._state = state

    def path(self, md5: str) -> str:
        """Where a file of this hash is, or would be."""
        return f"{self._folder}/{md5[:2]}/{md5[2:]}"

    def has(self, md5: str) -> bool:
        """Whether all of a file or folder is there.

        Raises:
            Unusual: something is there that may not be what it says; DVC would hash it again.
        """
        if not self._has_file(md5):
            return False
        return not md5.endswith(".dir") or all(self._has_file(str(row["md5"])) for row in self._rows(md5))

    def _has_file(self, md5: str) -> bool:
        try:
            stat = os.stat(self.path(md5))
        except FileNotFoundError:
            return False
        if modes.S_IMODE(stat.st_mode) != _READ_ONLY:
            raise Unusual(self.path(md5))
        return True

    def _rows(self, md5: str) -> list[dict[str, Any]]:
        try:
            rows = json.loads(Path(self.path(md5)).read_bytes())
        except (OSError, ValueError):
            raise Unusual(self.path(md5)) from None
        if not isinstance(rows, list):
            raise Unusual(self.path(md5))
        return rows

    def add(self, hashed: Hashed, path: str) -> None:
        """Keep a file or folder.

        Raises:
            OSError: the disk is full, the cache is not writable.
        """
        if hashed.nfiles is None:
            self._add_file(hashed.md5, path)
            return
        for file in hashed.files:
            self._add_file(file.md5, file.path)
        self._add(hashed.md5, lambda temporary: Path(temporary).write_bytes(hashed.listing()))

    def _add_file(self, md5: str, path: str) -> None:
        self._add(md5, lambda temporary: copy_file(path, temporary))

    def _add(self, md5: str, make: Any) -> None:
        target = self.path(md5)
        if not os.path.exists(target):
            folder = os.path.dirname(target)
            os.makedirs(folder, exist_ok=True)
            temporary = f"{folder}/.{secrets.token_urlsafe(16)}.tmp"
            try:
                make(temporary)
                os.replace(temporary, target)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        with contextlib.suppress(OSError):  # a cache on a file system without modes, or that others own
            os.chmod(target, _READ_ONLY)
        self._state.add(target, os.stat(target), md5)


def copy_file(source: str, target: str) -> None:
    """Copy a file's content, sharing its blocks where the file system can."""
    import fcntl

    with open(source, "rb") as read, open(target, "wb") as written, contextlib.suppress(OSError):
        fcntl.ioctl(written.fileno(), _CLONE, read.fileno())
        return
    shutil.copyfile(source, target)
