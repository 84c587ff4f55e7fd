"""What a value of the file may be: its shape, and the server's rules for names, paths and texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

JSON = dict[str, Any]
NAME = re.compile(r"[a-zA-Z0-9_\-][a-zA-Z0-9_\-.]*")
JOB_NAME = re.compile(r"[a-zA-Z0-9_\-.]+")
PATH = re.compile(r"(([.]/)?[.][^. ]+)|([^. ].+[^. ])|([^. ][^. ])|([^. ])")
RESOURCE = re.compile(r"[-\w\s|.]+")
COMMAND = re.compile(r"\S(.*\S)?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Refused(Exception):
    """The file is wrong; says where and why."""


def single(text: str, where: str = "a text") -> str:
    """What the server makes of a text: `##` is `#`. Any other `#` is a mistake, since no parameters are declared."""
    found = re.sub("##", "\0", text)
    if "#" in found:
        raise Refused(f"{where}: a single # in {text!r}")
    return found.replace("\0", "#")


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise Refused(f"{where}: not a mapping")
    return value


def keys(value: Any, where: str, required: Iterable[str], optional: Iterable[str] = ()) -> Mapping[str, Any]:
    found = mapping(value, where)
    unknown = found.keys() - {*required, *optional}
    if unknown:
        raise Refused(f"{where}: unknown {sorted(unknown)}")
    missing = set(required) - found.keys()
    if missing:
        raise Refused(f"{where}: missing {sorted(missing)}")
    return found


def items(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Refused(f"{where}: not a list")
    return value


def text(value: Any, where: str, rule: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (rule and not rule.fullmatch(value)):
        raise Refused(f"{where}: {value!r} is not right here")
    return value


def literal(value: Any, where: str, rule: re.Pattern[str] | None = None) -> str:
    """A text in which the server looks for parameters."""
    single(text(value, where), where)
    return text(value, where, rule)


def named(value: Any, where: str, rule: re.Pattern[str] = NAME) -> str:
    if len(text(value, where, rule)) > 255:
        raise Refused(f"{where}: {len(value)} characters")
    return str(value)


def flag(value: Any, where: str) -> bool:
    if value not in ("true", "false"):
        raise Refused(f"{where}: {value!r} is not true or false")
    return bool(value == "true")


def choice(value: Any, where: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise Refused(f"{where}: {value!r} is none of {choices}")
    return str(value)


def one(value: Any, where: str) -> tuple[str, Any]:
    found = mapping(value, where)
    if len(found) != 1:
        raise Refused(f"{where}: {len(found)} keys where one is expected")
    return next(iter(found.items()))


def unique(names: Iterable[str], kind: str) -> None:
    lower = [name.lower() for name in names]
    if len(set(lower)) < len(lower):
        raise Refused(f"two {kind}s have one name: {sorted(lower)}")
