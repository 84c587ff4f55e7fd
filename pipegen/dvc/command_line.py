"""The way of the `dvc` command line: for a version of DVC whose inside this version of pipegen does not know.

Slow and one stage at a time, but any DVC can do it. Since `dvc repro` can skip a stage in silence, what it should have
made is verified afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipegen.dvc.errors import StageError
from pipegen.dvc.lockfile import Entry, LockFile
from pipegen.dvc.shell import Command
from pipegen.dvc.stages import Stage
from pipegen.dvc.ways import Step, Taken

_DVC = (sys.executable, "-m", "dvc")


class CommandLine:
    """Calls `dvc status` and `dvc repro --single-item`.

    Args:
        folder: where addresses are spelled from.
        write: brings the lock files up to date, which `dvc` is about to read.
    """

    def __init__(self, folder: Path, write: Callable[[], None]) -> None:
        self._folder, self._write = folder, write
        self._running = ""

    def reasons(self, stage: Stage, entry: Entry) -> list[str]:
        if stage.name and not entry:
            return ["it never ran"]
        self._write()
        command = [*_DVC, "status", "--json", stage.address]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StageError(_last_line(done.stderr) or f"`dvc status {stage.address}` failed")
        try:
            said = json.loads(done.stdout or "{}")
        except ValueError:
            raise StageError(f"`dvc status {stage.address}` said: {done.stdout.strip()[:200]}") from None
        return [_shown(item) for items in said.values() for item in items]

    def inputs(self, stage: Stage) -> Entry:
        return {}

    def begin(self, stage: Stage, entry: Entry, *, force: bool) -> Taken:
        if self._running:
            return Taken(Step.BUSY, reason=f"`dvc repro` runs {self._running}, one stage at a time")
        self._write()
        self._running = stage.address
        words = ["repro", "--single-item", *(["--force"] if force else []), stage.address]
        command = Command(
            (f"dvc {' '.join(words)}",), ((*_DVC, *words),), str(self._folder), dict(os.environ)
        )
        return Taken(Step.RUN, command=command, locks_itself=True)

    def finish(self, stage: Stage, entry: Entry, loaded: Any) -> Entry:
        self._running = ""
        missing = [out.path for out in stage.outs if out.is_local and not os.path.lexists(out.target)]
        if missing:
            raise StageError(f"`dvc repro` succeeded, but {', '.join(missing)} does not exist")
        if not stage.name:
            return {}
        made = LockFile(stage.lock_file).entries.get(stage.name)
        if made is None:
            raise StageError("`dvc repro` succeeded, but the lock file has no entry: it ran nothing")
        return made

    def abandon(self, stage: Stage, loaded: Any) -> None:
        self._running = ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")]
    return next(iter([*errors, *lines[-1:]]), "")


def _shown(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    return "; ".join(f"{what}: {json.dumps(paths)}" for what, paths in item.items())
