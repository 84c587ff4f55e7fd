"""Values in metrics files: by the keys that lead to them, with `*` for any key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

MOST_FOUND = 10_000
"""Values that one `*` path may find."""
_LARGEST = 1.7976931348623157e308


class Unusable(Exception):
    """A metric that no rule can judge; the message says why, and goes on after the metric's name."""


@dataclass(frozen=True)
class File:
    """A metrics file as far as it is known."""

    content: Any = None
    """What it holds, as plain data."""
    problem: str = ""
    """Why it can't be used; goes on after the file's name."""


def select(content: Any, path: str) -> dict[str, Any]:
    """All values that a path leads to, by their full keys joined by dots; none where it leads nowhere.

    A key that holds dots itself is found where no nested keys are; a position in a list counts as a key; `*` stands for
    any key, also as a part of one: `fold_*.rmse`.

    Raises:
        Unusable: it finds more than anybody means.
    """
    found: dict[str, Any] = {}
    for keys, value in _walk(content, path.split(".")):
        found.setdefault(".".join(keys), value)
        if len(found) > MOST_FOUND:
            raise Unusable(f"stands for more than {MOST_FOUND:,} values")
    return found


def _walk(value: Any, steps: list[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not steps:
        yield (), value
        return
    for taken in range(1, len(steps) + 1):
        is_found = False
        for key, child in _children(value, ".".join(steps[:taken])):
            for keys, found in _walk(child, steps[taken:]):
                is_found = True
                yield (key, *keys), found
        if is_found:
            return


def _children(value: Any, step: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, Mapping):
        return
    if "*" in step:
        pattern = re.compile(".*".join(map(re.escape, step.split("*"))), re.DOTALL)
        yield from ((_text(key), item) for key, item in value.items() if pattern.fullmatch(str(key)))
    elif step in value:
        yield step, value[step]
    else:
        yield from ((step, item) for key, item in value.items() if str(key) == step)


def _text(key: Any) -> str:
    """A key as text that any file can hold: JSON can spell halves of characters."""
    return str(key).encode("utf-8", "replace").decode()


def numbers(content: Any, before: str = "") -> Iterator[tuple[str, float]]:
    """All numbers of a metrics file, NaN and infinity among them, by their keys joined by dots."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from numbers(value, f"{before}.{_text(key)}" if before else _text(key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from numbers(value, f"{before}.{index}" if before else str(index))
    elif isinstance(content, float) or (
        isinstance(content, int) and not isinstance(content, bool) and abs(content) <= _LARGEST
    ):
        yield before, float(content)


def exact(value: Any) -> Fraction:
    """A metric's value as the very number that is written: 0.1 is a tenth, so that limits are met to the last digit.

    Raises:
        Unusable: it is no finite number.
    """
    if isinstance(value, bool):
        raise Unusable(f"is {str(value).lower()}, which is no number")
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise Unusable("is too large a number")
        return Fraction(value)
    if isinstance(value, float):
        if math.isnan(value):
            raise Unusable("is not a number (NaN)")
        if math.isinf(value):
            raise Unusable(f"is {'minus ' if value < 0 else ''}infinite")
        return Fraction(repr(value))
    raise Unusable(f"is {_kind(value)}, which is no number")


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, str):
        text = "".join(ch if ch.isprintable() else "\N{REPLACEMENT CHARACTER}" for ch in value[:40])
        return f"the text {text!r}" + ("…" if len(value) > 40 else "")
    if isinstance(value, Mapping):
        return "a mapping of several values"
    if isinstance(value, list):
        return "a list of several values"
    return f"a {type(value).__name__}"


def shown(number: Fraction | float) -> str:
    """A number for people: at most ten significant digits."""
    return f"{float(number):.10g}"
