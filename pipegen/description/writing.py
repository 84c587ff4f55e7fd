"""A description back to plain data and to YAML. What has its default value is left out."""

from __future__ import annotations

import dataclasses
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
    found: dict[str, Any] = {}
    cls: Any = type(value)
    for word in words(cls).values():
        content = getattr(value, word.attribute)
        if word.key == "*":
            found.update(to_data(content))
        elif word.required or content != word.default or word.key == "pipegen":
            found[word.key] = to_data(content)
    return found


def to_yaml(pipeline: Pipeline) -> str:
    """The description as the text of a `pipegen.yaml`."""
    return dump(to_data(pipeline))
