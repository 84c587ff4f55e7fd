"""Generated files against the disk: what differs, what must not be overwritten, and writing all of them or none."""

from __future__ import annotations

import difflib
import fnmatch
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pipegen.errors import FileError, OverwriteRefused, os_error
from pipegen.targets import GeneratedFile, Marker

State = Literal["new", "changed", "unchanged", "stale"]


@dataclass(frozen=True)
class Change:
    """One file: what stands on disk and what should."""

    path: Path
    shown: str
    """Its path as messages show it."""
    old: str | None
    new: str | None
    """None for a stale file: one that pipegen wrote and that the description no longer asks for."""

    @property
    def state(self) -> State:
        """What `generate` would do with it."""
        if self.new is None:
            return "stale"
        if self.old is None:
            return "new"
        return "unchanged" if self.old == self.new else "changed"

    @cached_property
    def foreign(self) -> str:
        """Why it must not be overwritten unasked; empty where it may be."""
        if self.old is None or self.old == self.new or not self.old.strip():
            return ""
        marker = Marker(self.old)
        if not marker.present:
            return "pipegen did not write it"
        return "" if marker.intact else "it was edited since pipegen wrote it"

    def diff(self) -> str:
        """A unified difference from the disk to the description."""
        old = (self.old or "").splitlines(keepends=True)
        new = (self.new or "").splitlines(keepends=True)
        before = f"a/{self.shown}" if self.old is not None else "/dev/null"
        after = f"b/{self.shown}" if self.new is not None else "/dev/null"
        lines = difflib.unified_diff(old, new, before, after)
        return "".join(
            line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
        )


def compare(folder: Path, files: Iterable[GeneratedFile], *, stale: Iterable[str] = ()) -> list[Change]:
    """What writing `files` into `folder` would change.

    Args:
        folder: the description's folder.
        files: what targets made.
        stale: patterns of paths at which a file with our mark that is not among `files` counts as stale.

    Raises:
        FileError: a file that exists can't be read, or a path leads out of the folder.
    """
    home = os.path.realpath(folder)
    changes = [
        Change(_inside(folder, home, f.path), f.path, _old_text(folder / f.path), f.text) for f in files
    ]
    wanted = {change.path for change in changes}
    for path in sorted({found for pattern in stale for found in _matching(folder, pattern)} - wanted):
        text = _old_text(path)
        if text is not None and Marker(text).intact:
            changes.append(Change(path, path.relative_to(folder).as_posix(), text, None))
    return changes


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    """The entries that a pattern names, whose wildcards stand in its last part."""
    below, _, name = pattern.rpartition("/")
    try:
        entries = os.listdir(folder / below)
    except OSError:
        return  # no such folder, or none that can be read
    for entry in fnmatch.filter(entries, name):
        yield folder / below / entry


def _inside(folder: Path, home: str, path: str) -> Path:
    target = folder / path
    near = "/" not in path and path != ".." and not target.is_symlink()
    if not near and os.path.commonpath([home, os.path.realpath(target)]) != home:
        raise FileError(f"{path} lies outside {folder}; pipegen writes only beside the description")
    return target


def _old_text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise os_error(error, "read", path) from None


def write(changes: Sequence[Change], *, force: bool = False) -> list[Change]:
    """Bring the disk to what `changes` say, all of it or nothing; returns what was changed.

    Raises:
        OverwriteRefused: a file that pipegen did not write, or that was edited since, would be lost, unless `force`.
        FileError: something can't be written; then nothing was changed.
    """
    todo = [change for change in changes if change.state != "unchanged"]
    refused = [change for change in todo if change.foreign] if not force else []
    if refused:
        lines = "\n".join(f"  {change.shown}: {change.foreign}" for change in refused)
        raise OverwriteRefused(
            f"nothing was written, these would be overwritten:\n{lines}\n"
            "--force overwrites them; --diff shows the difference"
        )
    staged = _stage(todo)
    for temporary, change in staged:
        os.replace(temporary, change.path)
    for change in todo:
        if change.new is None:
            change.path.unlink()
    return todo


def _stage(changes: Iterable[Change]) -> list[tuple[Path, Change]]:
    """Every new text beside the place where it goes, on disk; if one can't be written, none stays."""
    staged: list[tuple[Path, Change]] = []
    made: list[Path] = []
    current: object = "a file"
    try:
        for change in changes:
            if change.new is not None:
                current = change.path
                made += _make_folder(change.path.parent)
                staged.append((_written_beside(change.path, change.new), change))
    except OSError as error:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
        raise os_error(error, "write", f"{current}, so nothing was changed") from None
    return staged


def _make_folder(folder: Path) -> list[Path]:
    missing: list[Path] = []
    while not folder.exists():
        missing.insert(0, folder)
        folder = folder.parent
    for each in missing:
        each.mkdir()
    return missing


def _written_beside(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name[:40]}.{os.urandom(8).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if path.exists():
                os.fchmod(handle, path.stat().st_mode & 0o777)
            file.write(text.encode())  # not synced: what a power cut takes is written again in a second
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
