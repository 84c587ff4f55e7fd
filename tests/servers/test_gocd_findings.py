"""What on a GoCD server stands against a deployment."""

from __future__ import annotations

import copy
from typing import Any

from pipegen.plan.deployment import Deployment, Need
from pipegen.servers.model import Finding
from tests.servers.exchanges import Exchange, gocd, skip_without_recordings
from tests.servers.gocd_client import client, deployment, pipeline
from tests.servers.replay import Script, any_order, serving

skip_without_recordings()

JSON = dict[str, Any]
AGENTS = gocd(270)
"""Two, both enabled and connected, outside all environments: `bench, linux` and `linux, second`."""


def agents(*changes: JSON) -> Exchange:
    """The recorded agents, each with changes."""
    found = copy.deepcopy(AGENTS.json())
    for agent, change in zip(found["_embedded"]["agents"], changes, strict=False):
        agent.update(change)
    return AGENTS.answered(200, found)


def listing(target: str, version: int, name: str, *entries: JSON) -> Exchange:
    """A list that no recording has; its path and version are in the server's own list of calls [R 009], its form is
    the manual's, and that of every recorded list."""
    accept = {"Accept": f"application/vnd.go.cd.v{version}+json"}
    return gocd(484).asked(target=target, headers=accept).answered(200, {"_embedded": {name: list(entries)}})


def secrets(*entries: JSON) -> Exchange:
    return listing("/go/api/admin/secret_configs", 3, "secret_configs", *entries)


def asking(*resources: str, name: str = "train", **job: Any) -> JSON:
    body = pipeline("house-push", name)
    body["stages"][0]["jobs"][0].update(resources=list(resources), **job)
    return body


def found(wanted: Deployment, *answers: Exchange) -> list[Finding]:
    with serving(Script(any_order(*answers))) as server:
        return list(client(server).check(wanted))


def test_agents_that_fit() -> None:
    assert found(deployment(asking("linux", "second")), AGENTS) == []


def test_no_agent_has_all_that_a_job_asks_for() -> None:
    """Each resource is there, on another agent."""
    (finding,) = found(deployment(asking("bench", "second")), AGENTS)
    assert finding.serious
    assert finding.message == "train would wait for ever: no enabled agent has bench and second"


def test_an_agent_in_an_environment_works_for_it_alone() -> None:
    environment = [{"name": "prod"}]
    (finding,) = found(deployment(asking("second")), agents({}, {"environments": environment}))
    assert "outside all environments" in finding.message
    there = gocd(373).answered(
        200, {"_embedded": {"environments": [{"name": "prod", "pipelines": [], "environment_variables": []}]}}
    )
    wanted = deployment(asking("second"), options={"environment": "prod"})
    assert found(wanted, agents({}, {"environments": environment}), there) == []
    (finding,) = found(wanted, agents(), there)
    assert "in the environment 'prod'" in finding.message


def test_agents_that_are_away_are_no_obstacle() -> None:
    (finding,) = found(deployment(asking("second")), agents({}, {"agent_state": "LostContact"}))
    assert not finding.serious
    assert finding.message == "train will wait: of the agents that fit, none is connected (bench-agent-2)"


def test_a_disabled_agent_is_none() -> None:
    (finding,) = found(deployment(asking("second")), agents({}, {"agent_config_state": "Disabled"}))
    assert finding.serious


def test_a_missing_environment() -> None:
    none = gocd(373).answered(200, {"_embedded": {"environments": []}})
    first, *_ = found(deployment(asking(), options={"environment": "prod"}), AGENTS, none)
    assert first.message == "there is no environment 'prod'"


def test_a_mutex_is_one_agents() -> None:
    need = Need(kind="one_agent", name="linux", by=("train", "test"))
    (finding,) = found(deployment(asking("linux"), needs=[need]), AGENTS)
    assert finding.message == (
        "2 agents have the resource 'linux' (bench-agent-1, bench-agent-2): it is a mutex, and train, test could run "
        "at once"
    )
    assert found(deployment(asking("second"), needs=[Need(kind="one_agent", name="second")]), AGENTS) == []


def test_elastic_profiles() -> None:
    need = Need(kind="elastic_profile", name="gpu", by=("train",))
    wanted = deployment(asking(elastic_profile_id="gpu"), needs=[need])
    profiles = listing("/go/api/elastic/profiles", 2, "profiles", {"id": "gpu"})
    assert found(wanted, AGENTS, profiles) == []
    (finding,) = found(wanted, AGENTS, profiles.answered(200, {"_embedded": {"profiles": []}}))
    assert finding.message == "there is no elastic agent profile 'gpu', which train asks for"


def test_secrets_must_be_there_and_for_this_group() -> None:
    """GoCD takes a reference to a missing secret config, and the job then fails before any agent [R 294]."""
    need = Need(kind="secret_config", name="vault", by=("a", "b", "c", "d", "e"))
    wanted = deployment(asking(), needs=[need])
    allow = {"directive": "allow", "action": "refer", "type": "pipeline_group", "resource": "ben*"}
    deny = {**allow, "directive": "deny", "resource": "bench"}
    assert found(wanted, AGENTS, secrets({"id": "vault", "rules": [allow]})) == []
    (missing,) = found(wanted, AGENTS, secrets())
    assert missing.message == (
        "there is no secret configuration 'vault'; a, b, c and 2 more would fail at once"
    )
    for rules in ([], [deny, allow]):
        (denied,) = found(wanted, AGENTS, secrets({"id": "vault", "rules": rules}))
        assert denied.message == "the secret configuration 'vault' is not for the pipeline group 'bench'"


def test_what_only_administrators_see_is_said() -> None:
    need = Need(kind="secret_config", name="vault", by=("train",))
    hidden = secrets().answered(403, {"message": "You are not authorized to access this resource!"})
    (finding,) = found(deployment(asking(), needs=[need]), AGENTS, hidden)
    assert not finding.serious
    assert "administrators alone" in finding.message


def test_all_descriptions_share_one_look() -> None:
    with serving(Script(AGENTS)) as server:
        gocd_client = client(server)
        for _ in range(3):
            assert gocd_client.check(deployment(asking("linux"))) == []
