"""Merging `dvc.lock` stage by stage: git's own merge cuts through entries and leaves a file that DVC can't read.

An entry that both sides changed, differently, is right for neither: the merged code has yet to run. It is left out, so
that the next run makes it, from the run cache where that has it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.dvc.lockfile import Entry, LockFile, render
from pipegen.errors import WorkspaceError, os_error

DRIVER = "pipegen-lock"
ATTRIBUTE = f"dvc.lock merge={DRIVER}"
_HEAD = "schema: '2.0'\nstages:\n"


@dataclass(frozen=True)
class MergedLock:
    """What a merge came to."""

    text: str
    left_out: tuple[str, ...]
    """Stages that both sides changed."""


def merge_locks(base: Path, ours: Path, theirs: Path) -> MergedLock:
    """The three-way merge of lock files.

    Raises:
        DescriptionError: one is no lock file.
        FileError: one can't be read.
    """
    old, mine, other = (LockFile(str(path)).entries for path in (base, ours, theirs))
    merged: dict[str, Entry] = {}
    left_out: list[str] = []
    for name in dict.fromkeys([*mine, *other]):
        a, b, o = mine.get(name), other.get(name), old.get(name)
        if a == b or b == o:
            found = a
        elif a == o:
            found = b
        else:
            found = None
            left_out.append(name)
        if found is not None:
            merged[name] = found
    return MergedLock(_text(merged), tuple(left_out))


def _text(entries: Mapping[str, Entry]) -> str:
    return _HEAD + "".join(render(name, entry) for name, entry in entries.items()) if entries else ""


def install(folder: Path) -> bool:
    """Let git merge `dvc.lock` so: a line in `.gitattributes`, to be committed, and the configuration of this clone.

    Returns:
        Whether `.gitattributes` was changed.

    Raises:
        WorkspaceError: the folder is in no git repository.
        FileError: `.gitattributes` can't be written.
    """
    settings = {
        f"merge.{DRIVER}.name": "dvc.lock, stage by stage",
        f"merge.{DRIVER}.driver": "pipegen merge-lock %O %A %B",
    }
    for key, value in settings.items():
        done = subprocess.run(
            ["git", "config", key, value], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise WorkspaceError(f"git config failed in {folder}: {done.stderr.strip()}")
    path = folder / ".gitattributes"
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if ATTRIBUTE in lines:
            return False
        path.write_text("\n".join([*lines, ATTRIBUTE]) + "\n", encoding="utf-8")
    except OSError as error:
        raise os_error(error, "write", path) from None
    return True
