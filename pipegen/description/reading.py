"""Turn plain data into the classes of `model` by their annotations, and collect every mistake with its place.

One walk serves the whole grammar and the words of the targets: a new key needs a new field and nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from pipegen.description.shapes import Expected, expected, meant, takes_text
from pipegen.description.source import Source
from pipegen.description.text import Text
from pipegen.description.words import Word, words
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
        return self._read(expected(kind), value, path)

    def _read(self, wanted: Expected, value: Any, path: Path) -> Any:
        if self._interpolated and isinstance(value, str) and "${" in value:
            return value
        fitting = wanted.fitting(value)
        if not fitting:
            return self._no_fit(wanted, value, path)
        shape = fitting[0] if len(fitting) == 1 else meant(fitting, value)
        match shape.form:
            case "object":
                return self._object(shape.kind, value, path)
            case "list":
                [item_kind] = shape.parts
                read = [
                    item if type(item) in item_kind.plain else self._read(item_kind, item, (*path, i))
                    for i, item in enumerate(value)
                ]
                return [item for item in read if item is not _MISSING]
            case "map":
                key_kind, value_kind = shape.parts
                return self._map(key_kind, value_kind, value, path)
            case "kind of text":
                return self._text(shape.kind, value, path)
            case "choice" if value not in shape.parts:
                return self.refuse(path, f"{shown(value)} is not known here", nearest(value, shape.parts))
            case "number":
                return float(value)
        return value

    def _no_fit(self, wanted: Expected, value: Any, path: Path) -> Any:
        if len(wanted.shapes) == 1 and wanted.shapes[0].form == "object":
            return self._no_mapping(wanted.shapes[0].kind, value, path)
        hint = "quote it" if takes_text(wanted.shapes) and isinstance(value, (bool, int, float)) else ""
        return self.refuse(path, f"{shown(value)} stands where {wanted.words} is expected", hint)

    def _no_mapping(self, cls: Any, value: Any, path: Path) -> Any:
        keys = ", ".join(key for key in words(cls) if key != "*")
        hint = f"its keys: {keys}" if keys else ""
        return self.refuse(path, f"{shown(value)} stands where a mapping is expected", hint)

    def _text(self, kind: type[Text], value: str, path: Path, *, key: bool = False) -> Any:
        mistake = _mistake(kind, value)
        return self.refuse(path, shorten(mistake), key=key) if mistake else kind(value)

    def _map(
        self, key_kind: Expected, value_kind: Expected, value: Mapping[Any, Any], path: Path
    ) -> dict[Any, Any]:
        [key_shape] = key_kind.shapes
        found = {}
        for key, item in value.items():
            at = (*path, key)
            if not isinstance(key, str) and key_shape.form != "any":
                self.refuse(at, f"the key {shown(key)} is not text", "quote it", key=True)
                continue
            if key_shape.form == "choice" and key not in key_shape.parts:
                self.refuse(at, f"{key!r} is not known here", nearest(key, key_shape.parts), key=True)
            if key_shape.form == "kind of text":
                self._text(key_shape.kind, key, at, key=True)
                key = key_shape.kind(key)
            found[key] = self._read(value_kind, item, at)
        return {key: item for key, item in found.items() if item is not _MISSING}

    def _object(self, cls: Any, value: Any, path: Path) -> Any:
        keys = _keys(cls)
        before, lost_before = self._interpolated, len(self.lost)
        self._interpolated = before or keys.before_interpolation
        found: dict[str, Any] = {}
        for key, item in value.items():
            word = keys.words.get(key)
            if word is not None and type(item) in word.wanted.plain:
                found[word.attribute] = item
            elif word is not None:
                found[word.attribute] = self._read(word.wanted, item, (*path, key))
            elif keys.rest is None:
                hint = self._key_hint(key, words(cls), path)
                self.refuse((*path, key), f"{shown(key)} is not a key here", hint, key=True)
        if keys.rest is not None:
            others = {key: item for key, item in value.items() if key not in keys.words}
            found[keys.rest.attribute] = self._read(keys.rest.wanted, others, path)
        self._interpolated = before
        if not found.keys() >= keys.required:
            for missing in (w for w in words(cls).values() if w.required and w.attribute not in found):
                self.refuse(path, f"the key {missing.key!r} is missing here", missing.meaning)
        if len(self.lost) > lost_before:
            found = {attribute: item for attribute, item in found.items() if item is not _MISSING}
        if not found.keys() >= keys.required:
            self.lost.append(path)
            return _MISSING
        return cls(**found)

    def _key_hint(self, key: Any, known: Mapping[str, Word], path: Path) -> str:
        from pipegen.description.stage_words import Ci, Stage

        ci_words = words(Ci)
        if key in ci_words and "ci" in known:
            return f"{key!r} belongs under `ci:`"
        if key in words(Stage) and set(known) == set(ci_words):
            return f"{key!r} is a word of the stage itself, beside `ci:`"
        if key in words(Stage) and "do" in known:
            return f"{key!r} belongs under `do:`"
        return nearest(str(key), (k for k in known if k != "*"))


@lru_cache(maxsize=4096)
def _mistake(kind: Any, text: str) -> str:
    """Why a text is not of this kind; empty if it is."""
    try:
        kind.check(text)
    except ValueError as error:
        return str(error)
    return ""


class _Key(NamedTuple):
    attribute: str
    wanted: Expected


class _Keys(NamedTuple):
    """The keys of a class of the description, as reading needs them."""

    words: Mapping[str, _Key]
    rest: _Key | None
    """What takes every other key."""
    required: frozenset[str]
    before_interpolation: bool


@cache
def _keys(cls: Any) -> _Keys:
    found = {key: _Key(word.attribute, expected(word.type)) for key, word in words(cls).items()}
    rest = found.pop("*", None)
    required = frozenset(word.attribute for word in words(cls).values() if word.required)
    return _Keys(found, rest, required, getattr(cls, "before_interpolation", False))


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
