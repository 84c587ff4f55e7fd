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


class Shape(NamedTuple):
    """One member of an annotation."""

    form: Form
    kind: Any
    parts: tuple[Any, ...]
    """A list's item, a map's key and value, a choice's words."""

    def fits(self, value: Any) -> bool:
        """Whether `value` has this form; whether it is right within is another question."""
        match self.form:
            case "any":
                return True
            case "null":
                return value is None
            case "list":
                return isinstance(value, list)
            case "map" | "object":
                return isinstance(value, dict)
            case "choice":
                return type(value) in {type(choice) for choice in self.parts}
            case "number":
                return isinstance(value, (int, float)) and not isinstance(value, bool)
            case "whole":
                return isinstance(value, int) and not isinstance(value, bool)
            case "flag":
                return isinstance(value, bool)
        return isinstance(value, str)

    @property
    def words(self) -> str:
        """This form in words, for messages and for the grammar table."""
        match self.form:
            case "list":
                return f"a list of {describe(self.parts[0]).removeprefix('a ').removeprefix('an ')}"
            case "map" | "object":
                return "a mapping"
            case "choice":
                return " or ".join(str(choice) for choice in self.parts)
            case "kind of text":
                return str(self.kind.form)
        return _WORDS.get(self.form, "any value")


@cache
def shapes(annotation: Any) -> tuple[Shape, ...]:
    """The members of an annotation."""
    return tuple(_shape(kind) for kind in alternatives(annotation))


def _shape(kind: Any) -> Shape:
    origin = get_origin(kind)
    if origin is list or origin is dict:
        return Shape("list" if origin is list else "map", kind, get_args(kind))
    if is_literal(kind):
        return Shape("choice", kind, get_args(kind))
    if dataclasses.is_dataclass(kind):
        return Shape("object", kind, ())
    if kind not in _PLAIN and isinstance(kind, type) and issubclass(kind, Text):
        return Shape("kind of text", kind, ())
    return Shape(_PLAIN[kind], kind, ())


def describe(annotation: Any) -> str:
    """An annotation in words."""
    return " or ".join(shape.words for shape in shapes(annotation) if shape.form != "null")


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
