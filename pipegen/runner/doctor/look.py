"""Looks at all that can go out of date. `look` tells the whole way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pipegen.description.model import Pipeline
from pipegen.dvc.collect import find_root
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.run_records import RunRecords
from pipegen.errors import WorkspaceError
from pipegen.runner.doctor.findings import Finding
from pipegen.runner.doctor.models import cache, models
from pipegen.runner.doctor.packages import packages
from pipegen.runner.doctor.schedules import schedules
from pipegen.runner.gates.keeping import kept_gates, remote_store

MODEL_AGE = 30.0
"""Days up to which a model in production is fresh where nobody says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Where to look, and what is old."""

    pipeline: Pipeline
    folder: Path
    """The description's, absolute."""
    place: str
    """The same relative to the repository's root."""
    repository: Path
    """The repository's root."""
    model_age: float = MODEL_AGE
    """Days up to which a model in production is fresh."""
    in_job: bool = False
    """Whether a CI server's job looks: its `python` is pipegen's own, and its cache is gone with the workspace."""


def look(where: Look, not_generated: Sequence[str], notify: Callable[[str], None]) -> Iterator[Finding]:
    """A finding for each thing that can go out of date. What can't be told is a finding too, no error.

    Args:
        where: what is looked at.
        not_generated: the generated files that are not what the description says.
        notify: told when the remote is waited for.
    """
    now = datetime.now(timezone.utc)
    yield _generated(not_generated)
    yield from models(where.pipeline, where.folder, where.place, now, where.model_age)
    python = where.pipeline.python
    if python is not None and python.requirements:
        files = [where.folder / path for path in python.requirements]
        version = str(python.version) if python.version else None
        yield from packages(files, version, os.environ.get("PATH"), in_job=where.in_job)
    try:
        yield from _schedules(where, now, notify)
    except (RemoteError, WorkspaceError) as error:
        yield Finding("schedules", "unknown", error.message)
    if not where.in_job:
        try:
            yield cache(find_root(where.folder), where.repository, now)
        except (RemoteError, WorkspaceError) as error:
            yield Finding("cache", "unknown", error.message)


def _generated(names: Sequence[str]) -> Finding:
    topic = "generated files"
    if names:
        said = f"not what the description says: {', '.join(names)}"
        return Finding(topic, "stale", said, "run `pipegen generate`")
    return Finding(topic, "fresh", "all are what the description says")


def _schedules(where: Look, now: datetime, notify: Callable[[str], None]) -> Iterator[Finding]:
    store = remote_store(where.pipeline, where.folder, notify)
    records = RunRecords(store) if store is not None and store.has_runs else None
    yield from schedules(where.pipeline, kept_gates(where.pipeline, where.folder, notify), records, now)
