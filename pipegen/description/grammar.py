"""The grammar for readers: Markdown tables, generated from the classes of `model` and the words of the
targets."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

from pipegen.description.check_words import ModelCheck, ReportedTests, TableCheck
from pipegen.description.lints import LINTS
from pipegen.description.model import LintName, Pipeline
from pipegen.description.stage_words import Foreach, Stage, StagesFrom
from pipegen.description.text import Text
from pipegen.description.words import Word, alternatives, is_literal, words
from pipegen.description.writing import to_data

Extra = Mapping[str, Any]
"""The words of the targets: `targets.jenkins`, `agents.*.jenkins` … to the class, or other type, that reads
them."""


_TITLES: dict[Any, str] = {
    Pipeline: "The description",
    Foreach: "`stages.NAME` with `foreach`",
    StagesFrom: "`stages` from files",
    TableCheck: "`ci.tests` with `table`",
    ModelCheck: "`ci.tests` with `model`",
    ReportedTests: "`ci.tests` with `run` and `junit`",
}
"""Titles of classes that share their place with another."""


def table(extra: Extra | None = None) -> str:
    """One Markdown table for each kind of mapping, in the order in which the description has them, then the
    kinds of text, then the lints."""
    sections = _sections(extra or {})
    parts = [_class_part(kind, places, sections) for kind, places in sections.items()]
    parts += [
        _other_part(place, kind, sections)
        for place, kind in (extra or {}).items()
        if not dataclasses.is_dataclass(kind)
    ]
    return "\n".join([*parts, _text_part(sections), _lint_part()])


def _sections(extra: Extra) -> dict[Any, list[str]]:
    """Each class with the places where it stands, first come first."""
    found: dict[Any, list[str]] = {Pipeline: [""]}
    todo: list[tuple[Any, str]] = [(Pipeline, "")]
    for place, kind in extra.items():
        todo += _classes(kind, place.replace("*", "NAME"))
    while todo:
        cls, place = todo.pop(0)
        if cls not in found:
            found[cls] = [place]
        for word in words(cls).values():
            for child, below in _classes(word.type, word.key if word.key != "*" else ""):
                at = ".".join(step for step in (place, below) if step)
                if child not in found:
                    todo.append((child, at))
                if at not in found.setdefault(child, []):
                    found[child].append(at)
    return found


def _classes(kind: Any, place: str) -> Iterator[tuple[Any, str]]:
    """The classes that a type is made of, and where they stand under `place`."""
    for one in alternatives(kind):
        origin = get_origin(one)
        if dataclasses.is_dataclass(one):
            yield one, place
        elif origin is dict:
            yield from _classes(get_args(one)[1], f"{place}.NAME" if place else "NAME")
        elif origin is list:
            yield from _classes(get_args(one)[0], place)


def _title(cls: Any, places: list[str]) -> str:
    return _TITLES.get(cls) or f"`{places[0]}`"


def _anchor(title: str) -> str:
    """As GitHub and MkDocs make it of a heading."""
    return "".join(ch for ch in title.lower().replace(" ", "-") if ch.isalnum() or ch in "-_")


def _class_part(cls: Any, places: list[str], sections: Mapping[Any, list[str]]) -> str:
    title = _title(cls, places)
    sentences = [summary(cls, title)]
    if len(places) > 1:
        sentences.append(f"Also {', '.join(f'`{place}`' for place in places[1:])}.")
    if cls is Stage:
        sentences.append("DVC interpolates `${…}` in any of its values.")
    lines = [f"### {title}", "", " ".join(sentence for sentence in sentences if sentence)]
    rows = [_row(word, sections) for word in words(cls).values() if word.key != "*"]
    rest = words(cls).get("*")
    if rest is not None:
        kind = _kind(get_args(rest.type)[1], sections)
        rows.append(f"| *each target's name* | {kind} | | {_escaped(rest.meaning)} |")
    return "\n".join([*lines, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _other_part(place: str, kind: Any, sections: Mapping[Any, list[str]]) -> str:
    return f"### `{place.replace('*', 'NAME')}`\n\n{_kind(kind, sections)}\n"


def summary(cls: Any, title: str = "") -> str:
    """The first paragraph of a class's docstring, in one line, without the title that it may begin with."""
    text = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    text = text.removeprefix(title).lstrip(":. ")
    return text[:1].upper() + text[1:]


def _row(word: Word, sections: Mapping[Any, list[str]]) -> str:
    return f"| `{word.key}` | {_kind(word.type, sections)} | {_default(word)} | {_escaped(word.meaning)} |"


def _default(word: Word) -> str:
    if word.required:
        return "**required**"
    if word.shown:
        return _escaped(word.shown)
    default = to_data(word.default)
    return (
        ""
        if default in (None, [], {})
        else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )


def _kind(kind: Any, sections: Mapping[Any, list[str]]) -> str:
    return " or ".join(_one_kind(one, sections) for one in alternatives(kind) if one is not type(None))


def _one_kind(kind: Any, sections: Mapping[Any, list[str]]) -> str:
    origin = get_origin(kind)
    if kind is LintName:
        return "[a lint's code](#lints)"
    if is_literal(kind):
        return " or ".join(f"`{choice}`" for choice in get_args(kind))
    if origin is list:
        return f"list of {_kind(get_args(kind)[0], sections)}"
    if origin is dict:
        key, value = get_args(kind)
        keys = _one_kind(key, sections) if key is not str else "text"
        return f"map of {keys} to {_kind(value, sections)}"
    if dataclasses.is_dataclass(kind):
        title = _title(kind, sections[kind])
        return f"[{title}](#{_anchor(title)})"
    if isinstance(kind, type) and issubclass(kind, Text):
        return f"[{kind.__name__}](#kinds-of-text)"
    return {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", dict: "map"}.get(
        kind, "anything"
    )


def _text_part(sections: Iterable[Any]) -> str:
    kinds = sorted(
        {kind for cls in sections for word in words(cls).values() for kind in _texts(word.type)},
        key=lambda k: k.__name__,
    )
    rows = [f"| {kind.__name__} | {_escaped(kind.form)} |" for kind in kinds]
    return "\n".join(["### Kinds of text", "", "| kind | form |", "|---|---|", *rows, ""])


def _texts(kind: Any) -> Iterator[type[Text]]:
    for one in alternatives(kind):
        if isinstance(one, type) and issubclass(one, Text):
            yield one
        elif not is_literal(one):
            for part in get_args(one):
                yield from _texts(part)


def _lint_part() -> str:
    rows = [
        f"| `{code}` | {_escaped(' '.join((inspect.getdoc(look) or '').split()))} |"
        for code, look in LINTS.items()
    ]
    head = [
        "### Lints",
        "",
        "Warnings; `lint: {CODE: false}` switches one off.",
        "",
        "| code | what it finds |",
        "|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
