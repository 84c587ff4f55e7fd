"""Whether a stage would run on this agent, and why, without running it."""

from __future__ import annotations

from pipegen.dvc.workspace import Workspace
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.execute import Work
from pipegen.runner.agent.task import AgentTask


def explain(task: AgentTask, console: Console) -> str:
    """A sentence about what `execute` would do. What the stage reads is fetched for it.

    Raises:
        PipegenError: whatever would stand against the stage too.
    """
    work = Work(task, console)
    work.check()
    workspace = Workspace(task.folder)
    with workspace.session(console.notice) as session:
        supply = work.open(workspace, session)
        work.fetch()
        if task.force:
            return f"{task.address} would run, since that is forced"
        reasons = session.reasons(task.address)
        found = supply.known_result(task.address)
        if found is None:
            return f"{task.address} would run: {'; '.join(reasons)}"
        return f"{task.address} would not run: its result is {found[1]}"
