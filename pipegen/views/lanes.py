"""A graph as lanes from top to bottom, one row a name, as `git log --graph` draws history::

    ○      features
    ├─┬─╮
    ○ │ │  train@lasso
    │ ○ │  train@forest
    │ │ ○  train@boosting
    ├─┴─╯
    ○      select

A lane is a need on its way from a name to one that waits for it. A lane that a line crosses goes on behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipegen.plan.graph import Graph

NODE, LANE, LINE, TEE = "○", "│", "─", "├"
FORK, FORK_END, JOIN, JOIN_END = "┬", "╮", "┴", "╯"
ASCII = str.maketrans(
    {NODE: "o", LANE: "|", LINE: "-", TEE: "+", FORK: "+", FORK_END: ".", JOIN: "+", JOIN_END: "'"}
)
"""The same signs for a terminal that has no others."""


@dataclass(frozen=True)
class Row:
    """One line of the drawing."""

    signs: str
    """The lanes; rows are of different lengths."""
    name: str | None
    """What stands on this row; None for a row of lines only."""


def lanes(graph: Graph) -> list[Row]:
    """The drawing of a graph, in its order."""
    drawing = _Drawing()
    for name in graph.order:
        drawing.add(name, graph.dependants(name))
    return drawing.rows


def width(rows: Iterable[Row]) -> int:
    """The columns that the lanes take."""
    return max((len(row.signs) for row in rows), default=0)


class _Drawing:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._lanes: list[str | None] = []
        """For each lane the name it leads to; None for a lane that is free."""

    def add(self, name: str, dependants: Sequence[str]) -> None:
        incoming = [at for at, to in enumerate(self._lanes) if to == name]
        at = incoming[0] if incoming else self._start()
        if len(incoming) > 1:
            self._line(at, incoming[1:], JOIN, JOIN_END)
            for other in incoming[1:]:
                self._lanes[other] = None
        self._lanes[at] = name
        self._row({at: NODE}, name)
        self._lanes[at] = dependants[0] if dependants else None
        outgoing = [self._take(dependant, right_of=at) for dependant in dependants[1:]]
        if outgoing:
            self._line(at, outgoing, FORK, FORK_END)

    def _start(self) -> int:
        """A lane for what needs nothing. Under a name that ended there, a gap keeps the two apart."""
        at = self._lanes.index(None) if None in self._lanes else len(self._lanes)
        if at == len(self._lanes):
            self._lanes.append(None)
        elif self.rows and self.rows[-1].signs[2 * at : 2 * at + 1] == NODE:
            self._row({}, None)
        return at

    def _take(self, to: str, *, right_of: int) -> int:
        free = [at for at, other in enumerate(self._lanes) if other is None and at > right_of]
        if free:
            self._lanes[free[0]] = to
            return free[0]
        self._lanes.append(to)
        return len(self._lanes) - 1

    def _line(self, start: int, ends: Sequence[int], sign: str, last_sign: str) -> None:
        """A line from the lane `start` to the lanes `ends`, right of it."""
        last = max(ends)
        signs = {start: TEE, **dict.fromkeys(ends, sign), last: last_sign}
        self._row(signs, None, line=(start, last))

    def _row(self, signs: dict[int, str], name: str | None, line: tuple[int, int] = (0, 0)) -> None:
        text = ""
        for at, to in enumerate(self._lanes):
            inside = line[0] <= at < line[1]
            text += signs.get(at) or (LANE if to is not None else LINE if inside else " ")
            text += LINE if inside else " "
        self.rows.append(Row(text.rstrip(), name))
