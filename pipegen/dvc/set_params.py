"""Sets parameters in their files, leaving comments and order as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipegen.dvc.errors import StageError
from pipegen.errors import os_error


def set_params(folder: Path, values: Mapping[str, Any]) -> list[str]:
    """Give parameters the values wanted; a file that has them already is not written.

    Args:
        folder: paths are relative to it.
        values: by `FILE:KEY`, keys joined by dots.

    Returns:
        The files that were written.

    Raises:
        StageError: a file is not there, has no such parameter, or can't be understood.
        FileError: a file can't be written.
    """
    by_file: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        file, _, key = name.rpartition(":")
        by_file.setdefault(file, {})[key] = value
    return [file for file, wanted in by_file.items() if _set(folder / file, file, wanted)]


def _set(path: Path, shown: str, wanted: Mapping[str, Any]) -> bool:
    from dvc.utils.serialize import LOADERS, MODIFIERS

    suffix = path.suffix.lower()
    if not path.exists():
        raise StageError(f"the parameters {', '.join(wanted)} can't be set: there is no {shown}")
    try:
        known = LOADERS[suffix](os.fspath(path))
        differing = {key: value for key, value in wanted.items() if _get(known, key, shown) != value}
        if not differing:
            return False
        with MODIFIERS[suffix](os.fspath(path)) as content:
            for key, value in differing.items():
                holder, last = _holder(content, key, shown)
                holder[last] = value
    except OSError as error:
        raise os_error(error, "write", shown) from None
    except StageError:
        raise
    except Exception as error:  # what DVC's readers raise depends on its version
        raise StageError(f"the parameters of {shown} can't be set: {error}") from None
    return True


def _get(content: Any, key: str, shown: str) -> Any:
    holder, last = _holder(content, key, shown)
    return holder[last]


def _holder(content: Any, key: str, shown: str) -> tuple[Any, Any]:
    """The mapping or list that holds a value, and under which name."""
    holder: Any = None
    step: Any = None
    value = content
    for part in key.split("."):
        holder, step = value, part
        if isinstance(holder, list) and part.isdigit() and int(part) < len(holder):
            step = int(part)
        elif not isinstance(holder, Mapping) or part not in holder:
            raise StageError(f"{shown} has no parameter {key!r}, which this run is to set")
        value = holder[step]
    return holder, step
