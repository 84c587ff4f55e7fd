"""Five-field cron, written once and meant the same on every server.

Fields and their ranges as in Jenkins' manual (Pipeline syntax, "cron"): minute 0-59, hour 0-23, day of
month 1-31, month 1-12,
day of week 0-7 where 0 and 7 are Sunday. A field is `*`, a number, a range, a list of those, each with a
step;
`H` is a value chosen by a hash of the job's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple


class Field(NamedTuple):
    """One field's word and the numbers it may hold."""

    name: str
    low: int
    high: int
    hash_high: int
    """The highest value that `H` may become: 28 for days of the month, so that each month has it."""


FIELDS = (
    Field("minute", 0, 59, 59),
    Field("hour", 0, 23, 23),
    Field("day of month", 1, 31, 28),
    Field("month", 1, 12, 12),
    Field("day of week", 0, 7, 6),
)
_PART = re.compile(
    r"(?P<base>\*|H(?:\((?P<hlow>\d+)-(?P<hhigh>\d+)\))?|(?P<low>\d+)(?:-(?P<high>\d+))?)(?:/(?P<step>\d+))?"
)


@dataclass(frozen=True)
class Schedule:
    """A parsed schedule: for each of the five fields its text."""

    fields: tuple[str, str, str, str, str]

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read five fields. Raises ValueError with the field that is wrong and its range."""
        words = text.split()
        if text.startswith("@"):
            raise ValueError(f"{text!r} is a short form; write the five fields out, such as 'H 6 * * *'")
        if len(words) != 5:
            raise ValueError(
                f"{text[:60]!r} has {len(words)} fields where a schedule has five: "
                "minute hour day-of-month month day-of-week"
            )
        for word, field in zip(words, FIELDS, strict=True):
            for part in word.split(","):
                _check(part, field)
        return cls((words[0], words[1], words[2], words[3], words[4]))

    def settled(self, name: str) -> Schedule:
        """The same schedule with every `H` replaced by the value that the hash of `name` gives: always the
        same one."""
        settled = [
            ",".join(_settle(part, field, name) for part in word.split(","))
            for word, field in zip(self.fields, FIELDS, strict=True)
        ]
        return Schedule((settled[0], settled[1], settled[2], settled[3], settled[4]))

    def __str__(self) -> str:
        return " ".join(self.fields)


def _check(part: str, field: Field) -> None:
    found = _PART.fullmatch(part)
    if not found:
        raise ValueError(
            f"{part!r} is no {field.name}: "
            f"write *, H, a number from {field.low} to {field.high}, a range or a list"
        )
    numbers = [int(found[group]) for group in ("low", "high", "hlow", "hhigh") if found[group]]
    for number in numbers:
        if not field.low <= number <= field.high:
            raise ValueError(f"{number} is no {field.name}: it goes from {field.low} to {field.high}")
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        raise ValueError(f"the {field.name} range {part!r} runs backwards")
    if found["step"] and found["low"] and not found["high"]:
        raise ValueError(f"a step goes after *, a range or H: {part!r}")
    if found["step"] and not 0 < int(found["step"]) <= field.high:
        raise ValueError(f"the step in {part!r} goes from 1 to {field.high}")


def _settle(part: str, field: Field, name: str) -> str:
    found = _PART.fullmatch(part)
    assert found, part  # parse() let it through
    if not found["base"].startswith("H"):
        return part
    import hashlib

    seed = int.from_bytes(hashlib.sha256(f"{name}\0{field.name}".encode()).digest()[:8], "big")
    low = int(found["hlow"] or field.low)
    high = int(found["hhigh"] or field.hash_high)
    if not found["step"]:
        return str(low + seed % (high - low + 1))
    step = int(found["step"])
    start = low + seed % min(step, high - low + 1)
    return f"{start}-{high}/{step}" if start + step <= high else str(start)
