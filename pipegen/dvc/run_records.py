"""Run records, on the DVC remote `pipegen/runs/PIPELINE/MONTH/NAME.json`.

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
    """The name that servers know the stage by; the beginning of a long one. Empty where it holds a whole run."""

    @property
    def path(self) -> str:
        """Where it lies on the remote."""
        return f"{FOLDER}/{self.below}"

    @property
    def below(self) -> str:
        """Where it lies in the folder of all records."""
        moment = self.began.astimezone(timezone.utc).strftime(_MOMENT)[:-3]
        name = f"{moment}-{self.run}-{self.outcome}-{self.digest}-{self.stage[:LONGEST_STAGE]}.json"
        return f"{self.pipeline}/{moment[:6]}/{name}"

    @classmethod
    def at(cls, path: str) -> Kept | None:
        """What the path of a file on the remote tells; None where it is none of a record."""
        folder, _, name = path.rpartition("/")
        found = _NAME.fullmatch(name)
        if found is None or not folder.startswith(f"{FOLDER}/") or folder.count("/") != 3:
            return None
        moment, run, outcome, digest, stage = found.groups()
        try:
            began = _time(moment)
        except ValueError:
            return None
        return cls(folder.split("/")[2], began, run, outcome, digest, stage)


def _time(moment: str) -> datetime:
    """What `strptime` says, in a tenth of its time: there are thousands of names."""
    date, _, clock = moment.partition("T")
    day = (int(date[:4]), int(date[4:6]), int(date[6:]))
    return datetime(
        *day, int(clock[:2]), int(clock[2:4]), int(clock[4:6]), int(clock[6:]) * 1000, tzinfo=timezone.utc
    )


class RunRecords:
    """The records on a remote, or in a folder of this machine.

    Args:
        store: one that can list files.
        folder: where they are in it.
    """

    def __init__(self, store: Store, folder: str = FOLDER) -> None:
        self._store, self._folder = store, folder

    @property
    def shown(self) -> str:
        """How messages call the place."""
        return self._store.shown

    def add(self, file: Path, *, pipeline: str, began: datetime, run: str, outcome: str, stage: str) -> Kept:
        """Keep what a file holds; the same content at the same moment is kept once.

        Raises:
            RemoteError: the remote can't be reached, or refuses.
        """
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        kept = Kept(pipeline, began, run, outcome, digest, stage)
        self._store.put({self._path(kept): str(file)})
        return kept

    def _path(self, kept: Kept) -> str:
        return f"{self._folder}/{kept.below}"

    def newest_first(self, pipeline: str) -> Iterator[Kept]:
        """The records of a pipeline, month by month, none of them read.

        Raises:
            RemoteError: the remote can't be reached.
        """
        for month in self.months(pipeline):
            yield from self.of_month(pipeline, month)

    def months(self, pipeline: str) -> list[str]:
        """The months that have records of a pipeline, the newest first. Raises RemoteError."""
        return sorted(self._store.names(f"{self._folder}/{pipeline}"), reverse=True)

    def of_month(self, pipeline: str, month: str) -> Iterator[Kept]:
        """The records of a month, the newest first, none of them read. Raises RemoteError."""
        for name in sorted(self._store.names(f"{self._folder}/{pipeline}/{month}"), reverse=True):
            kept = Kept.at(f"{FOLDER}/{pipeline}/{month}/{name}")
            if kept is not None:
                yield kept

    def remove(self, records: Iterable[Kept]) -> None:
        """Forget records. Raises RemoteError."""
        self._store.delete([self._path(kept) for kept in records])

    def read(self, records: Iterable[Kept]) -> list[bytes]:
        """What records hold, several fetched at once.

        Raises:
            RemoteError: the remote can't be reached, has one not, or has something else under its name.
        """
        with tempfile.TemporaryDirectory(prefix="pipegen-") as folder:

            def one(kept: Kept) -> bytes:
                path = self._path(kept)
                target = Path(folder, path.rpartition("/")[2])
                if not self._store.get(path, str(target)):
                    raise RemoteError(f"{self._store.shown} has no record {path}")
                content = target.read_bytes()
                if hashlib.sha256(content).hexdigest() != kept.digest:
                    raise RemoteError(f"the record {path} on {self._store.shown} is not what its name says")
                return content

            return self._store.each(one, dict.fromkeys(records))
