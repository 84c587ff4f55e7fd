"""The files that a stage leaves on its agent. Servers look for them, whatever became of the stage."""

from __future__ import annotations

from collections.abc import Callable

from pipegen.dvc.fragments import Fragment
from pipegen.dvc.lockfile import write_atomically
from pipegen.errors import PipegenError, os_error
from pipegen.records import StageRecord
from pipegen.runner.agent.artifact_tests import Results, not_run
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.record import as_text
from pipegen.runner.agent.task import AgentTask


def leave(
    task: AgentTask, console: Console, record: StageRecord, fragment: Fragment | None, results: Results | None
) -> PipegenError | None:
    """Write log, JUnit file, record and fragment, each even where another can't be.

    Args:
        task: the stage.
        console: has the log.
        record: what became of the stage.
        fragment: what it hands on.
        results: of its tests; None where they did not run.

    Returns:
        Why the first of them can't be written, if one can't.
    """
    writes: list[Callable[[], None]] = [
        lambda: _log(task, console),
        lambda: _tests(task, console, record, results),
        lambda: write_atomically(str(task.record), as_text(record, console.masker)),
    ]
    if fragment:
        writes.append(lambda: fragment.write(task.fragment))
    problems: list[PipegenError] = []
    for write in writes:
        try:
            write()
        except PipegenError as error:
            problems.append(error)
    return problems[0] if problems else None


def _log(task: AgentTask, console: Console) -> None:
    """Nothing was printed where a stage did not get to its command: an empty log says so."""
    console.close()
    try:
        task.log.parent.mkdir(parents=True, exist_ok=True)
        task.log.touch()
    except OSError as error:
        raise os_error(error, "write", task.log) from None


def _tests(task: AgentTask, console: Console, record: StageRecord, results: Results | None) -> None:
    if not task.tests:
        return
    untouched = "the change does not touch it" if record.outcome == "unchanged" else ""
    reason = record.message or untouched or "the stage did not get so far"
    results = results or not_run(task.address, task.tests, reason)
    results.write(task.junit, console.masker.text)
