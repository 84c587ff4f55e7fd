"""The job that brings together the lock file of a build, and commits it where the description says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pipegen.description.model import Pipeline
from pipegen.description.stages import ResolvedStage
from pipegen.dvc.lockfile import write_atomically
from pipegen.dvc.workspace import Workspace
from pipegen.errors import PipegenError
from pipegen.plan import files
from pipegen.plan.build import trigger_of, workflow_of
from pipegen.runner.agent import lock_commit
from pipegen.runner.agent.build import Build, build_of
from pipegen.runner.agent.lock_commit import Sources
from pipegen.runner.agent.lock_files import entries_of, lock_texts, publish
from pipegen.runner.values import Values, stamp_of

Notify = Callable[[str], None]
RECORD = "record.json"


@dataclass(frozen=True)
class LockRecord:
    """What became of the lock file of a build."""

    outcome: Literal["published", "committed", "unchanged", "withheld"]
    """`unchanged`: the branch has it already. `withheld`: this build must not commit; `message` says why."""
    stages: tuple[str, ...]
    """The stages that the build ran or restored."""
    built: str
    """The commit that was built."""
    branch: str = ""
    commit: str = ""
    """The commit that was made."""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class LockTask:
    """One lock file to bring together.

    Args:
        pipeline: the description.
        stages: all its stages, by address.
        folder: its folder, absolute.
        place: the same relative to the repository's root.
        fragments: where the build's fragments are.
        commit: whether the lock file is committed.
        branch: where to; what the server says for None.
    """

    pipeline: Pipeline
    stages: Mapping[str, ResolvedStage]
    folder: Path
    place: str
    fragments: Path
    commit: bool = False
    branch: str | None = None

    @property
    def sources(self) -> Sources:
        """What of the repository the description is made of."""
        locks = tuple(dict.fromkeys(map(files.lock_file, self.stages)))
        return Sources(self.folder, self.place, files.outside(self.place, self.stages), locks)


def bring_together(task: LockTask, env: Mapping[str, str], notify: Notify) -> LockRecord:
    """Merge all fragments of a build into its lock files, publish them, and commit them if they are to be.

    Raises:
        RunFailed: a stage failed, or there is no fragment.
        PipegenError: whatever else stands against it.
    """
    build = build_of(task.folder, env)
    values = Values.read(task.fragments / Path(files.VALUES).name)
    entries = entries_of(task.fragments, task.stages, stamp_of(build.tree, values))
    texts = lock_texts(task.folder, entries, Workspace(task.folder).order)
    publish(task.folder, texts)
    record = LockRecord("published", tuple(entries), build.commit)
    if task.commit:
        why = _hindrance(task, build, values)
        record = (
            _with(record, outcome="withheld", message=why)
            if why
            else _commit(task, record, texts, env, notify)
        )
    path = task.folder / files.LOCK / RECORD
    write_atomically(str(path), json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n")
    return record


def _commit(
    task: LockTask,
    record: LockRecord,
    texts: Mapping[str, str],
    env: Mapping[str, str],
    notify: Notify,
) -> LockRecord:
    branch = task.branch or lock_commit.branch_of(env)
    if not branch:
        raise PipegenError("the server does not say which branch this build came from: say --branch")
    made = lock_commit.commit(task.sources, texts, branch, notify)
    return _with(record, outcome="committed" if made else "unchanged", branch=branch, commit=made)


def _hindrance(task: LockTask, build: Build, values: Values | None) -> str:
    """Why this build commits no lock file; empty where it does."""
    if build.is_foreign:
        return "a pull request from outside commits nothing"
    if values and values.set:
        return "this run had values of its own, which are not those of the commit"
    triggers = (trigger_of(workflow_of(task.pipeline, name)).kind for name in build.workflows)
    if {"push", "pull_request"} & set(triggers) and task.sources.is_lock_commit():
        return "this is the build of a lock file that an earlier one committed"
    return ""


def _with(record: LockRecord, **changes: str) -> LockRecord:
    return LockRecord(**{**asdict(record), **changes})
