"""What on a GoCD server stands against a deployment: agents, environment, profiles, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pipegen.plan.deployment import Deployment, Need
from pipegen.servers.gocd.form import JSON
from pipegen.servers.gocd.known import Known
from pipegen.servers.model import Finding


def findings(deployment: Deployment, known: Known) -> Iterator[Finding]:
    """Everything that is missing, each once."""
    environment = deployment.options.get("environment", "")
    if environment and environment not in known.environments():
        yield Finding(
            message=f"there is no environment {environment!r}",
            hint="an administrator makes it under Admin > Environments and gives it agents",
        )
    yield from _agents(deployment, known.agents(), environment)
    for kind, check in (
        ("one_agent", _one_agent),
        ("elastic_profile", _profile),
        ("secret_config", _secrets),
    ):
        for need in deployment.needs:
            if need.kind == kind:
                yield from check(need, known, deployment)


def _agents(deployment: Deployment, agents: Sequence[JSON], environment: str) -> Iterator[Finding]:
    """For each set of resources that a job asks for, whether an agent has all of them."""
    enabled = [agent for agent in agents if agent["agent_config_state"] == "Enabled"]
    for wanted, jobs in _wanted(deployment).items():
        able = [agent for agent in enabled if wanted <= set(_resources(agent))]
        fit = [agent for agent in able if _serves(agent, environment)]
        live = [agent for agent in fit if agent["agent_state"] not in ("Missing", "LostContact")]
        has = f"has {' and '.join(sorted(wanted))}" if wanted else "exists"
        if not able:
            yield Finding(
                message=f"{_shown(jobs)} would wait for ever: no enabled agent {has}",
                hint="give an agent these resources under Agents, or enable one",
            )
        elif not fit:
            where = f"in the environment {environment!r}" if environment else "outside all environments"
            yield Finding(
                message=f"{_shown(jobs)} would wait for ever: no agent {where} {has}",
                hint="an agent in an environment works for that environment alone: move one under Agents",
            )
        elif not live:
            names = ", ".join(sorted(agent["hostname"] for agent in fit))
            yield Finding(
                message=f"{_shown(jobs)} will wait: of the agents that fit, none is connected ({names})",
                serious=False,
            )


def _wanted(deployment: Deployment) -> Mapping[frozenset[str], list[str]]:
    """The sets of resources, each with the jobs that ask for it; jobs on elastic agents have none."""
    found: dict[frozenset[str], list[str]] = {}
    for definition in deployment.definitions:
        for stage in json.loads(definition.text)["pipeline"]["stages"]:
            for job in stage["jobs"]:
                if not job.get("elastic_profile_id"):
                    found.setdefault(frozenset(job.get("resources") or ()), []).append(job["name"])
    return found


def _resources(agent: Mapping[str, Any]) -> Sequence[str]:
    """An elastic agent's part has no resources of its own."""
    return agent.get("resources") or ()


def _serves(agent: Mapping[str, Any], environment: str) -> bool:
    """An agent of environments works for them alone."""
    names = [each["name"] for each in agent.get("environments") or ()]
    return environment in names if environment else not names


def _one_agent(need: Need, known: Known, deployment: Deployment) -> Iterator[Finding]:
    holders = [agent["hostname"] for agent in known.agents() if need.name in _resources(agent)]
    if len(holders) > 1:
        yield Finding(
            message=f"{len(holders)} agents have the resource {need.name!r} ({', '.join(sorted(holders))}): "
            f"it is a mutex, and {_shown(need.by)} could run at once",
            hint="leave it to one agent",
        )


def _profile(need: Need, known: Known, deployment: Deployment) -> Iterator[Finding]:
    profiles = known.elastic_profiles()
    if profiles is None:
        yield _unseen("elastic agent profiles", f"whether there is {need.name!r}")
    elif need.name not in (profile["id"] for profile in profiles):
        yield Finding(
            message=f"there is no elastic agent profile {need.name!r}, which {_shown(need.by)} asks for",
            hint="an administrator makes it under Admin > Elastic Agents Configurations",
        )


def _secrets(need: Need, known: Known, deployment: Deployment) -> Iterator[Finding]:
    """GoCD takes a pipeline whose secrets don't exist; its jobs then fail before they begin."""
    configs = known.secret_configs()
    if configs is None:
        yield _unseen("secret configurations", f"whether {need.name!r} may be used here")
        return
    config = next((each for each in configs if each["id"] == need.name), None)
    if config is None:
        yield Finding(
            message=f"there is no secret configuration {need.name!r}; {_shown(need.by)} would fail at once",
            hint="an administrator makes it under Admin > Secret Management",
        )
    elif not _allowed(config.get("rules") or (), deployment.folder):
        yield Finding(
            message=f"the secret configuration {need.name!r} is not for the pipeline group {deployment.folder!r}",
            hint="an administrator adds the rule: allow refer pipeline_group " + deployment.folder,
        )


def _allowed(rules: Iterable[Mapping[str, Any]], group: str) -> bool:
    """The first rule that speaks of the group decides; without one it is denied."""
    for rule in rules:
        if rule["type"] in ("*", "pipeline_group") and fnmatchcase(group.lower(), rule["resource"].lower()):
            return bool(rule["directive"] == "allow")
    return False


def _unseen(what: str, unknown: str) -> Finding:
    return Finding(
        message=f"GoCD shows its {what} to administrators alone, so it is not known {unknown}", serious=False
    )


def _shown(jobs: Sequence[str]) -> str:
    """A few names of jobs."""
    names = list(dict.fromkeys(jobs))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
