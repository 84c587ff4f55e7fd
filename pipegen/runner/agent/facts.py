"""What declared checks found in the last good run of a stage: kept here, and on the DVC remote for other agents."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipegen.description.check_words import Test
from pipegen.dvc.stores import Store
from pipegen.errors import os_error
from pipegen.quality.artifact_tests import compares_with_last

_REMOTE = "pipegen/checks"


class LastFacts:
    """The facts of one stage. Only stages with a check that compares are kept.

    Args:
        tests: the stage's.
        pipeline: the pipeline's name.
        name: the stage's, in file names.
        folder: pipegen's own, of this workspace.
        store: the DVC remote; None where there is none.
    """

    def __init__(
        self, tests: Sequence[Test], pipeline: str, name: str, folder: Path, store: Store | None
    ) -> None:
        self._compares = any(map(compares_with_last, tests))
        self._path, self._remote, self._store = (
            folder / "checks" / f"{name}.json",
            f"{_REMOTE}/{pipeline}/{name}.json",
            store,
        )

    def read(self) -> dict[str, float]:
        """The facts; none where nothing is known.

        Raises:
            RemoteError: the remote can't be reached.
        """
        if not self._compares:
            return {}
        path = self._path
        with self._temporary() as temporary:
            if self._store is not None and self._store.get(self._remote, str(temporary)):
                path = temporary
            with contextlib.suppress(OSError, ValueError, AttributeError):
                data = json.loads(path.read_text(encoding="utf-8"))
                return {str(name): float(value) for name, value in data["facts"].items()}
        return {}

    def keep(self, facts: Mapping[str, float], commit: str, *, push: bool) -> None:
        """Keep those of a run that is good.

        Args:
            facts: what was found.
            commit: of what.
            push: also on the remote.

        Raises:
            FileError: they can't be written.
            RemoteError: the remote can't be reached, or refuses.
        """
        if not self._compares:
            return
        with self._temporary() as temporary:
            try:
                temporary.write_text(
                    json.dumps({"commit": commit, "facts": dict(facts)}) + "\n", encoding="utf-8"
                )
                if push and self._store is not None:
                    self._store.put({self._remote: str(temporary)})
                temporary.replace(self._path)
            except OSError as error:
                raise os_error(error, "write", self._path) from None

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        temporary = self._path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
