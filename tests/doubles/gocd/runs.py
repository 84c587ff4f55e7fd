"""What happened: runs of pipelines, their stages and jobs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.gocd import definitions
from tests.doubles.gocd.console import Console

PASSED, FAILED, CANCELLED, UNKNOWN = "Passed", "Failed", "Cancelled", "Unknown"
SCHEDULED, ASSIGNED, PREPARING, BUILDING, COMPLETING, COMPLETED = (
    "Scheduled",
    "Assigned",
    "Preparing",
    "Building",
    "Completing",
    "Completed",
)


@dataclass(eq=False)
class JobRun:
    """One job of one stage run."""

    definition: definitions.Job
    stage: StageRun
    store: Path
    """Its folder among the server's artifacts."""
    original: JobRun | None = None
    """The job of an earlier counter that this one stands for, if it wasn't run again [R 267]."""
    state: str = SCHEDULED
    result: str = UNKNOWN
    agent: str | None = None
    not_before: float = 0.0
    """When an agent may take it, by the monotonic clock."""
    transitions: list[str] = field(default_factory=lambda: [SCHEDULED])
    cancelled: threading.Event = field(default_factory=threading.Event)
    console: Console = field(default_factory=Console)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def locator(self) -> str:
        """`pipeline/label/stage/counter/job` [R 184]."""
        run = self.stage.run
        return f"{run.name}/{run.label}/{self.stage.name}/{self.stage.counter}/{self.name}"

    def move(self, state: str) -> None:
        """Into the next state."""
        self.state = state
        self.transitions.append(state)

    def stand_for(self, before: JobRun) -> None:
        """Don't run: result, log and files are those of a job of before [R 267]."""
        self.original = before.original or before
        self.store, self.console = before.store, before.console
        self.state, self.result, self.agent = before.state, before.result, before.agent
        self.transitions = list(before.transitions)

    def end(self, result: str) -> None:
        """Over; who was cancelled stays so [F 3]."""
        self.result = CANCELLED if self.result == CANCELLED else result
        self.move(COMPLETED)

    @property
    def artifacts(self) -> list[str]:
        """What it published, without the server's own folder."""
        found = (path.relative_to(self.store) for path in self.store.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if path.parts[0] != "cruise-output")

    def read(self, path: str) -> str:
        """The text of an artifact."""
        return (self.store / path).read_text("utf-8")


@dataclass(eq=False)
class StageRun:
    """One counter of a stage in a run."""

    definition: definitions.Stage
    run: PipelineRun
    counter: int
    approved_by: str
    rerun_of: int | None = None
    jobs: list[JobRun] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def done(self) -> bool:
        """Whether all its jobs are [F 3]."""
        return all(job.state == COMPLETED for job in self.jobs)

    @property
    def result(self) -> str:
        """Cancelled before Failed before Passed; Failed already when the first job fails [F 3, R 504, 516]."""
        results = {job.result for job in self.jobs}
        for result in (CANCELLED, FAILED, UNKNOWN):
            if result in results:
                return result
        return PASSED

    @property
    def passed(self) -> bool:
        return self.done and self.result == PASSED

    @property
    def locator(self) -> str:
        """What a dependency material shows as revision [R 254]."""
        return f"{self.run.name}/{self.run.counter}/{self.name}/{self.counter}"

    def job(self, name: str) -> JobRun:
        """The job of that name; KeyError if there is none."""
        return {job.name: job for job in self.jobs}[name]


@dataclass(frozen=True)
class Cause:
    """What a run is made of."""

    revision: str | None
    """The commit, of its own material or of what it depends on."""
    oldest: str | None
    """The first commit since the run before."""
    upstream: Mapping[str, StageRun]
    """By the name of the dependency material."""
    changed: frozenset[str]
    """Names of the materials that are newer than at the run before; the git material is `git`."""
    modifications: tuple[str, ...]
    """New commits, newest first [R 502]."""


@dataclass(eq=False)
class PipelineRun:
    """One counter of a pipeline."""

    definition: definitions.Pipeline
    counter: int
    label: str
    approver: str
    """`changes`, `timer`, or a user [R 172, 301]."""
    forced: bool
    cause: Cause
    overrides: tuple[definitions.Variable, ...] = ()
    stages: list[StageRun] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def revision(self) -> str | None:
        """The commit that it runs on."""
        return self.cause.revision

    @property
    def upstream(self) -> Mapping[str, StageRun]:
        """The stages that it depends on, by the name of the material."""
        return self.cause.upstream

    def counters(self, stage: str) -> Sequence[StageRun]:
        """All counters of a stage."""
        return [found for found in self.stages if found.name == stage]

    def stage(self, name: str) -> StageRun:
        """The latest counter of a stage; KeyError if it hasn't run."""
        found = self.counters(name)
        if not found:
            raise KeyError(f"{self.name}/{self.counter}: the stage {name!r} has not run")
        return found[-1]

    @property
    def results(self) -> dict[str, str]:
        """The latest result of each stage that ran."""
        return {stage.name: stage.result for stage in self.stages}

    @property
    def passed(self) -> bool:
        """Whether all stages ran and passed."""
        return [self.results.get(stage.name) for stage in self.definition.stages] == [PASSED] * len(
            self.definition.stages
        )

    @property
    def jobs(self) -> list[JobRun]:
        """The jobs of the latest counters, in order."""
        return [job for name in self.results for job in self.stage(name).jobs]

    def job(self, name: str) -> JobRun:
        """The job of that name in the latest counters; KeyError if none ran."""
        return {job.name: job for job in self.jobs}[name]
