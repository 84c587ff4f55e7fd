"""Waivers: a reviewed file in which somebody answers, until a day, for a gate that is red."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipegen.description.load import read_text
from pipegen.description.reading import nearest, shown
from pipegen.dvc.yaml12 import Document, parse
from pipegen.errors import DescriptionError, Problem

FILE = "waivers.yaml"
"""Beside the description."""
_KEYS = {
    "gate": "the gate's name",
    "author": "who answers for it",
    "reason": "why it may pass",
    "expires": "the last day on which it holds, YYYY-MM-DD",
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Waiver:
    """One entry of the file."""

    gate: str
    author: str
    reason: str
    expires: datetime.date
    """The last day on which it holds, by UTC."""

    def holds(self, today: datetime.date) -> bool:
        """Whether it has not expired."""
        return today <= self.expires

    def told(self, today: datetime.date) -> str:
        """In words, for people."""
        if self.holds(today):
            return f"waived by {self.author} until {self.expires}: {self.reason}"
        return f"the waiver by {self.author} expired on {self.expires}"


def read_waivers(folder: Path, gates: Iterable[str]) -> dict[str, Waiver]:
    """The waivers beside a description, by gate: of several for one gate the one that holds longest.

    Args:
        folder: where the description lies.
        gates: the names of its gates.

    Raises:
        DescriptionError: every mistake in the file, with its place.
        FileError: it can't be read.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    document = parse(read_text(path), str(path))
    problems: list[Problem] = []
    found: dict[str, Waiver] = {}
    for waiver in _waivers(document, list(gates), problems):
        if waiver.gate not in found or found[waiver.gate].expires < waiver.expires:
            found[waiver.gate] = waiver
    if problems:
        raise DescriptionError(problems)
    return found


def _waivers(document: Document, gates: list[str], problems: list[Problem]) -> Iterator[Waiver]:
    entries = document.value
    if entries is None:
        return
    if not isinstance(entries, list):
        hint = "such as: [{gate: good_enough, author: Ann, reason: …, expires: 2026-12-31}]"
        problems.append(document.problem((), "waivers are a list", hint))
        return
    for index, entry in enumerate(entries):
        mistakes = list(_mistakes(document, index, entry, gates))
        problems += mistakes
        if not mistakes:
            expires = datetime.date.fromisoformat(str(entry["expires"]))
            yield Waiver(entry["gate"], entry["author"].strip(), entry["reason"].strip(), expires)


def _mistakes(document: Document, index: int, entry: Any, gates: list[str]) -> Iterator[Problem]:
    if not isinstance(entry, dict):
        hint = f"its keys: {', '.join(_KEYS)}"
        yield document.problem((index,), f"{shown(entry)} stands where a mapping is expected", hint)
        return
    for key in entry:
        if key not in _KEYS:
            yield document.problem(
                (index, key), f"{shown(key)} is not a key here", nearest(str(key), _KEYS), key=True
            )
    for key, meaning in _KEYS.items():
        if key not in entry:
            yield document.problem((index,), f"the key {key!r} is missing here", meaning)
        elif key != "expires" and not (isinstance(entry[key], str) and entry[key].strip()):
            yield document.problem(
                (index, key), f"{shown(entry[key])} stands where text is expected", f"{key}: {meaning}"
            )
    gate, expires = entry.get("gate"), entry.get("expires")
    if isinstance(gate, str) and gate not in gates:
        hint = nearest(gate, gates) or "the description has no `gates:`"
        yield document.problem((index, "gate"), f"the gate {shown(gate)} is not defined", hint)
    if "expires" in entry and not _is_date(expires):
        yield document.problem(
            (index, "expires"), f"{shown(expires)} is not a date", "YYYY-MM-DD, such as 2026-12-31"
        )


def _is_date(value: Any) -> bool:
    """Whether YAML took it for a date (not for a time of day), or its text is one."""
    if not isinstance(value, str):
        return type(value) is datetime.date
    if not _DATE.fullmatch(value):
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True
