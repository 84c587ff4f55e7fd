"""DVC's run cache: which command on which inputs made which outputs, found by a hash of the first two."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.cache import FILE_MODE
from pipegen.dvc.load import load
from pipegen.dvc.lockfile import Entry, render_entry

_NOT_HASHED = ("size", "nfiles")


class RunCache:
    """The folder `runs` of DVC's cache.

    Args:
        folder: the cache.
        grows: False keeps no further runs.
    """

    def __init__(self, folder: Path, *, grows: bool = True) -> None:
        self._folder, self._grows = folder / "runs", grows

    def has(self, entry: Entry) -> bool:
        """Whether this command ran on these inputs before."""
        folder = self._place(_key(entry))
        return folder.is_dir() and any(folder.iterdir())

    def add(self, entry: Entry) -> None:
        """Remember a run.

        Raises:
            OSError: it can't be written.
        """
        path = self._place(_key(entry)) / _digest(entry)
        if path.exists() or not self._grows:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_urlsafe(16)}.tmp")
        try:
            temporary.write_text(render_entry(entry), encoding="utf-8")
            temporary.chmod(FILE_MODE)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key


def _key(entry: Entry) -> str:
    return _digest({**entry, "outs": [out["path"] for out in entry.get("outs", ())]})


def _digest(entry: Entry) -> str:
    return hashlib.sha256(json.dumps(_hashed(entry), sort_keys=True).encode()).hexdigest()


def _hashed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hashed(item) for key, item in value.items() if key not in _NOT_HASHED}
    return [_hashed(item) for item in value] if isinstance(value, list) else value


def folder_of(inputs: Entry) -> str:
    """The folder, in a cache or on a remote, of what one command made of these inputs; of outputs only paths count."""
    key = _key(inputs)
    return f"runs/{key[:2]}/{key}"


def path_of(entry: Entry) -> str:
    """The file, in a cache or on a remote, of one run."""
    return f"{folder_of(entry)}/{_digest(entry)}"


def read_entry(path: Path) -> Entry | None:
    """The run that a file of a run cache holds; None where it is none."""
    try:
        entry = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError):
        return None
    return (
        entry if isinstance(entry, dict) and "cmd" in entry and isinstance(entry.get("outs"), list) else None
    )
