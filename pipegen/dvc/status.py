"""Whether a stage is up to date, and if not why, from the lock file and DVC's state alone.

The rules are DVC's: the command, each dependency's hash, each parameter's value, and of each output that it is in the
cache and in the workspace as the lock file says. Where only DVC's own code can tell, `Unusual` is raised.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipegen.dvc.cache import Cache
from pipegen.dvc.hashing import Hasher
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.params import BadParams, ParamsFiles
from pipegen.dvc.stages import Stage
from pipegen.dvc.ways import Unusual


class Status:
    """Judges stages.

    Args:
        folder: paths are shown from here.
    """

    def __init__(self, hasher: Hasher, params: ParamsFiles, cache: Cache, folder: Path) -> None:
        self._hasher, self._params, self._cache, self._folder = hasher, params, cache, folder

    def reasons(self, stage: Stage, entry: Entry) -> list[str]:
        """Why it is not up to date, the reason that DVC would find first coming first.

        Outputs are looked at only if there is no other reason: a run makes them anew.

        Raises:
            Unusual: only DVC can tell.
        """
        try:
            if not stage.name:
                return list(self._data(stage))
            if not entry and not stage.is_callback:
                return ["it never ran"]
            return list(self._inputs(stage, entry)) or list(self._outs(stage, entry))
        except (BadParams, OSError, KeyError, TypeError, AttributeError) as error:
            raise Unusual(str(error)) from None

    def _inputs(self, stage: Stage, entry: Entry) -> Iterator[str]:
        yield from self._command(stage, entry)
        if stage.frozen:
            return
        if stage.is_callback or stage.always_changed:
            yield "it always runs"
        else:
            yield from self._deps(stage, entry)

    def _command(self, stage: Stage, entry: Entry) -> Iterator[str]:
        before = entry.get("cmd")
        if entry and before != stage.cmd:
            yield f"its command was {_shown(before)} and is {_shown(stage.cmd)}"

    def _deps(self, stage: Stage, entry: Entry) -> Iterator[str]:
        locked = {item["path"]: item for item in entry.get("deps") or ()}
        for dep in stage.deps:
            if not dep.is_local:
                raise Unusual(dep.path)
            yield from self._content(dep.target, locked.get(dep.path), "it reads")
        for params in stage.params:
            now = self._params.values(params.target, params.keys)
            yield from self._values(
                params.path, params.keys, (entry.get("params") or {}).get(params.path), now
            )

    def _content(self, target: str, locked: Mapping[str, Any] | None, what: str) -> Iterator[str]:
        if locked and (locked.get("hash") != "md5" or "md5" not in locked):
            raise Unusual(target)
        now = self._hasher.hash(target)
        shown = os.path.relpath(target, self._folder)
        if now is None:
            yield f"{what} {shown}, which does not exist"
        elif not locked:
            yield f"{what} {shown}, which is new to it"
        elif now.md5 != locked["md5"]:
            yield f"{what} {shown}, which changed"

    @staticmethod
    def _values(
        path: str, keys: tuple[str, ...], before: Mapping[str, Any] | None, now: Mapping[str, Any] | None
    ) -> Iterator[str]:
        if now is None:
            yield f"its parameters' file {path} does not exist"
            return
        if before is None:
            yield f"parameters of {path} are new to it"
            return
        if keys:
            before = {key: before[key] for key in keys if key in before}
        for key in keys or dict.fromkeys([*now, *before]):
            if key not in now:
                yield f"parameter {key} is gone from {path}"
            elif key not in before:
                yield f"parameter {key} of {path} is new to it: {_shown(now[key])}"
            elif before[key] != now[key]:
                yield f"parameter {key} of {path} was {_shown(before[key])} and is {_shown(now[key])}"

    def _outs(self, stage: Stage, entry: Entry) -> Iterator[str]:
        locked = {item["path"]: item for item in entry.get("outs") or ()}
        for out in stage.outs:
            if not out.is_local:
                raise Unusual(out.path)
            known = locked.get(out.path)
            if known and out.cache and known.get("hash") == "md5" and not self._cache.has(known["md5"]):
                yield f"its output {out.path} is not in the cache"
            else:
                yield from self._content(out.target, known, "it makes")

    def _data(self, stage: Stage) -> Iterator[str]:
        """A `.dvc` file that holds the hash of what is beside it; imports are DVC's to judge."""
        content = stage.definition
        if stage.cmd or stage.deps or stage.frozen or content.get("deps") or content.get("md5"):
            raise Unusual(stage.address)
        locked = {item["path"]: item for item in content.get("outs") or ()}
        for out in stage.outs:
            known = locked[out.path]
            if not out.is_local or "files" in known or "cloud" in known or "md5" not in known:
                raise Unusual(out.path)
            if out.cache and not self._cache.has(known["md5"]):
                yield f"its data {out.path} is not in the cache"
            else:
                yield from self._content(out.target, known, "it holds")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = text.strip()
    return repr(text) if "\n" in text else text
