"""What is asked of an agent: one stage, where its small files lie, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipegen.description.check_words import Test
from pipegen.description.model import Pipeline, env_text
from pipegen.description.stages import ResolvedStage
from pipegen.description.text import seconds
from pipegen.dvc.stores import RemoteChoice
from pipegen.plan import files
from pipegen.plan.graph import Graph
from pipegen.plan.model import WORK, Plan
from pipegen.plan.names import to_name
from pipegen.plan.needs import stage_graph
from pipegen.runner.agent.plan_check import check_plan


@dataclass(frozen=True, kw_only=True)
class AgentTask:
    """One stage to bring up to date on this agent."""

    pipeline: Pipeline
    stages: Mapping[str, ResolvedStage]
    """All stages of the description, by address."""
    folder: Path
    """The description's folder, absolute."""
    place: str
    """The same relative to the repository's root."""
    address: str
    fragments: Path
    """Where fragments are read from and its own is written to."""
    record: Path
    push: bool = True
    """Whether what it makes goes to the remote."""
    force: bool = False
    """Whether it runs even if its result is known."""
    lock: bool = False
    """Whether the lock file, with all that it needs in it, is published: it is the last stage of its build."""

    @cached_property
    def stage(self) -> ResolvedStage:
        """The stage."""
        return self.stages[self.address]

    @cached_property
    def graph(self) -> Graph:
        """What each stage needs, by data and by `after`."""
        return stage_graph(self.stages)

    @cached_property
    def plan(self) -> Plan | None:
        """The plan that the CI server runs; None where no generated file does. Raises CheckFailed if it is of another
        description."""
        return check_plan(self.pipeline, self.stages, self.place, os.environ)

    @cached_property
    def ancestors(self) -> list[str]:
        """All that the stage needs, each after what it needs itself."""
        wanted = self.graph.ancestors(self.address)
        return [address for address in self.graph.order if address in wanted]

    @property
    def name(self) -> str:
        """The stage's name in file names."""
        return to_name(self.address)

    @property
    def fragment(self) -> Path:
        """Where its fragment goes."""
        return self.fragments / Path(files.fragment(self.name)).name

    @property
    def values(self) -> Path:
        """Where the values are that the run fixed."""
        return self.fragments / Path(files.VALUES).name

    @property
    def answer(self) -> Path:
        """Where the first job said what the change touches."""
        return self.fragments / Path(files.AFFECTED).name

    @property
    def log(self) -> Path:
        """Where its output is kept."""
        return self.folder / files.kept(self.name)[0]

    @property
    def junit(self) -> Path:
        """Where its tests are told."""
        return self.folder / files.junit(self.name)

    @property
    def scratch(self) -> Path:
        """A folder for files that are gone at the end."""
        return self.folder / WORK / "scratch"

    @property
    def remote(self) -> RemoteChoice:
        """The DVC remote through which agents share data."""
        remote = self.pipeline.data.remote
        return RemoteChoice(str(remote.name), remote.url) if remote else RemoteChoice()

    @property
    def secrets(self) -> list[str]:
        """The variables that hold secrets."""
        return [str(name) for secret in self.pipeline.secrets.values() for name in secret.env]

    @property
    def timeout(self) -> int:
        """Seconds for one attempt, tests included."""
        return seconds(self.stage.ci.timeout or self.pipeline.defaults.timeout)

    @property
    def attempts(self) -> int:
        """How often its command is tried."""
        retry = self.stage.ci.retry
        return 1 + (self.pipeline.defaults.retry if retry is None else retry)

    def env(self, outside: Mapping[str, str]) -> dict[str, str]:
        """The description's variables for its commands. A job of a server has them all already, with its workflow's."""
        if outside.get("PIPEGEN_PLAN"):
            return {}
        return env_text({**self.pipeline.env, **self.stage.ci.env})

    @property
    def tests(self) -> list[Test]:
        """What tests what it made."""
        return list(self.stage.ci.tests)
