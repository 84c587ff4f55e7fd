"""The record of a stage that is through, with those of other runs on the DVC remote."""

from __future__ import annotations

from datetime import datetime

from pipegen.dvc.run_records import RunRecords
from pipegen.dvc.stores import Store
from pipegen.records import GOOD, StageRecord
from pipegen.runner.agent.task import AgentTask


def kept_record(record: StageRecord, task: AgentTask, store: Store | None) -> str:
    """Put the record's file onto the remote; the answer is its path there, empty where there is no place for it.

    Of a stage that failed or was stopped it is tried once: somebody waits for its end.

    Raises:
        RemoteError: the remote can't be reached, or refuses.
    """
    if store is None or not store.has_runs:
        return ""
    if record.outcome not in GOOD:
        store.hurry()
    kept = RunRecords(store).add(
        task.record,
        pipeline=str(task.pipeline.name),
        began=datetime.fromisoformat(record.started),
        run=record.run,
        outcome=record.outcome,
        stage=task.name,
    )
    return kept.path
