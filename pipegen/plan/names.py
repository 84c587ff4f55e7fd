"""Names that every server and file system holds, made from addresses that not all of them hold, and back.

GoCD takes `[A-Za-z0-9_\\-.]` in a job's name and ignores case (its API's answer to other names is recorded); a file
name must hold no `/`. The rules, each with its inverse:

- `@`, between a stage and its item, becomes `.`: `train@lasso` → `train.lasso`
- `/dvc.yaml:`, between a folder and a stage, becomes `--`: `prep/dvc.yaml:train` → `prep--train`
- any other character becomes `_uHEX_`, and so does whatever would be read as one of these forms
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from pipegen.errors import PlanError, Problem

_ESCAPE = re.compile(r"_u([0-9a-f]{2,6})_")
_IN_ITEM = re.compile(r"_(?=u[0-9a-f]+_)|[^A-Za-z0-9_\-.]")
_IN_HEAD = re.compile(r"_(?=u[0-9a-f]+_)|(?<=-)-|^-|-$|[^A-Za-z0-9_\-]")
_FILE = "/dvc.yaml:"


@lru_cache(maxsize=4096)
def to_name(address: str) -> str:
    """The name for an address; `to_address` takes it back."""
    folder, mark, stage = address.rpartition(_FILE)
    base, at, item = stage.partition("@")
    name = _escaped(folder, _IN_HEAD) + "--" if mark else ""
    return name + _escaped(base, _IN_HEAD) + ("." + _escaped(item, _IN_ITEM) if at else "")


def to_address(name: str) -> str:
    """The address that `to_name` made `name` from."""
    head, dot, item = name.partition(".")
    folder, mark, base = head.rpartition("--")
    address = _plain(folder) + _FILE if mark else ""
    return address + _plain(base) + ("@" + _plain(item) if dot else "")


def _escaped(text: str, special: re.Pattern[str]) -> str:
    return special.sub(lambda found: f"_u{ord(found[0]):02x}_", text)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def names_for(addresses: Iterable[str], most: int = 200) -> dict[str, str]:
    """The name of each address.

    Raises:
        PlanError: two would be one to a server that ignores case, or one is too long.
    """
    names: dict[str, str] = {}
    seen: dict[str, str] = {}
    for address in addresses:
        name = to_name(address)
        other = seen.setdefault(name.lower(), address)
        if other != address:
            message = f"the stages {other!r} and {address!r} have one name on a server that ignores case"
            raise PlanError([Problem(message, hint="rename one of them")])
        if len(name) > most:
            message = f"the stage {address[:60]!r}… has a name of {len(name)} characters on a server; {most} is most"
            raise PlanError([Problem(message, hint="give it a shorter name")])
        names[address] = name
    return names
