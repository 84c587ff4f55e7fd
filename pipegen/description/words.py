"""How a key of the description is declared: a dataclass field with its meaning and, where Python forbids
the word, its spelling.

The dataclasses of `model` are the one source: `reading` follows their annotations, `writing` turns them
back, `grammar` prints them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, Field, field
from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(**options: Any) -> Any:
        """`dataclasses.dataclass(frozen=True, kw_only=True)` for the classes of the grammar, at a third of its cost.

        That one compiles seven methods for each class; these classes share all but `__init__`.
        """
        assert options == {"frozen": True, "kw_only": True}, options

        def made(cls: type[Any]) -> type[Any]:
            cls = dataclasses.dataclass(cls, kw_only=True, eq=False, repr=False)
            cls.__eq__, cls.__hash__, cls.__repr__ = _equals, _hash, _shown
            cls.__setattr__, cls.__delattr__ = _set_once, _never_deleted
            return cls

        return made


def _equals(self: Any, other: Any) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    return _compared(self) == _compared(other)


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, f.name) for f in dataclasses.fields(self) if f.compare)


def _shown(self: Any) -> str:
    values = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"


def _set_once(self: Any, name: str, value: Any) -> None:
    if name in self.__dict__ or name not in self.__dataclass_fields__:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _never_deleted(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def word(meaning: str, default: Any = MISSING, *, spelled: str = "", shown: str = "") -> Any:
    """A key of the description.

    Args:
        meaning: one sentence for the grammar table.
        default: its value where the key is left out; a list or dict is copied. Without one the key is
        required.
        spelled: the key itself, where it is a Python keyword.
        shown: what the grammar table says of the default, where the value says too little.
    """
    metadata = {"meaning": meaning, "spelled": spelled, "shown": shown}
    if isinstance(default, (list, dict)):
        kept = default
        return field(default_factory=lambda: type(kept)(kept), metadata=metadata)
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


class Word(NamedTuple):
    """A key as declared: its spelling, the attribute that holds it, its type, meaning and default."""

    key: str
    attribute: str
    type: Any
    meaning: str
    required: bool
    default: Any
    shown: str


@cache
def words(cls: type[Any]) -> Mapping[str, Word]:
    """The keys of a class of the description, by spelling, in order of declaration."""
    hints = get_type_hints(cls)
    found = (_as_word(f, hints[f.name]) for f in dataclasses.fields(cls) if "meaning" in f.metadata)
    return {w.key: w for w in found}


def _as_word(f: Field[Any], hint: Any) -> Word:
    required = f.default is MISSING and f.default_factory is MISSING
    default = f.default_factory() if f.default_factory is not MISSING else f.default
    key = f.metadata["spelled"] or f.name
    return Word(key, f.name, hint, f.metadata["meaning"], required, default, f.metadata["shown"])


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def is_literal(kind: Any) -> bool:
    """Whether a type is a choice between fixed words."""
    return get_origin(kind) is Literal
