"""Small DVC repositories in twins: one for `dvc repro`, one for `pipegen run`, and what must be equal between them."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from pipegen.dvc.workspace import Workspace
from pipegen.records import Event, RunFinished
from pipegen.runner.scheduler import Options, run_graph
from pipegen.runner.selection import selected
from pipegen.runner.tasks import tasks_from

_ENV = {
    **os.environ,
    "DVC_NO_ANALYTICS": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}
OF_DVC = (
    "dvc.cachemgr", "dvc.cli.parser", "dvc.data_cloud", "dvc.dependency", "dvc.fs.dvc", "dvc.lock", "dvc.repo",
    "dvc.repo.artifacts", "dvc.repo.datasets", "dvc.repo.graph", "dvc.repo.index", "dvc.repo.metrics",
    "dvc.repo.open_repo", "dvc.repo.params", "dvc.repo.plots", "dvc.repo.reproduce", "dvc.repo.stage",
    "dvc.repo.status", "dvc.rwlock", "dvc.scm", "dvc.stage.run", "dvc.utils.strictyaml", "dvc_data.index",
    "dvc_data.hashfile.db.local", "dulwich.repo", "networkx", "psutil", "ruamel.yaml", "scmrepo.git",
)  # fmt: skip
"""What its commands import only when they run."""


def sh(folder: Path, *command: str, check: bool = True) -> str:
    """The output of a command, which must succeed."""
    done = subprocess.run(command, cwd=folder, env=_ENV, text=True, capture_output=True, check=False)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def dvc(folder: Path, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    """The output of a `dvc` command; `env` is added to its variables.

    It runs in a fork that has DVC loaded: starting it anew takes a second.
    """
    main = _loaded_dvc()
    with tempfile.TemporaryFile() as output:
        process = os.fork()
        if not process:
            _become_dvc(main, folder, arguments, output.fileno(), env or {})
        _, status = os.waitpid(process, 0)
        output.seek(0)
        said = output.read().decode()
    code = os.waitstatus_to_exitcode(status)
    assert not check or code == 0, f"dvc {' '.join(arguments)}: {said}"
    return said


@functools.cache
def _loaded_dvc() -> Callable[[list[str]], int]:
    from dvc.cli import main

    for name in OF_DVC:
        importlib.import_module(name)
    return main


def _restore_logging() -> None:
    """pipegen has taken DVC's messages for itself in this process."""
    from dvc.logger import setup

    for name in ("dvc", "dvc_objects", "dvc_data"):
        logging.getLogger(name).handlers = []
    setup()


def _become_dvc(
    main: Callable[[list[str]], int],
    folder: Path,
    arguments: Sequence[str],
    output: int,
    env: Mapping[str, str],
) -> NoReturn:
    code = 255
    try:
        os.environ.update({**_ENV, **env})
        os.chdir(folder)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        sys.argv = ["dvc", *arguments]
        _restore_logging()
        code = main(list(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Files by path."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def make_repository(folder: Path, files: Mapping[str, str], template: Path) -> Path:
    """A git and DVC repository with these files, committed; `template` is an empty one made before."""
    shutil.copytree(template, folder, symlinks=True)
    write(folder, files)
    sh(folder, "git", "add", "-A")
    sh(folder, "git", "commit", "-qm", "start")
    return folder


def make_template(folder: Path) -> Path:
    """An empty git and DVC repository."""
    folder.mkdir(parents=True)
    sh(folder, "git", "init", "-q")
    dvc(folder, "init", "-q")
    dvc(folder, "config", "core.analytics", "false")
    shutil.rmtree(folder / ".dvc" / "tmp", ignore_errors=True)
    return folder


def pipegen_run(
    folder: Path,
    *stages: str,
    jobs: int = 2,
    force: bool = False,
    keep_going: bool = False,
    downstream: bool = False,
) -> tuple[RunFinished, list[Event]]:
    """`pipegen run` in this process, and all its events."""
    events: list[Event] = []
    workspace = Workspace(folder)
    tasks = selected(workspace, tasks_from(workspace), stages, downstream=downstream)
    finished = run_graph(workspace, tasks, Options(jobs, keep_going, force), events.append)
    return finished, events


def picture(folder: Path) -> dict[str, str | bytes]:
    """Everything in a repository that the two ways of running must leave alike."""
    seen: dict[str, str | bytes] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if (
            relative.parts[0] in (".git", ".pipegen")
            or relative.parts[:2] == (".dvc", "tmp")
            or path.name == "ran.log"
        ):
            continue
        mode = oct(path.lstat().st_mode)
        seen[str(relative)] = (
            f"{mode} {path.readlink()}".replace(str(folder), "") if path.is_symlink() else mode
        )
        if path.is_file() and not path.is_symlink():
            seen[f"{relative} holds"] = path.read_bytes()
    return seen


def ran(folder: Path) -> list[str]:
    """What commands wrote into `ran.log` since the last time this was asked, sorted."""
    log = folder / "ran.log"
    lines = sorted(log.read_text().split()) if log.exists() else []
    log.unlink(missing_ok=True)
    return lines
