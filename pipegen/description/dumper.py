"""The one place where text becomes YAML.

The structure is written here: block style, as DVC writes it. What is more than a word is quoted by libyaml, once for
each text. Every text is read back as that text by readers of YAML 1.1 (GoCD's is one) and of 1.2 (DVC's).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_WORD = re.compile(
    r"(?!(?:y|yes|n|no|on|off|true|false|null)\Z)[A-Za-z][A-Za-z0-9_/-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*",
    re.IGNORECASE,
)
"""Text that no reader takes for anything else; most of a file is such words."""
_LINE = re.compile(
    r"(?!(?:y|yes|n|no|on|off|true|false|null)\Z)[A-Za-z$](?:[ -\"$-9;-~]*[!-\"$-9;-~])?", re.IGNORECASE
)
"""Text that begins with a letter or `$` and has no `:` and no `#`: nothing else is special in a line of block style."""
_OLD_WORDS = r"^(?:y|yes|n|no|on|off|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|=)$"
"""Text that only a reader of YAML 1.1 takes for something else."""
LONGEST_KEY = 1000
"""Characters; readers take a key beside its value up to 1,024."""
_NEEDS_ESCAPES = re.compile("[\t\r\x85\u2028\u2029\ufeff]")
"""What some readers take for a line break, a mark of byte order or an error where it stands unescaped."""


def dump(data: Any) -> str:
    """Plain data as YAML in block style, keys in the order given. Equal data gives equal text."""
    if isinstance(data, (dict, list)) and data:
        lines: list[str] = []
        _block(data, "", lines)
        return "\n".join(lines) + "\n"
    return scalar(data) + "\n"


def scalar(value: Any) -> str:
    """A text, number or other single value, or an empty list or mapping, in one line that may stand anywhere."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    return _by_libyaml(value)


def _block(data: Any, pad: str, into: list[str]) -> None:
    """Add the lines of a mapping or list that is not empty."""
    if isinstance(data, dict):
        for key, value in data.items():
            name = _in_block(key)
            if len(name) > LONGEST_KEY:
                into.append(f"{pad}? {name}")
                name = ""
            _entry(f"{pad}{name}:", value, pad, into)
    else:
        for item in data:
            _item(item, pad, into)


def _entry(head: str, value: Any, pad: str, into: list[str]) -> None:
    """A key with its value; a list stands as far left as its key."""
    if value and isinstance(value, (dict, list)):
        into.append(head)
        _block(value, pad if isinstance(value, list) else pad + "  ", into)
    else:
        _value(head, value, pad + "  ", into)


def _item(item: Any, pad: str, into: list[str]) -> None:
    """An item of a list: its first line behind the dash."""
    if item and isinstance(item, (dict, list)):
        first = len(into)
        _block(item, pad + "  ", into)
        into[first] = f"{pad}- {into[first][len(pad) + 2 :]}"
    else:
        _value(f"{pad}-", item, pad + "  ", into)


def _value(head: str, value: Any, pad: str, into: list[str]) -> None:
    """A single value behind its key or dash: several lines as a block where that keeps them as they are."""
    if not isinstance(value, str) or "\n" not in value or not _suits_a_block(value, value.split("\n")):
        into.append(f"{head} {_in_block(value)}")
        return
    lines = value.split("\n")
    ends = len(value) - len(value.rstrip("\n"))
    into.append(f"{head} |{'-' if ends == 0 else '' if ends == 1 else '+'}")
    into += (pad + line if line else "" for line in (lines if ends == 0 else lines[:-1]))


def _in_block(value: Any) -> str:
    """A single value where no flow sequence is open, so that brackets and commas need no quotes."""
    return _text_in_block(value) if isinstance(value, str) else scalar(value)


def _suits_a_block(text: str, lines: list[str]) -> bool:
    return (
        "\n" in text.strip("\n")
        and not text.startswith(("\n", " "))
        and all(line == line.rstrip(" ") and line.isprintable() for line in lines)
        and not _NEEDS_ESCAPES.search(text)
    )


@lru_cache(maxsize=8192)
def _text(text: str) -> str:
    return str(text) if _WORD.fullmatch(text) else _by_libyaml(str(text))


@lru_cache(maxsize=8192)
def _text_in_block(text: str) -> str:
    return str(text) if _LINE.fullmatch(text) else _text(text)


def _by_libyaml(value: Any) -> str:
    """One value as libyaml writes it, in one line and as part of a flow sequence, so that it may stand anywhere."""
    import yaml

    dumped = yaml.dump([value], Dumper=_dumper(), default_flow_style=True, allow_unicode=True, width=1 << 30)
    return str(dumped)[1:-2]


@lru_cache(maxsize=1)
def _dumper() -> Any:
    import yaml

    from pipegen.dvc.yaml12 import Loader12

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper12(base):  # type: ignore[misc]
        """libyaml's emitter with the rules of YAML 1.2 as DVC has them, and those of 1.1 beside them."""

    Dumper12.yaml_implicit_resolvers = {
        key: list(rules) for key, rules in Loader12.yaml_implicit_resolvers.items()
    }
    Dumper12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(_OLD_WORDS, re.IGNORECASE), None)
    Dumper12.add_representer(str, _represent_text)
    return Dumper12


def _represent_text(dumper: Any, text: str) -> Any:
    style = '"' if "\n" in text or _NEEDS_ESCAPES.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
