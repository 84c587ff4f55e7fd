"""The ways in which a stage can be brought up to date; a session tries them in order until one takes the stage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from pipegen.dvc.lockfile import Entry
from pipegen.dvc.shell import Command
from pipegen.dvc.stages import Stage


class Step(Enum):
    """What became of a stage when it was begun."""

    UNCHANGED = "unchanged"
    RESTORED = "restored"
    """Its result came from the run cache."""
    VERIFIED = "verified"
    """A frozen stage or a `.dvc` file: its data was hashed anew, nothing ran."""
    RUN = "run"
    """Its command is to be run now; then `finish` or `abandon` must be called."""
    BUSY = "busy"
    """Another process uses its files: begin it again later."""


class Unusual(Exception):
    """This way does not know this kind of stage; nothing was changed that the next way would miss."""


@dataclass(frozen=True)
class Taken:
    """A way has begun a stage."""

    step: Step
    entry: Entry | None = None
    """Its new entry in the lock file, where it is through already."""
    command: Command | None = None
    """What to run instead of the stage's own command."""
    locks_itself: bool = False
    """Whether that command takes DVC's locks on its own."""
    reason: str = ""
    """For BUSY: what it waits for."""
    loaded: Any = None
    """What the way wants to have back."""


class Way(Protocol):
    """Brings stages up to date, in two steps around the command."""

    def reasons(self, stage: Stage, entry: Entry) -> list[str]:
        """Why it is not up to date; none where it is."""

    def inputs(self, stage: Stage) -> Entry:
        """What it now reads, as its lock entry would say, and the paths of what it makes: the run cache's key.

        Empty where the run cache never keeps it.
        """

    def begin(self, stage: Stage, entry: Entry, *, force: bool) -> Taken:
        """All that comes before the command."""

    def finish(self, stage: Stage, entry: Entry, loaded: Any) -> Entry:
        """All that comes after it; the answer is the stage's entry for the lock file."""

    def abandon(self, stage: Stage, loaded: Any) -> None:
        """The command failed or was stopped."""
