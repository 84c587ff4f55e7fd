"""Turn plain data into the classes of `model` by their annotations, and collect every mistake with its place.

One walk serves the whole grammar and the words of the targets: a new key needs a new field and nothing here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pipegen.description.source import Source
from pipegen.description.text import Text
from pipegen.description.words import Word, alternatives, is_literal, words
from pipegen.dvc.yaml12 import Path
from pipegen.errors import DescriptionError, Problem

T = TypeVar("T")
_MISSING: Any = object()
"""What reading gives for a value it refuses."""


def read(cls: type[T], value: Any, source: Source, path: Path = (), *, interpolated: bool = False) -> T:
    """Read `value` as `cls`.

    Args:
        cls: a class of the description.
        value: plain data, as YAML gives it.
        source: where it was read from.
        path: where `value` stands in the source.
        interpolated: accept `${…}` wherever a plain value stands; DVC fills it in later.

    Raises:
        DescriptionError: with every mistake found.
    """
    reader = Reader(source, interpolated=interpolated)
    result = reader.read(cls, value, path)
    if reader.problems:
        raise DescriptionError(reader.problems)
    return result  # type: ignore[no-any-return]


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint with the nearest valid word, or with all of them where none is near."""
    known = [str(word) for word in valid]
    import difflib  # it costs more than all other imports here, and is for mistakes only

    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not known:
        return ""
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"valid here: {shown}"


class Reader:
    """One reading: collects `problems` instead of stopping at the first."""

    def __init__(self, source: Source, *, interpolated: bool = False) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.lost: list[Path] = []
        """Where something was left out of the result because it is wrong."""
        self._interpolated = interpolated

    def refuse(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> Any:
        self.problems.append(self.source.problem(path, message, hint, key=key))
        self.lost.append(path)
        return _MISSING

    def read_what_is_right(self, kind: type[T], value: Any) -> T | None:
        """`value` as `kind` without the parts that are wrong, which `problems` and `lost` tell; None if
        nothing is left."""
        found = self.read(kind, value, ())
        return None if found is _MISSING else found

    def read(self, kind: Any, value: Any, path: Path) -> Any:
        """`value` as `kind`; on a mistake a problem is noted, and what is wrong is left out of the result."""
        kinds = alternatives(kind)
        if len(kinds) == 1:
            return self._one(kinds[0], value, path)
        fitting = [k for k in kinds if _fits(k, value)]
        if not fitting and self._awaits_interpolation(value):
            return value
        if not fitting:
            return self.refuse(
                path, f"{shown(value)} stands where {describe(kind)} is expected", _quote_hint(kinds, value)
            )
        return self._one(_best(fitting, value), value, path)

    def _one(self, kind: Any, value: Any, path: Path) -> Any:
        if self._awaits_interpolation(value) and kind is not Any:
            return value
        if dataclasses.is_dataclass(kind):
            return self._stage(kind, value, path) if _is_stage(kind) else self._object(kind, value, path)
        if kind is Any:
            return value
        if not _fits(kind, value):
            return self.refuse(
                path, f"{shown(value)} stands where {describe(kind)} is expected", _quote_hint((kind,), value)
            )
        origin = get_origin(kind)
        if origin is list:
            items = [self.read(get_args(kind)[0], item, (*path, i)) for i, item in enumerate(value)]
            return [item for item in items if item is not _MISSING]
        if origin is dict:
            key_kind, value_kind = get_args(kind)
            return self._map(key_kind, value_kind, value, path)
        if is_literal(kind):
            if value not in get_args(kind) or isinstance(value, bool) != isinstance(get_args(kind)[0], bool):
                return self.refuse(path, f"{shown(value)} is not known here", nearest(value, get_args(kind)))
            return value
        if isinstance(kind, type) and issubclass(kind, Text):
            return self._text(kind, value, path)
        return float(value) if kind is float else value

    def _awaits_interpolation(self, value: Any) -> bool:
        return self._interpolated and isinstance(value, str) and "${" in value

    def _text(self, kind: type[Text], value: str, path: Path, *, key: bool = False) -> Any:
        try:
            kind.check(value)
        except ValueError as error:
            return self.refuse(path, shorten(str(error)), key=key)
        return kind(value)

    def _map(self, key_kind: Any, value_kind: Any, value: Mapping[Any, Any], path: Path) -> dict[Any, Any]:
        found = {}
        for key, item in value.items():
            at = (*path, key)
            if not isinstance(key, str) and key_kind is not Any:
                self.refuse(at, f"the key {shown(key)} is not text", "quote it", key=True)
                continue
            if is_literal(key_kind) and key not in get_args(key_kind):
                self.refuse(at, f"{key!r} is not known here", nearest(key, get_args(key_kind)), key=True)
            if isinstance(key_kind, type) and issubclass(key_kind, Text):
                self._text(key_kind, key, at, key=True)
                key = key_kind(key)
            found[key] = self.read(value_kind, item, at)
        return {key: item for key, item in found.items() if item is not _MISSING}

    def _object(self, cls: Any, value: Any, path: Path) -> Any:
        known = words(cls)
        if not isinstance(value, Mapping):
            keys = ", ".join(w.key for w in known.values() if w.key != "*")
            return self.refuse(
                path,
                f"{shown(value)} stands where a mapping is expected",
                f"its keys: {keys}" if keys else "",
            )
        rest = known.get("*")
        found: dict[str, Any] = {}
        for key, item in value.items():
            if key in known and key != "*":
                found[known[key].attribute] = self.read(known[key].type, item, (*path, key))
            elif rest is None:
                self.refuse(
                    (*path, key),
                    f"{shown(key)} is not a key here",
                    self._key_hint(key, known, path),
                    key=True,
                )
        if rest is not None:
            others = {key: item for key, item in value.items() if key not in known}
            found[rest.attribute] = self.read(rest.type, others, path)
        for w in known.values():
            if w.required and w.attribute not in found:
                self.refuse(path, f"the key {w.key!r} is missing here", w.meaning)
        right = {attribute: item for attribute, item in found.items() if item is not _MISSING}
        if any(w.required and w.attribute not in right for w in known.values()):
            self.lost.append(path)
            return _MISSING
        return cls(**right)

    def _stage(self, cls: Any, value: Any, path: Path) -> Any:
        """A stage before DVC's interpolation: `${…}` may stand for any plain value."""
        before, self._interpolated = self._interpolated, True
        try:
            return self._object(cls, value, path)
        finally:
            self._interpolated = before

    def _key_hint(self, key: Any, known: Mapping[str, Word], path: Path) -> str:
        from pipegen.description.model import Ci, Stage

        ci_words = words(Ci)
        if key in ci_words and "ci" in known:
            return f"{key!r} belongs under `ci:`"
        if key in words(Stage) and set(known) == set(ci_words):
            return f"{key!r} is a word of the stage itself, beside `ci:`"
        if key in words(Stage) and "do" in known:
            return f"{key!r} belongs under `do:`"
        return nearest(str(key), (k for k in known if k != "*"))


def _is_stage(kind: Any) -> bool:
    from pipegen.description.model import Stage

    return kind is Stage


def shown(value: Any) -> str:
    """A value as a message shows it, short."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return shorten(repr(value) if isinstance(value, str) else str(value))


def shorten(text: str, most: int = 160) -> str:
    """Text cut in its middle to at most `most` characters, in one printable line."""
    text = "".join(ch if ch.isprintable() else f"\\x{ord(ch):02x}" for ch in text)
    return text if len(text) <= most else f"{text[: most - 40]} … {text[-30:]}"


def describe(kind: Any) -> str:
    """A type in words, for messages and for the grammar table."""
    kinds = [k for k in alternatives(kind) if k is not type(None)]
    if len(kinds) > 1:
        return " or ".join(describe(k) for k in kinds)
    kind = kinds[0]
    origin = get_origin(kind)
    if origin is list:
        return f"a list of {describe(get_args(kind)[0]).removeprefix('a ').removeprefix('an ')}"
    if origin is dict:
        return "a mapping"
    if is_literal(kind):
        return " or ".join(str(choice) for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Text):
        return kind.form
    if dataclasses.is_dataclass(kind):
        return "a mapping"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(
        kind, "any value"
    )


def _fits(kind: Any, value: Any) -> bool:
    origin = get_origin(kind)
    if kind is Any:
        return True
    if kind is type(None):
        return value is None
    if origin is list:
        return isinstance(value, list)
    if origin is dict or dataclasses.is_dataclass(kind):
        return isinstance(value, Mapping)
    if is_literal(kind):
        return isinstance(value, (str, int, bool)) and type(value) in {type(c) for c in get_args(kind)}
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str if issubclass(kind, str) else kind)


def _best(kinds: list[Any], value: Any) -> Any:
    """Of the kinds whose shape fits, the one that is meant."""
    from pipegen.description.model import Foreach, Stage, StagesFrom

    if Foreach in kinds and Stage in kinds:
        return Foreach if {"foreach", "do"} & set(value) else Stage
    if StagesFrom in kinds:
        return StagesFrom if list(value) == ["from"] and isinstance(value["from"], (list, str)) else kinds[1]
    exact = [k for k in kinds if isinstance(k, type) and type(value) is k]
    texts = [k for k in kinds if isinstance(k, type) and issubclass(k, Text)]
    return (exact or texts or kinds)[0]


def _quote_hint(kinds: Iterable[Any], value: Any) -> str:
    takes_text = any(isinstance(k, type) and issubclass(k, str) for k in kinds)
    return "quote it" if takes_text and isinstance(value, (bool, int, float)) else ""
