"""What a release is about: one model of a description, and where it is done."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TextIO

from pipegen.description.model import Model, Pipeline, Workflow
from pipegen.description.reading import nearest
from pipegen.description.stages import ResolvedStage
from pipegen.description.text import ArtifactName
from pipegen.dvc.stores import RemoteChoice
from pipegen.errors import PipegenError, WorkspaceError
from pipegen.git import git, unattended
from pipegen.plan import files
from pipegen.plan.build import workflow_of
from pipegen.registry.repository import Registry
from pipegen.runner.agent.build import Build, build_of
from pipegen.runner.agent.lock_commit import Sources
from pipegen.runner.values import Values

Notify = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ReleaseTask:
    """One model to register, promote or roll back."""

    pipeline: Pipeline
    stages: Mapping[str, ResolvedStage]
    folder: Path
    """The description's folder, absolute."""
    place: str
    """The same relative to the repository's root."""
    model: str
    workflow: str = ""
    """The workflow whose run this is; empty where a person asks."""
    fragments: Path | None = None
    """Where lock fragments lie that say what this run made; None where the lock file here does."""
    in_job: bool = False
    """Whether a CI server's job asks."""
    env: Mapping[str, str]
    """The variables of this process, with what the server says of the run."""
    output: TextIO | None = None
    """Where the output of an environment's commands goes; standard output for None."""

    def __post_init__(self) -> None:
        if self.model not in self.pipeline.models:
            hint = nearest(self.model, self.pipeline.models) or "the description has no `models:`"
            raise PipegenError(f"no model is called {self.model!r}; {hint}")

    @property
    def described(self) -> Model:
        """The model, as the description has it."""
        return self.pipeline.models[ArtifactName(self.model)]

    @property
    def described_workflow(self) -> Workflow | None:
        """The workflow, where there is one."""
        return workflow_of(self.pipeline, self.workflow) if self.workflow else None

    @cached_property
    def registry(self) -> Registry:
        """The tags of the repository."""
        return Registry(self.folder, self.place)

    @cached_property
    def build(self) -> Build:
        """What is built here."""
        return build_of(self.folder, self.env)

    @cached_property
    def values(self) -> Values | None:
        """What the run fixed at its start."""
        return Values.read(self.fragments / Path(files.VALUES).name) if self.fragments else None

    @property
    def sources(self) -> Sources:
        """What of the repository the description is made of."""
        locks = tuple(dict.fromkeys(map(files.lock_file, self.stages)))
        return Sources(self.folder, self.place, files.outside(self.place, self.stages), locks)

    @property
    def secrets(self) -> list[str]:
        """The variables that hold secrets."""
        return [str(name) for secret in self.pipeline.secrets.values() for name in secret.env]

    @property
    def remote(self) -> RemoteChoice:
        """The DVC remote through which agents share data."""
        remote = self.pipeline.data.remote
        return RemoteChoice(str(remote.name), remote.url) if remote else RemoteChoice()

    @property
    def who(self) -> str:
        """Who does it, for people: the build of a server, or git's name of a person."""
        if self.build.url:
            return self.build.url
        try:
            return git(self.folder, "var", "GIT_COMMITTER_IDENT", env=unattended(self.folder)).rpartition(
                " <"
            )[0]
        except WorkspaceError:
            return getpass.getuser()
