"""The stages that a `dvc.yaml` stands for, by DVC's own rules of `foreach`, `matrix` and interpolation.

What stands in the file itself is expanded here, without DVC; the rest is asked of DVC's resolver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from pipegen.dvc.interpolate import NotLiteral, Scope, text_of
from pipegen.dvc.resolver import Refused, Resolver, has_default_options
from pipegen.dvc.shape import misfits
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import DescriptionError, Problem

_JOIN = "@"


class Place(Protocol):
    """Where the data was read from; makes problems with file, line and column."""

    def problem(
        self, path: At, message: str, hint: str = "", *, key: bool = False, code: str = ""
    ) -> Problem: ...


@dataclass(frozen=True)
class Expanded:
    """One stage after expansion."""

    name: str
    """As DVC names it within its file: `train`, `train@lasso`."""
    definition: Mapping[str, Any]
    """DVC's words with every `${…}` filled in."""
    at: At
    """Where its definition stands in the file: `("stages", "train", "do")`."""


def expand(data: Mapping[str, Any], file: Path, place: Place) -> Iterable[Expanded]:
    """The stages of one `dvc.yaml`.

    Args:
        data: the content of the file.
        file: its path; params files that interpolation needs are looked for beside it.
        place: for messages.

    Raises:
        DescriptionError: every stage that DVC would refuse, with its reason.
        WorkspaceError: DVC must fill a value in, and is not installed or not known.
    """
    return _Expansion(data, file, place).stages()


class _Expansion:
    """The expansion of one file: collects problems instead of stopping at the first."""

    def __init__(self, data: Mapping[str, Any], file: Path, place: Place) -> None:
        self._data = data
        self._file = file
        self._place = place
        self._resolver = Resolver(data, file)
        self._problems: list[Problem] = []

    def stages(self) -> list[Expanded]:
        entries = self._data.get("stages") or {}
        if not isinstance(entries, Mapping):
            raise DescriptionError(
                [self._place.problem(("stages",), "`stages` is a mapping of names to stages")]
            )
        if self._data.get("vars"):
            self._load_vars()
        found = [stage for name, entry in entries.items() for stage in self._entry(name, entry)]
        if self._problems:
            raise DescriptionError(self._problems)
        return found

    def _load_vars(self) -> None:
        try:
            self._resolver.load_vars()
        except Refused as refused:
            raise DescriptionError(
                [self._place.problem(("vars",), f"DVC can't read it: {refused.words}")]
            ) from None

    def _entry(self, name: Any, entry: Any) -> list[Expanded]:
        at: At = ("stages", name)
        misshapen = _misshapen(name, entry)
        if misshapen:
            self._refuse(at, misshapen, key=True)
            return []
        if "do" in entry:
            at = (*at, "do")
        found = [Expanded(full, definition, at) for full, definition in self._definitions(name, entry, at)]
        return [stage for stage in found if self._is_sound(stage)]

    def _definitions(
        self, name: str, entry: Mapping[str, Any], at: At
    ) -> Iterable[tuple[str, Mapping[str, Any]]]:
        try:
            return list(self._literal(name, entry))
        except NotLiteral:
            return self._resolved(name, at)

    def _literal(self, name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        template = _template(entry)
        if "vars" in template:
            raise NotLiteral
        items = self._without_clashes(name, list(_items(entry)))
        for key, values in items.items():
            scope = Scope(values, lambda: self._has_default_options)
            filled = {word: scope.fill(value, word) for word, value in template.items()}
            yield _full_name(name, key), filled

    def _resolved(self, name: str, at: At) -> Iterator[tuple[str, Mapping[str, Any]]]:
        try:
            full_names = self._resolver.names(name)
        except Refused as refused:
            self._refuse_as_dvc(("stages", name), name, refused)
            return
        said: set[str] = set()
        for full in full_names:
            try:
                yield full, self._resolver.definition(full)
            except Refused as refused:
                if refused.words not in said:  # one mistake in a template is not one for each of its items
                    self._refuse_as_dvc(at, full, refused)
                said.add(refused.words)

    @cached_property
    def _has_default_options(self) -> bool:
        return has_default_options(self._file)

    def _without_clashes(
        self, name: str, items: list[tuple[str | None, dict[str, Any]]]
    ) -> dict[str | None, dict[str, Any]]:
        """Items by key. DVC keeps the last of those with one key in silence, which loses a stage where they
        differ."""
        found: dict[str | None, dict[str, Any]] = {}
        for key, values in items:
            if key in found and repr(found[key]) != repr(values):
                message = f"two different items make the one name {_full_name(name, key)!r}: DVC would drop the first"
                self._refuse(("stages", name), message, "change one of the items", key=True)
            found[key] = values
        return found

    def _is_sound(self, stage: Expanded) -> bool:
        group, _, key = stage.name.partition(_JOIN)
        if _JOIN in key:
            message = f"an item that holds @ makes the name {stage.name!r}, which DVC does not find again"
            self._refuse(
                ("stages", group), message, "name the items by a map: `foreach: {name: value}`", key=True
            )
            return False
        if _JOIN in stage.name and not key:
            self._refuse(("stages", group), "an item is empty, so its stage has no name", key=True)
            return False
        wrong = list(misfits(stage.definition))
        for where, message in wrong:
            self._refuse((*stage.at, *where), message)
        return not wrong

    def _refuse(self, at: At, message: str, hint: str = "", *, key: bool = False) -> None:
        self._problems.append(self._place.problem(at, message, hint, key=key))

    def _refuse_as_dvc(self, at: At, name: str, refused: Refused) -> None:
        group = name.partition(_JOIN)[0]
        word = refused.where.removeprefix("stages.").removeprefix(name).removeprefix(group).removeprefix(".")
        exact = (*at, word) if word and refused.where.startswith("stages.") else at
        hint = (
            "quote it: DVC interpolates text, numbers, true and false"
            if "Unsupported value of type" in refused.words
            else ""
        )
        self._refuse(exact, f"DVC can't resolve {name!r}: {refused.words}", hint)


def _misshapen(name: Any, entry: Any) -> str:
    """What is wrong with an entry under `stages`, if it can't even be expanded; empty if nothing is."""
    if not isinstance(name, str) or not name:
        return f"the stage's name {name!r} is not text; quote it" if name != "" else "the stage has no name"
    if _JOIN in name:
        return f"the stage's name {name!r} holds @, which stands before an item"
    if not isinstance(entry, Mapping):
        return f"the stage {name!r} is not a mapping of keys to values"
    if "foreach" not in entry and "do" not in entry:
        return (
            "" if isinstance(entry.get("matrix", {}), Mapping) else "`matrix` is a mapping of names to lists"
        )
    if "foreach" not in entry:
        return f"the stage {name!r} has `do` but no `foreach`"
    if not isinstance(entry.get("do"), Mapping):
        return f"the stage {name!r} has `foreach` but no `do`"
    return "a stage has `foreach` or `matrix`, not both" if "matrix" in entry else ""


def _template(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The words that are filled in once for each item."""
    if "foreach" in entry:
        template: Mapping[str, Any] = entry["do"]
        return template
    return {word: value for word, value in entry.items() if word != "matrix"}


def _items(entry: Mapping[str, Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """The key of each item (None for a plain stage, which has one) and what `item` and `key` are for it."""
    if "matrix" in entry:
        yield from _combinations(Scope({}).fill(entry["matrix"]))
    elif "foreach" in entry:
        yield from _each(Scope({}).fill(entry["foreach"]))
    else:
        yield None, {}


def _each(items: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """`foreach`: a map is named by its keys, a list by its values, or by index where one of them is a list
    or a map."""
    if isinstance(items, Mapping):
        for key, item in items.items():
            yield text_of(key), {"item": item, "key": text_of(key)}
    elif isinstance(items, list):
        by_index = any(isinstance(item, (list, Mapping)) for item in items)
        for index, item in enumerate(items):
            yield text_of(index if by_index else item), {"item": item}
    else:
        raise NotLiteral


def _combinations(axes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`matrix`: every combination, named by its values, or by axis and index where a value is a list or a
    map."""
    if not all(isinstance(values, (list, str)) for values in axes.values()):
        raise NotLiteral
    for combination in product(*(enumerate(values) for values in axes.values())):
        item = dict(zip(axes, (value for _, value in combination), strict=True))
        parts = (
            f"{axis}{index}" if isinstance(value, (list, Mapping)) else text_of(value)
            for axis, (index, value) in zip(axes, combination, strict=True)
        )
        key = "-".join(parts)
        yield key, {"item": item, "key": key}


def _full_name(name: str, key: str | None) -> str:
    return name if key is None else f"{name}{_JOIN}{key}"
