"""The lock files that a build made: those of the commit, with the entries of all its stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipegen.dvc import fragments
from pipegen.dvc.lockfile import Entry, LockFile, write_atomically
from pipegen.errors import RunFailed
from pipegen.plan import files


def entries_of(folder: Path, stages: Iterable[str], stamp: str) -> Mapping[str, Entry]:
    """What a build made, by address, as its lock fragments say.

    Args:
        folder: has the fragments.
        stages: those of the description.
        stamp: what the build is made of: see `Fragment.stamp`.

    Raises:
        StageError: a fragment was made of something else, or two disagree.
        RunFailed: a stage failed, or there is no fragment.
    """
    merged = fragments.merge(fragments.fragments_in(folder), stages, stamp)
    if merged.failed:
        address, why = next(iter(merged.failed.items()))
        raise RunFailed(f"{address} failed: {why}")
    if not merged.entries:
        raise RunFailed(f"there is no lock fragment of this build in {folder}")
    return merged.entries


def lock_texts(folder: Path, entries: Mapping[str, Entry], order: Sequence[str]) -> dict[str, str]:
    """What each lock file would hold, by its path from the description's folder, in the bytes that DVC writes.

    Args:
        folder: has the lock files to start from.
        entries: by address.
        order: addresses in DVC's order.
    """
    found: dict[str, dict[str, Entry]] = {}
    for address in order:
        if address in entries:
            found.setdefault(files.lock_file(address), {})[address.rpartition(":")[2]] = entries[address]
    return {path: LockFile(str(folder / path)).updated(new) for path, new in found.items()}


def publish(folder: Path, texts: Mapping[str, str]) -> None:
    """Put lock files where the server takes them from.

    Raises:
        FileError: one can't be written.
    """
    for path, text in texts.items():
        write_atomically(str(folder / files.LOCK / path), text)
