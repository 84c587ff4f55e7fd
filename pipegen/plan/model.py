"""What a target must know: jobs with their commands, files, needs and conditions. Server-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from pipegen.plan.graph import Graph

WORK = ".pipegen"
"""The folder, beside the description, for all that a job reads and writes of ours; it ignores itself in git."""
TOOL = f"{WORK}/tool"
"""The virtual environment that `install:` fills."""
VIEW = "view"
"""The step that draws the page of the run."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a job, shown by the server as a stage or task of its own."""

    name: str
    """What the server shows: a stage's address, or `gates`, `report` …"""
    command: tuple[str, ...]
    """The words of the command; no shell has seen them."""
    stage: str | None = None
    """The address of the pipeline's stage that it runs, if it runs one."""
    junit: str | None = None
    """The JUnit file that it writes, relative to the description."""
    always: bool = False
    """Whether it runs even if a step before it failed."""

    @property
    def draws(self) -> bool:
        """Whether all it does is to draw the page of the run: people are shown the page, not the step."""
        return self.name == VIEW


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A person must agree before the job starts."""

    by: str
    """A name in `people`."""
    message: str
    timeout: int | None
    """Seconds; None waits for ever."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What starts a workflow."""

    kind: Literal["push", "pull_request", "schedule", "manual"]
    branches: tuple[str, ...] = ()
    """For `push`: branches or patterns. For `schedule` and `manual`: the one branch it runs on."""
    schedule: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Input:
    """A value that a person gives at the start; an environment variable of its name."""

    name: str
    default: str
    choices: tuple[str, ...]
    description: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one agent does."""

    name: str
    agent: str | None
    """A name in `agents`; None where the description names none."""
    needs: tuple[str, ...]
    """Jobs that must be done first, without those that others imply."""
    reads: tuple[str, ...]
    """Small files of other jobs, relative to the description: fragments of direct needs."""
    writes: tuple[str, ...]
    """Small files for other jobs: the fragments of its stages. They exist whatever becomes of the job."""
    steps: tuple[Step, ...]
    artifacts: tuple[str, ...]
    """Files to keep for people: logs and records."""
    page: str | None = None
    """The page of the run that it leaves, relative to the description; None for a job before the stages."""
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    timeout: int
    """Seconds by the wall clock for the whole job; the server's own time-out is set above it."""
    retry: int
    """How often a lost agent is replaced."""
    mutexes: tuple[str, ...]
    approval: Approval | None = None
    deploys: str | None = None
    """The environment or name that it promotes to: two such jobs never run at once, and never in the wrong order."""
    workflows: tuple[str, ...] = ()
    """The workflows that it belongs to: it runs only for their triggers."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The addresses of the pipeline's stages that it runs."""
        return tuple(step.stage for step in self.steps if step.stage)

    @property
    def junit(self) -> tuple[str, ...]:
        """The JUnit files that it writes."""
        return tuple(step.junit for step in self.steps if step.junit)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What must happen for one workflow, or for several that share a file."""

    pipeline: str
    workflows: tuple[str, ...]
    triggers: Mapping[str, Trigger]
    """By workflow."""
    folder: str
    """The description's folder relative to the repository's root; `.` for the root itself."""
    install: str | None
    """The command that brings pipegen into the active virtual environment of a job."""
    inputs: tuple[Input, ...]
    timeout: int
    """Seconds for the whole run."""
    jobs: tuple[Job, ...]
    """Each after what it needs."""
    outside: tuple[str, ...] = field(default=())
    """Paths outside the description's folder on which stages depend, relative to the repository's root."""
    locks: tuple[str, ...] = ()
    """The lock files that its builds commit, relative to the repository's root."""

    @cached_property
    def graph(self) -> Graph:
        """The jobs and what each needs."""
        return Graph({job.name: job.needs for job in self.jobs})

    @cached_property
    def by_name(self) -> Mapping[str, Job]:
        """The jobs by name."""
        return {job.name: job for job in self.jobs}

    @property
    def levels(self) -> tuple[tuple[Job, ...], ...]:
        """Jobs that can run at once, level after level."""
        return tuple(tuple(self.by_name[name] for name in level) for level in self.graph.levels)

    @cached_property
    def producers(self) -> Mapping[str, Job]:
        """For each small file the job that writes it."""
        return {path: job for job in self.jobs for path in job.writes}

    @cached_property
    def digest(self) -> str:
        """A short hash of all that stands here: a generated file carries it, and the agent compares it."""
        import hashlib
        import json

        text = json.dumps(self, default=_fields_of, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_data(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        return {**asdict(self), "digest": self.digest}


def _fields_of(value: Any) -> dict[str, Any]:
    """A dataclass for `json`, one level at a time: several times faster than `asdict`, which copies what it finds."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
