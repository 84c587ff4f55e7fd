"""Runs the commands of an environment in the files of a version: its commit checked out apart, its model in place."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipegen.description.model import Environment, as_list, env_text
from pipegen.description.text import Name, seconds
from pipegen.dvc.shell import Command
from pipegen.errors import RunFailed
from pipegen.git import git, unattended
from pipegen.registry.history import Version
from pipegen.runner import pyenv
from pipegen.runner.agent.commands import Commands, commands
from pipegen.runner.agent.console import Console
from pipegen.runner.agent.masking import Masker, secret_values
from pipegen.runner.release.model_data import fetch
from pipegen.runner.release.task import Notify, ReleaseTask

Word = Literal["deploy", "verify", "rollback"]


@dataclass
class Deployer:
    """What an environment says, ready to be run. See `deployer`."""

    task: ReleaseTask
    environment: str
    version: Version
    before: Version | None
    folder: Path
    commands: Commands
    notify: Notify
    _deadline: float = 0.0

    @property
    def described(self) -> Environment:
        """The environment, as the description has it."""
        return self.task.pipeline.environments[Name(self.environment)]

    def run(self, word: Word) -> None:
        """Run one of the environment's commands; nothing where it has none.

        Deploying and verifying share the environment's time; bringing back has as much of its own.

        Raises:
            RunFailed: it failed, or took too long.
            Stopped: this process was asked to end.
        """
        lines = as_list(getattr(self.described, word))
        if not lines:
            return
        self.notify(f"{word} of {self.task.model} {self.version.name} in {self.environment}")
        self._run(word, lines)

    def set_up(self) -> None:
        """Run what each job runs first."""
        self._run("setup", self.task.pipeline.setup)

    def _run(self, word: str, lines: list[str]) -> None:
        if word in ("setup", "rollback"):
            longest = seconds(self.described.timeout or self.task.pipeline.defaults.timeout)
            self._deadline = time.monotonic() + longest
        command = Command(
            tuple(lines),
            tuple(("/bin/sh", "-c", line) for line in lines),
            str(self.folder),
            {**self.task.env, **self._variables},
        )
        ended = self.commands.run(f"{word} in {self.environment}", command, self._deadline)
        if not ended.ok:
            raise RunFailed(f"{word} in {self.environment} failed: {ended.message}")

    @property
    def _variables(self) -> dict[str, str]:
        pipeline, workflow = self.task.pipeline, self.task.described_workflow
        found = {
            **env_text(pipeline.env),
            **env_text(workflow.env if workflow else {}),
            **env_text(self.described.env),
            "PIPEGEN_FOLDER": str(self.task.folder),
            "PIPEGEN_ENVIRONMENT": self.environment,
            "PIPEGEN_MODEL": self.task.model,
            "PIPEGEN_MODEL_PATH": str(self.task.described.path),
            "PIPEGEN_VERSION": self.version.name,
            "PIPEGEN_COMMIT": self.version.commit,
            "PIPEGEN_BEFORE": self.before.name if self.before else "",
        }
        asked = pipeline.python
        if asked is None:
            return found
        made = pyenv.prepare(asked.version, [self.folder / path for path in asked.requirements], self.notify)
        return {**found, **pyenv.activated(made, {**self.task.env, **found})}


@contextmanager
def deployer(
    task: ReleaseTask, environment: str, version: Version, before: Version | None, notify: Notify
) -> Iterator[Deployer]:
    """All that is needed to deploy a version; nothing is deployed yet.

    Args:
        task: the model.
        environment: one of the description's `environments`.
        version: what is to be deployed.
        before: what serves there now.
        notify: told what a user should know.

    Raises:
        RemoteError: the model can't be had.
        WorkspaceError: the commit can't be checked out.
        RunFailed: the setup failed.
    """
    console = Console(task.output or sys.stdout, None, Masker(secret_values(task.secrets, task.env)))
    with _checked_out(task, version) as folder:
        fetch(task, version, folder / str(task.described.path), notify)
        with (
            tempfile.TemporaryDirectory(prefix="pipegen-") as scratch,
            console.heartbeat(f"deployment into {environment}"),
            commands(console, Path(scratch)) as runner,
        ):
            ready = Deployer(task, environment, version, before, folder, runner, notify)
            ready.set_up()
            yield ready


@contextmanager
def _checked_out(task: ReleaseTask, version: Version) -> Iterator[Path]:
    """The description's folder at the commit of a version, in a place of its own; the workspace stays as it is."""
    env = unattended(task.folder)
    with tempfile.TemporaryDirectory(prefix="pipegen-release-") as scratch:
        tree = f"{scratch}/tree"
        git(task.folder, "worktree", "add", "--quiet", "--detach", tree, version.commit, env=env)
        try:
            yield Path(tree, task.place)
        finally:
            git(task.folder, "worktree", "remove", "--force", tree, env=env)
