"""Metrics files as DVC reads them, by their suffix: JSON, TOML, Python, and YAML for all others; none without bound."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipegen.dvc.params import BadParams, parse
from pipegen.dvc.yaml_guards import Unfit, check_text

MOST_JSON = 16 * 1024 * 1024
MOST = 1024 * 1024
"""Bytes of a metrics file: the readers of the other languages take seconds for a megabyte."""


class BadMetrics(Exception):
    """A metrics file that can't be used; the message goes on after the file's name."""


def read_metrics(path: Path) -> Any:
    """What a metrics file on this disk holds.

    Raises:
        BadMetrics: it isn't there, is too large, or can't be read.
    """
    try:
        _check_size(path.stat().st_size, path.name)
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadMetrics("is not there") from None
    except IsADirectoryError:
        raise BadMetrics("is a folder") from None
    except OSError as error:
        raise BadMetrics(f"can't be read: {error.strerror}") from None
    return parse_metrics(content, path.name)


def parse_metrics(content: bytes, name: str) -> Any:
    """What the bytes of a metrics file of this name hold.

    Raises:
        BadMetrics: they are too many, or can't be read.
    """
    _check_size(len(content), name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadMetrics("is not UTF-8 text") from None
    try:
        if _suffix(name) not in (".json", ".toml", ".py"):
            check_text(text)  # what is nested too deep ends the process in libyaml
        return parse(text, name)
    except Unfit as unfit:
        raise BadMetrics(f"can't be read: {unfit.message}") from None
    except BadParams as error:
        raise BadMetrics(f"can't be read: {str(error).removeprefix(f'{name}: ')}") from None


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _check_size(size: int, name: str) -> None:
    most = MOST_JSON if _suffix(name) == ".json" else MOST
    if size > most:
        raise BadMetrics(
            f"is {size / 2**20:,.0f} MiB, more than the {most >> 20} MiB that are read of a metrics file of its kind"
        )
