"""The stages that a `dvc.yaml` stands for, by DVC's own rules of `foreach`, `matrix` and interpolation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem


class Place(Protocol):
    """Where the data was read from; makes problems with file, line and column."""

    def problem(self, path: At, message: str, hint: str = "", *, key: bool = False, code: str = "") -> Problem: ...


@dataclass(frozen=True)
class Expanded:
    """One stage after expansion."""

    name: str
    """As DVC names it within its file: `train`, `train@lasso`."""
    definition: Mapping[str, Any]
    """DVC's words with every `${…}` filled in."""
    at: At
    """Where its definition stands in the file: `("stages", "train", "do")`."""


def expand(data: Mapping[str, Any], file: Path, place: Place) -> Iterable[Expanded]:
    """The stages of one `dvc.yaml`.

    Args:
        data: the content of the file.
        file: its path; params files that interpolation needs are looked for beside it.
        place: for messages.

    Raises:
        DescriptionError: every stage that DVC would refuse, with its reason.
    """
    for name, definition in (data.get("stages") or {}).items():
        yield Expanded(str(name), definition, ("stages", name))
