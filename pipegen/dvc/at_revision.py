"""Files as a commit has them: those that git keeps, and those that its lock files name."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.bearer import Bearer
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.load import load
from pipegen.dvc.stages import Out, Stage
from pipegen.dvc.wanted import Wanted, of_out


class AtRevision:
    """Reads files of one commit, leaving the workspace alone.

    Args:
        folder: in the git repository.
        commit: whose files.
        stages: the stages of today by address: they say which lock file knows a path.
        bearer: brings what is not in the cache.
    """

    def __init__(self, folder: Path, commit: str, stages: Mapping[str, Stage], bearer: Bearer) -> None:
        self._folder, self._commit, self._stages, self._bearer = folder, commit, stages, bearer

    def read(self, path: str) -> bytes | None:
        """What a file held; None where the commit has no such file.

        Args:
            path: relative to the folder.

        Raises:
            RemoteError: the commit's lock file names it, but it can't be had.
        """
        in_git = git_file(self._folder, self._commit, path)
        wanted = self._in_lock(os.path.normpath(self._folder / path))
        if wanted is None or not wanted.md5:
            return in_git
        if in_git is not None and hashlib.md5(in_git, usedforsecurity=False).hexdigest() == wanted.md5:
            return in_git
        try:
            return self._bearer.content(wanted)
        except RemoteError as error:
            if in_git is None:
                raise
            raise RemoteError(
                f"git has another {path} than its lock file names, and {error.message}"
            ) from None

    def wanted(self, path: str) -> Wanted | None:
        """An output, or a part of one, as data to bring; None where the commit's lock file names it not.

        Args:
            path: relative to the folder.
        """
        found = self._in_lock(os.path.normpath(self._folder / path))
        return found if found is not None and found.md5 else None

    def _in_lock(self, target: str) -> Wanted | None:
        """What the commit's lock file, or `.dvc` file, says of the output that is or holds `target`."""
        for stage in self._stages.values():
            for out in stage.outs:
                inside = target.startswith(out.target + os.sep)
                if out.is_local and (inside or target == out.target):
                    part = os.path.relpath(target, out.target).replace(os.sep, "/") if inside else ""
                    return self._said_of(stage, out, part)
        return None

    def _said_of(self, stage: Stage, out: Out, part: str) -> Wanted | None:
        data = self._yaml(os.path.relpath(stage.lock_file or stage.file, self._folder))
        if not stage.name:
            return of_out(replace(stage, definition=data), out, {}, part)
        stages = data.get("stages") or {}
        entry: Any = stages.get(stage.name) or next((e for e in stages.values() if _makes(e, out.path)), {})
        found = of_out(stage, out, entry, part)
        return found if found.md5 else None

    @cache  # noqa: B019  (an object of this class lives as long as one command)
    def _yaml(self, path: str) -> Mapping[str, Any]:
        content = git_file(self._folder, self._commit, path)
        try:
            data = load((content or b"").decode("utf-8"))
        except (ValueError, yaml.YAMLError):
            return {}
        return data if isinstance(data, dict) else {}


def _makes(entry: Any, path: str) -> bool:
    outs = entry.get("outs") if isinstance(entry, dict) else None
    return any(isinstance(out, dict) and out.get("path") == path for out in outs or ())


def git_file(folder: Path, commit: str, path: str) -> bytes | None:
    """A file as git has it at a commit, by its path from `folder`; None where it has none."""
    spec = f"{commit}:./{Path(path).as_posix()}"
    done = subprocess.run(("git", "cat-file", "blob", spec), cwd=folder, capture_output=True, check=False)
    return None if done.returncode else done.stdout
