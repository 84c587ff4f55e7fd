"""The results that stages are known to have, told without bringing any of their data here.

What a stage reads is taken from git's files here, and for what other stages make from what those are known to have
made. Where a run of its command on exactly that is in the commit's lock file or in the run cache, and all that it made
is on the remote, its result is known. Where only DVC itself could tell, it is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.fragments import MOST, Carried
from pipegen.dvc.hashing import Hasher
from pipegen.dvc.load import load
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.needs import Outputs
from pipegen.dvc.params import BadParams, ParamsFiles
from pipegen.dvc.runcache import folder_of, path_of
from pipegen.dvc.stages import Dep, Stage
from pipegen.dvc.stores import Store
from pipegen.dvc.wanted import Wanted, of_out
from pipegen.dvc.ways import Unusual


class Foresight:
    """See `Session.foresight`.

    Args:
        stages: all stages by address.
        store: the remote.
        hasher: hashes what git holds.
        params: reads parameters.
        scratch: a folder for small files of the remote.
    """

    def __init__(
        self, stages: Mapping[str, Stage], store: Store, hasher: Hasher, params: ParamsFiles, scratch: Path
    ) -> None:
        self._stages, self._store, self._hasher, self._params = stages, store, hasher, params
        self._scratch = scratch
        self._outputs = Outputs(stages.values())
        self._listings: dict[str, list[dict[str, Any]]] = {}

    def result(self, address: str, entries: Mapping[str, Entry], locked: Entry) -> Entry | None:
        """What a stage is known to have made, as its entry in the lock file; None where that is not known.

        Args:
            address: the stage.
            entries: by address, what those that it needs are known to have made.
            locked: what the commit's lock file says of it; empty where it says nothing.
        """
        stage = self._stages[address]
        if stage.always_changed or not stage.outs or any(o.persist or not o.is_local for o in stage.outs):
            return None
        if stage.frozen:
            return locked if locked and self._is_there(locked) else None
        try:
            key = folder_of(self._inputs(stage, entries))
        except (Unusual, BadParams, OSError, KeyError, TypeError, ValueError, yaml.YAMLError):
            return None
        if locked and folder_of(locked) == key and self._is_there(locked):
            return locked
        runs = self._runs(key) if self._is_remembered(stage) else iter(())
        return next((entry for entry in runs if self._is_there(entry)), None)

    def carried(self, address: str, entry: Entry, folder: Path) -> dict[str, Carried] | None:
        """What of a known result travels in its fragment; None where that is too large.

        Args:
            address: the stage.
            entry: its known result.
            folder: its paths are relative to this one.
        """
        stage, found = self._stages[address], dict[str, Carried]()
        travels = [out for out in stage.outs if not out.cache]
        paths = {out.path for out in travels}
        if sum(int(o.get("size") or 0) for o in entry.get("outs") or () if o.get("path") in paths) > MOST:
            return None
        for out in travels:
            item = of_out(stage, out, entry)
            for target, md5 in self._files(item):
                content = self._content(md5)
                if content is None:
                    return None
                found[os.path.relpath(target, folder).replace(os.sep, "/")] = Carried(
                    content, item.is_executable
                )
        return found

    # ------------------------------------------------------------------------------------------ what it reads

    def _inputs(self, stage: Stage, entries: Mapping[str, Entry]) -> Entry:
        """The part of the lock entry that decides about the run cache.

        Raises:
            Unusual: only DVC can tell.
        """
        deps = [self._dep(stage, dep, entries) for dep in sorted(stage.deps, key=lambda dep: dep.path)]
        params = {p.path: self._values(p.target, p.keys) for p in sorted(stage.params, key=lambda p: p.path)}
        return {
            "cmd": stage.cmd,
            **({"deps": deps} if deps else {}),
            **({"params": params} if params else {}),
            "outs": [{"path": path} for path in sorted(out.path for out in stage.outs)],
        }

    def _dep(self, stage: Stage, dep: Dep, entries: Mapping[str, Entry]) -> dict[str, Any]:
        if not dep.is_local:
            raise Unusual(dep.path)
        writers = list(self._outputs.writers(dep.target))
        if not writers:
            hashed = self._hasher.hash(dep.target)
            if hashed is None:
                raise Unusual(dep.path)
            return hashed.entry(dep.path)
        if len(writers) > 1:
            raise Unusual(dep.path)  # a folder in which outputs of several stages lie
        return {"path": dep.path, "hash": "md5", **self._made(dep, writers[0], entries)}

    def _made(self, dep: Dep, producer: Stage, entries: Mapping[str, Entry]) -> dict[str, Any]:
        """The hash of what one producer makes, or of a part of it, in the lock file's words."""
        out = next((o for o in producer.outs if _is_or_holds(o.target, dep.target)), None)
        if out is None or (producer.name and producer.address not in entries):
            raise Unusual(dep.path)
        item = of_out(producer, out, entries.get(producer.address) or {})
        if not item.md5:
            raise Unusual(dep.path)
        if dep.target != out.target:
            return {"md5": self._part(item, dep.target)}
        return {"md5": item.md5, **({"isexec": True} if item.is_executable else {})}

    def _part(self, item: Wanted, path: str) -> str:
        """The hash of a file in a folder, or of a folder in it."""
        part = os.path.relpath(path, item.target).replace(os.sep, "/")
        rows = self._rows(item.md5)
        exact = [str(row["md5"]) for row in rows if row["relpath"] == part]
        inside = [
            {"md5": str(row["md5"]), "relpath": str(row["relpath"]).removeprefix(f"{part}/")}
            for row in rows
            if str(row["relpath"]).startswith(f"{part}/")
        ]
        if exact:
            return exact[0]
        if not inside:
            raise Unusual(path)
        listing = json.dumps(sorted(inside, key=lambda row: row["relpath"]), sort_keys=True).encode()
        return hashlib.md5(listing, usedforsecurity=False).hexdigest() + ".dir"

    def _values(self, target: str, keys: tuple[str, ...]) -> dict[str, Any]:
        values = self._params.values(target, keys)
        if values is None or any(key not in values for key in keys):
            raise Unusual(target)
        return dict(sorted(values.items()))

    # ------------------------------------------------------------------------------------------ what the remote has

    @staticmethod
    def _is_remembered(stage: Stage) -> bool:
        """Whether the run cache keeps what it makes: DVC's rule."""
        return bool(stage.deps or stage.params) and all(o.cache or o.kind != "outs" for o in stage.outs)

    def _runs(self, folder: str) -> Iterator[Entry]:
        if not self._store.has_runs:
            return
        for name in self._store.names(folder):
            content = self._brought(f"{folder}/{name}")
            try:
                entry = load(content.decode()) if content is not None else None
                if isinstance(entry, dict) and path_of(entry) == f"{folder}/{name}":
                    yield entry
            except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
                continue  # damaged: it is not used

    def _is_there(self, entry: Entry) -> bool:
        """Whether all that a run made is on the remote. Of a folder the listing goes there last, so it tells of all."""
        hashes = [str(out.get("md5") or "") for out in entry.get("outs") or ()]
        paths = {_object_path(md5) for md5 in hashes}
        return bool(hashes) and all(hashes) and self._store.present(paths) == paths

    def _rows(self, md5: str) -> Sequence[dict[str, Any]]:
        if md5 not in self._listings:
            content = self._content(md5) if md5.endswith(".dir") else None
            if content is None:
                raise Unusual(md5)
            self._listings[md5] = json.loads(content)
        return self._listings[md5]

    def _files(self, item: Wanted) -> Iterator[tuple[str, str]]:
        if not item.md5.endswith(".dir"):
            yield item.target, item.md5
            return
        for row in self._rows(item.md5):
            yield f"{item.target}/{row['relpath']}", str(row["md5"])

    def _content(self, md5: str) -> bytes | None:
        """An object of the remote; None where that is something else."""
        content = self._brought(_object_path(md5))
        if content is None or hashlib.md5(content, usedforsecurity=False).hexdigest() != md5.removesuffix(
            ".dir"
        ):
            return None
        return content

    def _brought(self, path: str) -> bytes | None:
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            target = f"{folder}/file"
            return Path(target).read_bytes() if self._store.get(path, target) else None


def _is_or_holds(target: str, path: str) -> bool:
    return path == target or path.startswith(target + os.sep)


def _object_path(md5: str) -> str:
    return f"files/md5/{md5[:2]}/{md5[2:]}"
