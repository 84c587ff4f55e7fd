"""What happens during a run: events, from which progress is drawn and which `--json` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["ran", "restored", "verified", "unchanged", "failed", "skipped", "stopped"]
"""What became of a stage.

`restored`: its result came from DVC's run cache. `verified`: its data was hashed anew, nothing ran. `skipped`: a stage
that it needs failed, or the run ended first. `stopped`: interrupted.
"""

GOOD: frozenset[Outcome] = frozenset(("ran", "restored", "verified", "unchanged"))


@dataclass(frozen=True)
class RunStarted:
    """A run begins."""

    stages: tuple[str, ...]
    """Addresses, in the order in which DVC would go through them."""
    jobs: int
    """How many commands may run at once."""
    expected: float | None = None
    """Seconds if everything runs, by recorded durations; None where a stage never ran."""


@dataclass(frozen=True)
class StageStarted:
    """The command of a stage starts."""

    stage: str
    reasons: tuple[str, ...]
    commands: tuple[str, ...]
    log: str
    """Path of the file that its output goes to."""
    expected: float | None = None
    """Seconds it took before, as recorded."""


@dataclass(frozen=True)
class StageFinished:
    """A stage is through, one way or another."""

    stage: str
    outcome: Outcome
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    """Why it was not up to date."""
    message: str = ""
    """What went wrong."""
    log: str = ""
    tail: tuple[str, ...] = ()
    """The last lines of the log of a stage that failed."""


@dataclass(frozen=True)
class Notice:
    """Something a user should know: why the run waits, what was taken over from a killed run."""

    message: str


@dataclass(frozen=True)
class RunFinished:
    """A run is through."""

    seconds: float
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By address."""
    worked: float = 0.0
    """Seconds of all commands together."""
    critical: float = 0.0
    """Seconds of the longest way through the commands that ran: no schedule is shorter."""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether every stage is good."""
        return not self.interrupted and all(outcome in GOOD for outcome in self.outcomes.values())


Event = RunStarted | StageStarted | StageFinished | Notice | RunFinished


def as_json(event: Event) -> dict[str, Any]:
    """An event for `--json`: its fields, and its kind under `event` (`run_started`, `stage_finished`, …)."""
    name = type(event).__name__
    kind = "".join("_" + ch.lower() if ch.isupper() else ch for ch in name).lstrip("_")
    return {"event": kind, **asdict(event)}
