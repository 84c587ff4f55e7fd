"""Running a stage's command, again after a failure where the description allows that."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from pipegen.dvc.errors import StageError
from pipegen.dvc.session import Begun, Session
from pipegen.dvc.ways import Step
from pipegen.errors import RunFailed
from pipegen.records import Outcome
from pipegen.runner.agent.commands import Commands
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.environment import Environment
from pipegen.runner.agent.task import AgentTask

BUSY_FOR = 60.0
"""Seconds to wait for another process that uses the stage's files."""
_OUTCOMES: Mapping[Step, Outcome] = {
    Step.UNCHANGED: "unchanged",
    Step.RESTORED: "restored",
    Step.VERIFIED: "verified",
}


@dataclass
class Attempts:
    """The attempts of one stage."""

    task: AgentTask
    session: Session
    environment: Environment
    commands: Commands
    console: Console
    number: int = 0
    """How many there were."""
    seconds: float = 0.0
    """How long its command ran, in all of them."""
    deadline: float = 0.0
    """When the last one was to be over, by `time.monotonic()`."""

    def run(self) -> Outcome:
        """Try until it succeeds.

        Raises:
            RunFailed: the last attempt failed, or another process uses the stage's files.
            PipegenError: what no further attempt would help.
        """
        message = ""
        while self.number < self.task.attempts:
            if message:
                self.console.notice(f"attempt {self.number} of {self.task.attempts} failed: {message}")
            self.number += 1
            self.deadline = time.monotonic() + self.task.timeout
            begun = self._begin()
            if begun.step is not Step.RUN:
                return _OUTCOMES[begun.step]
            message = self._run(begun)
            if not message:
                return "ran"
        raise RunFailed(f"{self.task.address} failed: {message}")

    def _begin(self) -> Begun:
        """All that comes before the command, once no other process is in the way."""
        waited_until = time.monotonic() + BUSY_FOR
        while True:
            begun = self.session.begin(
                self.task.address, force=self.task.force, env=self.environment.variables
            )
            if begun.step is not Step.BUSY:
                return begun
            if time.monotonic() > waited_until:
                raise RunFailed(f"{self.task.address} can't run: {begun.reasons[0]}")
            time.sleep(0.2)

    def _run(self, begun: Begun) -> str:
        """The command, and what comes after it; the answer says what went wrong."""
        address = self.task.address
        assert begun.command
        try:
            self.environment.set_up(self.deadline)
            self.console.event(
                "command_started",
                f"runs, since {'; '.join(begun.reasons)}: {' && '.join(begun.command.lines)}",
                stage=address,
                attempt=self.number,
            )
            ended = self.commands.run(address, begun.command, self.deadline)
        except BaseException:
            self.session.abandon(address)
            raise
        self.seconds += ended.seconds
        if not ended.ok:
            self.session.abandon(address)
            return ended.message
        try:
            self.session.finish(address)
        except StageError as error:
            return error.message
        return ""
