"""Many stages that are one to a reader: the items of a foreach or matrix, drawn as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipegen.plan.graph import CycleError, Graph


@dataclass(frozen=True)
class Folded:
    """A graph in which each group is one name."""

    graph: Graph
    sizes: Mapping[str, int]
    """For each name that stands for a group (`train@*`) how many it stands for."""


def fold(graph: Graph, groups: Mapping[str, str]) -> Folded:
    """`graph` with each group drawn together, but for groups that a way leaves and comes back to.

    Args:
        graph: the names.
        groups: for each name its group; a name without one, or alone in it, stays itself.
    """
    members: dict[str, list[str]] = {}
    for name in graph:
        if name in groups:
            members.setdefault(f"{groups[name]}@*", []).append(name)
    folded = {group: names for group, names in members.items() if len(names) > 1 and group not in graph}
    while True:
        contracted = _contracted(graph, {name: group for group, names in folded.items() for name in names})
        try:
            contracted.order  # noqa: B018  (finds a circle)
        except CycleError as error:
            del folded[next(name for name in error.cycle if name in folded)]
            continue
        return Folded(contracted, {group: len(names) for group, names in folded.items()})


def _contracted(graph: Graph, group_of: Mapping[str, str]) -> Graph:
    needs: dict[str, dict[str, None]] = {}
    for name in graph:
        own = group_of.get(name, name)
        others = (group_of.get(need, need) for need in graph.needs(name))
        needs.setdefault(own, {}).update((other, None) for other in others if other != own)
    return Graph(needs)
