"""The graph of a run as shapes on a page: a box for each stage, a box with a cell for each stage of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from unicodedata import east_asian_width

from pipegen.records import RunView, StageView, State, together
from pipegen.runner.progress import duration
from pipegen.views.layered import Line, layout
from pipegen.views.picture import key, picture
from pipegen.views.plain import plain
from pipegen.views.states import LOOKS, result, tally

_LETTER, _SMALL_LETTER = 7.6, 6.4
"""Widths of a letter of a name and of the line below it; both are set in a font of one width, or narrower."""
_LONGEST = 30
_PADDING, _SIGN = 12.0, 20.0
_HEIGHT = 46.0
CELL = 16.0
"""From one cell of a group to the next."""


@dataclass(frozen=True)
class Cell:
    """One stage of a group."""

    x: float
    y: float
    state: State
    says: str


@dataclass(frozen=True)
class Node:
    """One box."""

    key: str
    """Of the stage or group; letters and digits."""
    x: float
    y: float
    width: float
    height: float
    state: State
    sign: str
    title: str
    """Its name, shortened."""
    below: str
    says: str
    """All of it in words, for those who hear it and for the mouse's pointer."""
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Edge:
    """A line between boxes."""

    source: str
    target: str
    path: str
    """In SVG's language."""


@dataclass(frozen=True)
class Drawing:
    """All shapes."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def drawing(run: RunView, *, folded: bool) -> Drawing:
    """The graph of a run.

    Args:
        run: what is drawn.
        folded: draw each foreach and matrix as one box.
    """
    shown = picture(run, folded=folded)
    sizes = {node: _size(shown.titles[node], stages) for node, stages in shown.nodes.items()}
    places = layout(shown.graph, sizes)
    nodes = []
    for name, box in places.boxes.items():
        stages = shown.nodes[name]
        state = together(stage.state for stage in stages)
        title = shown.titles[name]
        below = _below(stages)
        nodes.append(
            Node(
                name,
                _rounded(box.x),
                _rounded(box.y),
                _rounded(box.width),
                _rounded(box.height),
                state,
                LOOKS[state].sign,
                short(title),
                below,
                f"{title}: {tally(stages) if len(stages) > 1 else ', '.join(_words(stages[0]))}",
                _cells(stages, box.width) if len(stages) > 1 else (),
            )
        )
    edges = tuple(Edge(line.source, line.target, _path(line)) for line in places.lines)
    return Drawing(_rounded(places.width), _rounded(places.height), tuple(nodes), edges)


def short(name: str) -> str:
    """A name that fits a box: its beginning and its end."""
    name = plain(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 13]}…{name[-12:]}"


def keys(run: RunView) -> list[str]:
    """The nodes' keys of a run's stages, in order."""
    return [key(index) for index in range(len(run.stages))]


def _size(title: str, stages: Sequence[StageView]) -> tuple[float, float]:
    widest = max(_columns(short(title)) * _LETTER + _SIGN, _columns(_below(stages)) * _SMALL_LETTER)
    if len(stages) == 1:
        return widest + 2 * _PADDING, _HEIGHT
    across = _across(len(stages))
    width = max(widest, across * CELL)
    rows = ceil(len(stages) / max(across, int(width // CELL)))
    return width + 2 * _PADDING, _HEIGHT + rows * CELL + _PADDING / 2


def _across(many: int) -> int:
    """Cells in a row: twice as many as rows."""
    return max(4, min(24, ceil(sqrt(2 * many))))


def _cells(stages: Sequence[StageView], width: float) -> tuple[Cell, ...]:
    across = int((width - 2 * _PADDING + 0.01) // CELL)
    return tuple(
        Cell(
            _PADDING + (index % across) * CELL,
            _HEIGHT - 2 + (index // across) * CELL,
            stage.state,
            f"{plain(stage.name)}: {', '.join(_words(stage))}",
        )
        for index, stage in enumerate(stages)
    )


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _words(stage: StageView) -> list[str]:
    """What became of it, and how long it took once that is known."""
    took = stage.seconds is not None and stage.state != "running"
    return [result(stage), *([duration(stage.seconds or 0.0)] if took else [])]


def _below(stages: Sequence[StageView]) -> str:
    """The line below a name."""
    if len(stages) == 1:
        return " · ".join(reversed(_words(stages[0])))
    state = together(stage.state for stage in stages)
    many = sum(stage.state == state for stage in stages)
    return f"{many} of {len(stages)} {LOOKS[state].word}" if many < len(stages) else tally(stages)


def _path(line: Line) -> str:
    (x, y), *others = line.points
    words = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in others:
        if abs(next_y - y) < 0.05:
            words.append(f"H{next_x:.1f}")
        else:
            half = (x + next_x) / 2
            words.append(f"C{half:.1f} {y:.1f} {half:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return "".join(words)


def _rounded(value: float) -> float:
    return round(value, 1)
