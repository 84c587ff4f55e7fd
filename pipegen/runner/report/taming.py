"""What goes into a report, without values of secrets and without texts that nobody reads to the end."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pipegen.runner.agent.masking import Masker

LONGEST = 400
"""Characters of one text in a report; nobody reads more in one place."""
_T = TypeVar("_T")


def tamed(value: _T, masker: Masker) -> _T:
    """The same without values of secrets, and without texts that nobody reads to the end."""
    made: Any = value
    if isinstance(value, str):
        text = masker.text(value)  # first: half a secret would not be recognised
        made = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    elif isinstance(value, dict):
        made = {tamed(key, masker): tamed(item, masker) for key, item in value.items()}
    elif isinstance(value, (list, tuple)):
        made = type(value)(tamed(item, masker) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(
            value, **{each.name: tamed(getattr(value, each.name), masker) for each in fields(value)}
        )
    return made  # type: ignore[no-any-return]
