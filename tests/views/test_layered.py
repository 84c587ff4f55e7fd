"""Places of boxes and lines: nothing lies on anything else, and everything goes from left to right."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipegen.plan.graph import Graph
from pipegen.views.layered import COLUMN_GAP, ROW_GAP, Layout, layout


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph without circles."""
    size = draw(st.integers(0, 14))
    return Graph(
        {
            f"s{i}": [f"s{j}" for j in draw(st.sets(st.integers(0, i - 1), max_size=4))] if i else []
            for i in range(size)
        }
    )


def placed(graph: Graph, data: st.DataObject | None = None) -> Layout:
    sizes = st.tuples(st.floats(10, 300), st.floats(10, 200))
    return layout(graph, {name: data.draw(sizes) if data else (100.0, 40.0) for name in graph})


@given(graph=graphs(), data=st.data())
def test_every_name_stands_once_and_apart_from_all_others(graph: Graph, data: st.DataObject) -> None:
    drawn = placed(graph, data)
    assert set(drawn.boxes) == set(graph)
    slack = 1e-6
    for box in drawn.boxes.values():
        assert -slack <= box.x <= box.x + box.width <= drawn.width + slack
        assert -slack <= box.y <= box.y + box.height <= drawn.height + slack
    for one, other in combinations(drawn.boxes.values(), 2):
        beside = (
            one.x + one.width + COLUMN_GAP <= other.x + slack
            or other.x + other.width + COLUMN_GAP <= one.x + slack
        )
        above = (
            one.y + one.height + ROW_GAP <= other.y + slack
            or other.y + other.height + ROW_GAP <= one.y + slack
        )
        assert beside or above


@given(graph=graphs(), data=st.data())
def test_every_need_is_one_line_from_left_to_right_that_passes_no_box(
    graph: Graph, data: st.DataObject
) -> None:
    drawn = placed(graph, data)
    assert [(line.source, line.target) for line in drawn.lines] == [
        (need, name) for name in graph for need in graph.needs(name)
    ]
    for line in drawn.lines:
        source, target = drawn.boxes[line.source], drawn.boxes[line.target]
        assert line.points[0] == (source.x + source.width, source.middle)
        assert line.points[-1] == (target.x, target.middle)
        for (x, y), (next_x, _) in pairwise(line.points):
            assert x <= next_x + 1e-6
            for box in drawn.boxes.values():
                inside = box.x < x < box.x + box.width or (x == box.x and box is not target)
                assert not (inside and box.y < y < box.y + box.height)


@given(graph=graphs())
def test_the_same_graph_is_drawn_the_same(graph: Graph) -> None:
    assert placed(graph) == placed(graph)


def test_a_fan_stands_in_the_middle_of_its_items() -> None:
    items = [f"train{i}" for i in range(5)]
    drawn = placed(Graph({"prepare": [], **{item: ["prepare"] for item in items}, "select": items}))
    middle = drawn.boxes["train2"].middle
    assert abs(drawn.boxes["prepare"].middle - middle) < 1
    assert abs(drawn.boxes["select"].middle - middle) < 1


def test_parallel_ways_do_not_cross() -> None:
    needs = {
        f"{stage}@{i}": [] if stage == "a" else [f"{before}@{6 - i if before == 'a' else i}"]
        for before, stage in (("", "a"), ("a", "b"), ("b", "c"))
        for i in range(7)
    }
    drawn = placed(Graph(needs))
    for one, other in combinations(drawn.lines, 2):
        if one.points[0][0] == other.points[0][0]:
            assert (one.points[0][1] - other.points[0][1]) * (one.points[-1][1] - other.points[-1][1]) > 0


def test_what_hangs_together_one_by_one_stands_level() -> None:
    needs: dict[str, list[str]] = {"start": []}
    for i in range(9):
        needs |= {f"a{i}": ["start"], f"b{i}": [f"a{i}"], f"c{i}": [f"b{i}"]}
    drawn = placed(Graph({**needs, "end": [f"c{i}" for i in range(9)]}))
    for i in range(9):
        middles = [drawn.boxes[f"{letter}{i}"].middle for letter in "abc"]
        assert max(middles) - min(middles) < 2


def test_three_hundred_stages_in_levels_are_drawn_at_once() -> None:
    levels = [[f"s{level}@{item}" for item in range(60)] for level in range(5)]
    needs = {name: [] for name in levels[0]}
    for above, level in pairwise(levels):
        needs |= {name: [above[i], above[(i + 1) % 60]] for i, name in enumerate(level)}
    drawn = placed(Graph(needs))
    assert len(drawn.boxes) == 300
