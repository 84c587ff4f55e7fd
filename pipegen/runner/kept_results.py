"""Results of runs, kept: here in `.pipegen/KIND/`, and on the DVC remote under `pipegen/KIND/PIPELINE/WORKFLOW/`.

A file's name says when, of which commit, whether it passed, and the SHA-256 of what it holds: so most are never read,
and one that was changed is found out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pipegen.dvc.stores import Folder, Store
from pipegen.errors import os_error
from pipegen.runner.history import own_folder

LOCAL = "@local"
"""The place of what a person asked for, which is no workflow's."""
MOST_LOCAL = 200
"""Results of one workflow that stay in the folder."""
_NAME = re.compile(r"[0-9T]+-(?P<commit>[0-9a-z]+)-(?P<word>passed|failed)-(?P<digest>[0-9a-f]{64})\.json")


class Result(Protocol):
    """What can be kept: a dataclass with these fields among others."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def at(self) -> str:
        """ISO 8601, UTC."""

    @property
    def commit(self) -> str:
        """Empty where there is none."""

    @property
    def passed(self) -> bool:
        """Whether the run was good."""

    @property
    def workflow(self) -> str:
        """Empty for what a person asked for."""


R = TypeVar("R", bound=Result)


class KeptResults(ABC, Generic[R]):
    """What is known of earlier results.

    Args:
        pipeline: its name.
        folder: the description's.
        store: the DVC remote; None where there is none. One that can't list what it has (HTTP) keeps nothing.
    """

    kind: ClassVar[str]
    """The name of the folders."""

    def __init__(self, pipeline: str, folder: Path, store: Store | None) -> None:
        self._remote = f"pipegen/{self.kind}/{pipeline}"
        self._own = folder / ".pipegen"
        here = self._own / self.kind
        self._here = Folder(here, str(here), lambda _: None)
        self._store = store if store is not None and store.has_runs else None
        self._names: dict[str, dict[str, Store]] = {}
        self._runs: dict[tuple[str, str], list[R]] = {}

    @abstractmethod
    def read(self, data: Any) -> R:
        """The result out of its JSON. Raises ValueError, KeyError or TypeError if it is none."""

    def add(self, run: R, *, push: bool) -> Path:
        """Keep a result; the answer is its file in the folder.

        Args:
            run: the result.
            push: also on the remote, if there is one.

        Raises:
            FileError: it can't be written.
            RemoteError: the remote can't be reached, or refuses.
        """
        text = _text_of(run)
        name = _name_of(run, text)
        path = self._own / self.kind / (run.workflow or LOCAL) / name
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
            self._store.put({f"{self._remote}/{run.workflow or LOCAL}/{name}": str(path)})
        return path

    def newest_first(self, workflow: str, *, passed_only: bool = False) -> Iterator[R]:
        """The results of a workflow (of people's own asking for the empty name); what can't be read is left out.

        Raises:
            RemoteError: the remote can't be reached.
        """
        for name, store in sorted(self._list(workflow or LOCAL).items(), reverse=True):
            if not passed_only or "-passed-" in name:
                yield from self._read(workflow or LOCAL, name, store)

    def all(self) -> Iterator[R]:
        """All results of all workflows, in no order.

        Raises:
            RemoteError: the remote can't be reached.
        """
        workflows = set(self._here.names(""))
        if self._store is not None:
            workflows |= set(self._store.names(self._remote))
        for workflow in sorted(workflows):
            yield from self.newest_first(workflow)

    def of_commit(self, workflow: str, commit: str) -> Iterator[R]:
        """The results of a workflow for one commit, the newest first."""
        for name, store in sorted(self._list(workflow or LOCAL).items(), reverse=True):
            if f"-{commit[:12]}-" in name:
                yield from (run for run in self._read(workflow or LOCAL, name, store) if run.commit == commit)

    def _list(self, workflow: str) -> dict[str, Store]:
        """By name, where each result is; the folder first, since it is nearer."""
        if workflow not in self._names:
            found: dict[str, Store] = {}
            if self._store is not None:
                found |= dict.fromkeys(self._store.names(f"{self._remote}/{workflow}"), self._store)
            found |= dict.fromkeys(self._here.names(workflow), self._here)
            self._names[workflow] = {name: at for name, at in found.items() if _NAME.fullmatch(name)}
        return self._names[workflow]

    def _read(self, workflow: str, name: str, store: Store) -> list[R]:
        """The result of that name; none where it can't be read. Many ask for the same ones."""
        if (workflow, name) not in self._runs:
            self._runs[workflow, name] = list(self._fetched(workflow, name, store))
        return self._runs[workflow, name]

    def _fetched(self, workflow: str, name: str, store: Store) -> Iterator[R]:
        own_folder(self._own)
        temporary = self._own / f".{secrets.token_hex(8)}.tmp"
        path = f"{workflow}/{name}" if store is self._here else f"{self._remote}/{workflow}/{name}"
        try:
            if store.get(path, str(temporary)):
                content = temporary.read_bytes()
                if hashlib.sha256(content).hexdigest() == name[-69:-5]:
                    with contextlib.suppress(ValueError, KeyError, TypeError):
                        yield self.read(json.loads(content))
        finally:
            temporary.unlink(missing_ok=True)


def digest_of(run: Result) -> str:
    """The SHA-256 of a result as it is kept, which is part of its file's name."""
    return hashlib.sha256(_text_of(run).encode()).hexdigest()


def _text_of(run: Result) -> str:
    return json.dumps(asdict(run), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _name_of(run: Result, text: str) -> str:
    moment = "".join(ch for ch in run.at.partition("+")[0] if ch.isalnum())
    word = "passed" if run.passed else "failed"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{moment}-{run.commit[:12] or 'none'}-{word}-{digest}.json"
