"""The classes of `pipegen.yaml`. What stands here is the grammar: reading, writing, the table in `docs/`
and the JSON Schema follow it.

All are plain frozen dataclasses that can be built in Python. Values of one server (`jenkins:`, `gocd:`
under targets,
agents, secrets, people) stay mappings here; the target that owns the word reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from pipegen.description.kinds import (
    Against,
    ArtifactName,
    Branch,
    Cron,
    Duration,
    EnvName,
    GitUrl,
    MailAddress,
    MailServer,
    Metric,
    Name,
    Parameter,
    Path,
    Percent,
    StageName,
    TimeZone,
    WebUrl,
)
from pipegen.description.source import Source
from pipegen.description.stage_words import Ci, Commands, Env, Foreach, Stage, StagesFrom
from pipegen.description.words import dataclass, word

PerServer = dict[Name, dict[str, Any]]
"""For each target its own words."""


@dataclass(frozen=True, kw_only=True)
class Python:
    """The Python environment that every agent makes once and keeps, by hash of version and requirement
    files."""

    version: str | None = word("Such as `3.11`.", None, shown="the agent's own")
    requirements: list[Path] = word("Requirement files.", [])


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What holds for each stage that doesn't say otherwise."""

    agent: Name | None = word("The kind of machine.", None, shown="the first of `agents`")
    timeout: Duration = word("The longest a stage may take.", Duration("1h"))
    retry: int = word("Further attempts after a failure.", 0)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """Environment variables whose values live in the CI server's own store; only who asks gets them."""

    env: list[EnvName] = word("The variables that hold it.")
    servers: PerServer = word("Where each server keeps it.", {}, spelled="*")


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A kind of machine, mapped once per server."""

    servers: PerServer = word("How each server names it.", {}, spelled="*")


@dataclass(frozen=True, kw_only=True)
class People:
    """A group of people, as each server knows them."""

    servers: dict[Name, Any] = word("How each server names them.", {}, spelled="*")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """The DVC remote through which agents share data."""

    name: Name = word("Its name in DVC's configuration.")
    url: str | None = word("Where it is, if DVC's configuration doesn't say.", None)
    secrets: list[Name] = word("Names in `secrets` that every job needs to reach it.", [])


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where data lives, and what becomes of the lock file of a build."""

    remote: Remote | None = word(
        "The DVC remote through which agents share data.", None, shown="DVC's default remote"
    )
    lock: Literal["artifact", "commit"] = word(
        "`artifact`: the build publishes `dvc.lock`; `commit`: it commits it.", "artifact"
    )


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that this pipeline makes; written to `dvc.yaml` as a DVC artifact."""

    path: Path = word("The file or folder that holds it.")
    desc: str | None = word("A description for people.", None)
    type: str | None = word("DVC's type of artifact.", "model")
    labels: list[str] = word("Words to find it by.", [])
    meta: Any = word("Anything.", None)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A condition on metrics that a build must meet."""

    metric: Metric = word("The metric: `FILE:PATH`, `*` for any key.")
    min: float | None = word("The least it may be.", None)
    max: float | None = word("The most it may be.", None)
    against: Against | None = word("What `max_increase` and `max_decrease` compare with.", None)
    model: ArtifactName | None = word(
        "The model that `against: production` means.",
        None,
        shown="the one that the workflow promotes, or the only one",
    )
    max_increase: float | Percent | None = word("The most it may be above `against`.", None)
    max_decrease: float | Percent | None = word("The most it may be below `against`.", None)
    compare: Metric | None = word("The metric that `max_gap` compares with.", None)
    max_gap: float | Percent | None = word(
        "The most the two may differ: overfit. A percentage is one of `compare`.", None
    )
    max_spread: float | Percent | None = word(
        "The most that the groups of a `*` may differ: bias. A percentage is one of their mean.", None
    )
    worst_min: float | None = word("The least that the worst group of a `*` may have.", None)
    worst_max: float | None = word("The most that the worst group of a `*` may have.", None)
    warn: bool = word("Only warn: a soft gate.", False)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A place where models are deployed."""

    deploy: Commands = word("The command that deploys.")
    verify: Commands | None = word("The command that tests what was deployed.", None)
    rollback: Commands | None = word("The command that brings back what was there before.", None)
    agent: Name | None = word("The kind of machine that deploys.", None, shown="`defaults.agent`")
    timeout: Duration | None = word("The longest it may take.", None, shown="`defaults.timeout`")
    env: Env = word("Environment variables of its job.", {})
    secrets: list[Name] = word("Names in `secrets` that its commands get.", [])


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The mail server for reports."""

    server: MailServer = word("`smtp://`, `smtps://` host and port.")
    from_: MailAddress = word("The sender.", spelled="from")
    secrets: list[Name] = word("Names in `secrets` that hold user and password.", [])


@dataclass(frozen=True, kw_only=True)
class Forge:
    """Where pull requests live, for comments."""

    type: Name = word("Whose API it speaks: `github`, `gitlab`, or another one that is installed.")
    url: WebUrl = word("Its address.")
    secrets: list[Name] = word("Names in `secrets` that hold the token.", [])


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """An MLflow server that records the runs."""

    url: WebUrl = word("Its address.")
    experiment: str | None = word("The experiment's name.", None, shown="the pipeline's name")
    secrets: list[Name] = word("Names in `secrets` that hold user and password or token.", [])


@dataclass(frozen=True, kw_only=True)
class Push:
    """A trigger: a commit reaches a branch."""

    branches: list[Branch] = word("The branches, or patterns of them.")


@dataclass(frozen=True, kw_only=True)
class On:
    """What starts a workflow: exactly one of `push` and `schedule`."""

    push: Push | None = word("A commit reaches a branch.", None)
    schedule: Cron | None = word("A time: five cron fields, `H` allowed.", None)
    timezone: TimeZone | None = word("The time zone of `schedule`.", None, shown="the server's own")


@dataclass(frozen=True, kw_only=True)
class Input:
    """A value that a person gives when starting a workflow."""

    sets: Parameter = word("The parameter that it sets.")
    default: str | int | float | bool = word("Its value when nobody says otherwise.")
    choices: list[str | int | float | bool] = word("The values it may have.", [])
    description: str | None = word("A sentence for the person who is asked.", None)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Who gets the report."""

    mail: list[MailAddress] = word("Mail addresses.", [])


@dataclass(frozen=True, kw_only=True)
class Promote:
    """Give a model version a name, and deploy it where the name is an environment."""

    model: ArtifactName = word("A name in `models`.")
    from_: Name | None = word(
        "Move the version with this name; without it, the version that this run made.", None, spelled="from"
    )
    to: Name = word("The name it gets; one of `environments` deploys it.")


@dataclass(frozen=True, kw_only=True)
class Approve:
    """A person must agree first."""

    by: Name = word("A name in `people`.")
    timeout: Duration | None = word("How long to wait for an answer.", None, shown="for ever")


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """One trigger's way through the pipeline."""

    on: On | Literal["pull_request", "manual"] = word("What starts it.")
    servers: list[Name] | None = word("The targets it is generated for.", None, shown="all of `targets`")
    branch: Branch | None = word("The branch it runs on, where its trigger names none.", None, shown="main")
    stages: list[str] | None = word(
        "The stages it runs (names, patterns), with all they need.", None, shown="all"
    )
    affected: bool | None = word(
        "On push and on pull requests: leave out the jobs that the change can't touch, as a first short job finds.",
        None,
        shown="`true` in a subfolder or with `lock: commit`",
    )
    set: dict[Parameter, str | int | float | bool] = word(
        "Parameters for its runs; `{date:%Y-%m}` is the date of the run.", {}
    )
    inputs: dict[EnvName, Input] = word("What a person is asked when starting it.", {})
    gates: Literal["all"] | list[Name] = word("The gates it must pass.", [])
    report: Report | None = word("Who gets the report.", None)
    comment: Literal["metrics"] | None = word("Comment the metric differences on the pull request.", None)
    promote: Promote | None = word("What becomes of the model.", None)
    approve: Approve | None = word("Who must agree before the promotion.", None)
    env: Env = word("Environment variables of all its jobs.", {})
    timeout: Duration | None = word("The longest a whole run may take.", None, shown="1d")


LintName = Literal[
    "undeclared-input",
    "unordered-input",
    "missing-outs",
    "never-cacheable",
    "no-set-e",
    "requirements-not-dep",
    "install-left-out",
    "install-unchecked",
    "unknown-metric",
]
"""The lints; `lints` says what each one looks for."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A whole description."""

    pipegen: Literal[1] = word("The version of this grammar.", 1)
    name: Name = word("The pipeline's name; servers see it.")
    owner: str | None = word("Who answers for it.", None)
    repository: GitUrl | None = word(
        "Where servers clone it from.", None, shown="required for GoCD and plain Jenkins jobs"
    )
    targets: PerServer = word(
        "What to generate, with each target's own words.",
        {"jenkins": {}, "gocd": {}},
        shown="Jenkins and GoCD, `levels`",
    )
    install: str | None = word(
        "The command that brings pipegen to an agent; pip checks the hash of `file:WHEEL#sha256=…`.", None
    )
    python: Python | None = word("The Python environment of every job.", None)
    setup: list[str] = word("Commands that each job runs first.", [])
    agents: dict[Name, Agent] = word("Kinds of machine.", {})
    defaults: Defaults = word("What holds for each stage that doesn't say otherwise.", Defaults())
    secrets: dict[Name, Secret] = word("Names of secrets; the values live in the server's store.", {})
    data: Data = word("Where data lives.", Data())
    env: Env = word("Environment variables of all jobs.", {})
    vars: list[str | dict[str, Any]] = word("DVC's values for interpolation.", [])
    stages: StagesFrom | dict[StageName, Stage | Foreach] = word(
        "The stages, or the `dvc.yaml` files that have them."
    )
    params: list[str] = word("DVC's top-level parameter files.", [])
    metrics: list[str] = word("DVC's top-level metrics.", [])
    plots: list[str | dict[str, Any]] = word("DVC's top-level plots.", [])
    artifacts: dict[ArtifactName, dict[str, Any]] = word("DVC's artifacts.", {})
    datasets: list[dict[str, Any]] = word("DVC's datasets.", [])
    ci: dict[str, Ci] = word(
        "`ci` by stage address, for stages that stand in `dvc.yaml` files; `train@*` for many.", {}
    )
    models: dict[ArtifactName, Model] = word("Models that this pipeline makes.", {})
    gates: dict[Name, Gate] = word("Conditions on metrics.", {})
    people: dict[Name, People] = word("Groups of people.", {})
    environments: dict[Name, Environment] = word("Places where models are deployed.", {})
    mail: Mail | None = word("The mail server for reports.", None)
    forge: Forge | None = word("Where pull requests live.", None)
    tracking: Tracking | None = word("An MLflow server.", None)
    tolerance: dict[Metric, float | Percent] = word("How far a reproduced metric may differ.", {})
    plain: list[str] = word("Where a value stands that looks like a secret and is none: `env.TOKEN_URL`.", [])
    lint: dict[LintName, bool] = word("`false` switches a lint off.", {})
    workflows: dict[Name, Workflow] = word("The ways through the pipeline, one trigger each.", {})

    source: Source = field(default_factory=Source, compare=False, repr=False)
    """Where it was read from, for messages; empty for one built in Python."""

    @classmethod
    def from_file(cls, path: str) -> Pipeline:
        """Read and check `pipegen.yaml`. Raises DescriptionError with every problem, FileError if it can't
        be read."""
        from pipegen.description.load import load

        return load(path)

    def to_yaml(self) -> str:
        """This description as `pipegen.yaml`: what was left out stays out; reading it again gives an equal
        description."""
        from pipegen.description.writing import to_yaml

        return to_yaml(self)

    def replace(self, **changes: Any) -> Pipeline:
        """A copy with some keys changed."""
        import dataclasses

        return dataclasses.replace(self, **changes)


def as_list(commands: Commands | None) -> list[str]:
    """Commands as a list: one command is a list of one."""
    if commands is None:
        return []
    return [commands] if isinstance(commands, str) else list(commands)


def env_text(env: Mapping[Any, str | int]) -> dict[str, str]:
    """Environment variables as text, as servers take them."""
    return {str(name): str(value) for name, value in env.items()}
