"""What a layout costs: how long a run of a plan would take, given how long its stages took before.

Plain arithmetic for people who choose; nothing generated depends on it. It assumes enough agents, all of them idle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipegen.plan.model import Job, Plan

Shape = Literal["levels", "chain", "needs"]
"""When a job may start: once the level before it is done, the job before it in the plan, or only what it needs."""


@dataclass(frozen=True)
class Timing:
    """How a server works through a layout."""

    shape: Shape
    overhead: float
    """Seconds from the end of one job to the start of one that waited for it, as measured on a real server."""

    @property
    def chains(self) -> bool:
        """Whether stages of a chain share a job."""
        return self.shape != "chain"


UNKNOWN = 60.0
"""Seconds that every stage is taken to need where none was ever timed."""


@dataclass(frozen=True)
class Durations:
    """How long each stage of a plan takes."""

    seconds: Mapping[str, float]
    """By address, for every stage."""
    recorded: int
    """How many of them were timed; the others are taken to need `guess`."""
    guess: float
    """The median of those that were timed, or `UNKNOWN`."""

    def of(self, job: Job) -> float:
        """Seconds of a job: its stages one after the other. What is no stage counts as nothing."""
        return sum(self.seconds[address] for address in job.stages)


def durations(plan: Plan, recorded: Mapping[str, float]) -> Durations:
    """Durations for every stage of a plan, from those recorded.

    Args:
        plan: the plan.
        recorded: seconds by address; may lack stages of the plan and hold others.
    """
    import statistics

    stages = [address for job in plan.jobs for address in job.stages]
    known = [recorded[address] for address in stages if address in recorded]
    guess = statistics.median(known) if known else UNKNOWN
    return Durations({address: recorded.get(address, guess) for address in stages}, len(known), guess)


def estimate(plan: Plan, timing: Timing, durations: Durations) -> float:
    """Seconds of wall time from the start of the first command to the end of the last.

    Args:
        plan: what runs, with chains that share a job or not, as `timing` says.
        timing: the layout.
        durations: how long its stages take.
    """
    overhead = timing.overhead
    work = {job.name: durations.of(job) for job in plan.jobs}
    if not work:
        return 0.0
    if timing.shape == "chain":
        return sum(work.values()) + overhead * (len(work) - 1)
    if timing.shape == "levels":
        longest = [max(work[job.name] for job in level) for level in plan.levels]
        return sum(longest) + overhead * (len(longest) - 1)
    return (
        max(plan.graph.remaining({name: seconds + overhead for name, seconds in work.items()}).values())
        - overhead
    )


def critical_path(plan: Plan, durations: Durations) -> tuple[str, ...]:
    """The addresses of the stages that decide how long a run takes at least, in their order."""
    weights = {job.name: durations.of(job) for job in plan.jobs}
    return tuple(
        address for name in plan.graph.critical_path(weights) for address in plan.by_name[name].stages
    )
