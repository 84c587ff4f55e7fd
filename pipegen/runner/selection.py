"""Which stages a command line means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipegen.dvc.workspace import Workspace
from pipegen.errors import WorkspaceError
from pipegen.plan.graph import Graph
from pipegen.runner.tasks import Task


def selected(
    workspace: Workspace, tasks: Mapping[str, Task], words: Sequence[str], *, downstream: bool = False
) -> dict[str, Task]:
    """The tasks to run: what `words` mean and all they need, or with `downstream` all that depends on them.

    Without words all stages of the workspace's folder are meant.

    Raises:
        UnknownStage: a word means no stage.
        WorkspaceError: there are no stages.
    """
    chosen = workspace.select(words) if words else workspace.own
    if not chosen:
        raise WorkspaceError(f"{workspace.folder} has no stages: a dvc.yaml is expected there or below")
    graph = Graph(
        {address: [need for need in task.needs if need in tasks] for address, task in tasks.items()}
    )
    others = graph.descendants(*chosen) if downstream else graph.ancestors(*chosen)
    wanted = others.union(chosen)
    return {address: task for address, task in tasks.items() if address in wanted}
