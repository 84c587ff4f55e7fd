"""What `pipegen run` leaves for `pipegen runs`: one record of the whole run, in `.pipegen/runs/`.

Agents leave a record of each stage, since none of them sees the others. Here one file tells all, written at the end in
milliseconds; a run that found nothing to do leaves none.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from pipegen.dvc.lockfile import Entry
from pipegen.dvc.stages import Stage
from pipegen.records import Event, RunStarted, StageFinished, StageStarted
from pipegen.records.tracked import state_of, whole_run
from pipegen.runner.about import About, packages
from pipegen.runner.agent.masking import Masker
from pipegen.runner.agent.record import metrics_of, versions
from pipegen.runner.history import own_folder
from pipegen.runner.tracking import local_records

MOST = 1000
"""Runs that stay in the folder."""
_OUTCOMES = {"passed": "ran", "failed": "failed", "cancelled": "stopped"}
"""What a name says of a whole run, for each of its states."""


class LocalRun:
    """Told the events of one run, and at its end what the lock files say.

    Args:
        name: what the pipeline is called.
        folder: the workspace's folder.
        stages: by address.
        common: gives the fields of `StageRecord` that all its stages have alike; called if there is something to keep.
        masker: keeps secrets out.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        stages: Mapping[str, Stage],
        common: Callable[[], Mapping[str, Any]],
        masker: Masker,
    ) -> None:
        self._name, self._folder, self._stages = name, folder, stages
        self._common, self._masker = common, masker
        self._id = secrets.token_hex(6)
        self._began = time.time()
        self._starts: dict[str, float] = {}
        self._ends: dict[str, tuple[float, StageFinished]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._began = time.time()
            case StageStarted():
                self._starts[event.stage] = time.time()
            case StageFinished():
                self._ends[event.stage] = (time.time(), event)

    def keep(self, entry: Callable[[str], Entry]) -> str:
        """Write the record; the answer is the run's id, empty where nothing was to be done.

        Args:
            entry: what the lock files say of a stage.

        Raises:
            FileError: it can't be written.
            RemoteError: the same.
        """
        finished = [event for _, event in self._ends.values()]
        if all(event.outcome in ("unchanged", "skipped") for event in finished):
            return ""
        stages = [self._stage(address, entry(address)) for address in self._ends]
        common = {**self._common(), "run": self._id}
        data = json.loads(json.dumps(whole_run(common, stages), default=str))
        outcome = _OUTCOMES.get(state_of(event.outcome for event in finished), "failed")
        self._write(json.dumps(self._masker.data(data), ensure_ascii=False) + "\n", outcome)
        return self._id

    def _stage(self, address: str, entry: Entry) -> dict[str, Any]:
        ended, event = self._ends[address]
        began = self._starts.get(address, ended)
        is_good = event.outcome not in ("failed", "skipped", "stopped")
        stage = self._stages[address]
        found = {
            "stage": address,
            "outcome": event.outcome,
            "message": event.message,
            "started": _iso(began if event.outcome != "unchanged" else self._began),
            "ended": _iso(ended),
            "seconds": event.seconds,
            "command_seconds": event.seconds if address in self._starts else 0.0,
            "attempts": int(address in self._starts),
            "params": dict(entry.get("params") or {}) if is_good else {},
            "metrics": metrics_of(stage) if is_good else {},
            "lock": dict(entry) if is_good else {},
        }
        return {word: value for word, value in found.items() if value}

    def _write(self, text: str, outcome: str) -> None:
        own_folder(self._folder / ".pipegen")
        records = local_records(self._folder)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
            file.write(text)
            file.flush()
            records.add(
                Path(file.name),
                pipeline=self._name,
                began=datetime.fromtimestamp(self._began, timezone.utc),
                run=self._id,
                outcome=outcome,
                stage="",
            )
        records.remove(list(islice(records.newest_first(self._name), MOST, None)))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")


def common_of(about: About) -> dict[str, Any]:
    """The fields that all stages of a run here have alike, without those that say nothing."""
    found = {
        **about.as_data(),
        "agent": socket.gethostname(),
        "packages": packages("", os.environ),
        "versions": versions(),
    }
    return {word: value for word, value in found.items() if value}
