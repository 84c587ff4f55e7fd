"""What a plain word of YAML means to DVC: version 1.2, with timestamps (`on`, `yes`, `no` are text)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import yaml

_CBase: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_UNNAMED: Mapping[type[yaml.Node], str] = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}


class Loader12(_CBase):  # type: ignore[misc]
    """libyaml's parser with the resolution rules of YAML 1.2 as DVC has them."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        """The tag of a node that names none, as PyYAML finds it: by its first character. What PyYAML asks besides
        (resolvers by path, or for any text) nobody adds here."""
        if kind is yaml.ScalarNode and implicit[0]:
            for tag, pattern in self.yaml_implicit_resolvers.get((value or "")[:1], ()):
                if pattern.match(value or ""):
                    return tag
        return _UNNAMED[kind]


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

PLAIN = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
}
TEXT = _UNNAMED[yaml.ScalarNode]
MERGE = "tag:yaml.org,2002:merge"
SIGNS = {MERGE, "tag:yaml.org,2002:value"}
"""`<<` and `=`: plain words with a meaning of their own, which DVC's reader refuses as values."""


def scalar(node: yaml.Node) -> Any:
    """The Python value of a scalar. Raises ValueError with what it is not: `a finite number`, `a date`."""
    text: str = node.value
    match node.tag:
        case "tag:yaml.org,2002:int":
            return _checked(integer, text.replace("_", ""), "a whole number that can be read")
        case "tag:yaml.org,2002:float":
            return _checked(_finite, text.replace("_", ""), "a finite number")
        case "tag:yaml.org,2002:bool":
            return text.lower() == "true"
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:timestamp":
            return _checked(yaml.SafeLoader("").construct_yaml_timestamp, node, "a date")
    return text


def _checked(read: Callable[[Any], Any], value: Any, what: str) -> Any:
    try:
        return read(value)
    except (ValueError, AttributeError):
        raise ValueError(what) from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def integer(text: str) -> int:
    """The number that a text means which YAML 1.2 takes for a whole one. Raises ValueError."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits)
