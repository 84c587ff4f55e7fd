"""When a cron schedule and a Quartz expression fire: two readings that share nothing with pipegen's own."""

from __future__ import annotations

import re
from datetime import datetime


class Cron:
    """Five settled fields, each tested by arithmetic on one number."""

    def __init__(self, text: str) -> None:
        self.minute, self.hour, self.day, self.month, self.weekday = text.split()

    def fires(self, at: datetime) -> bool:
        return (
            _cron(self.minute, at.minute, 0, 59)
            and _cron(self.hour, at.hour, 0, 23)
            and _cron(self.day, at.day, 1, 31)
            and _cron(self.month, at.month, 1, 12)
            and (
                _cron(self.weekday, at.isoweekday() % 7, 0, 7)
                or (at.isoweekday() == 7 and _cron(self.weekday, 7, 0, 7))
            )
        )


def _cron(field: str, number: int, low: int, high: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if span == "*" else int(first)
        end = high if span == "*" else int(last or first)
        if begin <= number <= end and (number - begin) % int(step or 1) == 0:
            return True
    return False


class Quartz:
    """Six or seven fields by the manual of Quartz' CronTrigger: `a/s` goes to the field's end, day 1 is Sunday,
    exactly one day field is `?`."""

    _NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
    _BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7))

    def __init__(self, text: str) -> None:
        fields = text.split(" ")
        if len(fields) not in (6, 7):
            raise ValueError(f"{text!r} has {len(fields)} fields")
        if (fields[3] == "?") == (fields[5] == "?"):
            raise ValueError(f"{text!r}: exactly one of the two day fields is `?`")
        if len(fields) == 7 and fields[6] != "*":
            raise ValueError(f"{text!r}: a year")
        self.sets = [
            self._set(field, *bounds) for field, bounds in zip(fields[:6], self._BOUNDS, strict=True)
        ]

    def _set(self, field: str, low: int, high: int) -> set[int]:
        if field == "?":
            return set(range(low, high + 1))
        found: set[int] = set()
        for part in field.split(","):
            match = re.fullmatch(r"(\*|[A-Z]{3}|\d+)(?:-([A-Z]{3}|\d+))?(?:/(\d+))?", part)
            if not match:
                raise ValueError(f"{part!r} is no part of a field")
            begin = low if match[1] == "*" else self._number(match[1], high)
            end = (
                high
                if match[1] == "*" or (match[3] and not match[2])
                else self._number(match[2] or match[1], high)
            )
            if not low <= begin <= end <= high:
                raise ValueError(f"{part!r} is out of its bounds")
            found.update(range(begin, end + 1, int(match[3] or 1)))
        return found

    def _number(self, text: str, high: int) -> int:
        if text.isdigit():
            return int(text)
        if high != 7:
            raise ValueError(f"{text!r} is not a number")
        return 1 + self._NAMES.index(text)

    def fires(self, at: datetime) -> bool:
        numbers = (at.second, at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1)
        return all(number in allowed for number, allowed in zip(numbers, self.sets, strict=True))
