"""Finished stages that `dvc.lock` does not hold yet: one line each, appended and synced before anything else starts.

DVC's lock file is written every two seconds and at exit. What a killed process had finished since then is found here by
the next one. Each process has a file of its own, beside DVC's other temporary files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.load import load
from pipegen.dvc.lockfile import render_entry
from pipegen.dvc.locks import is_alive
from pipegen.errors import os_error


@dataclass(frozen=True)
class Finished:
    """One finished stage."""

    lock_file: str
    """Absolute path of the lock file its entry belongs to."""
    name: str
    entry: Mapping[str, Any]
    before: Mapping[str, Any] | None
    """The entry that the lock file held when the stage began: if it holds another by now, that one is newer."""


Added = Mapping[str, Collection[str]]
"""For each lock file the names of the stages that a run has added to it."""


@dataclass(frozen=True)
class Abandoned:
    """The journal of a process that is gone."""

    path: Path
    finished: tuple[Finished, ...]
    added: Added


class Journal:
    """The journal of this process, and those that killed processes left."""

    def __init__(self, dvc_tmp: Path) -> None:
        self._folder = dvc_tmp / "pipegen"
        self._path = self._folder / f"journal-{os.getpid()}.jsonl"

    def append(self, finished: Finished) -> None:
        """Write one line and wait until the disk has it.

        Raises:
            FileError: it can't be written.
        """
        record = {
            "lock": finished.lock_file,
            "name": finished.name,
            "entry": render_entry(finished.entry),
            "before": render_entry(finished.before) if finished.before else None,
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise os_error(error, "write", self._path) from None

    def start_over(self, added: Added) -> None:
        """The lock files hold everything by now; all that is left to know is which of their stages this run added.

        Raises:
            FileError: it can't be written.
        """
        temporary = self._path.with_suffix(".tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(
                json.dumps({"added": {lock: sorted(names) for lock, names in added.items()}}) + "\n"
            )
            os.replace(temporary, self._path)
        except OSError as error:
            raise os_error(error, "write", self._path) from None

    def remove(self) -> None:
        """The run is over."""
        self._path.unlink(missing_ok=True)

    def abandoned(self) -> Iterator[Abandoned]:
        """The journals of processes that are gone, oldest first."""
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("journal-*.jsonl"), key=lambda path: path.stat().st_mtime):
            pid = path.stem.removeprefix("journal-")
            if path != self._path and pid.isdigit() and not is_alive(int(pid)):
                yield _read(path)


def _read(path: Path) -> Abandoned:
    finished: list[Finished] = []
    added: Added = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            data = json.loads(line)
            if "added" in data:
                added = data["added"]
                continue
            before = load(data["before"]) if data["before"] else None
            finished.append(Finished(data["lock"], data["name"], load(data["entry"]), before))
        except (ValueError, KeyError, TypeError, yaml.YAMLError):
            break  # the line that was being written when the process died
    return Abandoned(path, tuple(finished), added)
