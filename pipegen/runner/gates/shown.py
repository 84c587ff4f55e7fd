"""The gates of a build as one box of its picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

from pipegen.plan.after_stages import GATES
from pipegen.plan.graph import Graph
from pipegen.records import Counts, GateRun, RunView, StageView, State, Verdict, together
from pipegen.runner.agent.build import Build
from pipegen.runner.gates.keeping import KeptGates

_TOLD: frozenset[Verdict] = frozenset(("failed", "warned", "waived"))


def with_gates(run: RunView, folder: Path, graph: Graph, build: Build) -> RunView:
    """The picture with what gates said, where they did in this folder: behind all stages.

    Args:
        run: the picture of a build.
        folder: the description's folder.
        graph: the build's stages.
        build: results of other builds are passed over.
    """
    gates = _judged(run.pipeline, folder, graph, build)
    if gates is None or gates.name in graph:
        return run
    return replace(run, stages=(*run.stages, gates), state=together((run.state, gates.state)))


def _judged(name: str, folder: Path, graph: Graph, build: Build) -> StageView | None:
    kept = KeptGates(name, folder, None)
    for workflow in build.workflows:
        for run in islice(kept.newest_first(workflow), 1):
            if (run.tree, run.url) == (build.tree, build.url):
                return _view(run, tuple(each for each in graph if not graph.dependants(each)))
    return None


def _view(run: GateRun, needs: tuple[str, ...]) -> StageView:
    bad = [gate for gate in run.gates if gate.verdict in _TOLD]
    return StageView(
        name=GATES,
        state=_state(run),
        needs=needs,
        agent=run.agent,
        message="; ".join(f"{gate.gate} {gate.verdict}: {gate.message}" for gate in bad),
        tests=Counts(len(run.gates), sum(gate.verdict == "failed" for gate in run.gates)),
    )


def _state(run: GateRun) -> State:
    if not run.passed:
        return "failed"
    return "warned" if any(gate.verdict in _TOLD for gate in run.gates) else "passed"
