"""What a stage's words must be once they are filled in: the types without which DVC fails later, with less
to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipegen.dvc.yaml12 import Path as At

_OUTS = ("outs", "metrics", "plots")


def misfits(definition: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    """Each value of a wrong type: where it stands in the stage, and what is wrong with it."""
    if "cmd" not in definition:
        yield (), "the stage has no `cmd`"
    else:
        yield from _texts(definition["cmd"], ("cmd",), one=True)
    if not isinstance(definition.get("wdir", ""), str):
        yield ("wdir",), _message(definition["wdir"], "text")
    yield from _texts(definition.get("deps", []), ("deps",))
    for word in ("params", *_OUTS):
        yield from _entries(definition.get(word, []), word)


def _texts(value: Any, at: At, *, one: bool = False) -> Iterator[tuple[At, str]]:
    if one and isinstance(value, str):
        return
    if not isinstance(value, list):
        yield at, _message(value, "text or a list of texts" if one else "a list")
        return
    for index, item in enumerate(value):
        if not isinstance(item, str):
            yield (*at, index), _message(item, "text")


def _entries(value: Any, word: str) -> Iterator[tuple[At, str]]:
    if not isinstance(value, list):
        yield (word,), _message(value, "a list")
        return
    for index, item in enumerate(value):
        if isinstance(item, str):
            continue
        if isinstance(item, Mapping):
            for path, options in item.items():
                yield from _options(path, options, word, (word, index, path))
        else:
            yield (word, index), _message(item, "text or a mapping")


def _options(path: Any, options: Any, word: str, at: At) -> Iterator[tuple[At, str]]:
    if not isinstance(path, str):
        yield at, f"the path {path!r} is not text; quote it"
    if word == "params":
        if options is not None and not isinstance(options, list):
            yield at, _message(options, "a list of parameters")
    elif not (isinstance(options, Mapping) or (word == "plots" and isinstance(options, list))):
        yield at, _message(options, "a mapping of options")


def _message(value: Any, expected: str) -> str:
    shown = {dict: "a mapping", list: "a list", type(None): "nothing", bool: str(value).lower()}.get(
        type(value), repr(value)
    )
    return f"{shown} stands where {expected} is expected"
