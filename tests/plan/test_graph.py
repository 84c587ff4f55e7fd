"""Order, levels, closure, reduction and critical path, against plain definitions of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipegen.plan.graph import CycleError, Graph, draw_cycle
from tests.plan.making import graphs, needs


def ways(edges: Mapping[str, Sequence[str]], name: str) -> Iterator[tuple[str, ...]]:
    """Every way from a start to `name`."""
    if not edges[name]:
        yield (name,)
    for other in edges[name]:
        for way in ways(edges, other):
            yield (*way, name)


def reachable(edges: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Whatever stands on a way to `name`, by the definition."""
    return {other for way in ways(edges, name) for other in way} - {name}


def edges_of(graph: Graph) -> dict[str, tuple[str, ...]]:
    return {name: graph.needs(name) for name in graph}


@given(needs())
def test_order_is_the_first_in_the_given_order_that_is_one(edges: dict[str, list[str]]) -> None:
    order = Graph(edges).order
    remaining, expected = list(edges), []
    while remaining:
        following = next(name for name in remaining if set(edges[name]) <= set(expected))
        expected.append(following)
        remaining.remove(following)
    assert list(order) == expected


def test_a_given_order_that_is_right_stays() -> None:
    assert Graph({"a": [], "b": ["a"], "c": []}).order == ("a", "b", "c")


@given(needs())
def test_levels_hold_what_has_equally_long_ways(edges: dict[str, list[str]]) -> None:
    levels = Graph(edges).levels
    for depth, level in enumerate(levels):
        assert level
        for name in level:
            assert max(len(way) for way in ways(edges, name)) == depth + 1
    assert [name for level in levels for name in level if name in edges] != [] or not edges
    assert sorted(itertools.chain(*levels)) == sorted(edges)
    for level in levels:
        assert list(level) == [name for name in edges if name in level]


@given(needs(), st.data())
def test_closures(edges: dict[str, list[str]], data: st.DataObject) -> None:
    graph = Graph(edges)
    names = data.draw(st.lists(st.sampled_from(sorted(edges)), unique=True)) if edges else []
    assert graph.ancestors(*names) == set().union(*(reachable(edges, name) for name in names))
    assert graph.descendants(*names) == {n for n in edges if reachable(edges, n) & set(names)}


@given(needs())
def test_dependants_are_needs_turned_round(edges: dict[str, list[str]]) -> None:
    graph = Graph(edges)
    assert {(n, d) for n in graph for d in graph.dependants(n)} == {(n, d) for d in edges for n in edges[d]}


@given(needs())
def test_reduction_reaches_the_same_and_no_need_can_go(edges: dict[str, list[str]]) -> None:
    reduced = edges_of(Graph(edges).reduced())
    assert list(reduced) == list(edges)
    for name in edges:
        assert set(reduced[name]) <= set(edges[name])
        assert reachable(reduced, name) == reachable(edges, name)
    for name, others in reduced.items():
        for other in others:
            without = {**reduced, name: tuple(o for o in others if o != other)}
            assert other not in reachable(without, name)


@given(graphs(7), st.dictionaries(st.sampled_from([f"n{i}" for i in range(7)]), st.integers(0, 9)))
def test_critical_path_is_a_heaviest_way(graph: Graph, weights: dict[str, float]) -> None:
    edges = edges_of(graph)
    path = graph.critical_path(weights)
    ends = [name for name in graph if not graph.dependants(name)]
    all_ways = [way for end in ends for way in ways(edges, end)]

    def weight(way: Sequence[str]) -> float:
        return sum(weights.get(name, 1.0) for name in way)

    if not all_ways:
        assert path == ()
        return
    assert path in all_ways
    assert weight(path) == max(map(weight, all_ways))
    remaining = graph.remaining(weights)
    for name in graph:
        after = [way[way.index(name) :] for way in all_ways if name in way]
        assert remaining[name] == max(map(weight, after))


@given(needs(), st.data())
def test_subgraph_keeps_who_waits_for_whom(edges: dict[str, list[str]], data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(sorted(edges)))) if edges else set()
    part = Graph(edges).subgraph(kept)
    assert list(part) == [name for name in edges if name in kept]
    for name in part:
        assert part.ancestors(name) == reachable(edges, name) & kept


@given(needs(), st.data())
def test_a_circle_is_found_and_is_one(edges: dict[str, list[str]], data: st.DataObject) -> None:
    if not edges:
        return
    start = data.draw(st.sampled_from(sorted(edges)))
    end = data.draw(st.sampled_from(sorted({start, *(n for n in edges if start in reachable(edges, n))})))
    circular = {**edges, start: [*edges[start], end]}
    with pytest.raises(CycleError) as error:
        _ = Graph(circular).order
    circle = error.value.cycle
    assert len(set(circle)) == len(circle)
    for before, after in zip(circle, [*circle[1:], circle[0]], strict=True):
        assert before in circular[after]
    assert draw_cycle(circle) in error.value.message


def test_circles_are_drawn() -> None:
    assert draw_cycle(["a"]) == "    ┌─► a\n    └───┘"
    assert draw_cycle(["features", "train", "select"]) == (
        "    ┌─► features\n"
        "    │   train\n"
        "    └── select"
    )  # fmt: skip


def test_a_need_outside_the_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="ghost"):
        Graph({"a": ["ghost"]})


def test_ten_thousand_in_a_row_overflow_nothing() -> None:
    graph = Graph({"0": [], **{str(i): [str(i - 1)] for i in range(1, 10_000)}})
    assert len(graph.levels) == 10_000
    assert len(graph.critical_path({})) == 10_000
