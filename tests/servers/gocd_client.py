"""A GoCD client for a replay server, and deployments to give it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipegen.plan.deployment import Definition, Deployment, Details, Need
from pipegen.servers.connection import Connection
from pipegen.servers.gocd import GoCD
from pipegen.servers.gocd.mark import marked
from pipegen.servers.model import Place
from tests.servers.exchanges import PASSWORD, USER, gocd
from tests.servers.replay import ReplayServer

JSON = dict[str, Any]
ORIGIN = "https://git.example.com/app.git#ml"


def client(server: ReplayServer, *, user: str = USER, secret: str = PASSWORD, patience: float = 0.0) -> GoCD:
    """A client that is `admin`, and gives up at once unless it is told to be patient."""
    kind = "password" if user else "token"
    return GoCD(
        Connection(
            server="gocd",
            url=f"{server.url}/go",
            user=user,
            secret=secret,
            kind=kind,  # type: ignore[arg-type]
            patience=patience,
            timeout=5.0,
        )
    )


def pipeline(name: str, *stages: str | JSON, **changes: Any) -> JSON:
    """A pipeline with these stages of one job each; without any, that of recording 524, the smallest."""
    found: JSON = copy.deepcopy(gocd(524).body["pipeline"])
    found["name"] = name
    if stages:
        found["stages"] = [stage if isinstance(stage, dict) else a_stage(stage, stage) for stage in stages]
    return {"environment_variables": [], **found, **changes}


def a_stage(name: str, *jobs: str, manual: bool = False) -> JSON:
    """A stage of some jobs."""
    tasks = [{"type": "exec", "attributes": {"command": "true"}}]
    return {
        "name": name,
        "approval": {
            "type": "manual" if manual else "success",
            "allow_only_on_success": manual,
            "authorization": {"roles": ["leads"] if manual else [], "users": []},
        },
        "jobs": [{"name": job, "tasks": tasks} for job in jobs],
    }


def definition(body: JSON, group: str = "bench", **changes: Any) -> Definition:
    """A definition of a pipeline."""
    workflow = body["name"].rpartition("-")[2]
    return Definition(
        name=body["name"],
        text=json.dumps({"group": group, "pipeline": body}),
        **{"workflows": (workflow,), **changes},
    )


def deployment(
    *bodies: JSON,
    name: str = "house",
    needs: Sequence[Need] = (),
    options: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Deployment:
    """A deployment of pipelines to the group `bench`."""
    return Deployment(
        pipeline=name,
        origin=ORIGIN,
        folder="bench",
        definitions=tuple(definition(body) for body in bodies),
        details=lambda: Details(files=files or {}, needs=tuple(needs)),
        options={"material": "git", **(options or {})},
    )


def place(*bodies: JSON) -> Place:
    """Where a workflow of these pipelines runs."""
    definitions = tuple(definition(body) for body in bodies)
    return Place(definitions=definitions, workflow=definitions[0].workflows[0], folder="bench")


def ours(body: JSON, group: str = "bench", origin: str = ORIGIN) -> JSON:
    """A pipeline as `deploy` sends it."""
    return marked({**body, "group": group}, origin)


def sent(body: JSON, group: str = "bench") -> JSON:
    """The body of the request that creates a pipeline."""
    whole = ours(body, group)
    return {"group": whole.pop("group"), "pipeline": whole}
