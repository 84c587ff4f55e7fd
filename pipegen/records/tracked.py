"""A run as it is tracked: the records of all stages of one build, or of one run on somebody's machine, together."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from pipegen.records.run_view import State
from pipegen.records.showing import STATES, record_from_data
from pipegen.records.stage import StageRecord

_WHOLE = "pipegen_run"
"""The key that tells the record of a whole run; its value is the format's number."""
_FORMAT = 1


@dataclass(frozen=True)
class Data:
    """A file or folder that a run read or made."""

    role: Literal["read", "made"]
    """`read`: it was there before, or came from outside."""
    hash: str
    """As the lock file has it; empty where DVC keeps none."""
    size: int | None = None
    """Bytes, where they are known."""


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """All that is known of one run. See `tracked`."""

    id: str
    """Twelve hexadecimal digits."""
    experiment: str
    """The pipeline's name."""
    stages: tuple[StageRecord, ...]
    """The newest record of each stage, in the order in which they ended; at least one."""

    @property
    def is_local(self) -> bool:
        """Whether it ran on somebody's machine, for no server."""
        return not self.url and not self.workflows

    @cached_property
    def began(self) -> datetime | None:
        """When its first stage began."""
        return min(filter(None, (moment(each.started) for each in self.stages)), default=None)

    @property
    def started(self) -> str:
        """The same: ISO 8601, UTC; empty where it isn't known."""
        return self.began.isoformat(timespec="milliseconds") if self.began else ""

    @cached_property
    def seconds(self) -> float | None:
        """From the begin of its first stage to the end of its last."""
        ended = max(filter(None, (moment(each.ended) for each in self.stages)), default=None)
        return round((ended - self.began).total_seconds(), 3) if self.began and ended else None

    @property
    def state(self) -> State:
        """What became of it."""
        return state_of(each.outcome for each in self.stages)

    def _first(self, word: str) -> Any:
        """What all stages of a run say alike; an earlier version of pipegen may not have said it."""
        return next((value for each in self.stages if (value := getattr(each, word))), "")

    @property
    def user(self) -> str:
        """See `StageRecord`; so are the following."""
        return str(self._first("user"))

    @property
    def source(self) -> str:
        return str(self._first("source"))

    @property
    def commit(self) -> str:
        return str(self._first("commit"))

    @property
    def branch(self) -> str:
        return str(self._first("branch"))

    @property
    def hypothesis(self) -> str:
        return str(self._first("hypothesis"))

    @property
    def url(self) -> str:
        return str(self._first("url"))

    @property
    def workflows(self) -> tuple[str, ...]:
        return tuple(map(str, self._first("workflows") or ()))

    @property
    def agents(self) -> tuple[str, ...]:
        """The machines it ran on."""
        return tuple(dict.fromkeys(each.agent for each in self.stages if each.agent))

    @property
    def tags(self) -> dict[str, str]:
        return {str(key): str(value) for each in self.stages for key, value in each.tags.items()}

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that were fixed at its start by `set` and `inputs`, by `FILE:KEY`."""
        return {key: value for each in self.stages for key, value in each.values.items()}

    @cached_property
    def params(self) -> dict[str, Any]:
        """The parameters that its stages depend on, by `FILE:KEY`, and `values`."""
        found = dict(self.values)
        for each in self.stages:
            for file, content in (each.params or _mapping(each.lock.get("params"))).items():
                found.update(
                    {f"{_in_repository(each, str(file))}:{key}": leaf for key, leaf in leaves(content)}
                )
        return found

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What its metrics files hold, by `FILE:KEY`."""
        return {
            f"{file}:{key}": leaf
            for each in self.stages
            for file, content in each.metrics.items()
            for key, leaf in leaves(content)
        }

    @cached_property
    def commands(self) -> dict[str, str]:
        """What each stage runs, by address."""
        return {each.stage: _command(each.lock["cmd"]) for each in self.stages if each.lock.get("cmd")}

    @cached_property
    def data(self) -> dict[str, Data]:
        """All that it read and made, by path; a path that means two things is followed by the stage's name."""
        made = {
            _in_repository(each, item["path"])
            for each in self.stages
            for item in _items(each.lock.get("outs"))
        }
        found: dict[str, Data] = {}
        for each in self.stages:
            for word in ("deps", "outs"):
                for item in _items(each.lock.get(word)):
                    path = _in_repository(each, item["path"])
                    is_made = path in made or any(path.startswith(f"{other}/") for other in made)
                    if word == "deps" and is_made:
                        continue
                    data = Data("read" if word == "deps" else "made", _hash(item), _size(item))
                    name = path if found.get(path, data) == data else f"{path} ({each.stage})"
                    found[name] = data
        return found

    @cached_property
    def packages(self) -> dict[str, str]:
        """What is installed where its commands ran, with Python, DVC and pipegen; all versions where stages differ."""
        found: dict[str, list[str]] = {}
        for each in self.stages:
            for name, version in (*each.packages.items(), *each.versions.items()):
                versions = found.setdefault(str(name), [])
                if str(version) not in versions:
                    versions.append(str(version))
        return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}

    def as_data(self) -> dict[str, Any]:
        """All of it for `--json`."""
        return {
            "id": self.id,
            "experiment": self.experiment,
            "state": self.state,
            "started": self.started,
            "seconds": self.seconds,
            "user": self.user,
            "source": self.source,
            "commit": self.commit,
            "branch": self.branch,
            "workflows": list(self.workflows),
            "url": self.url,
            "agents": list(self.agents),
            "hypothesis": self.hypothesis,
            "tags": self.tags,
            "set": self.values,
            "params": self.params,
            "metrics": self.metrics,
            "data": {path: asdict(data) for path, data in self.data.items()},
            "commands": self.commands,
            "packages": self.packages,
            "stages": [
                {
                    "stage": each.stage,
                    "outcome": each.outcome,
                    "started": each.started,
                    "seconds": each.seconds,
                    "command_seconds": each.command_seconds,
                    "attempts": each.attempts,
                    "agent": each.agent,
                    "message": each.message,
                    "tests": each.tests,
                }
                for each in self.stages
            ],
        }


def tracked(id: str, experiment: str, records: Iterable[StageRecord]) -> TrackedRun:
    """A run out of its records; of a stage that has several, the newest counts.

    Raises:
        ValueError: there are none.
    """
    newest = {record.stage: record for record in sorted(records, key=lambda each: each.ended)}
    if not newest:
        raise ValueError("a run has at least one stage")
    order = sorted(newest.values(), key=lambda each: (each.ended, each.started))
    return TrackedRun(id=id, experiment=experiment, stages=tuple(order))


def state_of(outcomes: Iterable[str]) -> State:
    """What became of a run, by the outcomes of its stages."""
    known: Mapping[str, State] = dict(STATES.items())
    states = {known.get(outcome, "failed") for outcome in outcomes}
    for state in ("failed", "cancelled"):
        if state in states:
            return state
    return "passed"


# ---------------------------------------------------------------------------------------------- as JSON


def whole_run(common: Mapping[str, Any], stages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is kept of a run that has one record for all its stages.

    Args:
        common: fields of `StageRecord` that all stages have alike.
        stages: the others, of each stage.
    """
    return {_WHOLE: _FORMAT, **common, "stages": list(stages)}


def records_from_data(data: Any) -> list[StageRecord]:
    """The records in what is kept: of one stage, or of a whole run.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(data, Mapping) or _WHOLE not in data:
        return [record_from_data(data)]
    stages = data.get("stages")
    if data[_WHOLE] != _FORMAT or not isinstance(stages, list) or not stages:
        raise ValueError("this is no record of a run, or one of a later version of pipegen")
    if not all(isinstance(stage, Mapping) for stage in stages):
        raise ValueError("this is no record of a run")
    common = {field.name: data[field.name] for field in fields(StageRecord) if field.name in data}
    return [record_from_data({**common, **stage}) for stage in stages]


# ---------------------------------------------------------------------------------------------- taking apart


def leaves(value: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested mappings by their keys joined by dots; a list is one value."""
    if isinstance(value, Mapping) and (value or not before):
        for key, inner in value.items():
            yield from leaves(inner, f"{before}.{key}" if before else str(key))
    else:
        yield before, value


def moment(text: str) -> datetime | None:
    """A moment of a record; None where it has none, or one without a time zone."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("path"), str):
            yield item


def _in_repository(record: StageRecord, path: str) -> str:
    """A path as it is from the description's folder: a `dvc.yaml` in a subfolder writes its own."""
    folder, colon, _ = record.stage.rpartition("dvc.yaml:")
    return path if not colon or "://" in path else posixpath.normpath(posixpath.join(folder, path))


def _hash(item: Mapping[str, Any]) -> str:
    return str(item.get("md5") or item.get("etag") or item.get("checksum") or "")


def _size(item: Mapping[str, Any]) -> int | None:
    size = item.get("size")
    return size if isinstance(size, int) else None


def _command(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def as_text(value: Any) -> str:
    """A value so that equal ones have equal texts, and others have not: `1` is not `1.0`, nor `"1"`."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
