"""What servers are told and what they answer, as plain values: findings, changes, runs, logs.

States are those of `pipegen.records.run_view`, whose table says what each is called on which server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pipegen.plan.deployment import Definition
from pipegen.records.run_view import OVER, State


@dataclass(frozen=True, kw_only=True)
class About:
    """What a server says of itself."""

    version: str
    user: str
    """Who we are there; `anonymous` where it knows us not."""
    closed: str = ""
    """Why it starts nothing for now (quiet mode, maintenance mode), in a few words; empty where it works."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something on the server that stands against a deployment."""

    message: str
    """One line: what is missing or wrong there."""
    hint: str = ""
    """What to do about it."""
    serious: bool = True
    """Whether no run could succeed; `deploy` then stops unless it is told to go on."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What `deploy` would do to one thing on the server."""

    kind: Literal["create", "update", "delete", "unchanged", "refused"]
    name: str
    """As the server's users know it, with its folder."""
    what: str
    """What sort of thing it is: `folder`, `job`, `multibranch job`, `pipeline`, `config repository` …"""
    difference: str = ""
    """A unified difference, from the server to the description, in terms that people read."""
    reason: str = ""
    """For `refused`: why it must not be touched. For others: what else there is to say, or nothing."""
    definition: Definition | None = None
    """What is wanted; None for `delete`, and for things that are no definition."""
    seen: Any = field(default=None, repr=False, compare=False)
    """The client's own: what it saw (an ETag, a text), so that `apply` notices a concurrent edit."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a workflow runs on the server."""

    definitions: tuple[Definition, ...]
    """In order; the first is the one that is started. Several only where a workflow is several pipelines."""
    workflow: str
    folder: str = ""
    branch: str | None = None
    """Where there is one job for each branch: the branch."""


@dataclass(frozen=True, kw_only=True)
class RunRef:
    """One run, found again at any time: plain values that survive the process."""

    place: Place
    number: int | None = None
    """The build's number or the pipeline's counter; None until the server gives it one."""
    ticket: str = ""
    """What the server gave instead of a number: Jenkins' queue item, GoCD's last counter before the start."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the server shows of a run as one thing: Jenkins' stage, GoCD's job."""

    name: str
    """As the server calls it; for GoCD `stage/job`. A key of `Definition.parts`, or a thing of the server's own."""
    state: State
    definition: str = ""
    """The name of the definition it belongs to, where a run has several."""
    started: float | None = None
    """Seconds since 1970, UTC."""
    seconds: float | None = None
    """How long it took, or has been at it."""
    agent: str = ""
    url: str = ""
    """Its page on the server."""
    reason: str = ""
    """Why it waits, in the server's words."""
    id: str = ""
    """The server's own name for it, for `log` and `resume`."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a run waits for a person to answer."""

    id: str
    part: str
    """The part that goes on after it."""
    message: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as the server sees it now."""

    ref: RunRef
    """With the number, once there is one."""
    state: State
    label: str = ""
    """What the server calls it: `#12`, `1.4-12`."""
    url: str = ""
    started: float | None = None
    """Seconds since 1970, UTC."""
    seconds: float | None = None
    cause: str = ""
    """Who or what started it, in the server's words."""
    revision: str = ""
    """The commit."""
    reason: str = ""
    """Why it waits or failed, in the server's words: an unknown label, a lock, quiet mode."""
    parts: tuple[Part, ...] = ()
    """In the server's order; empty in lists of runs."""
    questions: tuple[Question, ...] = ()

    @property
    def over(self) -> bool:
        """Whether it changes no more."""
        return self.state in OVER

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.state == "passed"


@dataclass(frozen=True, kw_only=True)
class LogChunk:
    """A piece of a log."""

    text: str
    """Without the server's own marks and escapes; whole lines, but for the last piece."""
    position: str
    """Where the next piece begins; the client's own, to be given back to it as it is. `""` is the beginning."""
    more: bool
    """Whether there will be more."""
