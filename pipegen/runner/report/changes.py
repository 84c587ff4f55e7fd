"""What is not as it was: commits by git; data, parameters and commands by the difference of two lock files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipegen.dvc.at_revision import git_file
from pipegen.dvc.load import load
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.needs import Outputs
from pipegen.dvc.stages import Stage
from pipegen.errors import WorkspaceError
from pipegen.git import git
from pipegen.records.report import Change, Changes, Commit

MOST_COMMITS = 30
_FORMAT = "--format=%H%x00%an%x00%s%x00"


def changes(
    folder: Path,
    since: str,
    base_commit: str,
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
) -> Changes:
    """What changed.

    Args:
        folder: the description's.
        since: what the base is, for people.
        base_commit: its commit; empty where it isn't known.
        before: the lock file of the base as `plain_entries` gives it; None where it isn't known.
        now: the same of this run.
    """
    missing: list[str] = []
    commits, more = list[Commit](), 0
    try:
        commits, more = _commits(folder, base_commit)
    except WorkspaceError:
        missing.append(
            f"The commits since then can't be told: git has no {base_commit[:10] or 'commit of it'} here."
        )
    if before is None or now is None:
        whose = "of then" if before is None else "of this run"
        missing.append(f"Data, parameters and commands can't be compared: no lock file {whose} is known.")
        before = now = {}
    return Changes(
        since=since,
        why_not=" ".join(missing),
        commits=tuple(commits),
        more_commits=more,
        data=tuple(_data(before, now)),
        params=tuple(_params(before, now)),
        commands=tuple(_commands(before, now)),
    )


def _commits(folder: Path, base: str) -> tuple[list[Commit], int]:
    if not base:
        raise WorkspaceError("there is no base")
    reach = (f"{base}..HEAD", "--no-merges")
    printed = git(folder, "log", _FORMAT, f"--max-count={MOST_COMMITS}", *reach)
    words = printed.split("\0")[:-1]
    found = [Commit(id=i.strip(), author=a, subject=s) for i, a, s in zip(*[iter(words)] * 3, strict=True)]
    whole = int(git(folder, "rev-list", "--count", *reach)) if len(found) == MOST_COMMITS else len(found)
    return found, whole - len(found)


# ---------------------------------------------------------------------------------------------- lock files


def plain_entries(
    entries: Mapping[str, Entry], stages: Mapping[str, Stage], folder: Path
) -> dict[str, dict[str, Any]]:
    """Lock entries as a report keeps them: the command, parameters, and the hashes of what was read and made.

    Args:
        entries: by address.
        stages: by address.
        folder: what paths are relative to.
    """
    outputs = Outputs(stages.values())
    found: dict[str, dict[str, Any]] = {}
    for address, entry in entries.items():
        stage = stages.get(address)
        if stage is None:
            continue
        deps, needs = {}, False
        for item in _items(entry, "deps"):
            target = os.path.normpath(os.path.join(stage.wdir, item["path"]))
            made = any(writer.name for writer in outputs.writers(target))
            needs = needs or made
            if not made:
                deps[_name(target, item["path"], folder)] = _hash(item)
        outs = {
            _name(os.path.normpath(os.path.join(stage.wdir, item["path"])), item["path"], folder): _hash(item)
            for item in _items(entry, "outs")
        }
        kinds = {_name(out.target, out.path, folder): out.kind for out in stage.outs}
        found[address] = {
            "cmd": entry.get("cmd") or "",
            "params": json.loads(json.dumps(entry.get("params") or {}, default=str)),
            "deps": deps,
            # what a stage brings in from outside; all else follows from it
            "outs": {} if needs else {path: said for path, said in outs.items() if kinds.get(path) == "outs"},
        }
    return found


def entries_at(folder: Path, commit: str, stages: Mapping[str, Stage]) -> dict[str, dict[str, Any]] | None:
    """The lock entries that git has at a commit; None where it has none."""
    entries: dict[str, Entry] = {}
    lock_files = {stage.lock_file for stage in stages.values() if stage.name}
    for path in lock_files:
        content = git_file(folder, commit, os.path.relpath(path, folder))
        try:
            data = load((content or b"").decode("utf-8")) if content else None
        except ValueError:
            continue
        said = data.get("stages") if isinstance(data, dict) else None
        for address, stage in stages.items():
            if stage.lock_file == path and isinstance(said, dict) and isinstance(said.get(stage.name), dict):
                entries[address] = said[stage.name]
    return plain_entries(entries, stages, folder) if entries else None


def _items(entry: Entry, word: str) -> Iterable[Mapping[str, Any]]:
    return [
        item
        for item in entry.get(word) or ()
        if isinstance(item, Mapping) and isinstance(item.get("path"), str)
    ]


def _name(target: str, path: str, folder: Path) -> str:
    return path if "://" in path else os.path.relpath(target, folder).replace(os.sep, "/")


def _hash(item: Mapping[str, Any]) -> list[Any]:
    said = item.get("md5") or item.get("etag") or item.get("checksum") or ""
    return [str(said), item["size"] if isinstance(item.get("size"), int) else -1]


def _data(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What was read from outside the pipeline, and is not as it was."""
    old, new = _paths(before), _paths(now)
    for path in sorted({*old, *new}):
        if old.get(path, [""])[0] != new.get(path, [""])[0]:
            yield Change(name=path, before=_size(old.get(path)), now=_size(new.get(path)))


def _paths(entries: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        path: said
        for entry in entries.values()
        for word in ("deps", "outs")
        for path, said in (entry.get(word) or {}).items()
        if isinstance(said, list) and len(said) == 2
    }


def _size(said: list[Any] | None) -> str:
    if said is None:
        return "not there"
    size = said[1]
    if not isinstance(size, int) or size < 0:
        return ""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} bytes"


def _params(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    old, new = _flat_params(before), _flat_params(now)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Change(name=name, before=old.get(name, "not there"), now=new.get(name, "not there"))


def _flat_params(entries: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries.values():
        for file, values in (entry.get("params") or {}).items():
            if isinstance(values, Mapping):
                found.update({f"{file}:{key}": text for key, text in _leaves(values)})
    return found


def _leaves(value: Any, before: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{before}.{key}" if before else str(key))
    else:
        yield before, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _commands(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for address in sorted({*before, *now}):
        old, new = (_command(each.get(address)) for each in (before, now))
        if old != new:
            yield Change(name=address, before=old, now=new)


def _command(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return "not there"
    cmd = entry.get("cmd") or ""
    return "; ".join(map(str, cmd)) if isinstance(cmd, list) else str(cmd)
