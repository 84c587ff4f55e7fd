"""What is asked for: which gates, of which workflow, and where metrics come from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.description.model import Gate, Pipeline, Workflow
from pipegen.description.reading import nearest
from pipegen.description.stages import ResolvedStage
from pipegen.description.text import Name
from pipegen.dvc.stores import RemoteChoice
from pipegen.errors import PipegenError
from pipegen.plan import files
from pipegen.plan.build import workflow_of


@dataclass(frozen=True, kw_only=True)
class GateTask:
    """Gates to judge."""

    pipeline: Pipeline
    stages: Mapping[str, ResolvedStage]
    folder: Path
    """The description's folder, absolute."""
    place: str
    """The same relative to the repository's root."""
    names: tuple[str, ...]
    """The gates, in the order of the description."""
    workflow: str = ""
    """The workflow whose run this is; empty where a person just asks."""
    fragments: Path | None = None
    """Where lock fragments lie that say what the metrics are; None where the files themselves are here."""
    in_job: bool = False
    """Whether a CI server's job asks: then what git and the remote know may have to be fetched, and the result is kept
    on the remote."""
    today: datetime.date

    @property
    def gates(self) -> dict[str, Gate]:
        """The gates by name."""
        return {name: self.pipeline.gates[Name(name)] for name in self.names}

    @property
    def described(self) -> Workflow | None:
        """The workflow, where there is one."""
        return workflow_of(self.pipeline, self.workflow) if self.workflow else None

    @property
    def values(self) -> Path:
        """Where the values are that the run fixed."""
        return (self.fragments or self.folder / Path(files.VALUES).parent) / Path(files.VALUES).name

    @property
    def junit(self) -> Path:
        """Where the server looks for the result."""
        return self.folder / files.junit(f"gates-{self.workflow}" if self.workflow else "gates")

    @property
    def secrets(self) -> list[str]:
        """The variables that hold secrets."""
        return [str(name) for secret in self.pipeline.secrets.values() for name in secret.env]

    @property
    def remote(self) -> RemoteChoice:
        """The DVC remote through which agents share data."""
        remote = self.pipeline.data.remote
        return RemoteChoice(str(remote.name), remote.url) if remote else RemoteChoice()


def chosen(pipeline: Pipeline, names: tuple[str, ...], workflow: str) -> tuple[str, ...]:
    """The gates that are meant: those named, else those of the workflow, else all.

    Raises:
        PipegenError: a name that no gate has.
        PlanError: there is no such workflow.
    """
    for name in names:
        if name not in pipeline.gates:
            hint = nearest(name, pipeline.gates) or "the description has no `gates:`"
            raise PipegenError(f"no gate is called {name!r}; {hint}")
    if workflow:
        asked = workflow_of(pipeline, workflow).gates
        if not names:
            return tuple(pipeline.gates) if asked == "all" else tuple(map(str, asked))
    return tuple(name for name in map(str, pipeline.gates) if not names or name in names)
