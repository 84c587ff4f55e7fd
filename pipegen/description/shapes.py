"""What an annotation of the grammar asks for: its form, its parts, and whether a value has it. Worked out once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pipegen.description.text import Text
from pipegen.description.words import alternatives, is_literal

Form = Literal[
    "any", "null", "list", "map", "object", "choice", "kind of text", "text", "whole", "number", "flag"
]

_PLAIN: dict[Any, Form] = {
    Any: "any",
    type(None): "null",
    str: "text",
    int: "whole",
    float: "number",
    bool: "flag",
}
_WORDS = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "null": "nothing",
}


_RIGHT_AS_THEY_ARE = ("any", "null", "text", "whole", "flag")


class Shape(NamedTuple):
    """One member of an annotation."""

    form: Form
    kind: Any
    parts: tuple[Any, ...]
    """A list's item and a map's key and value, each an `Expected`; a choice's words."""

    def fits(self, cls: type[Any]) -> bool:
        """Whether values of type `cls` have this form; whether one is right within is another question."""
        match self.form:
            case "any":
                return True
            case "null":
                return cls is type(None)
            case "list":
                return issubclass(cls, list)
            case "map" | "object":
                return issubclass(cls, dict)
            case "choice":
                return cls in {type(choice) for choice in self.parts}
            case "number":
                return issubclass(cls, (int, float)) and not issubclass(cls, bool)
            case "whole":
                return issubclass(cls, int) and not issubclass(cls, bool)
            case "flag":
                return issubclass(cls, bool)
        return issubclass(cls, str)

    @property
    def words(self) -> str:
        """This form in words, for messages and for the grammar table."""
        match self.form:
            case "list":
                return f"a list of {self.parts[0].words.removeprefix('a ').removeprefix('an ')}"
            case "map" | "object":
                return "a mapping"
            case "choice":
                return " or ".join(str(choice) for choice in self.parts)
            case "kind of text":
                return str(self.kind.form)
        return _WORDS.get(self.form, "any value")


class Expected:
    """An annotation, worked out: its members, and which of them values of a type may be."""

    def __init__(self, annotation: Any) -> None:
        self.shapes = tuple(_shape(kind) for kind in alternatives(annotation))
        self.plain: set[type[Any]] = set()
        """Types met so far whose values are right as they are."""
        self._fitting: dict[type[Any], tuple[Shape, ...]] = {}

    def fitting(self, value: Any) -> tuple[Shape, ...]:
        """The members whose form `value` has."""
        cls = type(value)
        if cls not in self._fitting:
            self._fitting[cls] = found = tuple(shape for shape in self.shapes if shape.fits(cls))
            if [shape.form in _RIGHT_AS_THEY_ARE for shape in found] == [True]:
                self.plain.add(cls)
        return self._fitting[cls]

    @property
    def words(self) -> str:
        """The annotation in words."""
        return " or ".join(shape.words for shape in self.shapes if shape.form != "null")


@cache
def expected(annotation: Any) -> Expected:
    """What an annotation asks for."""
    return Expected(annotation)


def _shape(kind: Any) -> Shape:
    origin = get_origin(kind)
    if origin is list or origin is dict:
        return Shape("list" if origin is list else "map", kind, tuple(map(expected, get_args(kind))))
    if is_literal(kind):
        return Shape("choice", kind, get_args(kind))
    if dataclasses.is_dataclass(kind):
        return Shape("object", kind, ())
    if kind not in _PLAIN and isinstance(kind, type) and issubclass(kind, Text):
        return Shape("kind of text", kind, ())
    return Shape(_PLAIN[kind], kind, ())


def meant(fitting: Sequence[Shape], value: Any) -> Shape:
    """Of the shapes that fit, the one that is meant: an object tells itself by its keys, text by its kind."""
    objects = [shape for shape in fitting if shape.form == "object"]
    told = [shape for shape in objects if getattr(shape.kind, "is_told_by", _never)(value)]
    exact = [shape for shape in fitting if shape.form in _EXACT and type(value) is shape.kind]
    texts = [shape for shape in fitting if shape.form == "kind of text"]
    others = [shape for shape in fitting if not hasattr(shape.kind, "is_told_by")]
    return (told or exact or texts or others or fitting)[0]


_EXACT = ("text", "whole", "number", "flag")


def _never(value: Any) -> bool:
    return False


def takes_text(found: Iterable[Shape]) -> bool:
    """Whether one of them is text, so that a number may only lack its quotes."""
    return any(shape.form in ("text", "kind of text") for shape in found)
