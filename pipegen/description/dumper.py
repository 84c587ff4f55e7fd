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
"""Text that only a reader of YAML 1.1 takes for something else; quoted all the same, since GoCD's is one."""

_NEEDS_ESCAPES = re.compile("[\t\r\x85\u2028\u2029\ufeff]")
"""What some readers take for a line break, a mark of byte order or an error where it stands unescaped."""


class Dumper12(_CBase):  # type: ignore[misc]
    """Writes block YAML in which every text is read back as that text, by readers of YAML 1.1 and of 1.2."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


Dumper12.yaml_implicit_resolvers = {
    key: list(rules) for key, rules in Loader12.yaml_implicit_resolvers.items()
}
Dumper12.add_implicit_resolver("tag:yaml.org,2002:bool", _OLD_WORDS, None)


def _represent_text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=_style(text))


def _style(text: str) -> str | None:
    """Several lines as a block, where libyaml finds that possible; one line as libyaml likes it."""
    if _NEEDS_ESCAPES.search(text):
        return '"'
    return "|" if "\n" in text.strip("\n") else None


Dumper12.add_multi_representer(str, _represent_text)
Dumper12.add_representer(str, _represent_text)
