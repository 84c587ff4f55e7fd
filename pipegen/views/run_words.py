"""How what is kept of runs is written on a terminal of 100 columns."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pipegen.records.tracked import TrackedRun
from pipegen.views.plain import count, plain

WIDTH = 100
SHORT = 8
"""Digits of a run's id, of a commit and of a hash that are shown; a run is found by at least four of its own."""
MOST_NAME = 44
COLOURS = {"passed": "green", "failed": "red", "cancelled": "yellow"}

Style = Callable[[str, str], str]
"""Gives a text a colour."""


def unstyled(text: str, _: str) -> str:
    """No colour."""
    return text


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], style: Style, indent: str = "") -> list[str]:
    """Rows of cells below their heads."""
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(len(head), *(len(row[i]) for row in rows)) for i, head in enumerate(heads)]
    line = "  ".join(f"{head:<{width}}" for head, width in zip(heads, widths, strict=True))
    return [
        style(line.rstrip(), "bright_black"),
        *(
            (indent + "  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True))).rstrip()
            for row in rows
        ),
    ]


def wrapped(head: str, text: str, *, most: int = 12, hang: int | None = None) -> list[str]:
    """A text behind a head, on several lines where it is long."""
    indent = " " * (len(head) if hang is None else hang)
    lines = [
        line
        for number, part in enumerate(text.splitlines() or [""])
        for line in textwrap.wrap(
            plain(part),
            WIDTH,
            initial_indent=indent if number else head,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
        or [indent]
    ]
    return (
        lines if len(lines) <= most else [*lines[:most], f"{indent}… {count(len(lines) - most, 'more line')}"]
    )


def filled(head: str, words: Iterable[str], indent: str = "      ") -> list[str]:
    """Words with commas between them, on as many lines as they take, none of them broken."""
    lines, line = [], head
    for number, word in enumerate(words):
        word = cut(word, WIDTH - len(indent) - 1)
        if len(line) + len(word) + 3 > WIDTH:
            lines.append(f"{line}," if number else line.rstrip())
            line = indent + word
        else:
            line += f", {word}" if number else word
    return [*lines, line]


def when(run: TrackedRun) -> str:
    """When a run began, in this machine's time."""
    return run.began.astimezone().strftime("%Y-%m-%d %H:%M") if run.began else ""


def short_key(name: str) -> str:
    """`rmse` of `metrics/best.json:models.best.rmse`."""
    return name.rpartition(":")[2].rpartition(".")[2]


def is_number(value: Any) -> bool:
    """Whether it counts or measures something."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number_text(value: Any, digits: int) -> str:
    """A number with so many significant digits, and with all digits before its point where these are few enough."""
    if isinstance(value, int) and abs(value) < 10**12:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        return "huge"
    return f"{number:.0f}" if 10**digits <= abs(number) < 10**9 else f"{number:.{digits}g}"


def value_text(value: Any) -> str:
    """A value for people, on one line."""
    if is_number(value):
        return number_text(value, 10)
    if isinstance(value, str):
        return value or '""'
    return plain(json.dumps(value, ensure_ascii=False, default=str))


def size_text(size: int | None) -> str:
    """`1.2 MB`; empty where the size isn't known."""
    if size is None:
        return ""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} B"


def cut(text: str, most: int) -> str:
    """A text on one line, its end left out where it is longer."""
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
