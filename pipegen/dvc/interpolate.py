"""`${item}` and `${key}` filled in as DVC does it, for values that stand in the file itself.

What needs more than the item at hand (`vars`, params files, what DVC would refuse) raises `NotLiteral`: DVC's own
resolver decides. The rules are those of `dvc.parsing` in DVC 3; `tests/dvc/test_expand.py` compares the two.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_INTERPOLATION = re.compile(r"(?<!\\)\$\{(.*?)\}")
_EXPRESSION = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[^.\[\]]+\])*")
_COMMAND = "cmd"


class NotLiteral(Exception):
    """Only DVC's own resolver can say what this stands for, or why it stands for nothing."""


class Scope:
    """The names that an interpolation may use: `item` and `key` of one generated stage; none for a plain one."""

    def __init__(self, values: Mapping[str, Any], default_options: Callable[[], bool] = lambda: True) -> None:
        """
        Args:
            values: what each name stands for.
            default_options: whether a mapping becomes options of a command by DVC's default style; asked
                only where one does.

        Raises:
            NotLiteral: a value is of a type that DVC does not interpolate.
        """
        self._values = {name: _node(value) for name, value in values.items()}
        self._default_options = default_options

    def fill(self, value: Any, word: str = "") -> Any:
        """A copy of `value` with each `${…}` replaced; a text that is nothing but one keeps the type of what
        it stands for.

        Args:
            value: plain data.
            word: the stage's word that `value` belongs to; only under `cmd` may a mapping be interpolated.

        Raises:
            NotLiteral: an interpolation is not ours to fill in.
        """
        if isinstance(value, str):
            return self._text(value, word) if "${" in value else value
        if isinstance(value, list):
            return [self.fill(item, word) for item in value]
        if isinstance(value, dict):
            return {self._key(key, word): self.fill(item, word) for key, item in value.items()}
        return value

    def _key(self, key: Any, word: str) -> Any:
        filled = self.fill(key, word)
        if isinstance(filled, Mapping):
            raise NotLiteral
        return filled

    def _text(self, template: str, word: str) -> Any:
        whole = _INTERPOLATION.fullmatch(template)
        if whole and "}" not in whole[1]:
            return self._value(whole[1], word)
        filled = _INTERPOLATION.sub(lambda found: self._as_text(self._value(found[1], word)), template)
        return filled.replace(r"\${", "${")

    def _value(self, expression: str, word: str) -> Any:
        if not _EXPRESSION.fullmatch(expression):
            raise NotLiteral
        node: Any = self._values
        for step in expression.replace("[", ".").replace("]", "").split("."):
            node = _child(node, step.strip())
        if isinstance(node, list) or (isinstance(node, Mapping) and word != _COMMAND):
            raise NotLiteral
        return node

    def _as_text(self, value: Any) -> str:
        if not isinstance(value, Mapping):
            return text_of(value)
        if not self._default_options():
            raise NotLiteral
        return " ".join(_options(value)).rstrip()


def text_of(value: Any) -> str:
    """A scalar as DVC writes it into a text or a name: booleans as YAML spells them, all else as Python
    does."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _node(value: Any) -> Any:
    """A value as DVC's context keeps it: keys of mappings that are no text are dropped."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, list):
        return [_node(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _node(item) for key, item in value.items() if isinstance(key, str)}
    raise NotLiteral


def _child(node: Any, step: str) -> Any:
    try:
        if isinstance(node, Mapping):
            return node[step]
        if isinstance(node, list):
            return node[int(step)]
    except (LookupError, ValueError):
        pass
    raise NotLiteral


def _options(mapping: Mapping[str, Any]) -> Iterator[str]:
    """A mapping as options of a command: `--name value`, `--flag` for true, nothing for false, `--list 1
    2`."""
    for name, value in _flat(mapping).items():
        if isinstance(value, bool):
            if value:
                yield f"--{name}"
        elif isinstance(value, list):
            if value:
                yield " ".join([f"--{name}", *map(_argument, value)])
        else:
            yield f"--{name} {_argument(value)}"


def _flat(mapping: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in mapping.items():
        deeper = _flat(value) if isinstance(value, Mapping) else None
        entries = (
            {name: value} if deeper is None else {f"{name}.{below}": item for below, item in deeper.items()}
        )
        if flat.keys() & entries.keys():
            raise NotLiteral
        flat.update(entries)
    return flat


def _argument(value: Any) -> str:
    if isinstance(value, (list, Mapping)):
        raise NotLiteral
    if isinstance(value, str):
        return shlex.quote(value)
    return str(value)
