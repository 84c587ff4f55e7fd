"""The hashes by which DVC tells whether a file or folder changed, computed as DVC does."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat as modes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipegen.dvc.state import State
from pipegen.dvc.ways import Unusual

_CHUNK = 1024 * 1024
_LARGE = 8 * _CHUNK
_NEVER_INSIDE = {".git", ".hg", ".dvc"}


@dataclass(frozen=True)
class File:
    """One file inside a hashed folder."""

    relative: str
    path: str
    md5: str
    mtime: float


@dataclass(frozen=True)
class Hashed:
    """A file or folder as the lock file describes it."""

    md5: str
    """With `.dir` at the end for a folder."""
    size: int
    nfiles: int | None = None
    """Only of a folder."""
    is_executable: bool = False
    files: tuple[File, ...] = ()
    """What is in a folder, sorted."""

    def entry(self, path: str) -> dict[str, Any]:
        """Its lines in the lock file."""
        found: dict[str, Any] = {"path": path, "hash": "md5", "md5": self.md5, "size": self.size}
        if self.nfiles is not None:
            found["nfiles"] = self.nfiles
        if self.is_executable:
            found["isexec"] = True
        return found

    def listing(self) -> bytes:
        """What DVC's cache keeps of a folder."""
        return listing(self.files)


def listing(files: tuple[File, ...]) -> bytes:
    """The list of a folder's files in DVC's bytes; their hash is the folder's."""
    rows = [{"md5": file.md5, "relpath": file.relative} for file in files]
    return json.dumps(rows, sort_keys=True).encode()


class Hasher:
    """Hashes what DVC has not hashed before."""

    def __init__(self, state: State) -> None:
        self._state = state

    def hash(self, path: str) -> Hashed | None:
        """The hash of a file or folder; None where there is nothing.

        Raises:
            Unusual: it is neither a plain file nor a plain folder, or has an ignore file inside.
            OSError: it can't be read.
        """
        try:
            stat = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if modes.S_ISDIR(stat.st_mode):
            return self._folder(path)
        if not modes.S_ISREG(stat.st_mode):
            raise Unusual(path)
        executable = bool(stat.st_mode & (modes.S_IXUSR | modes.S_IXGRP | modes.S_IXOTH))
        return Hashed(self._file(path, stat), stat.st_size, is_executable=executable)

    def hash_large(self, path: str) -> None:
        """Hash the large files of an output, so that `hash` finds them known. May be called in any thread."""
        with contextlib.suppress(OSError, Unusual):
            stat = os.lstat(path)
            is_folder = modes.S_ISDIR(stat.st_mode)
            found = [(file, of) for _, file, of in _walk(path, "")] if is_folder else [(path, stat)]
            for file, of in found:
                if modes.S_ISREG(of.st_mode) and of.st_size >= _LARGE:
                    self._state.add(file, of, md5_of(file))

    def _file(self, path: str, stat: os.stat_result) -> str:
        known = self._state.md5(path, stat)
        if known is None:
            known = md5_of(path)
            self._state.add(path, stat, known)
        return known

    def _folder(self, path: str) -> Hashed:
        files: list[File] = []
        size = 0
        for relative, file, stat in _walk(path, ""):
            files.append(File(relative, file, self._file(file, stat), stat.st_mtime))
            size += stat.st_size
        files.sort(key=lambda file: file.relative)
        md5 = hashlib.md5(listing(tuple(files)), usedforsecurity=False).hexdigest() + ".dir"
        return Hashed(md5, size, len(files), files=tuple(files))


def _walk(folder: str, above: str) -> Iterator[tuple[str, str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == ".dvcignore" or entry.is_symlink():
                raise Unusual(entry.path)
            if entry.is_dir():
                if entry.name not in _NEVER_INSIDE:
                    yield from _walk(entry.path, f"{above}{entry.name}/")
            elif entry.name == ".git":
                continue
            elif entry.is_file():
                yield f"{above}{entry.name}", entry.path, entry.stat()
            else:
                raise Unusual(entry.path)


def md5_of(path: str) -> str:
    """The MD5 of a file's bytes."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def hash_of(path: str) -> str:
    """The hash of a file or folder, computed from its bytes alone: what it was before is not looked up.

    Raises:
        OSError: it can't be read.
    """
    if not os.path.isdir(path):
        return md5_of(path)
    files = [File(relative, file, md5_of(file), stat.st_mtime) for relative, file, stat in _walk(path, "")]
    files.sort(key=lambda file: file.relative)
    return hashlib.md5(listing(tuple(files)), usedforsecurity=False).hexdigest() + ".dir"
