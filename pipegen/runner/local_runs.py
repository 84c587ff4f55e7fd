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
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipegen.dvc.lockfile import Entry
from pipegen.dvc.stages import Stage
from pipegen.records import Event, RunStarted, StageFinished, StageStarted

if TYPE_CHECKING:  # what it takes to keep a record is loaded when there is one to keep
    from pipegen.description.model import Pipeline
    from pipegen.runner.about import About

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
        about: says who runs it and why; asked if there is something to keep.
        secret: the variables whose values are kept out.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        stages: Mapping[str, Stage],
        about: Callable[[], About],
        secret: Sequence[str] = (),
    ) -> None:
        self._name, self._folder, self._stages = name, folder, stages
        self._about, self._secret = about, secret
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
        from pipegen.records.tracked import state_of, whole_run
        from pipegen.runner.agent.masking import Masker, secret_values

        stages = [self._stage(address, entry(address)) for address in self._ends]
        common = {**_common(self._about()), "run": self._id}
        data = json.loads(json.dumps(whole_run(common, stages), default=str))
        masked = Masker(secret_values(self._secret, os.environ)).data(data)
        state = state_of(event.outcome for event in finished)
        self._write(json.dumps(masked, ensure_ascii=False) + "\n", _OUTCOMES.get(state, "failed"))
        return self._id

    def _stage(self, address: str, entry: Entry) -> dict[str, Any]:
        from pipegen.runner.agent.record import metrics_of

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
        from pipegen.runner.history import own_folder
        from pipegen.runner.tracking import local_records

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


def _common(about: About) -> dict[str, Any]:
    """The fields that all stages of a run here have alike, without those that say nothing."""
    from pipegen.runner.about import packages
    from pipegen.runner.agent.record import versions

    found = {
        **about.as_data(),
        "agent": socket.gethostname(),
        "packages": packages("", os.environ),
        "versions": versions(),
    }
    return {word: value for word, value in found.items() if value}


def name_of(pipeline: Pipeline | None, folder: Path) -> str:
    """What runs are known by: the pipeline's name, else that of its folder."""
    return (
        str(pipeline.name) if pipeline else "".join(c if c.isalnum() else "-" for c in folder.name) or "runs"
    )
