"""Descriptions as plain data, planned without touching a disk; and graphs that Hypothesis draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pipegen.description.model import Pipeline
from pipegen.description.reading import read
from pipegen.description.source import Source
from pipegen.description.stages import ResolvedStage, resolve
from pipegen.plan.build import build
from pipegen.plan.graph import Graph
from pipegen.plan.model import Job, Plan
from pipegen.plan.needs import stage_graph

PUSH: dict[str, Any] = {"on": {"push": {"branches": ["main"]}}}


def described(stages: Mapping[str, Any], **more: Any) -> tuple[Pipeline, dict[str, ResolvedStage]]:
    """A description with these stages, read; a stage that says no command gets one."""
    whole = {
        name: stage if "do" in stage or "cmd" in stage else {"cmd": "true", **stage}
        for name, stage in stages.items()
    }
    pipeline = read(Pipeline, {"name": "toy", "stages": whole, "workflows": {"push": PUSH}, **more}, Source())
    return pipeline, resolve(pipeline, Path())


def planned(stages: Mapping[str, Any], workflow: str = "push", *, chains: bool = True, **more: Any) -> Plan:
    """The plan of one workflow of such a description."""
    pipeline, resolved = described(stages, **more)
    return build(pipeline, resolved, workflow, chains=chains)


def graph_of(stages: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each stage what it needs."""
    graph = stage_graph(described(stages)[1])
    return {name: set(graph.needs(name)) for name in graph}


def jobs(plan: Plan) -> dict[str, Job]:
    """The jobs by name."""
    return dict(plan.by_name)


@st.composite
def needs(draw: st.DrawFn, most: int = 9) -> dict[str, list[str]]:
    """For each name the names it needs, without a circle; the names in any order."""
    count = draw(st.integers(0, most))
    edges = {
        f"n{i}": draw(st.lists(st.sampled_from([f"n{j}" for j in range(i)]), unique=True)) if i else []
        for i in range(count)
    }
    return {name: edges[name] for name in draw(st.permutations(list(edges)))}


def graphs(most: int = 9) -> st.SearchStrategy[Graph]:
    """Graphs without a circle."""
    return needs(most).map(Graph)
