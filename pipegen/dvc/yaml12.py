"""YAML as DVC reads it: version 1.2 words (`on`, `yes`, `no` are text), with the place of everything.

libyaml parses, these rules resolve. The patterns are those of DVC's own reader (ruamel.yaml, version 1.2, which keeps
timestamps); `tests/dvc/test_yaml12.py` compares the two. Beyond DVC, `parse` refuses what has no place in a description: duplicate keys,
tags, aliases that expand without bound, and numbers that are not finite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from pipegen.errors import DescriptionError, Problem

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes; a description of 1,000 stages has about 300 kB."""
DEEPEST = 100
MOST_VALUES = 500_000
"""Values after all aliases are expanded."""

Path = tuple[str | int, ...]
"""Where a value stands: the keys and indices that lead to it."""

_CBase: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader12(_CBase):  # type: ignore[misc]
    """libyaml's parser with the resolution rules of YAML 1.2 as DVC has them."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


def _resolve(tag: str, pattern: str, first: str) -> None:
    Loader12.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first) or [""])


_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolve(
    "float",
    r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    "-+0123456789.",
)
_resolve("int", r"^(?:[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+)$", "-+0123456789")
_resolve("merge", r"^<<$", "<")
_resolve("value", r"^=$", "=")
_resolve("null", r"^(?:~|null|Null|NULL|)$", "~nN")
Loader12.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile("^$")))
_resolve(
    "timestamp",
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?"
    r":[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9][0-9])?))?)$",
    "0123456789",
)

_PLAIN = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
}
_MERGE = "tag:yaml.org,2002:merge"
_SIGNS = {_MERGE, "tag:yaml.org,2002:value"}
"""`<<` and `=`: plain words with a meaning of their own, which DVC's reader refuses as values."""


class Document:
    """A parsed file: its `value` as plain Python, and the place of every value and key, looked up only when asked."""

    def __init__(self, value: Any, file: str, text: str, root: yaml.Node | None) -> None:
        self.value = value
        self.file = file
        self._text = text
        self._root = root

    def problem(self, path: Path, message: str, hint: str = "", *, key: bool = False, code: str = "") -> Problem:
        """A `Problem` at the value that `path` leads to, or at its key. A path that leads nowhere points at its nearest parent."""
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
            if key_node.tag == _MERGE:
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            elif str(_scalar(key_node)) == str(step):
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
        DescriptionError: not YAML, or a duplicate key, a tag, a number that is not finite, an alias bomb, a file too large or too deep.
    """
    if len(text) > LARGEST_FILE:
        raise DescriptionError(
            [Problem(f"is larger than {LARGEST_FILE // 2**20} MiB, the most that pipegen reads of one file", file)]
        )
    problems: list[Problem] = []
    try:
        _refuse_depth(text, file)
        root = Loader12(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"is not valid YAML: {error.problem or error.context}"
        hint = f"{error.context}" if error.context and error.problem else ""
        line, column = (mark.line, mark.column) if mark else (0, 0)
        raise DescriptionError([_problem_at(line, column, message, file, text, hint)]) from None
    except yaml.YAMLError as error:
        raise DescriptionError([Problem(f"is not valid YAML: {_first_line(error)}", file)]) from None
    if root is None:
        return Document(None, file, text, None)
    _refuse_bombs(root, file, text)
    value = _Builder(file, text, problems).build(root)
    if problems:
        raise DescriptionError(problems)
    return Document(value, file, text, root)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _problem_at(line: int, column: int, message: str, file: str, text: str, hint: str = "", code: str = "") -> Problem:
    lines = text.splitlines()
    source = lines[line] if line < len(lines) else ""
    return Problem(message, file, line + 1, column + 1, source, hint, code)


def _refuse_depth(text: str, file: str) -> None:
    """libyaml's composer recurses in C without a limit, so what could nest deeply is looked through first."""
    indent = max((len(line) - len(line.lstrip(" -")) for line in text.splitlines()), default=0)
    if text.count("[") + text.count("{") < DEEPEST and indent < DEEPEST:
        return
    depth = 0
    for event in _events(text):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = event.start_mark
            message = f"is nested more than {DEEPEST} levels deep"
            raise DescriptionError([_problem_at(mark.line, mark.column, message, file, text)])


def _events(text: str) -> Iterator[Any]:
    loader = Loader12(text)
    while loader.check_event():
        yield loader.get_event()


def _refuse_bombs(root: yaml.Node, file: str, text: str) -> None:
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        sizes[id(node)] = MOST_VALUES + 1  # an alias to an ancestor never ends
        children = node.value if isinstance(node.value, list) else []
        pairs = isinstance(node, yaml.MappingNode)
        total = 1 + sum((size(c[0]) + size(c[1])) if pairs else size(c) for c in children)
        sizes[id(node)] = total
        return total

    if size(root) > MOST_VALUES:
        message = f"its aliases expand to more than {MOST_VALUES:,} values"
        raise DescriptionError([_problem_at(root.start_mark.line, root.start_mark.column, message, file, text)])


class _Builder:
    def __init__(self, file: str, text: str, problems: list[Problem]) -> None:
        self.file, self.text, self.problems = file, text, problems

    def build(self, node: yaml.Node) -> Any:
        if node.tag in _SIGNS:
            self.refuse(node, f"{node.value} is not text but a sign of YAML's own", "quote it")
            return None
        if node.tag not in _PLAIN:
            self.refuse(node, f"the tag {_shown_tag(node.tag)} is not allowed", "write the plain value")
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child) for child in node.value]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node)
        try:
            return _scalar(node)
        except ValueError:
            self.refuse(node, f"{node.value} is not a finite number", "quote it if it is text")
            return None

    def mapping(self, node: yaml.MappingNode) -> dict[Any, Any]:
        own: dict[Any, Any] = {}
        inherited: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                self.merge(value_node, inherited)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, "a key must be plain text")
                continue
            key = self.build(key_node)
            if key in own:
                self.refuse(key_node, f"the key {key!r} stands here twice", "remove one of the two")
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


def _scalar(node: yaml.Node) -> Any:
    """The Python value of a scalar. Raises ValueError for numbers that are not finite."""
    text: str = node.value
    match node.tag:
        case "tag:yaml.org,2002:int":
            return integer(text.replace("_", ""))
        case "tag:yaml.org,2002:float":
            number = float(text.replace("_", ""))
            if not math.isfinite(number):
                raise ValueError(text)
            return number
        case "tag:yaml.org,2002:bool":
            return text.lower() == "true"
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:timestamp":
            return yaml.SafeLoader("").construct_yaml_timestamp(node)
    return text


def integer(text: str) -> int:
    """A whole number as YAML 1.2 writes it: `12`, `-0x1F`, `0o17`, `0b1`."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits)
