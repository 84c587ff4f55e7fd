"""Where a job's small files lie, relative to the description. The one place that knows these paths."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from pipegen.description.stages import ResolvedStage
from pipegen.plan.model import WORK

VALUES = f"{WORK}/fragments/values.json"
"""The parameters that a run fixed at its start."""
REPORT = f"{WORK}/report"
"""The report, as a page and as text."""


def fragment(name: str) -> str:
    """The lock fragment of the stage of that server name."""
    return f"{WORK}/fragments/{name}.lock.json"


def junit(name: str) -> str:
    """The JUnit file of a stage's tests, or of the gates."""
    return f"{WORK}/junit/{name}.xml"


def kept(name: str) -> tuple[str, str]:
    """What people keep of a stage: its log and its record."""
    return f"{WORK}/logs/{name}.log", f"{WORK}/records/{name}.json"


def outside(folder: str, stages: Mapping[str, ResolvedStage]) -> tuple[str, ...]:
    """Dependencies outside the description's folder, relative to the repository's root."""
    found = {
        posixpath.normpath(posixpath.join(folder, path))
        for stage in stages.values()
        for path in (*stage.deps, *stage.params)
        if path.startswith("../")
    }
    return tuple(sorted(path for path in found if not path.startswith("..")))
