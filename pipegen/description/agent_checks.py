"""What agents that share nothing but a commit and a DVC remote can't do, told before a server tries it.

What they can do of which stage, and what shows only when it runs, stands in `docs/agents.md`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipegen.description.model import Pipeline
from pipegen.description.output_checks import overlap
from pipegen.description.places import Stages, out_problem
from pipegen.description.stages import DVC_FILE, Out, ResolvedStage
from pipegen.dvc.load import load
from pipegen.errors import PipegenError, Problem

NO_SERVER = "dvc"
"""The target that no server reads."""


def on_agents(pipeline: Pipeline, stages: Stages, folder: Path) -> list[Problem]:
    """Every stage, and the remote, that would fail or go wrong on the agents of a server.

    Args:
        pipeline: the description.
        stages: its stages, as `resolve` gives them.
        folder: the folder it lies in; DVC's configuration, lock files and `.dvc` files there are looked at.
    """
    if not pipeline.workflows or not set(pipeline.targets) - {NO_SERVER}:
        return []
    root = _dvc_root(folder)
    return [
        *_outside(stages),
        *_elsewhere(pipeline, stages, root),
        *_not_pushed(stages),
        *_frozen(stages, folder),
        *_without_data(stages, folder),
        *_versioned(pipeline, root),
    ]


def _outside(stages: Stages) -> Iterator[Problem]:
    for stage, out in _outs(stages):
        if "://" in out.path:
            message = f"{stage.address!r} writes {out.path!r}, which all builds share: no agent can tell whose it is"
            yield out_problem(
                stage, out, message, "write a file here, which DVC keeps; a later stage may upload it"
            )


def _elsewhere(pipeline: Pipeline, stages: Stages, root: Path | None) -> Iterator[Problem]:
    named = [(stage, out) for stage, out in _outs(stages) if out.remote]
    if not named:
        return
    from pipegen.dvc.settings import remote_of

    asked = str(pipeline.data.remote.name) if pipeline.data.remote else None
    used = remote_of(root, asked)[0] if root else asked
    for stage, out in named:
        if out.remote != used:
            message = f"{stage.address!r} keeps {out.path!r} on the remote {out.remote!r}; agents have one, {used!r}"
            yield out_problem(stage, out, message, "remove `remote`, or name that remote under `data`")


def _not_pushed(stages: Stages) -> Iterator[Problem]:
    for stage, out in _outs(stages):
        if out.push:
            continue
        for reader in stages.values():
            together = stage.ci.group is not None and reader.ci.group == stage.ci.group
            if not together and any(overlap(out.path, dep) for dep in reader.deps):
                message = f"{stage.address!r} keeps {out.path!r} to itself (`push: false`), "
                message += f"and {reader.address!r} reads it"
                yield out_problem(stage, out, message, "remove `push: false`, or put both into one `group:`")
                break


def _frozen(stages: Stages, folder: Path) -> Iterator[Problem]:
    for stage in stages.values():
        if not stage.frozen:
            continue
        from pipegen.dvc.lockfile import LockFile

        file, _, name = stage.address.rpartition(":")
        path = f"{(file or DVC_FILE).removesuffix('.yaml')}.lock"
        try:
            known = name in LockFile(str(folder / path)).entries
        except PipegenError:
            continue  # a lock file that can't be read is told by whoever needs it
        if not known:
            message = f"{stage.address!r} is frozen, and {path} has no result of it to take"
            yield stage.problem(("frozen",), message, f"run it once without `frozen`, and commit {path}")


def _without_data(stages: Stages, folder: Path) -> Iterator[Problem]:
    """Imports of which only the address is known yet: `dvc pull` brings none of them."""
    made = {out.path for _, out in _outs(stages)}
    empty: dict[str, bool] = {}
    for stage in stages.values():
        for index, dep in enumerate(stage.deps):
            if dep in made or "://" in dep:
                continue
            for path in _with_parents(dep):
                if path not in empty:
                    file = os.path.join(folder, f"{path}.dvc")
                    empty[path] = os.path.exists(file) and _has_no_data(Path(file))
                if empty[path]:
                    message = f"{stage.address!r} reads {dep!r}, of which {path}.dvc has only the address"
                    hint = f"`dvc update {path}.dvc` and `dvc push` bring the data; commit {path}.dvc"
                    yield stage.problem(("deps", index), message, hint)


def _versioned(pipeline: Pipeline, root: Path | None) -> Iterator[Problem]:
    if root is None:
        return
    from pipegen.dvc.settings import remote_of

    remote = pipeline.data.remote
    name, options = remote_of(root, str(remote.name) if remote else None)
    flags = [word for word in ("version_aware", "worktree") if _is_on((options or {}).get(word))]
    if flags:
        message = (
            f"the DVC remote {name!r} is cloud versioned (`{flags[0]}`): it has no place for results by hash"
        )
        at = ("data", "remote", "name") if remote else ("name",)
        hint = "name a plain remote under `data: {remote: …}`, another folder of the same bucket will do"
        yield pipeline.source.problem(at, message, hint, key=not remote)


def _outs(stages: Stages) -> Iterator[tuple[ResolvedStage, Out]]:
    return ((stage, out) for stage in stages.values() for out in stage.outs)


def _with_parents(path: str) -> Iterator[str]:
    while path and path != "/":
        yield path
        path = path.rpartition("/")[0].rstrip("/")


def _has_no_data(file: Path) -> bool:
    try:
        content: Any = load(file.read_text(encoding="utf-8"))
        outs = content["outs"]
        return bool(content.get("deps")) and not any(
            {"md5", "etag", "files", "checksum"} & out.keys() for out in outs
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return False


def _is_on(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1", "yes", "on")


def _dvc_root(folder: Path) -> Path | None:
    here = folder.resolve()
    above = (here, *here.parents)
    return next((parent for parent in above if os.path.isfile(os.path.join(parent, ".dvc", "config"))), None)
