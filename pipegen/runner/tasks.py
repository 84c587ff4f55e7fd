"""What the scheduler schedules: a stage, what it waits for, what it must not run beside, and its variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipegen.dvc.workspace import Workspace
from pipegen.errors import DescriptionError, Problem


@dataclass(frozen=True)
class Task:
    """One stage to bring up to date."""

    address: str
    needs: tuple[str, ...] = ()
    """Addresses that must be through before it begins."""
    mutexes: frozenset[str] = frozenset()
    """Names; of two tasks that share one, only one runs at a time."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables for its command, over those of the process."""


@dataclass(frozen=True)
class Extra:
    """What a description says of a stage beyond `dvc.yaml`; names what `meta.pipegen` names there."""

    after: tuple[str, ...] = ()
    mutexes: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def tasks_from(workspace: Workspace, extras: Mapping[str, Extra] | None = None) -> dict[str, Task]:
    """All stages of a workspace as tasks, in DVC's order.

    Args:
        workspace: where the stages are.
        extras: by address; a stage without one has what its own `meta.pipegen` says.

    Raises:
        DescriptionError: `after` names no stage.
    """
    given = extras or {}
    extra_of = {
        a: given[a] if a in given else _from_meta(stage.meta) for a, stage in workspace.stages.items()
    }
    tasks: dict[str, Task] = {}
    for address in workspace.order:
        extra = extra_of[address]
        reads = () if workspace.stages[address].frozen else workspace.needs[address]
        after = _after(workspace, address, extra.after)
        tasks[address] = Task(
            address, tuple(dict.fromkeys((*reads, *after))), frozenset(extra.mutexes), dict(extra.env)
        )
    return tasks


def _from_meta(meta: Mapping[str, Any]) -> Extra:
    said = meta.get("pipegen")
    if not isinstance(said, Mapping):
        return Extra()
    env = said.get("env")
    return Extra(
        _names(said.get("after")),
        _names(said.get("mutex")),
        {str(name): str(value) for name, value in env.items()} if isinstance(env, Mapping) else {},
    )


def _names(value: Any) -> tuple[str, ...]:
    items: Iterable[Any] = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item) for item in items)


def _after(workspace: Workspace, address: str, words: Iterable[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        meant = [other for other in workspace.matching(word) if other != address]
        if not meant:
            message = f"stage {address!r} is to run after {word!r}, which is no stage"
            raise DescriptionError([Problem(message, workspace.stages[address].file)])
        found += meant
    return found
