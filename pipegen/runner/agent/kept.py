"""The record of a stage that is through, with those of other runs on the DVC remote."""

from __future__ import annotations

from datetime import datetime

from pipegen.dvc.bearer import Bearer
from pipegen.dvc.run_records import RunRecords
from pipegen.errors import PipegenError
from pipegen.records import GOOD, StageRecord
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.task import AgentTask


def keep(record: StageRecord, task: AgentTask, bearer: Bearer, console: Console) -> str:
    """Put the record's file onto the remote, for people who come later; the answer is its path there.

    Nothing depends on it, so nothing fails without it. Where there is no place for it the answer is empty. Of a stage
    that failed or was stopped it is tried once: somebody waits for its end.
    """
    try:
        store = bearer.store if task.push else None
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
    except PipegenError as error:
        console.notice(f"the record is only here, not with those of other runs: {error.message}")
        return ""
