"""One module per CI server's API. A client deploys, starts, watches and steers the same way on every server.

Clients are found through the entry points `pipegen.servers`, under the name of the target whose definitions they take.
To write one, subclass `Server` and implement its abstract methods with the values of `pipegen.servers.model`:

- Take an `http.Http` in `__init__` (`Http(connection)`), and send everything through it: it has the time-outs, tries
  again what is safe to try again, and turns every failure into a `ServerError` with one line and the next step.
- Import `requests` and other heavy libraries within functions; `pipegen --help` never pays for them.
- Be safe to call from several threads: `deploy --all` shares one client. Ask once for what all descriptions share (the
  version, plugins, agents) and keep it.
- Writing twice must do what writing once does. Where an answer to a write is lost, look whether it was done before
  doing it again; where that can't be told, raise `ServerError` and say so. Never guess.
- Own only what carries our mark with `Deployment.origin`. `compare` says `refused` of everything else that stands in
  the way, and of what somebody edited since; `apply` raises `EditedOnServer` if it changed since `compare` saw it.
- Never print, log or raise the secret of a `Connection`.

The commands in `pipegen.cli` and the loops in `pipegen.servers.following` are written against this class alone.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar

from pipegen.errors import ServerError
from pipegen.installed import entry_points
from pipegen.plan.deployment import Definition, Deployment, Need
from pipegen.records.run_view import OVER, State
from pipegen.servers.connection import Connection
from pipegen.servers.model import (
    About,
    Change,
    Finding,
    LogChunk,
    Part,
    Place,
    Question,
    Run,
    RunRef,
)

__all__ = [
    "OVER",
    "About",
    "Change",
    "Connection",
    "Definition",
    "Deployment",
    "Finding",
    "LogChunk",
    "Need",
    "Part",
    "Place",
    "Question",
    "Run",
    "RunRef",
    "Server",
    "State",
    "load_server",
    "server_names",
]

ENTRY_POINTS = "pipegen.servers"


class Server(ABC):
    """One CI server. Every method may raise a `ServerError`, whose message needs no more words.

    Args:
        connection: its address and who we are there.
    """

    name: ClassVar[str]
    """As in `targets`, `pipegen.toml` and on the command line."""
    title: ClassVar[str]
    """As people write it: `Jenkins`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    # ------------------------------------------------------------------------------------------ the server

    @abstractmethod
    def about(self) -> About:
        """Its version, and who we are there. The first call of every command: says plainly what is wrong with the
        address or the credentials."""

    # ------------------------------------------------------------------------------------------ deploying

    @abstractmethod
    def check(self, deployment: Deployment) -> Sequence[Finding]:
        """What stands against the deployment on this server: plugins that are missing or too old, agents that nobody
        has, credentials that don't exist, files that the server's own linter or preflight rejects."""

    @abstractmethod
    def compare(self, deployment: Deployment, *, prune: bool = False) -> Sequence[Change]:
        """What `apply` would have to do, in this order; also what is unchanged, at one request for each at most.

        Args:
            deployment: what is wanted.
            prune: whether to look for what the description owned here and no longer has, and delete it.
        """

    @abstractmethod
    def apply(self, change: Change, *, force: bool = False) -> None:
        """Make one change of `compare`. Doing nothing for `unchanged` is right.

        Args:
            change: as `compare` returned it.
            force: overwrite a `refused` one all the same: somebody's edit is then lost.

        Raises:
            EditedOnServer: it is `refused`, or somebody changed it since `compare` looked.
        """

    # ------------------------------------------------------------------------------------------ running

    @abstractmethod
    def trigger(self, place: Place, inputs: Mapping[str, str]) -> RunRef:
        """Start a run, once. Returns as soon as the server took it; the run's number may come later, by `run`.

        Args:
            place: where.
            inputs: values by name, all of them in `Definition.inputs`.

        Raises:
            NotOnServer: it is not deployed.
        """

    @abstractmethod
    def run(self, ref: RunRef) -> Run:
        """The run as it is now, with its parts. A state in `OVER` is final: no part of it still works."""

    @abstractmethod
    def runs(self, place: Place, most: int) -> Sequence[Run]:
        """The last runs, newest first, without their parts. One that is queued comes first."""

    def latest(self, place: Place, number: int | None = None) -> RunRef:
        """The run of a number, or the newest one. Raises NotOnServer where there is none."""
        from pipegen.errors import NotOnServer

        if number is not None:
            return RunRef(place=place, number=number)
        newest = next(iter(self.runs(place, 1)), None)
        if newest is None:
            raise NotOnServer(
                f"{place.workflow} has not run on {self.title} yet; `pipegen trigger` starts it"
            )
        return newest.ref

    @abstractmethod
    def logs(self, run: Run) -> Sequence[str]:
        """The logs that together hold every line of all that runs, as names for `log`: of the whole run, or of each
        part. `watch` reads in them what `pipegen exec` says."""

    @abstractmethod
    def log(self, ref: RunRef, name: str, position: str = "") -> LogChunk:
        """The next piece of a log; at most some megabytes.

        Args:
            ref: the run, numbered.
            name: one of `logs`, or the name of a `Part`.
            position: where the piece before ended; `""` for the beginning.
        """

    # ------------------------------------------------------------------------------------------ steering

    @abstractmethod
    def approve(self, ref: RunRef, question: Question, *, accept: bool = True) -> None:
        """Answer a question of the run: go on, or end it."""

    @abstractmethod
    def cancel(self, ref: RunRef) -> None:
        """Stop a run, or take it out of the queue. Cancelling what is over does nothing."""

    @abstractmethod
    def resume(self, run: Run) -> RunRef:
        """Take up a run that ended badly: from the part that failed, or as a new run of the same revision."""

    def unlock(self, place: Place) -> None:
        """Free a lock that a dead run left behind."""
        raise ServerError(f"{self.title} has no lock of its own that a run could leave behind")


@cache
def _registered() -> Mapping[str, str]:
    return entry_points(ENTRY_POINTS)


def server_names() -> tuple[str, ...]:
    """The servers that there are clients for, pipegen's own first."""
    own = ("jenkins", "gocd")
    return (*(n for n in own if n in _registered()), *sorted(n for n in _registered() if n not in own))


def load_server(connection: Connection) -> Server:
    """The client for a connection. Raises ServerError if there is none of that name, or it can't be imported."""
    where = _registered().get(connection.server)
    if where is None:
        raise ServerError(
            f"there is no client for a server {connection.server!r}; there are {', '.join(server_names())}"
        )
    module, _, attribute = where.partition(":")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever somebody else's module raises on import
        message = (
            f"the client for {connection.server!r} ({where}) can't be loaded: {type(error).__name__}: {error}"
        )
        raise ServerError(message) from error
    server = cls(connection)
    if not isinstance(server, Server):
        raise ServerError(f"the client for {connection.server!r} ({where}) is no pipegen.servers.Server")
    return server
