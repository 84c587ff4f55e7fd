"""The results of gates, kept: in the folder, and on the DVC remote under `pipegen/gates/WORKFLOW/`.

A file's name says when, of which commit and whether it passed, so that most are never read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipegen.dvc.stores import Folder, Store
from pipegen.errors import os_error
from pipegen.records import GateCheck, GateResult, GateRun
from pipegen.runner.history import own_folder

LOCAL = "@local"
"""The place of what a person asked for, which is no workflow's."""
MOST_LOCAL = 200
"""Results of one workflow that stay in the folder."""
_REMOTE = "pipegen/gates"


class KeptGates:
    """What is known of earlier results.

    Args:
        folder: the description's.
        store: the DVC remote; None where there is none, or it isn't to be asked.
    """

    def __init__(self, folder: Path, store: Store | None) -> None:
        self._own = folder / ".pipegen"
        self._here = Folder(self._own / "gates", str(self._own / "gates"), lambda _: None)
        self._store = store
        self._names: dict[str, dict[str, Store]] = {}

    def add(self, run: GateRun, *, push: bool) -> Path:
        """Keep a result; the answer is its file in the folder.

        Args:
            run: the result.
            push: also on the remote, if there is one.

        Raises:
            FileError: it can't be written.
            RemoteError: the remote can't be reached, or refuses.
        """
        text = json.dumps(asdict(run), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        name = _name_of(run, text)
        path = self._own / "gates" / (run.workflow or LOCAL) / name
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            own_folder(self._own)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
            for old in sorted(path.parent.glob("*.json"))[:-MOST_LOCAL]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise os_error(error, "write", path) from None
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        if push and self._store is not None:
            self._store.put({f"{_REMOTE}/{run.workflow or LOCAL}/{name}": str(path)})
        return path

    def newest_first(self, workflow: str, *, passed_only: bool = False) -> Iterator[GateRun]:
        """The results of a workflow (of people's own asking for the empty name); what can't be read is left out.

        Raises:
            RemoteError: the remote can't be reached.
        """
        for name, store in sorted(self._list(workflow or LOCAL).items(), reverse=True):
            if not passed_only or "-passed-" in name:
                yield from self._read(workflow or LOCAL, name, store)

    def of_commit(self, workflow: str, commit: str) -> Iterator[GateRun]:
        """The results of a workflow for one commit, the newest first."""
        for name, store in sorted(self._list(workflow or LOCAL).items(), reverse=True):
            if f"-{commit[:12]}-" in name:
                yield from self._read(workflow or LOCAL, name, store)

    def _list(self, workflow: str) -> dict[str, Store]:
        """By name, where each result is; the folder first, since it is nearer."""
        if workflow not in self._names:
            found: dict[str, Store] = {}
            if self._store is not None:
                found |= dict.fromkeys(self._store.names(f"{_REMOTE}/{workflow}"), self._store)
            found |= dict.fromkeys(self._here.names(workflow), self._here)
            self._names[workflow] = {name: at for name, at in found.items() if name.endswith(".json")}
        return self._names[workflow]

    def _read(self, workflow: str, name: str, store: Store) -> Iterator[GateRun]:
        own_folder(self._own)
        temporary = self._own / f".{secrets.token_hex(8)}.tmp"
        path = f"{workflow}/{name}" if store is self._here else f"{_REMOTE}/{workflow}/{name}"
        try:
            if store.get(path, str(temporary)):
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    yield _run_of(json.loads(temporary.read_text(encoding="utf-8")))
        finally:
            temporary.unlink(missing_ok=True)


def _name_of(run: GateRun, text: str) -> str:
    moment = "".join(ch for ch in run.at.partition("+")[0] if ch.isalnum())
    word = "passed" if run.passed else "failed"
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{moment}-{run.commit[:12] or 'none'}-{word}-{digest}.json"


def _run_of(data: dict[str, Any]) -> GateRun:
    gates = tuple(
        GateResult(**{**gate, "checks": tuple(GateCheck(**check) for check in gate["checks"])})
        for gate in data["gates"]
    )
    return GateRun(**{**data, "gates": gates})
