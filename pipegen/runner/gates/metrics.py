"""Where the metrics of a run are: in files here, or where the lock fragments of its stages say."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipegen.dvc.errors import RemoteError, StageError
from pipegen.dvc.fragments import MOST, Merged
from pipegen.dvc.metric_files import BadMetrics, parse_metrics, read_metrics
from pipegen.dvc.needs import Outputs
from pipegen.dvc.session import Session
from pipegen.dvc.stages import Out, Stage
from pipegen.dvc.stores import RemoteChoice
from pipegen.dvc.wanted import of_out
from pipegen.dvc.workspace import Workspace
from pipegen.quality.metrics import File


def files_here(folder: Path, paths: Iterable[str]) -> dict[str, File]:
    """Metrics files as they are in the folder."""
    return {path: _here(folder / path) for path in paths}


def _here(path: Path) -> File:
    try:
        return File(read_metrics(path))
    except BadMetrics as error:
        return File(problem=str(error))


def _bytes_here(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StageError(f"can't be read: {error.strerror}") from None


class FromFragments:
    """Metrics files as the stages of this build made them, wherever that was; the workspace stays as it is.

    Args:
        workspace: the repository's.
        session: open.
        merged: what the fragments say.
        fragments: the folder they lie in.
        remote: where cached files are.
    """

    def __init__(
        self, workspace: Workspace, session: Session, merged: Merged, fragments: Path, remote: RemoteChoice
    ) -> None:
        self._workspace, self._merged, self._fragments = workspace, merged, fragments
        self._outputs = Outputs(workspace.stages.values())
        self._bearer = session.bearer(remote)

    def files(self, paths: Iterable[str]) -> Mapping[str, File]:
        """These files, or why they can't be had.

        Raises:
            RemoteError: the remote can't be reached.
        """
        return {path: self._file(path) for path in paths}

    def content(self, path: str) -> bytes:
        """What any file of this build holds.

        Raises:
            StageError: it can't be had; the message goes on after the file's name.
            RemoteError: the remote can't be reached.
        """
        target = os.path.normpath(self._workspace.folder / path)
        producer = next(iter(self._outputs.writers(target)), None)
        if producer is None:
            return _bytes_here(Path(target))
        out = next(
            (o for o in producer.outs if target == o.target or target.startswith(o.target + os.sep)), None
        )
        if out is None:
            raise StageError("is a folder")
        if producer.address in self._merged.failed:
            raise StageError(
                f"was not made: {producer.address} failed: {self._merged.failed[producer.address]}"
            )
        if producer.address not in self._merged.entries:
            raise StageError(
                f"is made by {producer.address}, of which no lock fragment in {self._fragments} knows: "
                "run it in this build"
            )
        return self._content(path, target, producer, out)

    def _file(self, path: str) -> File:
        target = os.path.normpath(self._workspace.folder / path)
        if next(iter(self._outputs.writers(target)), None) is None:
            return _here(Path(target))
        try:
            return File(parse_metrics(self.content(path), os.path.basename(path)))
        except (BadMetrics, StageError) as error:
            return File(problem=str(error))

    def _content(self, path: str, target: str, producer: Stage, out: Out) -> bytes:
        part = os.path.relpath(target, out.target).replace(os.sep, "/") if target != out.target else ""
        wanted = of_out(producer, out, self._merged.entries[producer.address], part)
        carried = self._merged.files.get(producer.address, {}).get(path)
        if carried is not None:
            if not part and hashlib.md5(carried.content, usedforsecurity=False).hexdigest() != wanted.md5:
                raise StageError(
                    f"is not what the lock entry of {producer.address} says: run it again in this build"
                )
            return carried.content
        try:
            content = self._bearer.content(wanted) if wanted.md5 else None
        except RemoteError:
            if out.cache:
                raise
            raise StageError(
                f"is kept nowhere: DVC does not (`cache: false`), and it is over {MOST >> 20} MiB, too large to travel"
            ) from None
        if content is None:
            raise StageError(f"is not among what {producer.address} made")
        return content
