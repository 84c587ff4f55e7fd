"""What is kept of one stage that ran on an agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipegen.records.events import Outcome


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """What is kept of one stage that ran on an agent."""

    stage: str
    outcome: Outcome
    message: str = ""
    """What went wrong."""
    started: str = ""
    """ISO 8601, UTC; so is `ended`."""
    ended: str = ""
    seconds: float = 0.0
    """From the first step to the last."""
    command_seconds: float = 0.0
    """Of the command alone, all attempts together; 0 where none ran."""
    attempts: int = 0
    agent: str = ""
    user: str = ""
    """Who started the run, as the server knows them, else who wrote the commit: `Ada Lovelace <ada@example.com>`."""
    source: str = ""
    """Where the description lies: `REPOSITORY#FOLDER`; the folder alone where it names no repository."""
    commit: str = ""
    tree: str = ""
    branch: str = ""
    hypothesis: str = ""
    """What the run is to show: the `Hypothesis:` trailer of the commit, or what was given to `pipegen run`."""
    tags: dict[str, str] = field(default_factory=dict)
    """What people say of the run in words of their own."""
    workflows: tuple[str, ...] = ()
    url: str = ""
    """Of the build on its server."""
    job: str = ""
    """What GoCD calls the job."""
    run: str = ""
    """Equal for all stages of one build: twelve hexadecimal digits."""
    values: dict[str, Any] = field(default_factory=dict)
    """Parameters that the run fixed at its start, by `FILE:KEY`."""
    params: dict[str, Any] = field(default_factory=dict)
    """By file, as the lock file has them."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """By path."""
    lock: dict[str, Any] = field(default_factory=dict)
    """The entry of the lock file: hashes of all it read and made."""
    tests: dict[str, int] = field(default_factory=dict)
    """How many there are, failed, broke, were skipped."""
    fetched: dict[str, float] = field(default_factory=dict)
    """`objects`, `bytes`, `seconds`; so is `pushed`."""
    pushed: dict[str, float] = field(default_factory=dict)
    python: str = ""
    """The folder of the Python environment, which is named by what it is made of."""
    packages: dict[str, str] = field(default_factory=dict)
    """The versions of what is installed where its commands run, by normalized name."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of pipegen, DVC and Python."""
