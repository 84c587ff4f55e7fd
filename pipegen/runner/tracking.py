"""Where the runs of a pipeline are tracked: on its DVC remote, and in `.pipegen/runs/` those of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipegen.description.model import Pipeline
from pipegen.dvc.collect import find_root
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.run_records import Kept, RunRecords
from pipegen.dvc.stores import Folder, RemoteChoice, Store, open_store
from pipegen.errors import PipegenError, WorkspaceError
from pipegen.registry.runs import Runs
from pipegen.runner.gates.keeping import remote_store
from pipegen.runner.local_runs import name_of

LOCAL = "runs"
"""The folder in `.pipegen`."""


def runs_of(
    pipeline: Pipeline | None, folder: Path, notify: Callable[[str], None], *, only_here: bool = False
) -> Runs:
    """The runs of a pipeline, here and on its DVC remote.

    Args:
        pipeline: the description; None for a DVC repository without one.
        folder: where it lies, absolute.
        notify: told in a sentence when the remote can't be used, and of records that can't be.
        only_here: whether the remote is left alone.
    """
    places = [local_records(folder)]
    try:
        remote = None if only_here else _remote(pipeline, folder, notify)
    except RemoteError as error:
        remote = None
        notify(f"only runs of this machine are known: {error.message}")
    if remote is not None and remote.has_runs:
        remote.hurry()  # somebody waits, and the runs of this machine are an answer too
        places.append(RunRecords(remote))
    elif remote is not None:
        notify(f"only runs of this machine are known: {remote.shown} can't list files")
    return Runs(name_of(pipeline, folder), places, notify)


def local_records(folder: Path) -> RunRecords:
    """The runs of this machine in a description's folder."""
    return RunRecords(Folder(folder / ".pipegen", "this machine", lambda _: None), LOCAL)


def push(pipeline: Pipeline | None, folder: Path, notify: Callable[[str], None]) -> list[Kept]:
    """Send the runs of this machine to the remote, each once; the answer has those that were not there.

    Raises:
        RemoteError: the remote can't be reached, or refuses.
        PipegenError: there is none that can list files.
    """
    store = _remote(pipeline, folder, notify)
    if store is None or not store.has_runs:
        raise PipegenError(
            "runs can't be sent: "
            + (
                f"{store.shown} can't list files"
                if store
                else "no DVC remote is configured (`dvc remote add -d`)"
            )
        )
    name, remote, here = name_of(pipeline, folder), RunRecords(store), local_records(folder)
    missing = []
    for month in here.months(name):
        there = set(remote.of_month(name, month))
        missing += [kept for kept in here.of_month(name, month) if kept not in there]
    store.put({kept.path: str(folder / ".pipegen" / LOCAL / kept.below) for kept in missing})
    return missing


def _remote(pipeline: Pipeline | None, folder: Path, notify: Callable[[str], None]) -> Store | None:
    if pipeline is not None:
        return remote_store(pipeline, folder, notify)
    try:
        return open_store(find_root(folder), RemoteChoice(), notify)
    except WorkspaceError:
        return None
