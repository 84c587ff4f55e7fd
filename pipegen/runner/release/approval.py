"""Who approved a promotion, by what the CI server says of it."""

from __future__ import annotations

from pipegen.errors import PipegenError
from pipegen.runner.release.task import ReleaseTask

_NOBODY = ("", "changes", "timer")
"""What GoCD says where no person started a stage."""


def approver_of(task: ReleaseTask) -> str:
    """The name of who approved; empty where the workflow asks for no approval, or a person promotes by hand.

    Jenkins gives it as `submitterParameter`; GoCD's `GO_TRIGGER_USER` is who started this very stage, which is manual
    where approval is asked for.

    Raises:
        PipegenError: the workflow asks for approval, and the server names nobody.
    """
    workflow = task.described_workflow
    if workflow is None or workflow.approve is None or not task.in_job:
        return ""
    name = task.env.get("APPROVER") or task.env.get("GO_TRIGGER_USER") or ""
    if name in _NOBODY:
        raise PipegenError(
            f"the workflow {task.workflow} asks for approval by {workflow.approve.by}, and the server does not say who "
            "gave it: nothing was promoted"
        )
    return name
