"""The records of a build's other jobs, from the DVC remote.

A page is made of them, and no more: what does not come in time is left out, and nothing fails without it.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pipegen.description.model import Pipeline
from pipegen.dvc.run_records import LONGEST_STAGE, Kept, RunRecords
from pipegen.errors import PipegenError
from pipegen.plan.names import to_name
from pipegen.records import StageRecord, record_from_data
from pipegen.runner.agent.build import Build
from pipegen.runner.gates.keeping import remote_store

PATIENCE = 5.0
"""Seconds that a job waits for the remote."""
_BACK = timedelta(days=31)
"""How long before now a stage of this build may have begun."""
_OTHERS = 3
"""Records of a stage that are read where only their content says whether they are of this build."""
_AT_ONCE = 8


def records_elsewhere(
    pipeline: Pipeline,
    folder: Path,
    build: Build,
    stages: Iterable[str],
    notify: Callable[[str], None],
    patience: float = PATIENCE,
) -> list[StageRecord]:
    """What other jobs of a build told of stages.

    Args:
        pipeline: the description.
        folder: where it lies, absolute.
        build: the build; of a pull request from outside there are none.
        stages: the addresses of the stages.
        notify: told in a sentence when the remote is away or takes too long.
        patience: seconds to wait for it.
    """
    wanted = {_known_as(address) for address in stages}
    if build.is_foreign or not wanted:
        return []
    asking = _Asking(pipeline, folder, build, wanted)
    asking.wait(patience)
    if asking.problem:
        notify(f"the page lacks what other jobs told of their stages: {asking.problem}")
    return list(asking.found)


class _Asking:
    """The remote is asked in threads that nobody waits for at the end: a connection may hang."""

    def __init__(self, pipeline: Pipeline, folder: Path, build: Build, wanted: set[str]) -> None:
        self._pipeline, self._folder, self._build, self._wanted = pipeline, folder, build, wanted
        self.found: list[StageRecord] = []
        self.problem = ""

    def wait(self, seconds: float) -> None:
        """Until all is there, or so long."""
        over = threading.Event()
        threading.Thread(target=self._ask, args=(over,), daemon=True).start()
        if not over.wait(seconds) and not self.problem:
            self.problem = f"the DVC remote did not answer within {seconds:g} s"

    def _ask(self, over: threading.Event) -> None:
        try:
            store = remote_store(self._pipeline, self._folder, lambda message: None)
            if store is None or not store.has_runs:
                return
            store.hurry()
            records = RunRecords(store)
            todo: queue.SimpleQueue[list[Kept]] = queue.SimpleQueue()
            candidates = self._candidates(records)
            for each in candidates.values():
                todo.put(each)
            readers = [
                threading.Thread(target=self._read, args=(records, todo), daemon=True)
                for _ in range(min(_AT_ONCE, len(candidates)))
            ]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
        except PipegenError as error:
            self.problem = error.message
        finally:
            over.set()

    def _candidates(self, records: RunRecords) -> Mapping[str, list[Kept]]:
        """For each stage the newest record of this run; where GoCD gives each job a run of its own, the newest ones."""
        oldest = datetime.now(timezone.utc) - _BACK
        sure: dict[str, list[Kept]] = {}
        others: dict[str, list[Kept]] = {}
        for kept in records.newest_first(str(self._pipeline.name)):
            if kept.began < oldest or len(sure) == len(self._wanted):
                break
            if kept.stage not in self._wanted:
                continue
            if kept.run == self._build.run:
                sure.setdefault(kept.stage, [kept])
            elif self._build.is_on_gocd:
                others.setdefault(kept.stage, []).append(kept)
        return {stage: found[:_OTHERS] for stage, found in others.items()} | sure

    def _read(self, records: RunRecords, todo: queue.SimpleQueue[list[Kept]]) -> None:
        while True:
            try:
                candidates = todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._take_first(records, candidates)
            except PipegenError as error:
                self.problem = error.message
            except ValueError:
                continue  # of a later version

    def _take_first(self, records: RunRecords, candidates: Iterable[Kept]) -> None:
        for kept in candidates:
            (content,) = records.read([kept])
            record = record_from_data(json.loads(content))
            if self._build.has(record):
                self.found.append(record)
                return


def _known_as(address: str) -> str:
    """How the name of a record tells a stage."""
    return to_name(address)[:LONGEST_STAGE]
