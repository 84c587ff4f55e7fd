"""How a key of the description is declared: a dataclass field with its meaning and, where Python forbids
the word, its spelling.

The dataclasses of `model` are the one source: `reading` follows their annotations, `writing` turns them
back, `grammar` prints them.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field
from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    NoReturn,
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

        That one compiles eight methods for each class; these classes share them.
        """
        assert options == {"frozen": True, "kw_only": True}, options

        def made(cls: type[Any]) -> type[Any]:
            cls = dataclasses.dataclass(cls, kw_only=True, init=False, eq=False, repr=False)
            cls.__init__, cls.__signature__ = _init, _Signature()
            cls.__eq__, cls.__hash__, cls.__repr__ = _equals, _hash, _shown
            cls.__setattr__, cls.__delattr__ = _never_set, _never_deleted
            return cls

        return made


def _init(self: Any, **values: Any) -> None:
    cls: Any = type(self)
    fields = _fields(cls)
    if not fields.required <= values.keys() <= fields.names:
        _refuse(cls, values)
    own = self.__dict__
    own.update(fields.defaults)
    own.update(values)
    for name, made in fields.made:
        if name not in values:
            own[name] = made()


class _Fields(NamedTuple):
    """The fields of a class, as building an instance needs them."""

    names: frozenset[str]
    required: frozenset[str]
    defaults: Mapping[str, Any]
    made: tuple[tuple[str, Callable[[], Any]], ...]
    """Those whose default is made anew for each instance."""


@cache
def _fields(cls: Any) -> _Fields:
    fields = dataclasses.fields(cls)
    return _Fields(
        names=frozenset(f.name for f in fields),
        required=frozenset(f.name for f in fields if _is_required(f)),
        defaults={f.name: f.default for f in fields if f.default is not MISSING},
        made=tuple((f.name, f.default_factory) for f in fields if f.default_factory is not MISSING),
    )


def _is_required(f: Field[Any]) -> bool:
    return f.default is MISSING and f.default_factory is MISSING


def _refuse(cls: Any, values: Mapping[str, Any]) -> NoReturn:
    """Raise TypeError, as Python would."""
    for name in values.keys() - _fields(cls).names:
        raise TypeError(f"{cls.__qualname__}.__init__() got an unexpected keyword argument {name!r}")
    missing = [repr(f.name) for f in dataclasses.fields(cls) if _is_required(f) and f.name not in values]
    raise TypeError(f"{cls.__qualname__}.__init__() lacks the keyword arguments {', '.join(missing)}")


class _Signature:
    """What `help` and editors show of a class's `__init__`."""

    def __get__(self, instance: object, cls: type[Any]) -> inspect.Signature:
        return inspect.Signature(
            [
                inspect.Parameter(
                    f.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if _is_required(f) else _as_word(f, f.type).default,
                    annotation=f.type,
                )
                for f in dataclasses.fields(cls)
                if "meaning" in f.metadata
            ]
        )


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


def _never_set(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


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
        return field(default_factory=default.copy, metadata=metadata)
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
    default = f.default_factory() if f.default_factory is not MISSING else f.default
    key = f.metadata["spelled"] or f.name
    return Word(key, f.name, hint, f.metadata["meaning"], _is_required(f), default, f.metadata["shown"])


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def is_literal(kind: Any) -> bool:
    """Whether a type is a choice between fixed words."""
    return get_origin(kind) is Literal
