"""What two tracked runs have not alike, for a terminal of 100 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

from pipegen.records.tracked import TrackedRun
from pipegen.registry.differences import Difference, Kind, without_result
from pipegen.views.run_words import (
    SHORT,
    WIDTH,
    Style,
    cut,
    size_text,
    unstyled,
    value_text,
    when,
    wrapped,
)

_MOST_VALUE = 24


def comparison(
    one: TrackedRun, other: TrackedRun, found: Sequence[Difference], style: Style = unstyled
) -> str:
    """What two runs have not alike.

    Args:
        one: the first.
        other: the second.
        found: how they differ.
        style: colours a text, where colour is wanted.
    """
    blocks = ["\n".join(_named(sign, run, style) for sign, run in (("-", one), ("+", other)))]
    unknown = without_result(one, other)
    if unknown:
        blocks.append(
            "\n".join(
                wrapped("", f"left out, since one of the runs has no result of it: {', '.join(unknown)}")
            )
        )
    if not found:
        same = "parameters, commands, data, metrics and packages"
        blocks.append(f"no difference in {same}" if not unknown else f"no other difference in {same}")
    for kind in get_args(Kind):
        lines = list(_differences([each for each in found if each.kind == kind], style))
        if lines:
            blocks.append("\n".join([style(kind, "bright_black"), *lines]))
    return "\n\n".join(blocks)


def _named(sign: str, run: TrackedRun, style: Style) -> str:
    cells = [f"{sign} {run.id[:SHORT]}", when(run), run.state, run.commit[:SHORT]]
    line = "  ".join(cell for cell in cells if cell)
    return style(cut(f"{line}  {run.hypothesis}".rstrip(), WIDTH), "red" if sign == "-" else "green")


def _differences(found: Sequence[Difference], style: Style) -> Iterator[str]:
    """Short values in columns; of what is longer, each side has a line of its own."""
    found = sorted(found, key=lambda each: (each.is_made, each.name))
    short, long = list[_Row](), list[_Row]()
    for each in found:
        row = _Row(each.name, _side(each, each.one), _side(each, each.other), _beside(each))
        (short if row.is_short else long).append(row)
    if short:
        one, other, beside = (max(len(row[i]) for row in short) for i in (1, 2, 3))
        names = [cut(row.name, WIDTH - one - other - beside - 8) for row in short]
        name = max(map(len, names))
        for shown, row in zip(names, short, strict=True):
            line = f"  {shown:<{name}}  {row.one:<{one}}  {row.other:<{other}}  {row.beside}"
            yield line.rstrip()
    for row in long:
        yield f"  {cut(row.name, WIDTH - 2)}"
        yield from (style(line, "red") for line in wrapped("    - ", row.one))
        yield from (style(line, "green") for line in wrapped("    + ", row.other))


class _Row(NamedTuple):
    name: str
    one: str
    other: str
    beside: str

    @property
    def is_short(self) -> bool:
        """Whether its values fit into columns, and no terminal would obey them."""
        both = self.one + self.other
        return max(len(self.one), len(self.other)) <= _MOST_VALUE and both.isprintable()


def _side(difference: Difference, value: Any) -> str:
    if value is None:
        return "none"
    if difference.kind == "data":
        return f"{value['hash'][:SHORT] or 'no hash'} {size_text(value['size'])}".strip()
    return value_text(value)


def _beside(difference: Difference) -> str:
    if difference.kind == "data":
        return "made by the run" if difference.is_made else "read"
    change = difference.change
    if difference.kind != "metrics" or change is None or not math.isfinite(change):
        return ""
    one = float(difference.one)
    part = change / abs(one) if one else 0.0
    share = f" ({part:+.1%})" if abs(part) >= 0.0005 else ""
    return f"{change:+.4g}{share}"
