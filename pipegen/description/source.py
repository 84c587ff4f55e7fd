"""Where a description was read from, so that a check that comes later still points at file, line and
column."""

from __future__ import annotations

from dataclasses import dataclass

from pipegen.dvc.yaml12 import Document, Path
from pipegen.errors import Problem


@dataclass(frozen=True)
class Source:
    """The file of a description; without one (built in Python) problems name the path of the value
    instead."""

    document: Document | None = None

    def problem(
        self, path: Path, message: str, hint: str = "", *, key: bool = False, code: str = ""
    ) -> Problem:
        """A `Problem` at the value, or the key, that `path` leads to."""
        if self.document is None:
            return Problem(f"{dotted(path)}: {message}" if path else message, hint=hint, code=code)
        return self.document.problem(path, message, hint, key=key, code=code)


def dotted(path: Path) -> str:
    """`stages.train.ci.agent`, for messages and for `plain:`."""
    return ".".join(str(step) for step in path)
