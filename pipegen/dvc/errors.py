"""What DVC's room raises."""

from __future__ import annotations

from pipegen.errors import PipegenError


class StageError(PipegenError):
    """What stands against a stage: a missing dependency, an output that was not made, a cache that can't be written."""


class RemoteError(PipegenError):
    """A DVC remote can't be reached, refuses, or has not what is needed."""

    exit_code = 6
