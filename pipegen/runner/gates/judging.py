"""Judges the gates of one run. `judge_gates` tells the whole way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipegen.dvc import fragments
from pipegen.dvc.at_revision import AtRevision
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.session import Session
from pipegen.dvc.stores import Store
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError, WorkspaceError, os_error
from pipegen.quality import junit
from pipegen.quality.gates import broken_suite, decide, files_of, is_passed, known_values, suite
from pipegen.quality.waivers import read_waivers
from pipegen.records import GateRun
from pipegen.runner.agent import record
from pipegen.runner.agent.build import Build, build_of
from pipegen.runner.agent.masking import Masker, secret_values
from pipegen.runner.agent.plan_check import check_plan
from pipegen.runner.gates.baselines import Baselines
from pipegen.runner.gates.keeping import KeptGates, masked
from pipegen.runner.gates.metrics import FromFragments, files_here
from pipegen.runner.gates.task import GateTask
from pipegen.runner.history import own_folder
from pipegen.runner.values import Values


def judge_gates(task: GateTask, notify: Callable[[str], None]) -> GateRun:
    """Bring metrics and baselines, judge, and keep the result: as JUnit, in the folder, and from a server's job on the
    DVC remote.

    Args:
        task: the gates.
        notify: told what a user should know.

    Raises:
        PipegenError: they can't be judged at all; the JUnit file says so too. A red gate is no error here.
    """
    try:
        own_folder(task.folder / ".pipegen")
    except OSError as error:
        raise os_error(error, "write into", task.folder / ".pipegen") from None
    try:
        run, kept, push = _Judging(task, notify).go()
    except PipegenError as error:
        junit.write([broken_suite(task.names, task.workflow, error.message)], task.junit)
        raise
    junit.write([suite(run)], task.junit)
    kept.add(run, push=push)
    return run


@dataclass
class _Judging:
    task: GateTask
    notify: Callable[[str], None]
    build: Build = field(init=False)

    def go(self) -> tuple[GateRun, KeptGates, bool]:
        """The result, where to keep it, and whether others are to have it."""
        task = self.task
        waivers = read_waivers(task.folder, task.pipeline.gates)
        if task.fragments is not None:
            check_plan(task.pipeline, task.stages, task.place, os.environ)
        self.build = self._build()
        stamp = self._stamp() if task.fragments is not None else ""
        with self._session() as found:
            kept = KeptGates(str(task.pipeline.name), task.folder, self._store(found))
            every = task.pipeline.gates.values()
            if found and task.fragments is not None:
                files = self._from_fragments(*found, stamp).files(files_of(every))
            else:
                files = files_here(task.folder, files_of(every))
            baselines = Baselines(task, self.build.commit, kept, self._at(found), self.notify)
            results = tuple(
                decide(name, gate, files, baselines.of(name, gate), waivers.get(name), task.today)
                for name, gate in task.gates.items()
            )
        run = GateRun(
            at=record.now(),
            passed=is_passed(results),
            gates=results,
            values=known_values(every, files),
            workflow=task.workflow,
            commit=self.build.commit,
            tree=self.build.tree,
            stamp=stamp,
            agent=self.build.agent,
            url=self.build.url,
        )
        masker = Masker(secret_values(task.secrets, os.environ))
        return masked(run, masker), kept, task.in_job and not self.build.is_foreign

    def _build(self) -> Build:
        try:
            return build_of(self.task.folder)
        except WorkspaceError:
            if self._needs_repository:
                raise
            return Build("", "", "")

    def _stamp(self) -> str:
        values = Values.read(self.task.values)
        return fragments.stamp_of(self.build.tree, values.stamp if values and values.set else b"")

    @property
    def _needs_repository(self) -> bool:
        compares = any(gate.against not in (None, "last") for gate in self.task.gates.values())
        return self.task.fragments is not None or compares

    @contextmanager
    def _session(self) -> Iterator[tuple[Workspace, Session] | None]:
        """DVC's part of the repository; None where there is none and nothing needs it."""
        compares = any(gate.against for gate in self.task.gates.values())
        if not (self._needs_repository or compares or self.task.in_job):
            yield None
            return
        try:
            workspace = Workspace(self.task.folder)
        except WorkspaceError:
            if self._needs_repository:
                raise
            yield None
            return
        with workspace.session(self.notify) as session:
            yield workspace, session

    def _store(self, found: tuple[Workspace, Session] | None) -> Store | None:
        store = found[1].bearer(self.task.remote).store if found else None
        if self.task.in_job and (store is None or not store.has_runs):
            self.notify("no DVC remote that can list what it has: later runs can't compare with this one")
        return store

    def _from_fragments(self, workspace: Workspace, session: Session, stamp: str) -> FromFragments:
        assert self.task.fragments is not None
        read = fragments.fragments_in(self.task.fragments)
        merged = fragments.merge(read, self.task.stages, stamp)
        return FromFragments(workspace, session, merged, self.task.fragments, self.task.remote)

    def _at(self, found: tuple[Workspace, Session] | None) -> Callable[[str], AtRevision]:
        def at(commit: str) -> AtRevision:
            if found is None:
                raise RemoteError("the folder is in no DVC repository")
            workspace, session = found
            bearer = session.bearer(self.task.remote)
            return AtRevision(self.task.folder, commit, workspace.stages, bearer)

        return at
