"""Parameter values as DVC reads them: from YAML, JSON, TOML and Python files, by dotted keys."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.load import load

_SIMPLE_KEY = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_MISSING = object()


class BadParams(Exception):
    """A parameters file that can't be read; the message says why."""


class ParamsFiles:
    """Parameter files, each read once as long as it stays as it is."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[int, int, int], Any]] = {}

    def values(self, path: str, keys: tuple[str, ...]) -> dict[str, Any] | None:
        """The values of `keys`, or all without keys. What the file does not have is left out; None without the file.

        Raises:
            BadParams: it can't be read.
        """
        config = self._content(path)
        if config is None:
            return None
        if not keys:
            return dict(config) if isinstance(config, Mapping) else {}
        found: dict[str, Any] = {}
        for key in keys:
            value = _lookup(config, key)
            if value is not _MISSING:
                found[key] = value
        return found

    def _content(self, path: str) -> Any:
        try:
            stat = os.stat(path)
        except OSError:
            return None
        mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if path not in self._read or self._read[path][0] != mark:
            self._read[path] = mark, _parse(path)
        return self._read[path][1]


def _parse(path: str) -> Any:
    try:
        return parse(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, ValueError) as error:
        raise BadParams(f"{path}: {str(error).splitlines()[0]}") from None


def parse(text: str, path: str) -> Any:
    """The values in the text of a file of parameters or metrics; its suffix says in which language, as in DVC.

    Raises:
        BadParams: it can't be read.
    """
    suffix = os.path.splitext(path)[1].lower()
    try:
        if suffix == ".json":
            return json.loads(text) or {}
        if suffix == ".toml":
            return _toml(text)
        if suffix == ".py":
            from dvc.utils.serialize import parse_py

            return parse_py(text, path)
        return load(text) or {}
    except (ValueError, yaml.YAMLError) as error:
        raise BadParams(f"{path}: {str(error).splitlines()[0]}") from None
    except Exception as error:  # what DVC's readers raise depends on its version
        raise BadParams(str(error)) from None


def _toml(text: str) -> Any:
    import tomlkit

    return tomlkit.loads(text).unwrap()


def _lookup(config: Any, key: str) -> Any:
    if not _SIMPLE_KEY.fullmatch(key):
        return _by_dpath(config, key)
    value = config
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return _by_dpath(config, key)
        if part not in value:
            return _MISSING if all(isinstance(known, str) for known in value) else _by_dpath(config, key)
        value = value[part]
    return value


def _by_dpath(config: Any, key: str) -> Any:
    """What DVC does with patterns, list positions and keys that are no text."""
    import dpath

    try:
        return dpath.get(config, key, separator=".")
    except KeyError:
        return _MISSING
    except ValueError as error:
        raise BadParams(f"{key}: {error}") from None
