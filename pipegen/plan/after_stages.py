"""The jobs that are no stage: gates, report, registration, promotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipegen.description.model import Promote, env_text
from pipegen.description.text import seconds
from pipegen.plan import files
from pipegen.plan.context import Context
from pipegen.plan.model import Approval, Job, Step

GATES, REPORT, REGISTER = "gates", "report", "register"


def jobs(context: Context, stage_jobs: Sequence[Job], results: tuple[str, ...]) -> list[Job]:
    """What follows the stages of one workflow: gates with the report behind them, then registration, then promotion.

    Args:
        context: the workflow.
        stage_jobs: the jobs that run its stages.
        results: the fragments of its last stages, which hold all others, and the run's values where it has any.
    """
    found: list[Job] = []
    for job in (_gates(context, results), *_promotion(context, results)):
        if job is not None:
            found.append(replace(job, needs=(found[-1].name,) if found else _ends(stage_jobs)))
    return found


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
