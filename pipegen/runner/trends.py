"""How long stages take over runs, and which got slower."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pipegen.runner.history import RECENT, PastRun

SLOWER = 1.25
"""A stage is slower if its last run took this many times as long as usual, and a second more."""


@dataclass(frozen=True)
class Trend:
    """One stage over its runs."""

    stage: str
    seconds: tuple[float, ...]
    """Of each run, oldest first."""

    @property
    def last(self) -> float:
        """Seconds of the last run."""
        return self.seconds[-1]

    @property
    def usual(self) -> float:
        """Seconds to expect: the median of the runs before the last one, at most the five most recent."""
        return statistics.median(self.seconds[:-1][-RECENT:] or self.seconds)

    @property
    def factor(self) -> float:
        """How many times longer than usual the last run took, where that means something; else 1."""
        slower = len(self.seconds) > 2 and self.last > self.usual * SLOWER and self.last > self.usual + 1
        return self.last / self.usual if slower and self.usual else 1.0


def trends(runs: Sequence[PastRun]) -> list[Trend]:
    """All stages that ever ran, the one that takes longest first."""
    seconds: dict[str, list[float]] = {}
    for run in runs:
        for stage, taken in run.stages.items():
            seconds.setdefault(stage, []).append(taken)
    found = [Trend(stage, tuple(taken)) for stage, taken in seconds.items()]
    return sorted(found, key=lambda trend: (-trend.last, trend.stage))
