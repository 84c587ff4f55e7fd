"""The whole graph on this machine: what is ready runs, the longest remaining way first."""

from __future__ import annotations

import contextlib
import heapq
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipegen.dvc.errors import StageError
from pipegen.dvc.session import Begun, Session
from pipegen.dvc.ways import Step
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError, os_error
from pipegen.plan.graph import Graph
from pipegen.records import Event, Notice, Outcome, RunFinished, RunStarted, StageFinished, StageStarted
from pipegen.runner.history import History, own_folder
from pipegen.runner.interrupts import Interrupts
from pipegen.runner.local_runs import LocalRun
from pipegen.runner.processes import Child, Guard, log_name, tail
from pipegen.runner.tasks import Task
from pipegen.runner.trace import Trace

_TICK = 0.25
"""Seconds after which the scheduler looks up even if nothing happened."""
_STEP_OUTCOMES: dict[Step, Outcome] = {
    Step.UNCHANGED: "unchanged",
    Step.RESTORED: "restored",
    Step.VERIFIED: "verified",
}


@dataclass(frozen=True)
class Options:
    """How to run."""

    jobs: int = 1
    """How many commands may run at once."""
    keep_going: bool = False
    """After a failure, run everything that does not need what failed."""
    force: bool = False
    """Run stages even if they are up to date or in the run cache."""


def run_graph(
    workspace: Workspace,
    tasks: Mapping[str, Task],
    options: Options,
    on_event: Callable[[Event], None],
    tracked: LocalRun | None = None,
) -> RunFinished:
    """Bring all `tasks` up to date, as `dvc repro` would, in parallel.

    Args:
        workspace: where they are.
        tasks: what to run, in DVC's order; needs that are not among them count as met.
        options: how.
        on_event: told everything, in order, from the calling thread.
        tracked: what keeps a record of the run; None to keep none.

    Raises:
        CycleError: tasks need each other in a circle.
        DescriptionError: a lock file can't be read.
        FileError: the lock file, a log or the journal can't be written.
    """
    with Trace(workspace.folder, {address: task.needs for address, task in tasks.items()}) as trace:

        def tell(event: Event) -> None:
            trace(event)
            if tracked:
                tracked(event)
            on_event(event)

        run = _Run(workspace, tasks, options, tell)
        try:
            with Interrupts(run.inbox.put) as _, Guard() as guard, workspace.session(run.notice) as session:
                run.go(session, guard)
                if tracked:
                    run.keep(tracked, session)
        finally:
            run.record()
        finished = run.summary()
        tell(finished)
        return finished


@dataclass
class _Running:
    child: Child
    log: Path
    reasons: tuple[str, ...]


@dataclass
class _Run:
    workspace: Workspace
    tasks: Mapping[str, Task]
    options: Options
    on_event: Callable[[Event], None]
    inbox: queue.SimpleQueue[tuple[str, str]] = field(default_factory=queue.SimpleQueue)
    """What other threads and signals say: (address, message) of a child that ended, or ("", signal's word)."""

    def __post_init__(self) -> None:
        self.graph = Graph({a: [n for n in task.needs if n in self.tasks] for a, task in self.tasks.items()})
        self.history = History(self.workspace.folder)
        self.expected = self.history.expected()
        guess = sorted(self.expected.values())[len(self.expected) // 2] if self.expected else 1.0
        self.remaining = self.graph.remaining({a: self.expected.get(a, guess) for a in self.graph})
        self.missing = {a: len(self.graph.needs(a)) for a in self.graph}
        self.ready: list[tuple[float, int, str]] = []
        self.rank = {a: i for i, a in enumerate(self.tasks)}
        self.waiting: list[tuple[float, str]] = []
        """Stages whose files another process uses, and when to try again."""
        self.told_busy: set[str] = set()
        self.running: dict[str, _Running] = {}
        self.held: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}
        self.seconds: dict[str, float] = {}
        self.logs = self.workspace.folder / ".pipegen" / "logs"
        self.draining = False
        """Start nothing more: something failed, or the user asked to end."""
        self.interrupts = 0
        self.began = time.monotonic()

    # ------------------------------------------------------------------------------------------ the loop

    def go(self, session: Session, guard: Guard) -> None:
        self.say(RunStarted(tuple(self.tasks), self.options.jobs, self._foreseen()))
        for address in self.graph:
            if not self.missing[address]:
                self._make_ready(address)
        try:
            while True:
                self._start_what_can(session, guard)
                if not self.running and (self.draining or not (self.ready or self.waiting)):
                    break
                self._hear(session)
                session.write_if_due()
        finally:
            self._end_children(session)
        for address in self.tasks:
            if address not in self.outcomes:
                self._finish(address, "skipped")

    def _foreseen(self) -> float | None:
        """Seconds for everything: the critical path, or all work shared among the jobs where that takes longer."""
        commands = [address for address in self.graph if self.workspace.stages[address].cmd]
        if not all(address in self.expected for address in commands):
            return None
        path = sum(self.expected.get(address, 0.0) for address in self.graph.critical_path(self.expected))
        return max(path, sum(self.expected[address] for address in commands) / self.options.jobs)

    def _make_ready(self, address: str) -> None:
        heapq.heappush(self.ready, (-self.remaining[address], self.rank[address], address))

    def _start_what_can(self, session: Session, guard: Guard) -> None:
        now = time.monotonic()
        for _, address in (item for item in self.waiting if item[0] <= now):
            self._make_ready(address)
        self.waiting = [item for item in self.waiting if item[0] > now]
        excluded = []
        while (
            self.ready and len(self.running) < self.options.jobs and not self.draining and self.inbox.empty()
        ):
            item = heapq.heappop(self.ready)
            if self.tasks[item[2]].mutexes & self.held:
                excluded.append(item)
                continue
            self._begin(item[2], session, guard)
        for item in excluded:
            heapq.heappush(self.ready, item)

    def _hear(self, session: Session) -> None:
        with contextlib.suppress(queue.Empty):
            block = not self.ready or len(self.running) >= self.options.jobs or self.draining
            while True:
                address, message = self.inbox.get(block, _TICK)
                block = False
                if address:
                    self._ended(address, message, session)
                else:
                    self._interrupt(message)

    # ------------------------------------------------------------------------------------------ one stage

    def _begin(self, address: str, session: Session, guard: Guard) -> None:
        task = self.tasks[address]
        try:
            begun = session.begin(address, force=self.options.force, env=task.env)
        except StageError as error:
            self._failed(address, error.message)
            return
        if begun.step is Step.BUSY:
            self._busy(address, begun)
        elif begun.step is Step.RUN:
            self._launch(address, begun, session, guard)
        else:
            self._finish(address, _STEP_OUTCOMES[begun.step], begun.reasons)

    def _busy(self, address: str, begun: Begun) -> None:
        if address not in self.told_busy:
            self.told_busy.add(address)
            self.notice(f"{address} waits: {begun.reasons[0]}")
        self.waiting.append((time.monotonic() + _TICK, address))

    def _launch(self, address: str, begun: Begun, session: Session, guard: Guard) -> None:
        assert begun.command
        log = self.logs / log_name(address)
        try:
            own_folder(self.workspace.folder / ".pipegen")
        except OSError as error:
            raise os_error(error, "write", self.workspace.folder / ".pipegen") from None
        shown = _shown(log, self.workspace.folder)
        self.say(StageStarted(address, begun.reasons, begun.command.lines, shown, self.expected.get(address)))
        self.held |= self.tasks[address].mutexes
        child = Child(
            begun.command,
            log,
            guard,
            done=lambda message: self.inbox.put((address, message)),
            then=lambda: session.hash_ahead(address),
        )
        self.running[address] = _Running(child, log, begun.reasons)

    def _ended(self, address: str, message: str, session: Session) -> None:
        running = self.running.pop(address)
        self.held -= self.tasks[address].mutexes
        seconds = running.child.seconds
        shown = _shown(running.log, self.workspace.folder)
        if message:
            session.abandon(address)
            if self.interrupts > 1:
                self._finish(address, "stopped", running.reasons, seconds, log=shown)
            else:
                self._failed(address, message, running, seconds)
            return
        try:
            session.finish(address)
        except StageError as error:
            self._failed(address, error.message, running, seconds)
            return
        self.seconds[address] = seconds
        self._finish(address, "ran", running.reasons, seconds, log=shown)

    def _failed(
        self, address: str, message: str, running: _Running | None = None, seconds: float = 0.0
    ) -> None:
        self._finish(
            address,
            "failed",
            running.reasons if running else (),
            seconds,
            message=message,
            log=_shown(running.log, self.workspace.folder) if running else "",
            tail=tail(running.log) if running else (),
        )
        if self.options.keep_going:
            for other in self.graph:
                if other in self.graph.descendants(address) and other not in self.outcomes:
                    self._finish(other, "skipped", message=f"needs {address}, which failed")
        else:
            self.draining = True

    def _finish(
        self,
        address: str,
        outcome: Outcome,
        reasons: tuple[str, ...] = (),
        seconds: float = 0.0,
        *,
        message: str = "",
        log: str = "",
        tail: tuple[str, ...] = (),
    ) -> None:
        self.outcomes[address] = outcome
        self.say(StageFinished(address, outcome, round(seconds, 3), reasons, message, log, tail))
        if outcome in ("failed", "skipped", "stopped"):
            return
        for dependant in self.graph.dependants(address):
            self.missing[dependant] -= 1
            if not self.missing[dependant] and dependant not in self.outcomes:
                self._make_ready(dependant)

    # ------------------------------------------------------------------------------------------ ending

    def _interrupt(self, word: str) -> None:
        self.interrupts += 2 if word == "now" and not self.interrupts else 1
        self.draining = True
        if self.interrupts == 1 and self.running:
            names = ", ".join(self.running)
            self.notice(
                f"interrupted: {names} will be finished, nothing else starts; once more to stop at once"
            )
        elif self.interrupts > 1:
            for running in self.running.values():
                running.child.stop(kill=self.interrupts > 2)

    def _end_children(self, session: Session) -> None:
        """Only where something unforeseen ended the loop: no child is left behind."""
        for running in self.running.values():
            running.child.stop()
        while self.running:
            address, _ = self.inbox.get()
            if address in self.running:
                del self.running[address]
                session.abandon(address)
                self._finish(address, "stopped")

    def keep(self, tracked: LocalRun, session: Session) -> None:
        """Nothing depends on the record, so nothing fails without it."""
        try:
            tracked.keep(session.entry)
        except (OSError, PipegenError) as error:
            self.notice(f"`pipegen runs` will not know of this run: {error}")

    def record(self) -> None:
        self.history.add(time.monotonic() - self.began, self.seconds)

    def summary(self) -> RunFinished:
        ran = self.graph.subgraph(self.graph).critical_path({a: self.seconds.get(a, 0.0) for a in self.graph})
        return RunFinished(
            round(time.monotonic() - self.began, 3),
            {address: self.outcomes[address] for address in self.tasks},
            worked=round(sum(self.seconds.values()), 3),
            critical=round(sum(self.seconds.get(address, 0.0) for address in ran), 3),
            interrupted=self.interrupts > 0,
        )

    def say(self, event: Event) -> None:
        self.on_event(event)

    def notice(self, message: str) -> None:
        self.say(Notice(message))


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder))
