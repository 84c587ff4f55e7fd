"""The first short jobs: one fixes a run's values, one finds what a change can touch."""

from __future__ import annotations

from dataclasses import replace

from pipegen.plan import files
from pipegen.plan.context import Context
from pipegen.plan.model import Job, Step, Trigger

START, AFFECTED = "start", "affected"


def with_first_job(
    context: Context, trigger: Trigger, folder: str, stage_jobs: list[Job], results: tuple[str, ...]
) -> tuple[list[Job], tuple[str, ...]]:
    """The jobs that run a workflow's stages behind the first job that the workflow wants, if it wants one.

    Args:
        context: the workflow.
        trigger: what starts it.
        folder: the description's folder relative to the repository's root.
        stage_jobs: the jobs that run its stages.
        results: the small files that what follows the stages reads.

    Returns:
        All these jobs, and the small files with that of the first one in front.
    """
    first = _first_job(context, trigger, folder)
    if first is None:
        return stage_jobs, results
    return [first, *(_behind(first, job) for job in stage_jobs)], (*first.writes, *results)


def _first_job(context: Context, trigger: Trigger, folder: str) -> Job | None:
    if context.workflow.set or context.workflow.inputs:
        command = context.command("values", "--workflow", context.workflow_name)
        return _short(context, START, command, files.VALUES)
    if _looks_first(context, trigger, folder):
        return _short(context, AFFECTED, context.command("affected", "--build"), files.AFFECTED)
    return None


def _looks_first(context: Context, trigger: Trigger, folder: str) -> bool:
    """Whether a first job looks what the change touches. It also ends builds that have nothing to do: those of a change
    outside a description's own folder, and those of a lock file that another build committed."""
    if trigger.kind not in ("push", "pull_request"):
        return False
    wanted = context.workflow.affected
    return (folder != "." or context.pipeline.data.lock == "commit") if wanted is None else wanted


def _short(context: Context, name: str, command: tuple[str, ...], writes: str) -> Job:
    return context.job(name, (Step(name=name, command=command),), (), writes=(writes,), timeout=60)


def _behind(first: Job, job: Job) -> Job:
    """The job, reading what the first one found."""
    return replace(job, needs=job.needs or (first.name,), reads=(*first.writes, *job.reads))
