"""The words that GoCD owns in a description, and the checks that need two of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pipegen.description.model import Pipeline
from pipegen.description.reading import Reader
from pipegen.description.text import Name, Text, TimeZone
from pipegen.description.words import dataclass, word
from pipegen.errors import Problem


class Resource(Text):
    """A resource of an agent. The rule is the server's own answer to a wrong one."""

    form = "a resource (letters, digits, `_`, `-`, `.`, `|`, spaces)"
    pattern = r"[-A-Za-z0-9_.|][-A-Za-z0-9_.| ]*"


class SecretPart(Text):
    """What may stand in `{{SECRET:[config][key]}}`."""

    form = "the name of a secret (no brackets, no line breaks)"
    pattern = r"[^\[\]{}\s][^\[\]{}\r\n]*"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`targets.gocd`."""

    layout: Literal["levels", "pipelines"] = word(
        "`levels`: one pipeline whose stages are the levels of the graph; `pipelines`: one pipeline for each job.",
        "levels",
    )
    group: Name | None = word("The pipeline group.", None, shown="the pipeline's name")
    environment: Name | None = word("The GoCD environment whose agents run the jobs.", None)
    timezone: TimeZone | None = word("The server's own time zone: GoCD's timers know no other.", None)
    material: Literal["git", "configrepo"] = word(
        "`configrepo`: the jobs check out the repository that this file is read from, as the server knows it.",
        "git",
    )


@dataclass(frozen=True, kw_only=True)
class Agent:
    """`agents.NAME.gocd`: resources or an elastic profile; neither means any agent."""

    resources: list[Resource] = word("Resources that the agent must have, all of them.", [])
    elastic_profile: Name | None = word("The elastic agent profile.", None)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """`secrets.NAME.gocd`."""

    config: SecretPart = word("The server's secret config.")
    keys: list[SecretPart] = word("Its keys, one for each variable in `env`, in the same order.")


@dataclass(frozen=True, kw_only=True)
class People:
    """`people.NAME.gocd`: who may approve."""

    roles: list[str] = word("Roles.", [])
    users: list[str] = word("Users.", [])


WORDS: dict[str, type[Any]] = {"targets": Options, "agents": Agent, "secrets": Secret, "people": People}


def cross_checks(pipeline: Pipeline, target: str) -> Iterator[Problem]:
    """Mistakes that stand between two words: each word alone is right."""
    for section, path, value in _entries(pipeline, target):
        if section == "agents" and value.resources and value.elastic_profile:
            message = "a GoCD job has resources or an elastic profile, not both"
            yield pipeline.source.problem((*path, "elastic_profile"), message, "leave one of them out")
        if section == "secrets" and len(value.keys) != len(env := pipeline.secrets[Name(path[1])].env):
            message = f"{len(value.keys)} keys stand here for {len(env)} variables: {', '.join(env)}"
            yield pipeline.source.problem(
                (*path, "keys"), message, "one key for each variable, in the same order"
            )
        if section == "people" and not (value.roles or value.users):
            yield pipeline.source.problem(path, "nobody is named here", "name `roles` or `users`")


def _entries(pipeline: Pipeline, target: str) -> Iterator[tuple[str, tuple[str, str, str], Any]]:
    for section in ("agents", "secrets", "people"):
        for name, entry in getattr(pipeline, section).items():
            if target in entry.servers:
                path = (section, name, target)
                reader = Reader(pipeline.source)
                value = reader.read(WORDS[section], entry.servers[target], path)
                if not reader.problems:
                    yield section, path, value
