"""The drawing of lanes, read back sign by sign as a person follows lines, gives the graph that was drawn."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given

from pipegen.plan.graph import Graph
from pipegen.views.lanes import (
    ASCII,
    FORK,
    FORK_END,
    JOIN,
    JOIN_END,
    LANE,
    LINE,
    NODE,
    TEE,
    Row,
    lanes,
    width,
)
from tests.plan.making import graphs


def read_back(rows: Sequence[Row]) -> dict[str, set[str]]:
    """For each name what the lines that end at it come from."""
    coming: dict[int, set[str]] = {}
    found: dict[str, set[str]] = {}
    for row in rows:
        signs = {at // 2: sign for at, sign in enumerate(row.signs) if not at % 2}
        assert set(row.signs[1::2]) <= {" ", LINE}
        coming = {at: names for at, names in coming.items() if signs.get(at, " ") not in (" ", LINE)}
        for at, sign in signs.items():
            if sign == LANE:
                assert at in coming, "a lane that comes from nowhere"
            elif sign == NODE:
                assert row.name is not None
                assert row.name not in found
                found[row.name] = coming.get(at, set())
                coming[at] = {row.name}
        starts = [at for at, sign in signs.items() if sign == TEE]
        for start in starts:
            for at, sign in signs.items():
                if sign in (JOIN, JOIN_END):
                    coming[start] = coming[start] | coming.pop(at)
                elif sign in (FORK, FORK_END):
                    assert at not in coming
                    coming[at] = coming[start]
        assert not (starts and row.name)
    return found


@given(graphs(10))
def test_the_drawing_is_the_graph(graph: Graph) -> None:
    for drawn in (graph, graph.reduced()):
        rows = lanes(drawn)
        assert read_back(rows) == {name: set(drawn.needs(name)) for name in drawn}
        assert [row.name for row in rows if row.name is not None] == list(drawn.order)
        assert width(rows) == max((len(row.signs) for row in rows), default=0)
        assert all(row.signs == row.signs.rstrip() for row in rows)


def signs(graph: Graph) -> list[str]:
    return [f"{row.signs} {row.name}" if row.name else row.signs for row in lanes(graph)]


def test_a_diamond() -> None:
    graph = Graph({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    assert signs(graph) == [
        "○ a",
        "├─╮",
        "○ │ b",
        "│ ○ c",
        "├─╯",
        "○ d",
    ]


def test_what_has_nothing_in_common_stands_apart() -> None:
    assert signs(Graph({"a": [], "b": []})) == ["○ a", "", "○ b"]


def test_a_line_passes_before_a_lane() -> None:
    graph = Graph({"a": [], "b": [], "x": ["b"], "c": ["a", "b"], "y": ["a", "x", "c"]})
    assert any(f"{LINE}{LANE}{LINE}" in row.signs for row in lanes(graph))


def test_ascii_has_each_sign() -> None:
    text = "".join((NODE, LANE, LINE, TEE, FORK, FORK_END, JOIN, JOIN_END)).translate(ASCII)
    assert text.isascii()
    assert len(text) == 8
