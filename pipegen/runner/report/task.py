"""What is asked for: the report of which workflow's run, and where its parts come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipegen.plan.graph import Graph
from pipegen.runner.gates.task import GateTask


@dataclass(frozen=True, kw_only=True)
class ReportTask:
    """A report to make."""

    gates: GateTask
    """The description, its folder, the workflow, and where lock fragments lie."""
    graph: Graph
    """The stages and what each needs."""
    env: Mapping[str, str]
    """The variables that Jenkins and GoCD set."""
    stale: tuple[str, ...] = ()
    """What is out of date around the pipeline: sentences."""

    @property
    def pull(self) -> str:
        """The number of the pull request that is built, or what stands for it; empty where it is none."""
        return self.env.get("CHANGE_ID") or self.env.get("PIPEGEN_PULL_REQUEST") or ""

    @property
    def target(self) -> str:
        """The branch that the pull request goes to; empty where it isn't known."""
        return self.env.get("CHANGE_TARGET") or self.env.get("PIPEGEN_TARGET_BRANCH") or ""

    @property
    def is_foreign(self) -> bool:
        """Whether the pull request comes from outside."""
        return bool(self.env.get("CHANGE_FORK") or self.env.get("PIPEGEN_FOREIGN"))

    @property
    def branch(self) -> str:
        """The branch that is built, where the server says it or the workflow names it."""
        said = self.env.get("CHANGE_BRANCH") or self.env.get("BRANCH_NAME") or self.env.get("GIT_BRANCH")
        described = self.gates.described
        return (said or "").removeprefix("origin/") or str((described and described.branch) or "")
