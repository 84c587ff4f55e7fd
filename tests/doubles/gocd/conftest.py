"""Repositories and servers for the tests of the GoCD double."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.gocd.agent import Agent
from tests.doubles.gocd.origin import Origin
from tests.doubles.gocd.server import GoCDDouble

Start = Callable[..., GoCDDouble]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """A repository with one commit."""
    found = Origin(tmp_path / "origin")
    found.commit({"readme.txt": "hello\n"}, "one")
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers, and ends them with the test."""
    servers: list[GoCDDouble] = []

    def one(repositories: dict[str, Path], *agents: Agent, **options: Any) -> GoCDDouble:
        folder = tmp_path / f"gocd-{len(servers)}"
        servers.append(GoCDDouble(folder, agents or [Agent("agent1", {"linux"})], repositories, **options))
        return servers[-1]

    yield one
    for server in servers:
        server.close()
