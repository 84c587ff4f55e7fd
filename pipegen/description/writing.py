"""A description back to plain data and to YAML. What has its default value is left out."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from pipegen.description.dumper import dump
from pipegen.description.model import Pipeline
from pipegen.description.words import words


def to_data(value: Any) -> Any:
    """Plain dicts, lists and scalars that `reading` turns back into an equal value."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_data(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _object_data(value)
    return value


def _object_data(value: Any) -> dict[str, Any]:
    cls: Any = type(value)
    found: dict[str, Any] = {}
    for key, attribute, default in _written(cls):
        content = getattr(value, attribute)
        if key == "*":
            found.update(to_data(content))
        elif content != default:
            found[key] = to_data(content)
    return found


_ALWAYS: Any = object()
"""Stands in the place of a default where a key is never left out."""


@cache
def _written(cls: Any) -> tuple[tuple[str, str, Any], ...]:
    """The keys of a class, the attributes that hold them, and the values with which they are left out."""
    return tuple(
        (word.key, word.attribute, _ALWAYS if word.required or word.key == "pipegen" else word.default)
        for word in words(cls).values()
    )


def to_yaml(pipeline: Pipeline) -> str:
    """The description as the text of a `pipegen.yaml`."""
    return dump(to_data(pipeline))
