"""The words of a description that belong to Jenkins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pipegen.description.words import dataclass, word

CredentialType = Literal["string", "file", "username_password", "ssh_key"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """`targets.jenkins`: how the Jenkinsfiles are laid out and where the jobs live."""

    layout: Literal["levels", "chain", "graph"] = word("How jobs are arranged.", "levels")
    folder: str | None = word("The folder of the jobs.", None, shown="the top of Jenkins")
    credentials: str | None = word("The id of the credentials that clone `repository`.", None)
    keep: int = word("Builds to keep.", 50)


@dataclass(frozen=True, kw_only=True)
class Agent:
    """`agents.NAME.jenkins`: an agent by label, or a container on one."""

    label: str | None = word("A label or an expression of labels.", None, shown="any agent")
    image: str | None = word("A container image in which the job runs (docker-workflow plugin).", None)
    args: str | None = word("Arguments for starting the container.", None)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """`secrets.NAME.jenkins`: credentials in Jenkins' own store."""

    id: str = word("The id of the credentials.")
    type: CredentialType = word(
        "What it holds: `string`, `file` and `ssh_key` (the key's file) fill one variable, `username_password` two.",
        "string",
    )

    @property
    def variables(self) -> int:
        """How many environment variables it fills."""
        return 2 if self.type == "username_password" else 1


People = list[str]
"""`people.NAME.jenkins`: users and groups who may approve."""

WORDS: Mapping[str, Any] = {"targets": Options, "agents": Agent, "secrets": Secret, "people": People}


class Words(NamedTuple):
    """This target's words of one description, read."""

    options: Options
    agents: Mapping[str, Agent]
    secrets: Mapping[str, Secret]
    people: Mapping[str, Sequence[str]]
