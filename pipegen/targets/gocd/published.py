"""Where GoCD's server has what a job left for people."""

from __future__ import annotations

import re

from pipegen.plan.model import WORK

KEPT = WORK.lstrip(".")
"""The folder among a job's artifacts: GoCD takes no path with further dots after a leading one."""
_STAGE = re.compile(r"(.*)/go/pipelines/(.+)")


def shelved(path: str) -> str:
    """The place among the artifacts of a file that the job has under `.pipegen`."""
    return f"{KEPT}/{path.removeprefix(f'{WORK}/')}"


def address(stage: str, job: str, path: str) -> str:
    """The address of a file that a job left; empty if `stage` is none of GoCD's.

    Args:
        stage: the address of the stage's run: `https://…/go/pipelines/PIPELINE/1/STAGE/1`.
        job: the job's name there.
        path: of the file, relative to the description.
    """
    found = _STAGE.fullmatch(stage)
    return f"{found[1]}/go/files/{found[2]}/{job}/{shelved(path)}" if found else ""
