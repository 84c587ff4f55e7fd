"""What earlier runs took: one line per run in `.pipegen/history.jsonl`, for this machine's schedule and progress."""

from __future__ import annotations

import contextlib
import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pipegen.errors import os_error

RECENT = 5
"""Runs of a stage whose median is what it is expected to take."""
MOST_RUNS = 500


@dataclass(frozen=True)
class PastRun:
    """One run, as kept."""

    started: str
    """ISO 8601, UTC."""
    seconds: float
    stages: Mapping[str, float]
    """Seconds of each command that ran and succeeded, by address."""


class History:
    """The runs in a workspace's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ".pipegen"
        self._path = self._folder / "history.jsonl"

    def runs(self) -> list[PastRun]:
        """All runs, oldest first; lines that can't be read are left out."""
        return list(self._read())

    def _read(self) -> Iterator[PastRun]:
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                data = json.loads(line)
                stages = {str(a): float(s) for a, s in data["stages"].items()}
                yield PastRun(str(data["started"]), float(data["seconds"]), stages)

    def expected(self) -> dict[str, float]:
        """For each stage that ever ran, the seconds to expect: the median of its last runs."""
        times: dict[str, list[float]] = {}
        for run in self._read():
            for address, seconds in run.stages.items():
                times.setdefault(address, []).append(seconds)
        return {address: statistics.median(all_[-RECENT:]) for address, all_ in times.items()}

    def add(self, seconds: float, stages: Mapping[str, float]) -> None:
        """Keep a run that ends now.

        Raises:
            FileError: the file can't be written.
        """
        if not stages:
            return
        started = datetime.fromtimestamp(datetime.now(timezone.utc).timestamp() - seconds, timezone.utc)
        record = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "stages": {address: round(time, 3) for address, time in stages.items()},
        }
        try:
            own_folder(self._folder)
            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
            if len(lines) >= MOST_RUNS * 2:
                self._path.write_text("\n".join(lines[-MOST_RUNS:]) + "\n", encoding="utf-8")
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        except OSError as error:
            raise os_error(error, "write", self._path) from None


def own_folder(folder: Path) -> None:
    """Make pipegen's own folder, which git is not to see."""
    ignore = folder / ".gitignore"
    if not ignore.exists():
        folder.mkdir(parents=True, exist_ok=True)
        ignore.write_text("*\n", encoding="utf-8")
