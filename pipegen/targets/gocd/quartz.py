"""Five cron fields as the six of Quartz, which GoCD's timers take: the same times, never others.

The rules are those of Quartz' manual (CronTrigger tutorial): seconds come first, the week's day 1 is Sunday (written
by name here), and exactly one of day-of-month and day-of-week is `?`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from pipegen.description.cron import FIELDS, Field, Schedule

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_PART = re.compile(r"(?:\*|(?P<low>\d+)(?:-(?P<high>\d+))?)(?:/(?P<step>\d+))?")
_ANY = ("*", "*/1")


def to_quartz(schedule: str, name: str) -> str:
    """The six fields for a schedule.

    Args:
        schedule: five cron fields.
        name: whose hash settles each `H`.

    Raises:
        ValueError: day of month and day of week are both restricted, which Quartz can't say.
    """
    minute, hour, day, month, weekday = Schedule.parse(schedule).settled(name).fields
    if day not in _ANY and weekday not in _ANY:
        raise ValueError(
            f"{schedule!r} restricts the day of month and the day of week; GoCD's timer takes only one of them"
        )
    if weekday in _ANY:
        days, weekdays = _numbers(day, FIELDS[2]), "?"
    else:
        days, weekdays = "?", _weekdays(weekday)
    return " ".join(
        [
            "0",
            _numbers(minute, FIELDS[0]),
            _numbers(hour, FIELDS[1]),
            days,
            _numbers(month, FIELDS[3]),
            weekdays,
        ]
    )


def values(text: str, field: Field) -> list[int]:
    """The numbers that one settled cron field stands for, in order; day 7 is day 0."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        assert match, part  # Schedule.parse let it through
        low = int(match["low"] or field.low)
        high = int(match["high"] or (match["low"] if match["low"] else field.high))
        found.update(range(low, high + 1, int(match["step"] or 1)))
    return sorted({number % 7 for number in found} if field is FIELDS[4] else found)


def _numbers(text: str, field: Field) -> str:
    numbers = values(text, field)
    steps = {after - before for before, after in pairwise(numbers)}
    if numbers == list(range(field.low, field.high + 1)):
        return "*"
    if len(numbers) > 2 and len(steps) == 1 and (step := steps.pop()) > 1 and numbers[-1] + step > field.high:
        return f"{numbers[0]}/{step}"
    return ",".join(_ranges(numbers, str))


def _weekdays(text: str) -> str:
    numbers = values(text, FIELDS[4])
    if len(numbers) == 7:
        return "*"
    return ",".join(_ranges(numbers, lambda number: _DAYS[number]))


def _ranges(numbers: Iterable[int], shown: Callable[[int], str]) -> Iterator[str]:
    """Neighbours together: 1, 2, 3, 5 is `1-3` and `5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    for run in runs:
        yield from ([f"{shown(run[0])}-{shown(run[-1])}"] if len(run) > 2 else map(shown, run))
