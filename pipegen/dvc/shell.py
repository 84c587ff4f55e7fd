"""How DVC calls a stage's command: which shell, which folder, which variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipegen.dvc.stages import Stage

_NO_STARTUP_FILES = {"zsh": ["--no-rcs"], "bash": ["--noprofile", "--norc"]}


@dataclass(frozen=True)
class Command:
    """What to run for a stage: each line a process, one after the other, until one fails."""

    lines: tuple[str, ...]
    """As written, to be shown."""
    processes: tuple[tuple[str, ...], ...]
    """Program and arguments for each line."""
    folder: str
    env: Mapping[str, str]


def command_of(stage: Stage, root: Path, extra: Mapping[str, str]) -> Command:
    """The command of a stage with DVC's environment and `extra` variables."""
    env = {**_environment(), **extra}
    env.setdefault("DVC_ROOT", str(root))
    env["DVC_STAGE"] = stage.address
    shell = _shell()
    lines = tuple(stage.commands)
    return Command(lines, tuple((*shell, "-c", line) for line in lines), stage.wdir, env)


def _shell() -> tuple[str, ...]:
    program = os.environ.get("SHELL") or "/bin/sh"
    name = os.path.basename(program).lower()
    if name == "fish":
        from dvc.stage.run import _make_cmd

        return tuple(_make_cmd(program, "")[:-2])
    return (program, *_NO_STARTUP_FILES.get(name, []))


def _environment() -> dict[str, str]:
    if "PYENV_HOOK_PATH" in os.environ:  # of a pyenv that runs now, after which DVC mends the PATH
        from dvc.utils import fix_env

        return dict(fix_env(None))
    return dict(os.environ)
