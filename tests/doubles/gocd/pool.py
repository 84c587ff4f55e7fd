"""The agents at work: threads that take jobs from one queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from tests.doubles.gocd.agent import Agent, Machine
from tests.doubles.gocd.runs import ASSIGNED, CANCELLED, JobRun


class Pool:
    """Each agent takes the oldest job that fits it.

    Args:
        machines: the agents.
        done: called, under the lock, for each job that an agent has ended.
        patience: seconds after which waiting gives up.
    """

    def __init__(self, machines: Sequence[Machine], done: Callable[[JobRun], None], patience: float) -> None:
        self.changed = threading.Condition(threading.RLock())
        """The one lock of the server: whoever reads or changes runs holds it."""
        self._done, self._patience = done, patience
        self._queue: list[JobRun] = []
        self._running: list[JobRun] = []
        self._broken: BaseException | None = None
        self._closed = False
        self._agents = [machine.agent for machine in machines]
        self._threads = [
            threading.Thread(target=self._serve, args=(machine,), name=machine.agent.name, daemon=True)
            for machine in machines
        ]

    def start(self) -> None:
        """Let the agents begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Cancel what runs, and wait for the agents."""
        with self.changed:
            self._closed = True
            for job in self._running:
                job.cancelled.set()
            self.changed.notify_all()
        for thread in self._threads:
            thread.join(10)

    def add(self, job: JobRun, wait: float = 0.0) -> None:
        """Into the queue; no agent asks for it before some seconds have passed."""
        with self.changed:
            job.not_before = time.monotonic() + wait
            self._queue.append(job)
            self.changed.notify_all()

    def cancel(self, job: JobRun) -> None:
        """End a job: at once if no agent has it, else by its agent [F 3, R 278]."""
        with self.changed:
            job.result = CANCELLED
            job.cancelled.set()
            if job in self._queue:
                self._queue.remove(job)
                job.end(CANCELLED)

    def settle(self, describe: Callable[[], str]) -> None:
        """Wait until no job runs and none could start; TimeoutError, with a description, if that takes too long."""
        until = time.monotonic() + self._patience
        with self.changed:
            while not self._broken and (
                self._running or any(self._fits_somewhere(job) for job in self._queue)
            ):
                if not self.changed.wait(until - time.monotonic()):
                    raise TimeoutError(describe())
        self.check()

    def wait_for(self, met: Callable[[], bool]) -> None:
        """Wait until something is so, while jobs go on."""
        until = time.monotonic() + self._patience
        while not met():
            self.check()
            if time.monotonic() > until:
                raise TimeoutError("it never came")
            time.sleep(0.01)

    def check(self) -> None:
        """Raise what went wrong in an agent's thread."""
        if self._broken:
            raise self._broken

    def _fits_somewhere(self, job: JobRun) -> bool:
        return any(_takes(agent, job) for agent in self._agents)

    def _serve(self, machine: Machine) -> None:
        """An agent's life: take the oldest job that fits, do it, say so."""
        try:
            while job := self._next(machine.agent):
                result = machine.work(job)
                with self.changed:
                    self._running.remove(job)
                    job.end(result)
                    self._done(job)
                    self.changed.notify_all()
        except BaseException as error:  # the test must see it, not the thread's log
            with self.changed:
                self._broken = self._broken or error
                self.changed.notify_all()

    def _next(self, agent: Agent) -> JobRun | None:
        with self.changed:
            while not self._closed:
                now = time.monotonic()
                fitting = [job for job in self._queue if _takes(agent, job)]
                for job in fitting:
                    if job.not_before <= now:
                        self._queue.remove(job)
                        self._running.append(job)
                        job.agent = agent.name
                        job.move(ASSIGNED)
                        return job
                soonest = min((job.not_before for job in fitting), default=None)
                self.changed.wait(None if soonest is None else soonest - now)
        return None


def _takes(agent: Agent, job: JobRun) -> bool:
    return agent.takes(job.stage.run.definition, job)
