"""Where the data of a model is: the lock file of a version names it, and DVC's cache or remote has it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipegen.dvc.at_revision import AtRevision
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.wanted import Wanted, of_out
from pipegen.dvc.workspace import Workspace
from pipegen.errors import FileError, PipegenError, os_error
from pipegen.registry.history import Version
from pipegen.runner.release.task import Notify, ReleaseTask


def model_in(task: ReleaseTask, workspace: Workspace, entries: Mapping[str, Entry]) -> Wanted:
    """The data of the model, by these lock entries.

    Raises:
        PipegenError: no stage makes it, or DVC does not keep it.
    """
    path = str(task.described.path)
    target = os.path.normpath(task.folder / path)
    for address, entry in entries.items():
        for out in workspace.stages[address].outs:
            inside = target.startswith(out.target + os.sep)
            if target != out.target and not inside:
                continue
            part = os.path.relpath(target, out.target).replace(os.sep, "/") if inside else ""
            found = of_out(workspace.stages[address], out, entry, part)
            if out.cache and found.md5:
                return found
            raise PipegenError(
                f"DVC does not keep {path}, which {address} makes: a model must be in its cache"
            )
    raise PipegenError(f"no stage of this run makes {path}, the model {task.model}")


def fetch(task: ReleaseTask, version: Version, target: Path, notify: Notify) -> None:
    """Put the model of a version in a place, whole or not at all; what is there is replaced.

    Args:
        task: the model.
        version: which one.
        target: a path that the model gets, absolute.
        notify: told what a user should know.

    Raises:
        RemoteError: the remote can't be reached, or has it not.
        FileError: it can't be written.
        PipegenError: the version's lock file does not name it.
    """
    workspace = Workspace(task.folder)
    path = str(task.described.path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=".pipegen-", dir=target.parent) as scratch,
            workspace.session(notify) as session,
        ):
            bearer = session.bearer(task.remote)
            found = AtRevision(task.folder, version.commit, workspace.stages, bearer).wanted(path)
            if found is None:
                raise PipegenError(f"the lock file of {version.tag.name} does not name {path}")
            bearer.bring([replace(found, target=f"{scratch}/model")])
            _replace(Path(scratch, "model", found.part), target)
    except OSError as error:
        raise os_error(error, "write", target) from None


def version_meant(task: ReleaseTask, word: str) -> Version:
    """The version of that number, or that is in the environment of that name.

    Raises:
        PipegenError: there is none.
    """
    history = task.registry.history(task.model)
    found = history.versions.get(word) or history.versions.get(f"v{word}")
    if found is not None:
        return found
    service = history.serving(word)
    if service is None:
        known = ", ".join([*reversed(list(history.versions)[-5:]), *history.environments])
        raise PipegenError(
            f"{task.model} has neither a version {word}, nor is one in an environment of that name; "
            + (f"there are {known}" if known else "none is registered yet")
        )
    return service.version


def _replace(source: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        if not source.is_dir():
            raise FileError(f"{target} is a folder: name the file that the model is to be")
        shutil.rmtree(target)
    os.replace(source, target)
