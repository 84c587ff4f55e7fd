"""The jobs that are no stage: gates, report, the lock file, registration, promotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipegen.description.model import Promote, env_text
from pipegen.description.text import seconds
from pipegen.plan import files
from pipegen.plan.context import Context
from pipegen.plan.model import VIEW, Approval, Job, Step, Trigger

GATES, REPORT, LOCK, REGISTER = "gates", "report", "lock", "register"


@dataclass(frozen=True)
class Lock:
    """Who brings together the lock file that a run of a workflow makes."""

    stage: str | None = None
    """The one stage that waits for all others, whose job has it complete; None where several end the graph."""
    commits: bool = False
    """Whether it is committed. A run with values of its own commits none: it is not that of the commit's parameters."""
    branch: str | None = None
    """Where it is committed to; None where the server says it."""
    is_wanted: bool = False
    """Whether a job of its own brings it together."""

    @classmethod
    def of(cls, context: Context, trigger: Trigger, ends: Sequence[str]) -> Lock:
        """For a workflow whose graph of stages ends in `ends`."""
        own_values = context.workflow.set or context.workflow.inputs
        if context.pipeline.data.lock == "commit" and not own_values:
            told = trigger.kind in ("push", "pull_request")
            return cls(commits=True, branch=None if told else trigger.branches[0], is_wanted=bool(ends))
        return cls(ends[0]) if len(ends) == 1 else cls(is_wanted=bool(ends))


def jobs(context: Context, stage_jobs: Sequence[Job], results: tuple[str, ...], lock: Lock) -> list[Job]:
    """What follows the stages of one workflow: gates with the report behind them, registration, promotion.

    The lock file is published as soon as the stages are done, and committed once the gates passed. Each of these jobs
    leaves a page of the run, whatever becomes of it: any may be the last one.

    Args:
        context: the workflow.
        stage_jobs: the jobs that run its stages.
        results: the fragments of its last stages, which hold all others, and what the first job found.
        lock: what becomes of the lock file.
    """
    beside = [_lock(context, results, lock)] if lock.is_wanted else []
    found = [replace(job, needs=_ends(stage_jobs)) for job in beside if not lock.commits]
    chain: list[Job] = []
    for job in (_gates(context, results), *(beside if lock.commits else ()), *_promotion(context, results)):
        if job is not None:
            chain.append(replace(job, needs=(chain[-1].name,) if chain else _ends(stage_jobs)))
    return [_with_page(context, job) for job in (*found, *chain)] if stage_jobs else chain


def _with_page(context: Context, job: Job) -> Job:
    step = Step(name=VIEW, command=context.command("view", "--html", files.PAGE), always=True)
    return replace(job, steps=(*job.steps, step), page=files.PAGE)


def _lock(context: Context, results: tuple[str, ...], lock: Lock) -> Job:
    branch = ("--branch", lock.branch) if lock.branch else ()
    command = context.command("lock", *(("--commit", *branch) if lock.commits else ()))
    return context.job(
        LOCK,
        (Step(name=LOCK, command=command),),
        (),
        reads=results,
        artifacts=(f"{files.LOCK}/**",),
    )


def _ends(stage_jobs: Sequence[Job]) -> tuple[str, ...]:
    needed = {name for job in stage_jobs for name in job.needs}
    return tuple(job.name for job in stage_jobs if job.name not in needed)


def _gates(context: Context, results: tuple[str, ...]) -> Job | None:
    """Gates and report in one job: the report is made whatever the gates say."""
    workflow, pipeline = context.workflow, context.pipeline
    names = list(pipeline.gates) if workflow.gates == "all" else list(workflow.gates)
    steps: list[Step] = []
    if names:
        command = context.command("gate", *names, "--workflow", context.workflow_name)
        steps.append(Step(name=GATES, command=command, junit=files.junit(f"gates-{context.workflow_name}")))
    if workflow.report or workflow.comment:
        command = context.command("report", "--workflow", context.workflow_name)
        steps.append(Step(name=REPORT, command=command, always=bool(names)))
    if not steps:
        return None
    mail, forge = pipeline.mail, pipeline.forge
    return context.job(
        GATES if names else REPORT,
        tuple(steps),
        (),
        reads=results,
        artifacts=(f"{files.REPORT}/**",) if len(steps) > 1 or not names else (),
        secrets=[
            *(mail.secrets if mail and workflow.report and workflow.report.mail else ()),
            *(forge.secrets if forge and workflow.comment else ()),
        ],
    )


def _promotion(context: Context, results: tuple[str, ...]) -> list[Job]:
    promote = context.workflow.promote
    if promote is None:
        return []
    if promote.from_:
        return [_promote(context, promote, ("--from", promote.from_), ())]
    command = context.command("register", promote.model, "--workflow", context.workflow_name)
    register = context.job(
        REGISTER,
        (Step(name=REGISTER, command=command),),
        (),
        reads=results,
        secrets=_tracking_secrets(context),
    )
    return [register, _promote(context, promote, (), results)]


def _tracking_secrets(context: Context) -> Sequence[str]:
    return context.pipeline.tracking.secrets if context.pipeline.tracking else ()


def _promote(context: Context, promote: Promote, moved: tuple[str, ...], reads: tuple[str, ...]) -> Job:
    pipeline, approve = context.pipeline, context.workflow.approve
    environment = pipeline.environments.get(promote.to)
    name = f"promote-to-{promote.to}"
    command = context.command(
        "promote", promote.model, *moved, "--to", promote.to, "--workflow", context.workflow_name
    )
    approval = None
    if approve:
        longest = seconds(approve.timeout) if approve.timeout else None
        approval = Approval(
            by=approve.by, message=f"Promote {promote.model} to {promote.to}?", timeout=longest
        )
    return context.job(
        name,
        (Step(name=name, command=command),),
        (),
        agent=environment.agent if environment else None,
        reads=reads,
        env=env_text(environment.env) if environment else None,
        secrets=[*_tracking_secrets(context), *(environment.secrets if environment else ())],
        timeout=seconds(environment.timeout) if environment and environment.timeout else None,
        approval=approval,
        deploys=str(promote.to),
    )
