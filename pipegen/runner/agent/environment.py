"""What the commands of a stage run in: their variables, the Python environment, and what `setup:` does first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipegen.dvc.shell import Command
from pipegen.errors import RunFailed
from pipegen.runner import pyenv
from pipegen.runner.agent.commands import Commands
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.task import AgentTask


@dataclass
class Environment:
    """The surroundings of one stage's commands and tests; made when the first of them is to run."""

    task: AgentTask
    console: Console
    commands: Commands
    is_set_up: bool = False
    folder: str = ""
    """Of the Python environment, once it is made."""

    @cached_property
    def python(self) -> Path | None:
        """The folder of the Python environment; None where the description asks for none.

        Raises:
            PipegenError: it can't be made.
        """
        asked = self.task.pipeline.python
        if asked is None:
            return None
        requirements = [self.task.folder / path for path in asked.requirements]
        made = pyenv.prepare(asked.version, requirements, self.console.notice)
        self.folder = str(made)
        return made

    @cached_property
    def variables(self) -> dict[str, str]:
        """What commands have beyond the variables of this process."""
        own = self.task.env(os.environ)
        return {**own, **pyenv.activated(self.python, {**os.environ, **own})} if self.python else own

    def set_up(self, deadline: float) -> None:
        """Run the commands of `setup:`, once.

        Raises:
            RunFailed: one failed.
        """
        if self.is_set_up:
            return
        for line in self.task.pipeline.setup:
            env = {**os.environ, **self.variables}
            command = Command((line,), (("/bin/sh", "-c", line),), str(self.task.folder), env)
            ended = self.commands.run("setup", command, deadline)
            if not ended.ok:
                reason = ended.message.removeprefix("its ")
                raise RunFailed(f"the setup of {self.task.address} failed: {reason}: {line}")
        self.is_set_up = True
