"""Run records on the DVC remote: `pipegen/runs/PIPELINE/MONTH/NAME.json`.

A name says when a stage began, in which run, what became of it, and the SHA-256 of what the file holds: so records are
listed without reading one, and one that was changed is found out. They stay when agents are wiped and builds are gone.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pipegen.dvc.errors import RemoteError
from pipegen.dvc.stores import Store

FOLDER = "pipegen/runs"
_NAME = re.compile(r"(\d{8}T\d{9})-([0-9a-f]{12})-([a-z]+)-([0-9a-f]{64})-([A-Za-z0-9_.\-]*)\.json")
_MOMENT = "%Y%m%dT%H%M%S%f"
LONGEST_STAGE = 100
"""Characters of a stage's name in a record's: file systems take 255 in all."""


@dataclass(frozen=True)
class Kept:
    """A record, as far as its name tells."""

    pipeline: str
    began: datetime
    """UTC."""
    run: str
    """Equal for all stages of one build: twelve hexadecimal digits."""
    outcome: str
    digest: str
    """The SHA-256 of what it holds."""
    stage: str
    """The name that servers know the stage by; the beginning of a long one."""

    @property
    def path(self) -> str:
        """Where it lies on the remote."""
        moment = self.began.astimezone(timezone.utc).strftime(_MOMENT)[:-3]
        name = f"{moment}-{self.run}-{self.outcome}-{self.digest}-{self.stage[:LONGEST_STAGE]}.json"
        return f"{FOLDER}/{self.pipeline}/{moment[:6]}/{name}"

    @classmethod
    def at(cls, path: str) -> Kept | None:
        """What the path of a file on the remote tells; None where it is none of a record."""
        folder, _, name = path.rpartition("/")
        found = _NAME.fullmatch(name)
        if found is None or not folder.startswith(f"{FOLDER}/") or folder.count("/") != 3:
            return None
        moment, run, outcome, digest, stage = found.groups()
        try:
            began = datetime.strptime(f"{moment}000", _MOMENT).replace(tzinfo=timezone.utc)
        except ValueError:
            return None
        return cls(folder.split("/")[2], began, run, outcome, digest, stage)


class RunRecords:
    """The records on a remote.

    Args:
        store: the remote; one that can list files.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, file: Path, *, pipeline: str, began: datetime, run: str, outcome: str, stage: str) -> Kept:
        """Keep what a file holds; the same content at the same moment is kept once.

        Raises:
            RemoteError: the remote can't be reached, or refuses.
        """
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        kept = Kept(pipeline, began, run, outcome, digest, stage)
        self._store.put({kept.path: str(file)})
        return kept

    def newest_first(self, pipeline: str) -> Iterator[Kept]:
        """The records of a pipeline, month by month, none of them read.

        Raises:
            RemoteError: the remote can't be reached.
        """
        folder = f"{FOLDER}/{pipeline}"
        for month in sorted(self._store.names(folder), reverse=True):
            for name in sorted(self._store.names(f"{folder}/{month}"), reverse=True):
                kept = Kept.at(f"{folder}/{month}/{name}")
                if kept is not None:
                    yield kept

    def read(self, records: Iterable[Kept]) -> list[bytes]:
        """What records hold, several fetched at once.

        Raises:
            RemoteError: the remote can't be reached, has one not, or has something else under its name.
        """
        with tempfile.TemporaryDirectory(prefix="pipegen-") as folder:

            def one(kept: Kept) -> bytes:
                target = Path(folder, kept.digest)
                if not self._store.get(kept.path, str(target)):
                    raise RemoteError(f"{self._store.shown} has no record {kept.path}")
                content = target.read_bytes()
                if hashlib.sha256(content).hexdigest() != kept.digest:
                    raise RemoteError(
                        f"the record {kept.path} on {self._store.shown} is not what its name says"
                    )
                return content

            return self._store.each(one, dict.fromkeys(records))
