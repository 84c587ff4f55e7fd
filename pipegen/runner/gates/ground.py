"""What gates and report stand on: the build, the DVC repository, and where metrics and baselines come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from pipegen.dvc import fragments
from pipegen.dvc.at_revision import AtRevision
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.fragments import Merged
from pipegen.dvc.session import Session
from pipegen.dvc.stores import Store
from pipegen.dvc.workspace import Workspace
from pipegen.errors import WorkspaceError
from pipegen.quality.metrics import File
from pipegen.runner.agent.build import Build, build_of
from pipegen.runner.agent.plan_check import check_plan
from pipegen.runner.gates.baselines import Baselines
from pipegen.runner.gates.keeping import KeptGates
from pipegen.runner.gates.metrics import FromFragments, files_here
from pipegen.runner.gates.task import GateTask
from pipegen.runner.values import Values, stamp_of


@dataclass
class Ground:
    """See `standing`."""

    task: GateTask
    notify: Callable[[str], None]
    build: Build
    """Empty where there is no git repository and nothing needs one."""
    stamp: str
    """What the fragments must be made of; empty where files are taken as they are here."""
    repository: tuple[Workspace, Session] | None

    def files(self, paths: Iterable[str]) -> Mapping[str, File]:
        """Metrics files of this run.

        Raises:
            RemoteError: the remote can't be reached.
            StageError: the fragments are of something else.
        """
        return files_here(self.task.folder, paths) if self.fragments is None else self.fragments.files(paths)

    @cached_property
    def merged(self) -> Merged | None:
        """What the fragments of this build say; None where there are to be none.

        Raises:
            StageError: they are of something else, or disagree.
        """
        if self.task.fragments is None or self.repository is None:
            return None
        return fragments.merge(fragments.fragments_in(self.task.fragments), self.task.stages, self.stamp)

    @cached_property
    def fragments(self) -> FromFragments | None:
        """Files as this build's stages made them; None where those here are meant."""
        if self.merged is None or self.repository is None or self.task.fragments is None:
            return None
        workspace, session = self.repository
        return FromFragments(workspace, session, self.merged, self.task.fragments, self.task.remote)

    @cached_property
    def store(self) -> Store | None:
        """The DVC remote; None where there is none.

        Raises:
            RemoteError: it can't be used as it is configured.
        """
        return self.repository[1].bearer(self.task.remote).store if self.repository else None

    @cached_property
    def kept(self) -> KeptGates:
        """Earlier results of gates."""
        return KeptGates(str(self.task.pipeline.name), self.task.folder, self.store)

    @cached_property
    def baselines(self) -> Baselines:
        """What is compared with."""
        return Baselines(self.task, self.build.commit, self.kept, self._at, self.notify)

    def _at(self, commit: str) -> AtRevision:
        if self.repository is None:
            raise RemoteError("the folder is in no DVC repository")
        workspace, session = self.repository
        return AtRevision(self.task.folder, commit, workspace.stages, session.bearer(self.task.remote))


@contextmanager
def standing(task: GateTask, notify: Callable[[str], None], *, needs: bool, wants: bool) -> Iterator[Ground]:
    """The ground of a task, for as long as its DVC session is open.

    Args:
        task: the gates.
        notify: told what a user should know.
        needs: whether it can't be done without a repository.
        wants: whether one is of use.

    Raises:
        WorkspaceError: a repository is needed, and there is none.
        CheckFailed: the generated file is of another description.
    """
    needs = needs or task.fragments is not None
    if task.fragments is not None:
        check_plan(task.pipeline, task.stages, task.place, os.environ)
    build = _build(task, needs=needs)
    stamp = _stamp(task, build) if task.fragments is not None else ""
    workspace = _workspace(task, needs=needs) if needs or wants else None
    if workspace is None:
        yield Ground(task, notify, build, stamp, None)
        return
    with workspace.session(notify) as session:
        yield Ground(task, notify, build, stamp, (workspace, session))


def _build(task: GateTask, *, needs: bool) -> Build:
    try:
        return build_of(task.folder)
    except WorkspaceError:
        if needs:
            raise
        return Build("", "", "")


def _stamp(task: GateTask, build: Build) -> str:
    return stamp_of(build.tree, Values.read(task.values))


def _workspace(task: GateTask, *, needs: bool) -> Workspace | None:
    try:
        return Workspace(task.folder)
    except WorkspaceError:
        if needs:
            raise
        return None
