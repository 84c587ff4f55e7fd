"""What is YAML to libyaml and yet refused: what would exhaust it, and what DVC's reader refuses or reads
otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from pipegen.dvc.yaml_words import Loader12

DEEPEST = 100
MOST_VALUES = 500_000
"""Values after all aliases are expanded."""

_OLD_BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line breaks to YAML 1.1 and libyaml, plain characters to YAML 1.2 and DVC."""
_UNREADABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled only when one is looked for: so many characters take a while."""


class Unfit(Exception):
    """The text is refused at `line` and `column`, counted from 0 as libyaml does."""

    def __init__(self, place: tuple[int, int], message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line, self.column = place
        self.message = message
        self.hint = hint


def check_text(text: str) -> None:
    """Refuse what must not reach libyaml's composer. Raises Unfit, yaml.YAMLError."""
    _refuse_old_breaks(text)
    _refuse_depth(text)


def check_syntax(text: str) -> None:
    """Refuse what libyaml lets through and DVC's reader does not, or reads otherwise. Raises Unfit."""
    _refuse_old_version(text)
    _refuse_tabs(text)


def check_size(root: yaml.Node) -> None:
    """Refuse aliases that expand without bound. Raises Unfit."""
    if _size(root, {}) > MOST_VALUES:
        mark: Any = root.start_mark
        raise Unfit((mark.line, mark.column), f"its aliases expand to more than {MOST_VALUES:,} values")


def first_unreadable(text: str) -> tuple[int, int]:
    """Where the first character stands that YAML does not allow."""
    found = re.search(_UNREADABLE, text)
    return _place(text, found.start() if found else 0)


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1


def _refuse_old_breaks(text: str) -> None:
    found = None if text.isascii() else _OLD_BREAKS.search(text)
    if found:
        character = f"{ord(found[0]):04X}"
        message = f"the character U+{character} is a line break to some readers of YAML and none to others"
        hint = f'write it as "\\u{character.lower()}" in double quotes'
        raise Unfit(_place(text, found.start()), message, hint)


def _refuse_depth(text: str) -> None:
    """libyaml's composer recurses in C without a limit, so what could nest deeply is looked through first."""
    indent = max((len(line) - len(line.lstrip(" -?")) for line in text.splitlines()), default=0)
    if text.count("[") + text.count("{") < DEEPEST and indent < DEEPEST:
        return
    depth = 0
    for event in _events(text):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = event.start_mark
            raise Unfit((mark.line, mark.column), f"is nested more than {DEEPEST} levels deep")


def _refuse_old_version(text: str) -> None:
    if "%YAML" not in text:
        return
    start: Any = next((event for event in _events(text) if isinstance(event, yaml.DocumentStartEvent)), None)
    if start and start.version not in (None, (1, 2)):
        message = "asks for another YAML than 1.2, so DVC would read other values"
        raise Unfit((start.start_mark.line, 0), message, "leave the %YAML line out")


def _refuse_tabs(text: str) -> None:
    """DVC's reader takes tabs only in quotes, blocks of text, `[]`, `{}` and comments; libyaml between words
    too."""
    if "\t" not in text:
        return
    free = _outside_of_marks(text)
    for tab in (found.start() for found in re.finditer("\t", text)):
        line_start = text.rfind("\n", 0, tab) + 1
        comments = re.finditer(r"(?:^|(?<=\s))#", text[line_start:tab])
        if free[tab] and not any(free[line_start + comment.start()] for comment in comments):
            raise Unfit(_place(text, tab), "a tab stands where DVC takes spaces only")


def _outside_of_marks(text: str) -> bytearray:
    """For each character 1 if it stands outside of quotes, blocks of text, `[]` and `{}`."""
    free, depth, opened = bytearray(b"\1" * len(text)), 0, 0
    for event in _events(text):
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.CollectionStartEvent) and event.flow_style:
            opened, depth = opened if depth else start, depth + 1
        elif isinstance(event, yaml.CollectionEndEvent) and depth:
            depth -= 1
            free[opened:end] = bytes(end - opened)
        elif isinstance(event, yaml.ScalarEvent) and event.style:
            free[start:end] = bytes(end - start)
    return free


def _events(text: str) -> Iterator[Any]:
    loader = Loader12(text)
    while loader.check_event():
        yield loader.get_event()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node expands to; a node that is its own ancestor never ends."""
    size = known.get(id(node))
    if size is not None:
        return size
    known[id(node)] = MOST_VALUES + 1
    children: list[Any] = node.value if isinstance(node.value, list) else []
    if isinstance(node, yaml.MappingNode):
        children = [part for pair in children for part in pair]
    known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]
