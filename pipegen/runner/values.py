"""The values that a run fixes at its start: what its workflow sets, dates filled in, and what a person gave."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipegen.description.model import Input, On, Workflow
from pipegen.description.text import Parameter
from pipegen.dvc import fragments
from pipegen.dvc.lockfile import write_atomically
from pipegen.errors import FileError, PipegenError

_DATE = re.compile(r"\{date:([^{}]*)\}")
_ODD = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
"""Control characters, and what YAML 1.1 takes for a line's end and YAML 1.2 does not."""
_FALSE, _TRUE = ("false", "no", "off", "0"), ("true", "yes", "on", "1")


@dataclass(frozen=True)
class Values:
    """What stands in the file that all jobs of a run get."""

    workflow: str
    at: str
    """When they were fixed: ISO 8601 with its offset."""
    set: Mapping[str, Any] = field(default_factory=dict)
    """By `FILE:KEY`."""

    @property
    def stamp(self) -> bytes:
        """What distinguishes these values from others; when they were fixed does not."""
        return json.dumps(dict(self.set), sort_keys=True).encode()

    def write(self, path: Path) -> None:
        """Put them in a file. Raises FileError if it can't be written."""
        data = {"values": 1, "workflow": self.workflow, "at": self.at, "set": dict(self.set)}
        write_atomically(str(path), json.dumps(data, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> Values | None:
        """The values in a file; None where there is none. Raises FileError if it is something else."""
        if not path.exists():
            return None
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(data["workflow"]), str(data["at"]), dict(data["set"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(f"{path} is no file of a run's values: {error}") from None


def stamp_of(tree: str, values: Values | None) -> str:
    """What the fragments of a build are stamped with: its git tree, and the values that its run fixed, if any."""
    return fragments.stamp_of(tree, values.stamp if values and values.set else b"")


def fix(name: str, workflow: Workflow, env: Mapping[str, str], now: datetime | None = None) -> Values:
    """The values of one run of a workflow.

    Args:
        name: the workflow's name.
        workflow: what it sets and asks for.
        env: has what a person gave, each under its input's name; what is empty or missing has its default.
        now: the time of the run; the present one for None.

    Raises:
        PipegenError: a value that is no number where one is wanted, or none of the choices.
    """
    moment = (now or datetime.now(timezone.utc)).astimezone(_zone(workflow))
    found: dict[str, Any] = {}
    for parameter, value in workflow.set.items():
        found[_place(Parameter(parameter))] = _dated(value, moment)
    for variable, asked in workflow.inputs.items():
        found[_place(Parameter(asked.sets))] = _given(str(variable), asked, env.get(str(variable), ""))
    return Values(name, moment.isoformat(timespec="seconds"), found)


def _zone(workflow: Workflow) -> Any:
    """The zone of its schedule; None for this machine's own."""
    name = workflow.on.timezone if isinstance(workflow.on, On) else None
    if not name:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(str(name))
    except ZoneInfoNotFoundError:
        hint = "install the system's tzdata, or the Python package of that name"
        raise PipegenError(f"this machine does not know the time zone {name}: {hint}") from None


def _place(parameter: Parameter) -> str:
    return f"{os.path.normpath(parameter.file)}:{parameter.key}"


def _dated(value: Any, moment: datetime) -> Any:
    return _DATE.sub(lambda found: moment.strftime(found[1]), value) if isinstance(value, str) else value


def _given(name: str, asked: Input, text: str) -> Any:
    """What a person wrote, as a value of the kind that the default is."""
    if not text.strip():
        return asked.default
    if _ODD.search(text.strip()):
        raise PipegenError(
            f"the input {name} is {text!r}, with characters that not every parameters' file can hold"
        )
    value = _as(type(asked.default), name, text.strip())
    if asked.choices and value not in asked.choices:
        raise PipegenError(
            f"the input {name} is {text.strip()!r}, which is none of {', '.join(map(str, asked.choices))}"
        )
    return value


def _as(kind: type, name: str, text: str) -> Any:
    if kind is bool:
        if text.lower() in (*_TRUE, *_FALSE):
            return text.lower() in _TRUE
        raise PipegenError(f"the input {name} is {text!r}; true or false is expected")
    if kind in (int, float):
        try:
            return int(text)
        except ValueError:
            pass
        try:
            number = float(text)
        except ValueError:
            raise PipegenError(f"the input {name} is {text!r}; a number is expected") from None
        if number - number != 0:
            raise PipegenError(f"the input {name} is {text!r}; a finite number is expected")
        return number
    return text
