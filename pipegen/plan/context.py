"""What every job of one workflow has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipegen.description.model import Pipeline, Workflow
from pipegen.description.text import seconds
from pipegen.plan.grouping import agent_of
from pipegen.plan.model import TOOL, Approval, Job, Step

OVERHEAD = 10 * 60
"""Seconds a job may need besides its commands: checkout, tools, fetching and pushing data."""


@dataclass(frozen=True)
class Context:
    """What every job of one workflow is made with."""

    pipeline: Pipeline
    workflow_name: str
    workflow: Workflow
    env: Mapping[str, str]

    @property
    def default_agent(self) -> str | None:
        """The kind of machine for jobs that say nothing."""
        return agent_of(self.pipeline)

    def command(self, *words: str) -> tuple[str, ...]:
        """A pipegen command: from the job's own virtual environment where `install:` fills one, else from the PATH."""
        return (f"{TOOL}/bin/pipegen" if self.pipeline.install else "pipegen", *words)

    def secrets(self, *wanted: Sequence[str]) -> tuple[str, ...]:
        """Names of secrets, once each: those of the data remote, which every job needs, then `wanted`."""
        remote = self.pipeline.data.remote
        always = remote.secrets if remote else ()
        return tuple(dict.fromkeys(name for names in (always, *wanted) for name in names))

    def job(
        self,
        name: str,
        steps: tuple[Step, ...],
        needs: tuple[str, ...],
        *,
        agent: str | None = None,
        reads: tuple[str, ...] = (),
        writes: tuple[str, ...] = (),
        artifacts: tuple[str, ...] = (),
        page: str | None = None,
        env: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        timeout: int | None = None,
        retry: int = 0,
        mutexes: tuple[str, ...] = (),
        approval: Approval | None = None,
        deploys: str | None = None,
    ) -> Job:
        """A job of this workflow, with what all its jobs have in common."""
        return Job(
            name=name,
            agent=agent or self.default_agent,
            needs=needs,
            reads=reads,
            writes=writes,
            steps=steps,
            artifacts=artifacts,
            page=page,
            env={**self.env, **(env or {})},
            secrets=self.secrets(secrets),
            timeout=OVERHEAD + (timeout or seconds(self.pipeline.defaults.timeout)),
            retry=retry,
            mutexes=mutexes,
            approval=approval,
            deploys=deploys,
            workflows=(self.workflow_name,),
        )
