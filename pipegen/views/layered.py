"""Where the boxes of a graph stand, and how the lines between them run: levels from left to right.

The method is Sugiyama's, in its plain form: a line that passes a level takes a place in it as a box would; the order
within levels is the one with the fewest crossings among some sweeps by medians; heights are those nearest to the means
of neighbours that keep boxes apart.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median_low

from pipegen.plan.graph import Graph

COLUMN_GAP, ROW_GAP, LINE = 40.0, 14.0, 6.0
"""Between levels, between boxes of a level, and the height that a passing line takes."""
_SWEEPS, _SETTLING = 8, 16


@dataclass(frozen=True)
class Box:
    """Where a name stands: its left upper corner and its size; boxes of a level are equally wide."""

    name: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Its vertical middle, where lines begin and end."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Line:
    """A line from what is needed to what needs it, through these points from left to right."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """A drawing's places."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    """In reading order: level by level, each from top to bottom."""
    lines: tuple[Line, ...]


def layout(graph: Graph, sizes: Mapping[str, tuple[float, float]]) -> Layout:
    """Places for all names of a graph.

    Args:
        graph: the names; what is needed stands left of what needs it.
        sizes: each name's width and height.
    """
    levels = _Levels(graph, sizes)
    levels.order()
    levels.settle()
    return levels.drawn()


@dataclass(eq=False)
class _Slot:
    """A place in a level: a box, or a line that passes."""

    level: int
    height: float
    name: str = ""
    """Empty for a line."""
    before: list[_Slot] = field(default_factory=list)
    after: list[_Slot] = field(default_factory=list)
    at: int = 0
    """Its number in its level."""
    middle: float = 0.0

    @property
    def top(self) -> float:
        return self.middle - self.height / 2


class _Levels:
    def __init__(self, graph: Graph, sizes: Mapping[str, tuple[float, float]]) -> None:
        self.graph, self.sizes = graph, sizes
        depth = _depth(graph)
        self.levels: list[list[_Slot]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
        self.slots = {name: self._slot(_Slot(depth[name], sizes[name][1], name)) for name in graph}
        self.ways: list[list[_Slot]] = []
        for name in graph:
            for need in graph.needs(name):
                self._way(self.slots[need], self.slots[name])

    def _slot(self, slot: _Slot) -> _Slot:
        slot.at = len(self.levels[slot.level])
        self.levels[slot.level].append(slot)
        return slot

    def _way(self, source: _Slot, target: _Slot) -> None:
        passed = [self._slot(_Slot(level, LINE)) for level in range(source.level + 1, target.level)]
        way = [source, *passed, target]
        for left, right in pairwise(way):
            left.after.append(right)
            right.before.append(left)
        self.ways.append(way)

    # ------------------------------------------------------------------------------------------ order

    def order(self) -> None:
        """Put each level into the order with the fewest crossings that was found."""
        best, fewest = [list(level) for level in self.levels], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            rightwards = sweep % 2 == 0
            for level in self.levels if rightwards else reversed(self.levels):
                level.sort(key=lambda slot: _wanted_place(slot.before if rightwards else slot.after, slot.at))
                _number(level)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(level) for level in self.levels], crossings
        self.levels = best
        for level in self.levels:
            _number(level)

    def _crossings(self) -> int:
        """How many pairs of lines cross."""
        found = 0
        for level in self.levels:
            ends: list[int] = []
            for slot in level:
                for end in sorted(other.at for other in slot.after):
                    found += len(ends) - bisect_left(ends, end + 1)
                    insort(ends, end)
        return found

    # ------------------------------------------------------------------------------------------ heights

    def settle(self) -> None:
        """Give every slot its height: near its neighbours, apart from the others of its level."""
        for level in self.levels:
            _spread(level, [0.0] * len(level))
        for turn in range(_SETTLING):
            for level in self.levels if turn % 2 == 0 else reversed(self.levels):
                _spread(level, [_wanted_height(slot) for slot in level])

    # ------------------------------------------------------------------------------------------ the result

    def drawn(self) -> Layout:
        top = min((slot.top for slot in self._all()), default=0.0)
        bottom = max((slot.top + slot.height for slot in self._all()), default=0.0)
        widths = [max(self.sizes[slot.name][0] if slot.name else 0.0 for slot in row) for row in self.levels]
        lefts = [sum(widths[:index]) + COLUMN_GAP * index for index in range(len(widths))]
        boxes = {
            slot.name: Box(slot.name, lefts[slot.level], slot.top - top, widths[slot.level], slot.height)
            for slot in self._all()
            if slot.name
        }
        lines = []
        for source, *passed, target in self.ways:
            left, right = boxes[source.name], boxes[target.name]
            points = [(left.x + left.width, left.middle)]
            for slot in passed:
                edge = lefts[slot.level]
                points += [(edge, slot.middle - top), (edge + widths[slot.level], slot.middle - top)]
            lines.append(Line(source.name, target.name, (*points, (right.x, right.middle))))
        return Layout(lefts[-1] + widths[-1] if lefts else 0.0, bottom - top, boxes, tuple(lines))

    def _all(self) -> Iterable[_Slot]:
        return (slot for level in self.levels for slot in level)


def _depth(graph: Graph) -> dict[str, int]:
    """Levels, but what needs nothing stands beside the first that needs it."""
    depth = dict(graph.depth)
    for name in graph:
        if not graph.needs(name) and graph.dependants(name):
            depth[name] = min(depth[other] for other in graph.dependants(name)) - 1
    return depth


def _number(level: Iterable[_Slot]) -> None:
    for index, slot in enumerate(level):
        slot.at = index


def _wanted_place(neighbours: Sequence[_Slot], own: int) -> float:
    return median_low([other.at for other in neighbours]) if neighbours else own


def _wanted_height(slot: _Slot) -> float:
    """The mean of its neighbours; one that many pull at pulls each of them the less, so that pairs stand level."""
    pulls = [(other.middle, 1 / len(other.after)) for other in slot.before]
    pulls += [(other.middle, 1 / len(other.before)) for other in slot.after]
    if not pulls:
        return slot.middle
    return sum(middle * pull for middle, pull in pulls) / sum(pull for _, pull in pulls)


def _spread(level: Sequence[_Slot], wanted: Sequence[float]) -> None:
    """The heights nearest to those wanted (least squares) at which nothing overlaps, in the level's order.

    Without the distances that must be kept it is an isotonic regression: neighbours that would pass each other move
    together to the mean of what they want.
    """
    offsets, offset = [], 0.0
    for above, slot in zip([None, *level], level, strict=False):
        offset += (above.height + slot.height) / 2 + ROW_GAP if above else 0.0
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for want, away in zip(wanted, offsets, strict=True):
        mean, size = want - away, 1
        while blocks and blocks[-1][0] > mean:
            other, many = blocks.pop()
            mean, size = (mean * size + other * many) / (size + many), size + many
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    for slot, mean, away in zip(level, means, offsets, strict=True):
        slot.middle = mean + away
