"""YAML as DVC reads it: version 1.2 words (`on`, `yes`, `no` are text), with the place of everything.

libyaml parses, the patterns of DVC's own reader (ruamel.yaml) resolve; `tests/dvc/test_yaml12.py` compares the two.
What only DVC's reader refuses (tabs between words) is refused here too. Beyond DVC, `parse` refuses what has no place
in a description: duplicate keys, tags, aliases that expand without bound, and numbers that are not finite.
"""

from __future__ import annotations

from typing import Any

import yaml

from pipegen.dvc.yaml_guards import (
    DEEPEST,
    MOST_VALUES,
    Unfit,
    check_size,
    check_syntax,
    check_text,
    first_unreadable,
)
from pipegen.dvc.yaml_words import MERGE, PLAIN, SIGNS, TEXT, Loader12, integer, scalar
from pipegen.errors import DescriptionError, Problem

__all__ = ["DEEPEST", "LARGEST_FILE", "MOST_VALUES", "Document", "Loader12", "Path", "integer", "parse"]

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes; a description of 1,000 stages has about 300 kB."""

Path = tuple[str | int, ...]
"""Where a value stands: the keys and indices that lead to it."""


class Document:
    """A parsed file: its `value` as plain Python, and the place of every value and key, looked up only when
    asked."""

    def __init__(self, value: Any, file: str, text: str, root: yaml.Node | None) -> None:
        self.value = value
        self.file = file
        self._text = text
        self._root = root

    def problem(
        self, path: Path, message: str, hint: str = "", *, key: bool = False, code: str = ""
    ) -> Problem:
        """A `Problem` at the value that `path` leads to, or at its key. A path that leads nowhere points at
        its nearest parent."""
        mark = self._mark(path, key)
        if mark is None:
            return Problem(message, self.file, hint=hint, code=code)
        return _problem_at(mark.line, mark.column, message, self.file, self._text, hint, code)

    def _mark(self, path: Path, key: bool) -> Any:
        node, mark = self._root, self._root.start_mark if self._root else None
        for depth, step in enumerate(path):
            found = _child(node, step)
            if found is None:
                return mark
            key_node, node = found
            mark = key_node.start_mark if key and depth == len(path) - 1 and key_node else node.start_mark
        return mark


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, yaml.MappingNode):
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            elif str(scalar(key_node)) == str(step):
                return key_node, value_node
        for parent in merged:
            found = _child(parent, step)
            if found is not None:
                return found
    return None


def parse(text: str, file: str) -> Document:
    """Read one YAML document, strictly.

    An empty or all-comment file has the value None.

    Raises:
        DescriptionError: not YAML, or a duplicate key, a tag, a number that is not finite, an alias bomb, a
            file too large or too deep.
    """
    if len(text) > LARGEST_FILE:
        raise DescriptionError(
            [
                Problem(
                    f"is larger than {LARGEST_FILE // 2**20} MiB, the most that pipegen reads of one file",
                    file,
                )
            ]
        )
    try:
        root = _composed(text)
    except Unfit as unfit:
        problem = _problem_at(unfit.line, unfit.column, unfit.message, file, text, unfit.hint)
        raise DescriptionError([problem]) from None
    if root is None:
        return Document(None, file, text, None)
    builder = _Builder(file, text)
    value = builder.build(root)
    if builder.problems:
        raise DescriptionError(builder.problems)
    return Document(value, file, text, root)


def _composed(text: str) -> yaml.Node | None:
    """The tree of nodes. Raises Unfit with the place."""
    try:
        check_text(text)
        root: yaml.Node | None = Loader12(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line, mark.column) if mark else (0, 0)
        context = f"{error.context}" if error.context and error.problem else ""
        raise Unfit(place, f"is not valid YAML: {error.problem or error.context}", context) from None
    except (
        yaml.YAMLError,
        UnicodeEncodeError,
    ) as error:  # the reader's: a character that YAML does not allow
        raise Unfit(first_unreadable(text), f"is not valid YAML: {_first_line(error)}") from None
    check_syntax(text)
    if root is not None and "&" in text:  # without an anchor there is no alias
        check_size(root)
    return root


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _problem_at(
    line: int, column: int, message: str, file: str, text: str, hint: str = "", code: str = ""
) -> Problem:
    """`line` and `column` are counted from 0, as libyaml does."""
    lines = text.splitlines()
    source = lines[line] if line < len(lines) else ""
    return Problem(message, file, line + 1, column + 1, source, hint, code)


class _Builder:
    """Turns nodes into values; collects problems instead of stopping at the first."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node) -> Any:
        if node.tag == TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
        if node.tag in SIGNS:
            self.refuse(node, f"{node.value} is not text but a sign of YAML's own", "quote it")
            return None
        if node.tag not in PLAIN:
            self.refuse(node, f"the tag {_shown_tag(node.tag)} is not allowed", "write the plain value")
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child) for child in node.value]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node)
        try:
            return scalar(node)
        except ValueError as error:
            shown = node.value if len(node.value) <= 40 else f"{node.value[:40]}…"
            self.refuse(node, f"{shown} is not {error}", "quote it if it is text")
            return None

    def mapping(self, node: yaml.MappingNode) -> dict[Any, Any]:
        own: dict[Any, Any] = {}
        inherited: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                self.merge(value_node, inherited)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, "a key must be plain text")
                continue
            key = self.build(key_node)
            if key in own:
                self.refuse(
                    key_node, f"the key {key_node.value!r} stands here twice", "remove one of the two"
                )
            own[key] = self.build(value_node)
        return {**inherited, **own}

    def merge(self, node: yaml.Node, into: dict[Any, Any]) -> None:
        parents = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for parent in parents:
            if not isinstance(parent, yaml.MappingNode):
                self.refuse(parent, "`<<` takes a mapping or a list of mappings")
                continue
            for key, value in self.mapping(parent).items():
                into.setdefault(key, value)

    def refuse(self, node: yaml.Node, message: str, hint: str = "") -> None:
        mark = node.start_mark
        self.problems.append(_problem_at(mark.line, mark.column, message, self.file, self.text, hint))


def _shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
