"""Groups drawn as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipegen.plan.graph import Graph
from pipegen.views.fold import fold
from tests.plan.making import graphs

TRAINED = Graph({"a": [], "t@1": ["a"], "t@2": ["a"], "e@1": ["t@1"], "e@2": ["t@2"], "z": ["e@1", "e@2"]})


def edges(graph: Graph) -> dict[str, set[str]]:
    return {name: set(graph.needs(name)) for name in graph}


def test_items_become_one() -> None:
    found = fold(TRAINED, {"t@1": "t", "t@2": "t", "e@1": "e", "e@2": "e"})
    assert edges(found.graph) == {"a": set(), "t@*": {"a"}, "e@*": {"t@*"}, "z": {"e@*"}}
    assert found.sizes == {"t@*": 2, "e@*": 2}


def test_a_group_of_one_stays_itself() -> None:
    found = fold(TRAINED, {"t@1": "t", "e@1": "e"})
    assert edges(found.graph) == edges(TRAINED)
    assert not found.sizes


def test_a_chain_within_a_group_folds() -> None:
    found = fold(Graph({"s@1": [], "s@2": ["s@1"], "s@3": ["s@2"]}), {f"s@{i}": "s" for i in (1, 2, 3)})
    assert edges(found.graph) == {"s@*": set()}


def test_a_group_that_a_way_comes_back_to_is_not_folded() -> None:
    graph = Graph({"s@1": [], "between": ["s@1"], "s@2": ["between"], "t@1": [], "t@2": []})
    found = fold(graph, {"s@1": "s", "s@2": "s", "t@1": "t", "t@2": "t"})
    assert set(found.graph) == {"s@1", "between", "s@2", "t@*"}


def test_an_item_with_the_folded_name_keeps_its_group_unfolded() -> None:
    graph = Graph({"s@*": [], "s@1": []})
    assert set(fold(graph, {"s@*": "s", "s@1": "s"}).graph) == {"s@*", "s@1"}


@given(graphs(8), st.data())
def test_folding_keeps_all_names_and_every_way_between_groups(graph: Graph, data: st.DataObject) -> None:
    groups = {name: data.draw(st.sampled_from("xyz")) for name in graph if data.draw(st.booleans())}
    found = fold(graph, groups)
    place = {n: f"{groups[n]}@*" if n in groups and f"{groups[n]}@*" in found.sizes else n for n in graph}
    assert set(place.values()) == set(found.graph)
    assert {n: list(place.values()).count(n) for n in found.sizes} == found.sizes
    assert len(found.graph.order) == len(found.graph), "no circle"
    drawn = {(need, name) for name in found.graph for need in found.graph.needs(name)}
    assert drawn == {(place[o], place[n]) for n in graph for o in graph.needs(n) if place[o] != place[n]}
