"""The run that goes on here, for those who look at it from another process: its events, line by line.

A line costs microseconds, and the file is never rewritten. A run locks its file for as long as it lives, so that a
killed one can be told from one that works on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from pipegen.errors import WorkspaceError
from pipegen.git import git
from pipegen.records import Event, StageFinished, as_json
from pipegen.runner.history import own_folder

FORMAT = 1


def trace_file(folder: Path) -> Path:
    """Where the events of a workspace's last run are."""
    return folder / ".pipegen" / "run.jsonl"


class Trace:
    """Told the events of one run, in order; whatever stands against writing them doesn't disturb the run.

    Args:
        folder: the workspace's folder.
        needs: for each stage of the run those that it waits for.
    """

    def __init__(self, folder: Path, needs: Mapping[str, Iterable[str]]) -> None:
        self._folder, self._needs = folder, needs
        self._file: IO[str] | None = None

    def __enter__(self) -> Trace:
        with contextlib.suppress(OSError):
            self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()

    def __call__(self, event: Event) -> None:
        self._write(as_json(event))
        if self._file and not (isinstance(event, StageFinished) and event.outcome == "unchanged"):
            with contextlib.suppress(OSError):
                self._file.flush()

    def _open(self) -> None:
        """Put a new file into the place of the last run's: who reads that one goes on undisturbed."""
        path = trace_file(self._folder)
        own_folder(path.parent)
        new = path.with_name(f"{path.name}.{os.getpid()}")
        self._file = new.open("w", encoding="utf-8")
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        commit, branch = _head(self._folder)
        needs = {stage: list(needs) for stage, needs in self._needs.items()}
        self._write({"event": "trace", "format": FORMAT, "commit": commit, "branch": branch, "needs": needs})
        self._file.flush()
        new.replace(path)

    def _write(self, data: dict[str, Any]) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.write(json.dumps({**data, "at": round(time.time(), 3)}, ensure_ascii=False) + "\n")


def _head(folder: Path) -> tuple[str, str]:
    """The commit and the branch; empty where there is none."""
    try:
        commit, branch = git(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD").split()
    except (WorkspaceError, ValueError):
        return "", ""
    return commit, branch if branch != "HEAD" else ""
