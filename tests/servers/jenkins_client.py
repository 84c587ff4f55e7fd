"""A Jenkins client for a replay server, and what to give it."""

from __future__ import annotations

from pipegen.plan.deployment import Definition
from pipegen.servers.connection import Connection
from pipegen.servers.jenkins import Jenkins
from pipegen.servers.model import Place, RunRef
from tests.servers.exchanges import PASSWORD, USER, jenkins
from tests.servers.replay import ReplayServer


def client(server: ReplayServer, **settings: object) -> Jenkins:
    """A client for a replay, who waits for nothing."""
    words = {"user": USER, "secret": PASSWORD, "kind": "password", "patience": 0.0, **settings}
    return Jenkins(Connection(server="jenkins", url=f"{server.url}/jenkins", **words))  # type: ignore[arg-type]


def definition(name: str, **words: object) -> Definition:
    """A definition whose text is the one that was recorded."""
    return Definition(name=name, text=str(jenkins("10").body), workflows=("push",), **words)  # type: ignore[arg-type]


def place(name: str, folder: str = "", branch: str | None = None, **words: object) -> Place:
    """Where a recorded job is."""
    return Place(definitions=(definition(name, **words),), workflow="push", folder=folder, branch=branch)


def ref(name: str, number: int | None = None, ticket: str = "", **where: object) -> RunRef:
    """A build or a queue item of a recorded job."""
    return RunRef(place=place(name, **where), number=number, ticket=ticket)  # type: ignore[arg-type]
