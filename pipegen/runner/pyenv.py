"""The Python environment that `python:` asks for: made once on each agent with uv, and kept by what it is made of.

It lies in a folder named by a hash of the version, the platform and the content of the requirement files. A virtual
environment can't be moved once it is made, so it is made in its place, under a lock; a mark, written last, says that
it is whole. What a killed job left without a mark is made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from pipegen.errors import PipegenError, os_error

MARK = ".pipegen-complete"
_INCLUDES = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)", re.MULTILINE)


class EnvironmentFailed(PipegenError):
    """The Python environment can't be made."""


def prepare(
    version: str | None, requirements: Sequence[Path], say: Callable[[str], None], cache: Path | None = None
) -> Path:
    """The folder of the virtual environment, made if it isn't there yet.

    Args:
        version: such as `3.11`; None for this process's own Python.
        requirements: requirement files.
        say: told what is done.
        cache: where environments are kept; `$PIPEGEN_CACHE`, else `$XDG_CACHE_HOME/pipegen`, else `~/.cache/pipegen`.

    Raises:
        FileError: a requirement file can't be read, or the cache can't be written.
        EnvironmentFailed: no such Python, or the requirements can't be installed; with uv's own words.
    """
    folder = (cache or _cache()) / "python" / digest(version, requirements)
    if (folder / MARK).exists():
        return folder
    with _locked(folder):
        if not (folder / MARK).exists():
            say(f"making the Python environment {folder}")
            _make(folder, version, requirements)
    return folder


def known(version: str | None, requirements: Sequence[Path], cache: Path | None = None) -> Path | None:
    """The folder of the virtual environment if it was made here already; the arguments are those of `prepare`.

    Raises:
        FileError: a requirement file can't be read.
    """
    folder = (cache or _cache()) / "python" / digest(version, requirements)
    return folder if (folder / MARK).exists() else None


def activated(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that make a virtual environment the active one, over those of `env`."""
    path = os.pathsep.join(filter(None, [str(folder / "bin"), env.get("PATH", os.defpath)]))
    return {"VIRTUAL_ENV": str(folder), "PATH": path}


def digest(version: str | None, requirements: Sequence[Path]) -> str:
    """What an environment is named by.

    Raises:
        FileError: a requirement file can't be read.
    """
    found = hashlib.sha256()
    python = version or ".".join(map(str, sys.version_info[:2]))
    found.update(f"{python} {sys.platform} {platform.machine()} {platform.libc_ver()}".encode())
    for path in _with_included(requirements):
        content = _content(path)
        found.update(f"\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:32]


def _with_included(requirements: Sequence[Path]) -> Iterator[Path]:
    """Requirement files, each followed by those that it names with `-r` and `-c`."""
    todo, seen = list(requirements), set[Path]()
    while todo:
        path = todo.pop(0)
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        yield path
        named = _INCLUDES.findall(_content(path).decode(errors="replace"))
        todo[:0] = [path.parent / name for name in named if "://" not in name]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise os_error(error, "read", path) from None


def _cache() -> Path:
    own = os.environ.get("PIPEGEN_CACHE")
    if own:
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pipegen"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among all processes of this machine that want the same environment; the lock of a killed one is free."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{folder}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise os_error(error, "write", folder) from None


def _make(folder: Path, version: str | None, requirements: Sequence[Path]) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    try:
        _run(*_uv(), "venv", "--quiet", "--python", version or sys.executable, str(folder))
        if requirements:
            named = [word for path in requirements for word in ("--requirement", str(path))]
            python = str(folder / "bin" / "python")
            _run(*_uv(), "pip", "install", "--quiet", "--python", python, *named)
        (folder / MARK).touch()
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
        raise


def _uv() -> tuple[str, ...]:
    """uv: the one that came with pipegen, else one on the PATH."""
    if find_spec("uv"):
        return (sys.executable, "-m", "uv")
    found = shutil.which("uv")
    if not found:
        raise EnvironmentFailed(
            "`python:` needs uv, which is not installed: add `pip install uv` to `install:`"
        )
    return (found,)


def _run(*command: str) -> None:
    env = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME")}
    for ours, theirs in (("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), ("UV_INDEX", "PIP_EXTRA_INDEX_URL")):
        if theirs in env:
            env.setdefault(ours, env[theirs])
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        raise EnvironmentFailed(f"the Python environment can't be made:\n{words[-2000:]}")
