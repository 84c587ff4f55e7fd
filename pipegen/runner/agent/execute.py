"""One stage on an agent, step by step. `execute` tells the whole way."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipegen.dvc import fragments
from pipegen.dvc.errors import RemoteError, StageError
from pipegen.dvc.fragments import Carried, Fragment
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.session import Session
from pipegen.dvc.set_params import set_params
from pipegen.dvc.stages import Stage
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError, RunFailed
from pipegen.records import GOOD, Outcome, StageRecord, key_metrics
from pipegen.runner.about import about_build, packages
from pipegen.runner.agent import left_out, record
from pipegen.runner.agent.artifact_tests import Results, run_tests
from pipegen.runner.agent.attempts import Attempts
from pipegen.runner.agent.build import Build, build_of
from pipegen.runner.agent.commands import Commands, Stopped, commands
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.environment import Environment
from pipegen.runner.agent.facts import LastFacts
from pipegen.runner.agent.kept import keep
from pipegen.runner.agent.leaving import leave
from pipegen.runner.agent.masking import refuse_secrets
from pipegen.runner.agent.plan_check import check_dvc_file
from pipegen.runner.agent.supply import HERE, Supply
from pipegen.runner.agent.task import AgentTask
from pipegen.runner.history import own_folder
from pipegen.runner.values import Values, stamp_of


def execute(task: AgentTask, console: Console) -> StageRecord:
    """Bring one stage up to date with nothing but the commit, the DVC remote and the fragments of what it needs.

    Its fragment, record and JUnit file exist afterwards, whatever becomes of it.

    Raises:
        RunFailed: its command or its tests failed.
        PipegenError: whatever else stood against it.
    """
    own_folder(task.scratch.parent)
    work = Work(task, console)
    console.event("stage_started", f"{task.address} begins on {work.build.agent}", stage=task.address)
    try:
        with console.heartbeat(task.address), commands(console, task.scratch) as work.commands:
            work.environment = Environment(task, console, work.commands)
            work.go()
    except PipegenError as error:
        error.message = console.masker.text(error.message)
        work.is_remote_gone = isinstance(error, RemoteError)
        work.failed(error.message, "stopped" if isinstance(error, Stopped) else "failed")
        raise
    except BaseException as error:
        work.failed(f"{type(error).__name__}: {error}", "failed")
        raise
    finally:
        work.leave_files()
    return work.record


@dataclass
class Work:
    """One stage and how far it has come."""

    task: AgentTask
    console: Console
    build: Build = field(init=False)
    record: StageRecord = field(init=False)
    commands: Commands = field(init=False)
    environment: Environment = field(init=False)
    began: float = field(default_factory=time.monotonic)
    stamp: str = ""
    supply: Supply = field(init=False)
    is_open: bool = False
    """Whether it works in a workspace yet."""
    is_remote_gone: bool = False
    """Whether it failed since the remote can't be used."""
    entry: Entry = field(default_factory=dict)
    """What the lock file says of it in the end."""
    carried: Mapping[str, Carried] = field(default_factory=dict)
    """By path, what it made and DVC does not keep."""
    origin: str = ""
    """Where a restored result was found."""
    fragment: Fragment | None = None
    results: Results | None = None

    def __post_init__(self) -> None:
        self.build = build_of(self.task.folder)
        self.record = StageRecord(
            stage=self.task.address,
            outcome="skipped",
            started=record.now(),
            agent=self.build.agent,
            tree=self.build.tree,
            workflows=self.build.workflows,
            url=self.build.url,
            job=self.build.job,
            run=self.build.run,
            versions=record.versions(),
            **about_build(self.task.pipeline, self.task.place, self.task.folder).as_data(),
        )

    # ------------------------------------------------------------------------------------------ the way

    def go(self) -> None:
        """All steps, in order."""
        self.check()
        if not self.is_left_out():
            self.go_all_the_way()
        if self.task.lock and self.fragment:
            left_out.publish_lock(self.task, self.fragment)

    def go_all_the_way(self) -> None:
        """Everything that brings the stage up to date."""
        workspace = Workspace(self.task.folder)
        remembers = not self.build.is_foreign  # nor on this machine, whose cache other builds may share
        with workspace.session(self.console.notice, remembers=remembers) as session:
            self.open(workspace, session)
            self.fetch()
            if self.task.force or not self.restore():
                self.run()
            self.test()
            self.verify()
            self.push()
            self.succeeded()

    def check(self) -> None:
        """The generated files are of this description, and the parameters have this run's values."""
        task = self.task
        check_dvc_file(task.pipeline, task.folder)
        _ = task.plan  # compared with what the generated file carries
        self.apply_values()

    def is_left_out(self) -> bool:
        """Whether the first job of the build found that the change does not touch it, and what it hands on."""
        fragment = left_out.fragment_of(self.task, self.stamp)
        if fragment is None:
            return False
        self.fragment, self.entry = fragment, fragment.entries[self.task.address]
        self.note(outcome="unchanged", lock=dict(self.entry), params=dict(record.params_of(self.entry)))
        says = f"the change does not touch {self.task.address}: it keeps the result of an earlier build"
        self.console.event("left_out", says, stage=self.task.address)
        return True

    def open(self, workspace: Workspace, session: Session) -> Supply:
        """Work in this workspace from here on."""
        self.workspace, self.session = workspace, session
        self.bearer = session.bearer(self.task.remote)
        self.supply = Supply(self.task, workspace, session, self.bearer, self.console, self.stamp)
        self.is_open = True
        return self.supply

    @property
    def stage(self) -> Stage:
        """The stage as DVC has it."""
        return self.workspace.stages[self.task.address]

    # ------------------------------------------------------------------------------------------ what it needs

    def apply_values(self) -> None:
        """Write the run's values into the parameter files before anything is hashed."""
        values = Values.read(self.task.values)
        if values and values.set:
            self.note(values=dict(values.set))
            written = set_params(self.task.folder, values.set)
            said = ", ".join(f"{name} = {value}" for name, value in values.set.items())
            self.console.event("values", f"this run has {said}", set=dict(values.set), files=written)
        self.stamp = stamp_of(self.build.tree, values)

    def fetch(self) -> None:
        """The lock entries of all it needs, and the data that it reads."""
        self.supply.take_over()
        self.supply.fetch()
        if self.supply.fetched.objects:
            moved = asdict(self.supply.fetched)
            self.console.event("fetched", f"fetched {self.supply.fetched}", stage=self.task.address, **moved)

    # ------------------------------------------------------------------------------------------ its result

    def restore(self) -> bool:
        """Take its result from an earlier run of this command on this data, if there is one."""
        found = self.supply.known_result(self.task.address)
        if found is None:
            return False
        self.origin = found[1]
        self.note(outcome="unchanged" if found[1] == HERE else "restored")
        self.console.event(
            "restored",
            f"{self.task.address} ran before with the same command on the same data: its result was {found[1]}",
            stage=self.task.address,
        )
        return True

    def run(self) -> None:
        """Run its command, again after a failure where it may be tried again."""
        attempts = Attempts(self.task, self.session, self.environment, self.commands, self.console)
        try:
            self.note(outcome=attempts.run())
        finally:
            self.deadline = attempts.deadline
            self.note(attempts=attempts.number, command_seconds=round(attempts.seconds, 3))

    # ------------------------------------------------------------------------------------------ tests and the end

    def test(self) -> None:
        """Test what it made, wherever it came from."""
        tests = self.task.tests
        if not tests:
            return
        if self.record.outcome != "ran":
            self.deadline = time.monotonic() + self.task.timeout
        self.environment.set_up(self.deadline)
        last = LastFacts(
            tests, str(self.task.pipeline.name), self.task.name, self.task.scratch.parent, self.bearer.store
        )
        self.results = run_tests(
            self.task.address,
            tests,
            self.commands,
            folder=self.task.folder,
            env={**os.environ, **self.environment.variables},
            scratch=self.task.scratch,
            deadline=self.deadline,
            before=last.read(),
        )
        counts = self.results.counts
        self.note(tests=counts)
        bad = counts["failures"] + counts["errors"]
        self.console.event(
            "tested",
            f"{counts['tests']} test{'s' * (counts['tests'] != 1)}, {bad} failed",
            stage=self.task.address,
            **counts,
        )
        if self.results.failed:
            raise RunFailed(f"the tests of {self.task.address} failed: {'; '.join(self.results.failed)}")
        push = self.task.push and not self.build.is_foreign
        last.keep(self.results.facts, self.build.commit, push=push)

    def verify(self) -> None:
        """Whatever was reported, the lock entry and the outputs must be there."""
        entry = self.session.entry(self.task.address)
        said = {out.get("path") for out in entry.get("outs") or ()}
        missing = [o.path for o in self.stage.outs if o.is_local and not os.path.lexists(o.target)]
        if not entry or missing or not {out.path for out in self.stage.outs} <= said:
            what = f"{', '.join(missing)} is not there" if missing else "the lock file does not have it"
            raise StageError(f"{self.task.address} seemed to succeed, but {what}")
        self.entry = entry
        self.note(
            lock=dict(entry), params=dict(record.params_of(entry)), metrics=record.metrics_of(self.stage)
        )
        self.carried = fragments.carried(self.stage, self.task.folder)
        refuse_secrets(self.task.address, self.carried, self.console.masker)

    def push(self) -> None:
        """Bring what it made to the remote, and where others may restore it."""
        task = self.task
        if not task.push:
            self.console.notice("nothing is pushed: other agents can't have what it made")
            return
        if self.bearer.store is None:
            self.console.notice("no DVC remote is configured: other agents can't have what it made")
            return
        if self.origin == f"on {self.bearer.store.shown}":
            return
        if self.build.is_foreign:
            self.console.notice("a pull request from outside: its runs are not offered to other builds")
        elif not self.bearer.store.has_runs:
            self.console.notice(
                "DVC has no run cache on a remote of this kind: other builds run the stage again"
            )
        moved = self.bearer.push(
            task.address,
            self.entry,
            run=not self.build.is_foreign,
            again=task.force and not self.build.is_foreign,
        )
        self.note(pushed=asdict(moved))
        self.console.event("pushed", f"pushed {moved}", stage=task.address, **asdict(moved))

    def succeeded(self) -> None:
        """What it hands on."""
        address, files = self.task.address, self.supply.carried()
        self.fragment = Fragment(
            address,
            self.stamp,
            entries={**self.supply.entries, address: self.entry},
            files={**files, address: self.carried} if self.carried else files,
        )

    # ------------------------------------------------------------------------------------------ what is left behind

    def failed(self, message: str, outcome: Outcome) -> None:
        """Nothing is handed on but that it failed, and why."""
        self.note(outcome=outcome, message=self.console.masker.text(message))
        stamp = self.stamp or self.build.tree
        self.fragment = Fragment(self.task.address, stamp, state="failed", message=self.record.message)

    def leave_files(self) -> None:
        """Fragment, record and JUnit file: servers look for them in any case.

        Raises:
            FileError: the stage succeeded, but one of them can't be written: it counts as failed then.
        """
        self.note(ended=record.now(), seconds=round(time.monotonic() - self.began, 3))
        if self.is_open:
            python = self.environment.folder
            self.note(
                fetched=asdict(self.supply.fetched), python=python, packages=packages(python, os.environ)
            )
        problem = leave(self.task, self.console, self.record, self.fragment, self.results)
        is_lost = problem is not None and self.record.outcome in GOOD
        if problem and is_lost:
            self.failed(problem.message, "failed")
            leave(self.task, self.console, self.record, self.fragment, self.results)
        elif problem:
            self.console.notice(problem.message)
        self.say_end(keeps=problem is None)
        if problem and is_lost:
            raise problem

    def say_end(self, *, keeps: bool) -> None:
        """The last line about it; with `keeps` its record goes to those of other runs first."""
        keeps = keeps and self.is_open and not self.is_remote_gone and not self.build.is_foreign
        kept = keep(self.record, self.task, self.bearer, self.console) if keeps else ""
        self.console.event(
            "stage_finished",
            f"{self.task.address}: {self.record.outcome}"
            + (f": {self.record.message}" if self.record.message else ""),
            stage=self.task.address,
            outcome=self.record.outcome,
            seconds=self.record.seconds,
            message=self.record.message,
            metrics={each.name: each.value for each in key_metrics(self.record.metrics)},
            record=kept,
        )

    def note(self, **fields: Any) -> None:
        """Put something into the record."""
        self.record = replace(self.record, **fields)
