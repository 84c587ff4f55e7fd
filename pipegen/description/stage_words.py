"""The words of a stage: DVC's own, and beside them `ci`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pipegen.description.check_words import Test
from pipegen.description.kinds import Duration, EnvName, Name, Path
from pipegen.description.words import dataclass, word

Env = dict[EnvName, str | int]
"""Environment variables. A number is taken as its digits; anything else is quoted."""
Commands = str | list[str]
"""One command, or several that run one after the other."""


@dataclass(frozen=True, kw_only=True)
class Ci:
    """What CI needs to know of a stage; kept in `dvc.yaml` as `meta.pipegen`, where DVC interpolates it."""

    agent: Name | None = word("The kind of machine, a name in `agents`.", None, shown="`defaults.agent`")
    timeout: Duration | None = word(
        "The longest it may take, by the wall clock.", None, shown="`defaults.timeout`, 1h"
    )
    retry: int | None = word("Further attempts after a failure.", None, shown="`defaults.retry`, 0")
    env: Env = word("Environment variables of its job.", {})
    secrets: list[Name] = word("Names in `secrets` that its command gets.", [])
    tests: list[Test] = word("Commands, or declared checks, that test what the stage made.", [])
    after: list[str] = word("Stages that must be done first although no data flows from them.", [])
    mutex: list[Name] = word("Names: two jobs with one in common never run at the same time.", [])
    group: Name | None = word(
        "Stages of one group share an agent and a job.", None, shown="a chain shares its agent"
    )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage, word for word as in `dvc.yaml`, and beside it `ci`."""

    cmd: Commands = word("The command, or a list of commands.")
    wdir: str | None = word("The folder in which it runs; its paths are relative to it.", None)
    matrix: dict[str, str | list[Any]] | None = word("One stage for each combination of these values.", None)
    desc: str | None = word("A description for people.", None)
    vars: list[str | dict[str, Any]] = word("Values for interpolation, of this stage alone.", [])
    deps: list[str] = word("Files and folders it reads.", [])
    params: list[str | dict[str, Any]] = word("Parameters it reads; `{file: [keys]}` for other files.", [])
    outs: list[str | dict[str, Any]] = word("Files and folders it writes.", [])
    metrics: list[str | dict[str, Any]] = word("Outputs that hold metrics.", [])
    plots: list[str | dict[str, Any]] = word("Outputs that hold plots.", [])
    frozen: bool = word("Never run it; its outputs stay as they are.", False)
    always_changed: bool = word("Run it each time.", False)
    meta: Any = word("Anything; DVC ignores it.", None)
    ci: Ci | None = word("What CI needs to know of it.", None)

    before_interpolation: ClassVar[bool] = True
    """`${…}` may stand for any plain value: DVC fills it in later."""


@dataclass(frozen=True, kw_only=True)
class Foreach:
    """Several stages from one definition, `NAME@ITEM` each."""

    foreach: list[Any] | dict[str, Any] | str = word("The items: a list, a map, or an interpolation of one.")
    do: Stage = word("The stage; `${item}` and `${key}` stand for the item.")

    @staticmethod
    def is_told_by(value: Mapping[str, Any]) -> bool:
        """Whether a mapping is meant as this rather than as a stage."""
        return "foreach" in value or "do" in value


@dataclass(frozen=True, kw_only=True)
class StagesFrom:
    """Stages from `dvc.yaml` files that exist already; pipegen never rewrites those."""

    from_: list[Path] = word("`dvc.yaml` files, or patterns of them.", spelled="from")

    @staticmethod
    def is_told_by(value: Mapping[str, Any]) -> bool:
        """Whether a mapping is meant as this rather than as stages, one of which may be called `from`."""
        return list(value) == ["from"] and isinstance(value["from"], (list, str))
