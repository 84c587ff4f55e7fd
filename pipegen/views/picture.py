"""The stages of a run as a graph, and groups of them drawn as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipegen.plan.graph import Graph
from pipegen.records import RunView, StageView
from pipegen.views.fold import fold

FOLD_ABOVE = 40
"""Stages above which groups are folded unless told otherwise."""


@dataclass(frozen=True)
class Picture:
    """What is drawn of a run: a graph of nodes, each one stage or a group of them."""

    graph: Graph
    """Without needs that others imply."""
    nodes: Mapping[str, tuple[StageView, ...]]
    """By node; one of several stages is a group."""
    titles: Mapping[str, str]
    """By node: the stage's name, or `train@*`."""

    @property
    def groups(self) -> dict[str, tuple[StageView, ...]]:
        """The nodes that are groups."""
        return {node: stages for node, stages in self.nodes.items() if len(stages) > 1}


def key(index: int) -> str:
    """The node of the stage of that place in the run: letters and digits alone, whatever the stage is called."""
    return f"s{index}"


def group_key(first: str) -> str:
    """The node of a group whose first stage has that node."""
    return f"g{first}"


def picture(run: RunView, *, folded: bool) -> Picture:
    """The picture of a run.

    Args:
        run: its stages; a need that is no earlier stage of it is passed over, so there are no circles.
        folded: draw each foreach and matrix as one node.
    """
    stages = {key(index): stage for index, stage in enumerate(run.stages)}
    graph = _graph(run)
    if not folded:
        nodes = {node: (stage,) for node, stage in stages.items()}
        return Picture(graph.reduced(), nodes, {node: stage.name for node, stage in stages.items()})
    groups = {node: stage.group for node, stage in stages.items() if stage.group}
    found = fold(graph, groups)
    names = {f"{group}@*": group_key(node) for node, group in reversed([*groups.items()])}
    members = {
        names[title]: tuple(stages[node] for node, group in groups.items() if f"{group}@*" == title)
        for title in found.sizes
    }
    called = {title: names.get(title, title) for title in found.graph}
    drawn = Graph({called[t]: [called[need] for need in found.graph.needs(t)] for t in found.graph})
    return Picture(
        drawn.reduced(),
        {node: members.get(node) or (stages[node],) for node in drawn},
        {node: title if node in members else stages[node].name for title, node in called.items()},
    )


def _graph(run: RunView) -> Graph:
    seen: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    for index, stage in enumerate(run.stages):
        needs[key(index)] = [seen[need] for need in stage.needs if need in seen]
        seen.setdefault(stage.name, key(index))
    return Graph(needs)
