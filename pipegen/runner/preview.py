"""What a run would do and why, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipegen.dvc.workspace import Workspace
from pipegen.plan.graph import Graph
from pipegen.runner.tasks import Task


@dataclass(frozen=True)
class Foreseen:
    """What would become of one stage."""

    stage: str
    runs: bool
    """Whether it would run, or be restored from the run cache."""
    reasons: tuple[str, ...]
    """Why; none where it is up to date."""


def foresee(workspace: Workspace, tasks: Mapping[str, Task], *, force: bool = False) -> Iterator[Foreseen]:
    """For each task, in DVC's order, whether it would run.

    A stage would run too where one that it reads from would: whether its outputs then differ, only a run can tell.
    """
    graph = Graph(
        {address: [need for need in task.needs if need in tasks] for address, task in tasks.items()}
    )
    running: set[str] = set()
    with workspace.session(lambda message: None) as session:
        for address in graph.order:
            reasons = ["forced"] if force else session.reasons(address)
            read = [need for need in workspace.needs[address] if need in running]
            if not reasons and not workspace.stages[address].frozen:
                reasons = [f"it reads what {need} makes, which would run" for need in read]
            if reasons:
                running.add(address)
            yield Foreseen(address, bool(reasons), tuple(reasons))
