"""The one place where text becomes YAML."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipegen.dvc.yaml12 import Loader12

_CBase: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_OLD_WORDS = re.compile(
    r"^(?:y|yes|n|no|on|off|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|=)$", re.IGNORECASE
)
"""Text that only a reader of YAML 1.1 takes for something else; quoted all the same, since GoCD's reader is
one."""


class Dumper12(_CBase):  # type: ignore[misc]
    """Writes block YAML in which every text is read back as that text, by readers of YAML 1.1 and of 1.2."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


Dumper12.yaml_implicit_resolvers = {
    key: list(rules) for key, rules in Loader12.yaml_implicit_resolvers.items()
}
Dumper12.add_implicit_resolver("tag:yaml.org,2002:bool", _OLD_WORDS, None)


def _represent_text(dumper: Any, text: str) -> yaml.ScalarNode:
    lines = text.splitlines()
    block = (
        len(lines) > 1 and text.isprintable() is False and not any(line != line.rstrip() for line in lines)
    )
    plain = all(ch.isprintable() or ch == "\n" for ch in text)
    style = "|" if block and plain else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)  # type: ignore[no-any-return]


Dumper12.add_multi_representer(str, _represent_text)
Dumper12.add_representer(str, _represent_text)
