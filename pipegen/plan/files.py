"""Where a job's small files lie, relative to the description. The one place that knows these paths."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from pipegen.description.stages import DVC_FILE, ResolvedStage
from pipegen.plan.model import WORK

VALUES = f"{WORK}/fragments/values.json"
"""The parameters that a run fixed at its start."""
AFFECTED = f"{WORK}/fragments/affected.json"
"""What the change touches. Beside it lie the lock fragments of the stages that it doesn't."""
LEFT_OUT = f"{WORK}/left-out.txt"
"""The jobs that need no agent, one a line, for a server that can leave out jobs."""
LOCK = f"{WORK}/lock"
"""The lock file that a build made, merged from all its fragments, at its place from the description's folder."""
REPORT = f"{WORK}/report"
"""The report, as a page and as text."""


VIEW = f"{WORK}/view"
"""Pages of the run as a whole."""
PAGE = f"{VIEW}/index.html"
"""The page that a job leaves which follows the stages."""


def fragment(name: str) -> str:
    """The lock fragment of the stage of that server name."""
    return f"{WORK}/fragments/{name}.lock.json"


def junit(name: str) -> str:
    """The JUnit file of a stage's tests, or of the gates."""
    return f"{WORK}/junit/{name}.xml"


def kept(name: str) -> tuple[str, str]:
    """What people keep of a stage: its log and its record."""
    return f"{WORK}/logs/{name}.log", f"{WORK}/records/{name}.json"


def page(name: str) -> str:
    """The page of the run that the job leaves whose last stage has that server name."""
    return f"{VIEW}/{name}.html"


def lock_file(address: str) -> str:
    """DVC's lock file of a stage, relative to the description."""
    file = address.rpartition(":")[0] or DVC_FILE
    return f"{file.removesuffix('.yaml')}.lock"


def inside(folder: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Paths of a description in this folder, relative to the repository's root."""
    return tuple(posixpath.normpath(posixpath.join(folder, path)) for path in paths)


def outside(folder: str, stages: Mapping[str, ResolvedStage]) -> tuple[str, ...]:
    """Dependencies outside the description's folder, relative to the repository's root."""
    found = {
        posixpath.normpath(posixpath.join(folder, path))
        for stage in stages.values()
        for path in (*stage.deps, *stage.params)
        if path.startswith("../")
    }
    return tuple(sorted(path for path in found if not path.startswith("..")))
